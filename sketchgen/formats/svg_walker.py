"""Walk the elements of an SVG file, and yield the strokes that a browser shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from sketchgen.errors import FormatError, SketchError
from sketchgen.formats.canvas_json import MAX_STROKES
from sketchgen.formats.svg_brush import MIN_POINTS, middle_lines, without_doubles
from sketchgen.formats.svg_clip import Region, clipped, pairs
from sketchgen.formats.svg_css import ATTRIBUTE, Cascade
from sketchgen.formats.svg_lines import Line, bounds, stroke_box
from sketchgen.formats.svg_path import NUMBER, cost, read_numbers
from sketchgen.formats.svg_shapes import (
    SHAPES,
    clip_shape,
    closed,
    covers,
    has_area,
    outline,
    single_dash,
    travel,
)
from sketchgen.formats.svg_transform import (
    Area,
    Matrix,
    about,
    chained,
    fitted,
    inverse,
    length,
    mapped,
    origin,
    shift,
    stretch,
    transform,
)
from sketchgen.formats.svg_values import GEOMETRY, INHERITED, Style, is_server, paint, reference, share
from sketchgen.formats.svg_writer import MARK, NODES, SHOW, WIDTHS
from sketchgen.formats.svg_xml import MAX_ELEMENTS, holds, href, local_tag
from sketchgen.sketch.files import MAX_BYTES
from sketchgen.sketch.sketch import MAX_POINTS, Box, Points

MAX_DEPTH = 64
"""Maximum nesting of groups and uses."""

MAX_DATA = 8 * 2**20
"""Maximum number of characters of all paths and polygons, each use counted."""

MAX_BRUSHES = 100
"""Filled outlines, the first ones, that are tried as brush strokes."""

MAX_DOUBLES = 4000
"""Lines, the first ones, of which those that are drawn twice are looked for."""

AS_DRAWN: ContextVar[bool] = ContextVar("as_drawn", default=False)
"""Whether the outlines of brush strokes and doubled lines are read as they are, not as one line each."""

MAX_TOLD = 20
"""Faults of a file, the first ones, that are told."""

_TOLERANCE = 1 / 2000
"""Maximum distance of a flattened curve from the curve, as a share of the longer side of the page."""

_MAX_DASHES = 8
"""Numbers of a pattern of dashes, the first ones, that are read."""

_EM = re.compile(rf"{NUMBER.pattern}r?em\b")
_FAINT = 1 / 510
"""Opacity below which nothing is seen."""

LEFT_OUT = frozenset({"text", "image", "foreignObject"})
"""Elements that browsers draw, and that are not read."""

_BOUNDS = ("fill-box", "stroke-box", "content-box", "border-box")
_SINGLE = ("translate", "rotate", "scale")
_EFFECTS = frozenset({"mask", "marker-start", "marker-mid", "marker-end"})
_CONTAINERS = frozenset({"svg", "g", "a", "switch"})
_INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"


class _Context(NamedTuple):
    """What an element inherits, `scope` being the target of the use that it is a copy of."""

    matrix: Matrix = None
    style: Style = INHERITED
    opacity: float = 1.0
    depth: int = 0
    area: Area = (300.0, 150.0)
    layer: str | None = None
    scope: Element | None = None


class Walker:
    """Walks the elements of a file and counts them."""

    def __init__(self, root: Element, page: Box | None) -> None:
        """Collect ids and style sheets of `root`."""
        self.page = page
        self.start = _Context(area=(page.width, page.height) if page else (300.0, 150.0))
        self.passed_over: set[str] = set()
        self.faults: dict[str, None] = {}
        self._ids: dict[str, Element] = {}
        for node in root.iter():
            self._ids.setdefault(node.get("id", ""), node)
        self._paints = partial(is_server, self._ids)
        self._cascade = Cascade(root)
        self._budget = self._cascade.budget
        self._root = root
        self._rem = float(self._cascade.style(root, INHERITED)["font-size"])
        # A use repeats shapes.
        self._outlines: dict[Any, list[Points]] = {}
        self._clips: dict[Any, list[list[Region]]] = {}
        self.joined = self.brushes = self.doubles = 0
        self._elements = self._characters = self._data = self._points = self._strokes = 0

    def report(self, fault: str) -> None:
        """Note what is wrong with an element."""
        if len(self.faults) < MAX_TOLD:
            self.faults[" ".join(fault.split())] = None

    def lines(self, element: Element, context: _Context, sized: Element | None = None) -> list[Line]:
        """Return the visible strokes of an element and its children, in drawing order, on the page.

        Args:
            element: the element.
            context: what it inherits.
            sized: the use that refers to it; it may set the size of a symbol or svg.
        """
        tag = local_tag(element)
        self._count(element)
        if context.depth > MAX_DEPTH:
            raise FormatError(f"nested or used more than {MAX_DEPTH} deep; ungroup the drawing")
        drawn = tag in _CONTAINERS or tag == "use" or tag in SHAPES or (tag == "symbol" and sized is not None)
        if not drawn:
            self.passed_over.update(LEFT_OUT & {tag})
            return []
        style = self._cascade.style(element, context.style, context.scope)
        opacity = context.opacity * share(style["opacity"])
        if style["display"] == "none" or opacity < _FAINT or element.get(MARK) == SHOW or not holds(element):
            return []
        for effect in _EFFECTS.intersection(element.keys()):
            if element.get(effect, "").strip() != "none":
                self.report(f"{effect} is left out")
        layer, depth = _layer(element, context), context.depth + 1
        inner = _Context(context.matrix, style, opacity, depth, context.area, layer, context.scope)
        return self._placed(element, tag, inner, sized)

    def _count(self, element: Element) -> None:
        """Count an element; a use is short, but it may repeat megabytes that have not a single point."""
        self._elements += 1
        self._characters += sum(len(value) for value in element.attrib.values())
        self._data += len(element.get("d", "")) + len(element.get("points", ""))
        self._budget.spend(15 + len(element.attrib))
        if self._data > MAX_DATA:
            most = f"{MAX_DATA // 2**20} MB"
            raise FormatError(f"more than {most} of paths (uses counted); simplify the drawing")
        if self._elements > MAX_ELEMENTS or self._characters > MAX_BYTES:
            raise FormatError(f"more than {MAX_ELEMENTS} elements (uses counted); simplify the drawing")

    # --- transform and clip: both may refer to the bounds of what they apply to ----------------------------

    def _placed(self, element: Element, tag: str, context: _Context, sized: Element | None) -> list[Line]:
        """Return the strokes of an element under its transform, clipped."""
        outer, style = context.matrix, context.style
        bounded = style["transform-box"] != "view-box" and style["transform-box"].strip() in _BOUNDS
        bounded &= style["transform-origin"] != "0 0" or "%" in style["transform"] + style["translate"]
        if not bounded and (own := self._transform(style, Box(0.0, 0.0, *context.area))) is not None:
            context = context._replace(matrix=chained(outer, own))
        lines = self._content(element, tag, context, sized)
        if style["clip-path"].strip() != "none":
            lines = self._clipped(lines, context)
        if bounded:
            self._budget.spend(40 + 5 * len(lines))
            own = self._transform(style, bounds(lines, outer))
            matrix = chained(chained(outer, own), inverse(outer))
            lines = [line._replace(points=mapped(matrix, line.points)) for line in lines]
        return lines

    def _transform(self, style: Style, box: Box) -> Matrix:
        """Return the map of the transform properties or the attribute of an element, about its origin."""
        texts = [f"{name}({style[name]})" for name in _SINGLE if style[name] != "none"]
        texts += [style["transform"]] if style["transform"] != "none" else []
        text = " ".join(texts) if texts else style.get(ATTRIBUTE, "")
        if texts and "em" in text:
            text = _EM.sub(lambda each: f"{self._length(each[0], 0.0, style)!r}px", text)
        if not text:
            return None
        self._budget.spend(8 + 3 * text.count("("))
        result: Matrix = None
        try:
            result = transform(text, (box.width, box.height), css=bool(texts))
            if result is None or style["transform-origin"] == "0 0":
                return result
            x, y = origin(style["transform-origin"], box)
        except (ValueError, OverflowError):
            self.report(f"the transform {text[:40]!r} cannot be read, and is left out")
            return result
        return about(result, x, y)

    def _clipped(self, lines: list[Line], context: _Context) -> list[Line]:
        """Return what a `clip-path` leaves of some lines."""
        text, matrix = context.style["clip-path"].strip(), context.matrix
        self._budget.spend(20 + len(text) // 4)
        target = self._ids.get(reference(text)[0] or "")
        key = (target, context.area, None if matrix is None else matrix.tobytes())
        if target is not None and local_tag(target) == "clipPath":
            found = self._clips.get(key) or list(self._regions(target, lines, context))
            if target.attrib.keys() <= {"id"}:
                # Nothing in it refers to what is clipped.
                self._clips[key] = found
        elif shape := clip_shape(text, stroke_box(lines, matrix), self._tolerance(matrix)):
            found = [[Region(tuple(mapped(matrix, line) for line in shape[0]), shape[1])]]
        else:
            if not text.lower().startswith("url("):
                self.report(f"the clip-path {text[:40]!r} is none that is known, and is left out")
            return lines
        for regions in found:
            lines = [piece for line in lines for piece in self._cut(line, regions)]
        return lines

    def _cut(self, line: Line, regions: Sequence[Region]) -> Iterator[Line]:
        """Yield the pieces of a line within any of some regions."""
        self._budget.spend(4 * len(regions))
        whole = [region.side(line.points) for region in regions]
        if any(each is True for each in whole):
            yield line
            return
        near = [region for region, each in zip(regions, whole, strict=True) if each is None]
        if not near:
            return
        self._budget.spend(130 + pairs(line.points, near) // 100)
        for piece in clipped(line.points, near, self._budget.spend):
            yield line._replace(points=piece)

    def _regions(self, target: Element, lines: list[Line], context: _Context) -> Iterator[list[Region]]:
        """Yield the regions of a clipPath, in each of which a point must be; each by its shapes."""
        self._count(target)
        if context.depth > MAX_DEPTH:
            raise FormatError(f"a clip-path that refers to itself, or {MAX_DEPTH} deep")
        style = self._cascade.style(target, INHERITED)
        matrix = context.matrix
        if target.get("clipPathUnits", "").strip() == "objectBoundingBox":
            box = bounds(lines, matrix)
            unit = np.array([[box.width, 0.0, box.x], [0.0, box.height, box.y]])
            matrix = chained(matrix, unit)
        matrix = chained(matrix, self._transform(style, Box(0.0, 0.0, *context.area)))
        inner = context._replace(matrix=matrix, style=style, depth=context.depth + 1, opacity=1.0)
        found: list[Region] = []
        for child in target:
            shape, where = child, inner
            if local_tag(child) == "use":
                where = self._use_context(
                    child, inner._replace(style=self._cascade.style(child, inner.style, inner.scope))
                )
                shape = self._ids.get(href(child), child)
            if local_tag(shape) in SHAPES:
                found += self._region(shape, where)
        yield found
        if (outer := reference(style["clip-path"])[0]) in self._ids:
            yield from self._regions(self._ids[outer], lines, context._replace(depth=context.depth + 1))

    def _region(self, element: Element, context: _Context) -> list[Region]:
        """Return the inside of a shape of a clipPath, unless it is not displayed."""
        self._budget.spend(20)
        style = self._cascade.style(element, context.style, context.scope)
        if style["display"] == "none" or style["visibility"] != "visible":
            return []
        matrix = chained(context.matrix, self._transform(style, Box(0.0, 0.0, *context.area)))
        lines = self._outline(element, context._replace(matrix=matrix, style=style))
        return [Region(tuple(lines), style["clip-rule"] == "evenodd")] if lines else []

    # --- what is drawn -------------------------------------------------------------------------------------

    def _content(self, element: Element, tag: str, context: _Context, sized: Element | None) -> list[Line]:
        """Return the strokes of an element that is displayed, in the context of its content."""
        if tag in SHAPES:
            return self._shape(element, tag, context)
        if tag == "use":
            return self._use(element, context)
        if tag == "symbol" or (tag == "svg" and element is not self._root):
            return self._framed(element, element if sized is None else sized, context)
        children = list(element)
        if tag == "switch":
            children = [child for child in children if local_tag(child) and holds(child)][:1]
        return [line for child in children for line in self.lines(child, context)]

    def _use(self, element: Element, context: _Context) -> list[Line]:
        """Return the strokes that a `<use>` refers to, at its place; the depth limit ends a use of itself."""
        target = self._ids.get(href(element)) if href(element) else None
        if target is None:
            self.passed_over.add("use of something that is not in the file")
            return []
        return self.lines(target, self._use_context(element, context)._replace(scope=target), element)

    def _use_context(self, element: Element, context: _Context) -> _Context:
        """Return the context at the place of a `<use>`."""
        x = self._length(element.get("x"), context.area[0], context.style)
        y = self._length(element.get("y"), context.area[1], context.style)
        return context._replace(matrix=chained(context.matrix, shift(x, y)))

    def _framed(self, element: Element, sized: Element, context: _Context) -> list[Line]:
        """Return the strokes in a nested `<svg>` or a `<symbol>`, clipped to it; `sized` may set its size."""
        area = context.area
        self._budget.spend(30)

        def side(key: str, whole: float, default: float) -> float:
            text = sized.get(key) if key in sized.attrib else element.get(key)
            return self._length(text, whole, context.style, default)

        place = (
            self._length(element.get("x"), area[0], context.style),
            self._length(element.get("y"), area[1], context.style),
        )
        w, h = side("width", area[0], area[0]), side("height", area[1], area[1])
        if w <= 0 or h <= 0:
            return []
        matrix, inside = chained(context.matrix, shift(*place)), (w, h)
        frame = mapped(matrix, np.array([[0.0, 0.0], [w, 0.0], [w, h], [0.0, h], [0.0, 0.0]]))
        if (text := element.get("viewBox", "").strip()) not in ("", "none"):
            values, rest = read_numbers(text[:200], 5)
            if rest or len(values) != 4 or min(values[2:]) <= 0:
                self.report(f"the viewBox {text[:40]!r} of a nested {local_tag(element)} is none")
                return []
            matrix = chained(matrix, fitted(Box(*values), (w, h), element.get("preserveAspectRatio", "")))
            inside = values[2], values[3]
        within = context._replace(matrix=matrix, area=inside)
        lines = [line for child in element for line in self.lines(child, within)]
        if context.style["overflow"] in ("visible", "auto"):
            return lines
        return [piece for line in lines for piece in self._cut(line, [Region((frame,))])]

    def _shape(self, element: Element, tag: str, context: _Context) -> list[Line]:
        """Return the visible strokes of a shape on the page."""
        style, matrix = context.style, context.matrix
        if style["visibility"] != "visible":
            return []
        stroked, colour = paint(style, "stroke", self._paints)
        filled, tint = paint(style, "fill", self._paints)
        diagonal = math.hypot(*context.area) / math.sqrt(2)
        width = self._length(style["stroke-width"], diagonal, style, 1.0)
        has_stroke = stroked * context.opacity >= _FAINT and width > 0
        has_fill = filled * context.opacity >= _FAINT
        if not (has_stroke or has_fill):
            return []
        lines = self._outline(element, context)
        if not lines:
            self.passed_over.add(f"an empty {tag}")
        corners = element.get(MARK) != NODES
        if has_fill and not has_stroke:
            pen = style["stroke-linecap"] == "round"
            lines, width = self._filled(element, tag, lines, pen=pen)
            colour, corners = tint, corners and not width
        elif not has_fill:
            lines = self._stroked(tag, lines, dots=style["stroke-linecap"] != "butt")
        if (
            style["stroke-dasharray"] != "none"
            and has_stroke
            and not (has_fill and any(map(has_area, lines)))
        ):
            lines = self._dashed(element, lines, context)
        width *= stretch(matrix)[1] if has_stroke else 1.0
        widths = element.get(WIDTHS, "")
        return [Line(line, context.layer, colour, width, corners, widths) for line in lines]

    def _filled(
        self, element: Element, tag: str, lines: list[Points], *, pen: bool
    ) -> tuple[list[Points], float]:
        """Return the lines of a shape that is filled only, and the width of a pen where they are its lines.

        tldraw and Excalidraw mark the outlines of a pen by round caps (`pen`): dots and lines in pieces, too.
        """
        named = "background" in (element.get("id"), *element.get("class", "").split())
        if (tag == "rect" and named) or (len(lines) == 1 and covers(lines[0], self.page)):
            return [], 0.0
        lines = [closed(line) for line in lines if has_area(line)]
        brush = tag in ("path", "polygon") and (len(lines) == 1 or pen) and not AS_DRAWN.get()
        long = sum(len(line) >= MIN_POINTS for line in lines)
        if brush and long and self.brushes + long <= MAX_BRUSHES:
            self.brushes += long
            self._budget.spend(300 * long)
            found, width = middle_lines(lines, dots=pen)
            self.joined += len(found) if width else 0
            return found, width
        return lines, 0.0

    def _stroked(self, tag: str, lines: list[Points], *, dots: bool) -> list[Points]:
        """Return the lines of a shape that is stroked only; dots are shown by their caps."""
        lines = lines if dots else [line for line in lines if len(line) > 1]
        if tag == "path" and not AS_DRAWN.get() and self.doubles + len(lines) <= MAX_DOUBLES:
            self.doubles += len(lines) if len(lines) > 1 else 0
            self._budget.spend(20 * len(lines) if len(lines) > 1 else 0)
            single = without_doubles(lines)
            self.joined += len(lines) - len(single)
            return single
        return lines

    def _dashed(self, element: Element, lines: list[Points], context: _Context) -> list[Points]:
        """Return what a single dash shows of some lines; a line of many dashes is read as one."""
        style, diagonal = context.style, math.hypot(*context.area) / math.sqrt(2)
        words = style["stroke-dasharray"].replace(",", " ").split()[:_MAX_DASHES]
        dashes = [self._length(word, diagonal, style, -1.0) for word in words]
        # Lines that draw themselves are read as they are at the end.
        if style["animation"] != "none" or min(dashes, default=-1.0) < 0 or sum(dashes) <= 0:
            return lines
        offset = self._length(style["stroke-dashoffset"], diagonal, style)
        whole = self._length(element.get("pathLength"), 0.0, style)
        found: list[Points] = []
        for line in lines:
            self._budget.spend(20 + len(line) // 10)
            unit = travel(line) / whole if whole > 0 else stretch(context.matrix)[1]
            found += single_dash(line, [unit * each for each in dashes], unit * offset)
        return found

    def _outline(self, element: Element, context: _Context) -> list[Points]:
        """Return the lines of a shape on the page."""
        tag, matrix = local_tag(element), context.matrix
        tolerance = math.inf if element.get(MARK) == NODES else self._tolerance(matrix)
        styled = tuple((key, context.style[key]) for key in sorted(GEOMETRY & context.style.keys()))
        values = {**element.attrib, **dict(styled)} if styled else element.attrib
        font = float(context.style["font-size"]), self._rem
        key = (element, tolerance, context.area, styled, font)
        if (lines := self._outlines.get(key)) is None:
            self._budget.spend(cost(values.get("d", "")))
            lines = self._outlines[key] = outline(tag, values, context.area, tolerance, self.report, font)
        points = sum(map(len, lines))
        self._points += points
        self._strokes += len(lines)
        self._budget.spend(points // 2 + 5 * len(lines))
        if self._points > MAX_POINTS or self._strokes > MAX_STROKES:
            most = f"{MAX_POINTS} points or {MAX_STROKES} strokes"
            raise SketchError(f"more than {most} in one drawing; simplify it or split it")
        return [mapped(matrix, line) for line in lines]

    def _length(self, text: str | None, whole: float, style: Style, default: float = 0.0) -> float:
        """Return a length in user units; `whole` is what percentages refer to."""
        return length(text, whole, self.report, default, (float(style["font-size"]), self._rem))

    def _tolerance(self, matrix: Matrix) -> float | None:
        """Return how far a flattened curve may be from the curve, before a map."""
        scale = stretch(matrix)[0]
        return self.page.longer * _TOLERANCE / scale if self.page and scale > 0 else None


def _layer(element: Element, context: _Context) -> str | None:
    """Return the name of the layer that an element begins or is on."""
    if element.get(f"{_INKSCAPE}groupmode") == "layer":
        return (element.get(f"{_INKSCAPE}label") or element.get("id") or "layer")[:100]
    return context.layer
