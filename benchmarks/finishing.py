"""Measure completions of the unfinished drawings: `python benchmarks/finishing.py [NAME ...] -o OUT`.

For each checkpoint (the bundled one without any): the figures as OUT/NAME.json, a line of the table for each
kind of drawing on the screen, and OUT/NAME.png with all drawings: first what is given, and in grey what is
missing, then the completions, each with `finished` or with what it lacks below.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image as images
from PIL.Image import Image

import sketchgen
from sketchgen.evaluation.finishing import completions, finishing
from sketchgen.evaluation.unfinished import Item, unfinished
from sketchgen.formats.poster import contact_sheet
from sketchgen.formats.raster import save_png
from sketchgen.formats.svg_writer import Style
from sketchgen.sketch.files import write_atomic
from sketchgen.sketch.sketch import Box, Completion, Sketch

COLUMNS = {
    "finished": "finished",
    "met": "ends met",
    "covered": "covered",
    "in_region": "in place",
    "chamfer": "chamfer px",
    "ratio": "ink ratio",
    "retraced": "retraced",
    "outside": "outside",
    "ended": "ended",
    "before": "p before",
    "after": "p after",
}
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


def sheet(items: Sequence[Item], made: Sequence[Sequence[Completion]], entries: dict[str, Any]) -> Image:
    """All drawings in blocks side by side, one row an item."""
    rows = -(-len(items) // BLOCKS)
    blocks: list[Image] = []
    for first in range(0, len(items), rows):
        some = items[first : first + rows]
        ways = made[first : first + rows]
        begun = [shown(item, item.missing) for item in some]
        blocks.append(contact_sheet(begun, 1, CELL, [item.name for item in some], MISSING))
        cells = [
            shown(item, completion.added) for item, row in zip(some, ways, strict=True) for completion in row
        ]
        labels = [
            "finished" if figures["finished"] else ", ".join(figures["lacks"])
            for item in some
            for figures in entries[item.name]["completions"]
        ]
        blocks.append(contact_sheet(cells, len(ways[0]), CELL, labels))
    result = images.new("RGBA", (sum(block.width for block in blocks), blocks[0].height), "white")
    left = 0
    for block in blocks:
        result.paste(block, (left, 0))
        left += block.width
    return result


def table(results: dict[str, dict[str, Any]]) -> str:
    """The figures by kind and model, mean and standard error over items."""
    kinds = list(dict.fromkeys(kind for result in results.values() for kind in result["by_kind"]))
    lines = ["| | model | items | " + " | ".join(COLUMNS.values()) + " |", "|" + "---|" * (len(COLUMNS) + 3)]
    for kind in [*kinds, "overall"]:
        for name, result in results.items():
            summary = result["overall"] if kind == "overall" else result["by_kind"][kind]
            cells = [_cell(summary.get(key), key) for key in COLUMNS]
            lines.append(f"| {kind} | {name} | {summary['items']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(figure: dict[str, float] | None, key: str) -> str:
    """One figure; shares in percent."""
    if figure is None:
        return ""
    mean, error = figure["mean"], figure["standard_error"]
    if key in ("chamfer", "ratio"):
        return f"{mean:.2f} ± {error:.2f}"
    return f"{100 * mean:.1f} ± {100 * error:.1f}"


def recogniser(wanted: bool) -> Any:
    """What judges the category, if asked for."""
    if not wanted:
        return None
    from importlib import import_module

    return import_module("sketchgen.models.recogniser").load_recogniser()


def main() -> None:
    """Measure every checkpoint, print the table, write figures and sheets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("checkpoints", nargs="*", default=[None], help="names or folders")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--temperature", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--closing", type=float, help="gap that is closed, px; the model's own without")
    parser.add_argument("--judge", action="store_true", help="ask the recogniser for the category, too")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    settings = {key: getattr(arguments, key) for key in ("count", "temperature", "seed")}
    items, judge = unfinished(), recogniser(arguments.judge)
    results: dict[str, dict[str, Any]] = {}
    for checkpoint in arguments.checkpoints:
        model = sketchgen.load(checkpoint)
        if arguments.closing is not None:
            model = model.closing_within(arguments.closing)
        name = Path(model.name).name
        name = name if name not in results else f"{name}-{len(results)}"
        made = [completions(model, item, **settings) for item in items]
        results[name] = finishing(model, items, **settings, judge=judge, made=made)
        text = json.dumps(results[name], indent=1, ensure_ascii=False) + "\n"
        write_atomic(arguments.out / f"{name}.json", text.encode(), force=True)
        picture = sheet(items, made, results[name]["items"])
        save_png(picture, arguments.out / f"{name}.png", force=True)
    print(table(results))


if __name__ == "__main__":
    main()
