"""Curves through the points of a stroke, and the pressure of a hand along it; the points themselves stay."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sketchgen.sketch.sketch import Points

CORNER = 80.0
"""Degrees; where a line turns by more than this it has a corner, which smoothing leaves."""

LONE_CORNER = 50.0
"""Degrees; the same where it turns at least twice as much as at the points before and behind: a small circle
of few points turns by as much, but at every point."""

Handles = NDArray[np.float64]
"""(n - 1, 2, 2) the two inner control points of the cubic Bézier from each of n points to the next."""

Traced = NDArray[np.float64]
"""(n, 3) x, y in the drawing's own units, and the line's width there as a multiple of the pen's."""

_MAX_PIECES = 64
"""Most straight pieces of the curve between two points."""

_MAX_SAMPLES = 4_000
"""Most places along a stroke at which its pressure is told."""

_SPACING = 1.5
"""Pen widths from one of these places to the next."""

_ATTACK, _RELEASE = 6.0, 16.0
"""Pen widths over which a hand comes down at a stroke's begin, and lifts off at its end."""

_SLOW = 5.0
"""Pen widths before and behind a bend in which a hand is slower."""

_TAPER, _SWING = 0.8, 0.25
"""How much thinner a stroke is at its ends than within; thinner on straights, and wider in bends."""


def handles(points: Points, strength: float = 1.0) -> Handles:
    """The control points of smooth curves through every point: a centripetal Catmull-Rom spline.

    Centripetal, since that has neither loops nor cusps between two points, however unevenly they lie
    (Yuksel, Schaefer and Keyser 2011). It is broken at corners (see `CORNER`) and where points coincide; a
    stroke that ends where it began goes on smoothly there.

    Args:
        points: (n, 2), n >= 2.
        strength: 0 for straight lines to 1 for the whole curve.
    """
    chords = np.diff(points, axis=0)
    straight = np.stack([points[:-1] + chords / 3, points[1:] - chords / 3], axis=1)
    knots = np.sqrt(np.hypot(chords[:, 0], chords[:, 1]))
    tangents, known = _tangents(points, chords, knots)
    curved = straight.copy()
    curved[:, 0] = points[:-1] + tangents[:-1] * knots[:, None] / 3
    curved[:, 1] = points[1:] - tangents[1:] * knots[:, None] / 3
    # With a direction at one end only, the curve is a parabola, which is the calmest one.
    first, last = known[:-1], known[1:]
    begins, ends = ~first & last, first & ~last
    curved[begins, 0] = (points[:-1] + chords * (2 / 3) + curved[:, 1] - points[1:])[begins]
    curved[ends, 1] = (points[1:] - chords * (2 / 3) + curved[:, 0] - points[:-1])[ends]
    neither = ~first & ~last
    curved[neither] = straight[neither]
    return straight + strength * (curved - straight)


