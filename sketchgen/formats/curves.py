"""Curves through the points of a stroke, widths as under the pressure of a hand, and their outlines."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sketchgen.sketch.geometry import steps
from sketchgen.sketch.sketch import Points

SMOOTH_SHARE, SMOOTH_OFFSET = 0.25, 0.7
"""Strokes are smooth if at least this share of the points lies within this distance, px of a 255 box, of the
line through their neighbours. Simplification (tolerance: 2 px) would have removed such points."""

CORNER, EVEN_CORNER, SHARP = 30.0, 75.0, 120.0
"""Turns, in degrees, above which a point between long lines is a corner; where the turns before and after are
alike, as on a circle of few points; and wherever it is."""

CORNER_BULGE = 2.2
"""A line is long if an arc with that turn would leave it by more than this, px of a 255 box: of an arc,
simplification would have kept more points."""

ALIKE = 0.6
"""Minimum ratio of two turns that are alike."""

BULGE = 1.0
"""Maximum distance of a curve from the line between two points, px of a 255 box, where turns are not alike:
what was simplified lay within the tolerance."""

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


def is_smooth(strokes: Sequence[Points], px: float) -> bool:
    """Return whether strokes have the dense points of a hand, rather than the few of a polyline.

    Points on straight lines tell nothing: a program may have put any number of them there. For `px` see
    `control_points`.
    """
    offsets = np.concatenate([np.zeros(0), *(_offsets(stroke) for stroke in strokes if len(stroke) > 2)])
    offsets = offsets[offsets > 1e-6 * px]
    return len(offsets) > 0 and float((offsets < SMOOTH_OFFSET * px).mean()) >= SMOOTH_SHARE


def _offsets(points: Points) -> NDArray[np.float64]:
    """Return the (n - 2,) distances of inner points from the line through their neighbours."""
    before, after = points[1:-1] - points[:-2], points[2:] - points[1:-1]
    across = before + after
    length = np.hypot(across[:, 0], across[:, 1])
    area = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0])
    back = np.hypot(before[:, 0], before[:, 1])
    return np.where(length > 0, area / np.where(length > 0, length, 1.0), back)


def control_points(points: Points, px: float) -> ControlPoints:
    """Return the control points of a smooth curve through every point that is broken at corners.

    The tangent at a point is parallel to the line between its neighbours (Catmull and Rom 1974); at corners
    and ends it is the line itself. Handles are as long as those of an arc of a circle, and shorter where the
    curve would bulge by more than `BULGE`. A stroke whose ends are within a px is smooth at its seam.
    `web/curves.js` does the same.

    Args:
        points: (n, 2), n >= 2.
        px: a px of a 255 box, in the drawing's own units.
    """
    chords = np.diff(points, axis=0)
    lengths = np.hypot(chords[:, 0], chords[:, 1])
    closed = len(points) > 3 and float(np.hypot(*(points[-1] - points[0]))) <= px
    corner, even = _bends(chords, px, closed=closed)
    lines = _units(chords)
    tangents = _units(
        np.concatenate([points[1:], points[1:2]]) - np.concatenate([points[-2:-1], points[:-1]])
    )
    handles: list[Points] = []
    bulges: list[NDArray[np.float64]] = []
    for end in (slice(None, -1), slice(1, None)):
        direction = np.where(corner[end, None], lines, tangents[end])
        cosine = np.maximum((direction * lines).sum(axis=1), 0.0)
        handle = direction * (2 * lengths / (3 + 3 * cosine))[:, None]
        handles.append(handle)
        bulges.append(0.75 * np.abs(handle[:, 0] * lines[:, 1] - handle[:, 1] * lines[:, 0]))
    bulge, free = np.maximum(*bulges), corner | even
    bounded = (bulge > BULGE * px) & ~(free[:-1] & free[1:])
    share = np.where(bounded, BULGE * px / np.where(bounded, bulge, 1.0), 1.0)[:, None]
    return np.stack([points[:-1] + share * handles[0], points[1:] - share * handles[1]], axis=1)


def _units(vectors: Points) -> Points:
    """Return vectors of length 1; those of length 0 stay."""
    length = np.hypot(vectors[:, 0], vectors[:, 1])[:, None]
    return vectors / np.where(length > 0, length, 1.0)


def _bends(chords: Points, px: float, *, closed: bool) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return for each of n points whether it is a corner, and whether the line turns evenly there.

    The ends of an open line are corners.
    """
    after = np.roll(chords, -1, axis=0)
    crosses = chords[:, 0] * after[:, 1] - chords[:, 1] * after[:, 0]
    turns = np.degrees(np.arctan2(crosses, (chords * after).sum(axis=1)))
    lengths = np.hypot(chords[:, 0], chords[:, 1])
    shorter = np.minimum(lengths, np.roll(lengths, -1))
    if not closed:
        turns[-1] = np.nan
    turn = np.abs(turns)
    long = np.radians(turn) * shorter / 8 > CORNER_BULGE * px
    corner = (turn > SHARP) | (long & (turn > np.where(_alike(turns), EVEN_CORNER, CORNER)))
    corner |= np.isnan(turns) | (shorter == 0)
    even = ~corner & _alike(np.where(corner, np.nan, turns))
    return np.append(corner[-1], corner), np.append(even[-1], even)


def _alike(turns: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether the line turns at the points before and after, where it has them (else NaN), as here."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.stack([np.roll(turns, 1), np.roll(turns, -1)]) / turns
    found = (ratios >= ALIKE) & (ratios <= 1 / ALIKE)
    return np.logical_and((found | np.isnan(ratios)).all(axis=0), found.any(axis=0))


def flatten(points: Points, px: float, tolerance: float) -> Points:
    """Return the smooth curve through points as a polyline that contains each of them, bit for bit.

    It is within `tolerance` of the curve, in the drawing's own units; with a `px` of 0 it is the points. See
    `control_points`.
    """
    if len(points) < 3 or px == 0:
        return points
    parts = [points[:1]]
    for start, inner, end in zip(points[:-1], control_points(points, px), points[1:], strict=True):
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

    A hand is fast on straights and slow in bends, and presses less where it is fast. Nothing is random. The
    line's points stay, others come between them. The pen's width is in the drawing's own units; the pressure
    is from 0 (one width) to 1.
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


def with_widths(line: Points, points: Points, widths: NDArray[np.float64]) -> WidthLine:
    """Return a line, (m, 2), with the widths that it has at some points, and even changes between them.

    These points, (n, 2), come in the order of the line, with both of its ends.
    """
    at, place = [], 0
    for point in points:
        while not np.array_equal(line[place], point):
            place += 1
        at.append(place)
        place += 1
    return np.column_stack([line, np.interp(np.arange(len(line)), at, widths)])


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
