"""Negative log-likelihood of real drawings, in nats: in all, by category and by depth.

Convention: offsets in px of the 255 box, dequantised by uniform noise in [-0.5, 0.5)^2 that the network does
not read, so that the figure bounds the discrete negative log-likelihood from above. The first point counts as
an offset from the box's centre. The pen is included, the end is one more pen decision, padding is left out;
sums are divided by the number of real points that are scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sketchgen.completion.completer import Completer
from sketchgen.data.batching import Batch, evaluation_batch
from sketchgen.data.drawings import Drawings
from sketchgen.evaluation.statistics import DEEP, Figure, Progress, depth_groups, mean, ratio
from sketchgen.models.memory import keep_freed_memory
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.stroke_model import Steps, StrokeModel

SHARES = (0.0, 0.25, 0.5, 0.75)
"""Shares of the points that are given."""

BATCH = 128


@dataclass(frozen=True)
class Scores:
    """Likelihood of n drawings.

    Attributes:
        nats: negative log-likelihood of each drawing's scored steps.
        points: number of points scored.
    """

    nats: Float[np.ndarray, " n"]
    points: Int[np.ndarray, " n"]
    category: Int[np.ndarray, " n"]

    def __getitem__(self, rows: Bool[np.ndarray, " n"]) -> Scores:
        return Scores(self.nats[rows], self.points[rows], self.category[rows])

    def per_point(self) -> Figure:
        """Return nats per point over the set."""
        return ratio(self.nats, self.points)


def steps_of(batch: Batch) -> Steps:
    """Return what a network reads of a batch."""
    return Steps(batch.offset, batch.pen[:, :-1], batch.category, batch.known)


def step_distribution(
    model: StrokeModel, batch: Batch, latent: Float[Tensor, "b z"] | None = None
) -> StepDistribution:
    """Return the distributions of the n + 1 steps of a batch, teacher-forced."""
    return model(steps_of(batch), batch.cut, latent)


def counted_log_prob(found: StepDistribution, batch: Batch) -> Float[Tensor, "b m"]:
    """Return the log density of each step of a batch; 0 where a step does not count."""
    log_prob = found.log_prob(batch.target, batch.pen)
    return torch.where(batch.scored, log_prob, torch.zeros_like(log_prob))


def step_log_prob(model: StrokeModel, batch: Batch) -> Float[Tensor, "b m"]:
    """Return the log density of each step of a batch under a network; 0 where a step does not count."""
    return counted_log_prob(step_distribution(model, batch), batch)


def measured(
    model: StrokeModel, drawings: Drawings, fraction: float, seed: int, progress: Callable[[int], None] | None
) -> Iterator[tuple[Int[np.ndarray, " b"], Batch]]:
    """Yield drawings in batches on the device of the network, in evaluation mode, with their indices."""
    keep_freed_memory()
    model.eval()
    device = next(model.parameters()).device
    order = np.lexsort((drawings.key, drawings.lengths))
    for number, first in enumerate(range(0, len(order), BATCH)):
        rows = order[first : first + BATCH]
        random = np.random.default_rng([seed, number])
        yield rows, evaluation_batch(drawings.take(rows), random, fraction).to(device)
        if progress is not None:
            progress(len(rows))


@torch.no_grad()
def score(
    model: StrokeModel,
    drawings: Drawings,
    fraction: float = 0.0,
    *,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Scores:
    """Score drawings whose categories are the model's own indices, with a `fraction` of their points given.

    The network is left in evaluation mode. `seed` is that of the dequantisation; `progress` is called with
    the number of drawings of each batch.
    """
    nats, points = np.zeros(len(drawings)), drawings.lengths
    for rows, batch in measured(model, drawings, fraction, seed, progress):
        nats[rows] = -step_log_prob(model, batch).double().cpu().numpy().sum(1)
        points[rows] -= batch.cut.cpu().numpy()
    return Scores(nats, points, drawings.category)


def scores_by_share(model: Completer, drawings: Drawings, seed: int, report: Progress) -> dict[float, Scores]:
    """Score drawings at each of `SHARES`; to the model a category that it does not know is any category."""
    mapped = replace(drawings, category=drawings.known_as(model.categories))
    network = StrokeModel.from_weights(model.config, model.decoder.weights())
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        report("likelihood", done, len(SHARES) * len(drawings))

    return {share: score(network, mapped, share, seed=seed, progress=advance) for share in SHARES}


def likelihood_figures(
    model: Completer, drawings: Drawings, counts: Mapping[str, int] | None, seed: int, report: Progress
) -> dict[str, Any]:
    """Return all figures of likelihood as plain JSON values; `counts` are training drawings by category."""
    scores = scores_by_share(model, drawings, seed, report)
    whole = replace(scores[0.0], category=drawings.category)
    per_point, per_sketch = whole.per_point(), mean(whole.nats)
    return {
        "nats_per_point": per_point["value"],
        "nats_per_point_se": per_point["standard_error"],
        "nats_per_sketch": per_sketch["value"],
        "nats_per_sketch_se": per_sketch["standard_error"],
        "suffix": _by_share(scores),
        "by_depth": _by_depth(scores, drawings, counts),
        "by_category": by_category(whole, drawings.categories),
    }


def by_category(scores: Scores, categories: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Return nats per point and the number of drawings of every category that occurs."""
    parts = {categories[index]: scores.category == index for index in np.unique(scores.category).tolist()}
    return {name: _entry(scores[rows], drawings=int(rows.sum())) for name, rows in parts.items()}


def _by_depth(
    scores: Mapping[float, Scores], drawings: Drawings, counts: Mapping[str, int] | None
) -> dict[str, Any]:
    """Return nats per point of deep and of rare categories by share given; nothing without counts."""
    if counts is None:
        return {}
    groups = depth_groups([drawings.categories[int(index)] for index in drawings.category], counts)
    result: dict[str, Any] = {"deep_from": DEEP}
    for name in ("deep", "rare"):
        rows = groups[name]
        if rows.any():
            result[name] = {
                "categories": len(np.unique(drawings.category[rows])),
                "drawings": int(rows.sum()),
                "suffix": _by_share({share: item[rows] for share, item in scores.items()}),
            }
    return result


def _by_share(scores: Mapping[float, Scores]) -> dict[str, Any]:
    return {f"{share:g}": _entry(item, points=int(item.points.sum())) for share, item in scores.items()}


def _entry(scores: Scores, **counts: int) -> dict[str, Any]:
    found = scores.per_point()
    return {"nats_per_point": found["value"], "standard_error": found["standard_error"], **counts}
