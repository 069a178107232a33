"""Excalidraw's scenes and clipboard: read their lines and shapes, write strokes as free-draw elements.

The form is that of https://docs.excalidraw.com/docs/codebase/json-schema: an object with `type`, `elements`
and `appState`. Points of an element are relative to its `x` and `y`; `angle` turns it about the middle of its
box.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from sketchgen.errors import FormatError, FormatWarning, SettingError, SketchError
from sketchgen.formats.canvas_json import kind_of_value, named_sketch, to_number, to_page
from sketchgen.formats.curves import control_points
from sketchgen.formats.svg_writer import StrokeStyle, Style, curve_px, parts, pen_width, visible_box
from sketchgen.sketch.geometry import steps
from sketchgen.sketch.sketch import MAX_POINTS, Box, Item, Points, Sketch, whole_of

TYPES = ("excalidraw", "excalidraw/clipboard", "excalidraw-api/clipboard")
"""Values of `type` that are read; the first one is written."""

SPACING = 1 / 160
"""Distance of the points of a written line, as a share of the longer side of the page.

Excalidraw draws a free line near its points, not through them: corners of distant ones would be lost."""

PEN = 6.0
"""Width of a free line of even pressure in Excalidraw, px, for each unit of its `strokeWidth`."""

THINNING = 0.6
"""How much pressure tells, t in perfect-freehand's width = sin(pi / 2 * (0.5 - t * (0.5 - pressure)))."""

GAP = 0.1
"""Space between the drawings of a sheet, as a share of their size."""

MARK = "sketchgen"
"""Key of what Excalidraw passes over: page and category of a scene; in `customData`, nodes of a line."""

_LINES = ("freedraw", "draw", "line", "arrow")
_SHAPES = ("rectangle", "ellipse", "diamond")
_DOT = [[0.0, 0.0], [0.0001, 0.0001]]
"""A click, as Excalidraw writes it; an element of one point would be left out as too small to be seen."""

_SMALL_SIDE, _RADIUS = 128.0, 32.0
"""Side from which rounded corners have this radius, px; those of smaller boxes have a quarter of the side."""


def is_scene(value: object) -> bool:
    """Return whether a parsed JSON text says that it is a scene of Excalidraw."""
    kind = value.get("type") if isinstance(value, dict) else None
    return isinstance(kind, str) and kind.startswith("excalidraw")


def parse_scene(value: Any, name: str = "scene") -> Sketch:
    """Return the drawing of a scene: its free lines, lines, arrows, rectangles, ellipses and diamonds.

    Rounded lines are read as their points. Texts, pictures and frames are left out, and what is deleted or
    invisible. A scene that `to_scene` wrote has its page, its category, and the very points of its strokes.

    Args:
        value: the object that was parsed from JSON.
        name: what errors call it.

    Raises:
        FormatError: not a scene, or nothing but elements that cannot be read.
        SketchError: too many points, or a point that is not finite or too far away.

    Warns:
        FormatWarning: the kinds of elements that are left out.
    """
    return parse_styled_scene(value, name)[0]


# What overflows is not finite, and refused as a point that is too far away.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def parse_styled_scene(value: Any, name: str = "scene") -> tuple[Sketch, list[StrokeStyle]]:
    """Return `parse_scene`, and the style of each stroke: colour, width, corners, and pressure."""
    if not is_scene(value) or value["type"] not in TYPES:
        kind = value.get("type") if isinstance(value, dict) else value
        raise FormatError(f"{name}: type is {str(kind)[:40]!r}; read are {', '.join(TYPES[:2])}")
    elements = value.get("elements")
    if not isinstance(elements, list):
        raise FormatError(f"{name}: elements must be a list, not {kind_of_value(elements)}")
    # Counted before any point is looked at, so that a flood is refused at once.
    lists = (element.get("points") for element in elements if isinstance(element, dict))
    if sum(len(points) for points in lists if isinstance(points, list)) > MAX_POINTS:
        raise _too_many(name)
    left_out: set[str] = set()
    styles: list[StrokeStyle] = []
    sketch = named_sketch(name, _strokes(elements, name, left_out, styles), **_kept(value, name))
    if sketch.is_empty and left_out:
        held = ", ".join(sorted(left_out)[:4])
        raise FormatError(f"{name} holds no lines, only {held}; draw with the pencil or a shape")
    if left_out:
        warnings.warn(FormatWarning(f"{name}: left out: {', '.join(sorted(left_out)[:8])}"), stacklevel=2)
    return sketch, styles


