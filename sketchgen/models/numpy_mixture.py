"""The distribution over the next step, to draw from: the numpy form of `sketchgen.models.mixture`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.features import (
    BORDERS,
    HURRY,
    IMPOSSIBLE,
    MEAN_LIMIT,
    PARAMETER_LIMIT,
    PER_COMPONENT,
    RHO_LIMIT,
    SIGMA_CEILING,
    SIGMA_FLOOR,
    USUAL_POINTS,
    VARIANCE_FLOOR,
)
from sketchgen.sketch.geometry import CENTRE
from sketchgen.sketch.strokes import Pen

BLOCK = 128
"""Numbers that numpy adds up together; longer rows it halves until they are no longer than this."""


def summed(values: Float[np.ndarray, "*b k"]) -> Float[np.ndarray, "*b"]:
    """Sums over the last axis that stay the same, up to the last bit, when a row is filled up with zeros.

    That is so from 128 numbers on, and what is over a multiple of 128, for rows of twice, four times, ... as
    many blocks of 128: what is over is added up on its own, and numpy halves the rest down to the blocks.
    """
    first = values.shape[-1] % BLOCK
    if not first or values.shape[-1] < BLOCK:
        return values.sum(-1)
    return values[..., :first].sum(-1) + values[..., first:].sum(-1)


def log_sum_exp(values: Float[np.ndarray, "*b k"]) -> Float[np.ndarray, "*b"]:
    """Log of the sum of the exponentials over the last axis, whose greatest is finite."""
    greatest = values.max(-1)
    return greatest + np.log(summed(np.exp(values - greatest[..., None])))


def log_softmax(values: Float[np.ndarray, "*b k"]) -> Float[np.ndarray, "*b k"]:
    """Logs of shares that sum to 1 over the last axis."""
    above = values - values.max(-1, keepdims=True)
    return above - np.log(summed(np.exp(above)))[..., None]


def log_sigmoid(logit: Float[np.ndarray, "*b"]) -> Float[np.ndarray, "*b"]:
    """Log probability of a logit, without overflow; -inf gives -inf."""
    return np.minimum(logit, 0.0) - np.log1p(np.exp(-np.abs(logit)))


def sigmoid(logit: Float[np.ndarray, "*b"]) -> Float[np.ndarray, "*b"]:
    """Probability of a logit, without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * logit)


def hurried(points: Int[np.ndarray, " b"] | None, temperature: float) -> Float[np.ndarray, " b"] | float:
    """What is added to the logits of lifting and ending in a drawing that is longer than nearly all.

    A network that draws what is likeliest may go round and round: what it repeats is likely for being
    repeated. The lower the temperature the more so; at 1 it is left as it was trained.

    Args:
        points: how many points each drawing has; None where nobody says.
        temperature: see `NextStep.tempered`.
    """
    if points is None or temperature >= 1.0 or points.max(initial=0) <= USUAL_POINTS:
        return 0.0
    return HURRY * (1.0 - temperature) * np.maximum(points - USUAL_POINTS, 0)


PAD = "pad"
"""The name in a field's metadata of what fills up a row where others of a batch have more of it."""


