"""Guidance: drawing what belongs to the asked category more than to drawings at large.

The network has learned to draw conditionally on a category and unconditionally. Where both agree, a point
says nothing about the category; where the conditional one finds it likelier, it does. Of several candidates
for the next point, drawn conditionally, those are preferred that are likelier than unconditionally:
classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598) for a mixture over points, whose powers are
no mixture, by resampling (Rubin 1988, "Using the SIR algorithm to simulate posterior distributions").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from sketchgen.completion.sampler import Stepper, prime_all
from sketchgen.models.numpy_layers import Rows
from sketchgen.models.numpy_mixture import StepDistribution
from sketchgen.models.numpy_stroke_model import Prefix

CANDIDATES = 8
"""Candidates for a point. More let a strong guidance be followed further, and take time."""

MAX_PREFERENCE = 20.0
"""Most nats by which a candidate is preferred or avoided, whatever the strength."""


def _twice(rows: Rows, count: int) -> Int[np.ndarray, " d"]:
    """Return the rows of both halves of 2 `count` rows that belong to some of `count` drawings."""
    chosen = np.arange(count)[rows]
    return np.concatenate([chosen, chosen + count])


@dataclass(frozen=True)
class GuidedStep:
    """Distribution over a step of each of b drawings under guidance.

    Attributes:
        both: 2 b rows; those of the conditional network, then those of the unconditional one.
        strength: how much the difference counts, 0 or more.
        drawn_from: the conditional rows that candidates are drawn from, where they differ; see `within`.
    """

    both: StepDistribution
    strength: float
    drawn_from: StepDistribution | None = None

    @property
    def conditional(self) -> StepDistribution:
        """The rows of the conditional network."""
        return self.both.take(slice(len(self.both.end) // 2))

    def take(self, rows: Rows) -> GuidedStep:
        """Return some rows, in that order."""
        return GuidedStep(self.both.take(_twice(rows, len(self.both.end) // 2)), self.strength)

    @staticmethod
    def join(parts: Sequence[GuidedStep]) -> GuidedStep:
        """Return the rows of several distributions one after the other."""
        count = [len(part.both.end) // 2 for part in parts]
        halves = [part.both.take(slice(n)) for part, n in zip(parts, count, strict=True)]
        halves += [part.both.take(slice(n, None)) for part, n in zip(parts, count, strict=True)]
        return GuidedStep(StepDistribution.join(halves), parts[0].strength)

    def without_end(self) -> GuidedStep:
        """Return the distribution under the condition that the drawing goes on."""
        return replace(self, both=self.both.without_end())

    def within(self, low: Float[np.ndarray, "b 2"], high: Float[np.ndarray, "b 2"]) -> GuidedStep:
        """Return the distribution with candidates from `StepDistribution.within`; likelihoods stay."""
        return replace(self, drawn_from=self.conditional.within(low, high))

    def log_prob(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, " b"]:
        """Return the log density of a step by the conditional network, without guidance, nats."""
        return self.conditional.log_prob(offset, pen)

    def sample(
        self, noise: Float[np.ndarray, "b w 6"], temperature: float
    ) -> tuple[Float[np.ndarray, "b 2"], Int[np.ndarray, " b"]]:
        """Draw an offset (px) and a pen.

        Args:
            noise: a row for each candidate: what `StepDistribution.samples` takes, and a uniform number more.
            temperature: see `StepDistribution.samples`; at 0 the means of the heaviest
                components are the candidates.
        """
        step = self.drawn_from or self.conditional
        if temperature == 0:
            offset, pen, score = _heaviest(step, noise)
        else:
            offset, pen = step.samples(noise[..., :5], temperature)
            # Gumbel noise: the largest sum is one drawn by the exponentials of the scores.
            uniform = np.minimum(np.maximum(noise[:, :, 5], 1e-12), 1 - 1e-12)
            score = -np.log(-np.log(uniform))
        nats = self.both.log_probs(np.concatenate([offset, offset]), np.concatenate([pen, pen]))
        preference = self.strength * (nats[: len(pen)] - nats[len(pen) :])
        preference = np.minimum(np.maximum(preference, -MAX_PREFERENCE), MAX_PREFERENCE)
        best = (score + preference).argmax(1)
        rows = np.arange(len(offset))
        return offset[rows, best], pen[rows, best]


def _heaviest(
    step: StepDistribution, noise: Float[np.ndarray, "b w 6"]
) -> tuple[Float[np.ndarray, "b v 2"], Int[np.ndarray, "b v"], Float[np.ndarray, "b v"]]:
    """Return the means of the heaviest components, with a pen for each, and the logs of their weights."""
    rows = np.arange(len(noise))[:, None]
    chosen = np.argsort(-step.log_weight, axis=1, kind="stable")[:, : noise.shape[1]]
    pen = step.pens(noise[:, :1], step.lift[rows, chosen], 0.0)
    return step.clipped(step.mean[rows, chosen]), pen, step.log_weight[rows, chosen]


@dataclass(frozen=True)
class GuidedState:
    """The state of b drawings under guidance.

    Attributes:
        both: of 2 b rows, as in `GuidedStep`.
        count: b.
    """

    both: Any
    count: int

    def take(self, rows: Rows) -> GuidedState:
        """Return some rows, in that order."""
        chosen = _twice(rows, self.count)
        return GuidedState(self.both.take(chosen), len(chosen) // 2)

    @staticmethod
    def join(states: Sequence[GuidedState]) -> GuidedState:
        """Return the rows of several states one after the other."""
        halves = [state.both.take(slice(state.count)) for state in states]
        halves += [state.both.take(slice(state.count, None)) for state in states]
        return GuidedState(type(halves[0]).join(halves), sum(state.count for state in states))


class Guided:
    """A network that draws under guidance: each drawing has a conditional and an unconditional row.

    Attributes:
        candidates: rows of noise that a step of a drawing takes.
    """

    candidates = CANDIDATES

    def __init__(self, network: Stepper, any_category: int, strength: float) -> None:
        """Guide `network`; to it `any_category` stands for "unconditional"."""
        self._network, self._any, self._strength = network, any_category, strength

    def prime(self, given: Prefix) -> tuple[GuidedStep, GuidedState]:
        """Read the given part; see `Decoder.prime`."""
        category = np.concatenate([given.category, np.full_like(given.category, self._any)])
        going_on = None if given.going_on is None else np.tile(given.going_on, 2)
        latent = None
        if given.latent is not None:
            latent = np.concatenate([given.latent, np.zeros_like(given.latent)])
        both = replace(given, category=category, going_on=going_on, latent=latent)
        return self._guided(*self._network.prime(both))

    def prime_all(self, given: Sequence[Prefix]) -> tuple[GuidedStep, GuidedState]:
        """Read several given parts at once; see `Decoder.prime_all`."""
        free = [replace(each, category=np.full_like(each.category, self._any)) for each in given]
        return self._guided(*prime_all(self._network, [*given, *free]))

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: GuidedState
    ) -> tuple[GuidedStep, GuidedState]:
        """Take a step; return the distribution of the next one, and the state."""
        both = np.concatenate([offset, offset]), np.concatenate([pen, pen])
        return self._guided(*self._network.advance(*both, state.both))

    def _guided(self, step: StepDistribution, state: Any) -> tuple[GuidedStep, GuidedState]:
        return GuidedStep(step, self._strength), GuidedState(state, len(step.end) // 2)
