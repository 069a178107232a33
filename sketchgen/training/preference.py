"""Learning from preferences: better ways to finish a drawing are to become likelier than worse ones.

Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290, equation 7): with r the log-likelihood
of a way under the network that learns less that under the one it began as, the loss of a pair is
-log sigmoid(beta (r_better - r_worse)). What a mixture over points can gain by it is bounded, unlike by
pushing worse ways away. It is learned beside the drawings, which keep the densities honest.

Beside the pairs it learns whether a person who stopped at the last given point was within a stroke:
`sketchgen.completion.partial_sketch.PartialSketch.done`, the odds by which completions go on with that
stroke or don't.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

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
from sketchgen.training.preference_batches import Preferences, pair_batch, stop_batch


class Preferred(NamedTuple):
    """What came of a batch of pairs.

    Attributes:
        loss: what it adds to the loss of the drawings.
        told: share of the pairs whose better way has gained on the worse one since the beginning.
        gained: mean gain of the better ways, nats. Where it falls far below 0, what the model draws becomes
            less likely, the good with the bad: weigh preferences less.
    """

    loss: Float[Tensor, ""]
    told: Float[Tensor, ""]
    gained: Float[Tensor, ""]


@dataclass(frozen=True)
class Preferring:
    """What preferences add to the loss.

    Attributes:
        preferences: the pairs.
        reference: the network as it was before; it does not learn.
        sharpness: beta of the loss, for each nat.
        weight: of the pairs' loss beside a nat per point of the drawings.
        stops: weight of whether strokes go on.
    """

    preferences: Preferences
    reference: StrokeModel
    sharpness: float = 0.1
    weight: float = 1.0
    stops: float = 0.3

    def learned(self, network: StrokeModel, number: int) -> Preferred:
        """What batch `number` of the preferences adds; the network computes without dropout meanwhile."""
        device = next(network.parameters()).device
        learning = network.training
        network.without_dropout()
        pairs = pair_batch(self.preferences[number]).to(device)
        stops = stop_batch(self.preferences.some_starts(number)).to(device)
        found = pair_loss(network, self.reference, pairs, self.sharpness)
        loss = self.weight * found.loss
        if self.stops:
            loss = loss + self.stops * stop_loss(network, stops)
        network.train(learning)
        return found._replace(loss=loss)


def pair_loss(network: StrokeModel, reference: StrokeModel, pairs: Batch, sharpness: float) -> Preferred:
    """The mean loss of pairs: see the module.

    Args:
        network: what learns.
        reference: what it began as.
        pairs: the better ways, and behind them as many worse ones.
        sharpness: beta.
    """
    with torch.no_grad():
        before = step_log_prob(reference, pairs).sum(1)
    better, worse = (step_log_prob(network, pairs).sum(1) - before).chunk(2)
    loss = -functional.logsigmoid(sharpness * (better - worse)).mean()
    return Preferred(loss, (better > worse).float().mean().detach(), better.mean().detach())


def stop_loss(network: StrokeModel, stops: Batch) -> Float[Tensor, ""]:
    """The mean cross entropy, nats, of whether the last given strokes are whole.

    Args:
        network: what learns.
        stops: beginnings whose last points are not given.
    """
    last = step_distribution(network, stops).at(stops.cut)
    rows = torch.arange(len(stops.cut), device=stops.cut.device)
    whole = (stops.pen[rows, stops.cut] == int(Pen.LIFT)).float()
    logit = whole_logit(last, stops.target[rows, stops.cut])
    return functional.binary_cross_entropy_with_logits(logit, whole)


def whole_logit(last: StepDistribution, offset: Float[Tensor, "b 2"]) -> Float[Tensor, " b"]:
    """Log odds that the last given strokes are whole; `completion.partial_sketch.PartialSketch.done`.

    Args:
        last: of the steps that led to the last given points.
        offset: of these steps, px.
    """
    return last.lift_logit(offset) - math.log(STOPPED_EARLY)
