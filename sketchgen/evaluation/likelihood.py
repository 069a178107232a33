"""Negative log-likelihood of real drawings, in nats.

Convention: offsets in px of the 255 box, dequantised by uniform noise in [-0.5, 0.5)^2 that the network does
not read, so that the figure bounds the discrete negative log-likelihood from above. The first point counts as
an offset from the box's centre. The pen is included, the end is one more pen decision, padding is left out;
sums are divided by the number of real points that are scored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sketchgen.data.batching import Batch, evaluation_batch
from sketchgen.data.store import Drawings
from sketchgen.models.memory import keep_freed_memory
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.stroke_model import Steps, StrokeModel

FRACTIONS = (0.0, 0.25, 0.5, 0.75)
"""Shares of the points that are given in the suffix figures."""

BATCH = 128

Progress = Callable[[int], None]
"""Called with the number of drawings scored since the last call."""

Watch = Callable[[NDArray[np.int64], Batch, StepDistribution, NDArray[np.float64]], None]
"""Called with each batch while it is scored: the indices of its drawings, the batch, the distributions of its
steps, and their nats, (b, n + 1), 0 where a step does not count."""


@dataclass(frozen=True)
class Scores:
    """Figures of n drawings, in the order in which they were given.

    Attributes:
        nats: (n,) negative log-likelihood of each drawing's scored steps.
        points: (n,) number of points scored.
        category: (n,) index.
    """

    nats: NDArray[np.float64]
    points: NDArray[np.int64]
    category: NDArray[np.int64]

    def per_point(self) -> tuple[float, float]:
        """Nats per point over the set and its standard error (of a ratio, over drawings)."""
        total = max(int(self.points.sum()), 1)
        ratio = float(self.nats.sum() / total)
        spread = self.nats - ratio * self.points
        return ratio, float(np.sqrt((spread**2).sum()) / total)

    def per_sketch(self) -> tuple[float, float]:
        """Mean nats per drawing and its standard error."""
        count = len(self.nats)
        return float(self.nats.mean()), float(self.nats.std(ddof=1) / np.sqrt(count)) if count > 1 else 0.0


def step_log_prob(model: StrokeModel, batch: Batch) -> torch.Tensor:
    """(b, n + 1) log density of each step of a batch, teacher-forced; 0 where a step does not count."""
    return counted_log_prob(step_distribution(model, batch), batch)


def step_distribution(model: StrokeModel, batch: Batch) -> StepDistribution:
    """Distributions of the steps of a batch, (b, n + 1), teacher-forced."""
    steps = Steps(batch.offset, batch.pen[:, :-1], batch.category, batch.known)
    return model(steps, batch.cut)


def counted_log_prob(found: StepDistribution, batch: Batch) -> torch.Tensor:
    """(b, n + 1) log density of each step of a batch under `found`; 0 where a step does not count."""
    log_prob = found.log_prob(batch.target, batch.pen)
    return torch.where(batch.scored, log_prob, torch.zeros_like(log_prob))


@torch.no_grad()
def score(
    model: StrokeModel,
    drawings: Drawings,
    fraction: float = 0.0,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Scores:
    """Score drawings whose categories are the model's own indices, with the first part given.

    Args:
        model: the network; it is left in evaluation mode.
        drawings: what is scored, in the 255 box.
        fraction: share of each drawing's points that is given.
        seed: of the dequantisation.
        progress: called after each batch.
        watch: shown each batch.
    """
    keep_freed_memory()
    model.eval()
    device = next(model.parameters()).device
    order = np.lexsort((drawings.key, drawings.lengths))
    nats, points = np.zeros(len(drawings)), np.zeros(len(drawings), dtype=np.int64)
    for number, first in enumerate(range(0, len(order), BATCH)):
        rows = order[first : first + BATCH]
        part = drawings.take(rows)
        batch = evaluation_batch(part, np.random.default_rng([seed, number]), fraction).to(device)
        found = step_distribution(model, batch)
        each = -counted_log_prob(found, batch).double().cpu().numpy()
        nats[rows] = each.sum(1)
        points[rows] = part.lengths - batch.cut.cpu().numpy()
        if watch is not None:
            watch(rows, batch, found, each)
        if progress is not None:
            progress(len(rows))
    return Scores(nats, points, drawings.category)


def by_category(scores: Scores, categories: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Nats per point, its standard error and the number of drawings of every category that occurs."""
    result: dict[str, dict[str, Any]] = {}
    for index in np.unique(scores.category):
        rows = scores.category == index
        part = Scores(scores.nats[rows], scores.points[rows], scores.category[rows])
        value, error = part.per_point()
        result[categories[int(index)]] = {
            "nats_per_point": value,
            "standard_error": error,
            "drawings": int(rows.sum()),
        }
    return result
