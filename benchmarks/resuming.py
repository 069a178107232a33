"""Compare a run that is killed at random moments with an undisturbed one.

    python benchmarks/resuming.py STORE OUT --kills 20

Trains twice with the same seed: once undisturbed, once killed by SIGKILL again and again, at a random moment
after it has begun to learn (or while it reads, validates or writes), and resumed each time. Prints where each
kill found the run, and compares all losses of the log and every tensor of the final states, bit for bit.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

SETTINGS = ("--width", "64", "--encoder-width", "32", "--batch", "20", "--threads", "1")
STATE = "state.safetensors"


def train(store: Path, out: Path, steps: int, *more: str) -> subprocess.Popen[bytes]:
    """A run in a process of its own."""
    command = [sys.executable, "-m", "sketchgen", "train", str(store), "-o", str(out), "--steps", str(steps)]
    often = ("--save-every", "1s", "--validate-every", "10s", "--pictures", "0")
    return subprocess.Popen([*command, *SETTINGS, *often, *more], stderr=subprocess.DEVNULL)


def losses(out: Path) -> dict[int, str]:
    """The losses of a log by step, as they are written."""
    with (out / "log.csv").open(encoding="utf-8") as stream:
        return {int(row["step"]): row["loss"] for row in csv.DictReader(stream) if row["loss"]}


def main() -> None:
    """Run both, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    straight, killed = options.out / "straight", options.out / "killed"
    for folder in (straight, killed):
        shutil.rmtree(folder, ignore_errors=True)
    train(options.store, straight, options.steps).wait()
    moments = random.Random(options.seed)
    head = "| kill | seconds after its start | last line of the log | left half written |"
    print(f"{head}\n|---|---|---|---|", flush=True)
    for number in range(1, options.kills + 1):
        running = train(
            options.store, killed, options.steps, *(["--resume"] if (killed / STATE).exists() else [])
        )
        began = time.monotonic()
        # Most of a run's life is the import of torch: kills fall behind it, and now and then into it.
        time.sleep(moments.uniform(4.0, 22.0))
        running.send_signal(signal.SIGKILL)
        if running.wait() == 0:
            print(f"| {number} | the run had ended | | |")
            break
        log = list(losses(killed)) if (killed / "log.csv").exists() else []
        left = len([path for path in killed.glob(".*")])
        print(
            f"| {number} | {time.monotonic() - began:.1f} | {log[-1] if log else ''} | {left} |", flush=True
        )
    train(options.store, killed, options.steps, "--resume").wait()
    one, two = load_file(straight / STATE), load_file(killed / STATE)
    same = sum(torch.equal(value, two[name]) for name, value in one.items())
    equal = losses(straight) == losses(killed)
    print(f"\n{len(losses(straight))} losses of the log: {'all the same' if equal else 'NOT the same'}")
    print(f"{same} of {len(one)} tensors of the final state bit for bit the same")


if __name__ == "__main__":
    main()
