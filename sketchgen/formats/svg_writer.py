"""Write drawings as SVG: exact coordinates, deterministic bytes, given and added strokes in two groups."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sketchgen.errors import SettingError
from sketchgen.formats.curves import (
    WidthLine,
    control_points,
    flatten,
    is_smooth,
    min_width,
    outline_path,
    with_pressure,
    with_widths,
)
from sketchgen.limits import check_range
from sketchgen.sketch.geometry import BOX
from sketchgen.sketch.sketch import Box, Completion, Item, Points, Sheet, Sketch, whole_of

PEN_SHARE = 1 / 130
"""Default width of the lines, as a share of the longer side of the page."""

EMPTY_PAGE = Box(0.0, 0.0, 255.0, 255.0)
"""Page of a drawing that has neither strokes nor a page."""

MAX_SIZE = 16_384
"""Maximum side of a picture, px."""

MARK = "data-sketchgen"
"""Attribute that tells the SVG reader how to read an element; its values are the two below."""

WIDTHS = "data-widths"
"""Attribute of a stroke under a pen's pressure: `StrokeStyle.widths`. The least one is in `stroke-width`."""

NODES = "nodes"
"""A curve whose nodes are the points of the stroke.

Each number is in the file once, so that somebody who moves a node in another program has moved the point."""

SHOW = "show"
"""A group for display only: outlines of strokes under pressure. The strokes stand beside it."""

WHOLE = "whole"
"""A file of which strokes beyond the page are read, too."""

CHORD = 1 / 4000
"""Maximum distance of a flattened curve from the curve, as a share of the longer side of the page."""

SMOOTH = ("auto", "on", "off")
"""Values of the option that makes lines curves."""

DRAWING_SHARE = 0.5
"""Share of a page that a drawing is taken to fill, by which curves tell small from large."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_COLOUR = re.compile(r"[^#\w(),.%\s/-]")


def check_colour(colour: str) -> None:
    """Check a CSS colour.

    Raises:
        SettingError: it is none.
    """
    if not colour.strip() or _NOT_COLOUR.search(colour):
        raise SettingError(f"{colour!r} is no colour; write one as '#2563eb' or 'navy'")


@dataclass(frozen=True)
class StrokeStyle:
    """Style of one stroke, where it differs from that of its drawing.

    Attributes:
        colour: CSS colour; None for the drawing's.
        width: in the drawing's own units; None for the drawing's.
        corners: whether all points are corners: the line is straight between them, whatever the drawing's.
        widths: of the line at each point, as multiples of `width`; empty for one width.

    Raises:
        SettingError: a width that is not above 0, or not a colour.
    """

    colour: str | None = None
    width: float | None = None
    corners: bool = False
    widths: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the limits."""
        for width in (*self.widths, 1.0 if self.width is None else self.width):
            if not 0 < width < math.inf:
                raise SettingError(f"the width of a stroke is {width}; it must be above 0")
        if self.colour is not None:
            check_colour(self.colour)


PLAIN = StrokeStyle()
"""A stroke in the style of its drawing."""


