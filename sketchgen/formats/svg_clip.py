"""Clip lines to the inside of shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from sketchgen.sketch.sketch import Points

_CHUNK = 500_000
"""Pairs compared at a time, to bound memory."""

_SLACK = 1e-9
"""How far outside a point still counts as inside, as a share of the extent of a region."""


@dataclass(frozen=True)
class Region:
    """The inside of a shape.

    Attributes:
        contours: closed lines, each (n, 2).
        even_odd: whether the inside is where a ray crosses them an odd number of times, rather than where
            they wind around a point.
    """

    contours: tuple[Points, ...]
    even_odd: bool = False

    @cached_property
    def edges(self) -> tuple[Points, Points]:
        """The starts and the ends of all edges, each (m, 2)."""
        lines = [line for line in self.contours if len(line) > 1]
        starts = [line[:-1] for line in lines] + [line[-1:] for line in lines]
        ends = [line[1:] for line in lines] + [line[:1] for line in lines]
        empty = np.zeros((0, 2))
        return np.concatenate([empty, *starts]), np.concatenate([empty, *ends])

    @cached_property
    def slack(self) -> float:
        """How far outside a point still counts as inside."""
        return _SLACK * float(max((np.ptp(line, axis=0).max() for line in self.contours), default=0.0))

    @cached_property
    def rectangle(self) -> Points | None:
        """The low and the high corner, (2, 2), if it is an upright rectangle."""
        if len(self.contours) != 1:
            return None
        line = self.contours[0]
        corners = np.array([line.min(axis=0), line.max(axis=0)])
        upright = (np.diff(line, axis=0) == 0).any(axis=1).all()
        return corners if len(line) == 5 and (line[0] == line[-1]).all() and upright else None

    @cached_property
    def bounds(self) -> tuple[Points, Points]:
        """The low and the high corner, with the slack; of nothing, low is above high."""
        if not self.contours:
            return np.full(2, np.inf), np.full(2, -np.inf)
        points = np.concatenate(self.contours)
        return points.min(axis=0) - self.slack, points.max(axis=0) + self.slack

    def side(self, points: Float[np.ndarray, "n 2"]) -> bool | None:
        """Return whether a line is wholly inside or wholly beside; None if that is not easily told."""
        low, high = self.bounds
        lowest, highest = points.min(axis=0), points.max(axis=0)
        if (lowest > high).any() or (highest < low).any():
            return False
        inside = self.rectangle is not None and (lowest >= low).all() and (highest <= high).all()
        return True if inside else None

    def contains(self, points: Float[np.ndarray, "n 2"]) -> Bool[np.ndarray, " n"]:
        """Return which points are inside."""
        corners, slack = self.rectangle, self.slack
        if corners is not None:
            return ((points >= corners[0] - slack) & (points <= corners[1] + slack)).all(axis=1)
        start, end = self.edges
        edge = end - start
        square = (edge**2).sum(axis=1)
        found = np.zeros(len(points), dtype=bool)
        step = max(1, _CHUNK // max(1, len(start)))
        for first in range(0, len(points), step):
            x, y = points[first : first + step].T[:, :, None]
            upward, downward = (start[:, 1] <= y) & (end[:, 1] > y), (start[:, 1] > y) & (end[:, 1] <= y)
            gap_x, gap_y = x - start[:, 0], y - start[:, 1]
            side = edge[:, 0] * gap_y - gap_x * edge[:, 1]
            winding = (upward & (side > 0)).sum(axis=1) - (downward & (side < 0)).sum(axis=1)
            crossings = (upward & (side > 0)).sum(axis=1) + (downward & (side < 0)).sum(axis=1)
            # Browsers show half of a line along an edge.
            share = gap_x * edge[:, 0] + gap_y * edge[:, 1]
            near = (side**2 <= slack**2 * square) & (share >= 0) & (share <= square) & (square > 0)
            inside = crossings % 2 == 1 if self.even_odd else winding != 0
            found[first : first + step] = inside | near.any(axis=1)
        return found


def pairs(line: NDArray[np.float64], regions: Sequence[Region]) -> int:
    """Return how many pairs of segments are compared to clip a line."""
    return len(line) * sum(len(each) for region in regions for each in region.contours)


def clipped(
    line: Points, regions: Sequence[Region], spend: Callable[[int], None] = lambda count: None
) -> list[Points]:
    """Return the pieces of a line that are inside any of some regions, in order.

    A closed line that is cut stays in one piece where it starts inside. One that is all inside is returned
    as it is.

    Args:
        line: (n, 2).
        regions: the regions.
        spend: called with the work for the places where they cross, in units of 250 pairs.
    """

    def inside(points: Points) -> Bool[np.ndarray, " n"]:
        found = [region.contains(points) for region in regions]
        return np.logical_or.reduce([np.zeros(len(points), dtype=bool), *found])

    if len(line) < 2:
        return [line] if inside(line).all() else []
    at = np.unique(
        np.concatenate([np.arange(len(line), dtype=np.float64), *(_cuts(line, each) for each in regions)])
    )
    # A line may cross all edges many times.
    spend(pairs(at, regions) // 250)
    kept = inside(_along(line, (at[:-1] + at[1:]) / 2))
    if kept.all():
        return [line]
    # Where it goes on inside, it needs no further points.
    needed = np.concatenate([[True], (at[1:-1] % 1 == 0) | ~(kept[1:] & kept[:-1]), [True]])
    at, kept = at[needed], kept[needed[:-1]]
    edges = np.flatnonzero(np.diff(kept.astype(np.int8), prepend=0, append=0))
    pieces = [_along(line, at[first : last + 1]) for first, last in zip(edges[::2], edges[1::2], strict=True)]
    if len(pieces) > 1 and kept[0] and kept[-1] and np.array_equal(line[0], line[-1]):
        pieces = [np.concatenate([pieces[-1], pieces[0][1:]]), *pieces[1:-1]]
    return pieces


def _along(line: Points, at: NDArray[np.float64]) -> Points:
    """Return the points of a line at some places, in segments from its start; whole ones are its points."""
    index = np.minimum(at.astype(np.int64), len(line) - 2)
    t = (at - index)[:, None]
    return np.where(t == 1, line[index + 1], line[index] + t * (line[index + 1] - line[index]))


def _cuts(line: Points, region: Region) -> NDArray[np.float64]:
    """Return where a line crosses the edges of a region, in segments from its start."""
    start, end = region.edges
    edge, found = end - start, [np.zeros(0)]
    step = max(1, _CHUNK // max(1, len(start)))
    for first in range(0, len(line) - 1, step):
        origin = line[first : min(first + step, len(line) - 1), None]
        direction = line[first + 1 : first + 1 + len(origin), None] - origin
        cross = direction[..., 0] * edge[:, 1] - direction[..., 1] * edge[:, 0]
        gap = start - origin
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            t = (gap[..., 0] * edge[:, 1] - gap[..., 1] * edge[:, 0]) / cross
            u = (gap[..., 0] * direction[..., 1] - gap[..., 1] * direction[..., 0]) / cross
        # Corners on the line count, too: an edge may run along it.
        share = (gap * direction).sum(axis=2)
        square = (direction**2).sum(axis=2)
        away = (gap[..., 0] * direction[..., 1] - gap[..., 1] * direction[..., 0]) ** 2
        on = (away <= region.slack**2 * square) & (share > 0) & (share < square)
        rows = np.nonzero(on)[0]
        found.append(rows + first + (share / np.maximum(square, 1e-300))[on])
        hit = (cross != 0) & (t > 0) & (t < 1) & (u >= 0) & (u <= 1)
        rows = np.nonzero(hit)[0]
        found.append(rows + first + t[hit])
    return np.concatenate(found)
