"""Compare training by several processes with training by one.

    python benchmarks/processes.py STORE OUT [--steps 400] [--processes 1 2]

Trains the same small network with the same number of drawings in a step by one process and by two (torchrun,
gloo), each of which reads blocks of its own, and prints the losses side by side, the validation figures with
the standard error of their difference, and the speed. A second seed with one process shows how far apart two
runs are that differ in nothing else.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

SHAPE = ("--layers", "1", "--width", "128", "--encoder-width", "64", "--components", "10")


def train(store: Path, out: Path, steps: int, processes: int, seed: int) -> list[dict[str, str]]:
    """The lines of the log of a run."""
    shutil.rmtree(out, ignore_errors=True)
    begin = [sys.executable, "-m"]
    if processes > 1:
        begin += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    told = ["sketchgen", "train", str(store), "-o", str(out), "--steps", str(steps), "--seed", str(seed)]
    subprocess.run([*begin, *told, "--threads", "1", *SHAPE], check=True, stderr=subprocess.DEVNULL)
    with (out / "log.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def mean(lines: list[dict[str, str]], column: str, first: int, last: int) -> float:
    """Mean of a column over some steps."""
    found = [float(line[column]) for line in lines if line[column] and first < int(line["step"]) <= last]
    return sum(found) / len(found)


def main() -> None:
    """Train, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    runs = [(count, 0) for count in options.processes] + [(1, 1)]
    logs = {
        (count, seed): train(options.store, options.out / f"{count}-{seed}", options.steps, count, seed)
        for count, seed in runs
    }
    heads = [f"{count} process{'es' * (count > 1)}, seed {seed}" for count, seed in runs]
    print(f"| steps | {' | '.join(heads)} |\n|---|{'---|' * len(heads)}")
    part = max(options.steps // 5, 20)
    for first in range(0, options.steps, part):
        losses = [f"{mean(logs[run], 'loss', first, first + part):.3f}" for run in runs]
        print(f"| loss, {first + 1} to {first + part} | {' | '.join(losses)} |")
    for column in ("valid", "valid_half"):
        figures = [f"{mean(logs[run], column, 0, options.steps):.3f}" for run in runs]
        print(f"| {column} | {' | '.join(figures)} |")
    speeds = [f"{mean(logs[run], 'drawings_per_second', part, options.steps):.0f}" for run in runs]
    print(f"| drawings a second | {' | '.join(speeds)} |")
    seen = [
        json.loads((options.out / f"{count}-{seed}" / "last" / "config.json").read_text(encoding="utf-8"))
        for count, seed in runs
    ]
    print(f"| drawings seen | {' | '.join(str(one['training']['drawings_seen']) for one in seen)} |")


if __name__ == "__main__":
    main()
