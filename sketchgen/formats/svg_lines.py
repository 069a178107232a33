"""A visible stroke of an SVG file, and the bounds of some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sketchgen.formats.svg_transform import Matrix, inverse, mapped, stretch
from sketchgen.sketch.sketch import Box, Points


class Line(NamedTuple):
    """A visible stroke on the page.

    Attributes:
        points: (n, 2) on the page.
        layer: that it is on.
        colour: of the stroke, or else of the fill.
        width: of the line, in units of the page; 0 for a fill.
        corners: whether all points are corners, unlike those of curves whose nodes are read and of a pen.
        widths: under a pen's pressure, as `sketchgen.formats.svg_writer.WIDTHS`.
    """

    points: Points
    layer: str | None = None
    colour: str | None = None
    width: float = 0.0
    corners: bool = True
    widths: str = ""


def bounds(lines: Sequence[Line], matrix: Matrix) -> Box:
    """Return the bounds of lines on the page in the coordinates that `matrix` maps there."""
    if not lines:
        return Box(0.0, 0.0, 0.0, 0.0)
    points = mapped(inverse(matrix), np.concatenate([line.points for line in lines]))
    low, high = points.min(axis=0), points.max(axis=0)
    return Box(*low.tolist(), *(high - low).tolist())


def stroke_box(lines: Sequence[Line], matrix: Matrix) -> Box:
    """Return `bounds` with the widths of the lines."""
    x, y, width, height = bounds(lines, matrix)
    scale = stretch(matrix)[1]
    pen = max((line.width for line in lines), default=0.0) / scale if scale > 0 else 0.0
    return Box(x - pen / 2, y - pen / 2, width + pen, height + pen)
