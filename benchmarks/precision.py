"""Whether drawings are worse where the products of matrices are computed in bfloat16.

    python benchmarks/precision.py [--models quickdraw345 sketch-rnn345] [--each 10] [--seed 1]

The same drawings from nothing, `--each` of every category, are drawn with float32 and with bfloat16, from the
same noise; for each precision: how many the recogniser names right, how many end by themselves, points, and
nats a point by the network that drew; the paired difference; and how many of the pairs begin alike: their
first 20 points within a px.
"""

from __future__ import annotations

import argparse
import dataclasses
import os

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from sketchgen.completion.completer import Completer, load
from sketchgen.jobs.request import Drawn, Sampling, Wish
from sketchgen.jobs.slot_engine import SlotEngine
from sketchgen.models.recogniser import Recogniser, load_recogniser
from sketchgen.sketch.sketch import Sketch

SAME_POINTS, SAME_PX = 20, 1.0
CHUNK = 512


def drawn(model: Completer, precision: str, each: int, seed: int) -> list[Drawn]:
    """`each` drawings of every category, in their order."""
    engine = SlotEngine(model, Sampling(temperature=0.5, precision=precision, slots=128))
    names = [name for name in model.categories for _ in range(each)]
    wishes = [Wish(number, name, seed, number) for number, name in enumerate(names)]
    return sorted(engine.draw(wishes), key=lambda item: item.wish.number)


def sketch_of(item: Drawn) -> Sketch:
    """The drawing."""
    assert isinstance(item.item, Sketch)
    return item.item


def named_right(recogniser: Recogniser, found: list[Drawn]) -> np.ndarray:
    """(n,) whether the recogniser names each drawing right."""
    names, right = recogniser.categories, []
    for first in range(0, len(found), CHUNK):
        part = found[first : first + CHUNK]
        read = recogniser.read([sketch_of(item) for item in part])
        right += [
            names[top] == item.wish.category for top, item in zip(read.log_prob.argmax(1), part, strict=True)
        ]
    return np.array(right)


def alike(one: Drawn, other: Drawn) -> bool:
    """Whether two drawings begin in the same way."""
    first, second = (sketch_of(item).points[:SAME_POINTS] for item in (one, other))
    return len(first) == len(second) and bool((np.abs(first - second) < SAME_PX).all())


def share(right: np.ndarray) -> str:
    """A share in per cent with its standard error."""
    mean = right.mean()
    return f"{100 * mean:.1f} ± {100 * np.sqrt(mean * (1 - mean) / len(right)):.1f} %"


def measured(model: Completer, recogniser: Recogniser, each: int, seed: int) -> None:
    """Print the rows of a model."""
    found = {precision: drawn(model, precision, each, seed) for precision in ("float32", "bfloat16")}
    right = {precision: named_right(recogniser, items) for precision, items in found.items()}
    for precision, items in found.items():
        points = np.array([item.points for item in items])
        nats = -np.array([item.log_likelihood for item in items])
        ended = np.mean([item.ended for item in items])
        row = share(right[precision]), f"{100 * ended:.2f} %", f"{points.mean():.1f}"
        print(
            "|",
            " | ".join([model.name, precision, *row, f"{nats.sum() / points.sum():.3f}"]),
            "|",
            flush=True,
        )
    difference = right["bfloat16"].astype(float) - right["float32"]
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    same = np.mean([alike(*pair) for pair in zip(*found.values(), strict=True)])
    print(
        f"| | difference, paired | {100 * difference.mean():+.1f} ± {100 * error:.1f} % | | | | "
        f"\n\n{100 * same:.0f} % of the {len(difference)} pairs begin alike.\n"
    )


def main() -> None:
    """Draw, judge, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["quickdraw345", "sketch-rnn345"])
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    recogniser = load_recogniser()
    print("| model | products in | named right | ended | points | nats a point |\n|---|---|---|---|---|---|")
    for name in options.models:
        model = dataclasses.replace(load(name), name=name)
        measured(model, recogniser, options.each, options.seed)


if __name__ == "__main__":
    main()
