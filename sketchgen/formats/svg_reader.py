"""Read the strokes of SVG files, in the units of the viewBox; a file can neither reach out nor run away.

Strokes are all visible paths, polylines, polygons, lines, rects, circles and ellipses, filled or stroked (a
filled shape is read as its outline). Straight lines keep their points. Curves are flattened, except those of
`svg_writer`, whose nodes are read. tldraw and Excalidraw write the lines of a pen as filled outlines, without
a stroke, but with `stroke-linecap="round"`: of these the middle lines are read.
Not read are hidden elements (`display`, `visibility`, neither fill nor stroke), unused definitions, clip
paths, masks, text, images, scripts, elements of class or id `background`, and filled rectangles as large as
the page.
Animation is ignored. Of style sheets only the selectors `*`, a tag, `.class` and `#id` count.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import numpy as np
import svgelements
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from numpy.typing import NDArray

from sketchgen.errors import FormatError, SettingError, SketchError
from sketchgen.formats.pen_outlines import middle_lines
from sketchgen.formats.svg_shapes import PPI, SHAPES, length, numbers, outline, path_cost
from sketchgen.formats.svg_writer import MARK, NODES, SHOW, StrokeStyle
from sketchgen.sketch.files import MAX_BYTES
from sketchgen.sketch.sketch import MAX_POINTS, Box, Points, Sketch

MAX_ELEMENTS = 50_000
"""Maximum number of elements, each use of a definition counted."""

MAX_PENS = 2_000
"""Maximum number of outlines of a pen of which the middle lines are found, about 2 ms each."""

MAX_DEPTH = 64
"""Maximum nesting of groups and uses."""

_TOLERANCE = 1 / 2000
"""Maximum distance of a flattened curve from the curve, as a share of the longer side of the page."""

_Matrix = NDArray[np.float64] | None
"""A map [[a, c, e], [b, d, f]], or None for the identity."""

_CONTAINERS = frozenset({"svg", "g", "a", "switch"})
_STYLED = ("display", "visibility", "fill", "stroke", "stroke-width", "stroke-linecap", "opacity")
_INVISIBLE = ("none", "transparent")
_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")


@dataclass(frozen=True)
class _Context:
    """What an element inherits: matrix, style, depth, and viewport size."""

    matrix: _Matrix = None
    style: Mapping[str, str] = field(default_factory=lambda: {"fill": "black", "stroke": "none"})
    depth: int = 0
    area: tuple[float, float] = (300.0, 150.0)


def parse_svg(text: str | bytes, name: str = "SVG") -> Sketch:
    """Return the strokes of an SVG text.

    Args:
        text: the content of a file, at most `MAX_BYTES`.
        name: what errors call it.

    Returns:
        A drawing in user units. Its page is the viewBox, or else width and height, or else unknown. An SVG
        without any content is an empty drawing.

    Raises:
        FormatError: empty, not SVG, not well-formed; entities or a DTD in its DOCTYPE; shapes that cannot be
            read; no strokes, but other content; nested or used without bounds.
        SketchError: too many points, or a point that is not finite or too far away.
    """
    return parse_styled_svg(text, name)[0]


def parse_styled_svg(text: str | bytes, name: str = "SVG") -> tuple[Sketch, list[StrokeStyle]]:
    """Return `parse_svg`, and the style of each stroke.

    Colours are as written, of strokes or else of what is filled; widths are those that a file states. All
    points are corners, but those of curves whose nodes are read.
    """
    root = _parse_xml(text, name)
    try:
        page = _page(root)
        reader = _Reader(root, page)
        strokes = reader.strokes(root, reader.start)
        sketch = Sketch.from_strokes(strokes, page=page, category=root.get("data-category"))
    except (FormatError, SketchError) as error:
        raise type(error)(f"{name}: {error}") from error
    if sketch.is_empty and reader.passed_over:
        held = ", ".join(sorted(reader.passed_over)[:4])
        raise FormatError(f"{name} holds no strokes to read, only {held}; convert it to paths")
    return sketch, reader.styles


class _Parser(ElementTree.DefusedXMLParser):
    """A parser that allows a DOCTYPE with the name of a DTD, which is never fetched, but no internal DTD.

    Not only entities are dangerous: attribute defaults of an internal DTD can blow up a file as well.
    """

    def defused_start_doctype_decl(
        self, name: str, sysid: str | None, pubid: str | None, has_internal_subset: bool | int
    ) -> None:
        """Handle the start of a DOCTYPE; called by expat."""
        if has_internal_subset:
            super().defused_start_doctype_decl(name, sysid, pubid, True)


def _parse_xml(text: str | bytes, name: str) -> Element:
    """Return the root element of an SVG text."""
    text = text.strip()
    text = text.removeprefix("\ufeff") if isinstance(text, str) else text
    if len(text) > MAX_BYTES or not text:
        fault = f"larger than {MAX_BYTES // 2**20} MB; simplify the drawing" if text else "empty"
        raise FormatError(f"{name} is {fault}")
    try:
        parser = _Parser(target=TreeBuilder(), forbid_dtd=True)
        parser.feed(text)
        root = parser.close()
    except DefusedXmlException as error:
        raise FormatError(
            f"{name} declares entities or a DTD of its own in its DOCTYPE, which is refused; save it without"
        ) from error
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise FormatError(f"{name} is not SVG: {str(error).splitlines()[0][:80]}") from error
    if _tag(root) != "svg":
        raise FormatError(f"{name} is not SVG: its root element is <{_tag(root)[:40]}>")
    return root


def _tag(element: Element) -> str:
    """Return the local name of an SVG element; "" for comments and elements of other namespaces."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    space, _, local = tag.rpartition("}")
    return local if not space or "w3.org/2000/svg" in space else ""


