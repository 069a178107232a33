"""SVG's basic shapes as polylines: corners are exact, curves are flattened within a tolerance."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from sketchgen.formats.svg_path import MAX_PIECES, ROUGHNESS, Report, path_lines, read_numbers
from sketchgen.formats.svg_transform import FONT, Area, Font, length, origin
from sketchgen.sketch.sketch import MAX_POINTS, Box, Points

COVERED = 0.9
"""Share of the page that a fill covers to count as its background."""

SHAPES = frozenset({"path", "polyline", "polygon", "line", "rect", "circle", "ellipse"})
"""Elements with lines of their own."""

_CLIP_SHAPE = re.compile(
    r"(circle|ellipse|inset|polygon|path)\(\s*(?:(nonzero|evenodd)\s*,)?([^()]*)\)(?:\s+[a-z]+-box)?",
    re.IGNORECASE,
)
_CSS_PATH = re.compile(r"path\(\s*[\"'](.*)[\"']\s*\)", re.DOTALL)


def outline(
    tag: str,
    values: Mapping[str, str],
    area: Area,
    tolerance: float | None,
    report: Report,
    font: Font = FONT,
) -> list[Points]:
    """Return the lines of a shape in its own coordinates, each (n, 2).

    Args:
        tag: one of `SHAPES`.
        values: the element's attributes.
        area: width and height that percentages refer to.
        tolerance: maximum distance of a flattened curve from the curve, in the shape's units; None for a
            share of its extent.
        font: the font sizes that "em" and "rem" refer to.
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
        points = closed(points) if tag == "polygon" else points
        return [points] if len(points) else []

    def side(key: str, default: float = 0.0) -> float:
        return length(
            values.get(key), area[key in ("y", "cy", "ry", "height", "y1", "y2")], report, default, font
        )

    if tag == "line":
        return [np.array([[side("x1"), side("y1")], [side("x2"), side("y2")]])]
    if tag == "rect":
        corner, sides = (side("x"), side("y")), (side("width"), side("height"))
        return _rect(*corner, *sides, side("rx", -1.0), side("ry", -1.0), tolerance)
    both = (
        length(values.get("r"), math.hypot(*area) / math.sqrt(2), report, 0.0, font)
        if tag == "circle"
        else 0.0
    )
    rx, ry = (both, both) if tag == "circle" else (side("rx", -1.0), side("ry", -1.0))
    rx, ry = rx if rx >= 0 else ry, ry if ry >= 0 else rx
    return [_ellipse(side("cx"), side("cy"), rx, ry, tolerance)] if rx > 0 and ry > 0 else []


def clip_shape(text: str, box: Box, tolerance: float | None) -> tuple[list[Points], bool] | None:
    """Return the contours of a shape that a `clip-path` names, and whether it is even-odd; None for none.

    Args:
        text: `circle`, `ellipse`, `inset`, `polygon` or `path`, such as "circle(40% at 10px 50%)".
        box: what percentages refer to.
        tolerance: see `outline`.

    Source: https://www.w3.org/TR/css-shapes-1/#basic-shape-functions
    """
    match = _CLIP_SHAPE.fullmatch(text.strip())
    if match is None:
        return None
    name, rule, words = match[1].lower(), match[2] or "", match[3].strip()
    faults: list[str] = []
    try:
        if name == "path":
            lines = path_lines(words.strip("\"'"), tolerance, faults.append)
        elif name == "polygon":
            pairs = [_lengths(pair, (box.width, box.height)) for pair in words.split(",")]
            lines = [closed(np.array(pairs))]
        else:
            make = _inset if name == "inset" else _round
            lines = make(name, words, box.width, box.height, tolerance)
    except ValueError:
        return None
    return None if faults else ([line + np.array(box[:2]) for line in lines], rule.lower() == "evenodd")


def _lengths(text: str, wholes: tuple[float, ...]) -> list[float]:
    """Return as many lengths as there are wholes that percentages refer to; a ValueError for others."""
    faults: list[str] = []
    found = [length(word, whole, faults.append) for word, whole in zip(text.split(), wholes, strict=True)]
    if faults:
        raise ValueError(faults[0])
    return found


def _inset(_name: str, text: str, width: float, height: float, tolerance: float | None) -> list[Points]:
    """Return the outline of `inset(top right bottom left round radius)`."""
    sides, _, radius = text.partition("round")
    words = sides.split()
    words = [*words, words[1]] if len(words) == 3 else (words * 4)[:4]
    top, right, bottom, left = _lengths(" ".join(words), (height, width) * 2)
    rx, ry = _lengths(" ".join((radius.split()[:1] or ["0"]) * 2), (width, height))
    return _rect(left, top, width - left - right, height - top - bottom, rx, ry, tolerance)


