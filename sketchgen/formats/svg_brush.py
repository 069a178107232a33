"""One line for what programs draw as two: the outline of a brush stroke, and a line that is drawn twice."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sketchgen.sketch.geometry import rdp, resample, steps
from sketchgen.sketch.sketch import Points

NEAR = 0.06
"""Maximum distance of a line that is drawn twice from itself, as a share of its extent."""

MIN_POINTS = 8
"""Minimum number of points of an outline; a bar of four corners is a shape."""

THIN = 0.25
"""Maximum width of a line, as a share of its length; a wider shape is no line."""

ROUND = 0.9
"""Minimum share of a circle's area, at the same circumference, of the outline of a dot."""

_SAMPLES = 24, 1200
"""Minimum and maximum number of places along an outline."""

_FINE = 4
"""Places along an outline, in each width of the line."""

_NEAR = 4
"""Length of the sides that are compared where an end is looked for, in widths."""

_CAP = 0.75
"""How far an outline goes beyond an end of its line, in widths; half of it where the end is a half circle."""

_TOLERANCE = 0.06
"""Maximum distance of the points that are left out from the line, in widths."""


def middle_lines(outlines: list[Points], *, dots: bool = True) -> tuple[list[Points], float]:
    """Return the lines of a pen of which outlines are given: pieces that meet become one line.

    An outline that is not that of a line, because it is wide or of very uneven width, is returned as it is.

    Args:
        outlines: (n, 2) each, of one line of a pen; its pieces stand in their order.
        dots: whether circles are dots of the pen.

    Returns:
        The lines, and the width of the widest; 0 if all are outlines.
    """
    found: list[Points] = []
    widest = 0.0
    for outline in outlines:
        line, width = _middle(outline, dots=dots)
        widest = max(widest, width)
        joined = _joined(found[-1], line, 2 * widest) if found and width else None
        found[-1:] = [joined] if joined is not None else [*found[-1:], line]
    return found, widest


def _joined(first: Points, second: Points, reach: float) -> Points | None:
    """Return two lines as one if they have ends within reach of each other, or None."""
    ends = [(a, b) for a in (first, first[::-1]) for b in (second, second[::-1])]
    gaps = [float(np.hypot(*(a[-1] - b[0]))) for a, b in ends]
    nearest = int(np.argmin(gaps))
    return np.concatenate(ends[nearest]) if gaps[nearest] < reach else None


def _middle(outline: Points, *, dots: bool) -> tuple[Points, float]:
    """Return the middle line of an outline (of a dot, its centre) and its width, or the outline and 0."""
    length = float(steps(outline).sum())
    x, y = (outline - outline[0]).T
    area = abs(float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum())) / 2
    if len(outline) < MIN_POINTS or length == 0 or area == 0:
        return outline, 0.0
    if dots and 4 * math.pi * area > ROUND * length**2:
        return outline[:-1].mean(axis=0, keepdims=True), length / math.pi
    # Of a line with round ends: area = width * (length - pi * width / 2) / 2 + pi * width**2 / 4.
    width = (length - math.sqrt(max(length**2 - 4 * math.pi * area, 0.0))) / math.pi
    if width > THIN * length / 2:
        return outline, 0.0
    count = min(max(math.ceil(_FINE * length / width), _SAMPLES[0]), _SAMPLES[1])
    places = resample(outline, length / count)[:-1]
    pairs = _pairs(places, _end(places))
    gaps = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T)
    if np.median(gaps) > 2 * width or np.quantile(gaps, 0.95) > 3 * width:
        return outline, 0.0
    line = (places[pairs[:, 0]] + places[pairs[:, 1]]) / 2
    return rdp(_without_caps(line, width), _TOLERANCE * width), width


def _end(places: Points) -> int:
    """Return the place at which an outline turns about an end of its line: both sides are near from there."""
    count = len(places)
    along = np.arange(1, min(_FINE * _NEAR, count // 2))[:, None]
    at = np.arange(count)
    across = places[(at + along) % count] - places[(at - along) % count]
    return int(np.argmin(np.hypot(across[..., 0], across[..., 1]).mean(axis=0)))


def _pairs(places: Points, start: int) -> NDArray[np.int64]:
    """Return (m, 2) places that are opposite each other, from an end of the line to the other end."""
    count, points = len(places), places.tolist()
    left, right = start, start
    found = [(left, right)]

    def gap(a: int, b: int) -> float:
        return math.dist(points[a % count], points[b % count])

    while left - right < count - 2:
        left, right = left + 1, right - 1
        # The outer side of a bend is longer: it goes on while that brings both sides nearer.
        while left - right < count - 1 and gap(left + 1, right) < gap(left, right):
            left += 1
        while left - right < count - 1 and gap(left, right - 1) < gap(left, right):
            right -= 1
        found.append((left % count, right % count))
    return np.array(found)


def _without_caps(line: Points, width: float) -> Points:
    """Return a line without its first and last piece, by which the outline goes beyond its ends."""
    at = np.append(0.0, np.cumsum(steps(line)))
    inner = (at >= _CAP * width) & (at <= at[-1] - _CAP * width)
    return line[inner] if inner.sum() > 1 else line


def without_doubles(lines: Sequence[Points]) -> list[Points]:
    """Return the lines of a path without the second ones, if each is drawn twice, as in a rough style."""
    if len(lines) < 2 or len(lines) % 2:
        return list(lines)
    pairs = list(zip(lines[::2], lines[1::2], strict=True))
    if not all(_is_double(*pair) for pair in pairs):
        return list(lines)
    return [line for line, _ in pairs]


def _is_double(one: Points, other: Points) -> bool:
    """Return whether two curves follow each other, but not as exactly as hatching does."""
    if min(len(one), len(other)) < 3:
        return False
    # Most lines differ by their ends already.
    extent = max(float(np.ptp(line, axis=0).sum()) for line in (one, other))
    far = np.abs(np.concatenate([one.min(axis=0) - other.min(axis=0), one.max(axis=0) - other.max(axis=0)]))
    if not far.max() <= 2 * NEAR * extent:
        return False
    (x, y), (u, v) = (_evenly(line).T for line in (one, other))
    extent = max(math.hypot(np.ptp(x), np.ptp(y)), math.hypot(np.ptp(u), np.ptp(v)))
    square = (x[:, None] - u) ** 2 + (y[:, None] - v) ** 2
    apart = math.sqrt(max(square.min(axis=0).max(), square.min(axis=1).max()))
    return apart <= (NEAR + 1 / len(square)) * extent


def _evenly(line: Points) -> Points:
    """Return 64 points at even distances along a line."""
    along = np.append(0.0, np.cumsum(np.hypot(*np.diff(line, axis=0).T)))
    places = np.linspace(0.0, along[-1], 64)
    return np.stack([np.interp(places, along, axis) for axis in line.T], axis=1)
