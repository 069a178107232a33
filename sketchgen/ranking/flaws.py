"""Flaws of what was added to a drawing: it draws a given part again, stands apart, or is cut off by the page.

All other lengths are px of a box in which whole drawings have a longer side of 255.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.sketch.distance import Ink, inside, long_runs, squared_distances
from sketchgen.sketch.sketch import Completion, Points

SPACING = 4.0
"""Px between points of ink."""

ANGLE = 40.0
"""Lines whose directions differ by less, in degrees, run in about the same direction."""

ALONG, MIN_RUN = 5.0, 16.0
"""Ink that stays this near to given ink of about its direction for more than `MIN_RUN` draws it again."""

REACH, MIN_REACH, MAX_REACH = 0.12, 5.0, 10.0
"""A stroke covers another where it is nearer than this share of the other's longer side, within bounds."""

DOUBLED = 0.6
"""Share of two strokes that each covers of the other from which on they are the same part."""

SAME_PLACE = 0.45
"""Intersection over union of the boxes of two closed strokes from which on they are the same part, unless one
box contains the other: a rim stands in a wheel."""

FRAME = 0.75
"""Ratio of the sides of two boxes, one of which contains the other, from which on one stroke frames the other
once more: rims are smaller."""

SMALL, CORE = 40.0, 0.25
"""Longer side of a small closed stroke, such as an eye, and how near its middle a line runs through it, as
a share of that side."""

CLOSED = 0.3
"""A stroke is closed if its ends are nearer to each other than this share of its box's longer side."""

TOUCHES = 14.0
"""Ink nearer than this to a stroke touches it."""

EDGE = 0.002
"""Ink that comes this near to the edge of the page, as a share of the longer side, is cut off there."""


def share_at_edge(completions: Sequence[Completion]) -> Float[np.ndarray, " n"]:
    """Return the share of the added points of completions that lie at the edge of the page or beyond it.

    It is 0 where there is no page, and where the given part leaves it.
    """
    page, ink = completions[0].given.page, completions[0].given.bounds
    found = np.zeros(len(completions))
    if page is None or (ink is not None and not inside(completions[0].given.points, [page], 0.0).all()):
        return found
    for row, each in enumerate(completions):
        if not each.added.is_empty:
            found[row] = (~inside(each.added.points, [page], -EDGE * page.longer)).mean()
    return found


