"""Make the drawings that the page shows before anybody has drawn.

    python benchmarks/page_drawings.py [FILE]

Writes web/drawings.json: partial drawings that come with sketchgen as the bundled model finishes them, for
the demonstration on empty paper, and drawings from nothing, for the wall of new ones. The seeds are fixed;
which of the alternatives are taken was decided by eye.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import sketchgen
from sketchgen.completion.completer import Completer
from sketchgen.formats.read_write import read
from sketchgen.resources import bundled
from sketchgen.sketch.sketch import Sketch
from sketchgen.web.exchange import PAGE, STARTERS, on_page

FINISHED = {
    "half-a-cat": 5,
    "face": 3,
    "car": 3,
    "apple: fruit": 2,
    "birthday cake: cake, icing": 1,
    "bus: body, windows": 2,
    "angel: head, dress, halo": 3,
}
"""Partial drawings, and which of six alternatives is shown."""

NEW = {
    **{"octopus": 1, "house": 1, "sailboat": 1, "butterfly": 2, "airplane": 2, "umbrella": 2, "fish": 1},
    **{"guitar": 1, "mushroom": 2, "castle": 0, "rabbit": 0, "ice cream": 1, "sun": 2, "cat": 2, "flower": 0},
    **{"bicycle": 1},
}
"""Categories, and which of three drawings is shown."""


def lists(sketch: Sketch) -> list[list[list[int]]]:
    """Return strokes as lists of whole px."""
    return [stroke.round().astype(int).tolist() for stroke in sketch.strokes]


def partial(name: str) -> tuple[Sketch, str]:
    """Return a starter, or a beginning of datasets/pages, on the page, and its category."""
    if name in STARTERS:
        return on_page(read(sketchgen.example(name))), STARTERS[name]
    for line in bundled("datasets", "pages", "beginnings.ndjson").read_text().splitlines():
        row = json.loads(line)
        if row["name"] == name:
            strokes = [list(zip(*stroke, strict=True)) for stroke in row["given"]]
            return on_page(Sketch.from_strokes(strokes)), row["category"]
    raise SystemExit(f"no partial drawing {name!r}")


def finished(model: Completer, name: str, which: int) -> dict[str, Any]:
    """Return a partial drawing and what the model adds to it."""
    sketch, category = partial(name)
    added = model.complete(sketch, category, 6, 0.3, seed=3, best_of=8)[which].added
    return {"category": category, "given": lists(sketch), "added": lists(added)}


def new(model: Completer, category: str, which: int) -> dict[str, Any]:
    """Return a drawing from nothing."""
    drawn = model.generate(category, 3, 0.25, seed=5, best_of=16, page=PAGE)[which]
    return {"category": category, "strokes": lists(drawn)}


def main(path: Path) -> None:
    """Draw them and write them down."""
    model = sketchgen.load()
    made = {
        "finished": [finished(model, name, which) for name, which in FINISHED.items()],
        "new": [new(model, category, which) for category, which in NEW.items()],
    }
    path.write_text(json.dumps(made, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("path", nargs="?", type=Path, default=Path("web/drawings.json"))
    main(parser.parse_args().path)
