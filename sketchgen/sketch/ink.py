"""Ink as points a px or so apart: how far apart two drawings are, what covers what, what touches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from sketchgen.sketch.geometry import BOX, resample
from sketchgen.sketch.sketch import Box, Points

FAR = BOX
"""Stands for the distance to what is not there, and is the largest distance told, px."""

MAX_INK = 6_000.0
"""Ink is spaced wider where there is more of it than this, px: over twenty times the box's side."""

_CHUNK = 256
"""Points compared with all others at a time, to bound memory."""


class Ink:
    """The lines of some strokes as evenly spaced points.

    Attributes:
        strokes: the points of each stroke, (n, 2).
        points: all of them.
        directions: (n, 2) unit vectors along the line at each point; zero for a dot, which has none.
        spacing: px between neighbours; wider than was asked for where there is very much ink.
    """

    def __init__(self, strokes: Sequence[Points], spacing: float = 1.0) -> None:
        """Put a point every `spacing` px on the strokes."""
        total = sum(float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in strokes)
        self.spacing = max(spacing, total / MAX_INK)
        self.strokes = [resample(stroke, self.spacing) for stroke in strokes]
        self.points: Points = np.concatenate(self.strokes) if self.strokes else np.zeros((0, 2))
        found = [_directions(stroke) for stroke in self.strokes]
        self.directions: Points = np.concatenate(found) if found else np.zeros((0, 2))

    @property
    def amount(self) -> float:
        """Length of the lines in px; a dot counts as one px."""
        return len(self.points) * self.spacing


def nearest(points: Float[np.ndarray, "n 2"], others: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, " n"]:
    """Distance of each point to the nearest of the others, `FAR` at most."""
    result = np.full(len(points), FAR)
    if not len(others):
        return result
    for first in range(0, len(points), _CHUNK):
        part = slice(first, first + _CHUNK)
        result[part] = np.sqrt(_squares(points[part], others).min(axis=1))
    return np.minimum(result, FAR)


def _squares(points: Float[np.ndarray, "n 2"], others: Float[np.ndarray, "m 2"]) -> Float[np.ndarray, "n m"]:
    """The square of each distance."""
    return (points[:, 0, None] - others[:, 0]) ** 2 + (points[:, 1, None] - others[:, 1]) ** 2


def covered(ink: Ink, by: Ink, within: float, turn: float) -> Bool[np.ndarray, " n"]:
    """Which points of ink have other ink near that runs much the same way, to or fro.

    Args:
        ink: what is to be covered.
        by: what may cover it.
        within: px.
        turn: largest angle between the two lines, in degrees; a dot runs any way.
    """
    result = np.zeros(len(ink.points), dtype=bool)
    if not len(by.points):
        return result
    least = np.cos(np.radians(turn))
    dots = ~by.directions.any(axis=1)
    for first in range(0, len(result), _CHUNK):
        part = slice(first, first + _CHUNK)
        points, ways = ink.points[part], ink.directions[part]
        near = _squares(points, by.points) < within**2
        alike = (np.abs(ways @ by.directions.T) >= least) | dots | ~ways.any(axis=1, keepdims=True)
        result[part] = (near & alike).any(axis=1)
    return result


def _directions(stroke: Points) -> Points:
    """The way a line runs at each of its points: from the point before to the one after."""
    if len(stroke) < 2:
        return np.zeros_like(stroke)
    steps = np.gradient(stroke, axis=0)
    length = np.hypot(steps[:, 0], steps[:, 1])[:, None]
    return np.divide(steps, length, out=np.zeros_like(steps), where=length > 0)


def share(flags: Bool[np.ndarray, " n"]) -> float:
    """Share of the flags that are set; 0 where there are none."""
    return float(flags.mean()) if len(flags) else 0.0


def inside(points: Float[np.ndarray, "n 2"], boxes: Sequence[Box], margin: float) -> Bool[np.ndarray, " n"]:
    """Which points lie in any of the boxes, each grown by `margin` on all sides."""
    result = np.zeros(len(points), dtype=bool)
    for box in boxes:
        low = np.array([box.x, box.y]) - margin
        high = np.array([box.x + box.width, box.y + box.height]) + margin
        result |= ((points >= low) & (points <= high)).all(axis=1)
    return result


def retraced(ink: Ink, along: Ink, within: float, length: float) -> float:
    """Share of the ink that keeps within some px of other ink over more than a length: drawn again."""
    count = 0
    for stroke in ink.strokes:
        near = nearest(stroke, along.points) <= within
        edges = np.flatnonzero(np.diff(near, prepend=False, append=False))
        runs = edges[1::2] - edges[::2]
        count += int(runs[runs * ink.spacing > length].sum())
    return count / len(ink.points) if len(ink.points) else 0.0


def touching(ink: Ink, point: Points, within: float) -> set[int]:
    """The strokes that come near a point."""
    return {k for k, stroke in enumerate(ink.strokes) if nearest(point[None], stroke)[0] < within}


def connected(ink: Ink, start: Points, end: Points, within: float) -> bool:
    """Whether strokes lead from one point to another without a gap of `within` px or more."""
    goal = touching(ink, end, within)
    reached = touching(ink, start, within)
    fresh = set(reached) if goal else set()
    while fresh and not reached & goal:
        at = ink.strokes[fresh.pop()]
        for k, stroke in enumerate(ink.strokes):
            if k not in reached and nearest(stroke, at).min() < within:
                reached.add(k)
                fresh.add(k)
    return bool(reached & goal)