def _page(root: Element) -> Box | None:
    """Return the viewBox, or else width and height in px, or else None."""
    if (view := root.get("viewBox", "").strip()) not in ("", "none"):
        return _view_box(view)
    sides = [root.get(side, "") for side in ("width", "height")]
    if any(not side.strip() or "%" in side or side.strip() == "auto" for side in sides):
        return None
    width, height = (length(side, 0.0) for side in sides)
    return Box(0.0, 0.0, width, height) if width > 0 and height > 0 else None


def _view_box(text: str) -> Box:
    """Return a parsed viewBox."""
    values = numbers(text[:200])
    if len(values) != 4 or not (values[2] > 0 and values[3] > 0):
        raise FormatError(f"viewBox is {text[:40]!r}; it needs x, y, and a width and height above 0")
    return Box(*values)


def _declarations(text: str) -> dict[str, str]:
    """Return the relevant declarations of a text such as "fill: none; stroke: red"; the last one wins."""
    pairs = (part.partition(":") for part in text.split(";"))
    values = ((key.strip().lower(), value.replace("!important", "").strip()) for key, _, value in pairs)
    return {key: value for key, value in values if key in _STYLED}


def _rules(root: Element) -> dict[str, dict[str, str]]:
    """Return the plain rules of the style sheets, by selector; a regular expression might hang."""
    rules: dict[str, dict[str, str]] = {}
    for element in root.iter():
        if _tag(element) != "style" or not element.text:
            continue
        pieces = element.text.split("/*")
        sheet = pieces[0] + "".join(piece.partition("*/")[2] for piece in pieces[1:])
        for block in sheet.split("}"):
            selectors, _, body = block.partition("{")
            values = _declarations(body)
            for selector in selectors.split(",") if values else ():
                rules.setdefault(selector.strip(), {}).update(values)
    return rules


def _matrix(text: str, area: tuple[float, float]) -> _Matrix:
    """Return a `transform`."""
    try:
        matrix: Any = svgelements.Matrix(text)
        matrix.render(ppi=PPI, width=area[0], height=area[1])
        values = [float(value) for value in (matrix.a, matrix.c, matrix.e, matrix.b, matrix.d, matrix.f)]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise FormatError(f"the transform {text[:40]!r} cannot be read") from error
    if not all(math.isfinite(value) for value in values):
        raise FormatError(f"the transform {text[:40]!r} is not finite")
    result = np.array(values).reshape(2, 3)
    return None if np.array_equal(result, np.eye(2, 3)) else result


