"""Distances between drawings, as sets of evenly spaced points along their lines.

All lengths are in the units of the points, which are px of the 255 box wherever a default is given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.sketch.geometry import BOX, line_length, resample
from sketchgen.sketch.sketch import Box, Points, Sketch

SPACING = 2.0
"""Distance of neighbouring points of a `cloud`."""

MAX_POINTS = 2000
"""Points of a `cloud`; a longer drawing is thinned evenly."""

FAR = BOX
"""Largest distance that `nearest` returns, and the distance to an empty set."""

MAX_INK = 6_000.0
"""Points of `Ink` for lines longer than this are spaced wider: over twenty times the box's side."""

_CHUNK = 256
"""Points compared with all others at a time, to bound memory."""


def evenly(strokes: Sequence[Points], spacing: float, max_points: float) -> list[Points]:
    """Return points every `spacing` along each stroke, wider for more than about `max_points` in all."""
    spacing = max(spacing, line_length(strokes) / max_points)
    return [resample(stroke, spacing) for stroke in strokes]


class Ink:
    """The lines of some strokes as evenly spaced points with directions.

    Attributes:
        strokes: the points of each stroke, (n, 2).
        directions: (n, 2) unit vectors along the line at each point; zero for a dot, which has none.
        spacing: distance of neighbouring points.
    """

    def __init__(self, strokes: Sequence[Points], spacing: float = 1.0) -> None:
        """Put a point every `spacing` on the strokes, wider where they are longer than `MAX_INK` points."""
        self.spacing = max(spacing, line_length(strokes) / MAX_INK)
        self.strokes = evenly(strokes, spacing, MAX_INK)
        self.points: Points = np.concatenate([np.zeros((0, 2)), *self.strokes])
        self.directions: Points = np.concatenate([np.zeros((0, 2)), *map(_directions, self.strokes)])

    @property
    def length(self) -> float:
        """Length of the lines; a dot counts as one spacing."""
        return len(self.points) * self.spacing


def _directions(stroke: Points) -> Points:
    """Return the direction of a line at each of its points, from the point before to the one after."""
    if len(stroke) < 2:
        return np.zeros_like(stroke)
    steps = np.gradient(stroke, axis=0)
    length = np.hypot(steps[:, 0], steps[:, 1])[:, None]
    return np.divide(steps, length, out=np.zeros_like(steps), where=length > 0)


def squared_distances(
    points: Float[np.ndarray, "n 2"], others: Float[np.ndarray, "m 2"]
) -> Float[np.ndarray, "n m"]:
    """Return the squared distance of each point to each of the others, in the points' own precision."""
    x, y = (points[:, axis, None] - others[:, axis] for axis in (0, 1))
    # In place: new arrays of this size take longer than the arithmetic.
    x *= x
    y *= y
    x += y
    return x


def nearest(points: Float[np.ndarray, "n 2"], others: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, " n"]:
    """Return the distance of each point to the nearest of the others, at most `FAR`."""
    result = np.full(len(points), FAR)
    if not len(others):
        return result
    for first in range(0, len(points), _CHUNK):
        part = slice(first, first + _CHUNK)
        result[part] = np.sqrt(squared_distances(points[part], others).min(axis=1))
    return np.minimum(result, FAR)


def cloud(sketch: Sketch, spacing: float = SPACING) -> Points:
    """Return (m, 2) points every `spacing` along all strokes, at most `MAX_POINTS`."""
    if sketch.is_empty:
        return np.zeros((0, 2))
    points = np.concatenate([resample(stroke, spacing) for stroke in sketch.strokes])
    if len(points) > MAX_POINTS:
        points = points[np.linspace(0, len(points) - 1, MAX_POINTS).astype(np.int64)]
    return points


def chamfer(one: Points, other: Points) -> float:
    """Return the symmetric Chamfer distance of two sets of points; NaN where one is empty.

    (mean_a min_b |a - b| + mean_b min_a |b - a|) / 2, with distances that are not squared.
    """
    if not len(one) or not len(other):
        return float("nan")
    first, second = one.astype(np.float32), other.astype(np.float32)
    middle = first.mean(0)
    first, second = first - middle, second - middle
    # By one product of matrices, several times faster than by differences; the centring keeps it precise.
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1) - 2.0 * (first @ second.T)
    near = np.sqrt(np.maximum(squares.min(1), 0.0)).mean() + np.sqrt(np.maximum(squares.min(0), 0.0)).mean()
    return float(near) / 2.0


