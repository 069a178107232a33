"""Count useful points a second, alone and side by side, against the limit of the machine.

    python benchmarks/sampling.py [--magenta WEIGHTS.gen.json] [--node FOLDER] [--jobs 2] [--rounds 3]
    python benchmarks/sampling.py --against CHECKOUT [--rounds 3]

A useful point is one of a drawing that is kept; steps of rows that stand empty, and those in which drawings
end, count nothing. Everything is measured in turns within one run, `--rounds` times, and the best is told.

- Alone: one drawing after the other on one core, by Magenta's published weights and by the bundled models;
  with `--node`, by @magenta/sketch in Node on the same weights (installed by
  `npm install --prefix FOLDER @magenta/sketch`).
- Against another checkout: cats of both checkouts in turns, at temperature 0.4, alone and several at once;
  the ratio is that of the medians. `OPENBLAS_CORETYPE=Haswell` and `NPY_DISABLE_CPU_FEATURES="X86_V4
  AVX512_ICL AVX512_SPR"` show a processor without AVX-512.
- Side by side: processes of one thread each, which begin at the same moment. The limit
  is what the same number of processes do in points a second where they do nothing but a step's products of
  matrices for as many rows. `sketch-rnn345` is the LSTM of 512 units with 20 components.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

ALONE_SECONDS = 4.0
ROWS = 128
"""Drawings at a time, as in `sketchgen.completion.rollout`."""

SPINS = 400
"""Steps of products that the limit is measured by."""


def magenta_alone(weights: Path) -> Callable[[], tuple[int, float]]:
    """Draws with Magenta's weights, one drawing after the other."""
    from sketchgen.completion.completer import Completer
    from sketchgen.models.magenta import read_magenta
    from sketchgen.models.numpy_stroke_model import Decoder

    found = read_magenta(weights)
    model = Completer(Decoder(found.config, found.weights), weights.name, {})
    return lambda: timed(lambda seed: model.generate(None, 1, 0.5, seed)[0].point_count)


def model_alone(name: str, guidance: float) -> Callable[[], tuple[int, float]]:
    """Draws cats with a bundled model, one after the other."""
    import sketchgen

    model = sketchgen.load(name).guided(guidance)
    return lambda: timed(lambda seed: model.generate("cat", 1, 0.5, seed)[0].point_count)


def timed(draw: Callable[[int], int]) -> tuple[int, float]:
    """Points and seconds of as many drawings as `ALONE_SECONDS` hold."""
    draw(10_000)
    begin, points, seed = time.perf_counter(), 0, 0
    while time.perf_counter() - begin < ALONE_SECONDS:
        points += draw(seed)
        seed += 1
    return points, time.perf_counter() - begin


