"""The distribution over the next step, to draw from: the numpy form of `sketchgen.models.mixture`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.features import (
    BEYOND,
    BORDERS,
    HURRY,
    IMPOSSIBLE,
    MEAN_LIMIT,
    PARAMETER_LIMIT,
    PER_COMPONENT,
    RHO_LIMIT,
    SIGMA_CEILING,
    SIGMA_FLOOR,
    SOFTMAX_FLOOR,
    USUAL_POINTS,
    VARIANCE_FLOOR,
)
from sketchgen.models.numpy_layers import Rows, sigmoid
from sketchgen.sketch.geometry import CENTRE
from sketchgen.sketch.strokes import Pen

DRAW, LIFT, END = (int(pen) for pen in (Pen.DRAW, Pen.LIFT, Pen.END))

_SIDES = tuple(slice(2 * axis, 2 * axis + 2) for axis in (0, 1))
_ENDS = np.array([-CENTRE, CENTRE])
"""Of the components at the sides of the box: those across each axis, and where these sides are, px."""

assert BORDERS == ((0, -1), (0, 1), (1, -1), (1, 1))

Components = Float[np.ndarray, "7 b k"]
"""Logit of the weight, mean in x and y (px), log deviation in x and y (log px), correlation, logit of lifting
the pen; of k components in each of b drawings. Logits of weights are relative to each other."""


def log_sum_exp(values: Float[np.ndarray, "*b k"]) -> Float[np.ndarray, "*b"]:
    """Return the log of the sum of the exponentials over the last axis, whose greatest is finite."""
    greatest = values.max(-1, keepdims=True)
    return np.log(np.exp(values - greatest).sum(-1)) + greatest[..., 0]


def log_softmax(values: Float[np.ndarray, "*b k"]) -> Float[np.ndarray, "*b k"]:
    """Return logs of shares that sum to 1 over the last axis."""
    return values - log_sum_exp(values)[..., None]


def log_sigmoid(logit: Float[np.ndarray, "*b"]) -> Float[np.ndarray, "*b"]:
    """Return the log probability of a logit, without overflow; -inf gives -inf."""
    return np.minimum(logit, 0.0) - np.log1p(np.exp(-np.abs(logit)))


@dataclass(frozen=True)
class StepDistribution:
    """Distribution over a step of each of b drawings; see `sketchgen.models.mixture.StepDistribution`.

    Attributes:
        components: parameters of the mixture over the offset.
        end: logit of ending; -inf where the drawing may not end.
        points: number of points that each drawing has.
        corners: (b, 2) each, of the rectangle that steps stay in; see `within`.
    """

    components: Components
    end: Float[np.ndarray, " b"]
    points: Int[np.ndarray, " b"]
    corners: tuple[Float[np.ndarray, "b 2"], Float[np.ndarray, "b 2"]] | None = None

    @classmethod
    def from_parameters(
        cls,
        values: Float[np.ndarray, "b p"],
        can_end: Bool[np.ndarray, " b"],
        offset_scale: float,
        points: Int[np.ndarray, " b"],
        count: int,
        *,
        softmax: bool = False,
    ) -> StepDistribution:
        """Read a network's outputs; see `sketchgen.models.mixture.StepDistribution.from_parameters`.

        Args:
            values: the logit of the end, then kind after kind of the components' parameters; a logit of
                lifting for each component, or one for all.
            can_end: where the drawing may end.
            offset_scale: px for one unit of offset.
            points: number of points that each drawing has.
            count: number of components.
            softmax: see `sketchgen.models.features.PENS`; the end's logit is then against drawing on.
        """
        values, each = _finite(values), PER_COMPONENT - 1
        components = np.empty((PER_COMPONENT, len(values), count))
        kinds = values[:, 1 : 1 + each * count].reshape(len(values), each, count)
        components[:each] = kinds.transpose(1, 0, 2)
        components[each] = values[:, 1 + each * count :]
        low, high = _limits(offset_scale, SOFTMAX_FLOOR if softmax else SIGMA_FLOOR)
        np.maximum(components, low, out=components)
        np.minimum(components, high, out=components)
        components[1:3] *= offset_scale
        components[3:5] += math.log(offset_scale)
        components[5] = np.tanh(components[5])
        end = np.minimum(np.maximum(values[:, 0], -PARAMETER_LIMIT), PARAMETER_LIMIT).astype(np.float64)
        if softmax:
            np.maximum(np.minimum(components[5], RHO_LIMIT), -RHO_LIMIT, out=components[5])
            end -= np.logaddexp(0.0, components[6, :, 0])
        else:
            components[5] *= RHO_LIMIT
        return cls(components, np.where(can_end, end, -np.inf), points)

    def rotated(self, direction: Float[np.ndarray, "b 2"], count: int) -> StepDistribution:
        """Return it with its first `count` components rotated; see `sketchgen.models.mixture`."""
        components = self.components.copy()
        part = components[:, :, :count]
        cos, sin = direction[:, :1], direction[:, 1:]
        part[1:3] = cos * part[1:3] + np.stack([-sin, sin]) * part[2:0:-1]
        sigma = np.exp(part[3:5])
        square = sigma * sigma
        product = part[5] * sigma[0] * sigma[1]
        cross = cos * sin
        variance = (cos * cos) * square
        variance += (sin * sin) * square[::-1]
        twice = (2.0 * cross) * product
        variance[0] -= twice
        variance[1] += twice
        np.maximum(variance, VARIANCE_FLOOR, out=variance)
        covariance = cross * (square[0] - square[1])
        covariance += (cos * cos - sin * sin) * product
        covariance /= np.sqrt(variance[0] * variance[1])
        np.maximum(covariance, -RHO_LIMIT, out=covariance)
        np.minimum(covariance, RHO_LIMIT, out=part[5])
        np.log(variance, out=variance)
        np.multiply(variance, 0.5, out=part[3:5])
        return StepDistribution(components, self.end, self.points)

    def with_borders(
        self,
        values: Float[np.ndarray, "b p"],
        position: Float[np.ndarray, "b 2"],
        known: bool | Bool[np.ndarray, " b"],
        offset_scale: float,
    ) -> StepDistribution:
        """Return it with a component at each side of the box; see `sketchgen.models.mixture`, `with_box`."""
        values = np.minimum(np.maximum(_finite(values), -PARAMETER_LIMIT), PARAMETER_LIMIT).astype(np.float64)
        kinds = values[:, :-1].reshape(len(values), 4, -1).transpose(1, 0, 2)
        added = np.zeros((PER_COMPONENT, *kinds.shape[1:]))
        added[0] = kinds[0] if known is True else np.where(np.reshape(known, (-1, 1)), kinds[0], IMPOSSIBLE)
        added[1:3] = np.minimum(np.maximum(kinds[1] * offset_scale, -MEAN_LIMIT), MEAN_LIMIT)
        added[3:5] = kinds[2] + math.log(offset_scale)
        added[6] = kinds[3]
        for axis, sides in enumerate(_SIDES):
            added[1 + axis, :, sides] = _ENDS - position[:, axis, None]
            added[3 + axis, :, sides] = values[:, -1:]
        return self._with(added)

    def with_pointers(
        self,
        shape: Float[np.ndarray, "b 4"],
        score: Float[np.ndarray, "b n"],
        target: Float[np.ndarray, "b n 2"],
    ) -> StepDistribution:
        """Return it with a component at each of n targets; see `pointing` in `sketchgen.models.mixture`.

        Args:
            shape: gate, log deviations in x and y, and lift of all of them.
            score: logits of the targets; -inf for one that is never taken.
            target: offsets that lead there, px.
        """
        gate, x, y, lift = shape.astype(np.float64).T[..., None]
        greatest = np.maximum(score.max(-1, keepdims=True), IMPOSSIBLE)
        share = np.exp(score - greatest)
        total = share.sum(-1, keepdims=True)
        added = np.empty((PER_COMPONENT, *score.shape))
        # Where no point may be taken, the total is 0.
        np.maximum(score - greatest - np.log(np.maximum(total, 1e-300)) + gate, IMPOSSIBLE, out=added[0])
        added[1:3] = target.transpose(2, 0, 1)
        added[3], added[4], added[5], added[6] = x, y, 0.0, lift
        return self._with(added)

    def _with(self, added: Components) -> StepDistribution:
        """Return the distribution with further components; their weights are relative to all present ones."""
        np.maximum(added[3:5], math.log(SIGMA_FLOOR), out=added[3:5])
        np.minimum(added[3:5], math.log(SIGMA_CEILING), out=added[3:5])
        added[0] += log_sum_exp(self.components[0])[:, None]
        return StepDistribution(np.concatenate([self.components, added], 2), self.end, self.points)

    @cached_property
    def log_weight(self) -> Float[np.ndarray, "b k"]:
        """Log weights of the components."""
        return log_softmax(self.components[0])

    @property
    def mean(self) -> Float[np.ndarray, "b k 2"]:
        """Means of the components, px."""
        return self.components[1:3].transpose(1, 2, 0)

    @property
    def log_sigma(self) -> Float[np.ndarray, "b k 2"]:
        """Logs of their deviations, log px."""
        return self.components[3:5].transpose(1, 2, 0)

    @property
    def rho(self) -> Float[np.ndarray, "b k"]:
        """Their correlations."""
        return self.components[5]

    @property
    def lift(self) -> Float[np.ndarray, "b k"]:
        """Their logits of lifting the pen."""
        return self.components[6]

    def take(self, rows: Rows) -> StepDistribution:
        """Return some rows, in that order; those of a slice are views."""
        return StepDistribution(self.components[:, rows], self.end[rows], self.points[rows])

    @staticmethod
    def join(parts: Sequence[StepDistribution]) -> StepDistribution:
        """Return the rows of several distributions one after the other."""
        count = max(part.components.shape[2] for part in parts)
        components = np.zeros((PER_COMPONENT, sum(len(part.end) for part in parts), count))
        components[0] = IMPOSSIBLE
        first = 0
        for part in parts:
            _, rows, own = part.components.shape
            components[:, first : first + rows, :own] = part.components
            first += rows
        end, points = (np.concatenate([getattr(part, name) for part in parts]) for name in ("end", "points"))
        return StepDistribution(components, end, points)

    def without_end(self) -> StepDistribution:
        """Return the distribution under the condition that the drawing goes on."""
        return StepDistribution(self.components, np.full_like(self.end, -np.inf), self.points)

    def within(self, low: Float[np.ndarray, "b 2"], high: Float[np.ndarray, "b 2"]) -> StepDistribution:
        """Return the distribution to draw steps from that stay in a rectangle.

        Components are less likely the farther they lead out of it, and steps end at its sides.

        Args:
            low: its upper left corner, px from the pen.
            high: its lower right corner.
        """
        x, y = self.components[1:3]
        beyond = np.maximum(np.maximum(low[:, :1] - x, x - high[:, :1]), 0.0)
        beyond += np.maximum(np.maximum(low[:, 1:] - y, y - high[:, 1:]), 0.0)
        components = self.components.copy()
        components[0] -= BEYOND * beyond
        return StepDistribution(components, self.end, self.points, (low, high))

    def clipped(self, offset: Float[np.ndarray, "b w 2"]) -> Float[np.ndarray, "b w 2"]:
        """Return offsets (px) that end at the sides of the rectangle of `within`, if there is one."""
        if self.corners is None:
            return offset
        low, high = self.corners
        return np.minimum(np.maximum(offset, low[:, None]), high[:, None])

    @cached_property
    def _whitening(self) -> tuple[Float[np.ndarray, "b 3 m"], Float[np.ndarray, "b k"]]:
        """What maps (x, y, 1) to whitened coordinates over the root of 2, and constants, by component."""
        _, rows, count = self.components.shape
        x, y, _, _, rho = self.components[1:6]
        free = 1.0 - rho * rho
        scale = np.exp(-self.components[3:5])
        scale *= math.sqrt(0.5)
        root = np.sqrt(free)
        found = np.zeros((rows, 3, 2, count))
        found[:, 0, 0] = scale[0]
        # Whitened: the part of y that x doesn't determine.
        found[:, 0, 1] = -rho * scale[0] / root
        found[:, 1, 1] = scale[1] / root
        found[:, 2] = found[:, 0] * -x[:, None]
        found[:, 2, 1] -= found[:, 1, 1] * y
        constant = self.log_weight - self.components[3] - self.components[4] - np.log(root)
        constant -= math.log(2.0 * math.pi)
        return found.reshape(rows, 3, 2 * count), constant

    def _distances(self, offset: Float[np.ndarray, "b w 2"]) -> Float[np.ndarray, "b w k"]:
        """Return half the squared Mahalanobis distances of offsets (px) from the components' means."""
        matrix, _ = self._whitening
        one = np.ones((*offset.shape[:2], 3))
        one[..., :2] = offset
        found = one @ matrix
        found *= found
        count = matrix.shape[-1] // 2
        return found[..., :count] + found[..., count:]

    def log_prob(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, " b"]:
        """Return the log density of a step, nats; with pen END a probability, whatever the offset."""
        return self.log_probs(offset[:, None], pen[:, None])[:, 0]

    def log_probs(
        self, offset: Float[np.ndarray, "b w 2"], pen: Int[np.ndarray, "b w"]
    ) -> Float[np.ndarray, "b w"]:
        """Return the `log_prob` of w steps in each drawing's place."""
        _, constant = self._whitening
        down = constant + log_sigmoid(-self.lift)
        up = down + self.lift
        nats = np.where((pen == LIFT)[..., None], up[:, None], down[:, None])
        nats -= self._distances(offset)
        stays = log_sigmoid(-self.end)[:, None]
        # The log of sigmoid(x) is that of sigmoid(-x) and x.
        return np.where(pen == END, stays + self.end[:, None], stays + log_sum_exp(nats))

    def lift_probability(self, offset: Float[np.ndarray, "b 2"]) -> Float[np.ndarray, " b"]:
        """Return the probability that the pen is lifted after a step of this offset (px)."""
        odds = self._whitening[1] - self._distances(offset[:, None])[:, 0]
        return (np.exp(log_softmax(odds)) * sigmoid(self.lift)).sum(-1)

    def length_penalty(self, temperature: float) -> Float[np.ndarray, " b"] | float:
        """Return what is added to the logits of lifting and ending in a drawing longer than nearly all.

        A network that draws what is likeliest may go round and round: what it repeats is likely for being
        repeated. The lower the temperature the more so; at 1 it is left as it was trained.
        """
        if temperature >= 1.0 or self.points.max(initial=0) <= USUAL_POINTS:
            return 0.0
        return HURRY * (1.0 - temperature) * np.maximum(self.points - USUAL_POINTS, 0)

    def sample(
        self, noise: Float[np.ndarray, "b 5"], temperature: float
    ) -> tuple[Float[np.ndarray, "b 2"], Int[np.ndarray, " b"]]:
        """Draw a step; see `samples`."""
        offset, pen = self.samples(noise[:, None], temperature)
        return offset[:, 0], pen[:, 0]

    def samples(
        self, noise: Float[np.ndarray, "b w 5"], temperature: float
    ) -> tuple[Float[np.ndarray, "b w 2"], Int[np.ndarray, "b w"]]:
        """Draw w steps in each drawing's place: offsets (px) and pens.

        At a temperature T the weights are raised to 1/T and the variances multiplied by T (Ha and Eck 2017,
        equation 8). The odds of lifting the pen and of ending stay as they are: events that are due once in
        many steps are never the likeliest, so that tempering them makes strokes and drawings that never end.

        Args:
            noise: three uniform numbers in [0, 1) (end, component, lift) and two standard normal ones.
            temperature: T; at 0 the mean of the heaviest component is drawn.
        """
        rows = np.arange(len(noise))[:, None]
        chosen = self.components[:, rows, self._choices(noise[..., 1], temperature)]
        offset = chosen[1:3].transpose(1, 2, 0)
        if temperature > 0:
            sigma, rho = np.exp(chosen[3:5] + 0.5 * math.log(temperature)), chosen[5]
            normal = noise[..., 3:].copy()
            normal[..., 1] = rho * normal[..., 0] + np.sqrt(1.0 - rho * rho) * normal[..., 1]
            offset = offset + sigma.transpose(1, 2, 0) * normal
        return self.clipped(offset), self.pens(noise, chosen[6], temperature)

    def pens(
        self, noise: Float[np.ndarray, "b w _"], lift: Float[np.ndarray, "b v"], temperature: float
    ) -> Int[np.ndarray, "b v"]:
        """Draw the pens of steps with these logits of lifting, by a row of noise for each or one for all."""
        penalty = np.reshape(self.length_penalty(temperature), (-1, 1))
        pen = np.where(noise[..., 2] < sigmoid(lift + penalty), LIFT, DRAW)
        return np.where(noise[..., 0] < sigmoid(self.end[:, None] + penalty), END, pen)

    def _choices(self, uniform: Float[np.ndarray, "b w"], temperature: float) -> Int[np.ndarray, "b w"]:
        """Draw components by their weights at a temperature; at 0 take the heaviest one."""
        weight = self.components[0]
        if temperature == 0:
            return np.broadcast_to(weight.argmax(-1)[:, None], uniform.shape)
        reached = np.exp((weight - weight.max(-1, keepdims=True)) / temperature).cumsum(-1)
        # Of a uniform number next to 1 the product may be the whole sum, behind the last component.
        wanted = np.minimum(uniform * reached[:, -1:], np.nextafter(reached[:, -1:], 0.0))
        return (reached[:, None] <= wanted[..., None]).sum(-1)


def _finite(values: Float[np.ndarray, "b p"]) -> Float[np.ndarray, "b p"]:
    """Return the outputs of a network with 0 for those that are no numbers."""
    return values if np.isfinite(values).all() else np.nan_to_num(values)


@lru_cache(maxsize=8)
def _limits(
    offset_scale: float, floor: float
) -> tuple[Float[np.ndarray, "7 1 1"], Float[np.ndarray, "7 1 1"]]:
    """Return the limits of components' parameters as the network has them, in units of `offset_scale` px."""
    high = np.full((PER_COMPONENT, 1, 1), PARAMETER_LIMIT)
    low = -high
    high[1:3] = np.minimum(PARAMETER_LIMIT, MEAN_LIMIT / offset_scale)
    low[1:3] = -high[1:3]
    low[3:5], high[3:5] = (math.log(limit / offset_scale) for limit in (floor, SIGMA_CEILING))
    return low, high
