"""Pages for pen plotters: real units, a layer for each pen, short travel with the pen up.

The files are SVG with Inkscape's layers, numbered as vpype and AxiDraw's programs count them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sketchgen.errors import SettingError
from sketchgen.formats.curves import flatten
from sketchgen.formats.page import Grid, Page, page_grid
from sketchgen.formats.stroke_order import join_strokes, sort_strokes
from sketchgen.formats.svg_writer import (
    Style,
    curve_px,
    new_document,
    number,
    parts,
    svg_text,
    visible_box,
    xml_text,
)
from sketchgen.sketch.sketch import Box, Completion, Item, Points, Sketch

DIGITS = 4
"""Decimals of a coordinate, mm: a tenth of a micrometre, far below what a plotter can do."""

CHORD = 0.02
"""Maximum distance of a flattened curve from the curve, mm."""

MAX_JOIN = 5.0
"""Maximum distance over which ends can be joined, mm."""


@dataclass(frozen=True)
class Plan:
    """Pen, grid and stroke order of a plot.

    Attributes:
        pen: width of the pen's line, mm.
        columns: drawings in a row; None for as many as fit.
        cell: side of a cell, mm; None for as large as possible, see `page_grid`.
        gap: between cells, mm.
        join: maximum distance of ends that are joined, mm; None joins none.
        sort: whether strokes are sorted, and reversed, to shorten the travel with the pen up.
        crop: whether the strokes fill the cell, rather than the drawing's page.

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


def plot_pages(
    items: Sequence[Item],
    page: Page | None = None,
    plan: Plan | None = None,
    style: Style | None = None,
) -> Iterator[str]:
    """Yield the pages of a plot as the texts of SVG files.

    The drawings are in a grid; a single one fills the page. Given and added strokes are on the layers
    "1 given" and "2 added"; drawings without two parts are on one layer, "1 drawing".

    Each drawing is as large as its cell allows. If it has a page of its own, that page (and strokes beyond
    it) is fitted into the cell, so that the drawing keeps its place.

    Args:
        items: drawings and completions; none gives one empty page.
        page: the paper; by default A4 portrait.
        plan: pen, grid and order.
        style: the two colours, and whether lines are smooth; curves become short lines of one width.

    Raises:
        SettingError: pen or cells that do not fit the page, or another number outside its limits; from the
            call itself.
    """
    page, plan, style = page or Page(), plan or Plan(), style or Style()
    page.check_pen(plan.pen)
    grid = page_grid(page, len(items), columns=plan.columns, cell=plan.cell, gap=plan.gap)
    starts = range(0, max(1, len(items)), grid.room)
    return (_plot(items[at : at + grid.room], page, grid, plan, style) for at in starts)


def _plot(items: Sequence[Item], page: Page, grid: Grid, plan: Plan, style: Style) -> str:
    """Return one page."""
    layers: dict[str, list[Points]] = {"1 given": [], "2 added": []}
    for index, item in enumerate(items):
        placed = _placed(item, grid.place(index), plan, style)
        for layer, strokes in zip(layers.values(), placed, strict=True):
            layer += strokes
    if not any(isinstance(item, Completion) for item in items):
        layers = {"1 drawing": layers["1 given"]}
    category = parts(items[0])[0].category if len(items) == 1 else None
    return _document(page, layers, (style.given_colour, style.added_colour), plan, category)


def _placed(item: Item, cell: Box, plan: Plan, style: Style) -> tuple[list[Points], list[Points]]:
    """Return the given and the added strokes of a drawing in its cell, mm on the page."""
    box = _extent(item, plan, style)
    scale = min(cell.width / box.width, cell.height / box.height)
    shift = np.array(cell.centre) - np.array(box.centre) * scale
    px = curve_px(item, style) * scale

    def placed(sketch: Sketch | None) -> list[Points]:
        strokes = sketch.strokes if sketch is not None else ()
        return [np.round(flatten(stroke * scale + shift, px, CHORD), DIGITS) + 0.0 for stroke in strokes]

    given, added = parts(item)
    return placed(given), placed(added)


def _extent(item: Item, plan: Plan, style: Style) -> Box:
    """Return the box of a drawing that fills its cell: its strokes and, unless cropped, its page."""
    whole = item.whole if isinstance(item, Completion) else item
    ink = whole.bounds
    if ink is not None and plan.crop:
        return visible_box(Sketch(whole.strokes), replace(style, margin=0.0))
    page = visible_box(item, replace(style, margin=0.0))
    if ink is None:
        return page
    x, y = min(page.x, ink.x), min(page.y, ink.y)
    right = max(page.x + page.width, ink.x + ink.width)
    bottom = max(page.y + page.height, ink.y + ink.height)
    return Box(x, y, right - x, bottom - y)


def _in_order(strokes: list[Points], plan: Plan) -> list[Points]:
    """Return the strokes of a layer as they are plotted."""
    joined = strokes if plan.join is None else join_strokes(strokes, plan.join)
    return sort_strokes(joined) if plan.sort else joined


def _document(
    page: Page, layers: dict[str, list[Points]], colours: Sequence[str], plan: Plan, category: str | None
) -> str:
    """Return the text of an SVG file in mm, with strokes by the name of their layer."""
    from svgwrite.extensions import Inkscape

    width, height = number(page.width), number(page.height)
    drawing = new_document((f"{width}mm", f"{height}mm"), f"0 0 {width} {height}")
    inkscape = Inkscape(drawing)
    for (name, strokes), colour in zip(layers.items(), colours, strict=False):
        pen_style: dict[str, Any] = {"fill": "none", "stroke": colour, "stroke_width": number(plan.pen)}
        pen_style |= {"stroke_linecap": "round", "stroke_linejoin": "round"}
        layer = inkscape.layer(label=name, id=f"layer{name[0]}", **pen_style)
        for stroke in _in_order(strokes, plan):
            # A dot as two equal points: plotters, and vpype, leave out a path of one.
            points = stroke if len(stroke) > 1 else stroke[[0, 0]]
            layer.add(drawing.polyline(points=[(number(x), number(y)) for x, y in points.tolist()]))
        drawing.add(layer)
    if category is not None:
        drawing.attribs["data-category"] = xml_text(category)
    return svg_text(drawing)
