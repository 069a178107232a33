"""Measure flaws of completions on a page: `python benchmarks/flaws.py STORE [NAME|FOLDER] [--drawings N]`.

Of validation drawings some strokes are given, the first ones or all but some in a row, at a random size and
place of a page of 640 x 480 on which the whole fits. They are completed as on the page (four of 32, the
category known). A line for each flaw (`sketchgen.ranking.geometry_prior.FLAWS`): how often the first and the
four shown have it, and the person's own completion; at last how often they finish the drawing.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

import sketchgen
from sketchgen.data.splitting import CutSketch, hold_out
from sketchgen.data.store import Store
from sketchgen.evaluation.finishing import measure
from sketchgen.evaluation.unfinished import Item
from sketchgen.ranking.geometry_prior import FLAWS, WEIGHTS, measures
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Completion, Sketch

PAGE = Box(0.0, 0.0, 640.0, 480.0)
MARGIN = 8.0


def on_page(sketch: Sketch, random: np.random.Generator) -> Sketch:
    """The drawing on the page, its longer side 40 to 95 % of the page's shorter one."""
    scale = random.uniform(0.4, 0.95) * PAGE.height / 255.0
    box = sketch.bounds
    assert box is not None
    x, y = (
        random.uniform(MARGIN, size - MARGIN - extent * scale) - low * scale
        for size, extent, low in ((PAGE.width, box.width, box.x), (PAGE.height, box.height, box.y))
    )
    return moved(sketch, scale, x, y).replaced(page=PAGE)


def beginnings(store: str, count: int) -> Iterator[CutSketch]:
    """Validation drawings of 3 to 25 strokes that were begun."""
    drawings, random = Store.open(store).split("valid").drawings(), np.random.default_rng(1)
    for index in random.permutation(len(drawings)):
        sketch = drawings.sketch(int(index))
        strokes = len(sketch.strokes)
        if not 3 <= strokes <= 25 or not count:
            continue
        first = int(random.integers(1, strokes))
        last = (
            strokes if random.random() < 0.5 else min(strokes, first + 1 + int(random.integers(strokes // 2)))
        )
        missing = (np.arange(strokes) >= first) & (np.arange(strokes) < last)
        count -= 1
        yield hold_out(on_page(sketch, random), missing)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", help="folder of a prepared store; its validation split is used")
    parser.add_argument("model", nargs="?", help="name or folder; the bundled one without")
    parser.add_argument("--drawings", type=int, default=200)
    options = parser.parse_args()
    model, found = sketchgen.load(options.model), defaultdict(list)
    for seed, cut in enumerate(beginnings(options.store, options.drawings)):
        name = cut.given.category
        shown = model.complete(cut.given, name, 4, 0.4, seed, best_of=8)
        measured = measures([*shown, Completion(cut.given, cut.rest)], [name] * 5)
        for flaw, limit in FLAWS.items():
            has = measured[:, list(WEIGHTS).index(flaw)] > limit
            found[flaw].append((has[0], has[:4].mean(), has[4]))
        item = Item("", str(name), "part", cut.given, cut.rest)
        finished = [measure(item, each).finished for each in shown]
        found["finished"].append((finished[0], np.mean(finished), True))
    print("| | the first, % | the four shown, % | people, % |", "|---|---|---|---|", sep="\n")
    for name, rows in found.items():
        cells = (f"{100 * part.mean():.1f}" for part in np.array(rows, dtype=float).T)
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