def node_alone(folder: Path, weights: Path) -> tuple[int, float]:
    """The same by @magenta/sketch."""
    script = Path(__file__).with_name("magenta_sketch.js")
    command = ["node", str(script), str(folder), str(weights), str(ALONE_SECONDS)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found["points"], found["seconds"]


def work(task: dict[str, Any], begin: Any, results: Any) -> None:
    """One process: get ready, wait for the others, do the task, tell points and seconds."""
    import torch

    torch.set_num_threads(1)
    run = limit(task) if task["kind"] == "limit" else batch(task)
    begin.wait()
    started = time.perf_counter()
    points = run()
    results.put((points, time.perf_counter() - started))


def batch(task: dict[str, Any]) -> Callable[[], int]:
    """Draws many cats side by side."""
    from sketchgen.completion.completer import load
    from sketchgen.jobs.engine import BatchEngine
    from sketchgen.jobs.spec import DrawingRequest, Sampling

    engine = BatchEngine(load(task["model"]).guided(task["guidance"]), Sampling(temperature=0.5))

    def requests(count: int) -> list[DrawingRequest]:
        return [DrawingRequest(number, "cat", task["seed"], number) for number in range(count)]

    list(engine.draw(requests(ROWS)))
    return lambda: sum(item.points for item in engine.draw(requests(task["count"])))


def limit(task: dict[str, Any]) -> Callable[[], int]:
    """A step's products of matrices for an LSTM of 512 units with 20 components, and nothing else."""
    import torch

    # Read (5 numbers), gates of (128 + 512), head: the shapes of sketch-rnn345.
    shapes = [(5, 128), (640, 2048), (512, 122)]
    pairs = [(torch.randn(ROWS, i), torch.randn(o, i)) for i, o in shapes]
    linear = torch.nn.functional.linear

    def run() -> int:
        with torch.inference_mode():
            for _ in range(SPINS):
                for values, weight in pairs:
                    linear(values, weight)
        return SPINS * ROWS

    run()
    return run


def together(task: dict[str, Any], jobs: int) -> float:
    """Points a second of `jobs` processes."""
    context = multiprocessing.get_context("spawn")
    begin, results = context.Barrier(jobs), context.Queue()
    parts = [
        context.Process(target=work, args=(task | {"seed": seed}, begin, results)) for seed in range(jobs)
    ]
    for part in parts:
        part.start()
    found = [results.get() for _ in parts]
    for part in parts:
        part.join()
    return sum(points for points, _ in found) / max(seconds for _, seconds in found)


def best(rounds: int, runs: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The best of some rounds, in each of which everything has its turn."""
    found = dict.fromkeys(runs, 0.0)
    for number in range(rounds):
        for name, run in runs.items():
            found[name] = max(found[name], run())
            print(f"round {number + 1}, {name}: {found[name]:,.0f}", file=sys.stderr, flush=True)
    return found


def alone(options: argparse.Namespace) -> None:
    """Print the table of drawings one at a time."""
    runs: dict[str, Callable[[], tuple[int, float]]] = {}
    if options.magenta:
        runs["Magenta's weights, sketchgen"] = magenta_alone(options.magenta)
        if options.node:
            runs["Magenta's weights, @magenta/sketch in Node"] = lambda: node_alone(
                options.node, options.magenta
            )
    runs["sketch-rnn345"] = model_alone("sketch-rnn345", 0.0)
    runs["quickdraw345, guidance 2"] = model_alone("quickdraw345", 2.0)
    runs["tiny, guidance 2"] = model_alone("tiny", 2.0)

    def rate(run: Callable[[], tuple[int, float]]) -> Callable[[], float]:
        def once() -> float:
            points, seconds = run()
            return points / seconds

        return once

    found = best(options.rounds, {name: rate(run) for name, run in runs.items()})
    print("| one drawing at a time, one core | points a second |\n|---|---|")
    for name, value in found.items():
        print(f"| {name} | {value:,.0f} |")


TURNS = [
    (name, guidance, count)
    for name, guidance in (
        ("quickdraw345", 2.0),
        ("quickdraw345", 0.0),
        ("sketch-rnn345", 0.0),
        ("tiny", 2.0),
    )
    for count in (1, 9, 32)
]
"""Model, guidance, and drawings at once."""

TURN = """
import sys, time
sys.path.insert(0, sys.argv[1])
import sketchgen
for line in sys.stdin:
    name, guidance, count = line.split()
    model = sketchgen.load(name).guided(float(guidance))
    model.generate("cat", int(count), 0.4, 99)
    begin, points, seed = time.perf_counter(), 0, 0
    while time.perf_counter() - begin < 1.0:
        points += sum(sketch.point_count for sketch in model.generate("cat", int(count), 0.4, seed))
        seed += 1
    print(points / (time.perf_counter() - begin), flush=True)
"""
"""What each checkout does in a process of its own: a second of drawings, whenever it is asked for them."""


def against(folder: Path, rounds: int) -> None:
    """Print the points a second of another checkout and of this one, measured in turns."""
    roots = (folder.resolve(), Path(__file__).resolve().parents[1])
    parts = [
        subprocess.Popen(
            [sys.executable, "-c", TURN, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for root in roots
    ]
    print("| model, guidance, drawings at once | there | here | here / there |\n|---|---|---|---|")
    for turn in TURNS:
        found: list[list[float]] = [[], []]
        for _ in range(rounds):
            for rates, part in zip(found, parts, strict=True):
                assert part.stdin is not None
                assert part.stdout is not None
                print(*turn, file=part.stdin, flush=True)
                rates.append(float(part.stdout.readline()))
        there, here = (statistics.median(rates) for rates in found)
        print(
            f"| {turn[0]}, {turn[1]:g}, {turn[2]} | {there:,.0f} | {here:,.0f} | {here / there:.2f} |",
            flush=True,
        )
    for part in parts:
        part.communicate()


def side_by_side(options: argparse.Namespace) -> None:
    """Print the table of drawings side by side."""
    tasks: dict[str, dict[str, Any]] = {"products alone": {"kind": "limit"}}
    sketch_rnn = {"model": "sketch-rnn345", "guidance": 0.0, "count": options.count}
    tasks["sketch-rnn345"] = {"kind": "batch"} | sketch_rnn
    for model in ("quickdraw345", "tiny"):
        for guidance in (0.0, 2.0):
            each = {"model": model, "guidance": guidance, "count": options.count // 8}
            tasks[f"{model}, guidance {guidance:g}"] = {"kind": "batch"} | each
    runs = {name: lambda task=task: together(task, options.jobs) for name, task in tasks.items()}
    found = best(options.rounds, runs)
    whole = found["products alone"]
    print(f"\n| side by side, {options.jobs} processes | points a second | of the products |")
    print("|---|---|---|")
    for name, value in found.items():
        print(f"| {name} | {value:,.0f} | {value / whole:.0%} |")


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--magenta", type=Path, help="a published decoder, such as sheep.gen.json")
    parser.add_argument("--node", type=Path, help="folder with node_modules/@magenta/sketch")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=4000, help="drawings of each process")
    parser.add_argument("--against", type=Path, help="another checkout of this repository")
    options = parser.parse_args()
    if options.against:
        against(options.against, options.rounds)
        return
    alone(options)
    side_by_side(options)


if __name__ == "__main__":
    main()
