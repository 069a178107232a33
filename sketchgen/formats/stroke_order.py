"""Join and sort the strokes of a plot, to shorten the travel with the pen up.

Strokes are reversed and reordered, but their points do not change. Work is limited by a count, not by a
clock, so that the same strokes have the same order on any machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sketchgen.sketch.sketch import Points

MAX_GREEDY = 6_000
"""Maximum number of strokes that are sorted together; more are sorted in blocks of neighbouring ones."""

MAX_WORK = 400_000_000
"""Maximum number of pairs of strokes compared by 2-opt; about ten seconds."""

_MIN_GAIN = 1e-9
"""Minimum gain, in the strokes' unit, for which 2-opt changes an order: less may be rounding."""

_Ends = NDArray[np.complex128]
"""(n, 2) start and end of strokes as complex numbers."""


def travel_length(strokes: Sequence[Points]) -> float:
    """Return the length of the travel from the end of each stroke to the start of the next."""
    if len(strokes) < 2:
        return 0.0
    ends = _ends(strokes)
    return float(np.abs(ends[1:, 0] - ends[:-1, 1]).sum())


def _ends(strokes: Sequence[Points]) -> _Ends:
    return np.array([[complex(*stroke[0]), complex(*stroke[-1])] for stroke in strokes])


def join_strokes(strokes: Sequence[Points], tolerance: float) -> list[Points]:
    """Return the strokes, joined where their ends meet, and reversed where that needs it.

    Every point is kept, except one of two equal points at a seam. Dots and closed strokes are joined, too.

    Args:
        strokes: (n, 2) each.
        tolerance: maximum distance of ends that meet, in the strokes' unit; below 0 nothing is joined.
    """
    if tolerance < 0 or len(strokes) < 2:
        return list(strokes)
    # A grid of cells one tolerance wide, with the ends 2 * index (start) and 2 * index + 1 in each.
    ends = np.array([stroke[at] for stroke in strokes for at in (0, -1)])
    side = tolerance or 1e-6
    cells: dict[tuple[int, int], list[int]] = {}
    for at, (column, row) in enumerate((ends // side).astype(np.int64).tolist()):
        cells.setdefault((column, row), []).append(at)
    used = np.zeros(len(strokes), dtype=bool)

    def continued(end: Points) -> Iterator[Points]:
        """Yield the strokes that continue from a point, nearest ends first."""
        while True:
            column, row = (end // side).astype(np.int64).tolist()
            near = [(column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
            free = [at for cell in near for at in cells.get(cell, ()) if not used[at >> 1]]
            gap, at = min(((float(np.hypot(*(ends[at] - end))), at) for at in free), default=(np.inf, 0))
            if gap > tolerance:
                return
            used[at >> 1] = True
            stroke = strokes[at >> 1][::-1] if at & 1 else strokes[at >> 1]
            yield stroke
            end = stroke[-1]

    result: list[Points] = []
    for first, stroke in enumerate(strokes):
        if not used[first]:
            used[first] = True
            ahead = list(continued(stroke[-1]))
            behind = [part[::-1] for part in continued(stroke[0])]
            result.append(_concatenated([*reversed(behind), stroke, *ahead]))
    return result


def _concatenated(chain: Sequence[Points]) -> Points:
    """Return consecutive strokes as one, without the repeated points at seams."""
    parts = [chain[0]]
    for part in chain[1:]:
        seam = bool((parts[-1][-1] == part[0]).all())
        if len(part) > 1 or not seam:
            parts.append(part[1:] if seam else part)
    return np.concatenate(parts) if len(parts) > 1 else chain[0]


def sort_strokes(strokes: Sequence[Points]) -> list[Points]:
    """Return the strokes, sorted and reversed to shorten the travel.

    The nearest end comes next, starting at the top left; then sections of the order are reversed while that
    gains something (2-opt). An order that cannot be improved is kept.
    """
    if len(strokes) < 2:
        return list(strokes)
    ends = _ends(strokes)
    order = np.concatenate([_nearest(ends, block) for block in _blocks(ends)])
    order = _two_opt(ends, order)
    found = [strokes[at >> 1][::-1] if at & 1 else strokes[at >> 1] for at in order.tolist()]
    return found if travel_length(found) < travel_length(strokes) else list(strokes)


def _blocks(ends: _Ends) -> list[NDArray[np.int64]]:
    """Return the indices of strokes in blocks of neighbours: columns of the page."""
    count = len(ends)
    if count <= MAX_GREEDY:
        return [np.arange(count)]
    columns = int(np.ceil(count / MAX_GREEDY))
    by_x = np.argsort(ends[:, 0].real, kind="stable")
    return [np.sort(part) for part in np.array_split(by_x, columns)]


def _nearest(ends: _Ends, block: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the strokes of a block by the nearest end: 2 * index, and 1 more if reversed."""
    own = ends[block].reshape(-1)
    corner = complex(own.real.min(), own.imag.min())
    pen, used = corner, np.zeros(len(own))
    order = np.empty(len(block), dtype=np.int64)
    for place in range(len(block)):
        at = int(np.argmin(np.abs(own - pen) + used))
        used[at & ~1] = used[at | 1] = np.inf
        order[place] = 2 * block[at >> 1] + (at & 1)
        pen = own[at ^ 1]
    return order


def _two_opt(ends: _Ends, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order after sections have been reversed while that shortens the travel."""
    flat = ends.reshape(-1)
    order, count = order.copy(), len(order)
    start, end = flat[order], flat[order ^ 1]
    work, changed = 0, True
    while changed and work < MAX_WORK:
        changed = False
        for first in range(count):
            # Reversing first..last changes the link into `first` and the link out of `last` only.
            before = end[first - 1] if first else None
            gain = _gains(before, start, end, first)
            work += len(gain)
            last = first + int(np.argmax(gain))
            if gain[last - first] > _MIN_GAIN:
                order[first : last + 1] = order[first : last + 1][::-1] ^ 1
                start[first : last + 1], end[first : last + 1] = (
                    end[first : last + 1][::-1].copy(),
                    start[first : last + 1][::-1].copy(),
                )
                changed = True
            if work >= MAX_WORK:
                break
    return order


def _gains(
    before: np.complex128 | None, start: NDArray[np.complex128], end: NDArray[np.complex128], first: int
) -> NDArray[np.float64]:
    """Return the (n - first,) gains of reversing the order from `first` to each later stroke."""
    starts, stops = start[first:], end[first:]
    gain = np.zeros(len(stops))
    if before is not None:
        gain += abs(before - starts[0]) - np.abs(before - stops)
    gain[:-1] += np.abs(stops[:-1] - starts[1:]) - np.abs(starts[0] - starts[1:])
    return gain
