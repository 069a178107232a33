"""Distributions over a step that are made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from sketchgen.models.numpy_mixture import StepDistribution


def mixture(
    log_weight: Any, mean: Any, *, sigma: float = 1.0, lift: Any = 0.0, end: float = -np.inf, points: int = 3
) -> StepDistribution:
    """Round components of one size, with weights (b, k) or (k,) and means (b, k, 2) or (k, 2)."""
    log_weight, mean = np.atleast_2d(log_weight), np.asarray(mean, dtype=np.float64)
    components = np.zeros((7, *log_weight.shape))
    components[0] = log_weight
    components[1:3] = np.moveaxis(np.broadcast_to(mean, (*log_weight.shape, 2)), -1, 0)
    components[3:5] = np.log(sigma)
    components[6] = lift
    rows = len(log_weight)
    return StepDistribution(components, np.full(rows, float(end)), np.full(rows, points))


def repeated(step: StepDistribution, count: int) -> StepDistribution:
    """One row, so many times."""
    return step.take(np.zeros(count, dtype=np.int64))
