"""The order in which a plotter draws strokes: joined where they meet, sorted for short ways with the pen up.

Strokes are turned and put in another order, never changed. All work is bounded by counting it, not by a
clock, so that the same strokes come out in the same order on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sketchgen.sketch.sketch import Points

MAX_GREEDY = 6_000
"""Most strokes among which the nearest is looked for; more are sorted in blocks of neighbouring ones."""

MAX_WORK = 400_000_000
"""Most pairs of strokes looked at to mend an order; about ten seconds."""

_SMALLEST = 1e-9
"""Least gain, in the strokes' unit, for which an order is changed: less may be rounding."""

_Ends = NDArray[np.complex128]
"""(n, 2) the begin and the end of strokes as complex numbers."""


def travel(strokes: Sequence[Points]) -> float:
    """The way with the pen up from each stroke's end to the next one's begin, in the strokes' unit."""
    if len(strokes) < 2:
        return 0.0
    ends = _ends(strokes)
    return float(np.abs(ends[1:, 0] - ends[:-1, 1]).sum())


def drawn_length(strokes: Sequence[Points]) -> float:
    """The way with the pen down, in the strokes' unit."""
    return float(sum(np.hypot(*np.diff(stroke, axis=0).T).sum() for stroke in strokes))


def _ends(strokes: Sequence[Points]) -> _Ends:
    return np.array([[complex(*stroke[0]), complex(*stroke[-1])] for stroke in strokes])


# --- joining ---------------------------------------------------------------------------------------------


def joined(strokes: Sequence[Points], tolerance: float) -> list[Points]:
    """Strokes as one where an end of one meets an end of another, turned where needed.

    Every point is kept, but for one of two that are equal; where ends lie apart, a line within the tolerance
    joins them. Dots, and strokes that end where they begin, are joined like any other.

    Args:
        strokes: (n, 2) each.
        tolerance: how far ends that meet may lie apart, in the strokes' unit; below 0 nothing is joined.
    """
    if tolerance < 0 or len(strokes) < 2:
        return list(strokes)
    index = _EndIndex(strokes, tolerance)
    result: list[Points] = []
    for first in range(len(strokes)):
        if not index.free[first]:
            continue
        index.free[first] = False
        ahead = _followed(index, strokes[first], [strokes[first]])
        behind = _followed(index, strokes[first][::-1], [])
        chain = [part[::-1] for part in reversed(behind)] + ahead
        result.append(_chained(chain))
    return result


def _followed(index: _EndIndex, start: Points, chain: list[Points]) -> list[Points]:
    """The chain with all strokes that go on from it, one behind the other."""
    end = start[-1]
    while (found := index.take(end)) is not None:
        chain.append(found)
        end = found[-1]
    return chain


def _chained(chain: Sequence[Points]) -> Points:
    """Strokes one behind the other as one; a point that stands twice at a seam stands once."""
    parts = [chain[0]]
    for part in chain[1:]:
        seam = bool((parts[-1][-1] == part[0]).all())
        if len(part) > 1 or not seam:
            parts.append(part[1:] if seam else part)
    return np.concatenate(parts) if len(parts) > 1 else chain[0]


