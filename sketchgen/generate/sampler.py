"""Sampling steps from anything that can `prime` and `advance`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
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


def noise_for(seed: int, index: int, limit: int) -> NDArray[np.float32]:
    """(limit + 1, 5) noise of drawing `index` under `seed`, whatever else is drawn together with it."""
    random = np.random.Generator(np.random.Philox(key=np.array([seed, index], dtype=np.uint64)))
    rows = np.empty((limit + 1, NOISE), dtype=np.float32)
    # One call a kind and row order fixed: the first steps do not depend on the limit.
    for row in rows:
        row[:3] = random.random(3)
        row[3:] = random.standard_normal(2)
    return rows


def without_end(distribution: StepDistribution) -> StepDistribution:
    """The distribution under the condition that the drawing goes on."""
    d = distribution
    return StepDistribution(
        d.log_weight, d.mean, d.log_sigma, d.rho, d.lift, torch.full_like(d.end, -torch.inf)
    )


@torch.inference_mode()
def sample_steps(
    model: Stepper,
    given: Given,
    noise: Float[Tensor, "b m 5"],
    temperature: float,
    *,
    at_least_one: bool = True,
) -> Sampled:
    """Sample until every drawing has ended, or has m - 1 points.

    Args:
        model: what is asked for distributions.
        given: the given parts, all of one length.
        noise: one row a step; see `noise_for`.
        temperature: 0 or more; see `StepDistribution.tempered`.
        at_least_one: do not let a drawing end before a point was added.
    """
    batch, rows = noise.shape[:2]
    distribution, state = model.prime(given)
    offsets, pens = [], []
    alive = torch.ones(batch, dtype=torch.bool)
    length = torch.zeros(batch, dtype=torch.long)
    log_prob = torch.zeros(batch)
    for row in range(rows):
        if row == 0 and at_least_one:
            distribution = without_end(distribution)
        offset, pen = distribution.sample(noise[:, row], temperature)
        # The last row of noise only decides whether the drawing ends here.
        counted = alive & ((pen == Pen.END) | (row < rows - 1))
        log_prob += torch.where(counted, distribution.log_prob(offset, pen), torch.zeros_like(log_prob))
        alive = alive & (pen != Pen.END)
        if row == rows - 1 or not bool(alive.any()):
            break
        length += alive
        offsets.append(offset)
        pens.append(pen)
        distribution, state = model.advance(offset, pen, state)
    if not offsets:
        nothing = torch.zeros(batch, 0, 2)
        return Sampled(nothing, torch.zeros(batch, 0, dtype=torch.long), length, ~alive, log_prob)
    return Sampled(torch.stack(offsets, 1), torch.stack(pens, 1), length, ~alive, log_prob)
