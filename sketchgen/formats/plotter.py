"""Pages for pen plotters: real units, a layer for each pen, short travel with the pen up.

The files are SVG with Inkscape's layers, numbered as vpype and AxiDraw's programs count them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sketchgen.errors import SettingError
from sketchgen.formats.curves import flatten
from sketchgen.formats.page import Page, length_mm, page_grid
from sketchgen.formats.render_options import RenderOptions
from sketchgen.formats.stroke_order import join_strokes, sort_strokes
from sketchgen.formats.svg_writer import (
    Style,
    curve_px,
    layer_names,
    new_document,
    number,
    parts,
    svg_text,
    visible_box,
    xml_text,
)
from sketchgen.sketch.sketch import Box, Completion, Item, Points, Sketch, whole_of

PEN = 0.3
"""Default width of the pen's line, mm."""

DIGITS = 4
"""Decimals of a coordinate, mm: a tenth of a micrometre, far below what a plotter can do."""

CHORD = 0.02
"""Maximum distance of a flattened curve from the curve, mm."""

JOIN = 0.05
"""Maximum distance of ends that are joined, mm."""


def plot_pages(
    items: Sequence[Item],
    page: Page | None = None,
    *,
    pen: float = PEN,
    columns: int | None = None,
    cell: float | None = None,
    crop: bool = False,
    ordered: bool = True,
    style: Style | None = None,
) -> Iterator[str]:
    """Yield the pages of a plot as the texts of SVG files.

    The drawings are in a grid; a single one fills the page. Given and added strokes are on the layers
    "1 given" and "2 added", or those of the file that the given ones come from and one behind them; drawings
    without two parts are on one layer, "1 drawing".

    Each drawing is as large as its cell allows. If it has a page of its own, that page (and strokes beyond
    it) is fitted into the cell, so that the drawing keeps its place.

    Args:
        items: drawings and completions; none gives one empty page.
        page: the paper; by default A4 portrait.
        pen: width of the pen's line, mm.
        columns: drawings in a row; None for as many as fit.
        cell: side of a cell, mm; None for as large as possible.
        crop: whether the strokes fill the cell, rather than the drawing's page.
        ordered: whether strokes are joined, sorted and reversed to shorten the travel with the pen up.
        style: the two colours, and whether lines are smooth; curves become short lines of one width.

    Raises:
        SettingError: pen, columns or cells that do not fit the page; from the call itself.
    """
    page, style = page or Page(), style or Style()
    most = min(page.room_width, page.room_height)
    if not 0 < pen <= most:
        raise SettingError(f"the pen is {pen:g} mm wide; it must be above 0 and at most {most:g} mm here")
    grid = page_grid(page, len(items), columns=columns, cell=cell)

    def plotted(shown: Sequence[Item]) -> str:
        completed = any(isinstance(item, Completion) for item in shown)
        layers: dict[str, list[Points]] = {}
        added_layers: dict[str, list[Points]] = {}
        colours: dict[str, str] = {}
        for index, item in enumerate(shown or [Sketch()]):
            given, added = map(_placing(item, grid.place(index), style, crop), parts(item))
            names, last = layer_names(parts(item)[0])
            for name, (count, colour) in zip(names, _pens(item, style), strict=True):
                name = "1 drawing" if name == "1 given" and not completed else name
                layers.setdefault(name, []).extend(given[:count])
                colours.setdefault(name, colour)
                given = given[count:]
            if completed:
                added_layers.setdefault(last, []).extend(added)
                colours[last] = style.added_colour
        layers |= added_layers
        if ordered:
            layers = {name: sort_strokes(join_strokes(some, JOIN)) for name, some in layers.items()}
        category = parts(shown[0])[0].category if len(shown) == 1 else None
        return _document(page, layers, [colours[name] for name in layers], pen, category)

    starts = range(0, max(1, len(items)), grid.room)
    return (plotted(items[at : at + grid.room]) for at in starts)


def own_page(item: Item, margin: str | None = None) -> Page | None:
    """Return the paper that the given strokes come from, without margins if none are named; None if unknown.

    On it a drawing keeps its size and place.
    """
    sheet = parts(item)[0].sheet
    if sheet is None or sheet.size is None:
        return None
    return Page.parse("x".join(sheet.size), margin or 0.0)


