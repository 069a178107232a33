"""How much shorter a plotter's way with the pen up becomes: python benchmarks/plotting.py."""

from __future__ import annotations

import io
import itertools
import time

import vpype
import vpype_cli

from sketchgen.formats.page import Page
from sketchgen.formats.plotter import Plan, Travel, plot_pages
from sketchgen.formats.read_write import read_all
from sketchgen.resources import bundled

MM = 25.4 / 96
EACH = 60
"""Drawings of each of the sample's categories."""


def by_vpype(svg: str, command: str) -> float:
    """The way with the pen up, in mm, after vpype has sorted the lines."""
    document = vpype.read_multilayer_svg(io.StringIO(svg), 0.1)
    return vpype_cli.execute(f"linemerge -t 0.05mm {command}", document).pen_up_length() * MM


def main() -> None:
    """Print a row for each number of drawings on A3."""
    paths = sorted(bundled("datasets", "sample").glob("*.ndjson"))
    drawings = [sketch for path in paths for sketch in itertools.islice(read_all(path), EACH)]
    print("drawings pages strokes drawn_mm up_before_mm up_after_mm seconds linesort_mm two_opt_mm")
    for count in (1, 12, 96, 960):
        items = drawings[:: len(drawings) // count][:count]
        cell = 20.0 if count == 960 else None
        begin = time.perf_counter()
        plots = list(plot_pages(items, Page.parse("a3"), Plan(cell=cell)))
        seconds = time.perf_counter() - begin
        total = sum((plot.travel for plot in plots), Travel())
        plain = list(plot_pages(items, Page.parse("a3"), Plan(cell=cell, join=None, sort=False)))
        theirs = [
            sum(by_vpype(plot.svg, how) for plot in plain) for how in ("linesort", "linesort --two-opt")
        ]
        figures = (total.drawn, total.up_before, total.up_after)
        print(count, len(plots), total.strokes_after, *(f"{figure:.0f}" for figure in figures), end=" ")
        print(f"{seconds:.1f}", *(f"{figure:.0f}" for figure in theirs))


if __name__ == "__main__":
    main()
