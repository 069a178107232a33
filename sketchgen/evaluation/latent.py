"""How well a latent vector holds a drawing: reconstruction and divergence in nats, and active units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from sketchgen.completion.completer import Completer
from sketchgen.data.batching import evaluation_batch
from sketchgen.data.drawings import Drawings
from sketchgen.evaluation.likelihood import BATCH, counted_log_prob, step_distribution, steps_of
from sketchgen.evaluation.statistics import Figure, mean, ratio
from sketchgen.models.memory import keep_freed_memory
from sketchgen.models.stroke_model import StrokeModel

ACTIVE = 0.01
"""A unit is active if the variance of its posterior mean over the drawings is above this: Burda et al. 2016,
"Importance weighted autoencoders", section 5."""


@dataclass(frozen=True)
class LatentScores:
    """Of n drawings, drawn from nothing with a latent vector from the posterior.

    Attributes:
        nats: negative log-likelihood of each, given its vector.
        divergence: of each posterior from the prior, nats.
        points: number of points of each.
        mean: means of the posteriors.
    """

    nats: Float[np.ndarray, " n"]
    divergence: Float[np.ndarray, " n"]
    points: Int[np.ndarray, " n"]
    mean: Float[np.ndarray, "n z"]

    def reconstruction(self) -> Figure:
        """Return nats per point, given the vector."""
        return ratio(self.nats, self.points)

    def bound(self) -> Figure:
        """Return nats per point with the divergence: an upper bound of the negative log-likelihood."""
        return ratio(self.nats + self.divergence, self.points)

    def figures(self) -> dict[str, Any]:
        """Return what is reported, as plain JSON values."""
        return {
            "reconstruction": self.reconstruction(),
            "divergence": mean(self.divergence),
            "bound": self.bound(),
            "active": self.active,
        }

    @property
    def active(self) -> float:
        """Share of the units that are active."""
        return float((self.mean.var(0) > ACTIVE).mean())


@torch.no_grad()
def score_latent(
    model: StrokeModel,
    drawings: Drawings,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> LatentScores:
    """Score drawings whose categories are the model's own indices; vectors are drawn by `seed`.

    `progress` is called with the number of drawings of each batch.

    Raises:
        SettingError: the model has no latent vector.
    """
    keep_freed_memory()
    model.eval()
    device = next(model.parameters()).device
    order = np.lexsort((drawings.key, drawings.lengths))
    nats, divergence = np.zeros(len(drawings)), np.zeros(len(drawings))
    mean = np.zeros((len(drawings), model.config.latent))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for number, first in enumerate(range(0, len(order), BATCH)):
            rows = order[first : first + BATCH]
            batch = evaluation_batch(drawings.take(rows), np.random.default_rng([seed, number]), 0.0)
            batch = batch.to(device)
            posterior, prior = model.latents(steps_of(batch), batch.length, batch.cut)
            log_prob = counted_log_prob(step_distribution(model, batch, posterior.sample()), batch)
            nats[rows] = -log_prob.double().cpu().numpy().sum(1)
            divergence[rows] = posterior.divergence(prior).double().cpu().numpy().sum(1)
            mean[rows] = posterior.mean.cpu().numpy()
            if progress is not None:
                progress(len(rows))
    return LatentScores(nats, divergence, drawings.lengths, mean)


def latent_figures(model: Completer, drawings: Drawings, seed: int) -> dict[str, Any]:
    """Return the figures of a model's latent vector with each drawing's category told, and without."""
    network, found = StrokeModel.from_weights(model.config, model.decoder.weights()), {}
    for name, known in (("category told", True), ("not told", False)):
        category = (
            drawings.known_as(model.categories)
            if known
            else np.full(len(drawings), network.config.any_category)
        )
        found[name] = score_latent(network, replace(drawings, category=category), seed).figures()
    return found
