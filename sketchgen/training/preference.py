"""Preference training: better candidates to finish a drawing become likelier than worse ones.

Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290, equation 7): with r the log-likelihood
of a candidate under the network that learns, less that under the network it started as, the loss of a pair is
-log sigmoid(beta (r_better - r_worse)). What a mixture over points can gain by it is bounded, unlike by
pushing worse candidates away. The likelihood of drawings beside it keeps the densities honest.

Beside the pairs the network learns whether a person who stopped at the last given point was within a stroke:
`sketchgen.completion.partial_sketch.PartialSketch.done`, the odds by which completions go on with that
stroke.
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
"""Sharpness of the preference, for each nat."""

STOP_WEIGHT = 0.3
"""Weight of whether strokes go on."""


class Preference(Objective[PreferenceBatch]):
    """Direct preference optimisation of a stroke model.

    The log shows `preferred`, the share of the pairs whose better candidate has gained on the worse one, and
    `preference_gain`, the mean gain of the better candidates in nats. Where that falls far below 0, all that
    the model draws becomes less likely: take a smaller weight.
    """

    figures = ("preferred", "preference_gain")

    def __init__(self, batches: PreferenceBatches, reference: StrokeModel, weight: float = 1.0) -> None:
        """Learn from pairs of candidates.

        Args:
            batches: the pairs.
            reference: the network at the start; it does not learn.
            weight: of the pairs' loss beside a nat a step of the drawings.
        """
        self.batches, self.reference, self.weight = batches, reference, weight

    def step(self, network: StrokeModel, batch: PreferenceBatch, number: int, backward: Backward) -> Outcome:
        """See `Objective.step`; the network computes without dropout meanwhile."""
        network.without_dropout()
        loss, preferred, gain = pair_loss(network, self.reference, batch.pairs, BETA)
        loss = (self.weight * loss + STOP_WEIGHT * stop_loss(network, batch.stops)) / world_size()
        backward(loss)
        network.train()
        return Outcome(loss.detach(), figures={"preferred": float(preferred), "preference_gain": float(gain)})


def pair_loss(
    network: StrokeModel, reference: StrokeModel, pairs: Batch, beta: float
) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the mean loss of pairs, the share that is preferred rightly, and the better ones' gain in nats.

    Args:
        network: learns.
        reference: the network at the start.
        pairs: the better candidates, and behind them as many worse ones.
        beta: sharpness, for each nat.
    """
    with torch.no_grad():
        before = step_log_prob(reference, pairs).sum(1)
    better, worse = (step_log_prob(network, pairs).sum(1) - before).chunk(2)
    loss = -functional.logsigmoid(beta * (better - worse)).mean()
    return loss, (better > worse).float().mean().detach(), better.mean().detach()


def stop_loss(network: StrokeModel, stops: Batch) -> Float[Tensor, ""]:
    """Return the mean cross entropy, in nats, of whether the last given strokes are whole.

    Args:
        network: learns.
        stops: partial sketches whose last points are not given.
    """
    last = step_distribution(network, stops).at(stops.cut)
    rows = torch.arange(len(stops.cut), device=stops.cut.device)
    whole = (stops.pen[rows, stops.cut] == int(Pen.LIFT)).float()
    logit = whole_logit(last, stops.target[rows, stops.cut])
    return functional.binary_cross_entropy_with_logits(logit, whole)


def whole_logit(last: StepDistribution, offset: Float[Tensor, "b 2"]) -> Float[Tensor, " b"]:
    """Return the log odds that the last given strokes are whole; see `PartialSketch.done`.

    Args:
        last: distributions of the steps that led to the last given points.
        offset: of these steps, px.
    """
    return last.lift_logit(offset) - math.log(STOPPED_EARLY)