def _kept(value: dict[str, Any], name: str) -> dict[str, Any]:
    """Return page and category that `to_scene` wrote down."""
    own = value.get(MARK)
    if not isinstance(own, dict):
        return {}
    category = own.get("category")
    return {"page": to_page(own, name), "category": category if isinstance(category, str) else None}


def _strokes(
    elements: list[Any], name: str, left_out: set[str], styles: list[StrokeStyle]
) -> Iterator[Points]:
    """Yield the strokes of the elements that can be read; collect their styles and the others' kinds."""
    total = 0
    for index, element in enumerate(elements):
        where = f"{name}: element {index}"
        if not isinstance(element, dict):
            raise FormatError(f"{where} must be an object, not {kind_of_value(element)}")
        kind = element.get("type")
        if element.get("isDeleted") is True or element.get("opacity") == 0:
            continue
        if kind not in _LINES and kind not in _SHAPES:
            left_out.add(str(kind)[:40])
            continue
        points = element.get("points") if kind in _LINES else ()
        if not isinstance(points, list | tuple):
            raise FormatError(f"{where}: points must be a list, not {kind_of_value(points)}")
        if kind in _SHAPES or points:
            line, kept = _line(element, where) if kind in _LINES else (_shape(element, where), None)
            styles.append(_style(element, kept))
            if (total := total + len(line)) > MAX_POINTS:
                raise _too_many(name)
            yield _placed(line, element, where)


def _too_many(name: str) -> SketchError:
    return SketchError(f"{name}: more than {MAX_POINTS} points in one drawing; simplify it or split it")


def _line(element: dict[str, Any], where: str) -> tuple[Points, NDArray[np.int64]]:
    """Return the points of a line, relative to its place, and which of the element's they are."""
    points = element["points"]
    if points == _DOT:
        return np.zeros((1, 2)), np.zeros(1, dtype=np.int64)
    line = np.array([_point(point, f"{where}, point {at}") for at, point in enumerate(points)])
    nodes = _marked(element).get("nodes")
    kept = np.array(nodes if _are_nodes(nodes, len(line)) else range(len(line)))
    return line[kept], kept


def _marked(element: dict[str, Any]) -> dict[str, Any]:
    """Return what `to_scene` wrote down of a line."""
    custom = element.get("customData")
    own = custom.get(MARK) if isinstance(custom, dict) else None
    return own if isinstance(own, dict) else {}


def _style(element: dict[str, Any], kept: NDArray[np.int64] | None) -> StrokeStyle:
    """Return the style of an element; what cannot be read is left out.

    Args:
        element: of the scene.
        kept: which of its points are read; None for a shape.
    """
    free = element["type"] in ("freedraw", "draw")
    angular = not element.get("roundness") and element["type"] != "ellipse"
    corners = _marked(element).get("corners") is True if free else angular
    colour, width = element.get("strokeColor"), element.get("strokeWidth")
    width = width * (PEN if free else 1.0) if isinstance(width, int | float) else None
    try:
        widths = () if kept is None else _widths(element, kept)
        return StrokeStyle(colour if isinstance(colour, str) else None, width, corners, widths)
    except SettingError:
        return StrokeStyle(corners=corners)


def _widths(element: dict[str, Any], kept: NDArray[np.int64]) -> tuple[float, ...]:
    """Return how wide a pen that was pressed drew its line at the points that are read."""
    pressures = element.get("pressures")
    if element.get("simulatePressure") is True or not isinstance(pressures, list) or len(kept) < 2:
        return ()
    numbers = all(type(each) in (int, float) and 0 <= each <= 1 for each in pressures)
    if not numbers or len(pressures) != len(element["points"]) or set(pressures) == {0.5}:
        return ()
    share = 0.5 - THINNING * (0.5 - np.array(pressures)[kept])
    return tuple((np.sin(math.pi / 2 * share) / math.sin(math.pi / 4)).tolist())


def _point(value: object, where: str) -> tuple[float, float]:
    """Return x and y of a point; more numbers are those of a pen, and left out."""
    if not isinstance(value, list) or len(value) < 2:
        raise FormatError(f"{where} must be [x, y]")
    return to_number(value[0], where), to_number(value[1], where)


