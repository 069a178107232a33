"""Sampling steps from anything that can `prime` and `advance`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sketchgen.drawing.strokes import Pen
from sketchgen.model.mixture import StepDistribution
from sketchgen.model.strokemodel import Given, State

NOISE = 5
"""Random numbers a step takes; see `StepDistribution.sample`."""


@runtime_checkable
class Stepper(Protocol):
    """All that the sampler knows of a model."""

    def prime(self, given: Given) -> tuple[StepDistribution, State]:
        """Read the given part; the distribution of the first added step, and the state."""
        ...

    def advance(
        self, offset: Float[Tensor, "b 2"], pen: Int[Tensor, " b"], state: State
    ) -> tuple[StepDistribution, State]:
        """Take a step; the distribution of the next, and the state."""
        ...


@dataclass(frozen=True)
class Sampled:
    """Steps of b drawings.

    Attributes:
        offset: px of the model's box.
        pen: after each point.
        length: number of points of each; what stands behind them has no meaning.
        ended: whether the model ended the drawing (False: it was stopped at the limit).
        log_prob: log-likelihood of each drawing's steps at temperature 1, nats.
    """

    offset: Float[Tensor, "b n 2"]
    pen: Int[Tensor, "b n"]
    length: Int[Tensor, " b"]
    ended: Bool[Tensor, " b"]
    log_prob: Float[Tensor, " b"]


def noise_rows(seed: int, count: int) -> Iterator[Float[Tensor, "b 5"]]:
    """Noise of drawings 0 to `count` - 1 under `seed`, a row a step, made when it is asked for.

    That of a drawing depends on the seed and its index alone, whatever else is drawn together with it.
    """
    generators = [
        np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64)))
        for index in range(count)
    ]
    while True:
        rows = [np.concatenate([random.random(3), random.standard_normal(2)]) for random in generators]
        yield torch.from_numpy(np.stack(rows).astype(np.float32))


def without_end(distribution: StepDistribution) -> StepDistribution:
    """The distribution under the condition that the drawing goes on."""
    d = distribution
    return StepDistribution(
        d.log_weight, d.mean, d.log_sigma, d.rho, d.lift, torch.full_like(d.end, -torch.inf)
    )


@dataclass(frozen=True)
class Step:
    """What the sampler drew next for b drawings.

    Attributes:
        offset: px of the model's box.
        pen: after the point.
        drawn: which drawings got a point; what stands in the rows of the others has no meaning.
        ended: which drawings the model has ended, now or before.
        log_prob: log-likelihood of what was decided in this step at temperature 1, nats; 0 behind the end.
    """

    offset: Float[Tensor, "b 2"]
    pen: Int[Tensor, " b"]
    drawn: Bool[Tensor, " b"]
    ended: Bool[Tensor, " b"]
    log_prob: Float[Tensor, " b"]


def steps(
    model: Stepper,
    given: Given,
    noise: Iterable[Float[Tensor, "b 5"]],
    limit: int,
    temperature: float,
    *,
    at_least_one: bool = True,
) -> Iterator[Step]:
    """Sample step by step until every drawing has ended, or has `limit` points.

    The last step draws no point: in it the last drawings end, or it is only found out whether they would.

    Args:
        model: what is asked for distributions.
        given: the given parts, all of one length.
        noise: a row a step, `limit` + 1 of them at least; see `noise_rows`.
        limit: most points of a drawing.
        temperature: 0 or more; see `StepDistribution.tempered`.
        at_least_one: do not let a drawing end before a point was added.
    """
    alive = torch.ones(len(given.length), dtype=torch.bool)
    before: Step | None = None
    state: State | None = None
    for row, numbers in zip(range(limit + 1), noise, strict=False):
        # Entered anew for each step: held over a yield, it would be in force for whoever asks, too.
        with torch.inference_mode():
            if before is None or state is None:
                distribution, state = model.prime(given)
            else:
                distribution, state = model.advance(before.offset, before.pen, state)
            if row == 0 and at_least_one:
                distribution = without_end(distribution)
            offset, pen = distribution.sample(numbers, temperature)
            ends = pen == Pen.END
            counted = alive & (ends | (row < limit))
            log_prob = distribution.log_prob(offset, pen)
            alive = alive & ~ends
            drawn = alive & (row < limit)
            before = Step(offset, pen, drawn, ~alive, torch.where(counted, log_prob, 0.0))
        yield before
        if not bool(drawn.any()):
            return


def sample_steps(
    model: Stepper,
    given: Given,
    noise: Iterable[Float[Tensor, "b 5"]],
    limit: int,
    temperature: float,
    *,
    at_least_one: bool = True,
) -> Sampled:
    """All of `steps` at once."""
    found = list(steps(model, given, noise, limit, temperature, at_least_one=at_least_one))
    drawn = torch.stack([step.drawn for step in found], 1)
    most = int(drawn.sum(1).max())
    return Sampled(
        torch.stack([step.offset for step in found], 1)[:, :most],
        torch.stack([step.pen for step in found], 1)[:, :most],
        drawn.sum(1),
        found[-1].ended,
        torch.stack([step.log_prob for step in found], 1).sum(1),
    )
