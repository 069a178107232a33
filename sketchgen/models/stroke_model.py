"""The network in torch: a recurrent mixture-density decoder, conditioned on the encoded given part.

The decoder replays the given steps and goes on from there. Up to the cut it reads the code of "nothing
given", from the cut on the encoder's code: so every point of a training drawing teaches, those before the cut
to draw from nothing and those after it to complete, and nothing can leak from the code into what it encodes.

`StrokeModel.forward` computes all steps of many drawings at once, with gradients; `StrokeModel.step` computes
one step of each from a `State`, which it changes in place, so that it can be recorded as a CUDA graph.
`sketchgen.models.numpy_stroke_model` is the same step for a few drawings.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from sketchgen.errors import SettingError
from sketchgen.models.checkpoint import read_checkpoint
from sketchgen.models.config import ModelConfig
from sketchgen.models.encoder import Encoder, Gaussian, Latent
from sketchgen.models.features import (
    BORDER,
    BORDERS,
    INPUTS,
    NO_LATENT,
    POINTER,
    RECALL_HEADS,
    parameter_count,
)
from sketchgen.models.layers import Caches, CheckpointNetwork, LayerState, PenState, Stack, product
from sketchgen.models.mixture import StepDistribution
from sketchgen.sketch.strokes import Pen

BLOCK = 32
"""Earlier steps are looked at in multiples of this: sums over padded rows are then added up in the same
order, however long the longest of them is."""

STEPS_AXIS = {"key": 3, "value": 2, "pointer": 2, "point": 1}
"""Axis of the steps in each of the caches."""


@dataclass(frozen=True)
class Steps:
    """The steps of b whole drawings; padding only affects what follows it.

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


@dataclass
class State:
    """All that `StrokeModel.step` reads and changes, of b drawings; caches have room for n steps.

    Attributes:
        layers: the recurrent layers' states.
        bias: what category and code add to the decoder's input.
        known: see `Steps`.
        length: points of each drawing, which is also the number of steps that the caches hold.
        caches: of the steps so far; see `sketchgen.models.layers.Caches`.
    """

    layers: list[LayerState]
    pen: PenState
    bias: Float[Tensor, "b e"]
    known: Float[Tensor, " b"]
    length: Int[Tensor, " b"]
    caches: Caches

    @property
    def room(self) -> int | None:
        """Steps that the caches have room for; None without caches."""
        return next((cache.shape[STEPS_AXIS[name]] for name, cache in self.caches.items()), None)

    def _parts(self) -> Iterator[Tensor]:
        """Yield what has a row for each drawing, but for the caches."""
        for layer in self.layers:
            yield from layer
        yield from vars(self.pen).values()
        yield from (self.bias, self.known, self.length)

    def put(self, rows: Int[Tensor, " c"], other: State, of: Int[Tensor, " c"]) -> None:
        """Replace some rows by rows `of` another state."""
        for mine, theirs in zip(self._parts(), other._parts(), strict=True):
            mine[rows] = theirs[of]
        self.grow(other.room or 0)
        for name, theirs in other.caches.items():
            axis = STEPS_AXIS[name]
            self.caches[name].narrow(axis, 0, theirs.shape[axis])[rows] = theirs[of]

    def grow(self, room: int) -> None:
        """Make room for so many steps; the caches double until there is."""
        for name, cache in self.caches.items():
            while cache.shape[STEPS_AXIS[name]] < room:
                cache = torch.cat([cache, torch.zeros_like(cache)], STEPS_AXIS[name])
            self.caches[name] = cache

    def advance(
        self, offset: Float[Tensor, "b 2"], pen: Int[Tensor, " b"], going: Bool[Tensor, " b"]
    ) -> None:
        """Move the pens; where a drawing is not `going` on, its next step replaces the last one."""
        for name, value in vars(self.pen.advanced(offset, pen)).items():
            getattr(self.pen, name).copy_(value)
        self.length += going


