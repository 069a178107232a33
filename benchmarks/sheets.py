"""Draw sheets of 64 completions and of 64 drawings from nothing, a category each, to be looked at.

    python benchmarks/sheets.py STORE --out sheets/ [--model NAME] [--categories cat face]

Completed are up to eight held-out drawings of the store, eight times each, given to the end of the stroke
that is nearest to two fifths of its points; the category is told. Both are best of four at temperature 0.3.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import sketchgen
from sketchgen.data.splitting import CutSketch, cut_after
from sketchgen.data.store import Store
from sketchgen.formats.poster import contact_sheet
from sketchgen.sketch.sketch import Sketch

SIDE, SHARE, TEMPERATURE, BEST_OF = 8, 0.4, 0.3, 4
CATEGORIES = ["The Mona Lisa", "pineapple", "octopus", "flower", "house", "bicycle", "cat", "face"]


def begun(sketch: Sketch) -> CutSketch:
    """Return a drawing cut at a stroke's end; one of a single stroke is cut within it."""
    ends = np.cumsum([len(stroke) for stroke in sketch.strokes])
    inner = ends[:-1] if len(ends) > 1 else np.array([round(SHARE * sketch.point_count)])
    return cut_after(sketch, int(inner[np.abs(inner - SHARE * sketch.point_count).argmin()]))


def main() -> None:
    """Draw the sheets that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model")
    parser.add_argument("--categories", nargs="+", default=CATEGORIES)
    asked = parser.parse_args()
    store, model = Store.open(asked.store), sketchgen.load(asked.model)
    held_out = store.split("valid").drawings(10**9)
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.categories:
        rows = np.flatnonzero(held_out.category == store.categories.index(name))[:SIDE]
        cells = [
            completion
            for row in rows.tolist()
            for completion in model.complete(
                begun(held_out.sketch(row)).given, name, SIDE, TEMPERATURE, 0, best_of=BEST_OF
            )
        ]
        drawn = model.generate(name, SIDE * SIDE, TEMPERATURE, 0, best_of=BEST_OF)
        for kind, some in (("completed", cells), ("from nothing", drawn)):
            path = asked.out / f"{name}, {kind}.png"
            contact_sheet(some, SIDE, 110, None).save(path)
            print(f"{path}: {len(some)} drawings", flush=True)


if __name__ == "__main__":
    main()