@dataclass(frozen=True)
class Style:
    """Colours and pen of a drawing.

    Attributes:
        stroke_width: in the drawing's own units; None for `PEN_SHARE` of the longer side of the page.
        given_colour: CSS colour of the given strokes, and of a drawing without two parts.
        added_colour: CSS colour of the added strokes.
        background: CSS colour of the page, or None for a transparent one.
        size: longer side of the picture, CSS px.
        margin: space around a drawing without a page, as a share of its longer side.
        smooth: "on" draws curves through the points, except at corners; "off" straight lines; "auto" curves
            where the given strokes are smooth (all strokes, in a drawing without two parts).
        pressure: from 0 (lines of one width) to 1 (thinner at their ends and on straights, as drawn by a
            hand). Lines of an animated SVG always have one width.
        strokes: of single strokes, the given ones first, in drawing order; further ones are plain.

    Raises:
        SettingError: a number outside its limits, or not a colour.
    """

    stroke_width: float | None = None
    given_colour: str = "#111111"
    added_colour: str = "#2563eb"
    background: str | None = "#ffffff"
    size: float = 512
    margin: float = 0.05
    smooth: str = "auto"
    pressure: float = 0.0
    strokes: tuple[StrokeStyle, ...] = ()

    def __post_init__(self) -> None:
        """Check the limits."""
        check_range("size", self.size, 1, MAX_SIZE, "px")
        if self.stroke_width is not None and not 0 < self.stroke_width < math.inf:
            raise SettingError(f"stroke_width is {self.stroke_width}; it must be above 0")
        for name in ("margin", "pressure"):
            check_range(name, getattr(self, name), 0, 1)
        if self.smooth not in SMOOTH:
            raise SettingError(f"smooth is {self.smooth!r}; it must be auto, on or off")
        for colour in (self.given_colour, self.added_colour, self.background):
            if colour is not None:
                check_colour(colour)

    def of_stroke(self, index: int) -> StrokeStyle:
        """Return the style of a stroke, counted over given and added ones."""
        return self.strokes[index] if index < len(self.strokes) else PLAIN


def parts(item: Item) -> tuple[Sketch, Sketch | None]:
    """Return the given and the added drawing; None as the second if there are no two parts."""
    return (item.given, item.added) if isinstance(item, Completion) else (item, None)


def visible_box(item: Item, style: Style) -> Box:
    """Return what a picture shows: the page, or else the bounds of the drawing and a margin.

    A drawing without extent is shown in the middle of a 255 box; a straight line gets room beside it.
    """
    whole = whole_of(item)
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
    """Return the width of the lines in the drawing's units, for a picture of `box`."""
    return style.stroke_width if style.stroke_width is not None else box.longer * PEN_SHARE


def pixel_size(box: Box, size: float) -> tuple[float, float]:
    """Return width and height, px, of a picture of `box` whose longer side is `size`; at least 1."""
    scale = size / box.longer
    return max(box.width * scale, 1.0), max(box.height * scale, 1.0)


def xml_text(text: str) -> str:
    """Return a text without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)


def number(value: float) -> str:
    """Return the shortest text that reads back as the same float64."""
    text = repr(float(value))
    return text[:-2] if text.endswith(".0") else text


def view_box(box: Box) -> str:
    """Return the text of a viewBox."""
    return " ".join(number(side) for side in box)


def curve_px(item: Item, style: Style) -> float:
    """Return a px of a 255 box in the drawing's units if its lines are drawn as curves, or else 0."""
    given = parts(item)[0]
    whole = whole_of(item)
    page, bounds = whole.page or given.page, given.bounds or whole.bounds
    px = (page.longer * DRAWING_SHARE if page else bounds.longer if bounds else 0.0) / BOX
    curved = style.smooth == "on" or (style.smooth == "auto" and px > 0 and is_smooth(given.strokes, px))
    return px if curved else 0.0


def flattened(stroke: Points, box: Box, px: float) -> Points:
    """Return a stroke as it looks in a picture of `box`: its points, and its curves as short lines."""
    return flatten(stroke, px, box.longer * CHORD)


def width_line(stroke: Points, box: Box, px: float, style: Style, own: StrokeStyle) -> WidthLine:
    """Return a stroke as it looks in a picture of `box`; widths are multiples of the drawing's pen.

    Args:
        stroke: (n, 2) its points.
        box: what the picture shows.
        px: see `curve_px`.
        style: of the drawing.
        own: of the stroke.
    """
    line, width = flattened(stroke, box, 0.0 if own.corners else px), pen_width(box, style)
    times = 1.0 if own.width is None else own.width / width
    if own.widths:
        return with_widths(line, stroke, np.array(own.widths) * times)
    return with_pressure(line, width * times, style.pressure) * (1.0, 1.0, times)