def _tangents(points: Points, chords: Points, knots: NDArray[np.float64]) -> tuple[Points, NDArray[np.bool_]]:
    """(n, 2) the spline's derivative at each point, and (n,) whether the line has a direction there."""
    tangents, known = np.zeros_like(points), np.zeros(len(points), dtype=bool)
    before, after, into, out = chords[:-1], chords[1:], knots[:-1], knots[1:]
    closed = len(points) > 3 and bool((points[0] == points[-1]).all())
    if closed:
        before, after = np.concatenate([before, chords[-1:]]), np.concatenate([after, chords[:1]])
        into, out = np.append(into, knots[-1]), np.append(out, knots[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        d1, d2 = into[:, None], out[:, None]
        found = before / d1 - (before + after) / (d1 + d2) + after / d2
        cosine = (before * after).sum(axis=1) / (d1 * d2)[:, 0] ** 2
        turns = np.degrees(np.arccos(np.clip(np.nan_to_num(cosine, nan=-1.0), -1.0, 1.0)))
    smooth = (into > 0) & (out > 0) & ~_corners(turns, closed)
    inner = len(points) - 2
    known[1:-1] = smooth[:inner]
    tangents[1:-1] = np.where(smooth[:inner, None], found[:inner], 0.0)
    if closed and smooth[-1]:
        known[[0, -1]], tangents[[0, -1]] = True, found[-1]
    return tangents, known


def _corners(turns: NDArray[np.float64], closed: bool) -> NDArray[np.bool_]:
    """Whether a line has a corner at each point, by how many degrees it turns there."""
    if len(turns) < 2:
        return turns > CORNER
    beside = np.append(0.0, turns[:-1]), np.append(turns[1:], 0.0)
    if closed:
        beside = np.roll(turns, 1), np.roll(turns, -1)
    lone = (turns > LONE_CORNER) & (turns >= 2 * np.maximum(*beside))
    return (turns > CORNER) | lone


def curved(points: Points, strength: float, tolerance: float) -> Points:
    """The smooth curve through the points as a polyline that holds each of them, bit for bit.

    Args:
        points: (n, 2), n >= 1.
        strength: see `handles`; 0 gives the points back.
        tolerance: how far the polyline may stray from the curve, in the drawing's own units, above 0.
    """
    if len(points) < 3 or strength == 0:
        return points
    parts = [points[:1]]
    for start, inner, end in zip(points[:-1], handles(points, strength), points[1:], strict=True):
        controls = np.stack([start, *inner, end])
        bend = float(np.hypot(*np.diff(controls, n=2, axis=0).T).max())
        count = min(max(1, math.ceil(math.sqrt(0.75 * bend / tolerance))), _MAX_PIECES)
        t = (np.arange(1, count) / count)[:, None]
        u = 1 - t
        inside = u**3 * start + 3 * u**2 * t * inner[0] + 3 * u * t**2 * inner[1] + t**3 * end
        parts += [inside, end[None]]
    return np.concatenate(parts)


def least_width(pressure: float) -> float:
    """The width below which no line of that pressure falls, as a multiple of the pen's."""
    return (1 - _TAPER * pressure) * (1 - _SWING * pressure)


def pressed(points: Points, width: float, pressure: float) -> Traced:
    """A line as a hand would draw it: thinner at its ends and on straights, wider in bends.

    A hand is fast on straights and slow in bends, and presses less where it is fast. Nothing is random: the
    same line gives the same widths.

    Args:
        points: (n, 2) the line; its points stay, others come between them.
        width: of the pen, in the drawing's own units, above 0.
        pressure: 0 for an even line to 1.
    """
    steps = np.hypot(*np.diff(points, axis=0).T)
    way = np.append(0.0, np.cumsum(steps))
    length = float(way[-1])
    if length == 0 or pressure == 0:
        wide = 1.0 if pressure == 0 else 1 + _SWING * pressure
        return np.column_stack([points, np.full(len(points), wide)])
    count = min(max(4, math.ceil(length / (_SPACING * width))), _MAX_SAMPLES)
    places = np.linspace(0.0, length, count + 1)
    at = np.unique(np.concatenate([way, places]))
    attack, release = min(_ATTACK * width, length / 3), min(_RELEASE * width, length / 2)
    ease = np.minimum(_eased(at, attack), _eased(length - at, release))
    slow = np.interp(at, places, _slowness(points, way, count, width))
    factor = (1 - _TAPER * pressure * (1 - ease)) * (1 + _SWING * pressure * (2 * slow - 1))
    return np.column_stack([_placed(points, way, at), factor])


def _placed(points: Points, way: NDArray[np.float64], at: NDArray[np.float64]) -> Points:
    """(m, 2) the points at these lengths along a line; those of the line itself exactly."""
    placed = np.column_stack([np.interp(at, way, points[:, axis]) for axis in (0, 1)])
    placed[np.searchsorted(at, way)] = points
    return placed


def _eased(way: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """From 0 where `way` is 0 to 1 where it is `reach`, without a kink."""
    share = np.clip(way / reach, 0.0, 1.0)
    return share * share * (3 - 2 * share)


def _slowness(points: Points, way: NDArray[np.float64], count: int, width: float) -> NDArray[np.float64]:
    """(count + 1,) from 0 on straights to 1 in bends of a right angle and more, evenly along the line."""
    chords = np.diff(points, axis=0)
    angles = np.arctan2(chords[:, 1], chords[:, 0])
    turns = np.abs((np.diff(angles) + np.pi) % (2 * np.pi) - np.pi)
    spacing = way[-1] / count
    near = np.rint(way[1:-1] / spacing).astype(np.int64)
    bends = np.bincount(near, turns, minlength=count + 1)[: count + 1]
    reach = max(1, min(round(_SLOW * width / spacing), count))
    kernel = 1 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1)
    return np.minimum(np.convolve(bends, kernel)[reach : reach + count + 1] / (np.pi / 2), 1.0)