def _round(name: str, text: str, width: float, height: float, tolerance: float | None) -> list[Points]:
    """Return the outline of `circle(radius at place)` or `ellipse(rx ry at place)`."""
    radii, _, place = text.partition("at ")
    if len(place.split()) > 2:
        raise ValueError(place)
    x, y = origin(place or "center", Box(0.0, 0.0, width, height))
    sides, wholes = [(abs(x), abs(width - x)), (abs(y), abs(height - y))], (width, height)
    words = radii.split() or ["closest-side"]
    if name == "circle":
        words, sides = words[:1] * 2, [(*sides[0], *sides[1])] * 2
        wholes = (math.hypot(width, height) / math.sqrt(2),) * 2
    near = {"closest-side": min, "farthest-side": max}
    rx, ry = (
        near[word](side) if word in near else _lengths(word, (whole,))[0]
        for word, side, whole in zip((words * 2)[:2], sides, wholes, strict=True)
    )
    return [_ellipse(x, y, rx, ry, tolerance)] if min(rx, ry) > 0 else []


def travel(line: Points) -> float:
    """Return the length of a line."""
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def single_dash(line: Points, dashes: list[float], offset: float) -> list[Points]:
    """Return what a pattern of dashes shows of a line that is no longer than it; else the line as it is.

    Args:
        line: (n, 2).
        dashes: lengths of dashes and gaps, in turn.
        offset: where in the pattern the line begins.
    """
    dashes = dashes * 2 if len(dashes) % 2 else dashes
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    period, total = sum(dashes), float(at[-1])
    if not 0 < total <= 1.001 * period or not math.isfinite(period):
        return [line]
    edges = np.cumsum([-(offset % period), *dashes, *dashes])
    found = []
    for start, end in np.clip(edges[: 4 * (len(dashes) // 2)].reshape(-1, 2), 0.0, total).tolist():
        if end - start >= 0.999 * total:
            return [line]
        if end - start > 1e-3 * total:
            ends = [[np.interp(each, at, axis) for axis in line.T] for each in (start, end)]
            found.append(np.array([ends[0], *line[(at > start) & (at < end)], ends[1]]))
    return found


def has_area(points: Points) -> bool:
    """Return whether the inside of a line has an area: its points are not all on one straight line."""
    if len(points) < 3:
        return False
    # Usually the first three tell.
    (x, y), (ax, ay), (bx, by) = points[:3].tolist()
    if abs((ax - x) * (by - y) - (bx - x) * (ay - y)) > 1e-6 * ((bx - x) ** 2 + (by - y) ** 2) > 0:
        return True
    offsets = points - points[0]
    far = offsets[np.hypot(*offsets.T).argmax()]
    return bool(np.abs(offsets[:, 0] * far[1] - offsets[:, 1] * far[0]).max() > 1e-9 * float(far @ far))


def covers(points: Points, page: Box | None) -> bool:
    """Return whether the inside of a line covers the page: up to a hundredth of it, and rounded corners."""
    if page is None:
        return False
    slack = page.longer / 100
    low, corner = (page.x, page.y), (page.x + page.width, page.y + page.height)
    if any(
        line.min() > a + slack or line.max() < b - slack
        for line, a, b in zip(points.T, low, corner, strict=True)
    ):
        return False
    x, y = np.clip(points, low, corner).T
    area = abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2
    return area >= COVERED * page.width * page.height


def closed(points: Points) -> Points:
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
    # Quarters of an ellipse about four centres, clockwise from the one above on the right.
    quarters = _ellipse(0.0, 0.0, rx, ry, tolerance, 4)
    size = (len(quarters) - 1) // 4
    centres = [(x + w - rx, y + ry), (x + w - rx, y + h - ry), (x + rx, y + h - ry), (x + rx, y + ry)]
    parts = [
        quarters[at * size : (at + 1) * size + 1] + centre
        for at, centre in zip((3, 0, 1, 2), centres, strict=True)
    ]
    return [np.concatenate([parts[-1][-1:], *parts])]


def _ellipse(x: float, y: float, rx: float, ry: float, tolerance: float | None, of: int = 1) -> Points:
    """Return an ellipse, clockwise from its rightmost point, closed; its sides are a multiple of `of`."""
    radius = max(rx, ry)
    share = min(max((tolerance or 2 * radius * ROUGHNESS) / radius, 1e-7), 1.0)
    count = -min(max(math.ceil(math.pi / math.acos(1 - share)), 8), MAX_PIECES) // of * -of
    angles = np.linspace(0.0, 2 * math.pi, count + 1)
    points = np.column_stack([np.cos(angles) * rx, np.sin(angles) * ry])
    points[-1] = points[0]
    return points + np.array([x, y])
