"""SVG's basic shapes as polylines: corners are exact, curves are flattened within a tolerance."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from sketchgen.formats.svg_path import MAX_PIECES, ROUGHNESS, Report, path_lines, read_numbers
from sketchgen.formats.svg_transform import Area, length
from sketchgen.sketch.sketch import MAX_POINTS, Points

SHAPES = frozenset({"path", "polyline", "polygon", "line", "rect", "circle", "ellipse"})
"""Elements with lines of their own."""

_CSS_PATH = re.compile(r"path\(\s*[\"'](.*)[\"']\s*\)", re.DOTALL)


def outline(
    tag: str, values: Mapping[str, str], area: Area, tolerance: float | None, report: Report
) -> list[Points]:
    """Return the lines of a shape in its own coordinates, each (n, 2).

    Args:
        tag: one of `SHAPES`.
        values: the element's attributes.
        area: width and height that percentages refer to.
        tolerance: maximum distance of a flattened curve from the curve, in the shape's units; None for a
            share of its extent.
        report: called with what is wrong; browsers draw a path up to there, and no polygon.
    """
    if tag == "path":
        match = _CSS_PATH.fullmatch(text := values.get("d", "").strip())
        return path_lines(match[1] if match else text, tolerance, report)
    if tag in ("polyline", "polygon"):
        flat, rest = read_numbers(values.get("points", ""), 2 * MAX_POINTS + 2)
        if rest:
            report(f"{rest.split()[0][:40]!r} stands where numbers should; the {tag} is left out")
            return []
        # A last x without a y is dropped, as in browsers.
        points = np.array(flat[: len(flat) // 2 * 2], dtype=np.float64).reshape(-1, 2)
        points = _closed(points) if tag == "polygon" else points
        return [points] if len(points) else []

    def side(key: str, default: float = 0.0) -> float:
        return length(values.get(key), area[key in ("y", "cy", "ry", "height", "y1", "y2")], report, default)

    if tag == "line":
        return [np.array([[side("x1"), side("y1")], [side("x2"), side("y2")]])]
    if tag == "rect":
        corner, sides = (side("x"), side("y")), (side("width"), side("height"))
        return _rect(*corner, *sides, side("rx", -1.0), side("ry", -1.0), tolerance)
    both = length(values.get("r"), math.hypot(*area) / math.sqrt(2), report) if tag == "circle" else 0.0
    rx, ry = (both, both) if tag == "circle" else (side("rx", -1.0), side("ry", -1.0))
    rx, ry = rx if rx >= 0 else ry, ry if ry >= 0 else rx
    return [_ellipse(side("cx"), side("cy"), rx, ry, tolerance)] if rx > 0 and ry > 0 else []


def _closed(points: Points) -> Points:
    """Return the points, with the first one repeated at the end unless it is there."""
    if len(points) > 1 and not np.array_equal(points[0], points[-1]):
        return np.concatenate([points, points[:1]])
    return points


def _rect(
    x: float, y: float, w: float, h: float, rx: float, ry: float, tolerance: float | None
) -> list[Points]:
    """Return four corners, or four sides and four quarter ellipses; negative radii are not given."""
    if w <= 0 or h <= 0:
        return []
    rx, ry = min(rx if rx >= 0 else max(ry, 0.0), w / 2), min(ry if ry >= 0 else max(rx, 0.0), h / 2)
    if rx == 0 or ry == 0:
        return [np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]])]
    arc = f"a{rx!r},{ry!r} 0 0 1 "
    inner_w, inner_h = w - 2 * rx, h - 2 * ry
    text = (
        f"M{x + rx!r},{y!r}h{inner_w!r}{arc}{rx!r},{ry!r}v{inner_h!r}{arc}{-rx!r},{ry!r}"
        f"h{-inner_w!r}{arc}{-rx!r},{-ry!r}v{-inner_h!r}{arc}{rx!r},{-ry!r}z"
    )
    return path_lines(text, tolerance, lambda fault: None)


def _ellipse(x: float, y: float, rx: float, ry: float, tolerance: float | None) -> Points:
    """Return an ellipse, clockwise from its rightmost point, closed."""
    radius = max(rx, ry)
    share = min(max((tolerance or 2 * radius * ROUGHNESS) / radius, 1e-7), 1.0)
    count = min(max(math.ceil(math.pi / math.acos(1 - share)), 8), MAX_PIECES)
    angles = np.linspace(0.0, 2 * math.pi, count + 1)
    points = np.column_stack([np.cos(angles) * rx, np.sin(angles) * ry])
    points[-1] = points[0]
    return points + np.array([x, y])