class GivenInk:
    """The given strokes, prepared for measuring what several completions add to them."""

    def __init__(self, strokes: Sequence[Points]) -> None:
        """Put points on the given strokes, at least one."""
        self.ink = Ink(strokes, SPACING)
        self.counts, self.starts = _extents(self.ink)
        self.boxes = _boxes(self.ink)
        sides = (self.boxes[:, 1] - self.boxes[:, 0]).max(1)
        self.closed = _closed(self.ink, self.boxes)
        self.reach = np.repeat((REACH * sides).clip(MIN_REACH, MAX_REACH), self.counts)

    def measure(self, strokes: Sequence[Points]) -> tuple[float, float]:
        """Return the shares of the ink of added strokes, at least one, that are redrawn and detached."""
        ink = Ink(strokes, SPACING)
        counts, starts = _extents(ink)
        boxes = _boxes(ink)
        far, parallel = self._nearness(ink)
        same = self._doubles(far, parallel, starts, counts) | self._in_one_place(ink, boxes)
        same |= self._through(ink, starts)
        again = np.where(same, counts, _along(far, parallel, ink, starts))
        apart = ~self._attached(far, ink, starts, boxes)
        return float(again.sum() / counts.sum()), float(counts[apart].sum() / counts.sum())

    def shares_along(self, strokes: Sequence[Points]) -> Float[np.ndarray, " k"]:
        """Return the share of the ink of each added stroke that draws lines of the given part again."""
        ink = Ink(strokes, SPACING)
        counts, starts = _extents(ink)
        return _along(*self._nearness(ink), ink, starts) / counts

    def _nearness(self, ink: Ink) -> tuple[Float[np.ndarray, "n m"], Bool[np.ndarray, "n m"]]:
        """Return the squared distances of ink to the given ink, and where directions are about the same."""
        parallel = np.abs(ink.directions @ self.ink.directions.T) >= np.cos(np.radians(ANGLE))
        return squared_distances(ink.points, self.ink.points), parallel

    def _doubles(
        self,
        far: Float[np.ndarray, "n m"],
        parallel: Bool[np.ndarray, "n m"],
        starts: Int[np.ndarray, " k"],
        counts: Int[np.ndarray, " k"],
    ) -> Bool[np.ndarray, " k"]:
        """Return which added strokes and some given stroke cover most of each other."""
        near = (far <= self.reach**2) & parallel
        mine = np.add.reduceat(np.logical_or.reduceat(near, self.starts, axis=1), starts, axis=0, dtype=float)
        theirs = np.add.reduceat(
            np.logical_or.reduceat(near, starts, axis=0), self.starts, axis=1, dtype=float
        )
        covered = np.minimum(mine / counts[:, None], theirs / self.counts) >= DOUBLED
        return np.logical_or.reduce(covered, axis=1)

    def _in_one_place(self, ink: Ink, boxes: Float[np.ndarray, "k 2 2"]) -> Bool[np.ndarray, " k"]:
        """Return which closed added strokes stand where a closed given one of their size stands."""
        low = np.maximum(boxes[:, None, 0], self.boxes[:, 0])
        high = np.minimum(boxes[:, None, 1], self.boxes[:, 1])
        common = np.maximum(high - low, 0.0).prod(-1)
        mine, theirs = _areas(boxes)[:, None], _areas(self.boxes)
        apart = common < np.minimum(mine, theirs)
        sides, others = (np.maximum(each[:, 1] - each[:, 0], 1e-9) for each in (boxes, self.boxes))
        ratio = np.exp(-np.abs(np.log(sides[:, None] / others)).max(-1))
        closed = _closed(ink, boxes)[:, None] & self.closed
        same = np.where(apart, common > SAME_PLACE * (mine + theirs - common), ratio > FRAME)
        return (closed & same).any(1)

    def _through(self, ink: Ink, starts: Int[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
        """Return which added strokes run through a small closed given one and beyond it."""
        sides = (self.boxes[:, 1] - self.boxes[:, 0]).max(1)
        rows = self.closed & (sides <= SMALL) & (self.counts > 2)
        apart = np.abs(ink.points[:, None] - self.boxes[rows].mean(1)).max(-1) / sides[rows]
        nearest, farthest = (each.reduceat(apart, starts, axis=0) for each in (np.minimum, np.maximum))
        return np.any((nearest < CORE) & (farthest > 1.0), axis=1)

    def _attached(
        self,
        far: Float[np.ndarray, "n m"],
        ink: Ink,
        starts: Int[np.ndarray, " k"],
        boxes: Float[np.ndarray, "k 2 2"],
    ) -> Bool[np.ndarray, " k"]:
        """Return which added strokes touch, enclose or stand within something given, by others if need be."""
        near = np.minimum.reduceat(far.min(1), starts) <= TOUCHES**2
        box = np.stack([self.boxes[:, 0].min(0), self.boxes[:, 1].max(0)])
        middle = boxes.mean(1)
        reached = near | _contains(box[None], middle)[0] | _contains(boxes, self.boxes.mean(1)).any(1)
        if reached.all():
            return reached
        apart = squared_distances(ink.points, ink.points)
        apart = np.minimum.reduceat(np.minimum.reduceat(apart, starts, axis=1), starts, axis=0)
        encloses = _contains(boxes, middle)
        linked = (apart <= TOUCHES**2) | encloses | encloses.T
        for _ in range(len(boxes)):
            reached = (linked & reached).any(1)
        return reached


def _along(
    far: Float[np.ndarray, "n m"], parallel: Bool[np.ndarray, "n m"], ink: Ink, starts: Int[np.ndarray, " k"]
) -> Int[np.ndarray, " k"]:
    """Return how many points of each stroke run along given ink."""
    near = np.split(((far <= ALONG**2) & parallel).any(1), starts[1:])
    return np.array([long_runs(part, ink.spacing, MIN_RUN) for part in near])


def _extents(ink: Ink) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " k"]]:
    """Return how many points each stroke has, and where they begin."""
    counts = np.array([len(stroke) for stroke in ink.strokes])
    return counts, np.cumsum(counts) - counts


def _boxes(ink: Ink) -> Float[np.ndarray, "k 2 2"]:
    """Return the corners of each stroke's box, low and high."""
    return np.array([[stroke.min(0), stroke.max(0)] for stroke in ink.strokes])


def _areas(boxes: Float[np.ndarray, "k 2 2"]) -> Float[np.ndarray, " k"]:
    return (boxes[:, 1] - boxes[:, 0]).prod(-1)


def _closed(ink: Ink, boxes: Float[np.ndarray, "k 2 2"]) -> Bool[np.ndarray, " k"]:
    """Return which strokes end where they began."""
    gaps = np.array([np.hypot(*(stroke[-1] - stroke[0])) for stroke in ink.strokes])
    return gaps < CLOSED * (boxes[:, 1] - boxes[:, 0]).max(1)


def _contains(boxes: Float[np.ndarray, "k 2 2"], points: Float[np.ndarray, "n 2"]) -> Bool[np.ndarray, "k n"]:
    """Return which boxes contain which points."""
    return np.logical_and.reduce((boxes[:, None, 0] <= points) & (points <= boxes[:, None, 1]), axis=-1)
