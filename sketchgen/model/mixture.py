"""The distribution over the next step: a mixture of Gaussians over the offset, with the pen and the end.

With probability `end` the drawing ends (possible only where the pen is up). Otherwise a component k is
drawn; it gives the offset from a full-covariance Gaussian and the pen (LIFT or DRAW) from its own odds, so
that where a line ends depends on where it goes. Density of a Gaussian of two variables with correlation:
Graves 2013, "Generating sequences with recurrent neural networks", equations 24 and 25.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from sketchgen.drawing.strokes import Pen

PER_COMPONENT = 7
"""Parameters of a component: weight, two means, two log deviations, correlation, lift."""

SIGMA_FLOOR, SIGMA_CEILING = 0.2, 2000.0
"""Limits of a deviation in px of the 255 box. Dequantised data has a deviation of 0.29 px at least."""

MEAN_LIMIT = 4000.0
"""Largest mean in px; far beyond any drawing, it only keeps squares finite."""

RHO_LIMIT = 0.995
"""Largest absolute correlation: tanh alone reaches 1 in float32, where the density is infinite."""


def parameter_count(components: int) -> int:
    """Width of the network's output: `PER_COMPONENT` a component and the logit of the end."""
    return PER_COMPONENT * components + 1


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
        cls, values: Float[Tensor, "*b p"], can_end: Bool[Tensor, "*b"], offset_scale: float
    ) -> StepDistribution:
        """Read a network's output; every parameter is brought into a range where all densities are finite.

        Args:
            values: `parameter_count(k)` numbers.
            can_end: where the pen is up, so that the drawing may end.
            offset_scale: px for one unit of the network's means and deviations.
        """
        # Beyond +-1e4 nothing changes any more; nan_to_num only meets a network that has diverged.
        values = torch.nan_to_num(values.float()).clamp(-1e4, 1e4)
        end, rest = values[..., 0], values[..., 1:]
        weight, mx, my, sx, sy, rho, lift = rest.unflatten(-1, (PER_COMPONENT, -1)).unbind(-2)
        log_sigma = torch.stack([sx, sy], -1) + math.log(offset_scale)
        return cls(
            log_weight=torch.log_softmax(weight, -1),
            mean=(torch.stack([mx, my], -1) * offset_scale).clamp(-MEAN_LIMIT, MEAN_LIMIT),
            log_sigma=log_sigma.clamp(math.log(SIGMA_FLOOR), math.log(SIGMA_CEILING)),
            rho=RHO_LIMIT * torch.tanh(rho),
            lift=lift,
            end=end.masked_fill(~can_end, -math.inf),
        )

    def component_log_density(self, offset: Float[Tensor, "*b 2"]) -> Float[Tensor, "*b k"]:
        """Log density of the offset (px) under each component, in nats per px squared."""
        z = (offset.unsqueeze(-2) - self.mean) * torch.exp(-self.log_sigma)
        zx, zy = z.unbind(-1)
        free = 1.0 - self.rho.square()
        distance = (zx.square() + zy.square() - 2.0 * self.rho * zx * zy) / free
        return -0.5 * distance - self.log_sigma.sum(-1) - 0.5 * torch.log(free) - math.log(2.0 * math.pi)

    def log_end(self) -> tuple[Float[Tensor, "*b"], Float[Tensor, "*b"]]:
        """Log probabilities of ending and of going on; going on is certain (0) where it cannot end."""
        possible = torch.isfinite(self.end)
        # where() around a finite stand-in: the gradient of logsigmoid(-inf) would be NaN.
        logit = torch.where(possible, self.end, torch.zeros_like(self.end))
        go_on = torch.where(possible, functional.logsigmoid(-logit), torch.zeros_like(logit))
        end = torch.where(possible, functional.logsigmoid(logit), torch.full_like(logit, -math.inf))
        return end, go_on

    def log_prob(self, offset: Float[Tensor, "*b 2"], pen: Int[Tensor, "*b"]) -> Float[Tensor, "*b"]:
        """Log density of a step, nats; a step with pen END is a probability, its offset is not looked at."""
        lifted = (pen == Pen.LIFT).unsqueeze(-1)
        log_pen = functional.logsigmoid(torch.where(lifted, self.lift, -self.lift))
        going = torch.logsumexp(self.log_weight + self.component_log_density(offset) + log_pen, -1)
        end, go_on = self.log_end()
        return torch.where(pen == Pen.END, end, go_on + going)

    def tempered(self, temperature: float) -> StepDistribution:
        """The distribution at a temperature > 0: THE definition of temperature.

        Weights are raised to 1/T, variances are multiplied by T (Ha and Eck 2017, equation 8). The odds of
        lifting the pen and of ending stay as they are: events that are due once in many steps are never the
        likeliest, so that tempering them makes strokes and drawings that never end.
        """
        weight = torch.log_softmax(self.log_weight / temperature, -1)
        sigma = self.log_sigma + 0.5 * math.log(temperature)
        return StepDistribution(weight, self.mean, sigma, self.rho, self.lift, self.end)

    def sample(
        self, noise: Float[Tensor, "*b 5"], temperature: float
    ) -> tuple[Float[Tensor, "*b 2"], Int[Tensor, "*b"]]:
        """Draw an offset (px) and a pen.

        Args:
            noise: three uniform numbers in [0, 1) (end, component, lift) and two standard normal ones.
            temperature: 0 takes the heaviest component's mean; see `tempered`.
        """
        flat = self if temperature == 0 else self.tempered(temperature)
        if temperature == 0:
            choice = flat.log_weight.argmax(-1, keepdim=True)
        else:
            reached = flat.log_weight.exp().cumsum(-1) > noise[..., 1:2]
            # The last sum may fall short of 1 by rounding; then the heaviest component is taken.
            choice = torch.where(
                reached.any(-1, keepdim=True),
                reached.float().argmax(-1, keepdim=True),
                flat.log_weight.argmax(-1, keepdim=True),
            )
        pick = choice.unsqueeze(-1).expand(*choice.shape, 2)
        offset = flat.mean.gather(-2, pick).squeeze(-2)
        lift = flat.lift.gather(-1, choice).squeeze(-1)
        lifted = noise[..., 2] < torch.sigmoid(lift)
        if temperature > 0:
            sigma = flat.log_sigma.gather(-2, pick).squeeze(-2).exp()
            rho = flat.rho.gather(-1, choice).squeeze(-1)
            nx, ny = noise[..., 3], noise[..., 4]
            offset = offset + sigma * torch.stack([nx, rho * nx + torch.sqrt(1 - rho.square()) * ny], -1)
        pen = torch.where(lifted, int(Pen.LIFT), int(Pen.DRAW))
        ends = noise[..., 0] < torch.sigmoid(self.end)
        return offset, torch.where(ends, int(Pen.END), pen)

    def mode(self) -> tuple[Float[Tensor, "*b 2"], Int[Tensor, "*b"]]:
        """The step at temperature 0, ending where the end is likelier than not."""
        noise = torch.full((*self.end.shape, 5), 0.5, device=self.end.device)
        return self.sample(noise, 0.0)