def own_colours(style: Style) -> list[str]:
    """Return the colours that single strokes have of their own, each once."""
    return list(dict.fromkeys(each.colour for each in style.strokes if each.colour))


def new_document(size: tuple[str, str], view: str) -> Any:
    """Return an empty svgwrite drawing, without validation, which is slow and refuses exact numbers."""
    import svgwrite

    return svgwrite.Drawing(size=size, viewBox=view, debug=False)


def _stroke(drawing: Any, stroke: Points, box: Box, px: float) -> Any:
    """Return the element of a stroke. A dot is a path of no length: its round cap is always shown."""
    points = [(number(x), number(y)) for x, y in stroke.tolist()]
    if len(points) == 1:
        return drawing.path(d=f"M{points[0][0]},{points[0][1]}h0")
    # Points that are so dense that their curve cannot be told from lines stay lines.
    if len(flattened(stroke, box, px)) == len(points):
        return drawing.polyline(points=points)
    extent = float(np.ptp(stroke, axis=0).max())
    # Control points need not be exact: a hundred-thousandth of the stroke cannot be seen.
    digits = 5 - math.floor(math.log10(extent))
    between = np.round(control_points(stroke, px), max(digits, 0)).reshape(-1, 4).tolist()
    pieces = (
        "C" + " ".join([*map(number, inner), x, y]) for inner, (x, y) in zip(between, points[1:], strict=True)
    )
    path = drawing.path(d=f"M{points[0][0]} {points[0][1]}{''.join(pieces)}")
    path.attribs[MARK] = NODES
    return path


def _groups(drawing: Any, item: Item, added: bool, style: Style, **extra: str) -> list[Any]:
    """Return given or added strokes as a `<g>`; under pressure, followed by a second one for display."""
    box, px = visible_box(item, style), curve_px(item, style)
    given, more = parts(item)
    sketch, colour, first = (given, style.given_colour, 0)
    if added and more is not None:
        sketch, colour, first = more, style.added_colour, len(given.strokes)
    width = pen_width(box, style)
    # Under pressure, the line of one width is hidden beneath the outline.
    least = min_width(style.pressure)
    group = drawing.g(
        fill="none",
        stroke=colour,
        stroke_width=number(width * least),
        stroke_linecap="round",
        stroke_linejoin="round",
        **extra,
    )
    shown = drawing.g(fill=colour, stroke="none")
    shown.attribs[MARK] = SHOW
    for index, stroke in enumerate(sketch.strokes, first):
        own = style.of_stroke(index)
        element = group.add(_stroke(drawing, stroke, box, 0.0 if own.corners else px))
        thinnest = min(own.widths, default=least)
        if own.width is not None or own.widths:
            element.attribs["stroke-width"] = number((own.width or width) * thinnest)
        if own.widths:
            element.attribs[WIDTHS] = " ".join(number(round(each, 4)) for each in own.widths)
        if style.pressure or own.widths:
            path = outline_path(width_line(stroke, box, px, style, own), width)
            shown.add(drawing.path(d=path, **({"fill": own.colour} if own.colour else {})))
        if own.colour:
            element.attribs["stroke"] = own.colour
    return [group, shown] if shown.elements else [group]


def add_drawing(drawing: Any, parent: Any, item: Item, style: Style, *, ids: bool = False) -> None:
    """Add background and strokes of a drawing to an element whose viewBox is its `visible_box`.

    The two groups of a completion are named by class, or with `ids` by id, which must be unique in a file.
    """
    box = visible_box(item, style)
    if style.background is not None:
        corner, sides = (number(box.x), number(box.y)), (number(box.width), number(box.height))
        parent.add(drawing.rect(insert=corner, size=sides, fill=style.background, class_="background"))
    added = parts(item)[1]
    key = "id" if ids else "class_"
    name = {key: "given"} if added is not None else {}
    groups = _groups(drawing, item, False, style, **name)
    if added is not None:
        groups += _groups(drawing, item, True, style, **{key: "added"})
    for group in groups:
        parent.add(group)


