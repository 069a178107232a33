"""Running the command line in this process, or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sketchgen
from sketchgen.cli import main

LINE = '{"word": "cat", "drawing": [[[0, 255], [0, 100]]]}\n'
"""A drawing as a line of ndjson."""


def run(*arguments: object, status: int = 0) -> None:
    """Run a command, which must end with this status."""
    assert main([str(argument) for argument in arguments]) == status


def failure(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 1) -> str:
    """Run a command that must fail without a result, and return its one line."""
    run(*arguments, status=status)
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("sketchgen: error: ")
    return line


def environment() -> dict[str, str]:
    """Return the environment in which a process finds this package."""
    return {**os.environ, "PYTHONPATH": str(Path(sketchgen.__file__).parents[1]), "COLUMNS": "100"}


def python(code: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run code in a Python of its own."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, **settings)
