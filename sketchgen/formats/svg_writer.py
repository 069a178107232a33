"""Drawings as SVG text: exact coordinates, same drawing same bytes, given and added strokes told apart."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sketchgen.errors import SettingError
from sketchgen.formats.curves import curved, handles, least_width, pressed
from sketchgen.formats.ribbon import outline_path
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch

PEN_SHARE = 1 / 130
"""Stroke width over the longer side of the page, where the style names no width."""

EMPTY_PAGE = Box(0.0, 0.0, 255.0, 255.0)
"""What is shown of a drawing that has neither strokes nor a page."""

MAX_SIZE = 16_384
"""Largest picture side, in px."""

MARK = "data-sketchgen"
"""The attribute by which `svg_read` knows again what is drawn for show; its values are the two below."""

NODES = "nodes"
"""A curve whose nodes, the points between its pieces, are the stroke's points.

The nodes rather than the points once more in an attribute: each number stands once, and who moves a node in
another program has moved the point."""

SHOW = "show"
"""A group that repeats strokes as they look under pressure; the strokes themselves stand beside it."""

CHORD = 1 / 4000
"""How far a curve that is drawn as a polyline may stray, as a share of the longer side of the page."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_COLOUR = re.compile(r"[^#\w(),.%\s/-]")


@dataclass(frozen=True)
class Style:
    """How a drawing looks as SVG or PNG.

    Attributes:
        stroke_width: in the drawing's own units; None for `PEN_SHARE` of the longer side of the page.
        given_colour: CSS colour of what a person drew (and of a drawing without two parts).
        added_colour: CSS colour of what a model drew.
        background: CSS colour of the page, or None for a transparent one.
        size: longer side of the picture, in CSS px.
        margin: space around a drawing that has no page, as a share of its longer side.
        smooth: from 0, straight lines between the points, to 1, curves through them. Corners stay, and so do
            the strokes: see `NODES`.
        pressure: from 0, an even line, to 1: thinner at its ends and on straights, as a hand draws. The
            strokes stay: see `SHOW`. In an SVG that draws itself the line is even.

    Raises:
        SettingError: a number outside its limits, or a colour that is none.
    """

    stroke_width: float | None = None
    given_colour: str = "#111111"
    added_colour: str = "#2563eb"
    background: str | None = "#ffffff"
    size: float = 512
    margin: float = 0.05
    smooth: float = 0.0
    pressure: float = 0.0

    def __post_init__(self) -> None:
        """Check the limits."""
        if not 1 <= self.size <= MAX_SIZE:
            raise SettingError(f"size is {self.size} px; it must be from 1 to {MAX_SIZE}")
        if self.stroke_width is not None and not 0 < self.stroke_width < math.inf:
            raise SettingError(f"stroke_width is {self.stroke_width}; it must be above 0")
        for name in ("margin", "smooth", "pressure"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingError(f"{name} is {getattr(self, name)}; it must be from 0 to 1")
        for colour in (self.given_colour, self.added_colour, self.background):
            if colour is not None and (not colour.strip() or _NOT_COLOUR.search(colour)):
                raise SettingError(f"{colour!r} is no colour; write one as '#2563eb' or 'navy'")


def parts(item: Sketch | Completion) -> tuple[Sketch, Sketch | None]:
    """The given and the added drawing; None as the second where there are no two parts."""
    return (item.given, item.added) if isinstance(item, Completion) else (item, None)


def visible_box(item: Sketch | Completion, style: Style) -> Box:
    """What a picture shows: the page where it is known, else the bounds of the whole drawing and a margin.

    A drawing without extent stands in the middle of a 255 box; a straight line gets room beside it.
    """
    whole = item.whole if isinstance(item, Completion) else item
    page = whole.page or parts(item)[0].page
    if page is not None:
        return page
    bounds = whole.bounds
    if bounds is None:
        return EMPTY_PAGE
    longer = bounds.longer if bounds.longer > 0 else EMPTY_PAGE.longer
    pad = longer * style.margin
    # A line along an axis has no height; a tenth of its length keeps the picture from being a sliver.
    width, height = max(bounds.width, longer / 10), max(bounds.height, longer / 10)
    x, y = bounds.centre
    return Box(x - width / 2 - pad, y - height / 2 - pad, width + 2 * pad, height + 2 * pad)


def pen_width(box: Box, style: Style) -> float:
    """Width of the line in the drawing's units, for a picture that shows `box`."""
    return style.stroke_width if style.stroke_width is not None else box.longer * PEN_SHARE


def pixel_size(box: Box, size: float) -> tuple[float, float]:
    """Width and height in px of a picture of `box` whose longer side is `size`; neither below 1."""
    scale = size / box.longer
    return max(box.width * scale, 1.0), max(box.height * scale, 1.0)


def plain(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def number(value: float) -> str:
    """The shortest text that reads back as the same float64."""
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") else text


def _px(value: float) -> str:
    """A length in px, short: a picture's size needs no more than thousandths."""
    return number(round(value, 3))


def _new(width: float, height: float, box: Box | None, **extra: str) -> Any:
    """An svgwrite drawing; debug is off, for validating is slow and would refuse our exact numbers."""
    import svgwrite

    view = " ".join(number(side) for side in box) if box else f"0 0 {_px(width)} {_px(height)}"
    return svgwrite.Drawing(size=(_px(width), _px(height)), viewBox=view, debug=False, **extra)


def curve_of(stroke: Points, box: Box, style: Style) -> Points:
    """A stroke as it looks in a picture that shows `box`: its points, and its curves as short lines."""
    return curved(stroke, style.smooth, box.longer * CHORD)


def _stroke(drawing: Any, stroke: Points, style: Style) -> Any:
    """One stroke as an element. A dot is a path of no length: its round cap shows, a polyline's may not."""
    points = [(number(x), number(y)) for x, y in stroke.tolist()]
    if len(points) == 1:
        return drawing.path(d=f"M{points[0][0]},{points[0][1]}h0")
    extent = float(np.ptp(stroke, axis=0).max())
    if style.smooth == 0 or len(points) == 2 or extent == 0:
        return drawing.polyline(points=points)
    # What lies between the points need not be exact: a hundred-thousandth of the stroke is not to be seen.
    digits = 5 - math.floor(math.log10(extent))
    between = np.round(handles(stroke, style.smooth), max(digits, 0)).reshape(-1, 4).tolist()
    pieces = (
        "C" + " ".join([*map(number, inner), x, y]) for inner, (x, y) in zip(between, points[1:], strict=True)
    )
    path = drawing.path(d=f"M{points[0][0]} {points[0][1]}{''.join(pieces)}")
    path.attribs[MARK] = NODES
    return path


def _groups(drawing: Any, sketch: Sketch, colour: str, box: Box, style: Style, **extra: str) -> list[Any]:
    """The strokes of a drawing as one `<g>` with pen and colour; under pressure, a second one for show."""
    width = pen_width(box, style)
    group = drawing.g(
        fill="none",
        stroke=colour,
        # Under pressure the even line lies hidden beneath the outline of the uneven one.
        stroke_width=number(width * least_width(style.pressure)),
        stroke_linecap="round",
        stroke_linejoin="round",
        **extra,
    )
    for stroke in sketch.strokes:
        group.add(_stroke(drawing, stroke, style))
    if style.pressure == 0 or sketch.is_empty:
        return [group]
    shown = drawing.g(fill=colour, stroke="none")
    shown.attribs[MARK] = SHOW
    for stroke in sketch.strokes:
        traced = pressed(curve_of(stroke, box, style), width, style.pressure)
        shown.add(drawing.path(d=outline_path(traced, width)))
    return [group, shown]


def fill_with(drawing: Any, into: Any, item: Sketch | Completion, style: Style, *, ids: bool = False) -> None:
    """Put background and strokes of a drawing into an element whose viewBox is its `visible_box`.

    Args:
        drawing: the svgwrite drawing that it is for.
        into: the element.
        item: a drawing or a completion.
        style: colours and pen.
        ids: name the two groups of a completion by id, which must be alone in its file, or else by class.
    """
    box = visible_box(item, style)
    if style.background is not None:
        corner, sides = (number(box.x), number(box.y)), (number(box.width), number(box.height))
        into.add(drawing.rect(insert=corner, size=sides, fill=style.background, class_="background"))
    given, added = parts(item)
    names = ({"id": "given"}, {"id": "added"}) if ids else ({"class_": "given"}, {"class_": "added"})
    name = names[0] if added is not None else {}
    groups = _groups(drawing, given, style.given_colour, box, style, **name)
    if added is not None:
        groups += _groups(drawing, added, style.added_colour, box, style, **names[1])
    for group in groups:
        into.add(group)


def svg_document(item: Sketch | Completion, style: Style | None = None) -> Any:
    """An svgwrite drawing that shows one drawing; the last of its elements is the group drawn last."""
    style = style or Style()
    box = visible_box(item, style)
    drawing = _new(*pixel_size(box, style.size), box)
    category = parts(item)[0].category
    if category is not None:
        drawing.attribs["data-category"] = plain(category)
    fill_with(drawing, drawing, item, style, ids=True)
    return drawing


def svg_text(drawing: Any) -> str:
    """The text of an svgwrite drawing as a file holds it."""
    return drawing.tostring() + "\n"


def sketch_to_svg(sketch: Sketch, style: Style | None = None) -> str:
    """The drawing as the text of an SVG file; same drawing and style, same bytes.

    viewBox is the page (or the bounds and a margin), so that the file holds the drawing's own coordinates:
    reading it back gives each stroke bit for bit.
    """
    return svg_text(svg_document(sketch, style))


def completion_to_svg(completion: Completion, style: Style | None = None) -> str:
    """The completion as the text of an SVG file: a `<g id="given">` and a `<g id="added">`, in that order."""
    return svg_text(svg_document(completion, style))


def grid_to_svg(
    cells: Sequence[Sketch | Completion],
    columns: int = 4,
    style: Style | None = None,
    *,
    cell: float = 192,
    labels: Sequence[str] | None = None,
) -> str:
    """Many drawings on one sheet, each fitted into a cell of its own, row by row.

    Args:
        cells: what to show; none gives an empty sheet of one cell.
        columns: cells in a row; fewer where there are fewer cells.
        style: colours and pen; its `size` is not used.
        cell: side of a cell, in CSS px.
        labels: a line of text under each cell.

    Raises:
        SettingError: `columns` or `cell` below 1, or not one label a cell.
    """
    style = style or Style()
    check_sheet(len(cells), columns, cell, labels)
    columns = max(1, min(columns, len(cells)))
    strip = max(14.0, cell * 0.12) if labels is not None else 0.0
    rows = max(1, math.ceil(len(cells) / columns))
    drawing = _new(columns * cell, rows * (cell + strip), None)
    if style.background is not None:
        drawing.add(drawing.rect(size=("100%", "100%"), fill=style.background, class_="background"))
    for index, item in enumerate(cells):
        row, column = divmod(index, columns)
        x, y, box = column * cell, row * (cell + strip), visible_box(item, style)
        view = " ".join(number(side) for side in box)
        inner = drawing.svg(insert=(_px(x), _px(y)), size=(_px(cell), _px(cell)), viewBox=view)
        fill_with(drawing, inner, item, style)
        drawing.add(inner)
        if labels is not None:
            at, text = (_px(x + cell / 2), _px(y + cell + strip * 0.7)), plain(labels[index])
            font = {"font_size": _px(strip * 0.7), "font_family": "sans-serif", "text_anchor": "middle"}
            drawing.add(drawing.text(text, insert=at, fill=style.given_colour, **font))
    return svg_text(drawing)


def check_sheet(count: int, columns: int, cell: float, labels: Sequence[str] | None) -> None:
    """Check the measures of a contact sheet.

    Raises:
        SettingError: `columns` or `cell` below 1, or not one label for each of the `count` cells.
    """
    if columns < 1 or not 1 <= cell <= MAX_SIZE:
        raise SettingError(f"a sheet of {columns} columns of {cell} px; both must be 1 or more")
    if labels is not None and len(labels) != count:
        raise SettingError(f"{len(labels)} labels for {count} cells; give one a cell")