def layer_names(given: Sketch) -> tuple[list[str], str]:
    """Return names for the layers of a given drawing, and one for that of what is added, which comes last.

    Programs for plotters sort layers by the first number of the name.
    """
    names = [layer.name for layer in given.sheet.layers] if given.sheet is not None else []
    if not any(names):
        return ["1 given"], "2 added"
    numbers = [int(found.group()) for name in names if name and (found := re.search(r"[0-9]{1,4}", name))]
    return [xml_text(name or "given") for name in names], f"{max([*numbers, len(set(names))]) + 1} added"


def _by_layers(drawing: Any, group: Any, given: Sketch, style: Style) -> list[Any]:
    """Return the group of the given strokes as groups for the layers of their file, in its colours."""
    layers = given.sheet.layers if given.sheet is not None else ()
    found, first = [], 0
    for name, layer in zip(layer_names(given)[0], layers, strict=True):
        part = drawing.g()
        part.attribs = {**group.attribs, **_layer_attributes(name)}
        part.elements = group.elements[first : first + len(layer.colours)]
        first += len(layer.colours)
        if found:
            part.attribs["id"] += f"-{len(found) + 1}"
        # A colour that somebody asks for is meant for all.
        if style.given_colour == Style.given_colour:
            part.attribs["stroke"] = layer.colours[0] or style.given_colour
            for element, colour in zip(part.elements, layer.colours, strict=True):
                if colour not in (None, layer.colours[0]):
                    element.attribs.setdefault("stroke", colour)
        found.append(part)
    return found


def _layer_attributes(name: str) -> dict[str, str]:
    return {"inkscape:groupmode": "layer", "inkscape:label": name}


def svg_document(item: Item, style: Style) -> Any:
    """Return the svgwrite drawing of a drawing; its last element is the group drawn last.

    The background is a style of the whole: programs for plotters would take a shape for a line. A completion
    keeps size, pen and layers of the file that its given strokes come from.
    """
    given, added = parts(item)
    sheet = given.sheet or Sheet()
    if style.stroke_width is None and sheet.pen is not None:
        style = replace(style, stroke_width=sheet.pen)
    box = visible_box(item, style)
    width, height = (number(round(side, 3)) for side in pixel_size(box, style.size))
    drawing = new_document(sheet.size or (width, height), view_box(box))
    drawing.attribs[MARK] = WHOLE
    if style.background is not None:
        drawing.attribs["style"] = f"background:{style.background}"
    if given.category is not None:
        drawing.attribs["data-category"] = xml_text(given.category)
    add_drawing(drawing, drawing, item, replace(style, background=None), ids=True)
    if sheet.layers and added is not None:
        drawing.attribs["xmlns:inkscape"] = "http://www.inkscape.org/namespaces/inkscape"
        at, last = (
            [each.attribs.get("id") for each in drawing.elements].index(name) for name in ("given", "added")
        )
        drawing.elements[last].attribs |= _layer_attributes(layer_names(given)[1])
        drawing.elements[at : at + 1] = _by_layers(drawing, drawing.elements[at], given, style)
    return drawing


def svg_text(drawing: Any) -> str:
    """Return the text of an svgwrite drawing."""
    return drawing.tostring() + "\n"


def to_svg(item: Item, style: Style | None = None) -> str:
    """Return a drawing or a completion as the text of an SVG file; same arguments, same bytes.

    The viewBox is the page (or the bounds and a margin), so that the file has the drawing's own coordinates:
    reading it returns each stroke bit for bit. A completion has a `<g id="given">` and a `<g id="added">`; if
    the given strokes come from a file with layers or a physical size, a layer each, and one for the added.
    """
    return svg_text(svg_document(item, style or Style()))
