"""How far two drawings lie apart: the symmetric Chamfer distance of points along their lines.

Of two sets of points A and B it is the mean over A of the distance to the nearest point of B, and the same of
B and A, averaged: (mean_a min_b |a - b| + mean_b min_a |b - a|) / 2, in px of the 255 box, not squared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sketchgen.sketch.geometry import resample
from sketchgen.sketch.sketch import Points, Sketch

SPACING = 2.0
"""Distance of the points along the lines, px."""

MAX_POINTS = 2000
"""Points of a drawing that are compared at most; a longer one is thinned evenly."""


def cloud(sketch: Sketch, spacing: float = SPACING) -> Points:
    """(m, 2) points along all strokes, `spacing` px apart; a drawing without strokes has none."""
    if sketch.is_empty:
        return np.zeros((0, 2))
    points = np.concatenate([resample(stroke, spacing) for stroke in sketch.strokes])
    if len(points) > MAX_POINTS:
        points = points[np.linspace(0, len(points) - 1, MAX_POINTS).astype(np.int64)]
    return points


def chamfer(one: Points, other: Points) -> float:
    """The symmetric Chamfer distance of two sets of points, px; not a number where one is empty."""
    if not len(one) or not len(other):
        return float("nan")
    first, second = one.astype(np.float32), other.astype(np.float32)
    middle = first.mean(0)
    first, second = first - middle, second - middle
    squares = (first**2).sum(1)[:, None] + (second**2).sum(1) - 2.0 * (first @ second.T)
    near = np.sqrt(np.maximum(squares.min(1), 0.0)).mean() + np.sqrt(np.maximum(squares.min(0), 0.0)).mean()
    return float(near) / 2.0


def mean_pairwise(clouds: Sequence[Points]) -> float:
    """The mean distance of all pairs, px: how much several drawings differ among themselves."""
    pairs = [chamfer(one, clouds[other]) for index, one in enumerate(clouds) for other in range(index)]
    return float(np.mean(pairs)) if pairs else float("nan")


def best(clouds: Sequence[Points], truth: Points) -> float:
    """The distance of the nearest of several drawings to the true one, px."""
    return float(np.min([chamfer(item, truth) for item in clouds]))


def quantiles(values: NDArray[np.float64]) -> dict[str, float]:
    """The quantiles by which a distribution of distances is told, px."""
    shares = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95)
    return {
        f"{share:g}": float(value) for share, value in zip(shares, np.quantile(values, shares), strict=True)
    }
