"""One line for what programs draw as two: the outline of a brush stroke, and a line that is drawn twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sketchgen.sketch.geometry import line_length
from sketchgen.sketch.sketch import Points

THIN = 6.0
"""Minimum length of a brush stroke, as a multiple of its mean width."""

EVEN = 3.0
"""Maximum width of a brush stroke, as a multiple of its mean width."""

NEAR = 0.06
"""Maximum distance of a line that is drawn twice from itself, as a share of its extent."""

_STARTS = 64
"""Number of points of an outline at which a brush stroke may turn."""

_SHARES = np.linspace(0.0, 1.0, 17)
_FINE = np.linspace(0.0, 1.0, 97)


def middle_line(outline: Points) -> Points | None:
    """Return the middle line of the filled outline of a brush stroke; None if it looks like none.

    An outline goes along one side of the stroke and back along the other. Where it turns is found by trying
    all pairs of turning points: the two sides are then nearest to each other.
    """
    closed = outline if np.array_equal(outline[0], outline[-1]) else np.concatenate([outline, outline[:1]])
    along = np.append(0.0, np.cumsum(np.hypot(*np.diff(closed, axis=0).T)))
    x, y = closed.T
    area = abs(float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))) / 2
    if len(closed) < 8 or not along[-1] > 0 or along[-1] ** 2 < 4 * THIN * area:
        return None

    def at(place: np.ndarray) -> np.ndarray:
        place = place % 1.0 * along[-1]
        return np.stack([np.interp(place, along, x), np.interp(place, along, y)], axis=-1)

    # One side may be longer than the other: the outer one of a bend. First all around, then near the best.
    first, share = 0.0, 0.5
    for reach, spread, count in ((0.5, 0.15, 15), (1 / _STARTS, 0.02, 7)):
        starts = first + np.linspace(-reach, reach, _STARTS if count > 7 else count)[:, None, None]
        sides = share + np.linspace(-spread, spread, count)[:, None]
        gaps = np.linalg.norm(at(starts + sides * _SHARES) - at(starts - (1 - sides) * _SHARES), axis=-1)
        start, side = np.unravel_index(gaps.mean(axis=2).argmin(), gaps.shape[:2])
        first, share = float(starts[start, 0, 0]), float(sides[side, 0])
    one, other = at(first + share * _FINE), at(first - (1 - share) * _FINE)
    line, width = (one + other) / 2, np.linalg.norm(one - other, axis=1)
    if line_length([line]) < THIN * width.mean() or width.max() > EVEN * width.mean():
        return None
    return line


def without_doubles(lines: Sequence[Points]) -> list[Points]:
    """Return the lines of a path without the second ones, if each is drawn twice, as in a rough style."""
    pairs = list(zip(lines[::2], lines[1::2], strict=False))
    if len(lines) < 2 or len(lines) % 2 or not all(_is_double(*pair) for pair in pairs):
        return list(lines)
    return [line for line, _ in pairs]


def _is_double(one: Points, other: Points) -> bool:
    """Return whether two curves follow each other, but not as exactly as hatching does."""
    if min(len(one), len(other)) < 3:
        return False
    samples = [_evenly(line) for line in (one, other)]
    extent = max(float(np.hypot(*np.ptp(line, axis=0))) for line in samples)
    distance = np.linalg.norm(samples[0][:, None] - samples[1], axis=2)
    apart = max(float(distance.min(axis=0).max()), float(distance.min(axis=1).max()))
    return apart <= (NEAR + 1 / len(distance)) * extent


def _evenly(line: Points) -> Points:
    """Return 64 points at even distances along a line."""
    along = np.append(0.0, np.cumsum(np.hypot(*np.diff(line, axis=0).T)))
    places = np.linspace(0.0, along[-1], 64)
    return np.stack([np.interp(places, along, axis) for axis in line.T], axis=1)
