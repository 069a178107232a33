"""The network as it draws many drawings side by side, each in a slot of its own, in torch.

`sketchgen.models.numpy_stroke_model` is the same network for few drawings. There a drawing's numbers depend,
in their
last bits, on how many are drawn together, for a product of matrices is split up by its shape. Here the
shapes never change: whatever stands in the other slots, and in whichever slot a drawing stands, its numbers
are the same, so that it can be made again alone. Nothing is allocated in a step that could be kept.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import linear

from sketchgen.jobs.slot_layers import Layer, make_layer
from sketchgen.models.features import RECALL_HEADS
from sketchgen.models.numpy_layers import PenState
from sketchgen.models.numpy_mixture import LIFT, StepDistribution
from sketchgen.models.numpy_stroke_model import Decoder, State

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
"""In which the products of matrices are computed; everything else is float32 or float64."""

FIRST_CAPACITY = 128
"""Steps that are kept of each drawing at first. It doubles as drawings grow: sums of padded rows are then
added up in the same order whatever the length of the longest row."""


class SlotNetwork:
    """A decoder's network with a fixed number of slots.

    Attributes:
        slots: number of drawings side by side.
    """

    def __init__(self, decoder: Decoder, slots: int, precision: str = "float32") -> None:
        """Take the network of `decoder`.

        Args:
            decoder: whose states can be `put` into slots.
            slots: a multiple of 16.
            precision: a name in `PRECISIONS`.
        """
        self.slots, self.config = slots, decoder.config
        self._kind = PRECISIONS[precision]
        weights = {name: torch.from_numpy(np.ascontiguousarray(w)) for name, w in decoder.weights().items()}
        config = self.config
        self._read = weights["read.weight"].to(self._kind)
        self._layers: list[Layer] = [
            make_layer(config.cell, weights, f"stack.layers.{n}", slots, self._kind)
            for n in range(config.layers)
        ]
        self._joined = torch.zeros(slots, config.width * config.layers, dtype=self._kind)
        self._outputs = [("head", self._linear(weights, "head"))]
        if config.box_components:
            self._outputs.append(("border", self._linear(weights, "border")))
        for name in ("query", "key", "shape") if config.pointers else ():
            self._outputs.append((name, self._linear(weights, f"pointer.{name}")))
        # One product for all that reads the layers' outputs.
        self._out = tuple(torch.cat([pair[part] for _, pair in self._outputs]) for part in (0, 1))
        self._recall = (
            _SelfAttention(weights, slots, config.self_attention, self._kind)
            if config.self_attention
            else None
        )
        self._bias = torch.zeros(slots, config.embedding)
        self._trace = PenState(*(part.copy() for part in vars(PenState.begin(slots)).values()))
        self._known = np.zeros(slots, dtype=bool)
        self._kept = np.zeros(slots, dtype=np.int64)
        self._capacity = FIRST_CAPACITY
        self._points = np.zeros((slots, self._capacity, 2))
        # Numbers of a key after one another, each for all steps: so the product with a query is fastest.
        self._pointer = torch.zeros(slots, config.pointers, self._capacity)

    @property
    def room(self) -> int:
        """How many steps of a drawing are kept before there is to be more room."""
        return self._capacity

    def _linear(self, weights: dict[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
        return weights[f"{name}.weight"].to(self._kind), weights[f"{name}.bias"].to(self._kind)

    @torch.inference_mode()
    def put(self, slots: Int[np.ndarray, " c"], state: State) -> None:
        """Put the states of c drawings, as the decoder's `prime` returns them, into these slots."""
        where = torch.from_numpy(slots)
        for layer, before in zip(self._layers, state.layers, strict=True):
            layer.put(where, before)
        for name in vars(PenState.begin(1)):
            getattr(self._trace, name)[slots] = getattr(state.pen, name)
        self._bias[where] = torch.from_numpy(np.ascontiguousarray(state.bias))
        self._known[slots] = state.known
        if state.cache is None:
            return
        count = state.cache.count
        kept = {name: array[:, :count] for name, array in state.cache.arrays.items()}
        self._kept[slots] = count
        self._grow(count + 1)
        self._points[slots, :count] = kept["point"]
        if self.config.pointers:
            self._pointer[where, :, :count] = torch.from_numpy(kept["pointer"]).transpose(1, 2)
        if self._recall is not None:
            self._recall.put(where, kept["key"], kept["value"])

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], going: Bool[np.ndarray, " b"]
    ) -> StepDistribution:
        """Take a step in each slot; returns the distributions of the next ones.

        Args:
            offset: px of the model's box.
            pen: after the point.
            going: in which slots a drawing goes on; nothing is kept of the others' steps.
        """
        self._trace = trace = self._trace.advanced(offset, pen)
        values = self._values(going)
        scale, config = self.config.offset_scale, self.config
        found = StepDistribution.from_parameters(
            values["head"], trace.pen == LIFT, scale, trace.points, config.components
        )
        if config.rotated:
            found = found.rotated(trace.direction, config.rotated)
        if config.box_components:
            found = found.with_borders(values["border"], trace.position, self._known, scale)
        if not self.config.pointers:
            return found
        return self._pointing(found, values)

    @torch.inference_mode()
    def _values(self, going: Bool[np.ndarray, " b"]) -> dict[str, Float[np.ndarray, "b _"]]:
        """The network's outputs by name."""
        features = self._trace.features(self.config.inputs, self._known, self.config.offset_scale)
        entered = linear(torch.from_numpy(features).to(self._kind), self._read).float().add_(self._bias)
        hidden = torch.nn.functional.silu(entered, inplace=True)
        at = self._remember(going)
        for number, layer in enumerate(self._layers):
            hidden = layer.step(hidden)
            self._joined[:, number * self.config.width : (number + 1) * self.config.width] = hidden
            if self._recall is not None and number == 0:
                hidden = hidden + self._recall(hidden, at)
        out = linear(self._joined, *self._out).float()
        if self.config.pointers:
            keys = self._part(out, "key")
            self._pointer[torch.arange(self.slots), :, torch.from_numpy(at)] = keys
        return {name: self._part(out, name).numpy() for name, _ in self._outputs}

    def _part(self, out: Tensor, name: str) -> Tensor:
        """The columns of the outputs that belong to a name."""
        first = 0
        for other, (weight, _) in self._outputs:
            if other == name:
                return out[:, first : first + len(weight)]
            first += len(weight)
        raise KeyError(name)

    def _remember(self, going: Bool[np.ndarray, " b"]) -> Int[np.ndarray, " b"]:
        """Note where the pens are; returns at which place the new step of each slot is kept."""
        at = self._kept
        if self.config.self_attention or self.config.pointers:
            self._grow(int(at.max()) + 1)
            self._points[np.arange(self.slots), at] = self._trace.position
            # A slot at rest writes to its last place again and again.
            self._kept = at + going
        return at

    def _grow(self, count: int) -> None:
        """Make room for `count` steps of each drawing."""
        while self._capacity < count:
            self._capacity *= 2
        more = self._capacity - self._points.shape[1]
        if more:
            self._points = np.concatenate([self._points, np.zeros((self.slots, more, 2))], 1)
            room = torch.zeros(self.slots, self.config.pointers, more)
            self._pointer = torch.cat([self._pointer, room], 2)
        if self._recall is not None:
            self._recall.grow(self._capacity)

    def _pointing(self, found: StepDistribution, values: dict[str, Any]) -> StepDistribution:
        """The distribution with what was drawn already as targets; see `StepDistribution.with_pointers`."""
        query = torch.from_numpy(values["query"]).unsqueeze(1)
        score = torch.bmm(query, self._pointer).squeeze(1).numpy().astype(np.float64)
        score /= math.sqrt(self.config.pointers)
        place = np.arange(self._capacity)
        # Not the centre, where nothing was drawn, and nothing behind the newest point.
        there = (place > 0) & (place < self._kept[:, None])
        target = self._points - self._trace.position[:, None]
        return found.with_pointers(values["shape"], np.where(there, score, -np.inf), target)


