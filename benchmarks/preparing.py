"""Time `sketchgen prepare` on gigabytes of drawings.

    python benchmarks/preparing.py SOURCES OUT [GIGABYTES]

Writes that much input (default 2) to OUT from SOURCES, a folder of simplified ndjson: each drawing many
times, a few of its inner points moved by a pixel or two, so that they differ and stay simplified, with all of
Google's fields, in eight files. Prepares it with one and with two jobs, and prints a table: speed by the
clock and by the time that the processes had on a core, memory of all processes together (their shares of
common pages, sampled), size of the store; then what opening the store and reading a block at random take.
Leaves nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from generating import memory

FILES = 8
MOVED = 4
REPEATS = int(os.environ.get("REPEATS", "3"))

READ = """
import json, os, random, sys, time

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

from sketchgen.data.store import Store
before, begun = resident(), time.perf_counter()
train = Store.open(sys.argv[1]).split("train")
opened = time.perf_counter()
train.read([random.randrange(len(train.block_sizes))])
read = time.perf_counter()
grown = resident() - before
many = random.choices(range(len(train.block_sizes)), k=200)
again = time.perf_counter()
for block in many:
    train.read([block])
each = (time.perf_counter() - again) / len(many)
print(json.dumps({"open": opened - begun, "read": read - opened, "each": each, "grown": grown}))
"""


def lines(sources: Path, number: int) -> Iterator[bytes]:
    """Every drawing once, slightly changed, as lines of Google's form."""
    chance = random.Random(number)
    for path in sorted(sources.glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            value = orjson.loads(line)
            drawing = value["drawing"]
            for _ in range(MOVED):
                axis = chance.choice(chance.choice(drawing))
                at = chance.randrange(len(axis))
                # The outermost points stay, so that the drawing stays aligned and fills its box.
                if 4 <= axis[at] <= 240:
                    axis[at] += chance.choice((-2, -1, 1, 2))
            yield (
                orjson.dumps(
                    {
                        "word": value["word"],
                        "countrycode": "DE",
                        "timestamp": "2017-03-28 12:34:56.78901 UTC",
                        "recognized": value["recognized"],
                        "key_id": str(chance.randrange(10**15, 10**16)),
                        "drawing": drawing,
                    }
                )
                + b"\n"
            )


def write_input(sources: Path, folder: Path, size: int) -> tuple[int, int]:
    """At least `size` bytes of input; bytes and drawings."""
    folder.mkdir(parents=True)
    written = drawings = number = 0
    while written < size:
        with (folder / f"{number % FILES}.ndjson").open("ab", buffering=2**20) as file:
            for line in lines(sources, number):
                written += file.write(line)
                drawings += 1
        number += 1
    return written, drawings


def prepared(source: Path, store: Path, jobs: int) -> dict[str, Any]:
    """Prepare once; time by the clock and on cores in s, memory in MB."""
    command = [sys.executable, "-m", "sketchgen", "prepare", str(source), "-o", str(store), "--force"]
    before, begun, most = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0.0
    process = subprocess.Popen([*command, "--jobs", str(jobs)], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, memory(process.pid))
        time.sleep(0.5)
    if process.returncode:
        raise SystemExit("prepare failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cores = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"clock": time.perf_counter() - begun, "cores": cores, "memory": most}


def main(sources: Path, out: Path, gigabytes: float) -> None:
    """Make the input, prepare it, print the table."""
    source, store = out / "input", out / "store"
    try:
        size, drawings = write_input(sources, source, int(gigabytes * 1e9))
        print(f"{size / 1e9:.2f} GB, {drawings} drawings, best of {REPEATS}\n", flush=True)
        heads = ("jobs", "s", "MB/s", "MB/s a core", "drawings/s", "memory, MB", "store, MB")
        print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
        for jobs in (1, 2):
            runs = [prepared(source, store, jobs) for _ in range(REPEATS)]
            clock, cores = (min(run[name] for run in runs) for name in ("clock", "cores"))
            most = max(run["memory"] for run in runs)
            kept = sum(path.stat().st_size for path in store.iterdir())
            rates = f"{size / clock / 1e6:.0f} | {size / cores / 1e6:.0f} | {drawings / clock:.0f}"
            print(f"| {jobs} | {clock:.0f} | {rates} | {most:.0f} | {kept / 1e6:.0f} |", flush=True)
        answer = subprocess.run([sys.executable, "-c", READ, str(store)], check=True, stdout=subprocess.PIPE)
        found = json.loads(answer.stdout)
        print(
            f"\nopening {found['open'] * 1e3:.1f} ms, then a block at random {found['read'] * 1e3:.1f} ms, "
            f"both {found['grown'] / 1e6:.1f} MB of memory; 200 more {found['each'] * 1e3:.2f} ms each"
        )
    finally:
        shutil.rmtree(source, ignore_errors=True)
        shutil.rmtree(store, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sources", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("gigabytes", nargs="?", type=float, default=2.0)
    main(**vars(parser.parse_args()))
