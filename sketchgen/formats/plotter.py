"""Drawings for pen plotters: pages in real units, given and added strokes as layers, short ways pen up.

The files are SVG as Inkscape has it. Layers are numbered, as vpype and AxiDraw's programs count them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sketchgen.errors import SettingError
from sketchgen.formats.curves import curved
from sketchgen.formats.layout import Grid, grid_on
from sketchgen.formats.stroke_order import drawn_length, joined, ordered, travel
from sketchgen.formats.svg_writer import Style, number, parts, plain, visible_box
from sketchgen.formats.units import Page
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch

DIGITS = 4
"""Decimals of a coordinate in mm: a tenth of a micrometre, far below what a plotter can do."""

CHORD = 0.02
"""How far the short lines of a curve may stray from it, in mm."""

MAX_JOIN = 5.0
"""Largest distance, in mm, over which ends are joined."""

Layers = tuple[tuple[Points, ...], ...]
"""The strokes of each layer, in mm on the page."""


@dataclass(frozen=True)
class Plan:
    """How drawings are put on paper.

    Attributes:
        pen: width of the pen's line, in mm.
        columns: drawings in a row; None for as many as fit.
        cell: side of a drawing's cell, in mm; None for as large as possible, see `grid_on`.
        gap: between cells, in mm.
        join: ends of strokes that lie this near to each other, in mm, are joined; None joins none.
        sort: whether strokes are put in an order, and turned, so that the pen travels less.
        crop: whether what was drawn fills a cell, and not the page that it was drawn on.

    Raises:
        SettingError: a number outside its limits.
    """

    pen: float = 0.3
    columns: int | None = None
    cell: float | None = None
    gap: float = 5.0
    join: float | None = 0.05
    sort: bool = True
    crop: bool = False

    def __post_init__(self) -> None:
        """Check what can be checked without a page."""
        if self.join is not None and not 0 <= self.join <= MAX_JOIN:
            raise SettingError(f"join is {self.join:g} mm; it must be from 0 to {MAX_JOIN:g} mm")


@dataclass(frozen=True)
class Travel:
    """What a plotter has to do for a page.

    Ways are counted within each layer, as vpype does: not from and to the corner where the pen rests.

    Attributes:
        drawn: way with the pen down, in mm.
        up_before, up_after: way with the pen up, in mm, as the strokes were drawn and as they are plotted.
        strokes_before, strokes_after: how often the pen comes down.
    """

    drawn: float = 0.0
    up_before: float = 0.0
    up_after: float = 0.0
    strokes_before: int = 0
    strokes_after: int = 0

    def __add__(self, other: Travel) -> Travel:
        """Both together."""
        return Travel(
            self.drawn + other.drawn,
            self.up_before + other.up_before,
            self.up_after + other.up_after,
            self.strokes_before + other.strokes_before,
            self.strokes_after + other.strokes_after,
        )


@dataclass(frozen=True)
class Plot:
    """A page for a plotter.

    Attributes:
        svg: the text of the file.
        layers: names of the layers, in order.
        drawings: how many stand on the page.
        travel: what the plotter has to do.
    """

    svg: str
    layers: tuple[str, ...]
    drawings: int
    travel: Travel


def plot_svg(
    items: Sequence[Sketch | Completion],
    page: Page | None = None,
    plan: Plan | None = None,
    style: Style | None = None,
) -> list[Plot]:
    """Drawings on pages for a plotter, in a grid; one drawing alone has the page between its margins.

    Each drawing is made as large as its cell lets it be. Where it has a page of its own, that is what fits
    into the cell (with whatever was drawn beyond it), so that it stands where it stood.

    Args:
        items: drawings and completions; none gives one empty page.
        page: the paper; A4 upright where left out.
        plan: pen, grid and order.
        style: the two colours, and how smooth lines are; curves come as short lines. A pen's line is even.

    Raises:
        SettingError: pen or cells that do not fit the page, or another number outside its limits.
    """
    return list(plot_pages(items, page, plan, style))


def plot_pages(
    items: Sequence[Sketch | Completion],
    page: Page | None = None,
    plan: Plan | None = None,
    style: Style | None = None,
) -> Iterator[Plot]:
    """The same, a page at a time: for so many drawings that not all pages should be held at once.

    Raises:
        SettingError: as `plot_svg`, from the call itself.
    """
    page, plan, style = page or Page(), plan or Plan(), style or Style()
    page.check_pen(plan.pen)
    grid = grid_on(page, len(items), columns=plan.columns, cell=plan.cell, gap=plan.gap)
    starts = range(0, max(1, len(items)), grid.room)
    return (_plot(items[at : at + grid.room], page, grid, plan, style) for at in starts)


def _plot(items: Sequence[Sketch | Completion], page: Page, grid: Grid, plan: Plan, style: Style) -> Plot:
    """One page."""
    both = any(isinstance(item, Completion) for item in items)
    names, colours = ("1 given", "2 added"), (style.given_colour, style.added_colour)
    layers: tuple[list[Points], ...] = ([], [])
    for index, item in enumerate(items):
        for layer, strokes in zip(layers, _placed(item, grid.place(index), plan, style), strict=True):
            layer += strokes
    if not both:
        names, colours, layers = ("1 drawing",), colours[:1], layers[:1]
    plotted, sums = [], Travel()
    for layer in layers:
        strokes, counted = _in_order(layer, plan)
        plotted.append(strokes)
        sums += counted
    category = parts(items[0])[0].category if len(items) == 1 else None
    svg = _document(page, zip(names, colours, plotted, strict=True), plan.pen, category)
    return Plot(svg, names, len(items), sums)


def _placed(
    item: Sketch | Completion, cell: Box, plan: Plan, style: Style
) -> tuple[list[Points], list[Points]]:
    """The given and the added strokes of a drawing in its cell, in mm on the page."""
    box = _extent(item, plan, style)
    scale = min(cell.width / box.width, cell.height / box.height)
    shift = np.array(cell.centre) - np.array(box.centre) * scale

    def placed(sketch: Sketch | None) -> list[Points]:
        strokes = sketch.strokes if sketch is not None else ()
        return [
            np.round(curved(stroke * scale + shift, style.smooth, CHORD), DIGITS) + 0.0 for stroke in strokes
        ]

    given, added = parts(item)
    return placed(given), placed(added)


def _extent(item: Sketch | Completion, plan: Plan, style: Style) -> Box:
    """All that was drawn, and the drawing's page where it is known and counts."""
    whole = item.whole if isinstance(item, Completion) else item
    ink = whole.bounds
    if ink is not None and plan.crop:
        return visible_box(Sketch(whole.strokes), replace(style, margin=0.0))
    page = visible_box(item, replace(style, margin=0.0))
    if ink is None:
        return page
    x, y = min(page.x, ink.x), min(page.y, ink.y)
    right, bottom = (
        max(page.x + page.width, ink.x + ink.width),
        max(page.y + page.height, ink.y + ink.height),
    )
    return Box(x, y, right - x, bottom - y)