def _chained(outer: _Matrix, inner: _Matrix) -> _Matrix:
    """Return the composition of two maps, `inner` first."""
    if outer is None or inner is None:
        return inner if outer is None else outer
    return outer @ np.vstack([inner, [0.0, 0.0, 1.0]])


def _stroke_style(style: Mapping[str, str], scale: float, *, corners: bool) -> StrokeStyle:
    """Return the style of a shape whose units are `scale` of the page's; what cannot be read is left out."""
    width = None
    with contextlib.suppress(FormatError):
        width = length(style.get("stroke-width"), 0.0) * scale or None
    colour = style["stroke"] if style["stroke"] not in _INVISIBLE else style["fill"]
    try:
        return StrokeStyle(colour, width, corners)
    except SettingError:
        return StrokeStyle(corners=corners)


class _Reader:
    """Walks the elements of a file and counts them."""

    def __init__(self, root: Element, page: Box | None) -> None:
        """Collect ids and style rules of `root`."""
        self.page = page
        self.start = _Context(area=(page.width, page.height) if page else (300.0, 150.0))
        self.passed_over: set[str] = set()
        self.styles: list[StrokeStyle] = []
        self._ids = {node.get("id"): node for node in root.iter() if node.get("id")}
        self._rules = _rules(root)
        self._root = root
        self._elements = self._segments = self._characters = self._pens = 0

    def strokes(self, element: Element, context: _Context) -> Iterator[Points]:
        """Yield the strokes of an element and its children, in drawing order, on the page."""
        self._elements += 1
        self._characters += sum(len(value) for value in element.attrib.values())
        # Characters, too: a use is short, but it may repeat megabytes that have not a single point.
        if self._elements > MAX_ELEMENTS or self._characters > 2 * MAX_BYTES:
            raise FormatError(f"more than {MAX_ELEMENTS} elements (uses counted); simplify the drawing")
        if context.depth > MAX_DEPTH:
            raise FormatError(f"nested or used more than {MAX_DEPTH} deep; ungroup the drawing")
        tag = _tag(element)
        if tag in _CONTAINERS or tag == "use" or tag in SHAPES:
            context = self._inherit(element, tag, context)
            opacity = context.style.get("opacity")
            if context.style.get("display") != "none" and opacity not in ("0", "0.0", "0%"):
                yield from self._shown(element, tag, context)
        elif tag in ("text", "image", "foreignObject"):
            self.passed_over.add(tag)

    def _shown(self, element: Element, tag: str, context: _Context) -> Iterator[Points]:
        """Yield the strokes of an element that is displayed."""
        names = element.get("id"), *element.get("class", "").split()
        if "background" in names or element.get(MARK) == SHOW:
            return
        if tag in SHAPES:
            yield from self._shape(element, tag, context)
        elif tag == "use":
            yield from self._use(element, context)
        else:
            if tag == "svg" and element is not self._root:
                context = self._framed(element, element, context)
            for child in element:
                yield from self.strokes(child, context)

    def _inherit(self, element: Element, tag: str, context: _Context) -> _Context:
        """Return the context with the element's own transform and style."""
        own = {key: value for key in _STYLED if (value := element.get(key)) is not None}
        if self._rules:
            for selector in ("*", tag, *(f".{name}" for name in element.get("class", "").split())):
                own.update(self._rules.get(selector, {}))
            own.update(self._rules.get(f"#{element.get('id')}", {}))
        own.update(_declarations(element.get("style", "")))
        own = {key: value.strip().lower() for key, value in own.items() if value.strip() != "inherit"}
        matrix = context.matrix
        if transform := element.get("transform"):
            matrix = _chained(matrix, _matrix(transform, context.area))
        # Opacity and display are not inherited, but the children of a hidden group are never visited.
        return replace(context, matrix=matrix, style={**context.style, **own}, depth=context.depth + 1)

    def _use(self, element: Element, context: _Context) -> Iterator[Points]:
        """Yield the strokes that a `<use>` refers to, at its place; the depth limit ends a use of itself."""
        reference = next((value for key in _HREFS if (value := element.get(key))), "")
        target = self._ids.get(reference[1:]) if reference.startswith("#") else None
        if target is None:
            self.passed_over.add("use of something that is not in the file")
            return
        x, y = length(element.get("x"), context.area[0]), length(element.get("y"), context.area[1])
        if x or y:
            context = replace(context, matrix=_chained(context.matrix, np.array([[1, 0, x], [0, 1, y]])))
        if _tag(target) == "symbol":
            context = self._framed(target, element, self._inherit(target, "symbol", context))
            for child in target:
                yield from self.strokes(child, context)
        else:
            yield from self.strokes(target, context)

    def _framed(self, element: Element, sized: Element, context: _Context) -> _Context:
        """Return the context in a nested `<svg>` or a `<symbol>`; `sized` has its width and height."""
        area = context.area
        x, y = length(element.get("x"), area[0]), length(element.get("y"), area[1])
        w, h = length(sized.get("width"), area[0], area[0]), length(sized.get("height"), area[1], area[1])
        if not (view := element.get("viewBox")):
            inner = np.array([[1.0, 0.0, x], [0.0, 1.0, y]]) if x or y else None
            return replace(context, matrix=_chained(context.matrix, inner), area=(w, h))
        box, fit = _view_box(view), element.get("preserveAspectRatio")
        if w <= 0 or h <= 0:
            raise FormatError("a nested svg has no width or no height")
        text = svgelements.Viewbox.viewbox_transform(x, y, w, h, box.x, box.y, box.width, box.height, fit)
        matrix = _chained(context.matrix, _matrix(text, area))
        return replace(context, matrix=matrix, area=(box.width, box.height))

    def _shape(self, element: Element, tag: str, context: _Context) -> Iterable[Points]:
        """Return the strokes of a shape on the page, if it is visible."""
        style, matrix = context.style, context.matrix
        filled, stroked = (style[key] not in _INVISIBLE for key in ("fill", "stroke"))
        if style.get("visibility") in ("hidden", "collapse") or not (filled or stroked):
            return []
        scale = 1.0 if matrix is None else float(np.linalg.norm(matrix[:, :2], 2))
        tolerance = self.page.longer * _TOLERANCE / scale if self.page and scale > 0 else None
        self._segments += path_cost(element.get("d", "")) if tag == "path" else 0
        if element.get(MARK) == NODES:
            tolerance = math.inf
        if self._segments > 2 * MAX_POINTS:
            raise SketchError(f"more than {MAX_POINTS} points in one drawing; simplify it or split it")
        lines = outline(tag, element.attrib, context.area, tolerance)
        if matrix is not None:
            lines = [line @ matrix[:, :2].T + matrix[:, 2] for line in lines]
        if not lines:
            self.passed_over.add(f"an empty {tag}")
        if tag == "rect" and not stroked and lines and self._covers_page(lines[0]):
            return []
        own = _stroke_style(style, scale, corners=element.get(MARK) != NODES)
        if tag == "path" and not stroked and style.get("stroke-linecap") == "round":
            self._pens += len(lines)
            if self._pens > MAX_PENS:
                raise FormatError(f"more than {MAX_PENS} lines of a pen as outlines; simplify the drawing")
            lines, width = middle_lines(lines)
            own = replace(own, width=width, corners=False) if width else own
        self.styles += [own] * len(lines)
        return lines

    def _covers_page(self, points: Points) -> bool:
        """Return whether a rectangle is as large as the page, to a hundredth of it."""
        if (page := self.page) is None:
            return False
        slack, low, high = page.longer / 100, points.min(axis=0), points.max(axis=0)
        corner = np.array([page.x, page.y])
        return bool((low <= corner + slack).all() and (high >= corner + page[2:] - slack).all())
