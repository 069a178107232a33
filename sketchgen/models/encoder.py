"""The encoder of the given part, and the latent vector of a whole drawing with its posterior and prior."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sketchgen.models.config import ModelConfig
from sketchgen.models.features import CELLS_ACROSS, LOG_DEVIATIONS
from sketchgen.models.layers import make_layer, reversed_within


class Encoder(nn.Module):
    """One recurrent layer forwards and one backwards; their last outputs are projected to the code.

    With width 0 there are none: the code is always that of nothing given.
    """

    def __init__(self, cell: str, inputs: int, width: int, code: int) -> None:
        super().__init__()
        self.width = width
        if width:
            self.forwards, self.backwards = (make_layer(cell, inputs, width) for _ in range(2))
            self.project = nn.Linear(2 * width, code)
        self.nothing = nn.Parameter(torch.zeros(code))

    def forward(self, steps: Float[Tensor, "b n f"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """Return the code of each row's first `lengths` steps; that of nothing where that is 0."""
        if steps.shape[1] == 0 or not self.width:
            return self.nothing.expand(len(steps), -1)
        last = (lengths - 1).clamp(min=0).reshape(-1, 1, 1)
        ends = []
        for layer, values in ((self.forwards, steps), (self.backwards, reversed_within(steps, lengths))):
            outputs = layer.run(values)
            ends.append(outputs.gather(1, last.expand(-1, 1, outputs.shape[-1])).squeeze(1))
        code = self.project(torch.cat(ends, -1))
        return torch.where((lengths > 0).unsqueeze(-1), code, self.nothing.to(code.dtype))


@dataclass(frozen=True)
class Gaussian:
    """Normal distributions of independent numbers."""

    mean: Float[Tensor, "b z"]
    log_deviation: Float[Tensor, "b z"]

    @classmethod
    def of(cls, values: Float[Tensor, "b y"]) -> Gaussian:
        """Return the distributions that a network's outputs describe: means, then logs of deviations."""
        mean, log_deviation = values.float().chunk(2, -1)
        return cls(mean, log_deviation.clamp(*LOG_DEVIATIONS))

    def sample(self) -> Float[Tensor, "b z"]:
        """Draw one vector of each, with gradients: Kingma and Welling 2014, section 2.4."""
        return self.mean + torch.randn_like(self.mean) * self.log_deviation.exp()

    def divergence(self, other: Gaussian) -> Float[Tensor, "b z"]:
        """Return the Kullback-Leibler divergence of each number from another one's distribution, nats."""
        ratio = 2.0 * (self.log_deviation - other.log_deviation)
        distance = (self.mean - other.mean).square() * torch.exp(-2.0 * other.log_deviation)
        return 0.5 * (ratio.exp() + distance - 1.0 - ratio)


class Latent(nn.Module):
    """A vector that stands for a whole drawing, as in a conditional variational autoencoder.

    Its posterior is read off the whole drawing, its prior off the given part and the category: Sohn et al.
    2015, "Learning structured output representation using deep conditional generative models". The decoder
    reads it where it reads the code of the given part: at every step from the cut on. A vector of zeros is
    none: then the network is the one without a latent vector.
    """

    def __init__(self, config: ModelConfig, read: int) -> None:
        super().__init__()
        self.posterior = Encoder("lstm", read, config.latent_encoder, 2 * config.latent)
        self.hidden = nn.Linear(config.embedding, config.embedding)
        self.prior = nn.Linear(config.embedding, 2 * config.latent)
        self.enter = nn.Linear(config.latent, config.embedding, bias=False)
        # The log odds of ink in each cell of a drawing's picture, row by row.
        self.picture = nn.Sequential(
            nn.Linear(config.latent, config.embedding),
            nn.SiLU(),
            nn.Linear(config.embedding, CELLS_ACROSS**2),
        )
        # Where a trained decoder learns to use it, it shall not be much of a disturbance at first.
        nn.init.normal_(self.enter.weight, std=0.05)
        nn.init.normal_(self.prior.weight, std=0.01)
        nn.init.zeros_(self.prior.bias)
        # Posteriors that differ by more than they spread: noise alone would teach the decoder not to listen.
        means, deviations = self.posterior.project.weight.chunk(2)
        nn.init.normal_(means, std=0.05)
        nn.init.zeros_(deviations)
        nn.init.zeros_(self.posterior.project.bias[: config.latent])
        nn.init.constant_(self.posterior.project.bias[config.latent :], -2.0)

    def names(self, latent: Float[Tensor, "b z"], embedding: Float[Tensor, "c e"]) -> Float[Tensor, "b k"]:
        """Return the log odds of each category: how near to its embedding the vector takes the decoder.

        `embedding` holds those of the categories, then that of any. A vector that enters as a category does
        is understood by a decoder that has not learned to read vectors yet.
        """
        categories = embedding[:-1] - embedding[-1]
        return -0.5 * torch.cdist(self.enter(latent).float(), categories.float()).square()

    def prior_of(self, code: Float[Tensor, "b e"]) -> Gaussian:
        """Return the prior, given the sum of the category's embedding and the given part's code."""
        return Gaussian.of(self.prior(nn.functional.silu(self.hidden(code))))