def _in_order(strokes: list[Points], plan: Plan) -> tuple[list[Points], Travel]:
    """The strokes of a layer as they are plotted, and what that takes."""
    found = strokes if plan.join is None else joined(strokes, plan.join)
    found = ordered(found) if plan.sort else found
    counted = Travel(drawn_length(found), travel(strokes), travel(found), len(strokes), len(found))
    return found, counted


def _document(page: Page, layers: Any, pen: float, category: str | None) -> str:
    """The text of an SVG in mm; layers are (name, colour, strokes)."""
    import svgwrite
    from svgwrite.extensions import Inkscape

    size = f"{number(page.width)}mm", f"{number(page.height)}mm"
    view = f"0 0 {number(page.width)} {number(page.height)}"
    drawing = svgwrite.Drawing(size=size, viewBox=view, debug=False)
    inkscape = Inkscape(drawing)
    for name, colour, strokes in layers:
        pen_of = {"fill": "none", "stroke": colour, "stroke_width": number(pen)}
        layer = inkscape.layer(
            label=name, id=f"layer{name[0]}", **pen_of, stroke_linecap="round", stroke_linejoin="round"
        )
        for stroke in strokes:
            # A dot as two equal points: plotters, and vpype, leave out a path of one.
            points = stroke if len(stroke) > 1 else stroke[[0, 0]]
            layer.add(drawing.polyline(points=[(number(x), number(y)) for x, y in points.tolist()]))
        drawing.add(layer)
    if category is not None:
        drawing.attribs["data-category"] = plain(category)
    return drawing.tostring() + "\n"
