"""Time a training step, and compare it with the machine's own limit.

    python benchmarks/training.py [--threads 1 2] [--repeats 5] [--plain-memory]

Batches of 100 drawings of 45 points each, so that nothing is padding. Columns: the matrix products of the
recurrent layers alone, forwards and backwards (the machine's own limit); the bare LSTM of torch on the same
sizes; and the whole step: making the batch, the network, the mixture's loss, the gradient, clipping, AdamW
and the average. The first model is Sketch-RNN's decoder (one LSTM of 512, 20 components), the second is that
of the bundled checkpoint. Each figure is drawings a second, the median of the repeats; all take turns.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from runs import prepared, small

import sketchgen.training.trainer
from sketchgen.data.drawings import from_lists
from sketchgen.data.splitting import Prefixes
from sketchgen.data.store import new_store
from sketchgen.models.memory import keep_freed_memory
from sketchgen.training.config import ModelSettings

BATCH, POINTS = 100, 45
SKETCH_RNN = ModelSettings(layers=1, width=512, components=20, embedding=128, encoder_width=8, dropout=0.1)
BUNDLED = ModelSettings(layers=2, width=384, components=20, embedding=128, encoder_width=128, dropout=0.05)
MODELS = {"LSTM-512 / 20": SKETCH_RNN, "quickdraw345": BUNDLED}


def store(folder: Path) -> Path:
    """A store of drawings that all have the same number of points."""
    random = np.random.default_rng(0)
    count = 4 * BATCH
    points = [np.cumsum(random.integers(-9, 10, (POINTS, 2)), axis=0) for _ in range(count)]
    boxed = [np.clip(one - one.min(0), 0, 255).astype(np.uint8) for one in points]
    strokes = [[9] * (POINTS // 9)] * count
    drawings = from_lists([0] * count, range(1, count + 1), strokes, boxed, ["walk"])
    with new_store(folder) as writer:
        for split in ("train", "valid"):
            writer.add(split, drawings)
        writer.finish({"categories": ["walk"], "statistics": {"offset_deviation": 9.0}})
    return folder


def products(model: ModelSettings, kind: torch.dtype) -> Callable[[], object]:
    """The matrix products of the recurrent layers, forwards and backwards: three of each size."""
    width = model.width
    parts = []
    for layer in range(model.layers):
        inputs = width if layer else model.embedding
        entering = torch.randn(BATCH * POINTS, inputs, dtype=kind), torch.randn(inputs, 4 * width, dtype=kind)
        hidden = torch.randn(BATCH, width, dtype=kind), torch.randn(width, 4 * width, dtype=kind)
        gates = torch.randn(BATCH * POINTS, 4 * width, dtype=kind)
        states = torch.randn(BATCH * POINTS, width, dtype=kind)
        parts.append((entering, hidden, gates, states))

    def run() -> None:
        for (rows, weights), (state, recurrent), gates, states in parts:
            rows @ weights
            gates @ weights.T
            rows.T @ gates
            states.T @ gates
            for step in range(POINTS):
                state @ recurrent
                gates[step * BATCH : (step + 1) * BATCH] @ recurrent.T

    return run


def bare(model: ModelSettings, bfloat16: bool) -> Callable[[], object]:
    """The LSTM of torch in these sizes, forwards and backwards."""
    lstm = nn.LSTM(model.embedding, model.width, model.layers, batch_first=True)
    rows = torch.randn(BATCH, POINTS, model.embedding)

    def run() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            found = lstm(rows)[0]
        found.float().sum().backward()

    return run


def whole(model: ModelSettings, bfloat16: bool, folder: Path) -> Callable[[], object]:
    """A whole step, from the store to the average of the weights."""
    plain = Prefixes(nothing=1.0, held_back=0.0, opened=0.0)
    cuts = plain if model == SKETCH_RNN else Prefixes()
    config = replace(small(folder, folder / "run"), batch=BATCH, model=model, bfloat16=bfloat16)
    trainer = prepared(replace(config, threads=None, prefixes=cuts))
    (objective,) = trainer.task.objectives
    number = 0

    def step() -> None:
        nonlocal number
        trainer.step([objective.batches[number]])
        number += 1

    return step


def speeds(runs: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Drawings a second of each: the median of `repeats`, taken in turns."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            for _ in range(3):
                run()
            if turn:
                found[name].append(3 * BATCH / (time.perf_counter() - started))
    return {name: statistics.median(values) for name, values in found.items()}


def batches_alone(folder: Path, repeats: int) -> float:
    """Drawings a second that one core makes into batches, cut and presented as usual."""
    batches = prepared(small(folder, folder / "run", batch=BATCH)).task.objectives[0].batches
    times = []
    for turn in range(repeats + 1):
        started = time.process_time()
        for number in range(100):
            batches[100 * turn + number]
        times.append(time.process_time() - started)
    return 100 * BATCH / statistics.median(times[1:])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--float32-only", action="store_true")
    parser.add_argument("--plain-memory", action="store_true", help="leave malloc as it is")
    options = parser.parse_args()
    if options.plain_memory:
        sketchgen.training.trainer.keep_freed_memory = lambda: False
    else:
        keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        data = store(Path(folder) / "store")
        print("| model | cores | numbers | products alone | bare LSTM | whole step | of the bare LSTM |")
        print("|---|---|---|---|---|---|---|")
        for name, model in MODELS.items():
            for threads in options.threads:
                torch.set_num_threads(threads)
                for bfloat16 in (False,) if options.float32_only else (False, True):
                    kind = torch.bfloat16 if bfloat16 else torch.float32
                    runs = {
                        "products": products(model, kind),
                        "bare": bare(model, bfloat16),
                        "whole": whole(model, bfloat16, data),
                    }
                    found = speeds(runs, options.repeats)
                    share = found["whole"] / found["bare"]
                    figures = " | ".join(f"{found[key]:.0f}" for key in runs)
                    numbers = "bfloat16" if bfloat16 else "float32"
                    print(f"| {name} | {threads} | {numbers} | {figures} | {share:.0%} |", flush=True)
        print(f"\nmaking batches alone: {batches_alone(data, options.repeats):.0f} drawings/s a core")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"memory of this process at its height: {peak:.0f} MB")


if __name__ == "__main__":
    main()
