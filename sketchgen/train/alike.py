"""Which strokes of a drawing are alike: eyes, wheels, wings, of which a person may have drawn one only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from sketchgen.drawing.sketch import Points

SAMPLES = 16
"""Points that stand for a stroke, at even distances along it."""

SIDES, SIDES_SLACK = 0.35, 6.0
"""By how much the sides of the boxes of two may differ: this share of the longest one, and this many px."""

LENGTHS, LENGTHS_SLACK = 1.6, 6.0
"""By how much their lengths may: this factor, and this many px."""

APART = 0.12
"""How far their points may lie apart on average, in longest sides, when their boxes have one middle."""

DOT = 10.0
"""Px; what is smaller may differ as much as what is as large as that."""

MOST = 24
"""Strokes that are looked at, the first ones."""

WITH_THEM = 0.7
"""How often what lies within a stroke goes with it."""


def alike(strokes: Sequence[Points]) -> Bool[np.ndarray, "n n"]:
    """Which of the strokes show the same thing twice: of one size and form, as it is or seen in a mirror.

    Not turned, for the sides of a square are no four of a kind; and nowhere is a stroke like itself. In which
    order and from which end a stroke was drawn does not matter.
    """
    found = np.zeros((len(strokes), len(strokes)), dtype=bool)
    count = min(len(strokes), MOST)
    if count < 2:
        return found
    samples = np.stack([_sampled(stroke) for stroke in strokes[:count]])
    lengths = np.array([np.hypot(*np.diff(stroke, axis=0).T).sum() for stroke in strokes[:count]])
    low, high = _boxes(strokes[:count])
    sides, placed = high - low, samples - ((low + high) / 2)[:, None]
    for one in range(count):
        for other in range(one + 1, count):
            longest = max(sides[one].max(), sides[other].max(), DOT)
            if np.abs(sides[one] - sides[other]).max() > SIDES * longest + SIDES_SLACK:
                continue
            short, long = sorted((lengths[one], lengths[other]))
            if long <= LENGTHS * short + LENGTHS_SLACK:
                same = _apart(placed[one], placed[other]) <= APART * longest
                found[one, other] = found[other, one] = same
    return found


def one_of_several(strokes: Sequence[Points], random: np.random.Generator) -> Bool[np.ndarray, " n"] | None:
    """Strokes that leave others like them behind when they are gone; None where no two are alike.

    Mostly it is one; of four and more of a kind it may be up to half, one after another as they were drawn.
    What lies within them, as a pupil within an eye, mostly goes with them.
    """
    same = alike(strokes)
    several = np.flatnonzero(same.any(1))
    if not len(several):
        return None
    # Two eyes count as much as ten rays.
    odds = 1.0 / (same[several].sum(1) + 1.0)
    chosen = int(random.choice(several, p=odds / odds.sum()))
    gone = np.arange(len(strokes)) == chosen
    kind = np.flatnonzero(same[chosen] | gone)
    if len(kind) >= 4 and random.random() < 0.5:
        size = int(random.integers(2, len(kind) // 2 + 1))
        first = int(random.integers(len(kind) - size + 1))
        gone = np.isin(np.arange(len(strokes)), kind[first : first + size])
    if random.random() < WITH_THEM:
        gone |= _within(strokes, gone) & ~same[chosen]
    return None if gone.all() else gone


def _within(strokes: Sequence[Points], outer: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which strokes lie in the box of one of `outer`, and are not it."""
    low, high = _boxes(strokes)
    inside = np.logical_and((low[:, None] >= low[None]).all(-1), (high[:, None] <= high[None]).all(-1))
    np.fill_diagonal(inside, val=False)
    return np.asarray(inside[:, outer].any(1))


def _boxes(strokes: Sequence[Points]) -> tuple[Points, Points]:
    """The corners of each stroke's box, lowest and highest."""
    return np.stack([stroke.min(0) for stroke in strokes]), np.stack([stroke.max(0) for stroke in strokes])


def _sampled(stroke: Points) -> Points:
    """`SAMPLES` points of a stroke."""
    steps = np.concatenate([[0.0], np.hypot(*np.diff(stroke, axis=0).T).cumsum()])
    at = np.linspace(0.0, steps[-1], SAMPLES)
    return np.column_stack([np.interp(at, steps, stroke[:, axis]) for axis in (0, 1)])


def _apart(one: Float[np.ndarray, "s 2"], other: Float[np.ndarray, "s 2"]) -> float:
    """Mean distance, px, of the points of one to the nearest of the other, and the other way round.

    As it is, or mirrored; the smaller one counts.
    """
    found: list[float] = []
    for mirrored in (other, other * (-1.0, 1.0), other * (1.0, -1.0)):
        far = np.hypot(*(one[:, None] - mirrored[None]).T)
        found.append(float(far.min(0).mean() + far.min(1).mean()) / 2)
    return min(found)
