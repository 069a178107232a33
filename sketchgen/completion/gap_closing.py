"""Gap closing: added lines that nearly meet a line do meet it.

A person who closes a circle or draws the missing side of a square has its end meet the rest; a network that
draws point by point often stops a little short. So the last point of an added line is moved to

- its own first point, where it comes near it after a long way: circles and squares;
- a free end of the given drawing, where it began at another free end: missing sides.

An end is free where no other ink is near. No other points move;
likelihoods are those of what was sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from sketchgen.sketch.sketch import Points
from sketchgen.sketch.strokes import Pen, split_strokes

TOUCHING = 0.3
"""Ink nearer to an end than this share of the gap touches it, so that the end is not free."""

BEGINS = 0.5
"""A line that begins nearer to a free end than this share of the gap goes on from it."""

LOOP = 4.0
"""A line that closes itself is longer than so many gaps."""


@dataclass(frozen=True)
class Closer:
    """What added lines may meet; points are px of the network's frame, from the last given point.

    Attributes:
        reach: the largest gap that is closed, above 0.
        last: (n, 2) the last given stroke, which a line may go on with; it ends at the origin.
        free: (k, 2) free ends of the given strokes.
    """

    reach: float
    last: Points
    free: Points

    @classmethod
    def of(cls, points: Points, pen: NDArray[np.int64], reach: float) -> Closer:
        """Find what can be met in a given drawing.

        Args:
            points: (n, 2) px of the frame, at least one.
            pen: (n,) after each.
            reach: the largest gap.
        """
        strokes = split_strokes(points - points[-1], pen == Pen.LIFT)
        free = [
            stroke[end]
            for number, stroke in enumerate(strokes)
            for end in (0, -1)
            if len(stroke) > 1 and _is_free(strokes, number, end, TOUCHING * reach)
        ]
        return cls(reach, strokes[-1], np.array(free).reshape(-1, 2))

    def end(self, line: Points, *, going_on: bool) -> Points:
        """Return the point, (2,), where an added line, (n, 2), is to end; its last one if it meets nothing.

        Args:
            line: its points; without the last given one where it goes on with the last given stroke.
            going_on: whether it does.
        """
        whole = np.concatenate([self.last, line]) if going_on else line
        begin = np.zeros(2) if going_on else line[0]
        met = [self.free[:0]]
        if _length(whole) > LOOP * self.reach:
            met.append(whole[:1])
        if going_on or _far(self.free, begin).min(initial=np.inf) <= BEGINS * self.reach:
            met.append(self.free[_far(self.free, begin) > 2.0 * self.reach])
        targets = np.concatenate(met)
        gap = _far(targets, line[-1])
        return targets[gap.argmin()] if gap.min(initial=np.inf) <= self.reach else line[-1]

    def closed(self, points: Points, pen: NDArray[np.int64], *, going_on: bool) -> Points:
        """Return the (n, 2) added points with the last one of each line moved to where the line is to end.

        Args:
            points: as drawn.
            pen: after each point; a line whose pen was never lifted stays as it is.
            going_on: whether the first line goes on with the last given stroke.
        """
        found, first = points.copy(), 0
        for number, last in enumerate(np.flatnonzero(pen == Pen.LIFT).tolist()):
            found[last] = self.end(points[first : last + 1], going_on=going_on and not number)
            first = last + 1
        return found


class Closings:
    """Closes gaps in several completions that grow by a point at a time; see `Closer.closed`."""

    def __init__(self, closer: Closer | None, going_on: NDArray[np.bool_]) -> None:
        """Begin with (count,) completions, some of which go on with the last given stroke."""
        self._closer, self._going_on = closer, going_on.copy()
        self._lines: list[list[Points]] = [[] for _ in going_on]

    def next(self, points: Points, pen: NDArray[np.int64]) -> Points:
        """Return the next (count, 2) points, moved where the (count,) pens end a line."""
        if self._closer is None:
            return points
        found = points.copy()
        for row, line in enumerate(self._lines):
            line.append(points[row])
            if pen[row] == Pen.LIFT:
                found[row] = self._closer.end(np.array(line), going_on=bool(self._going_on[row]))
                line.clear()
                self._going_on[row] = False
        return found


def _length(line: Points) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _far(points: Points, point: Points) -> Float[np.ndarray, " n"]:
    return np.hypot(*(points - point).T)


def _is_free(strokes: list[Points], number: int, end: int, touching: float) -> bool:
    """Return whether no ink is near an end of a stroke, but for what leads there."""
    stroke = strokes[number] if end == 0 else strokes[number][::-1]
    along = np.concatenate([[0.0], np.hypot(*np.diff(stroke, axis=0).T).cumsum()])
    # Of its own line what is farther along than it is near counts: a line that comes back.
    rest = stroke[np.searchsorted(along, 3.0 * touching) :]
    others = [*strokes[:number], *strokes[number + 1 :], *([rest] if len(rest) else [])]
    return all(_distance(stroke[0], line) > touching for line in others)


def _distance(point: Points, line: Points) -> float:
    """Return the distance of a point from a line through (n, 2) points."""
    start, along = line[:-1], np.diff(line, axis=0)
    square = (along**2).sum(1)
    part = ((point - start) * along).sum(1) / np.where(square > 0.0, square, 1.0)
    nearest = start + part.clip(0.0, 1.0)[:, None] * along
    return float(_far(np.concatenate([nearest, line[-1:]]), point).min())
