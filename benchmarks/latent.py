"""Draw the pictures of docs/latent.md, and print its table: `python benchmarks/latent.py [name] [folder]`.

Drawings are those of datasets/sample, or of Quick, Draw! files of the same categories (`--data`).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

import sketchgen
from sketchgen.completion.latent import LatentSpace
from sketchgen.formats.poster import contact_sheet
from sketchgen.formats.raster import image_bytes
from sketchgen.resources import bundled
from sketchgen.sketch.files import write_atomic
from sketchgen.sketch.sketch import Sketch

SHOWN = (
    *("cat", "smiley face", "house", "flower", "sun", "fish"),
    *("snowman", "lollipop", "star", "envelope", "ladder", "door"),
)
"""Categories of which a reconstruction is shown."""

PAIRS = (
    *(("cat", "pig"), ("sun", "flower"), ("smiley face", "clock")),
    *(("fish", "bird"), ("house", "castle"), ("snowman", "lollipop")),
)
"""Categories between which a way is shown."""

STEPS = 9
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
CELL = 104


def drawings(data: Path | None, each: int) -> list[Sketch]:
    """The first drawings of each category that is shown."""
    folder = data or bundled("datasets", "sample")
    files = [(name, folder / f"{name}.ndjson") for name in SHOWN]
    return [
        sketch.replaced(category=name)
        for name, path in files
        for sketch in islice(sketchgen.read_all(path), each)
    ]


def recognised(sketches: Sequence[Sketch], categories: Sequence[Sequence[str]]) -> float:
    """The share of drawings whose likeliest category is one of those named."""
    recogniser = sketchgen.load_recogniser()
    found = recogniser.read(sketches).log_prob.argmax(1)
    return float(
        np.mean([recogniser.categories[row] in names for row, names in zip(found, categories, strict=True)])
    )


def save(items: Sequence[Sketch], columns: int, path: Path) -> None:
    """Write a sheet without names."""
    write_atomic(path, image_bytes(contact_sheet(items, columns, CELL), "WEBP"), force=True)


def reconstructions(space: LatentSpace, originals: Sequence[Sketch], each: int, path: Path) -> None:
    """Draw one of each category beside its original, and print how many are recognised."""
    names = [[sketch.category or ""] for sketch in originals]
    found = [space.reconstruct(sketch, seed=1)[0] for sketch in originals]
    told = [space.reconstruct(sketch, seed=1, category=sketch.category)[0] for sketch in originals]
    rows = [
        ("original drawings", originals),
        ("reconstructed from the vector alone", found),
        ("reconstructed with the category, too", told),
    ]
    for words, sketches in rows:
        print(f"| {words} | {len(sketches)} | {recognised(sketches, names):.0%} |", flush=True)
    shown = [[many[row] for row in range(0, len(originals), each)] for many in (originals, found)]
    half = len(shown[0]) // 2
    save([*shown[0][:half], *shown[1][:half], *shown[0][half:], *shown[1][half:]], half, path)


def interpolations(space: LatentSpace, path: Path) -> None:
    """Draw the way between each pair, and print how many of the drawings in between are recognised."""
    strips = [space.interpolate(*pair, STEPS, seed=3) for pair in PAIRS]
    save([sketch for strip in strips for sketch in strip], STEPS, path)
    ends = [sketch for strip in strips for sketch in (strip[0], strip[-1])]
    names = [[name] for pair in PAIRS for name in pair]
    print(f"| ends of interpolations | {len(ends)} | {recognised(ends, names):.0%} |")
    middles = [sketch for strip in strips for sketch in strip[3:6]]
    either = [pair for pair in PAIRS for _ in range(3)]
    words = "middles of interpolations, as one or the other"
    print(f"| {words} | {len(middles)} | {recognised(middles, either):.0%} |", flush=True)


def main() -> None:
    """Write three pictures, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("checkpoint", nargs="?", help="name or folder; the bundled one without")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("--each", type=int, default=6, help="drawings of each category that are counted")
    parser.add_argument("--data", type=Path, help="folder of Quick, Draw! files; without, the bundled sample")
    options = parser.parse_args()
    began, folder = time.process_time(), options.folder
    folder.mkdir(exist_ok=True)
    space, originals = sketchgen.load_latent(options.checkpoint), drawings(options.data, options.each)
    print("| drawings | number | recognised |\n|---|---|---|")
    reconstructions(space, originals, options.each, folder / "latent-reconstructions.webp")
    interpolations(space, folder / "latent-interpolations.webp")
    rows = [[originals[0], *space.vary(originals[0], strength, STEPS - 1, seed=1)] for strength in STRENGTHS]
    save([sketch for row in rows for sketch in row], STEPS, folder / "latent-variations.webp")
    print(f"{time.process_time() - began:.0f} s of a processor")


if __name__ == "__main__":
    main()
