"""What may be missing of a drawing that was begun, but for its end: strokes, and pieces of lines.

Cuts in the order of drawing never show a car with its windows and without its body, or a square whose first
side is missing. A person begins where it pleases.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST = 4
"""Points of a line of which a piece can be missing."""

MEETS = 24.0
"""Px of the 255 box within which the ends of a line meet, so that it can begin anywhere."""

TURNED, REVERSED, ALL = 0.7, 0.3, 0.7
"""Shares: lines that begin elsewhere, of those that meet; drawn the other way; where all else is given."""


def held_back(
    length: NDArray[np.int64], lift: NDArray[np.bool_], share: float, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which drawings have strokes held back, and the order of their points then.

    In half of them it is one stroke; in a quarter some that were drawn one after another, as whiskers and
    legs are; in the others each is with a probability of 0.3. Never none, never all, and not the last ones
    only, which any cut at a stroke's end holds back. The others keep their order.

    Args:
        length: (b,) points of each padded drawing.
        lift: (b, n) where strokes end.
        share: of the drawings, as far as they have two strokes or more.
        random: two drawings with the same numbers of points and strokes need not be treated alike.

    Returns:
        (b, n) the indices of the points in their new order, the padding last; and (b,) how many are given, -1
        for a drawing of which nothing is held back.
    """
    batch, count = lift.shape
    index = np.arange(count)
    valid = index < length[:, None]
    stroke = np.cumsum(lift, 1) - lift
    strokes = lift.sum(1)
    here = index < strokes[:, None]
    chance = np.where(here, random.random((batch, count)), 2.0)
    kind, first = random.random((batch, 1)), chance.argmin(1)[:, None]
    size = np.where(kind < 0.5, 1, 2 + np.floor(random.random((batch, 1)) * (strokes[:, None] // 2)))
    apart, along = here & (chance < 0.3), here & (index >= first) & (index < first + size)
    held = np.where(kind < 0.75, along, apart | (index == first))
    # Held back are all strokes, or those from some on to the end: the order is the drawing's own.
    kept = (here & ~held).sum(1)
    own = held.argmax(1) >= kept
    chosen = (random.random(batch) < share) & (strokes > 1) & ~own
    late = np.take_along_axis(held, stroke.clip(max=count - 1), 1) & chosen[:, None] & valid
    order = np.argsort(np.where(valid, late, 2), axis=1, kind="stable")
    return order, np.where(chosen, (valid & ~late).sum(1), -1)


def opened(
    length: NDArray[np.int64],
    points: NDArray[np.float64],
    lift: NDArray[np.bool_],
    share: float,
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Drawings of which the last piece of a line is missing, which may be any line, drawn from any end.

    Of lines that meet, most begin at another of their points than they did; then the missing piece ends just
    there. In some drawings the strokes that were drawn after the line are missing, too.

    Args:
        length: (b,) points of each padded drawing; 0 for one that is to stay as it is.
        points: (b, n, 2) px of the 255 box.
        lift: (b, n) where strokes end.
        share: of the drawings, as far as they have a line of `LEAST` points.
        random: two drawings with the same numbers of points and strokes need not be treated alike.

    Returns:
        (b, n) the indices of the points in their new order, the padding last; (b, n) where strokes end then;
        and (b,) how many points are given, -1 for a drawing that stays as it is.
    """
    batch, count = lift.shape
    order, lift = np.tile(np.arange(count), (batch, 1)), lift.copy()
    given = np.full(batch, -1)
    for row in np.flatnonzero((random.random(batch) < share) & (length > 0)).tolist():
        strokes = np.split(np.arange(length[row]), np.flatnonzero(lift[row, : length[row]])[:-1] + 1)
        long = [number for number, stroke in enumerate(strokes) if len(stroke) >= LEAST]
        if not long:
            continue
        # Long lines more often; a pixel more, since all points of a line may be one.
        ways = [1.0 + np.hypot(*np.diff(points[row, strokes[number]], axis=0).T).sum() for number in long]
        chosen = long[min(int(np.cumsum(ways).searchsorted(random.random() * sum(ways))), len(long) - 1)]
        line = _turned(strokes[chosen], points[row], random)
        after = [] if random.random() < ALL else strokes[chosen + 1 :]
        before = strokes[:chosen] + ([] if after else strokes[chosen + 1 :])
        parts = [*before, line, *after]
        order[row, : length[row]] = np.concatenate(parts)
        lift[row, : length[row]] = False
        lift[row, np.cumsum([len(part) for part in parts]) - 1] = True
        given[row] = sum(map(len, before)) + int(random.integers(2, len(line)))
    return order, lift, given


def _turned(
    line: NDArray[np.int64], points: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.int64]:
    """The points of a line as it might as well have been drawn; of one that meets, one is left out."""
    if random.random() < REVERSED:
        line = line[::-1]
    ends, span = points[line[[0, -1]]], np.ptp(points[line], axis=0).max()
    meets = np.hypot(*(ends[1] - ends[0])) <= MEETS and span > 2.0 * MEETS
    if not meets or random.random() >= TURNED:
        return line
    first = int(random.integers(1, len(line) - 1))
    return np.concatenate([line[first:], line[1 : first + 1]])
