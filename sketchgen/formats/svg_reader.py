"""Read the strokes of SVG files, in the units of the viewBox; a file can neither reach out nor run away.

Strokes are the paths, polylines, polygons, lines, rects, circles and ellipses that a browser shows, filled or
stroked. A filled shape is read as its outline, that of a brush stroke as its middle line; a line drawn
twice, as in a rough style, is read once. Straight lines keep their points. Curves are flattened, except those
of `svg_writer`, whose nodes are read. A line that its dashes show once is read as that piece, a line of many
dashes as one.
Not read are what is invisible by its style, clipped away or wholly off the page, fills that cover the page,
scripts, and animation; nor, with a warning, masks, markers, text and images. A broken element is read as far
as browsers draw it, with a warning.
"""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import FormatError, FormatNote, FormatWarning, SettingError, SketchError
from sketchgen.formats.svg_lines import Line
from sketchgen.formats.svg_path import read_numbers
from sketchgen.formats.svg_transform import Matrix, fitted, length
from sketchgen.formats.svg_walker import AS_DRAWN, LEFT_OUT, Walker
from sketchgen.formats.svg_writer import MARK, WHOLE, StrokeStyle
from sketchgen.formats.svg_xml import parse_xml
from sketchgen.sketch.sketch import Box, Layer, Sheet, Sketch

__all__ = ["AS_DRAWN", "parse_styled_svg", "parse_svg"]

_PHYSICAL = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})(mm|cm|in|pt|pc|q)\s*", re.IGNORECASE)


def parse_svg(text: str | bytes, name: str = "SVG") -> Sketch:
    """Return the strokes of an SVG text.

    Args:
        text: the content of a file, at most `MAX_BYTES`.
        name: what errors call it.

    Returns:
        A drawing in user units. Its page is the viewBox, or else width and height, or else unknown. Its sheet
        has the physical size and Inkscape's layers, if there are any. An SVG without any content is an empty
        drawing.

    Raises:
        FormatError: empty, not SVG, not well-formed; a DOCTYPE that declares more than namespaces; no
            strokes, but other content; nested, used, styled or clipped without bounds.
        SketchError: too many points, or a point that is too far away.

    Warns:
        FormatWarning: an element that is broken is left out, or drawn up to the fault; text or the like is
            left out.
        FormatNote: brush strokes or doubled lines are read as one line each; see `AS_DRAWN`.
    """
    return parse_styled_svg(text, name)[0]


# What overflows is not finite, and refused as a point that is too far away.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def parse_styled_svg(text: str | bytes, name: str = "SVG") -> tuple[Sketch, list[StrokeStyle]]:
    """Return `parse_svg`, and the style of each stroke: colours as written, widths in units of the page."""
    root = parse_xml(text, name)
    try:
        page, view, matrix = _page(root)
        reader = Walker(root, page)
        start = reader.start
        if view is not None:
            start = start._replace(matrix=matrix, area=(view.width, view.height))
        lines = _on_page(list(reader.lines(root, start)), None if root.get(MARK) == WHOLE else page)
        strokes, category = [line.points for line in lines], root.get("data-category")
        sketch = Sketch.from_strokes(strokes, page=page, category=category, sheet=_sheet(root, lines))
    except (FormatError, SketchError) as error:
        raise type(error)(f"{name}: {error}") from error
    except (ArithmeticError, np.linalg.LinAlgError) as error:
        raise SketchError(f"{name}: a number in it is too large or too small to compute with") from error
    except RecursionError as error:
        raise FormatError(f"{name}: brackets nested too deep in its style sheet; simplify it") from error
    if sketch.is_empty and reader.faults:
        raise FormatError(f"{name} holds no strokes: {next(iter(reader.faults))}")
    if sketch.is_empty and reader.passed_over:
        held = ", ".join(sorted(reader.passed_over)[:4])
        raise FormatError(f"{name} holds no strokes to read, only {held}; convert it to paths")
    if reader.joined:
        words = "lines that are drawn as two, outlines of brush strokes or doubled ones, are read as one each"
        warnings.warn(FormatNote(f"{name}: {reader.joined} {words}; --as-drawn keeps them"), stacklevel=2)
    if left_out := sorted(LEFT_OUT & reader.passed_over):
        warnings.warn(FormatWarning(f"{name}: left out: {', '.join(left_out)}"), stacklevel=2)
    for fault in reader.faults:
        warnings.warn(FormatWarning(f"{name}: {fault}"), stacklevel=2)
    return sketch, [_style(line) for line in lines]


def _style(line: Line) -> StrokeStyle:
    """Return the style of a stroke; a colour that is none is left out, and widths of other points."""
    widths, rest = read_numbers(line.widths, len(line.points) + 1)
    pressed = not rest and len(widths) == len(line.points) and min(widths) > 0
    width = line.width / min(widths) if pressed else line.width
    try:
        return StrokeStyle(line.colour, width or None, line.corners, tuple(widths) if pressed else ())
    except SettingError:
        return StrokeStyle(corners=line.corners)


def _page(root: Element) -> tuple[Box | None, Box | None, Matrix]:
    """Return the page, the viewBox and the map from it to the page.

    The page is the viewBox, or else width and height in px, or else None; it is width and height, too, where
    the viewBox is stretched or cut to them.
    """
    sides = [root.get(side, "") for side in ("width", "height")]
    size: Box | None = None
    if not any(not side.strip() or "%" in side or side.strip() == "auto" for side in sides):
        width, height = (length(side, 0.0, lambda fault: None) for side in sides)
        size = Box(0.0, 0.0, width, height) if width > 0 and height > 0 else None
    if (text := root.get("viewBox", "").strip()) in ("", "none"):
        return size, None, None
    values, rest = read_numbers(text[:200], 5)
    if rest or len(values) != 4 or not (values[2] > 0 and values[3] > 0):
        raise FormatError(f"viewBox is {text[:40]!r}; it needs x, y, and a width and height above 0")
    view, fit = Box(*values), root.get("preserveAspectRatio", "").split()
    like = size is None or abs(size.width * view.height / (size.height * view.width) - 1) < 1e-3
    if size is None or like or not {"none", "slice"}.intersection(fit):
        return view, view, None
    return size, view, fitted(view, (size.width, size.height), " ".join(fit))


def _sheet(root: Element, lines: Sequence[Line]) -> Sheet | None:
    """Return physical size and layers of a file; None if it has neither."""
    sides = [root.get(side, "") for side in ("width", "height")]
    physical = all(_PHYSICAL.fullmatch(side) and float(_PHYSICAL.fullmatch(side)[1]) > 0 for side in sides)  # type: ignore[index]
    size = (sides[0].strip(), sides[1].strip()) if physical else None
    if size is None and all(line.layer is None for line in lines):
        return None
    layers = [
        Layer(name, tuple(line.colour for line in group))
        for name, group in itertools.groupby(lines, key=lambda line: line.layer)
    ]
    widths = [line.width for line in lines if line.width]
    return Sheet(size, tuple(layers), float(np.median(widths)) if widths else None)


def _on_page(lines: Sequence[Line], page: Box | None) -> list[Line]:
    """Return the lines that are at least in part on the page."""
    if page is None or not lines:
        return list(lines)
    starts = np.cumsum([0, *(len(line.points) for line in lines[:-1])])
    points = np.concatenate([line.points for line in lines])
    off: NDArray[np.bool_] = np.minimum.reduceat(points, starts) > np.add(page[:2], page[2:])
    off |= np.maximum.reduceat(points, starts) < page[:2]
    return [line for line, away in zip(lines, np.logical_or.reduce(off, axis=1), strict=True) if not away]
