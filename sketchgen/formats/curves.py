"""Curves through the points of a stroke, widths as under the pressure of a hand, and their outlines."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sketchgen.sketch.geometry import steps
from sketchgen.sketch.sketch import Points

CORNER = 80.0
"""Turn, in degrees, above which a point is a corner, which smoothing leaves."""

LONE_CORNER = 50.0
"""The same where the line turns at least twice as much as at the neighbouring points: a small circle of few
points turns by as much, but at every point."""

ControlPoints = NDArray[np.float64]
"""(n - 1, 2, 2) the two inner control points of the cubic Bézier curve from each of n points to the next."""

WidthLine = NDArray[np.float64]
"""(n, 3) x, y in the drawing's own units, and the width there as a multiple of the pen's."""

_MAX_PIECES = 64
"""Maximum number of straight pieces of the curve between two points."""

_MAX_SAMPLES = 4_000
"""Maximum number of places along a stroke at which its pressure is computed."""

_SPACING = 1.5
"""Distance of these places, in pen widths."""

_ATTACK, _RELEASE = 6.0, 16.0
"""Distances, in pen widths, over which the pressure rises at the start of a stroke, and falls at its end."""

_SLOW = 5.0
"""Distance, in pen widths, before and after a bend over which a hand is slower."""

_TAPER, _SWING = 0.8, 0.25
"""How much thinner a stroke is at its ends; how much thinner on straights, and wider in bends."""

_SHARP = math.radians(30)
"""Turn above which an outline is cut, and a disc laid over the cut."""


def control_points(points: Points, strength: float = 1.0) -> ControlPoints:
    """Return the control points of a centripetal Catmull-Rom spline through every point.

    The centripetal form has neither loops nor cusps between two points (Yuksel, Schaefer and Keyser 2011). It
    is broken at corners (see `CORNER`) and where points coincide; a closed stroke stays smooth at its seam.

    Args:
        points: (n, 2), n >= 2.
        strength: from 0 (straight lines) to 1 (the spline).
    """
    chords = np.diff(points, axis=0)
    straight = np.stack([points[:-1] + chords / 3, points[1:] - chords / 3], axis=1)
    knots = np.sqrt(np.hypot(chords[:, 0], chords[:, 1]))
    tangents, known = _tangents(points, chords, knots)
    curved = straight.copy()
    curved[:, 0] = points[:-1] + tangents[:-1] * knots[:, None] / 3
    curved[:, 1] = points[1:] - tangents[1:] * knots[:, None] / 3
    # With a tangent at one end only, the curve is a parabola.
    first, last = known[:-1], known[1:]
    starts, ends = ~first & last, first & ~last
    curved[starts, 0] = (points[:-1] + chords * (2 / 3) + curved[:, 1] - points[1:])[starts]
    curved[ends, 1] = (points[1:] - chords * (2 / 3) + curved[:, 0] - points[:-1])[ends]
    neither = ~first & ~last
    curved[neither] = straight[neither]
    return straight + strength * (curved - straight)


def _tangents(points: Points, chords: Points, knots: NDArray[np.float64]) -> tuple[Points, NDArray[np.bool_]]:
    """Return the (n, 2) derivatives of the spline, and (n,) whether the line has a tangent at each point."""
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
    """Return whether each point is a corner, by the degrees that the line turns there."""
    if len(turns) < 2:
        return turns > CORNER
    beside = np.append(0.0, turns[:-1]), np.append(turns[1:], 0.0)
    if closed:
        beside = np.roll(turns, 1), np.roll(turns, -1)
    lone = (turns > LONE_CORNER) & (turns >= 2 * np.maximum(*beside))
    return (turns > CORNER) | lone


def flatten(points: Points, strength: float, tolerance: float) -> Points:
    """Return the smooth curve through the points as a polyline that contains each of them, bit for bit.

    Args:
        points: (n, 2), n >= 1.
        strength: see `control_points`; 0 returns the points.
        tolerance: maximum distance of the polyline from the curve, in the drawing's own units, above 0.
    """
    if len(points) < 3 or strength == 0:
        return points
    parts = [points[:1]]
    for start, inner, end in zip(points[:-1], control_points(points, strength), points[1:], strict=True):
        controls = np.stack([start, *inner, end])
        bend = float(np.hypot(*np.diff(controls, n=2, axis=0).T).max())
        count = min(max(1, math.ceil(math.sqrt(0.75 * bend / tolerance))), _MAX_PIECES)
        t = (np.arange(1, count) / count)[:, None]
        u = 1 - t
        inside = u**3 * start + 3 * u**2 * t * inner[0] + 3 * u * t**2 * inner[1] + t**3 * end
        parts += [inside, end[None]]
    return np.concatenate(parts)


def min_width(pressure: float) -> float:
    """Return the minimum width of a line under pressure, as a multiple of the pen's."""
    return (1 - _TAPER * pressure) * (1 - _SWING * pressure)