class _SelfAttention:
    """`sketchgen.models.numpy_layers.SelfAttention` over slots."""

    def __init__(self, weights: dict[str, Tensor], slots: int, width: int, kind: torch.dtype) -> None:
        names = ("query", "key", "value")
        parts = [
            [weights[f"stack.recall.{name}.{kind_of}"] for name in names] for kind_of in ("weight", "bias")
        ]
        self._asked = tuple(torch.cat(part).to(kind) for part in parts)
        self._out = tuple(weights[f"stack.recall.out.{part}"].to(kind) for part in ("weight", "bias"))
        self._kind, self._heads, self._each = kind, (slots, RECALL_HEADS), width // RECALL_HEADS
        # As with the pointers' keys: transposed.
        self._key = torch.zeros(slots, RECALL_HEADS, self._each, FIRST_CAPACITY)
        self._value = torch.zeros(slots, RECALL_HEADS, FIRST_CAPACITY, self._each)

    def put(self, where: Tensor, key: Float[np.ndarray, "c n a"], value: Float[np.ndarray, "c n a"]) -> None:
        """Put keys and values of n steps of c drawings into slots."""
        keys, values = (
            torch.from_numpy(new).unflatten(2, (RECALL_HEADS, self._each)).transpose(1, 2)
            for new in (key, value)
        )
        self._key[where, :, :, : key.shape[1]] = keys.transpose(2, 3)
        self._value[where, :, : value.shape[1]] = values

    def grow(self, capacity: int) -> None:
        """Make room for `capacity` steps of each drawing."""
        more = capacity - self._value.shape[2]
        if more > 0:
            room = torch.zeros(*self._heads, more, self._each)
            self._key = torch.cat([self._key, room.transpose(2, 3)], 3)
            self._value = torch.cat([self._value, room], 2)

    def __call__(self, hidden: Float[Tensor, "b w"], at: Int[np.ndarray, " b"]) -> Float[Tensor, "b w"]:
        """What each slot's step recalls; it is kept at the place `at` of its slot first."""
        asked = linear(hidden.to(self._kind), *self._asked).float()
        query, key, value = asked.unflatten(1, (3, RECALL_HEADS, self._each)).unbind(1)
        slot, place = torch.arange(self._heads[0]), torch.from_numpy(at)
        self._key[slot, :, :, place], self._value[slot, :, place] = key, value
        count = self._value.shape[2]
        score = torch.bmm(query.flatten(0, 1).unsqueeze(1), self._key.flatten(0, 1))
        score = score.view(*self._heads, count)
        behind = torch.arange(count) > place[:, None]
        score = (score / math.sqrt(self._each)).masked_fill_(behind[:, None], -torch.inf)
        share = torch.softmax(score, -1).flatten(0, 1).unsqueeze(1)
        found = torch.bmm(share, self._value.flatten(0, 1)).view(self._heads[0], -1)
        return linear(found.to(self._kind), *self._out).float()
