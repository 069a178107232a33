"""SVG's basic shapes as polylines: corners are exact, curves are flattened within a tolerance."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import svgelements

from sketchgen.errors import FormatError, SketchError
from sketchgen.sketch.sketch import MAX_POINTS, Points

PPI = 96.0
"""CSS px in an inch."""

SHAPES = frozenset({"path", "polyline", "polygon", "line", "rect", "circle", "ellipse"})
"""Elements with lines of their own."""

MAX_PIECES = 4096
"""Maximum number of straight pieces of a curve."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_Area = tuple[float, float]

_ROUGHNESS = 1 / 500
"""Tolerance as a share of the extent of a curve, if there is no page."""


def length(text: str | None, whole: float, default: float = 0.0) -> float:
    """Return an SVG length ("3mm", "10%", "7") in user units; percentages are of `whole`."""
    if text is None or text.strip() in ("", "auto"):
        return default
    if not _NUMBER.match(text.strip()):
        raise FormatError(f"{text[:40]!r} is not a length")
    value = float(svgelements.Length(text.strip()).value(ppi=PPI, relative_length=whole))
    if not math.isfinite(value):
        raise FormatError(f"{text[:40]!r} is not a finite length")
    return value


def numbers(text: str) -> list[float]:
    """Return all numbers in a text such as `points` or `viewBox`, each the nearest float64."""
    rest = _NUMBER.sub(" ", text).replace(",", " ").strip()
    if rest:
        raise FormatError(f"{rest.split()[0][:40]!r} stands where numbers should")
    return [float(value) for value in _NUMBER.findall(text)]


def outline(tag: str, values: Mapping[str, str], area: _Area, tolerance: float | None) -> list[Points]:
    """Return the lines of a shape in its own coordinates, each (n, 2).

    Args:
        tag: one of `SHAPES`.
        values: the element's attributes.
        area: width and height that percentages refer to.
        tolerance: maximum distance of a flattened curve from the curve, in the shape's units; None for a
            share of its extent.
    """
    if tag == "path":
        return path_lines(values.get("d", ""), tolerance)
    if tag in ("polyline", "polygon"):
        flat = numbers(values.get("points", ""))
        # A last x without a y is dropped, as in browsers.
        points = np.array(flat[: len(flat) // 2 * 2], dtype=np.float64).reshape(-1, 2)
        points = _closed(points) if tag == "polygon" else points
        return [points] if len(points) else []
    if tag == "line":
        x1, y1, x2, y2 = (length(values.get(key), area[key[0] == "y"]) for key in ("x1", "y1", "x2", "y2"))
        return [np.array([[x1, y1], [x2, y2]])]
    return (_rect if tag == "rect" else _ellipse)(values, area, tolerance)


def _closed(points: Points) -> Points:
    """Return the points, with the first one repeated at the end unless it is there."""
    if len(points) > 1 and not np.array_equal(points[0], points[-1]):
        return np.concatenate([points, points[:1]])
    return points


def _rect(values: Mapping[str, str], area: _Area, tolerance: float | None) -> list[Points]:
    """Return four corners, or four sides and four quarter ellipses."""
    x, y = length(values.get("x"), area[0]), length(values.get("y"), area[1])
    w, h = length(values.get("width"), area[0]), length(values.get("height"), area[1])
    if w <= 0 or h <= 0:
        return []
    rx, ry = length(values.get("rx"), area[0], -1.0), length(values.get("ry"), area[1], -1.0)
    rx, ry = min(rx if rx >= 0 else max(ry, 0.0), w / 2), min(ry if ry >= 0 else max(rx, 0.0), h / 2)
    if rx == 0 or ry == 0:
        return [np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]])]
    arc = f"a{rx!r},{ry!r} 0 0 1 "
    inner_w, inner_h = w - 2 * rx, h - 2 * ry
    text = (
        f"M{x + rx!r},{y!r}h{inner_w!r}{arc}{rx!r},{ry!r}v{inner_h!r}{arc}{-rx!r},{ry!r}"
        f"h{-inner_w!r}{arc}{-rx!r},{-ry!r}v{-inner_h!r}{arc}{rx!r},{-ry!r}z"
    )
    return path_lines(text, tolerance)


def _ellipse(values: Mapping[str, str], area: _Area, tolerance: float | None) -> list[Points]:
    """Return a circle or an ellipse, clockwise from its rightmost point, closed."""
    both = length(values.get("r"), math.hypot(*area) / math.sqrt(2))
    rx, ry = length(values.get("rx"), area[0], both), length(values.get("ry"), area[1], both)
    if rx <= 0 or ry <= 0:
        return []
    count = max(_arc_pieces(rx, ry, 2 * math.pi, tolerance), 8)
    angles = np.linspace(0.0, 2 * math.pi, count + 1)
    points = np.column_stack([np.cos(angles) * rx, np.sin(angles) * ry])
    points[-1] = points[0]
    centre = length(values.get("cx"), area[0]), length(values.get("cy"), area[1])
    return [points + centre]


