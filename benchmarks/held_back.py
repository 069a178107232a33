"""Measure completions of held-out strokes: `python benchmarks/held_back.py STORE [NAME|FOLDER ...]`.

Of real drawings of three strokes or more one stroke that is not the last is held back, all others are given,
and each model adds what it holds to be missing, as often as `--ways` says. A line for each model: what the
stroke costs it (nats per point, the end included), how often the finished drawing is named right, how much
ink was added for each px that was held back, how far the nearest of the additions is from the stroke and how
far they are from each other, px of the 255 box; standard errors over drawings. Named right are above that
the drawings without the stroke, and whole.

    python benchmarks/held_back.py store/ sketch-rnn345 quickdraw345 --drawings 384
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from judging import parser, shown
from numpy.typing import NDArray

from sketchgen.completion.completer import Completer, load
from sketchgen.data.batching import assemble, padded
from sketchgen.data.store import Drawings, Store
from sketchgen.evaluation.completion_metrics import nearness
from sketchgen.evaluation.held_out import PAGE, HeldOut, drawing_seed, finish
from sketchgen.evaluation.likelihood import Scores, step_log_prob
from sketchgen.evaluation.recognition import Judge, judged, load_judge
from sketchgen.evaluation.statistics import mean, ratio
from sketchgen.models.stroke_model import StrokeModel, as_network
from sketchgen.sketch.distance import Ink
from sketchgen.sketch.geometry import CENTRE
from sketchgen.sketch.sketch import Sketch

BATCH = 128
COLUMNS = ("model", "nats per point of the stroke", "named right", "ink", "best, px", "apart, px")


@dataclass(frozen=True)
class Held:
    """Real drawings, one stroke of each behind all others.

    Attributes:
        drawings: with their points in that order.
        cut: (n,) how many points are given.
        parts: the given part and the stroke of each.
    """

    drawings: Drawings
    cut: NDArray[np.int64]
    parts: list[tuple[Sketch, Sketch]]


def held_back(drawings: Drawings, seed: int) -> Held:
    """Hold a stroke of each drawing back, any but the last; which one the drawing's key and the seed say."""
    order, cut, parts = np.arange(len(drawings.points)), [], []
    for index in range(len(drawings)):
        first, last = int(drawings.start[index]), int(drawings.start[index + 1])
        stroke = np.cumsum(drawings.lift[first:last]) - drawings.lift[first:last]
        random = np.random.default_rng([seed, int(drawings.key[index])])
        held = stroke == random.integers(stroke[-1])
        order[first:last] = first + np.argsort(held, kind="stable")
        cut.append(int((~held).sum()))
        strokes, which = drawings.sketch(index).strokes, int(stroke[held][0])
        given = Sketch.from_strokes(strokes[:which] + strokes[which + 1 :], page=PAGE)
        parts.append((given, Sketch.from_strokes([strokes[which]], page=PAGE)))
    moved = Drawings(
        drawings.category,
        drawings.key,
        drawings.start,
        drawings.points[order],
        drawings.lift[order],
        drawings.categories,
    )
    return Held(moved, np.array(cut, dtype=np.int64), parts)


@torch.no_grad()
def nats(network: StrokeModel, held: Held, category: NDArray[np.int64]) -> Scores:
    """What the strokes cost, as `sketchgen.evaluation.likelihood` has it."""
    found = np.zeros(len(held.cut))
    for first in range(0, len(found), BATCH):
        rows = np.arange(first, min(first + BATCH, len(found)))
        part, cut = held.drawings.take(rows), held.cut[rows]
        points, lift, _ = padded(part)
        offset = np.diff(points - CENTRE, axis=1, prepend=0.0)
        noise = np.random.default_rng([0, first]).random(offset.shape) - 0.5
        known = np.ones(len(rows), dtype=bool)
        batch = assemble(part, offset, offset + noise, lift, cut, category[rows], known, cut)
        found[rows] = -step_log_prob(network, batch).double().sum(1).numpy()
    return Scores(found, held.drawings.lengths - held.cut, category)


def cells(model: Completer, held: Held, judge: Judge, ways: int, temperature: float) -> list[str]:
    """A model's row."""
    category = held.drawings.known_as(model.categories)
    names = [held.drawings.categories[index] for index in held.drawings.category]
    value, error = (
        nats(as_network(model.config, model.decoder.weights()), held, category).per_point().values()
    )
    beginnings = [
        HeldOut(*parts, False, int(category[index]), drawing_seed(0, int(held.drawings.key[index])))
        for index, parts in enumerate(held.parts)
    ]
    found = finish(model, beginnings, "scale known", temperature, ways)
    right = mean(judged(judge, [each[0].whole for each in found], names).top1)
    added = np.array([np.mean([ink(one.completion.added) for one in each]) for each in found])
    missing = np.array([ink(parts[1]) for parts in held.parts])
    near = nearness(beginnings, found)
    there = np.isfinite(near.best)
    return [
        f"{value:.3f} ± {error:.3f}",
        shown(right, "{:.1%}"),
        shown(ratio(added, missing), "{:.2f}"),
        shown(mean(near.best[there]), "{:.1f}"),
        shown(mean(near.apart[there]), "{:.1f}"),
    ]


def ink(sketch: Sketch) -> float:
    """Length of all lines, px."""
    return Ink(sketch.strokes).length


def named(judge: Judge, sketches: Sequence[Sketch], held: Held) -> str:
    """How often drawings are named right."""
    names = [held.drawings.categories[index] for index in held.drawings.category]
    return shown(mean(judged(judge, sketches, names).top1), "{:.1%}")


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    asked = parser(__doc__, drawings=384)
    asked.add_argument("checkpoints", nargs="*", default=["quickdraw345"], help="names or folders")
    asked.add_argument("--ways", type=int, default=4)
    asked.add_argument("--temperature", type=float, default=0.25)
    return asked.parse_args()


def main() -> None:
    """Measure what the command line names."""
    options = arguments()
    torch.set_num_threads(1)
    drawings = Store.open(options.store).split(options.split).drawings()
    strokes = np.add.reduceat(drawings.lift.astype(np.int64), drawings.start[:-1])
    held = held_back(drawings.take(np.flatnonzero(strokes >= 3)[: options.drawings]), options.seed)
    judge = load_judge(options.judge)
    given = [parts[0] for parts in held.parts]
    whole = [Sketch(parts[0].strokes + parts[1].strokes) for parts in held.parts]
    floor, ceiling = (named(judge, sketches, held) for sketches in (given, whole))
    print(f"{len(held.cut)} drawings; named right without the stroke: {floor}, whole: {ceiling}")
    print(f"\n| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for name in options.checkpoints:
        row = cells(load(name), held, judge, options.ways, options.temperature)
        print(f"| {' | '.join([Path(name).name, *row])} |", flush=True)


if __name__ == "__main__":
    main()