@dataclass(frozen=True)
class NextStep:
    """Distribution over a step of each of b drawings; fields as of `mixture.StepDistribution`.

    Attributes:
        points: how many points each drawing has already; None where nobody says.
    """

    log_weight: Float[np.ndarray, "b k"] = field(metadata={PAD: IMPOSSIBLE})
    mean: Float[np.ndarray, "b k 2"] = field(metadata={PAD: 0.0})
    log_sigma: Float[np.ndarray, "b k 2"] = field(metadata={PAD: 0.0})
    rho: Float[np.ndarray, "b k"] = field(metadata={PAD: 0.0})
    lift: Float[np.ndarray, "b k"] = field(metadata={PAD: 0.0})
    end: Float[np.ndarray, " b"]
    points: Int[np.ndarray, " b"] | None = None

    @classmethod
    def from_parameters(
        cls, values: Float[np.ndarray, "b p"], can_end: Bool[np.ndarray, " b"], offset_scale: float
    ) -> NextStep:
        """Read a network's output; see `sketchgen.models.mixture.StepDistribution.from_parameters`."""
        values = np.clip(np.nan_to_num(values.astype(np.float64)), -PARAMETER_LIMIT, PARAMETER_LIMIT)
        parts = values[:, 1:].reshape(len(values), PER_COMPONENT, -1)
        log_sigma = np.moveaxis(parts[:, 3:5], 1, -1) + math.log(offset_scale)
        return cls(
            log_weight=log_softmax(parts[:, 0]),
            mean=np.clip(np.moveaxis(parts[:, 1:3], 1, -1) * offset_scale, -MEAN_LIMIT, MEAN_LIMIT),
            log_sigma=np.clip(log_sigma, math.log(SIGMA_FLOOR), math.log(SIGMA_CEILING)),
            rho=RHO_LIMIT * np.tanh(parts[:, 5]),
            lift=parts[:, 6],
            end=np.where(can_end, values[:, 0], -np.inf),
        )

    def without_end(self) -> NextStep:
        """The distribution under the condition that the drawing goes on."""
        return replace(self, end=np.full_like(self.end, -np.inf))

    def turned(self, direction: Float[np.ndarray, "b 2"], count: int) -> NextStep:
        """The distribution with its first `count` components turned; see `StepDistribution.turned`."""
        if not count:
            return self
        cos, sin = direction[:, :1], direction[:, 1:]
        mx, my = np.moveaxis(self.mean[:, :count], -1, 0)
        vx, vy = np.moveaxis(np.exp(2.0 * self.log_sigma[:, :count]), -1, 0)
        both = self.rho[:, :count] * np.sqrt(vx * vy)
        x = cos**2 * vx + sin**2 * vy - 2 * cos * sin * both
        y = sin**2 * vx + cos**2 * vy + 2 * cos * sin * both
        covariance = cos * sin * (vx - vy) + (cos**2 - sin**2) * both
        x, y = np.maximum(x, VARIANCE_FLOOR), np.maximum(y, VARIANCE_FLOOR)
        rho = np.clip(covariance / np.sqrt(x * y), -RHO_LIMIT, RHO_LIMIT)
        mean = np.stack([cos * mx - sin * my, sin * mx + cos * my], -1)
        log_sigma = 0.5 * np.log(np.stack([x, y], -1))
        return replace(
            self,
            mean=np.concatenate([mean, self.mean[:, count:]], 1),
            log_sigma=np.concatenate([log_sigma, self.log_sigma[:, count:]], 1),
            rho=np.concatenate([rho, self.rho[:, count:]], 1),
        )

    def pointing(
        self,
        gate: Float[np.ndarray, " b"],
        score: Float[np.ndarray, "b n"],
        target: Float[np.ndarray, "b n 2"],
        log_sigma: Float[np.ndarray, "b 2"],
        lift: Float[np.ndarray, " b"],
    ) -> NextStep:
        """The distribution with a further component at each of n targets; see `StepDistribution.pointing`."""
        possible = np.isfinite(score)
        target = np.where(possible[..., None], target, 0.0)
        share = np.where(possible, log_softmax(np.where(possible, score, IMPOSSIBLE)), IMPOSSIBLE)
        sigma = log_sigma[:, None]
        return self._joined(
            gate[:, None] + share, target, np.broadcast_to(sigma, target.shape), lift[:, None]
        )

    def bordered(
        self,
        values: Float[np.ndarray, "b p"],
        position: Float[np.ndarray, "b 2"],
        known: Bool[np.ndarray, " b"],
        offset_scale: float,
    ) -> NextStep:
        """The distribution with a component at each side of the box; see `StepDistribution.bordered`."""
        values = np.clip(np.nan_to_num(values.astype(np.float64)), -PARAMETER_LIMIT, PARAMETER_LIMIT)
        gate, along, spread, lift = np.moveaxis(values[:, :-1].reshape(len(values), 4, -1), 1, 0)
        along = np.clip(along * offset_scale, -MEAN_LIMIT, MEAN_LIMIT)
        mean = np.repeat(along[..., None], 2, -1)
        log_sigma = np.repeat(spread[..., None] + math.log(offset_scale), 2, -1)
        for side, (axis, sign) in enumerate(BORDERS):
            mean[:, side, axis] = sign * CENTRE - position[:, axis]
            log_sigma[:, side, axis] = values[:, -1]
        return self._joined(np.where(known[:, None], gate, IMPOSSIBLE), mean, log_sigma, lift)

    def _joined(
        self,
        weight: Float[np.ndarray, "b n"],
        mean: Float[np.ndarray, "b n 2"],
        log_sigma: Float[np.ndarray, "b n 2"],
        lift: Float[np.ndarray, "b _"],
    ) -> NextStep:
        """With n further components without correlation, their weights logits against all the others'."""
        log_sigma = np.clip(log_sigma, math.log(SIGMA_FLOOR), math.log(SIGMA_CEILING))
        return replace(
            self,
            log_weight=log_softmax(np.concatenate([self.log_weight, weight], -1)),
            mean=np.concatenate([self.mean, mean], 1),
            log_sigma=np.concatenate([self.log_sigma, log_sigma], 1),
            rho=np.concatenate([self.rho, np.zeros_like(weight)], -1),
            lift=np.concatenate([self.lift, np.broadcast_to(lift, weight.shape)], -1),
        )

    def lift_probability(self, offset: Float[np.ndarray, "b 2"]) -> Float[np.ndarray, " b"]:
        """How likely the pen is lifted after a step of this offset (px), by the components it may be of."""
        odds = self.log_weight + self.component_log_density(offset)
        return (np.exp(log_softmax(odds)) * sigmoid(self.lift)).sum(-1)

    def component_log_density(self, offset: Float[np.ndarray, "b 2"]) -> Float[np.ndarray, "b k"]:
        """Log density of the offset (px) under each component; see `StepDistribution`."""
        z = (offset[:, None] - self.mean) * np.exp(-self.log_sigma)
        zx, zy = z[..., 0], z[..., 1]
        free = 1.0 - self.rho**2
        distance = (zx**2 + zy**2 - 2.0 * self.rho * zx * zy) / free
        return -0.5 * distance - self.log_sigma.sum(-1) - 0.5 * np.log(free) - math.log(2.0 * math.pi)

    def log_prob(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, " b"]:
        """Log density of a step, nats; a step with pen END is a probability, its offset is not looked at."""
        return self.log_probs(offset[:, None], pen[:, None])[:, 0]

    def log_probs(
        self, offset: Float[np.ndarray, "b w 2"], pen: Int[np.ndarray, "b w"]
    ) -> Float[np.ndarray, "b w"]:
        """`log_prob` of w steps in each drawing's place."""
        free = 1.0 - self.rho**2
        scale = np.exp(-self.log_sigma)
        x = (offset[:, :, None, 0] - self.mean[:, None, :, 0]) * scale[:, None, :, 0]
        y = (offset[:, :, None, 1] - self.mean[:, None, :, 1]) * scale[:, None, :, 1]
        # Whitened: the part of y that x doesn't tell.
        y -= self.rho[:, None] * x
        y *= (1.0 / np.sqrt(free))[:, None]
        x *= x
        y *= y
        x += y
        x *= -0.5
        constant = self.log_weight - self.log_sigma.sum(-1) - 0.5 * np.log(free) - math.log(2.0 * math.pi)
        down, up = constant + log_sigmoid(-self.lift), constant + log_sigmoid(self.lift)
        x += np.where((pen == Pen.LIFT)[..., None], up[:, None], down[:, None])
        end = self.end[:, None]
        return np.where(pen == Pen.END, log_sigmoid(end), log_sigmoid(-end) + log_sum_exp(x))

    def tempered(self, temperature: float) -> NextStep:
        """The distribution at a temperature > 0: THE definition of temperature.

        Weights are raised to 1/T, variances are multiplied by T (Ha and Eck 2017, equation 8). The odds of
        lifting the pen and of ending stay as they are: events that are due once in many steps are never the
        likeliest, so that tempering them makes strokes and drawings that never end.
        """
        weight = log_softmax(self.log_weight / temperature)
        return replace(self, log_weight=weight, log_sigma=self.log_sigma + 0.5 * math.log(temperature))

    def hurry(self, temperature: float) -> Float[np.ndarray, " b"] | float:
        """What is added to the logits of lifting and ending; see `hurried`."""
        return hurried(self.points, temperature)

    def sample(
        self, noise: Float[np.ndarray, "b 5"], temperature: float
    ) -> tuple[Float[np.ndarray, "b 2"], Int[np.ndarray, " b"]]:
        """Draw an offset (px) and a pen.

        Args:
            noise: three uniform numbers in [0, 1) (end, component, lift) and two standard normal ones.
            temperature: 0 takes the heaviest component's mean; see `tempered`.
        """
        offset, pen = self.samples(noise[:, None], temperature)
        return offset[:, 0], pen[:, 0]

    def samples(
        self, noise: Float[np.ndarray, "b w 5"], temperature: float
    ) -> tuple[Float[np.ndarray, "b w 2"], Int[np.ndarray, "b w"]]:
        """`sample` w times in each drawing's place, each by a row of noise of its own."""
        choice = self._choices(noise[..., 1], temperature)
        rows = np.arange(len(choice))[:, None]
        offset, rho = self.mean[rows, choice], self.rho[rows, choice]
        if temperature > 0:
            nx, ny = noise[..., 3], noise[..., 4]
            turned = np.stack([nx, rho * nx + np.sqrt(1.0 - rho**2) * ny], -1)
            spread = self.log_sigma[rows, choice] + 0.5 * math.log(temperature)
            offset = offset + np.exp(spread) * turned
        hurry = np.reshape(self.hurry(temperature), (-1, 1))
        lifted = noise[..., 2] < sigmoid(self.lift[rows, choice] + hurry)
        pen = np.where(lifted, int(Pen.LIFT), int(Pen.DRAW))
        return offset, np.where(noise[..., 0] < sigmoid(self.end[:, None] + hurry), int(Pen.END), pen)

    def _choices(self, uniform: Float[np.ndarray, "b w"], temperature: float) -> Int[np.ndarray, "b w"]:
        """Components drawn by their weights at a temperature; at 0 the heaviest one."""
        heaviest = self.log_weight.argmax(-1)[:, None]
        if temperature == 0:
            return np.broadcast_to(heaviest, uniform.shape)
        weight = (self.log_weight - self.log_weight.max(-1, keepdims=True)) / temperature
        reached = np.exp(weight).cumsum(-1)
        wanted = uniform * reached[:, -1:]
        choice = (reached[:, None] <= wanted[..., None]).sum(-1)
        # Of a uniform number next to 1 the product may be the whole sum.
        return np.where(choice < reached.shape[1], choice, heaviest)
