"""Preference training: preferred candidates become likelier than rejected ones.

Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290, equation 7): with r the log-likelihood
ratio of a candidate under the network and a frozen reference, the network at the start, the loss of a pair is
-log sigmoid(beta (r_preferred - r_rejected)). The loss has a lower bound, unlike the log density of
rejected candidates, which a network could lower without end. The likelihood of drawings is another objective
of the same run and keeps the densities calibrated.

The network also learns whether the person lifted the pen after the last given point: the odds of
`sketchgen.completion.partial_sketch.PartialSketch.done`, by which completions continue that stroke or not.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from sketchgen.completion.partial_sketch import STOPPED_EARLY
from sketchgen.data.batching import Batch
from sketchgen.evaluation.likelihood import step_distribution, step_log_prob
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.sketch.strokes import Pen
from sketchgen.training.distributed import world_size
from sketchgen.training.objectives import Backward, Objective, Outcome
from sketchgen.training.preference_batches import PreferenceBatch, PreferenceBatches

BETA = 0.1
"""Inverse temperature of the preference, per nat."""

STROKE_END_WEIGHT = 0.3
"""Weight of the loss by which the network learns where strokes end."""


class Preference(Objective[PreferenceBatch]):
    """Direct preference optimisation of a stroke model.

    The log shows `preference_accuracy`, the share of the pairs whose preferred candidate has the higher
    log-likelihood ratio, and `preferred_log_ratio`, the mean ratio of the preferred candidates in nats. Where
    that falls far below 0, everything that the model draws becomes less likely: take a smaller weight.
    """

    figures = ("preference_accuracy", "preferred_log_ratio")

    def __init__(self, batches: PreferenceBatches, reference: StrokeModel, weight: float = 1.0) -> None:
        """Learn from pairs of candidates.

        Args:
            batches: the pairs.
            reference: the network at the start; it stays frozen.
            weight: of the pairs' loss beside the likelihood in nats a step.
        """
        self.batches, self.reference, self.weight = batches, reference, weight

    def step(self, network: StrokeModel, batch: PreferenceBatch, number: int, backward: Backward) -> Outcome:
        """See `Objective.step`; the network computes without dropout meanwhile."""
        network.without_dropout()
        loss, accuracy, log_ratio = dpo_loss(network, self.reference, batch.pairs, BETA)
        loss = self.weight * loss + STROKE_END_WEIGHT * stroke_end_loss(network, batch.prefixes)
        loss = loss / world_size()
        backward(loss)
        network.train()
        figures = zip(self.figures, (float(accuracy), float(log_ratio)), strict=True)
        return Outcome(loss.detach(), figures=dict(figures))


def dpo_loss(
    network: StrokeModel, reference: StrokeModel, pairs: Batch, beta: float
) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the mean loss, the accuracy, and the mean log-likelihood ratio of the preferred, in nats.

    Args:
        network: learns.
        reference: the network at the start.
        pairs: preferred candidates, followed by the rejected ones in the same order.
        beta: inverse temperature, per nat.
    """
    with torch.no_grad():
        reference_log_prob = step_log_prob(reference, pairs).sum(1)
    preferred, rejected = (step_log_prob(network, pairs).sum(1) - reference_log_prob).chunk(2)
    loss = -functional.logsigmoid(beta * (preferred - rejected)).mean()
    return loss, (preferred > rejected).float().mean().detach(), preferred.mean().detach()


def stroke_end_loss(network: StrokeModel, prefixes: Batch) -> Float[Tensor, ""]:
    """Return the mean cross entropy, in nats, of whether the pen is lifted after the last given points.

    Args:
        network: learns.
        prefixes: see `sketchgen.training.preference_batches.prefix_batch`.
    """
    last = step_distribution(network, prefixes).at(prefixes.cut)
    rows = torch.arange(len(prefixes.cut), device=prefixes.cut.device)
    lifted = (prefixes.pen[rows, prefixes.cut] == int(Pen.LIFT)).float()
    logit = stroke_end_logit(last, prefixes.target[rows, prefixes.cut])
    return functional.binary_cross_entropy_with_logits(logit, lifted)


def stroke_end_logit(last: StepDistribution, offset: Float[Tensor, "b 2"]) -> Float[Tensor, " b"]:
    """Return the log odds that strokes end at the last given points; see `PartialSketch.done`.

    Args:
        last: distributions of the steps that led to the last given points.
        offset: of these steps, px.
    """
    return last.lift_logit(offset) - math.log(STOPPED_EARLY)
