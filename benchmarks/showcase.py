"""Draw the pictures of the README: `python benchmarks/showcase.py [checkpoint] [folder]`.

completions.png: the bundled beginnings, each with alternatives, each the best of four. sizes.png: one
beginning at six sizes on a page. categories.png: drawings from nothing, twelve categories.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import sketchgen
from sketchgen.formats.poster import contact_sheet
from sketchgen.formats.raster import save_png
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Completion, Sketch

BEGINNINGS = {
    "half-a-cat": "cat",
    "pineapple": "pineapple",
    "mona-lisa": "The Mona Lisa",
    "face": "face",
    "car": "car",
}
CATEGORIES = (
    *("cat", "pineapple", "The Mona Lisa", "face", "car", "bird"),
    *("bicycle", "flower", "house", "octopus", "sun", "The Eiffel Tower"),
)
SIZES = (0.08, 0.15, 0.3, 0.5, 0.75, 1.0)
PAGE = Box(0, 0, 640, 480)


BEST_OF = 16
"""Candidates of each alternative, as of README's first command."""


def completions(model: sketchgen.Completer, columns: int = 7) -> tuple[list[Sketch | Completion], list[str]]:
    """One row a beginning: what is given, then the alternatives."""
    cells: list[Sketch | Completion] = []
    labels: list[str] = []
    for name, category in BEGINNINGS.items():
        sketch = sketchgen.read(sketchgen.example(name))
        cells.append(Completion(sketch, Sketch(page=sketch.page)))
        cells += model.complete(sketch, category, columns - 1, temperature=0.5, seed=2, best_of=BEST_OF)
        labels += [category] + [""] * (columns - 1)
    return cells, labels


def sizes(model: sketchgen.Completer) -> list[Sketch | Completion]:
    """The same beginning drawn at six sizes towards the corner of one page, three alternatives each."""
    head = sketchgen.read(sketchgen.example("half-a-cat"))
    cells: list[Sketch | Completion] = []
    for size in SIZES:
        small = moved(head, size).replaced(page=PAGE)
        cells += model.complete(small, "cat", count=3, temperature=0.3, seed=2)
    return cells


def main() -> None:
    """Write the three pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("checkpoint", nargs="?", help="name or folder; the bundled one without")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"))
    options = parser.parse_args()
    model, folder = sketchgen.load(options.checkpoint), options.folder
    folder.mkdir(exist_ok=True)
    cells, labels = completions(model)
    save_png(contact_sheet(cells, 7, 160, labels), folder / "completions.png", force=True)
    save_png(contact_sheet(sizes(model), 6, 200), folder / "sizes.png", force=True)
    drawn: list[Sketch | Completion] = []
    for category in CATEGORIES:
        drawn += model.generate(category, count=8, temperature=0.5, seed=1)
    names = [name if column == 0 else "" for name in CATEGORIES for column in range(8)]
    save_png(contact_sheet(drawn, 8, 130, names), folder / "categories.png", force=True)


if __name__ == "__main__":
    main()
