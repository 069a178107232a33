"""Practising: a model finishes drawings again and again, and learns from how well its ways have come out.

REINFORCE (Williams 1992) with the other ways for the same beginning to compare with: of what a way is worth
that of the others is taken off on average (Kool et al. 2019, "Buy 4 REINFORCE samples, get a baseline for
free!"). The ways are drawn by the weights that learn, at a temperature that people use. What counts can be
the best of k ways, since of several one is chosen at the end: then a way is worth by how much the best of k
gets better by it, over all choices of k among those that were drawn (Walder and Karkhanis 2025, "Pass@K
policy optimization"). It is learned beside the drawings, which keep the densities honest.

What is learned is where to go, not how sure to be of it: a deviation that shrinks makes ways better that are
at a temperature, and densities worse. So these and the correlations have no gradient from here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from sketchgen.data.batching import Batch
from sketchgen.evaluation.likelihood import counted_log_prob, step_distribution
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.sketch.strokes import Pen
from sketchgen.training.config import ReinforceConfig
from sketchgen.training.preference import whole_logit
from sketchgen.training.recognition_reward import Namer
from sketchgen.training.reinforce_batches import LONGEST, Openings, Practice
from sketchgen.training.rewards import ink, worth
from sketchgen.training.rollout import Rollouts, Samples, repeated, uncached

TEMPERATURES = (0.25, 0.5)
"""Those at which ways are drawn, half of the beginnings each."""

LIMIT = 120
"""Most points that are added."""

ROWS, PROCESSOR_ROWS = 1024, 64
"""Ways of which gradients are worked out at once: many keep a GPU busy, few have little padding."""

KEPT = 0.5
"""Share of the ways that are learned from, those of each beginning that have come out best and worst: they
teach nearly all that all of them do, in half of the time (Xu et al. 2025, arXiv:2504.13818)."""

Backward = Callable[[Tensor], None]
"""Adds the gradients of a loss to those of the weights."""


class Practised(NamedTuple):
    """What came of a step.

    Attributes:
        worth: mean of the ways; see `sketchgen.training.rewards`.
        best: mean of the best ways of the beginnings.
        named: mean log probability of the category by the judge, nats; 0 without one.
        ended: share of the ways that the model ended.
    """

    worth: float
    best: float
    named: float
    ended: float


@dataclass
class Practising:
    """What practising adds to the loss.

    Attributes:
        openings: beginnings by their number.
        settings: in how many ways each is finished, and what counts.
        judge: who names the finished drawings; None for nobody.
    """

    openings: Practice
    settings: ReinforceConfig
    judge: Namer | None = None
    _rollouts: Rollouts | None = None

    def learned(self, network: StrokeModel, openings: Openings, backward: Backward) -> Practised:
        """Practise once, and hand the loss over in parts; the network computes without dropout meanwhile."""
        device = next(network.parameters()).device
        learning = network.training
        network.without_dropout()
        openings = openings.to(device)
        temperature = torch.tensor(TEMPERATURES, device=device).repeat(len(openings.cut))[: len(openings.cut)]
        temperature = temperature.repeat_interleave(self.settings.rollouts)
        with uncached(device):
            steps = told_apart(network, openings, temperature, self.settings.rollouts)
        cut = openings.cut.repeat_interleave(self.settings.rollouts)
        found = self._roll(network, len(cut)).draw(steps, cut, temperature)
        values, named = self._values(openings, steps, found)
        gains = advantages(values.unflatten(0, (-1, self.settings.rollouts)), self.settings.best_of)
        gains = gains / gains.std().clamp(min=1e-6)
        guessed = ~openings.settled.repeat_interleave(self.settings.rollouts)
        self._hand_over(network, steps, found, gains, temperature, guessed, backward)
        network.train(learning)
        several = (values - self.settings.classifier_weight * named).unflatten(
            0, (-1, self.settings.rollouts)
        )
        return Practised(
            float(several.mean()),
            float(several.amax(1).mean()),
            float(named.mean()),
            float(found.ended.float().mean()),
        )

    def _values(
        self, openings: Openings, steps: Steps, found: Samples
    ) -> tuple[Float[Tensor, " b"], Float[Tensor, " b"]]:
        """What each way is worth in all, and what the judge says of it."""
        rows = torch.arange(len(openings.cut), device=found.cut.device).repeat_interleave(
            self.settings.rollouts
        )
        points, begins, there = _added(openings, found, rows)
        value = worth(openings.missing()[rows], ink(points, begins, there), found.ended)
        named = torch.zeros_like(value)
        if self.judge is not None and self.settings.classifier_weight:
            named = self.judge.sure(found, steps.category)
        return value + self.settings.classifier_weight * named, named

    def _hand_over(
        self,
        network: StrokeModel,
        steps: Steps,
        found: Samples,
        gains: Float[Tensor, "n w"],
        temperature: Float[Tensor, " b"],
        guessed: Bool[Tensor, " b"],
        backward: Backward,
    ) -> None:
        """The loss, in parts of ways of like length."""
        batch = ways_batch(steps, found)
        most = gains.abs().topk(max(1, round(KEPT * self.settings.rollouts)), 1).indices
        first = torch.arange(len(gains), device=gains.device).unsqueeze(1) * self.settings.rollouts
        chosen, count = (first + most).flatten(), batch.scored.sum()
        size = ROWS if gains.is_cuda else PROCESSOR_ROWS
        for rows in chosen[torch.argsort(found.length[chosen])].split(size):
            part = _trimmed(batch, rows)
            log_prob = way_log_prob(network, part, temperature[rows], guessed[rows])
            backward(-self.settings.weight * (gains.flatten()[rows] * log_prob).sum() / count)

    def _roll(self, network: StrokeModel, rows: int) -> Rollouts:
        """Where the ways are drawn; made when it is first asked for."""
        if self._rollouts is None or self._rollouts.network is not network:
            self._rollouts = Rollouts(network, rows, LONGEST, LIMIT)
        return self._rollouts


def told_apart(
    network: StrokeModel, openings: Openings, temperature: Float[Tensor, " b"], ways: int
) -> Steps:
    """The beginnings, `ways` times each, with a guess of each whether its last stroke goes on.

    Args:
        network: by whose odds of lifting the pen there; see `PartialSketch.done`.
        openings: the beginnings.
        temperature: of each way, above 0; the odds are raised to 1/T.
        ways: how many of each.
    """
    given = openings.steps()
    with torch.no_grad():
        last = network(given, openings.cut).at(openings.cut - 1)
        rows = torch.arange(len(openings.cut), device=openings.cut.device)
        logit = whole_logit(last, given.offset[rows, openings.cut - 1])
    several = repeated(given, ways)
    whole = torch.rand_like(temperature) < torch.sigmoid(logit.repeat_interleave(ways) / temperature)
    rows, at = torch.arange(len(whole), device=whole.device), openings.cut.repeat_interleave(ways) - 1
    guess = torch.where(whole, int(Pen.LIFT), int(Pen.DRAW))
    pen = several.pen.clone()
    pen[rows, at] = torch.where(openings.settled.repeat_interleave(ways), pen[rows, at], guess)
    return replace(several, pen=pen)


def way_log_prob(
    network: StrokeModel, batch: Batch, temperature: Float[Tensor, " b"], guessed: Bool[Tensor, " b"]
) -> Float[Tensor, " b"]:
    """Log density, nats, of what was added, at a temperature, and of the guess whether a stroke goes on.

    Args:
        network: what learns.
        batch: the ways; what was added is scored.
        temperature: of each.
        guessed: where the network has guessed whether the last given stroke goes on.
    """
    found = step_distribution(network, batch)
    found = replace(found, log_sigma=found.log_sigma.detach(), rho=found.rho.detach())
    whole = counted_log_prob(found.tempered(temperature.unsqueeze(1)), batch).sum(1)
    rows = torch.arange(len(batch.cut), device=batch.cut.device)
    logit = whole_logit(found.at(batch.cut - 1), batch.target[rows, batch.cut - 1])
    sign = torch.where(batch.pen[rows, batch.cut - 1] == int(Pen.LIFT), 1.0, -1.0)
    return whole + torch.where(guessed, functional.logsigmoid(sign * logit / temperature), 0.0)


def advantages(values: Float[Tensor, "b n"], best_of: int) -> Float[Tensor, "b n"]:
    """By how much the best of `best_of` ways gets better by each of n, on average over all choices of others.

    With 1 it is what a way is worth beyond the mean of the others. The mean over the n is 0 only then.

    Raises:
        ValueError: not 1 <= best_of < n.
    """
    order = values.argsort(1)
    weights = torch.from_numpy(_weights(values.shape[1], best_of)).to(values.device)
    # In float64, which autocast leaves alone.
    found = (values.gather(1, order).double() @ weights.T).to(values.dtype)
    return torch.empty_like(found).scatter_(1, order, found)


@cache
def _weights(count: int, best_of: int) -> Float[np.ndarray, "n n"]:
    """Row i: the weights of the ascending values in the gain of the i-th of them."""
    if not 1 <= best_of < count:
        raise ValueError(f"the best of {best_of} cannot be told apart among {count}")
    found = np.zeros((count, count))
    choices, others = math.comb(count - 1, best_of - 1), math.comb(count - 1, best_of)
    for one in range(count):
        # With it: it is the best, or a better one is, which is the best of the others.
        found[one, one] += math.comb(one, best_of - 1) / choices
        for better in range(one + 1, count):
            if best_of > 1:
                found[one, better] += math.comb(better - 1, best_of - 2) / choices
        # Without it.
        rest = [other for other in range(count) if other != one]
        for place, other in enumerate(rest):
            found[one, other] -= math.comb(place, best_of - 1) / others
    return found


def _added(
    openings: Openings, found: Samples, rows: Int[Tensor, " b"]
) -> tuple[Float[Tensor, "b n 2"], Bool[Tensor, "b n"], Bool[Tensor, "b n"]]:
    """The lines that were added, px of the 255 box; one that goes on begins at the last given point."""
    index = torch.arange(found.pen.shape[1], device=found.pen.device)
    points = found.offset.cumsum(1)
    last = found.cut - 1
    origin = points.gather(1, last.reshape(-1, 1, 1).expand(-1, 1, 2))
    points = (points - origin) * openings.scale[rows].reshape(-1, 1, 1) + openings.origin[rows].unsqueeze(1)
    before = torch.cat([found.pen[:, :1], found.pen[:, :-1]], 1)
    begins = before != Pen.DRAW
    there = (index >= found.cut.unsqueeze(1)) & (index < found.length.unsqueeze(1))
    # The last given point is one of the line that goes on from it.
    goes_on = (index == last.unsqueeze(1)) & (found.pen == Pen.DRAW)
    begins = (begins | goes_on) & (there | goes_on)
    return points, begins, there | goes_on


def ways_batch(steps: Steps, found: Samples) -> Batch:
    """The ways as a batch of which what was added is scored; the end only where the model came to it."""
    pen = functional.pad(found.pen, (0, 1), value=int(Pen.END))
    index = torch.arange(pen.shape[1], device=pen.device)
    last = torch.where(found.ended, found.length, found.length - 1)
    return Batch(
        offset=found.offset,
        target=functional.pad(found.offset, (0, 0, 0, 1)),
        pen=pen,
        length=found.length,
        cut=found.cut,
        category=steps.category,
        known=steps.known,
        scored=(index >= found.cut.unsqueeze(1)) & (index <= last.unsqueeze(1)),
        key=torch.zeros_like(found.cut),
    )


def _trimmed(batch: Batch, rows: Int[Tensor, " r"]) -> Batch:
    """Some rows of a batch, as long as the longest of these."""
    part = {name: value[rows] for name, value in vars(batch).items()}
    most = int(part["length"].max())
    part["offset"] = part["offset"][:, :most]
    for name in ("target", "pen", "scored"):
        part[name] = part[name][:, : most + 1]
    return Batch(**part)
