"""The whole network: a recurrent mixture-density decoder, conditioned on the encoded given part.

The decoder replays the given steps and goes on from there. Up to the cut it is told "nothing is given", from
the cut on it reads the encoder's code: so every point of a training drawing teaches, those before the cut to
draw from nothing and those after it to complete, and nothing can leak from the code into what it encodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sketchgen.drawing.strokes import Pen
from sketchgen.model.config import ModelConfig
from sketchgen.model.encoder import Encoder
from sketchgen.model.mixture import StepDistribution, parameter_count
from sketchgen.model.recurrent import FEATURES, LayerState, Stack, Trace


@dataclass(frozen=True)
class Given:
    """The given parts of b drawings and what is known of them.

    Attributes:
        offset: px; the first is counted from the frame's centre. Padded behind each row's `length`.
        pen: the pen after each point; DRAW at the last one where its stroke is to go on.
        length: number of given points of each row; 0 for none.
        category: index, or the config's `any_category`.
        known: 1 where the frame is that of the whole drawing (255 box), 0 where it is the given part's own.
    """

    offset: Float[Tensor, "b n 2"]
    pen: Int[Tensor, "b n"]
    length: Int[Tensor, " b"]
    category: Int[Tensor, " b"]
    known: Float[Tensor, " b"]


@dataclass(frozen=True)
class State:
    """Everything that `advance` needs to go on.

    Attributes:
        layers: the recurrent layers' states.
        trace: where the pen is.
        bias: what category and code add to the decoder's input at every step.
        known: see `Given`.
    """

    layers: tuple[LayerState, ...]
    trace: Trace
    bias: Float[Tensor, "b e"]
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

    def _features(self, trace: Trace, known: Float[Tensor, " b"]) -> Float[Tensor, "*b f"]:
        return trace.features(known, self.config.offset_scale)

    def _distribution(self, hidden: Float[Tensor, "*b o"], pen: Int[Tensor, "*b"]) -> StepDistribution:
        # A drawing ends only with the pen up; before the first point `pen` is END, and it may not end either.
        return StepDistribution.from_parameters(self.head(hidden), pen == Pen.LIFT, self.config.offset_scale)

    def _enter(self, features: Tensor, bias: Tensor) -> Tensor:
        return nn.functional.silu(self.read(features) + bias)

    def forward(self, steps: Given, cut: Int[Tensor, " b"]) -> StepDistribution:
        """Teacher-forced distributions of steps 0..n of whole drawings, (b, n + 1).

        Args:
            steps: whole drawings (`length` is not looked at; padding only touches what follows it).
            cut: how many points of each are given; the encoder reads those and nothing else.
        """
        batch, count = steps.pen.shape
        trace = Trace.of_steps(steps.offset, steps.pen)
        features = self._features(trace, steps.known)
        longest = int(cut.max()) if batch else 0
        code = self.encoder(features[:, :longest], cut)
        start = Trace.begin(batch, steps.offset.device)
        first = self._features(start, steps.known).unsqueeze(1)
        after = torch.arange(count + 1, device=cut.device).unsqueeze(0) >= cut.unsqueeze(1)
        bias = torch.where(after.unsqueeze(-1), code.unsqueeze(1), self.encoder.nothing.to(code.dtype))
        bias = bias + self.category(steps.category).unsqueeze(1)
        hidden, _ = self.stack(self._enter(torch.cat([first, features], 1), bias))
        return self._distribution(hidden, torch.cat([start.pen.unsqueeze(1), steps.pen], 1))

    def prime(self, given: Given) -> tuple[StepDistribution, State]:
        """Read the given part; returns the distribution of the first added step, and the state.

        All rows must have the same length (the sampler repeats one drawing).

        Raises:
            ValueError: rows of different lengths.
        """
        batch, count = given.pen.shape
        if bool((given.length != count).any()):
            raise ValueError("prime takes rows of one length; complete drawings of one length at a time")
        trace = Trace.begin(batch, given.offset.device)
        category = self.category(given.category)
        layers: tuple[LayerState, ...] | None = None
        code = self.encoder.nothing.expand(batch, -1)
        if count:
            whole = Trace.of_steps(given.offset, given.pen)
            features = self._features(whole, given.known)
            code = self.encoder(features, given.length)
            first = self._features(trace, given.known).unsqueeze(1)
            before = torch.cat([first, features[:, :-1]], 1)
            _, layers = self.stack(self._enter(before, (category + self.encoder.nothing).unsqueeze(1)))
            place = whole.position[:, -1], whole.stroke_start[:, -1]
            trace = Trace(whole.offset[:, -1], *place, whole.pen[:, -1])
        return self._next(layers, trace, category + code, given.known)

    def advance(
        self, offset: Float[Tensor, "b 2"], pen: Int[Tensor, " b"], state: State
    ) -> tuple[StepDistribution, State]:
        """Take one step (px, pen); returns the distribution of the one after it, and the new state."""
        return self._next(state.layers, state.trace.advanced(offset, pen), state.bias, state.known)

    def _next(
        self, layers: tuple[LayerState, ...] | None, trace: Trace, bias: Tensor, known: Tensor
    ) -> tuple[StepDistribution, State]:
        inputs = self._enter(self._features(trace, known), bias).unsqueeze(1)
        hidden, after = self.stack(inputs, layers)
        return self._distribution(hidden.squeeze(1), trace.pen), State(after, trace, bias, known)
