"""Measure completions of the unfinished drawings: `python benchmarks/finishing.py [NAME ...] -o OUT`.

For each checkpoint (the bundled one without any): a line of the table for each kind of drawing on the screen,
and OUT/NAME.png with all drawings: first what is given, and in grey what is missing, then the completions,
each with `finished` or with what it lacks below. Figures are means over drawings with standard errors.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as images
from PIL.Image import Image

import sketchgen
from sketchgen.evaluation.finishing import Figures, measure
from sketchgen.evaluation.pages import completed, from_unfinished
from sketchgen.evaluation.statistics import mean
from sketchgen.evaluation.tables import percent, with_error
from sketchgen.evaluation.unfinished import KINDS, Item, unfinished
from sketchgen.formats.poster import contact_sheet
from sketchgen.formats.raster import save_png
from sketchgen.formats.svg_writer import Style
from sketchgen.sketch.sketch import Box, Completion, Sketch

SHARES = ("finished", "met", "covered", "in_region")
COLUMNS = dict.fromkeys(SHARES, percent) | {"chamfer": with_error}
CELL = 112
BLOCKS = 4
MISSING = Style(added_colour="#c4c4c4")


def shown(item: Item, added: Sketch) -> Completion:
    """A completion on a page that is the whole drawing's surroundings, whatever page it was drawn on."""
    box = item.whole.bounds
    if box is None:
        return Completion(item.given, added)
    side, (x, y) = 1.5 * box.longer, box.centre
    page = Box(x - side / 2, y - side / 2, side, side)
    return Completion(item.given.replaced(page=page), added.replaced(page=page))


def sheet(items: list[Item], made: list[list[Completion]], figures: list[list[Figures]]) -> Image:
    """All drawings in blocks side by side, one row an item."""
    rows = -(-len(items) // BLOCKS)
    blocks: list[Image] = []
    for first in range(0, len(items), rows):
        here = slice(first, first + rows)
        begun = [shown(item, item.missing) for item in items[here]]
        blocks.append(contact_sheet(begun, 1, CELL, [item.name for item in items[here]], MISSING))
        pairs = zip(items[here], made[here], strict=True)
        cells = [shown(item, completion.added) for item, row in pairs for completion in row]
        labels = [", ".join(each.lacks) or "finished" for row in figures[here] for each in row]
        blocks.append(contact_sheet(cells, len(made[first]), CELL, labels))
    result = images.new("RGBA", (sum(block.width for block in blocks), blocks[0].height), "white")
    left = 0
    for block in blocks:
        result.paste(block, (left, 0))
        left += block.width
    return result


def row(name: str, kind: str, figures: Sequence[Sequence[Figures]]) -> str:
    """A row of the table; each drawing counts the same."""
    cells = []
    for column, form in COLUMNS.items():
        values = [[getattr(each, column) for each in some] for some in figures]
        values = [np.mean(some) for some in values if None not in some]
        cells.append(form(mean(np.array(values, dtype=np.float64))))
    return f"| {kind} | {name} | {len(figures)} | {' | '.join(cells)} |"


def main() -> None:
    """Measure every checkpoint, print the table, draw the sheets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("checkpoints", nargs="*", default=[None], help="names or folders")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--temperature", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--closing", type=float, help="gap that is closed, px; the model's own without")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {key: getattr(options, key) for key in ("count", "temperature", "seed")}
    items = unfinished()
    print(f"| | model | drawings | {' | '.join(COLUMNS)} |\n{'|---' * (len(COLUMNS) + 3)}|")
    for checkpoint in options.checkpoints:
        model = sketchgen.load(checkpoint)
        if options.closing is not None:
            model = model.closing_within(options.closing)
        name = Path(model.name).name
        made = [completed(model, from_unfinished(item), "told", best_of=1, **settings) for item in items]
        figures = [[measure(item, each) for each in some] for item, some in zip(items, made, strict=True)]
        for kind in KINDS:
            some = [each for item, each in zip(items, figures, strict=True) if item.kind == kind]
            print(row(name, kind, some), flush=True)
        print(row(name, "all", figures), flush=True)
        save_png(sheet(items, made, figures), options.out / f"{name}.png", force=True)


if __name__ == "__main__":
    main()
