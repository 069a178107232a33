"""How well a latent vector holds a drawing: reconstruction and divergence in nats, and active units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from sketchgen.completion.completer import Completer
from sketchgen.data.drawings import Drawings
from sketchgen.evaluation.likelihood import counted_log_prob, measured, step_distribution, steps_of
from sketchgen.evaluation.statistics import mean, ratio
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
    """

    nats: Float[np.ndarray, " n"]
    divergence: Float[np.ndarray, " n"]
    points: Int[np.ndarray, " n"]
    mean: Float[np.ndarray, "n z"]

    def figures(self) -> dict[str, Any]:
        """Return what is reported, as plain JSON values.

        Nats per point given the vector, nats of divergence, both together per point (an upper bound of the
        negative log-likelihood), and the share of the units that are active.
        """
        return {
            "reconstruction": ratio(self.nats, self.points),
            "divergence": mean(self.divergence),
            "bound": ratio(self.nats + self.divergence, self.points),
            "active": float((self.mean.var(0) > ACTIVE).mean()),
        }


@torch.no_grad()
def score_latent(
    model: StrokeModel,
    drawings: Drawings,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> LatentScores:
    """Score drawings whose categories are the model's own indices; vectors are drawn by `seed`.

    `progress` is called with the number of drawings of each batch.
    """
    nats, divergence = np.zeros(len(drawings)), np.zeros(len(drawings))
    mean = np.zeros((len(drawings), model.config.latent))
    device = next(model.parameters()).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for rows, batch in measured(model, drawings, 0.0, seed, progress):
            posterior, prior = model.latents(steps_of(batch), batch.length, batch.cut)
            log_prob = counted_log_prob(step_distribution(model, batch, posterior.sample()), batch)
            nats[rows] = -log_prob.double().cpu().numpy().sum(1)
            divergence[rows] = posterior.divergence(prior).double().cpu().numpy().sum(1)
            mean[rows] = posterior.mean.cpu().numpy()
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
