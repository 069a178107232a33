"""The whole network as it learns: a recurrent mixture-density decoder, conditioned on the encoded given part.

The decoder replays the given steps and goes on from there. Up to the cut it is told "nothing is given", from
the cut on it reads the encoder's code: so every point of a training drawing teaches, those before the cut to
draw from nothing and those after it to complete, and nothing can leak from the code into what it encodes.

Here all steps of many drawings are computed at once, with gradients. `sketchgen.models.numpy_stroke_model`
is the same
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

from sketchgen.models.checkpoint import read_checkpoint
from sketchgen.models.config import ModelConfig
from sketchgen.models.encoder import Encoder
from sketchgen.models.features import BORDER, BORDERS, FEATURES, INPUTS, POINTER, parameter_count
from sketchgen.models.layers import PenState, Stack
from sketchgen.models.mixture import StepDistribution
from sketchgen.sketch.strokes import Pen


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


class Pointer(nn.Module):
    """Points at the points that are drawn already, so that lines end and begin exactly where others are.

    Vinyals et al. 2015, "Pointer networks", equation 3, with a product for the score, and each point as one
    more component of the mixture (as words are in Merity et al. 2016, "Pointer sentinel mixture models").
    """

    def __init__(self, width: int, keys: int) -> None:
        """Build it over outputs of `width` numbers, with keys of `keys` numbers."""
        super().__init__()
        self.query, self.key = nn.Linear(width, keys), nn.Linear(width, keys)
        self.shape = nn.Linear(width, POINTER)

    def forward(
        self, outputs: Float[Tensor, "b m w"], position: Float[Tensor, "b m 2"], found: StepDistribution
    ) -> StepDistribution:
        """`found` of m steps with the points before each as further components.

        Args:
            outputs: of the recurrent layers.
            position: where the pen is before each step, px; first of all at the frame's centre, no point.
            found: the distributions without pointers.
        """
        query, key = self.query(outputs), self.key(outputs)
        score = (query @ key.transpose(1, 2)).float() / query.shape[-1] ** 0.5
        count = outputs.shape[1]
        drawn = torch.ones(count, count, dtype=torch.bool, device=outputs.device).tril()
        drawn[:, 0] = False
        target = position.unsqueeze(1) - position.unsqueeze(2)
        return self.joined(found, outputs, score.masked_fill(~drawn, -torch.inf), target)

    def joined(
        self,
        found: StepDistribution,
        outputs: Float[Tensor, "*b w"],
        score: Float[Tensor, "*b n"],
        target: Float[Tensor, "*b n 2"],
    ) -> StepDistribution:
        """`found` with n points as further components.

        Args:
            found: the distributions without pointers.
            outputs: of the recurrent layers.
            score: of the points; -inf for one that is not to be taken.
            target: offsets that lead there, px.
        """
        gate, *sigma, lift = self.shape(outputs).float().unbind(-1)
        return found.pointing(gate, score, target, torch.stack(sigma, -1), lift)


class StrokeModel(nn.Module):
    """Distribution over the next step of a drawing, given its beginning and its category."""

    def __init__(self, config: ModelConfig) -> None:
        """Build the network that `config` describes."""
        super().__init__()
        self.config = config
        joined = config.width * config.layers
        read = len(INPUTS[config.inputs])
        self.encoder = Encoder(config.cell, read, config.encoder_width, config.embedding)
        self.read = nn.Linear(read, config.embedding)
        self.category = nn.Embedding(len(config.categories) + 1, config.embedding)
        self.stack = Stack(
            config.cell, config.embedding, config.width, config.layers, config.dropout, config.self_attention
        )
        self.head = nn.Linear(joined, parameter_count(config.components, config.pen))
        self.pointer = Pointer(joined, config.pointers) if config.pointers else None
        self.border = nn.Linear(joined, BORDER) if config.box_components else None
        if self.border is not None:
            # A point in sixteen comes to a side. At 0 they would begin with four fifths of all; so, a sixth.
            with torch.no_grad():
                self.border.bias[: len(BORDERS)] = -3.0
        nn.init.normal_(self.category.weight, std=0.3)

    def forward(self, steps: Steps, cut: Int[Tensor, " b"]) -> StepDistribution:
        """Teacher-forced distributions of steps 0..n, (b, n + 1).

        Args:
            steps: whole drawings.
            cut: how many points of each are given; the encoder reads those and nothing else.
        """
        trace = PenState.of_steps(steps.offset, steps.pen).from_the_beginning()
        features = self.features(trace, steps.known)
        bias = self._bias(features[:, 1:], cut) + self.category(steps.category).unsqueeze(1)
        outputs = self.stack(nn.functional.silu(self.read(features) + bias))
        found = self.distribution(outputs, trace, steps.known)
        return found if self.pointer is None else self.pointer(outputs, trace.position, found)

    def without_dropout(self) -> StrokeModel:
        """Ready to learn, but for dropout: what draws and what learns from it are to be the same network.

        Not by `eval`: on a GPU recurrent layers have gradients in training mode only.
        """
        self.train()
        self.stack.dropout.eval()
        return self

    def features(self, trace: PenState, known: Float[Tensor, " b"]) -> Float[Tensor, "*b f"]:
        """What the network reads of a trace; `known` as of `Steps`."""
        found = trace.features(known, self.config.offset_scale)
        chosen = INPUTS[self.config.inputs]
        return found if len(chosen) == FEATURES else found[..., chosen]

    def distribution(
        self, outputs: Float[Tensor, "*b w"], trace: PenState, known: Float[Tensor, " b"]
    ) -> StepDistribution:
        """The distributions that the recurrent layers' outputs describe, but for the pointers.

        Args:
            outputs: of the layers.
            trace: where the pens are before the steps.
            known: see `Steps`.
        """
        # A drawing ends only with the pen up; before the first point `pen` is END, and it may not end either.
        found = StepDistribution.from_parameters(
            self._per_component(self.head(outputs)), trace.pen == Pen.LIFT, self.config.offset_scale
        )
        found = found.turned(trace.direction(), self.config.rotated)
        if self.border is None:
            return found
        framed = (known > 0).reshape(-1, *[1] * (trace.pen.dim() - 1)).expand_as(trace.pen)
        return found.bordered(self.border(outputs), trace.position, framed, self.config.offset_scale)

    def code(self, steps: Steps, cut: Int[Tensor, " b"]) -> Float[Tensor, "b e"]:
        """What the decoder hears of the given part of each drawing from the cut on."""
        return self._code(self.features(PenState.of_steps(steps.offset, steps.pen), steps.known), cut)

    def _code(self, features: Float[Tensor, "b n f"], cut: Int[Tensor, " b"]) -> Float[Tensor, "b e"]:
        # One step at least: where nothing is given at all the encoder is not heard, but several processes
        # that train together each need a gradient, if of 0, for every weight.
        longest = max(1, int(cut.max())) if len(cut) else 0
        return self.encoder(features[:, :longest], cut)

    def _bias(self, features: Float[Tensor, "b n f"], cut: Int[Tensor, " b"]) -> Float[Tensor, "b m e"]:
        """What the decoder hears of the given part before each of n + 1 steps: nothing up to the cut."""
        code = self._code(features, cut)
        after = torch.arange(features.shape[1] + 1, device=cut.device).unsqueeze(0) >= cut.unsqueeze(1)
        return torch.where(after.unsqueeze(-1), code.unsqueeze(1), self.encoder.nothing.to(code.dtype))

    def _per_component(self, values: Float[Tensor, "*b h"]) -> Float[Tensor, "*b p"]:
        """The head's numbers with a lift for each component, also where they share one."""
        if self.config.pen == "component":
            return values
        return torch.cat(
            [values, values[..., -1:].expand(*values.shape[:-1], self.config.components - 1)], -1
        )

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
