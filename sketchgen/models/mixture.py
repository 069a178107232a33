"""The distribution over the next step: a mixture of Gaussians over the offset, with the pen and the end.

With probability `end` the drawing ends (possible only where the pen is up). Otherwise a component k is
drawn; it gives the offset from a full-covariance Gaussian and the pen (LIFT or DRAW) from its own odds, so
that where a line ends depends on where it goes. Density of a Gaussian of two variables with correlation:
Graves 2013, "Generating sequences with recurrent neural networks", equations 24 and 25.

`sketchgen.models.numpy_mixture` is the same distribution in numpy, for a few drawings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.distributions import MultivariateNormal
from torch.nn import functional

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
from sketchgen.sketch.geometry import CENTRE
from sketchgen.sketch.strokes import Pen


@dataclass(frozen=True)
class StepDistribution:
    """Distribution over a step (offset in px of the box, pen), for any leading shape.

    Attributes:
        log_weight: log share of each component, they sum to 1.
        mean: of the offset, px.
        log_sigma: log deviations in x and y, px.
        rho: correlation.
        lift: logit of LIFT against DRAW, each component.
        end: logit of the end against going on; -inf where the drawing cannot end.
    """

    log_weight: Float[Tensor, "*b k"]
    mean: Float[Tensor, "*b k 2"]
    log_sigma: Float[Tensor, "*b k 2"]
    rho: Float[Tensor, "*b k"]
    lift: Float[Tensor, "*b k"]
    end: Float[Tensor, "*b"]

    @classmethod
    def from_parameters(
        cls,
        values: Float[Tensor, "*b p"],
        can_end: Bool[Tensor, "*b"],
        offset_scale: float,
        *,
        softmax: bool = False,
    ) -> StepDistribution:
        """Return the distribution that outputs describe, within limits in which densities are finite.

        Args:
            values: `sketchgen.models.features.parameter_count(k)` numbers.
            can_end: where the pen is up, so that the drawing may end.
            offset_scale: px for one unit of the network's means and deviations.
            softmax: see `sketchgen.models.features.PENS`; the end's logit is then against drawing on.
        """
        # nan_to_num only meets a network that has diverged.
        values = torch.nan_to_num(values.float()).clamp(-PARAMETER_LIMIT, PARAMETER_LIMIT)
        end, rest = values[..., 0], values[..., 1:]
        weight, mx, my, sx, sy, rho, lift = rest.unflatten(-1, (PER_COMPONENT, -1)).unbind(-2)
        log_sigma = torch.stack([sx, sy], -1) + math.log(offset_scale)
        rho, floor = torch.tanh(rho), SOFTMAX_FLOOR if softmax else SIGMA_FLOOR
        if softmax:
            end = end - functional.softplus(lift[..., 0])
        return cls(
            log_weight=torch.log_softmax(weight, -1),
            mean=(torch.stack([mx, my], -1) * offset_scale).clamp(-MEAN_LIMIT, MEAN_LIMIT),
            log_sigma=log_sigma.clamp(math.log(floor), math.log(SIGMA_CEILING)),
            rho=rho.clamp(-RHO_LIMIT, RHO_LIMIT) if softmax else RHO_LIMIT * rho,
            lift=lift,
            end=end.masked_fill(~can_end, -math.inf),
        )

    def rotated(self, direction: Float[Tensor, "*b 2"], count: int) -> StepDistribution:
        """Return it with its first `count` components rotated from x being `direction`.

        A line that goes on, or bends by so much, is then the same component whatever its direction.
        """
        if not count:
            return self
        cos, sin = direction.unsqueeze(-2).unbind(-1)
        mx, my = self.mean[..., :count, :].unbind(-1)
        sigma = torch.exp(self.log_sigma[..., :count, :])
        (vx, vy), rho = sigma.square().unbind(-1), self.rho[..., :count]
        both = rho * sigma.prod(-1)
        x = cos.square() * vx + sin.square() * vy - 2 * cos * sin * both
        y = sin.square() * vx + cos.square() * vy + 2 * cos * sin * both
        covariance = cos * sin * (vx - vy) + (cos.square() - sin.square()) * both
        # Rounding must bring neither a variance to 0 nor a correlation to 1, where the density is infinite.
        x, y = x.clamp(min=VARIANCE_FLOOR), y.clamp(min=VARIANCE_FLOOR)
        rotated_rho = (covariance / (x * y).sqrt()).clamp(-RHO_LIMIT, RHO_LIMIT)
        mean = torch.stack([cos * mx - sin * my, sin * mx + cos * my], -1)
        log_sigma = 0.5 * torch.log(torch.stack([x, y], -1))
        return replace(
            self,
            mean=torch.cat([mean, self.mean[..., count:, :]], -2),
            log_sigma=torch.cat([log_sigma, self.log_sigma[..., count:, :]], -2),
            rho=torch.cat([rotated_rho, self.rho[..., count:]], -1),
        )

    def pointing(
        self,
        gate: Float[Tensor, "*b"],
        score: Float[Tensor, "*b n"],
        target: Float[Tensor, "*b n 2"],
        log_sigma: Float[Tensor, "*b 2"],
        lift: Float[Tensor, "*b"],
    ) -> StepDistribution:
        """Return the distribution with a further component at each of n targets.

        Args:
            gate: logit of taking one of the targets against one of the old components.
            score: logits of the targets; -inf for one that is not to be taken.
            target: offsets that lead there, px.
            log_sigma: log deviations around each, px, without the network's scale.
            lift: logit of LIFT against DRAW at any of them.
        """
        # Where nothing can be pointed at all scores are -inf, and a softmax of them would be NaN.
        possible = torch.isfinite(score)
        target = target.masked_fill(~possible.unsqueeze(-1), 0.0)
        share = torch.log_softmax(score.masked_fill(~possible, IMPOSSIBLE), -1)
        share = share.masked_fill(~possible, IMPOSSIBLE)
        return self._joined(
            gate.unsqueeze(-1) + share,
            target,
            log_sigma.unsqueeze(-2).expand_as(target),
            lift.unsqueeze(-1).expand_as(score),
        )

    def with_box(
        self,
        values: Float[Tensor, "*b p"],
        position: Float[Tensor, "*b 2"],
        known: Bool[Tensor, "*b"],
        offset_scale: float,
    ) -> StepDistribution:
        """Return the distribution with a further component at each side of the box, exact across it.

        A whole drawing is scaled so that it touches three of its box's sides at least. A Gaussian whose mean
        the network has to work out is some px wide, one that stands at the side half a px.

        Args:
            values: `sketchgen.models.features.BORDER` numbers.
            position: where the pen is, px from the box's centre.
            known: where the frame is that box; elsewhere there are no sides.
            offset_scale: px for one unit of the means and deviations along a side.
        """
        values = torch.nan_to_num(values.float()).clamp(-PARAMETER_LIMIT, PARAMETER_LIMIT)
        gate, along, spread, lift = values[..., :-1].unflatten(-1, (4, -1)).unbind(-2)
        spread, across = spread + math.log(offset_scale), values[..., -1:].expand_as(spread)
        along = (along * offset_scale).clamp(-MEAN_LIMIT, MEAN_LIMIT)
        mean, sigma = [], []
        for side, (axis, sign) in enumerate(BORDERS):
            there = [along[..., side], along[..., side]]
            there[axis] = sign * CENTRE - position[..., axis]
            wide = [spread[..., side], spread[..., side]]
            wide[axis] = across[..., side]
            mean.append(torch.stack(there, -1))
            sigma.append(torch.stack(wide, -1))
        gate = gate.masked_fill(~known.unsqueeze(-1), IMPOSSIBLE)
        return self._joined(gate, torch.stack(mean, -2), torch.stack(sigma, -2), lift)

    def _joined(
        self,
        weight: Float[Tensor, "*b n"],
        mean: Float[Tensor, "*b n 2"],
        log_sigma: Float[Tensor, "*b n 2"],
        lift: Float[Tensor, "*b n"],
    ) -> StepDistribution:
        """Return it with n further components without correlation, whose weights are logits."""
        log_sigma = log_sigma.clamp(math.log(SIGMA_FLOOR), math.log(SIGMA_CEILING))
        return StepDistribution(
            log_weight=torch.log_softmax(torch.cat([self.log_weight, weight], -1), -1),
            mean=torch.cat([self.mean, mean], -2),
            log_sigma=torch.cat([self.log_sigma, log_sigma], -2),
            rho=torch.cat([self.rho, torch.zeros_like(weight)], -1),
            lift=torch.cat([self.lift, lift], -1),
            end=self.end,
        )

    def component_log_density(self, offset: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b k"]:
        """Return the log density of the offset (px) under each component, nats per px squared."""
        z = (offset.unsqueeze(-2) - self.mean) * torch.exp(-self.log_sigma)
        zx, zy = z.unbind(-1)
        free = 1.0 - self.rho.square()
        distance = (zx.square() + zy.square() - 2.0 * self.rho * zx * zy) / free
        return -0.5 * distance - self.log_sigma.sum(-1) - 0.5 * torch.log(free) - math.log(2.0 * math.pi)

    def log_end(self) -> tuple[Float[Tensor, "*b"], Float[Tensor, "*b"]]:
        """Return the log probabilities of ending and of going on; the latter is 0 where it cannot end."""
        possible = torch.isfinite(self.end)
        # where() around a finite stand-in: the gradient of logsigmoid(-inf) would be NaN.
        logit = torch.where(possible, self.end, torch.zeros_like(self.end))
        go_on = torch.where(possible, functional.logsigmoid(-logit), torch.zeros_like(logit))
        end = torch.where(possible, functional.logsigmoid(logit), torch.full_like(logit, -math.inf))
        return end, go_on

    def log_prob(self, offset: Float[Tensor, "*b 2"], pen: Int[Tensor, "*b"]) -> Float[Tensor, "*b"]:
        """Return the log density of a step, nats; with pen END a probability, whatever the offset."""
        lifted = (pen == Pen.LIFT).unsqueeze(-1)
        log_pen = functional.logsigmoid(torch.where(lifted, self.lift, -self.lift))
        going = torch.logsumexp(self.log_weight + self.component_log_density(offset) + log_pen, -1)
        end, go_on = self.log_end()
        return torch.where(pen == Pen.END, end, go_on + going)

    def lift_logit(self, offset: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b"]:
        """Return the log odds that the pen is lifted after a step of this offset, px."""
        odds = self.log_weight + self.component_log_density(offset)
        up, down = (torch.logsumexp(odds + functional.logsigmoid(sign * self.lift), -1) for sign in (1, -1))
        return up - down

    def at(self, step: Int[Tensor, " b"]) -> StepDistribution:
        """Return, of the distributions of b drawings' steps, (b, n), that of one step of each."""
        rows = torch.arange(len(step), device=step.device)
        return StepDistribution(**{name: value[rows, step] for name, value in vars(self).items()})

    def tempered(self, temperature: Float[Tensor, "*b"] | float) -> StepDistribution:
        """Return the distribution at temperatures > 0; see `numpy_mixture.StepDistribution.samples`."""
        temperature = torch.as_tensor(temperature)
        weight = torch.log_softmax(self.log_weight / temperature.unsqueeze(-1), -1)
        wider = 0.5 * torch.log(temperature)[..., None, None]
        return replace(self, log_weight=weight, log_sigma=self.log_sigma + wider)

    def without_end(self, where: Bool[Tensor, "*b"]) -> StepDistribution:
        """Return the distribution under the condition that some drawings go on."""
        return replace(self, end=self.end.masked_fill(where, -math.inf))

    def within(self, low: Float[Tensor, "b 2"], high: Float[Tensor, "b 2"]) -> StepDistribution:
        """Return it with weights of `sketchgen.models.numpy_mixture.StepDistribution.within`."""
        beyond = (low.unsqueeze(1) - self.mean).clamp(min=0) + (self.mean - high.unsqueeze(1)).clamp(min=0)
        return replace(self, log_weight=self.log_weight - BEYOND * beyond.sum(-1))

    def with_length_penalty(
        self, points: Int[Tensor, " b"], temperature: Float[Tensor, " b"]
    ) -> StepDistribution:
        """Return it with likelier lifts and ends in drawings of many points; none from temperature 1 on."""
        penalty = HURRY * (1.0 - temperature).clamp(min=0.0) * (points - USUAL_POINTS).clamp(min=0)
        return replace(self, lift=self.lift + penalty.unsqueeze(-1), end=self.end + penalty)

    def components(self) -> MultivariateNormal:
        """Return the k Gaussians over the offset, px; `log_weight` has their shares."""
        sigma, rho = self.log_sigma.exp(), self.rho
        x, y = sigma.unbind(-1)
        rows = [x, torch.zeros_like(x), rho * y, (1.0 - rho.square()).sqrt() * y]
        return MultivariateNormal(self.mean, scale_tril=torch.stack(rows, -1).unflatten(-1, (2, 2)))

    def mode(self) -> tuple[Float[Tensor, "*b 2"], Int[Tensor, "*b"]]:
        """Return the mean of the heaviest component, px, with its likelier pen; END where that is likelier.

        It is what temperature 0 draws, up to the pen, which is drawn at random there.
        """
        heaviest = self.log_weight.argmax(-1, keepdim=True)
        offset = self.mean.take_along_dim(heaviest.unsqueeze(-1), -2).squeeze(-2)
        lifted = self.lift.take_along_dim(heaviest, -1).squeeze(-1) > 0
        pen = torch.where(lifted, int(Pen.LIFT), int(Pen.DRAW))
        return offset, pen.masked_fill(self.end > 0, int(Pen.END))

    def sample(self) -> tuple[Float[Tensor, "*b 2"], Int[Tensor, "*b"]]:
        """Draw an offset (px) and a pen from each distribution, by torch's generator; no gradient."""
        shape = self.end.shape
        parts = {name: value.reshape(-1, *value.shape[len(shape) :]) for name, value in vars(self).items()}
        flat = StepDistribution(**parts)
        uniform, normal = (
            draw(len(flat.end), 1, count, device=self.end.device)
            for draw, count in ((torch.rand, 3), (torch.randn, 2))
        )
        offset, pen = flat.samples(torch.cat([uniform, normal], -1), torch.ones_like(flat.end))
        return offset.reshape(*shape, 2), pen.reshape(shape)

    def samples(
        self, noise: Float[Tensor, "b w 5"], temperature: Float[Tensor, " b"]
    ) -> tuple[Float[Tensor, "b w 2"], Int[Tensor, "b w"]]:
        """Draw w offsets (px) and pens from each of b distributions; no gradient.

        Args:
            noise: three uniform numbers in [0, 1) (end, component, lift) and two standard normal ones.
            temperature: 0 takes the heaviest component's mean; see `tempered`.
        """
        heaviest = self.log_weight.max(-1, keepdim=True)
        # A temperature of 0 is one at which no other component is ever chosen.
        weight = (self.log_weight - heaviest.values) / temperature.clamp(min=1e-6).unsqueeze(-1)
        reached = weight.exp().cumsum(-1)
        chosen = torch.searchsorted(reached, noise[..., 1] * reached[:, -1:], right=True)
        # The product with a uniform number next to 1 may be the whole sum.
        chosen = torch.where(chosen < weight.shape[-1], chosen, heaviest.indices)
        pair = chosen.unsqueeze(-1).expand(*chosen.shape, 2)
        mean, log_sigma = self.mean.gather(1, pair), self.log_sigma.gather(1, pair)
        rho, lift = self.rho.gather(1, chosen), self.lift.gather(1, chosen)
        x, y = noise[..., 3], noise[..., 4]
        along = torch.stack([x, rho * x + (1.0 - rho.square()).sqrt() * y], -1)
        offset = mean + log_sigma.exp() * temperature.sqrt().reshape(-1, 1, 1) * along
        pen = torch.where(noise[..., 2] < lift.sigmoid(), int(Pen.LIFT), int(Pen.DRAW))
        ended = noise[..., 0] < self.end.sigmoid().unsqueeze(-1)
        return offset, pen.masked_fill(ended, int(Pen.END))

    def log_probs(self, offset: Float[Tensor, "b w 2"], pen: Int[Tensor, "b w"]) -> Float[Tensor, "b w"]:
        """Return `log_prob` of w steps in each drawing's place.

        The result does not change, up to the last bit, with components that are `IMPOSSIBLE` at the end.
        """
        free = 1.0 - self.rho.square()
        scale = torch.exp(-self.log_sigma)
        x = offset[:, :, None, 0].sub(self.mean[:, None, :, 0]).mul_(scale[:, None, :, 0])
        y = offset[:, :, None, 1].sub(self.mean[:, None, :, 1]).mul_(scale[:, None, :, 1])
        # Whitened: the part of y that x does not tell.
        y.sub_(self.rho.unsqueeze(1) * x).mul_(free.rsqrt().unsqueeze(1))
        x.square_().addcmul_(y, y).mul_(-0.5)
        constant = self.log_weight - self.log_sigma.sum(-1) - 0.5 * free.log() - math.log(2.0 * math.pi)
        up = functional.logsigmoid(self.lift)
        # Of lifting and of drawing on: logsigmoid(-x) = logsigmoid(x) - x.
        x += (constant + up).unsqueeze(1) - (pen != Pen.LIFT).unsqueeze(-1) * self.lift.unsqueeze(1)
        # Not by torch.logsumexp, whose sum depends on how long a row is.
        going = x.amax(-1) - torch.log_softmax(x, -1).amax(-1)
        end = self.end.unsqueeze(-1)
        return torch.where(pen == Pen.END, functional.logsigmoid(end), functional.logsigmoid(-end) + going)