class Pointer(nn.Module):
    """Points at the points that are drawn already, so that lines end and begin exactly where others are.

    Vinyals et al. 2015, "Pointer networks", equation 3, with a product for the score, and each point as one
    more component of the mixture (as words are in Merity et al. 2016, "Pointer sentinel mixture models").
    """

    def __init__(self, width: int, keys: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(width, keys), nn.Linear(width, keys)
        self.shape = nn.Linear(width, POINTER)

    def forward(
        self, outputs: Float[Tensor, "b m w"], position: Float[Tensor, "b m 2"], found: StepDistribution
    ) -> StepDistribution:
        """Return the distributions of m steps with the points before each as further components.

        `position` is where the pen is before each step, px; first of all at the frame's centre, no point.
        """
        query, key = self.query(outputs), self.key(outputs)
        score = (query @ key.transpose(1, 2)).float() / query.shape[-1] ** 0.5
        count = outputs.shape[1]
        drawn = torch.ones(count, count, dtype=torch.bool, device=outputs.device).tril()
        drawn[:, 0] = False
        target = position.unsqueeze(1) - position.unsqueeze(2)
        return self._joined(found, self.shape(outputs), score.masked_fill(~drawn, -torch.inf), target)

    def step(
        self, outputs: Float[Tensor, "b w"], state: State, reached: int, found: StepDistribution
    ) -> StepDistribution:
        """Return the distribution of the next step; the state takes the step's key and place."""
        keys, points = state.caches["pointer"], state.caches["point"]
        at, position = state.length, state.pen.position
        rows = torch.arange(len(at), device=at.device)
        keys[rows, :, at], points[rows, at] = product(outputs, self.key), position
        query = product(outputs, self.query)
        score = torch.bmm(query.unsqueeze(1), keys[:, :, :reached]).squeeze(1) / query.shape[-1] ** 0.5
        index = torch.arange(reached, device=at.device)
        drawn = (index > 0) & (index <= at.unsqueeze(1))
        target = points[:, :reached] - position.unsqueeze(1)
        shape = product(outputs, self.shape)
        return self._joined(found, shape, score.masked_fill_(~drawn, -torch.inf), target)

    @staticmethod
    def _joined(
        found: StepDistribution,
        shape: Float[Tensor, "*b 4"],
        score: Float[Tensor, "*b n"],
        target: Float[Tensor, "*b n 2"],
    ) -> StepDistribution:
        """Return the distributions with n points as further components, none where a score is -inf."""
        gate, *sigma, lift = shape.float().unbind(-1)
        return found.pointing(gate, score, target, torch.stack(sigma, -1), lift)


class StrokeModel(CheckpointNetwork):
    """Distribution over the next step of a drawing, given its first steps and its category."""

    def __init__(self, config: ModelConfig) -> None:
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
        self.latent = Latent(config, read) if config.latent else None
        if self.border is not None:
            # A point in sixteen comes to a side. At 0 they would begin with four fifths of all; so, a sixth.
            with torch.no_grad():
                self.border.bias[: len(BORDERS)] = -3.0
        nn.init.normal_(self.category.weight, std=0.3)

    def forward(
        self, steps: Steps, cut: Int[Tensor, " b"], latent: Float[Tensor, "b z"] | None = None
    ) -> StepDistribution:
        """Return teacher-forced distributions of steps 0..n, (b, n + 1).

        Args:
            steps: whole drawings.
            cut: how many points of each are given; the encoder reads those and nothing else.
            latent: the latent vectors; None for none.
        """
        pen = PenState.of_steps(steps.offset, steps.pen).from_the_beginning()
        features = self.features(pen, steps.known)
        code = self._code(features[:, 1:], cut) + self._entered(latent)
        after = torch.arange(features.shape[1], device=cut.device).unsqueeze(0) >= cut.unsqueeze(1)
        # The code before each step: up to the cut that of nothing.
        bias = torch.where(
            after.unsqueeze(-1), code.unsqueeze(1), self.encoder.nothing.to(code.dtype)
        ) + self.category(steps.category).unsqueeze(1)
        outputs = self.stack(nn.functional.silu(self.read(features) + bias))
        box = None if self.border is None else self.border(outputs)
        found = self._distribution(self.head(outputs), box, pen, steps.known)
        return found if self.pointer is None else self.pointer(outputs, pen.position, found)

    def latents(
        self, steps: Steps, length: Int[Tensor, " b"], cut: Int[Tensor, " b"]
    ) -> tuple[Gaussian, Gaussian]:
        """Return posterior and prior of the latent vectors of drawings of so many points."""
        if self.latent is None:
            raise SettingError(NO_LATENT)
        features = self.features(PenState.of_steps(steps.offset, steps.pen), steps.known)
        given = self.category(steps.category) + self._code(features, cut)
        return Gaussian.of(self.latent.posterior(features, length)), self.latent.prior_of(given)

    @torch.no_grad()
    def prime(
        self, steps: Steps, cut: Int[Tensor, " b"], room: int = 0, latent: Float[Tensor, "b z"] | None = None
    ) -> State:
        """Return the states from which `step` finds the distributions of steps `cut`, in float32.

        Args:
            steps: what is given of b drawings, padded.
            cut: how many points of each are given.
            room: steps that the caches have room for; at least the longest of the cuts.
            latent: the latent vectors; None for none.
        """
        rows, longest = len(cut), int(cut.max())
        state = self.begin(rows, max(room, longest, 1))
        state.known.copy_(steps.known)
        state.length.copy_(cut)
        category, entered = self.category(steps.category), self._entered(latent)
        state.bias.copy_(category + self.encoder.nothing)
        if not longest:
            state.bias += entered
            return state
        pen = PenState.of_steps(steps.offset[:, :longest], steps.pen[:, :longest]).from_the_beginning()
        features = self.features(pen, steps.known)
        hidden = nn.functional.silu(self.read(features[:, :-1]) + state.bias.unsqueeze(1))
        outputs, layers = self.stack.read(hidden, cut.clamp(min=1), state.caches)
        if self.pointer is not None:
            state.caches["pointer"][:, :, :longest] = self.pointer.key(outputs).transpose(1, 2)
            state.caches["point"][:, :longest] = pen.position[:, :-1]
        given = (cut > 0).unsqueeze(1)
        state.layers = [tuple(part.float() * given for part in layer) for layer in layers]
        state.pen = pen.at(cut)
        state.bias = category + self._code(features[:, 1:], cut) + entered
        return state

    def begin(self, rows: int, room: int) -> State:
        """Return the state before the first point of drawings of category 0, to be primed or replaced."""
        config, device = self.config, self.read.weight.device
        shapes: dict[str, tuple[int, ...]] = {}
        if config.self_attention:
            width = config.self_attention // RECALL_HEADS
            shapes = {"key": (RECALL_HEADS, width, room), "value": (RECALL_HEADS, room, width)}
        if config.pointers:
            shapes |= {"pointer": (config.pointers, room), "point": (room, 2)}
        return State(
            [layer.begin(rows, device) for layer in self.stack.cells],
            PenState(**{name: value.clone() for name, value in vars(PenState.begin(rows, device)).items()}),
            torch.zeros(rows, config.embedding, device=device),
            torch.zeros(rows, device=device),
            torch.zeros(rows, dtype=torch.int64, device=device),
            {name: torch.zeros(rows, *shape, device=device) for name, shape in shapes.items()},
        )

    @torch.no_grad()
    def step(self, state: State, reached: int | None = None) -> StepDistribution:
        """Return the distribution of each drawing's next step; the state takes all but the step itself.

        `State.advance` is to follow. Weights may be bfloat16, see `in_precision`.

        Args:
            state: changed in place; its caches grow where they must.
            reached: how many steps of the caches are looked at, more than any drawing has points; left out,
                it is found from their lengths, which on a GPU have to be waited for.
        """
        if reached is None and state.room is None:
            reached = 0
        if reached is None:
            reached = -(-(int(state.length.max()) + 1) // BLOCK) * BLOCK
            state.grow(reached)
        features = self.features(state.pen, state.known)
        hidden = nn.functional.silu(product(features, self.read) + state.bias)
        outputs = self.stack.step(hidden, state.layers, state.caches, state.length, reached)
        outputs = outputs.to(self.head.weight.dtype)
        box = None if self.border is None else product(outputs, self.border)
        found = self._distribution(product(outputs, self.head), box, state.pen, state.known)
        return found if self.pointer is None else self.pointer.step(outputs, state, reached, found)

    def without_dropout(self) -> StrokeModel:
        """Return the network ready to learn, but for dropout, so that it draws and learns as the same one.

        Not by `eval`: on a GPU recurrent layers have gradients in training mode only.
        """
        self.train()
        self.stack.dropout.eval()
        return self

    def features(self, pen: PenState, known: Float[Tensor, " b"]) -> Float[Tensor, "*b f"]:
        """Return what the network reads of pen states; `known` as in `Steps`."""
        return pen.features(known, self.config.offset_scale, self.config.inputs)

    def _distribution(
        self,
        values: Float[Tensor, "*b p"],
        box: Float[Tensor, "*b q"] | None,
        pen: PenState,
        known: Float[Tensor, " b"],
    ) -> StepDistribution:
        """Return the distributions that outputs of head and box describe, without the pointers."""
        # A drawing ends only with the pen up; before the first point `pen` is END, and it may not end either.
        found = StepDistribution.from_parameters(
            self._per_component(values),
            pen.pen == Pen.LIFT,
            self.config.offset_scale,
            softmax=self.config.pen == "softmax",
        )
        found = found.rotated(pen.direction(), self.config.rotated)
        if box is None:
            return found
        framed = (known > 0).reshape(-1, *[1] * (pen.pen.dim() - 1)).expand_as(pen.pen)
        return found.with_box(box, pen.position, framed, self.config.offset_scale)

    def _code(self, features: Float[Tensor, "b n f"], cut: Int[Tensor, " b"]) -> Float[Tensor, "b e"]:
        # One step at least: where nothing is given at all the encoder is not heard, but several processes
        # that train together each need a gradient, if of 0, for every weight.
        longest = max(1, int(cut.max())) if len(cut) else 0
        return self.encoder(features[:, :longest], cut)

    def _entered(self, latent: Float[Tensor, "b z"] | None) -> Float[Tensor, "b e"] | float:
        """Return what latent vectors add to the code."""
        if latent is None:
            return 0.0
        if self.latent is None:
            raise SettingError(NO_LATENT)
        return self.latent.enter(latent)

    def _per_component(self, values: Float[Tensor, "*b h"]) -> Float[Tensor, "*b p"]:
        """Return the head's numbers with a lift for each component, also where they share one."""
        if self.config.pen == "component":
            return values
        more = values[..., -1:].expand(*values.shape[:-1], self.config.components - 1)
        return torch.cat([values, more], -1)


def bfloat16_pays(device: torch.device) -> bool:
    """Return whether products in bfloat16 are clearly faster than in float32 here, in a few milliseconds.

    Measured, for a processor does not tell: with bfloat16 units it is a few times as fast, and without them,
    where each product is emulated, a few times slower.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    seconds: dict[torch.dtype, float] = {}
    for kind in (torch.float32, torch.bfloat16):
        one = torch.ones(256, 256, dtype=kind)
        times = []
        for _ in range(4):
            started = time.perf_counter()
            torch.mm(one, one)
            times.append(time.perf_counter() - started)
        seconds[kind] = min(times)
    return seconds[torch.bfloat16] * 1.2 < seconds[torch.float32]


def in_precision(network: StrokeModel, kind: torch.dtype) -> StrokeModel:
    """Return a network whose products `step` computes in a type: itself for float32, else a copy.

    Only `step` may be called on a copy. `refresh` brings its weights up to date.
    """
    if kind == torch.float32:
        return network
    made = copy.deepcopy(network).requires_grad_(False)
    for name, value in made.named_parameters():
        if value.dim() == 2 or "bias" in name:
            value.data = value.data.to(kind)
    return made


def refresh(made: StrokeModel, network: StrokeModel) -> None:
    """Bring the weights of a copy by `in_precision` up to date, in place."""
    if made is not network:
        with torch.no_grad():
            for own, value in zip(made.parameters(), network.parameters(), strict=True):
                own.copy_(value)


def load_network(name_or_path: str | os.PathLike[str] | None = None) -> tuple[StrokeModel, dict[str, Any]]:
    """Load a checkpoint as a network (float32, evaluation mode, CPU), with its training summary."""
    checkpoint = read_checkpoint(name_or_path)
    return StrokeModel.from_weights(checkpoint.config, checkpoint.weights), checkpoint.summary
