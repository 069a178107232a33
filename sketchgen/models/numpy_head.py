"""The distribution over the next step as the network's head tells it, worked out only where it is drawn from.

A mixture of twenty components has a hundred and forty numbers, of which a sample needs six beside the
weights. Where nothing is added to the head's components (no sides, no pointers, none of them turned), as in
Sketch-RNN, the others are left alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.config import ModelConfig
from sketchgen.models.features import (
    MEAN_LIMIT,
    PARAMETER_LIMIT,
    PER_COMPONENT,
    RHO_LIMIT,
    SIGMA_CEILING,
    SIGMA_FLOOR,
)
from sketchgen.models.numpy_mixture import NextStep, hurried, sigmoid
from sketchgen.models.numpy_pen_state import DRAW, END, LIFT, PenState


@dataclass(frozen=True)
class HeadStep:
    """Distribution over a step of each of b drawings, as numbers of the head.

    Attributes:
        values: the end's logit, then the parameters of k components: kind after kind, as in
            `sketchgen.models.mixture.StepDistribution.from_parameters`; a lift for each, or one for all.
        can_end: where the drawing may end.
        components: k.
        offset_scale: px for one unit of offset.
        points: how many points each drawing has already.
    """

    values: Float[np.ndarray, "b p"]
    can_end: Bool[np.ndarray, " b"]
    components: int
    offset_scale: float
    points: Int[np.ndarray, " b"]

    def full(self) -> NextStep:
        """The same with every number worked out."""
        values, count = self.values, self.components
        missing = 1 + PER_COMPONENT * count - values.shape[1]
        if missing:  # One lift for all.
            values = np.concatenate([values, np.repeat(values[:, -1:], missing, 1)], -1)
        step = NextStep.from_parameters(values, self.can_end, self.offset_scale)
        return replace(step, points=self.points)

    def without_end(self) -> HeadStep:
        """The distribution under the condition that the drawing goes on."""
        return replace(self, can_end=np.zeros_like(self.can_end))

    def log_prob(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, " b"]:
        """Log density of a step at temperature 1, nats; see `NextStep.log_prob`."""
        return self.full().log_prob(offset, pen)

    def lift_probability(self, offset: Float[np.ndarray, "b 2"]) -> Float[np.ndarray, " b"]:
        """How likely the pen is lifted after a step of this offset (px); see `NextStep.lift_probability`."""
        return self.full().lift_probability(offset)

    def sample(
        self, noise: Float[np.ndarray, "b 5"], temperature: float
    ) -> tuple[Float[np.ndarray, "b 2"], Int[np.ndarray, " b"]]:
        """Draw an offset (px) and a pen; see `NextStep.sample`, which draws the same from the same noise."""
        chosen = self._chosen(noise[:, 1], temperature)
        offset = _held(chosen[:, 1:3] * self.offset_scale, -MEAN_LIMIT, MEAN_LIMIT)
        if temperature > 0:
            spread = _held(chosen[:, 3:5] + math.log(self.offset_scale), *_LOG_SIGMA)
            spread = np.exp(spread + 0.5 * math.log(temperature))
            rho, normal = RHO_LIMIT * np.tanh(chosen[:, 5]), noise[:, 3:5].copy()
            normal[:, 1] = rho * normal[:, 0] + np.sqrt(1.0 - rho * rho) * normal[:, 1]
            offset += spread * normal
        # The lift behind the end: both logits at once.
        odds = sigmoid(chosen[:, ::6].T + hurried(self.points, temperature))
        pen = (noise[:, 2] < odds[1]) * (LIFT - DRAW) + DRAW
        pen[(noise[:, 0] < odds[0]) & self.can_end] = END
        return offset, pen

    def _chosen(self, uniform: Float[np.ndarray, " b"], temperature: float) -> Float[np.ndarray, "b 7"]:
        """The end's logit and the six parameters of a component of each drawing, drawn by the weights."""
        count, values = self.components, self.values
        weight = values[:, 1 : 1 + count].astype(np.float64)
        if temperature == 0:
            choice = weight.argmax(-1)
        else:
            reached = np.exp((weight - weight.max(-1, keepdims=True)) / temperature).cumsum(-1)
            choice = (reached <= uniform[:, None] * reached[:, -1:]).sum(-1)
            # Of a uniform number next to 1 the product may be the whole sum.
            choice = np.minimum(choice, count - 1)
        column = choice[:, None] + (1 + count * np.arange(7)[None])
        column[:, 0] = 0
        if values.shape[1] < 1 + PER_COMPONENT * count:
            column[:, 6] = values.shape[1] - 1
        chosen = np.take_along_axis(values, column, 1).astype(np.float64)
        if not np.isfinite(chosen).all():
            chosen = np.nan_to_num(chosen)
        return _held(chosen, -PARAMETER_LIMIT, PARAMETER_LIMIT)


_LOG_SIGMA = math.log(SIGMA_FLOOR), math.log(SIGMA_CEILING)


def _held(values: Float[np.ndarray, "b n"], low: float, high: float) -> Float[np.ndarray, "b n"]:
    """The values within limits: `np.clip` without what it asks first, for it is called for single rows."""
    return np.minimum(np.maximum(values, low), high)


Found = NextStep | HeadStep
"""What a network finds to come next."""


def next_step(
    config: ModelConfig,
    values: Float[np.ndarray, "b p"],
    trace: PenState,
    known: bool | Bool[np.ndarray, " b"],
    border: Float[np.ndarray, "b q"] | None,
) -> Found:
    """The distribution that a network's outputs describe, but for its pointers.

    Args:
        config: of the network.
        values: what its head said.
        trace: where the pens are.
        known: whether the frame is that of the whole drawing; one for all, or one for each.
        border: parameters of the components at the box's sides, where the network has them.
    """
    # A drawing ends only with the pen up; before the first point `pen` is END, and it may not end either.
    step = HeadStep(values, trace.pen == LIFT, config.components, config.offset_scale, trace.points)
    if not config.rotated and border is None:
        return step
    mixture = step.full().turned(trace.direction(), config.rotated) if config.rotated else step.full()
    if border is None:
        return mixture
    everywhere = np.broadcast_to(known, len(values))
    return mixture.bordered(border, trace.position, everywhere, config.offset_scale)


def as_mixture(step: Found) -> NextStep:
    """The distribution with every number worked out."""
    return step.full() if isinstance(step, HeadStep) else step
