"""Guidance: drawing what belongs to the asked category more than to drawings at large.

The network has learned to draw with and without being told the category. Where both agree, a point says
nothing about the category; where the told one finds it likelier, it does. Of several candidates for the next
point, drawn by the told one, those are preferred that it finds likelier than the other: classifier-free
guidance (Ho and Salimans 2022, arXiv:2207.12598) for a mixture over points, whose powers are no mixture, by
resampling (Rubin 1988, "Using the SIR algorithm to simulate posterior distributions").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from sketchgen.completion.sampler import Stepper, prime_all
from sketchgen.models.numpy_head import Found, as_mixture
from sketchgen.models.numpy_mixture import NextStep, sigmoid
from sketchgen.models.numpy_stroke_model import Prefix, State
from sketchgen.models.trees import stacked, taken
from sketchgen.sketch.strokes import Pen

GUIDANCE = 2.0
"""Strength of guidance where nobody says; 0 is none."""

MAX_GUIDANCE = 10.0

WAYS = 8
"""Candidates for a point. More let a strong guidance be followed further, and cost time."""

SURE = 20.0
"""Most nats by which a candidate is preferred or avoided, whatever the strength."""


@dataclass(frozen=True)
class GuidedStep:
    """Distribution over a step of each of b drawings, as told the category and as not told it.

    Attributes:
        told, free: both.
        strength: how much the difference counts, 0 or more.
    """

    told: NextStep
    free: NextStep
    strength: float

    def without_end(self) -> GuidedStep:
        """The distribution under the condition that the drawing goes on."""
        return replace(self, told=self.told.without_end(), free=self.free.without_end())

    def log_prob(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, " b"]:
        """Log density of a step, nats, by the network that was told the category, without guidance."""
        return self.told.log_prob(offset, pen)

    def sample(
        self, noise: Float[np.ndarray, "b w 6"], temperature: float
    ) -> tuple[Float[np.ndarray, "b 2"], Int[np.ndarray, " b"]]:
        """Draw an offset (px) and a pen.

        Args:
            noise: a row for each candidate: what `NextStep.sample` takes, and a uniform number more.
            temperature: see `NextStep.sample`; at 0 the candidates are the heaviest components' means.
        """
        if temperature == 0:
            offset, pen, worth = self._heaviest(noise)
        else:
            offset, pen = self.told.samples(noise[..., :5], temperature)
            # Gumbel noise: the largest sum is one drawn by the exponentials of the scores.
            worth = -np.log(-np.log(noise[:, :, 5].clip(1e-12, 1 - 1e-12)))
        rows = np.arange(len(offset))
        best = (worth + self._preference(offset, pen)).argmax(1)
        return offset[rows, best], pen[rows, best]

    def _preference(
        self, offset: Float[np.ndarray, "b w 2"], pen: Int[np.ndarray, "b w"]
    ) -> Float[np.ndarray, "b w"]:
        """By how much each candidate is preferred, nats."""
        nats = self.told.log_probs(offset, pen) - self.free.log_probs(offset, pen)
        return np.clip(self.strength * nats, -SURE, SURE)

    def _heaviest(
        self, noise: Float[np.ndarray, "b w 6"]
    ) -> tuple[Float[np.ndarray, "b v 2"], Int[np.ndarray, "b v"], Float[np.ndarray, "b v"]]:
        """The means of the heaviest components, with a pen for each, and the logs of their weights."""
        told, hurry = self.told, np.reshape(self.told.hurry(0.0), (-1, 1))
        chosen = np.argsort(-told.log_weight, axis=1, kind="stable")[:, : noise.shape[1]]
        rows = np.arange(len(chosen))[:, None]
        lifted = noise[:, :1, 2] < sigmoid(told.lift[rows, chosen] + hurry)
        ends = noise[:, :1, 0] < sigmoid(told.end[:, None] + hurry)
        pen = np.where(ends, int(Pen.END), np.where(lifted, int(Pen.LIFT), int(Pen.DRAW)))
        return told.mean[rows, chosen], pen, told.log_weight[rows, chosen]


Both = tuple[State, State]
"""The states of drawings as told the category and as not told it."""


class Guided:
    """A network that draws under guidance: each drawing is followed twice, told and not told its category.

    Attributes:
        ways: rows of noise that a step of a drawing takes.
    """

    ways = WAYS

    def __init__(self, network: Stepper, any_category: int, strength: float) -> None:
        """Guide `network`, which finds `NextStep`s, and to which `any_category` stands for "not told"."""
        self._network, self._any, self._strength = network, any_category, strength

    def prime(self, given: Prefix) -> tuple[GuidedStep, Both]:
        """Read the given part; see `Decoder.prime`."""
        both = np.concatenate([given.category, np.full_like(given.category, self._any)])
        going_on = None if given.going_on is None else np.tile(given.going_on, 2)
        return self._parted(*self._network.prime(replace(given, category=both, going_on=going_on)))

    def prime_all(self, given: Sequence[Prefix]) -> tuple[GuidedStep, Both]:
        """Read several given parts at once; see `Decoder.prime_all`."""
        free = [replace(each, category=np.full_like(each.category, self._any)) for each in given]
        return self._parted(*prime_all(self._network, [*given, *free]))

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: Both
    ) -> tuple[GuidedStep, Both]:
        """Take a step; the distribution of the next, and the state."""
        # Both at once: a step of few rows costs little more than one of half as many.
        twice = np.tile(offset, (2, 1)), np.tile(pen, 2)
        return self._parted(*self._network.advance(*twice, stacked(state)))

    def _parted(self, step: Found, state: State) -> tuple[GuidedStep, Both]:
        found = as_mixture(step)
        half = len(found.end) // 2
        told, free = slice(half), slice(half, None)
        guided = GuidedStep(taken(found, told), taken(found, free), self._strength)
        return guided, (taken(state, told), taken(state, free))
