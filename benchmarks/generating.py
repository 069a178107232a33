"""Time whole jobs, from the command to the last file: `python benchmarks/generating.py OUT [...]`.

    python benchmarks/generating.py out/ --checkpoint sketch-rnn345 --counts 1000 10000 100000 --form ndjson
    python benchmarks/generating.py out/ --checkpoint quickdraw345 --counts 10000 --form svg

Runs `sketchgen generate` for each count with as many processes as there are cores, and prints
seconds, drawings and points a second, and the memory of all its processes together at its height
(proportional set size: pages that are shared count once).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path


def memory(process: int) -> float:
    """MB of a process and all that it has started, 0 for what is gone."""
    total, waiting = 0.0, [process]
    while waiting:
        one = waiting.pop()
        try:
            tasks = Path(f"/proc/{one}/task").iterdir()
            waiting += [int(child) for task in tasks for child in (task / "children").read_text().split()]
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return total


def run(out: Path, count: int, checkpoint: str, form: str) -> tuple[float, float]:
    """Seconds and MB of a job."""
    target = out / f"{count}" if form == "svg" else out / f"{count}.{form}"
    for path in (target, target.with_name(f"{target.name}.manifest.jsonl")):
        shutil.rmtree(path, ignore_errors=True)
        if path.is_file():
            path.unlink()
    command = [sys.executable, "-m", "sketchgen", "generate", "--category", "cat", "--count", str(count)]
    command += ["--checkpoint", checkpoint, "-o", str(target)]
    began, most = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, memory(process.pid))
            time.sleep(0.2)
    assert process.returncode == 0
    return time.perf_counter() - began, most


def points_of(out: Path, count: int, form: str) -> int:
    """Points that a job drew, by its manifest."""
    path = out / f"{count}" / "manifest.jsonl" if form == "svg" else out / f"{count}.{form}.manifest.jsonl"
    with path.open(encoding="utf-8") as lines:
        next(lines)
        return sum(json.loads(line)["points"] for line in lines)


def main() -> None:
    """Run the jobs, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--checkpoint", default="quickdraw345")
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--form", choices=["svg", "ndjson"], default="svg")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(
        "| model | form | drawings | s | drawings/s | points/s | memory, MB |\n|---|---|---|---|---|---|---|"
    )
    for count in options.counts:
        seconds, most = run(options.out, count, options.checkpoint, options.form)
        points = points_of(options.out, count, options.form)
        row = [options.checkpoint, options.form, f"{count:,}", f"{seconds:.0f}", f"{count / seconds:,.0f}"]
        print("|", " | ".join([*row, f"{points / seconds:,.0f}", f"{most:,.0f}"]), "|", flush=True)


if __name__ == "__main__":
    main()
