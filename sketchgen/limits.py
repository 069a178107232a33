"""Bounds and defaults that the command line, the page and the library share, and the checks of them.

Plain numbers, so that reading them needs neither numpy nor torch.
"""

from __future__ import annotations

import sys
from numbers import Integral, Real
from typing import Any, cast

from sketchgen.errors import SettingError

COUNT = 9
"""Default number of completions of a sketch, and of drawings of a category."""

MAX_CANDIDATES = 10_000
"""Most candidates of one call of the library, `count` x `best_of`."""

MAX_DRAWINGS = 10_000_000
"""Most drawings of one command, candidates included."""

MAX_BEST_OF = 1000
"""Most candidates for each drawing on the command line."""

TEMPERATURE, MAX_TEMPERATURE = 0.5, 2.0

GUIDANCE, MAX_GUIDANCE = 2.0, 10.0
"""Strength of the pull towards the category; 0 is none."""

CLOSING, MAX_CLOSING = 24.0, 100.0
"""Gap at the end of an added line that is closed, px of the model's frame; a given part is 160 px long."""

MAX_SEED = 2**63 - 1

LIMIT, MAX_LIMIT = 250, 10_000
"""Most points that are added to a sketch."""

LATENT_STEPS, MAX_LATENT = 9, 200
"""Drawings of an interpolation, and the most of one; also the most drawings that are combined."""

MAX_PROCESSES = 256

PAGE_COUNT, PAGE_TEMPERATURE, PAGE_BEST_OF = 4, 0.4, 8
"""What a visitor of the page gets by default: alternatives, temperature, candidates for each."""

MAX_PORT = 65_535

DOWNLOADS, MAX_DOWNLOADS = 4, 16
"""Files that are downloaded at a time."""

RETRIES, MAX_RETRIES = 5, 100

MAX_TRAINING_HOURS = 24 * 30

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that set numpy's number of threads; they are read when numpy is imported."""


def check_range(name: str, value: Any, low: float, high: float | None = None, unit: str = "") -> None:
    """Check that a number is finite and within its bounds; None stands for the default and passes.

    Args:
        name: the setting, as the person who set it knows it.
        value: what was given.
        low: smallest value allowed.
        high: largest value allowed; None for no bound.
        unit: of the value, such as "px".

    Raises:
        SettingError: the value is outside, or not a number; True is none.
    """
    if value is not None:
        _check(name, value, low, high, "a number", unit)


def check_whole(name: str, value: Any, low: int, high: int) -> int:
    """Return a whole number within limits, or raise a SettingError; None is none."""
    _check(name, value, low, high, "a whole number")
    return int(value)


def check_number(name: str, value: Any, low: float, high: float) -> float:
    """Return a number within limits, or raise a SettingError; None is none."""
    _check(name, value, low, high, "a number")
    return float(value)


def _check(name: str, value: Any, low: float, high: float | None, kind: str, unit: str = "") -> None:
    number = isinstance(value, Integral if "whole" in kind else Real) and not isinstance(value, bool)
    if number and low <= cast(float, value) <= (sys.float_info.max if high is None else high):
        return
    unit = f" {unit}" if unit else ""
    bounds = (
        f"{plain(low)}{unit} or more" if high is None else f"{kind} from {plain(low)} to {plain(high)}{unit}"
    )
    raise SettingError(f"{name} must be {bounds}, not {shortened(value)}")


def plain(value: float) -> str:
    """Return a number as people write it: 3 for 3.0, and every digit of a whole number."""
    return str(value) if isinstance(value, int) else f"{value:g}"


def check_sampling(count: int, temperature: float, seed: int, limit: int, best_of: int = 1) -> None:
    """Check the settings of a request.

    Raises:
        SettingError: one has the wrong type, or is outside its limits.
    """
    check_whole("count", count, 1, MAX_CANDIDATES)
    check_whole("best_of", best_of, 1, MAX_CANDIDATES // int(count))
    check_number("temperature", temperature, 0.0, MAX_TEMPERATURE)
    check_whole("seed", seed, 0, MAX_SEED)
    check_whole("limit", limit, 1, MAX_LIMIT)


def shortened(value: Any) -> str:
    """Return a value for an error, at most 40 characters."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