class _EndIndex:
    """Finds the free stroke whose end is nearest to a point, by a grid whose cells are a tolerance wide."""

    def __init__(self, strokes: Sequence[Points], tolerance: float) -> None:
        self.free = np.ones(len(strokes), dtype=bool)
        self._strokes, self._tolerance = strokes, tolerance
        self._side = tolerance or 1e-6
        self._cells: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for index, stroke in enumerate(strokes):
            for end in (0, -1):
                self._cells.setdefault(self._cell(stroke[end]), []).append((index, end))

    def _cell(self, point: Points) -> tuple[int, int]:
        return int(point[0] // self._side), int(point[1] // self._side)

    def take(self, point: Points) -> Points | None:
        """The stroke that goes on from a point, turned so that it does; it is free no longer."""
        column, row = self._cell(point)
        best: tuple[float, int, int] | None = None
        for near in ((column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)):
            for index, end in self._cells.get(near, ()):
                if self.free[index]:
                    gap = float(np.hypot(*(self._strokes[index][end] - point)))
                    if gap <= self._tolerance:
                        best = min(best or (gap, index, -end), (gap, index, -end))
        if best is None:
            return None
        _, index, turned = best
        self.free[index] = False
        return self._strokes[index][::-1] if turned else self._strokes[index]


# --- sorting ---------------------------------------------------------------------------------------------


def ordered(strokes: Sequence[Points]) -> list[Points]:
    """The strokes in an order, and each in a direction, in which the pen travels less.

    Always the nearest end next (from the top left corner on), then stretches of the order are turned about
    as long as that gains something (2-opt). Never worse than the order given, which is kept if nothing gains.
    """
    if len(strokes) < 2:
        return list(strokes)
    ends = _ends(strokes)
    order = np.concatenate([_nearest(ends, block) for block in _blocks(ends)])
    order = _mended(ends, order)
    found = [strokes[at >> 1][::-1] if at & 1 else strokes[at >> 1] for at in order.tolist()]
    return found if travel(found) < travel(strokes) else list(strokes)


def _blocks(ends: _Ends) -> list[NDArray[np.int64]]:
    """Indices of strokes in blocks of neighbours: columns of the page, downwards and upwards in turn."""
    count = len(ends)
    if count <= MAX_GREEDY:
        return [np.arange(count)]
    columns = int(np.ceil(count / MAX_GREEDY))
    by_x = np.argsort(ends[:, 0].real, kind="stable")
    return [np.sort(part) for part in np.array_split(by_x, columns)]


def _nearest(ends: _Ends, block: NDArray[np.int64]) -> NDArray[np.int64]:
    """The strokes of a block, always the one with the nearest end next: 2 * index, and 1 more if turned."""
    own = ends[block].reshape(-1)
    corner = complex(own.real.min(), own.imag.min())
    gaps_from, free = corner, np.zeros(len(own))
    order = np.empty(len(block), dtype=np.int64)
    for place in range(len(block)):
        at = int(np.argmin(np.abs(own - gaps_from) + free))
        free[at & ~1] = free[at | 1] = np.inf
        order[place] = 2 * block[at >> 1] + (at & 1)
        gaps_from = own[at ^ 1]
    return order


def _mended(ends: _Ends, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order with stretches turned about for as long as that shortens the way (2-opt)."""
    flat = ends.reshape(-1)
    order, count = order.copy(), len(order)
    begin, end = flat[order], flat[order ^ 1]
    work, changed = 0, True
    while changed and work < MAX_WORK:
        changed = False
        for first in range(count):
            # Turning first..last: the link into `first` and the link out of `last` change, no other.
            before = end[first - 1] if first else None
            gain = _gains(before, begin, end, first)
            work += len(gain)
            last = first + int(np.argmax(gain))
            if gain[last - first] > _SMALLEST:
                order[first : last + 1] = order[first : last + 1][::-1] ^ 1
                begin[first : last + 1], end[first : last + 1] = (
                    end[first : last + 1][::-1].copy(),
                    begin[first : last + 1][::-1].copy(),
                )
                changed = True
            if work >= MAX_WORK:
                break
    return order


def _gains(
    before: np.complex128 | None, begin: NDArray[np.complex128], end: NDArray[np.complex128], first: int
) -> NDArray[np.float64]:
    """(n - first,) how much shorter the way gets when all from `first` to each later one are turned."""
    starts, stops = begin[first:], end[first:]
    gain = np.zeros(len(stops))
    if before is not None:
        gain += abs(before - starts[0]) - np.abs(before - stops)
    gain[:-1] += np.abs(stops[:-1] - starts[1:]) - np.abs(starts[0] - starts[1:])
    return gain
