"""Consensus: how much of what a candidate adds the other candidates of the same drawing add, too.

A wrong reading of a drawing leads to a different completion each time, a right one to similar completions.
The candidate that has most in common with all others is therefore the one of least expected risk (minimum
Bayes risk: Kumar and Byrne 2004, "Minimum Bayes-risk decoding for statistical machine translation"; from
samples, Eikema and Aziz 2022, arXiv:2108.04718). Nothing is learned for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from sketchgen.sketch.distance import evenly, overlap_f1
from sketchgen.sketch.geometry import BOX
from sketchgen.sketch.sketch import Completion, Points, Sketch

NEAR = 10.0
"""Ink nearer than this is the same ink, px of a box in which whole drawings have a longer side of 255."""

SPACING, MAX_POINTS = 4.0, 150
"""Px between points of ink; wider where a candidate would have more points than this."""

MAX_OTHERS = 64
"""Candidates that each one is compared with, the first ones: more change little, and take long."""


def consensus(completions: Sequence[Completion]) -> Float[np.ndarray, " n"]:
    """Return the mean similarity of each of n completions of a drawing to the others, 0 to 1."""
    return mean_similarity(similarities(completions))


def mean_similarity(similarity: Float[np.ndarray, "n m"]) -> Float[np.ndarray, " n"]:
    """Return the mean of each row without its own column; 0 where there are fewer than three rows."""
    count = len(similarity)
    if count < 3:
        return np.zeros(count)
    own = np.eye(*similarity.shape)
    return (similarity * (1.0 - own)).sum(1) / (similarity.shape[1] - own.sum(1))


def similarities(completions: Sequence[Completion]) -> Float[np.ndarray, "n m"]:
    """Return the similarity of n completions of a drawing to the first `MAX_OTHERS` of them, 0 to 1.

    It is the F1 score of two shares: of the ink that one completion adds, the share that lies within `NEAR`
    px of ink that the other adds, and the reverse. It is 0 where one of them adds nothing.
    """
    similarity = np.zeros((len(completions), min(len(completions), MAX_OTHERS)))
    scale = box_scale(completions)
    if scale is None:
        return similarity
    ink = [_ink(each.added, scale) for each in completions]
    count = np.array([len(points) for points in ink[:MAX_OTHERS]])
    drawn = np.flatnonzero(count)
    if not len(drawn):
        return similarity
    others = np.concatenate([ink[row] for row in drawn])
    # Near the origin half of the precision is enough, and takes half of the time.
    middle = others.mean(0)
    others, ink = (others - middle).astype(np.float32), [(each - middle).astype(np.float32) for each in ink]
    starts = np.cumsum(count[drawn]) - count[drawn]
    for row, points in enumerate(ink):
        if len(points):
            # What is similar to an earlier one has been found with that one.
            first = int(np.searchsorted(drawn, row)) % len(drawn)
            begin, rest = starts[first], drawn[first:]
            similarity[row, rest] = overlap_f1(points, others[begin:], starts[first:] - begin, NEAR)
            if row < MAX_OTHERS:
                similarity[rest, row] = similarity[row, rest]
    return similarity


def box_scale(completions: Sequence[Completion]) -> float | None:
    """Return the factor that brings the median whole drawing to a longer side of 255; None without extent."""
    bounds = [each.whole.bounds for each in completions]
    sides = [box.longer for box in bounds if box is not None]
    side = float(np.median(sides)) if sides else 0.0
    return BOX / side if side > 0.0 else None


def _ink(added: Sketch, scale: float) -> Points:
    """Return evenly spaced points along the lines."""
    strokes = [stroke * scale for stroke in added.strokes]
    return np.concatenate([np.zeros((0, 2)), *evenly(strokes, SPACING, MAX_POINTS)])