def path_cost(text: str) -> int:
    """Estimate the number of segments of a path's `d` without parsing; at most a few times too low."""
    letters = sum(text.count(letter) for letter in "MmLlHhVvCcSsQqTtAaZz")
    curved = any(letter in text for letter in "CcSsQqTtAa")
    return max(letters, sum(1 for _ in _NUMBER.finditer(text)) // (7 if curved else 2))


def path_lines(text: str, tolerance: float | None = None) -> list[Points]:
    """Return the subpaths of a path's `d`, each (n, 2); one without length is a point, a lone "M" nothing."""
    try:
        # svgelements raises whatever the arithmetic on broken numbers raises.
        segments = list(svgelements.Path(text).segments(transformed=False))
        lines = _subpaths(segments, tolerance)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"the path {text[:40]!r} cannot be read; is it cut off?") from error
    return [points[:1] if (points == points[0]).all() else points for points in lines]


def _subpaths(segments: list[Any], tolerance: float | None) -> list[Points]:
    """Return the points of the segments of a path, split where the pen moves."""
    lines: list[Points] = []
    pieces: list[Points] = []
    total = 0
    for segment in segments:
        if isinstance(segment, svgelements.Move):
            lines += [np.concatenate(pieces)] if pieces else []
            pieces = []
            continue
        if not pieces:
            # A path that continues after "z" starts a new line at the old start.
            pieces.append(np.array([[segment.start.x, segment.start.y]]))
        pieces.append(_flat(segment, tolerance))
        total += len(pieces[-1])
        if total > MAX_POINTS:
            raise SketchError(f"more than {MAX_POINTS} points in one path; simplify it or split it")
        if isinstance(segment, svgelements.Close):
            lines.append(_closed(np.concatenate(pieces[:-1])))
            pieces = []
    return lines + ([np.concatenate(pieces)] if pieces else [])


def _flat(segment: Any, tolerance: float | None) -> Points:
    """Return the (n, 2) points of a segment after its start; the last one is its exact end."""
    end = segment.end if segment.end is not None else segment.start
    last = np.array([[end.x, end.y]])
    if isinstance(segment, svgelements.Arc):
        rx, ry, sweep = (float(value or 0.0) for value in (segment.rx, segment.ry, segment.sweep))
        count = _arc_pieces(rx, ry, sweep, tolerance)
        inner = np.asarray(segment.npoint(np.arange(1, count) / count)).reshape(-1, 2)
        return np.concatenate([inner, last])
    if isinstance(segment, svgelements.CubicBezier):
        return _bezier([segment.start, segment.control1, segment.control2, segment.end], tolerance)
    if isinstance(segment, svgelements.QuadraticBezier):
        return _bezier([segment.start, segment.control, segment.end], tolerance)
    return last


def _arc_pieces(rx: float, ry: float, sweep: float, tolerance: float | None) -> int:
    """Return the number of chords that stay within `tolerance` of an elliptic arc of `sweep` radians."""
    radius = max(abs(rx), abs(ry))
    if not (0 < radius < math.inf):
        return 1
    share = min(max((tolerance or 2 * radius * _ROUGHNESS) / radius, 1e-7), 1.0)
    return min(max(math.ceil(abs(sweep) / (2 * math.acos(1 - share))), 1), MAX_PIECES)


def _bezier(controls: list[Any], tolerance: float | None) -> Points:
    """Return points of a Bézier curve at even steps of its parameter, their number by Wang's bound."""
    points = np.array([[point.x, point.y] for point in controls], dtype=np.float64)
    if not np.isfinite(points).all():
        raise FormatError("a curve has a point that is not finite; correct its numbers")
    degree = len(points) - 1
    bend = float(np.hypot(*np.diff(points, n=2, axis=0).T).max())
    tolerance = tolerance or float(np.ptp(points, axis=0).max()) * _ROUGHNESS
    count = 1
    if bend > 0 and tolerance > 0:
        wanted = math.sqrt(degree * (degree - 1) / 8 * (bend / tolerance))
        count = max(math.ceil(min(wanted, MAX_PIECES)), 1)
    t = np.linspace(0.0, 1.0, count + 1)[1:, None]
    while len(points) > 1:
        # De Casteljau, all parameters at once: (controls, pieces, 2) shrinks by one control a round.
        left, right = (points[:-1], points[1:]) if points.ndim == 3 else (points[:-1, None], points[1:, None])
        points = left * (1 - t) + right * t
    curve = points[0]
    curve[-1] = (controls[-1].x, controls[-1].y)
    return curve
