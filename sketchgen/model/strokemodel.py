"""The whole network as it learns: a recurrent mixture-density decoder, conditioned on the encoded given part.

The decoder replays the given steps and goes on from there. Up to the cut it is told "nothing is given", from
the cut on it reads the encoder's code: so every point of a training drawing teaches, those before the cut to
draw from nothing and those after it to complete, and nothing can leak from the code into what it encodes.

Here all steps of many drawings are computed at once, with gradients. `sketchgen.generate.decoder` is the same
network as it draws, a step at a time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from sketchgen.drawing.strokes import Pen
from sketchgen.model.config import ModelConfig
from sketchgen.model.encoder import Encoder
from sketchgen.model.mixture import StepDistribution
from sketchgen.model.pretrained import read_checkpoint
from sketchgen.model.recurrent import Stack, Trace
from sketchgen.model.units import FEATURES, parameter_count


@dataclass(frozen=True)
class Steps:
    """The steps of b whole drawings and what is known of them; padding only touches what follows it.

    Attributes:
        offset: px; the first is counted from the frame's centre.
        pen: the pen after each point.
        category: index, or the config's `any_category`.
        known: 1 where the frame is that of the whole drawing (255 box), 0 where it is the given part's own.
    """

    offset: Float[Tensor, "b n 2"]
    pen: Int[Tensor, "b n"]
    category: Int[Tensor, " b"]
    known: Float[Tensor, " b"]


class StrokeModel(nn.Module):
    """Distribution over the next step of a drawing, given its beginning and its category."""

    def __init__(self, config: ModelConfig) -> None:
        """Build the network that `config` describes."""
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.cell, config.encoder_width, config.embedding)
        self.read = nn.Linear(FEATURES, config.embedding)
        self.category = nn.Embedding(len(config.categories) + 1, config.embedding)
        self.stack = Stack(config.cell, config.embedding, config.width, config.layers, config.dropout)
        self.head = nn.Linear(config.width * config.layers, parameter_count(config.components))
        nn.init.normal_(self.category.weight, std=0.3)

    def forward(self, steps: Steps, cut: Int[Tensor, " b"]) -> StepDistribution:
        """Teacher-forced distributions of steps 0..n, (b, n + 1).

        Args:
            steps: whole drawings.
            cut: how many points of each are given; the encoder reads those and nothing else.
        """
        batch, count = steps.pen.shape
        start = Trace.begin(batch, steps.offset.device)
        features = Trace.of_steps(steps.offset, steps.pen).features(steps.known, self.config.offset_scale)
        first = start.features(steps.known, self.config.offset_scale).unsqueeze(1)
        # One step at least: where nothing is given at all the encoder is not heard, but several processes
        # that train together each need a gradient, if of 0, for every weight.
        longest = max(1, int(cut.max())) if batch else 0
        code = self.encoder(features[:, :longest], cut)
        after = torch.arange(count + 1, device=cut.device).unsqueeze(0) >= cut.unsqueeze(1)
        bias = torch.where(after.unsqueeze(-1), code.unsqueeze(1), self.encoder.nothing.to(code.dtype))
        bias = bias + self.category(steps.category).unsqueeze(1)
        entered = nn.functional.silu(self.read(torch.cat([first, features], 1)) + bias)
        pen = torch.cat([start.pen.unsqueeze(1), steps.pen], 1)
        # A drawing ends only with the pen up; before the first point `pen` is END, and it may not end either.
        values = self.head(self.stack(entered))
        return StepDistribution.from_parameters(values, pen == Pen.LIFT, self.config.offset_scale)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Copies of all weights by name, float32: what a checkpoint holds and a decoder is made of."""
        return {name: value.float().cpu().numpy().copy() for name, value in self.state_dict().items()}


def load_network(name_or_path: str | os.PathLike[str] | None = None) -> tuple[StrokeModel, dict[str, Any]]:
    """Load a checkpoint as a network (float32, evaluation mode, CPU), with its training summary.

    Raises:
        CheckpointError: no checkpoint there, a foreign or newer one, or damaged weights.
    """
    checkpoint = read_checkpoint(name_or_path)
    return as_network(checkpoint.config, checkpoint.weights), checkpoint.summary


def as_network(config: ModelConfig, weights: dict[str, NDArray[np.float32]]) -> StrokeModel:
    """The network with these weights, in evaluation mode."""
    model = StrokeModel(config)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return model.eval()
