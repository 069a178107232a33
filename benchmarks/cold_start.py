"""Time cold starts: nine completions of half a cat, and `--help`: `python benchmarks/cold_start.py`."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def once(folder: Path) -> float:
    """Seconds of one `sketchgen complete` in a process of its own."""
    code = "import sys; from sketchgen.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "complete", "example:half-a-cat", "--category", "cat"]
    command += ["--count", "9", "-o", str(folder)]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def manual() -> float:
    """Seconds of one `sketchgen complete --help` in a process of its own."""
    code = "import sys; from sketchgen.cli import main; sys.exit(main())"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, "complete", "--help"], check=True, capture_output=True)
    return time.perf_counter() - began


def main(times: int = 5) -> None:
    """Print each time and the median."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = [once(Path(folder) / str(number)) for number in range(times)]
    shown = ", ".join(f"{value:.2f}" for value in seconds)
    helped = statistics.median(manual() for _ in range(times))
    print(f"--help: median {helped:.2f} s")
    print(f"complete, 9 alternatives, cold: {shown} s; median {statistics.median(seconds):.2f} s")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
