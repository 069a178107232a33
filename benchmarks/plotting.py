"""Measure how much pen-up travel sorting saves a plotter: `python benchmarks/plotting.py`."""

from __future__ import annotations

import argparse
import io
import itertools
import time

import vpype
import vpype_cli

from sketchgen.formats.page import Page
from sketchgen.formats.plotter import plot_pages
from sketchgen.formats.read_write import read_all
from sketchgen.resources import bundled

MM = 25.4 / 96
EACH = 60
"""Drawings of each of the sample's categories."""


def measured(svg: str, command: str = "") -> tuple[int, float, float]:
    """Number of strokes, and lengths with the pen down and up, mm, as vpype counts them after a command."""
    document = vpype.read_multilayer_svg(io.StringIO(svg), 0.1)
    if command:
        document = vpype_cli.execute(f"linemerge -t 0.05mm {command}", document)
    strokes = sum(len(layer) for layer in document.layers.values())
    return strokes, document.length() * MM, document.pen_up_length() * MM


def main() -> None:
    """Print a row for each number of drawings on A3."""
    paths = sorted(bundled("datasets", "sample").glob("*.ndjson"))
    drawings = [sketch for path in paths for sketch in itertools.islice(read_all(path), EACH)]
    print("drawings pages strokes drawn_mm up_before_mm up_after_mm seconds linesort_mm two_opt_mm")
    for count in (1, 12, 96, 960):
        items = drawings[:: len(drawings) // count][:count]
        cell = 20.0 if count == 960 else None
        begin = time.perf_counter()
        pages = list(plot_pages(items, Page.parse("a3"), cell=cell))
        seconds = time.perf_counter() - begin
        plain = list(plot_pages(items, Page.parse("a3"), cell=cell, ordered=False))
        strokes, drawn, after = (sum(column) for column in zip(*map(measured, pages), strict=True))
        before, linesort, two_opt = (
            sum(measured(page, how)[2] for page in plain) for how in ("", "linesort", "linesort --two-opt")
        )
        print(count, len(pages), strokes, f"{drawn:.0f} {before:.0f} {after:.0f} {seconds:.1f}", end=" ")
        print(f"{linesort:.0f} {two_opt:.0f}")


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