def _are_nodes(nodes: object, count: int) -> bool:
    """Return whether a value lists points of a line in their order, its first and its last one among them."""
    if not isinstance(nodes, list) or not nodes or not all(type(node) is int for node in nodes):
        return False
    rising = all(a < b for a, b in itertools.pairwise(nodes))
    return rising and nodes[0] == 0 and nodes[-1] == count - 1


def _shape(element: dict[str, Any], where: str) -> Points:
    """Return the outline of a closed shape, relative to its place."""
    from sketchgen.formats.svg_shapes import outline

    width, height = (to_number(element.get(key), f"{where}: {key}") for key in ("width", "height"))
    if element["type"] == "diamond":
        x, y = width / 2, height / 2
        return np.array([(x, 0.0), (width, y), (x, height), (0.0, y), (x, 0.0)])
    # Drawn towards the left or the top, a shape has sides below 0.
    wide, high = abs(width), abs(height)
    if element["type"] == "rectangle":
        radius = _corner(element.get("roundness"), min(wide, high))
        attributes = {"width": wide, "height": high, "rx": radius, "ry": radius}
        found = outline("rect", _texts(attributes), (wide, high), None, lambda fault: None)
    else:
        attributes = {"cx": wide / 2, "cy": high / 2, "rx": wide / 2, "ry": high / 2}
        found = outline("ellipse", _texts(attributes), (wide, high), None, lambda fault: None)
    if not found:
        return np.array([(0.0, 0.0), (width, height)])
    return found[0] + (min(width, 0.0), min(height, 0.0))


def _texts(attributes: dict[str, float]) -> dict[str, str]:
    return {key: repr(value) for key, value in attributes.items()}


def _corner(roundness: object, side: float) -> float:
    """Return the radius of a rectangle's corners."""
    if not isinstance(roundness, dict):
        return 0.0
    return _RADIUS if roundness.get("type") == 3 and side > _SMALL_SIDE else side / 4