def mean_pairwise(clouds: Sequence[Points]) -> float:
    """Return the mean Chamfer distance of all pairs; NaN for fewer than two sets."""
    pairs = [chamfer(one, clouds[other]) for index, one in enumerate(clouds) for other in range(index)]
    return float(np.mean(pairs)) if pairs else float("nan")


def overlap_f1(
    points: Float[np.ndarray, "n 2"],
    others: Float[np.ndarray, "m 2"],
    starts: Int[np.ndarray, " k"],
    within: float,
) -> Float[np.ndarray, " k"]:
    """Return the overlap of a set of points with each of k other sets: 0 for none, 1 for the same lines.

    It is the F1 score of two shares: of the points that lie within a distance of the other set, and reverse.
    The other sets come one after another, each from its start; none is empty.
    """
    squares = squared_distances(points, others)
    mine = (np.minimum.reduceat(squares, starts, axis=1) <= within**2).mean(0)
    count = np.diff(np.append(starts, len(others)))
    theirs = np.add.reduceat((squares.min(0) <= within**2).astype(np.float64), starts) / count
    return 2.0 * mine * theirs / np.maximum(mine + theirs, 1e-9)


def covered(ink: Ink, by: Ink, within: float, angle: float) -> Bool[np.ndarray, " n"]:
    """Return which points of ink have other ink within a distance that runs in about the same direction.

    Lines differ by less than an angle in degrees, forwards or backwards; a dot has any direction.
    """
    result = np.zeros(len(ink.points), dtype=bool)
    if not len(by.points):
        return result
    cosine = np.cos(np.radians(angle))
    dots = ~by.directions.any(axis=1)
    for first in range(0, len(result), _CHUNK):
        part = slice(first, first + _CHUNK)
        points, directions = ink.points[part], ink.directions[part]
        near = squared_distances(points, by.points) < within**2
        parallel = np.abs(directions @ by.directions.T) >= cosine
        result[part] = (near & (parallel | dots | ~directions.any(axis=1, keepdims=True))).any(axis=1)
    return result


def inside(points: Float[np.ndarray, "n 2"], boxes: Sequence[Box], margin: float) -> Bool[np.ndarray, " n"]:
    """Return which points lie in any of the boxes, each grown by `margin` on all sides."""
    result = np.zeros(len(points), dtype=bool)
    for box in boxes:
        low = np.array([box.x, box.y]) - margin
        high = np.array([box.x + box.width, box.y + box.height]) + margin
        result |= ((points >= low) & (points <= high)).all(axis=1)
    return result


def long_runs(close: Bool[np.ndarray, " n"], spacing: float, length: float) -> int:
    """Return how many points of a stroke belong to runs of close points that are longer than `length`."""
    edges = np.flatnonzero(np.diff(close, prepend=False, append=False))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs * spacing > length].sum())


def retraced(ink: Ink, along: Ink, within: float, length: float) -> float:
    """Return the share of ink that stays within a distance of other ink for more than `length`."""
    count = sum(
        long_runs(nearest(stroke, along.points) <= within, ink.spacing, length) for stroke in ink.strokes
    )
    return count / len(ink.points) if len(ink.points) else 0.0


def connected(ink: Ink, start: Points, end: Points, within: float) -> bool:
    """Return whether strokes lead from one point to another without a gap of `within` or more."""

    def at(point: Points) -> set[int]:
        return {k for k, stroke in enumerate(ink.strokes) if nearest(point[None], stroke)[0] < within}

    goal, reached = at(end), at(start)
    fresh = set(reached) if goal else set()
    while fresh and not reached & goal:
        here = ink.strokes[fresh.pop()]
        for k, stroke in enumerate(ink.strokes):
            if k not in reached and nearest(stroke, here).min() < within:
                reached.add(k)
                fresh.add(k)
    return bool(reached & goal)