def page_and_pen(items: Sequence[Item], options: RenderOptions) -> tuple[Page, float]:
    """Return the page that is asked for, or that a single drawing comes from, and the pen's width, mm."""
    page = own_page(items[0], options.margin) if len(items) == 1 and options.page is None else None
    pen = PEN if options.pen is None else length_mm(options.pen, "pen-width")
    return page or options.paper, pen


def stroke_pages(
    given: Sketch, added: Iterable[Points], page: Page, pen: float = PEN, style: Style | None = None
) -> Iterator[str]:
    """Yield a plot's page in pieces, SVG files of the same page: the given strokes, then each added one.

    The given drawing knows its page, so that the place of strokes to come is known; see `plot_pages`.
    """
    style = style or Style()
    yield from plot_pages([given], page, pen=pen, style=style)
    place = _placing(Completion(given, Sketch()), page_grid(page, 1).place(0), style, crop=False)
    for stroke in added:
        yield _document(page, {"added": place(Sketch((stroke,)))}, [style.added_colour], pen, None)


def _pens(item: Item, style: Style) -> list[tuple[int, str]]:
    """Return the number of strokes and the colour of each layer of the given strokes."""
    given = parts(item)[0]
    if given.sheet is None or layer_names(given)[0] == ["1 given"]:
        return [(len(given.strokes), style.given_colour)]
    own = style.given_colour == Style.given_colour
    return [
        (len(layer.colours), (own and layer.colours[0]) or style.given_colour) for layer in given.sheet.layers
    ]


def _placing(item: Item, cell: Box, style: Style, crop: bool) -> Callable[[Sketch | None], list[Points]]:
    """Return what places strokes of a drawing in its cell, mm on the page."""
    box = _extent(item, style, crop)
    scale = min(cell.width / box.width, cell.height / box.height)
    shift = np.array(cell.centre) - np.array(box.centre) * scale
    px = curve_px(item, style) * scale

    def placed(sketch: Sketch | None) -> list[Points]:
        strokes = sketch.strokes if sketch is not None else ()
        return [np.round(flatten(stroke * scale + shift, px, CHORD), DIGITS) + 0.0 for stroke in strokes]

    return placed


def _extent(item: Item, style: Style, crop: bool) -> Box:
    """Return the box of a drawing that fills its cell: its strokes and, unless cropped, its page."""
    whole = whole_of(item)
    ink, style = whole.bounds, replace(style, margin=0.0)
    if ink is not None and crop:
        return visible_box(Sketch(whole.strokes), style)
    page = visible_box(item, style)
    if ink is None:
        return page
    x, y = min(page.x, ink.x), min(page.y, ink.y)
    right = max(page.x + page.width, ink.x + ink.width)
    bottom = max(page.y + page.height, ink.y + ink.height)
    return Box(x, y, right - x, bottom - y)


def _document(
    page: Page, layers: dict[str, list[Points]], colours: Sequence[str], pen: float, category: str | None
) -> str:
    """Return the text of an SVG file in mm, with strokes by the name of their layer."""
    from svgwrite.extensions import Inkscape

    width, height = number(page.width), number(page.height)
    drawing = new_document((f"{width}mm", f"{height}mm"), f"0 0 {width} {height}")
    inkscape = Inkscape(drawing)
    for index, ((name, strokes), colour) in enumerate(zip(layers.items(), colours, strict=True), 1):
        pen_style: dict[str, Any] = {"fill": "none", "stroke": colour, "stroke_width": number(pen)}
        pen_style |= {"stroke_linecap": "round", "stroke_linejoin": "round"}
        layer = inkscape.layer(label=name, id=f"layer{index}", **pen_style)
        for stroke in strokes:
            # A dot as two equal points: plotters, and vpype, leave out a path of one.
            points = stroke if len(stroke) > 1 else stroke[[0, 0]]
            layer.add(drawing.polyline(points=[(number(x), number(y)) for x, y in points.tolist()]))
        drawing.add(layer)
    if category is not None:
        drawing.attribs["data-category"] = xml_text(category)
    return svg_text(drawing)