def _placed(points: Points, element: dict[str, Any], where: str) -> Points:
    """Return the points of an element on the canvas."""
    angle = to_number(element.get("angle") or 0, f"{where}: angle")
    place = [to_number(element.get(key), f"{where}: {key}") for key in ("x", "y")]
    cosine, sine = math.cos(angle), math.sin(angle)
    # What overflows is refused with the drawing, like all that is too far away.
    with np.errstate(over="ignore", invalid="ignore"):
        middle = (points.min(axis=0) + points.max(axis=0)) / 2 if angle else np.zeros(2)
        turned = (points - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + middle
        return (turned if angle else points) + place


# --- Writing ---------------------------------------------------------------------------------------------


def to_scene(items: Sequence[Item], style: Style | None = None, columns: int = 4) -> str:
    """Return drawings as the text of a scene, each stroke a free-draw element; same arguments, same text.

    A single drawing stays at its place. Several stand in rows from there, as large as they are.

    Args:
        items: the drawings.
        style: colours, pen and curves; its `size` and `pressure` are not used.
        columns: drawings in a row.
    """
    style = style or Style()
    boxes = [visible_box(item, style) for item in items]
    across = max((box.width for box in boxes), default=0.0) * (1 + GAP)
    down = max((box.height for box in boxes), default=0.0) * (1 + GAP)
    elements: list[dict[str, Any]] = []
    for index, (item, box) in enumerate(zip(items, boxes, strict=True)):
        row, column = divmod(index, columns)
        corner = boxes[0].x + column * across - box.x, boxes[0].y + row * down - box.y
        elements += _elements(item, box, style, corner if index else (0.0, 0.0), len(elements))
    value: dict[str, Any] = {
        "type": TYPES[0],
        "version": 2,
        "source": MARK,
        "elements": elements,
        "appState": {"viewBackgroundColor": style.background or "transparent", "gridSize": None},
        "files": {},
    }
    if len(items) == 1:
        whole = whole_of(items[0])
        page = None if whole.page is None else list(whole.page)
        value[MARK] = {"page": page, "category": whole.category}
    return orjson.dumps(value).decode() + "\n"


def _elements(
    item: Item, box: Box, style: Style, shift: tuple[float, float], first: int
) -> list[dict[str, Any]]:
    """Return the elements of a drawing, those of given strokes first."""
    given, added = parts(item)
    px, width = curve_px(item, style), pen_width(box, style)
    bounds = whole_of(item).bounds
    spacing = max(box.longer, bounds.longer if bounds else 0.0) * SPACING
    strokes = [(stroke, style.given_colour) for stroke in given.strokes]
    strokes += [(stroke, style.added_colour) for stroke in (added.strokes if added else ())]
    # What is written must be within what is read.
    if sum(int(_pieces(stroke, spacing).sum()) + 1 for stroke, _ in strokes) > MAX_POINTS:
        spacing = math.inf
    found: list[dict[str, Any]] = []
    for index, (stroke, colour) in enumerate(strokes):
        own = style.of_stroke(index)
        points, nodes = _dense(stroke, 0.0 if own.corners else px, spacing)
        mark: dict[str, Any] = {"corners": True} if (own.corners or not px) and len(stroke) > 2 else {}
        if len(nodes) < len(points) and len(stroke) > 1:
            mark["nodes"] = nodes.tolist()
        value = _element(first + index, points, stroke[0] + shift)
        value["strokeColor"] = own.colour or colour
        value["strokeWidth"] = round((own.width or width) / PEN, 4)
        if own.widths and len(stroke) > 1:
            value["pressures"] = _pressures(np.interp(np.arange(len(points)), nodes, own.widths))
        found.append(value | ({"customData": {MARK: mark}} if mark else {}))
    return found


def _pressures(widths: NDArray[np.float64]) -> list[float]:
    """Return the pressures under which Excalidraw draws a line in multiples of the width at a half."""
    share = np.arcsin(np.clip(widths * math.sin(math.pi / 4), 0.0, 1.0)) / (math.pi / 2)
    return np.round(np.clip(0.5 - (0.5 - share) / THINNING, 0.0, 1.0), 4).tolist()


def _pieces(stroke: Points, spacing: float) -> NDArray[np.int64]:
    """Return the (n - 1,) numbers of pieces into which the lines between points are cut."""
    return np.maximum(np.ceil(steps(stroke) / spacing), 1).astype(np.int64)


def _dense(stroke: Points, px: float, spacing: float) -> tuple[Points, NDArray[np.int64]]:
    """Return a stroke as it is drawn, relative to its first point, and where its own points are in it."""
    if len(stroke) == 1:
        return np.array(_DOT), np.zeros(1, dtype=np.int64)
    counts = _pieces(stroke, spacing)
    nodes = np.append(0, np.cumsum(counts))
    line = np.repeat(np.arange(len(counts)), counts)
    t = ((np.arange(len(line)) - nodes[line]) / counts[line])[:, None]
    u, start, end = 1 - t, stroke[line], stroke[line + 1]
    if px and len(stroke) > 2:
        first, second = np.moveaxis(control_points(stroke, px)[line], 1, 0)
        points = u**3 * start + 3 * u**2 * t * first + 3 * u * t**2 * second + t**3 * end
    else:
        points = u * start + t * end
    relative = np.concatenate([points, stroke[-1:]]) - stroke[0]
    between = np.ones(len(relative), dtype=bool)
    between[nodes] = False
    extent = float(np.ptp(stroke, axis=0).max())
    # Points between those of the stroke need not be exact: a hundred-thousandth of it cannot be seen.
    digits = 5 - math.floor(math.log10(extent)) if extent > 0 else 0
    relative[between] = np.round(relative[between], max(digits, 0))
    return relative, nodes


def _element(index: int, points: Points, place: Points) -> dict[str, Any]:
    """Return a free-draw element with all that Excalidraw writes itself, but for colour and width."""
    low, high = points.min(axis=0), points.max(axis=0)
    lines = points.tolist()
    return {
        "id": f"{MARK}-{index}",
        "type": "freedraw",
        "x": float(place[0]),
        "y": float(place[1]),
        "width": float(high[0] - low[0]),
        "height": float(high[1] - low[1]),
        "angle": 0,
        "backgroundColor": "transparent",
        "fillStyle": "solid",
        "strokeStyle": "solid",
        "roughness": 0,
        "opacity": 100,
        "groupIds": [],
        "frameId": None,
        "roundness": None,
        "seed": index + 1,
        "version": 1,
        "versionNonce": index + 1,
        "isDeleted": False,
        "boundElements": None,
        "updated": 1,
        "link": None,
        "locked": False,
        "points": lines,
        "pressures": [0.5] * len(lines),
        "simulatePressure": False,
        "lastCommittedPoint": lines[-1],
    }
