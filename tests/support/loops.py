"""Event loops for tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio


def run_alone(function: Callable[[], Awaitable[Any]]) -> Any:
    """Run an asynchronous function in another thread: Playwright leaves its loop in that of the tests."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(anyio.run, function).result()