def with_pressure(points: Points, width: float, pressure: float) -> WidthLine:
    """Return a line as drawn by a hand: thin at its ends and on straights, wide in bends.

    A hand is fast on straights and slow in bends, and presses less where it is fast. Nothing is random.

    Args:
        points: (n, 2) the line; its points stay, others come between them.
        width: of the pen, in the drawing's own units, above 0.
        pressure: from 0 (one width) to 1.
    """
    distance = np.append(0.0, np.cumsum(steps(points)))
    length = float(distance[-1])
    if length == 0 or pressure == 0:
        wide = 1.0 if pressure == 0 else 1 + _SWING * pressure
        return np.column_stack([points, np.full(len(points), wide)])
    count = min(max(4, math.ceil(length / (_SPACING * width))), _MAX_SAMPLES)
    places = np.linspace(0.0, length, count + 1)
    at = np.unique(np.concatenate([distance, places]))
    attack, release = min(_ATTACK * width, length / 3), min(_RELEASE * width, length / 2)
    ease = np.minimum(_smoothstep(at, attack), _smoothstep(length - at, release))
    slow = np.interp(at, places, _slowness(points, distance, count, width))
    factor = (1 - _TAPER * pressure * (1 - ease)) * (1 + _SWING * pressure * (2 * slow - 1))
    placed = np.column_stack([np.interp(at, distance, points[:, axis]) for axis in (0, 1)])
    placed[np.searchsorted(at, distance)] = points
    return np.column_stack([placed, factor])


def _smoothstep(distance: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Return a smooth rise from 0 at distance 0 to 1 at `reach`."""
    share = np.clip(distance / reach, 0.0, 1.0)
    return share * share * (3 - 2 * share)


def _slowness(points: Points, distance: NDArray[np.float64], count: int, width: float) -> NDArray[np.float64]:
    """Return (count + 1,) values along the line, from 0 on straights to 1 in turns of 90 degrees or more."""
    chords = np.diff(points, axis=0)
    angles = np.arctan2(chords[:, 1], chords[:, 0])
    turns = np.abs((np.diff(angles) + np.pi) % (2 * np.pi) - np.pi)
    spacing = distance[-1] / count
    near = np.rint(distance[1:-1] / spacing).astype(np.int64)
    bends = np.bincount(near, turns, minlength=count + 1)[: count + 1]
    reach = max(1, min(round(_SLOW * width / spacing), count))
    kernel = 1 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1)
    return np.minimum(np.convolve(bends, kernel)[reach : reach + count + 1] / (np.pi / 2), 1.0)


def outline(line: WidthLine, width: float) -> tuple[list[Points], WidthLine]:
    """Return the outline of a line: polygons along it, and discs at its ends and sharp turns.

    All polygons (and discs drawn counterclockwise, y down) have the same orientation, so that filled together
    by the rule `nonzero` they have no holes.

    Args:
        line: (n, 3); widths are multiples of the pen's.
        width: of the pen, in the drawing's own units.

    Returns:
        The polygons, each (m, 2), and the discs, (k, 3) x, y, radius.
    """
    points = line[np.append(True, (np.diff(line[:, :2], axis=0) != 0).any(axis=1))]
    radii = points[:, 2] * (width / 2)
    if len(points) == 1:
        return [], np.column_stack([points[:, :2], radii])
    chords = np.diff(points[:, :2], axis=0)
    lengths = np.hypot(chords[:, 0], chords[:, 1])
    normals = np.column_stack([-chords[:, 1], chords[:, 0]]) / lengths[:, None]
    cuts = _cuts(normals, lengths, radii)
    spans = itertools.pairwise(cuts.tolist())
    polygons = [_polygon(points[a : b + 1, :2], normals[a:b], radii[a : b + 1]) for a, b in spans]
    return polygons, np.column_stack([points[cuts, :2], radii[cuts]])


def _cuts(normals: Points, lengths: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the indices of the points at which the outline is cut, with both ends."""
    cosine = np.clip((normals[:-1] * normals[1:]).sum(axis=1), -1.0, 1.0)
    half = np.arccos(cosine) / 2
    # On the inner side of a bend the outline must not run back behind the point before.
    tight = radii[1:-1] * np.tan(np.minimum(half, 1.5)) > np.minimum(lengths[:-1], lengths[1:])
    inner = np.flatnonzero((half > _SHARP / 2) | tight) + 1
    return np.concatenate([[0], inner, [len(radii) - 1]])


def _polygon(points: Points, normals: Points, radii: NDArray[np.float64]) -> Points:
    """Return one side of a piece and the other side back."""
    joined = np.concatenate([normals[:1], normals[:-1] + normals[1:], normals[-1:]])
    joined /= np.hypot(joined[:, 0], joined[:, 1])[:, None]
    side = joined * radii[:, None]
    return np.concatenate([points + side, (points - side)[::-1]])


def outline_path(line: WidthLine, width: float) -> str:
    """Return the outline as the `d` of an SVG path, to about a two-hundredth of the pen's width."""
    digits = min(max(math.ceil(2.3 - math.log10(width)), 0), 15)
    return "".join(_path_pieces(*outline(line, width), digits))


def _path_pieces(polygons: list[Points], discs: WidthLine, digits: int) -> Iterator[str]:
    def short(value: float) -> str:
        text = f"{value:.{digits}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"

    for polygon in polygons:
        yield "M" + " ".join(f"{short(x)},{short(y)}" for x, y in polygon.tolist()) + "z"
    for x, y, radius in discs.tolist():
        r, across = short(radius), short(2 * radius)
        yield f"M{short(x - radius)},{short(y)}a{r},{r} 0 1 0 {across},0a{r},{r} 0 1 0 -{across},0z"
