"""Agreement: of several ways to finish a drawing, how much of each the others draw as well.

A model that goes astray goes astray in many ways, and what is right it does more or less alike. So the way
that is most like all others is the likeliest to be right, though it need not be the likeliest line by line:
the risk of a choice is what it lacks of what might have been drawn, over all that (minimum Bayes risk: Kumar
and Byrne 2004, "Minimum Bayes-risk decoding for statistical machine translation"; by samples, Eikema and Aziz
2022, arXiv:2108.04718). Nothing is learned for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from sketchgen.sketch.geometry import BOX, evenly
from sketchgen.sketch.sketch import Completion, Points, Sketch

NEAR = 10.0
"""Ink this near is the same, px of a box in which the whole drawings have a longer side of 255."""

SPACING, MAX_POINTS = 4.0, 150
"""Px between points of ink; more where a way would have more points than this."""

OTHERS = 64
"""Most ways with which each is compared, the first ones: more say the same, and take long."""


def consensus(found: Sequence[Completion]) -> Float[np.ndarray, " n"]:
    """How much of what each completion of one drawing adds the others add, too, 0 to 1: the mean likeness.

    Args:
        found: completions of the same drawing; of fewer than three all agree alike, which counts as 0.
    """
    return mean_likeness(likenesses(found))


def mean_likeness(likeness: Float[np.ndarray, "n m"]) -> Float[np.ndarray, " n"]:
    """How like each of n completions is to the first m but itself, on average; 0 for fewer than three."""
    count = len(likeness)
    if count < 3:
        return np.zeros(count)
    own = np.eye(*likeness.shape)
    return (likeness * (1.0 - own)).sum(1) / (likeness.shape[1] - own.sum(1))


def likenesses(found: Sequence[Completion]) -> Float[np.ndarray, "n m"]:
    """How much each completion of one drawing adds what the first `OTHERS` of them add, 0 to 1.

    It is the harmonic mean of two shares (F1): of the ink that one adds, how much lies within `NEAR` px of
    what the other adds, and the other way round; 0 where one adds nothing.
    """
    likeness = np.zeros((len(found), min(len(found), OTHERS)))
    scale = scale_of(found)
    if scale is None:
        return likeness
    ink = [_ink(each.added, scale) for each in found]
    count = np.array([len(points) for points in ink[:OTHERS]])
    drawn = np.flatnonzero(count)
    if not len(drawn):
        return likeness
    others = np.concatenate([ink[row] for row in drawn])
    starts = np.cumsum(count[drawn]) - count[drawn]
    for row, points in enumerate(ink):
        if len(points):
            likeness[row, drawn] = _alike(points, others, starts)
    return likeness


def scale_of(found: Sequence[Completion]) -> float | None:
    """By what completions are scaled for whole drawings with a longer side of 255; None without extent."""
    bounds = [each.whole.bounds for each in found]
    sides = [box.longer for box in bounds if box is not None]
    side = float(np.median(sides)) if sides else 0.0
    return BOX / side if side > 0.0 else None


def _ink(added: Sketch, scale: float) -> Points:
    """Points along the lines, evenly."""
    strokes = [stroke * scale for stroke in added.strokes]
    return np.concatenate([np.zeros((0, 2)), *evenly(strokes, SPACING, MAX_POINTS)])


def _alike(
    points: Float[np.ndarray, "n 2"], others: Float[np.ndarray, "m 2"], starts: np.ndarray
) -> Float[np.ndarray, " k"]:
    """F1 of one way's points with those of k others, which begin at `starts`; each has some."""
    apart = (points[:, None, 0] - others[:, 0]) ** 2 + (points[:, None, 1] - others[:, 1]) ** 2
    mine = (np.minimum.reduceat(apart, starts, axis=1) <= NEAR**2).mean(0)
    count = np.diff(np.append(starts, len(others)))
    theirs = np.add.reduceat((apart.min(0) <= NEAR**2).astype(np.float64), starts) / count
    return 2.0 * mine * theirs / np.maximum(mine + theirs, 1e-9)
