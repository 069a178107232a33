"""Recurrent layers over slots, in torch: the equations of `models.numpy_layers` for a fixed batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import linear, silu

from sketchgen.models.features import GATES
from sketchgen.models.numpy_layers import LayerState


@runtime_checkable
class Layer(Protocol):
    """A recurrent layer and the states of its slots."""

    def put(self, where: Int[Tensor, " c"], state: LayerState) -> None:
        """Put the states of c drawings into slots."""
        ...

    def step(self, inputs: Float[Tensor, "b i"]) -> Float[Tensor, "b w"]:
        """Take a step in every slot; returns the outputs, float32, which the next step overwrites."""
        ...


Weights = dict[str, Tensor]


class _Lstm:
    """Hochreiter and Schmidhuber 1997, with both products of a step as one."""

    def __init__(self, weights: Weights, name: str, slots: int, kind: torch.dtype) -> None:
        inputs, recurrent = (weights[f"{name}.weight_{part}_l0"] for part in ("ih", "hh"))
        self._width, self._reads = recurrent.shape[1], inputs.shape[1]
        # torch's order is in, forget, candidate, out; the candidate, which is no gate, goes to the end.
        order = torch.arange(4 * self._width).view(4, -1)[[0, 1, 3, 2]].flatten()
        bias = weights[f"{name}.bias_ih_l0"] + weights[f"{name}.bias_hh_l0"]
        # tanh x = 2 sigmoid(2 x) - 1, of which torch's sigmoid takes a fifth of the time of its tanh.
        twice = torch.ones(4 * self._width, 1)
        twice[3 * self._width :] = 2.0
        self._weight = (torch.cat([inputs, recurrent], 1)[order] * twice).to(kind).contiguous()
        self._bias = (bias[order] * twice[:, 0]).to(kind)
        self._read = torch.zeros(slots, self._reads + self._width, dtype=kind)
        self._gates = torch.zeros(slots, 4 * self._width)
        self._cell = torch.zeros(slots, self._width)
        self._hidden = torch.zeros(slots, self._width)

    def put(self, where: Int[Tensor, " c"], state: LayerState) -> None:
        """Put the states of c drawings into slots."""
        hidden, cell = (torch.from_numpy(np.ascontiguousarray(part)) for part in state)
        self._read[where, self._reads :] = hidden.to(self._read.dtype)
        self._cell[where] = cell

    def step(self, inputs: Float[Tensor, "b i"]) -> Float[Tensor, "b w"]:
        """Take a step in every slot; see `Layer.step`."""
        width = self._width
        self._read[:, : self._reads] = inputs
        gates = self._gates.copy_(linear(self._read, self._weight, self._bias))
        enters, keeps, leaves, candidate = gates.sigmoid_().split(width, 1)
        self._cell.mul_(keeps).addcmul_(enters, candidate, value=2.0).sub_(enters)
        torch.mul(self._cell, 2.0, out=self._hidden)
        self._hidden.sigmoid_().mul_(2.0).sub_(1.0).mul_(leaves)
        self._read[:, self._reads :] = self._hidden
        return self._hidden


class _Other:
    """The gated recurrent unit (Cho et al. 2014, as torch has it) and the plain tanh network."""

    def __init__(
        self, weights: Weights, name: str, slots: int, kind: torch.dtype, after: Callable[..., Tensor]
    ) -> None:
        parts = [(f"{name}.weight_{part}_l0", f"{name}.bias_{part}_l0") for part in ("ih", "hh")]
        self._inputs, self._recurrent = (
            tuple(weights[part].to(kind).contiguous() for part in pair) for pair in parts
        )
        self._kind, self._after = kind, after
        self._hidden = torch.zeros(slots, self._recurrent[0].shape[1])

    def put(self, where: Int[Tensor, " c"], state: LayerState) -> None:
        """Put the states of c drawings into slots."""
        self._hidden[where] = torch.from_numpy(np.ascontiguousarray(state[0]))

    def step(self, inputs: Float[Tensor, "b i"]) -> Float[Tensor, "b w"]:
        """Take a step in every slot; see `Layer.step`."""
        read = linear(inputs.to(self._kind), *self._inputs).float()
        own = linear(self._hidden.to(self._kind), *self._recurrent).float()
        self._hidden = self._after(read, own, self._hidden)
        return self._hidden


def _gru(read: Tensor, own: Tensor, hidden: Tensor) -> Tensor:
    width = hidden.shape[1]
    reset, keep = (read[:, : 2 * width] + own[:, : 2 * width]).sigmoid_().split(width, 1)
    candidate = torch.tanh(read[:, 2 * width :] + reset * own[:, 2 * width :])
    return (1.0 - keep) * candidate + keep * hidden


def _rnn(read: Tensor, own: Tensor, hidden: Tensor) -> Tensor:
    return torch.tanh(read + own)


class _Gated:
    """The gated linear recurrence; `sketchgen.models.layers.Gated` says what it is."""

    def __init__(self, weights: Weights, name: str, slots: int, kind: torch.dtype) -> None:
        self._gates = tuple(
            weights[f"{name}.gates.{part}"].to(kind).contiguous() for part in ("weight", "bias")
        )
        self._look_back = weights[f"{name}.look_back"]
        width = len(self._gates[1]) // GATES["gated"]
        self._kind, self._adds = kind, width == len(self._look_back)
        self._hidden = torch.zeros(slots, width)
        self._before = torch.zeros(slots, len(self._look_back))
        self._output = torch.zeros(slots, width)

    def put(self, where: Int[Tensor, " c"], state: LayerState) -> None:
        """Put the states of c drawings into slots."""
        for kept, part in zip((self._hidden, self._before), state, strict=True):
            kept[where] = torch.from_numpy(np.ascontiguousarray(part))

    def step(self, inputs: Float[Tensor, "b i"]) -> Float[Tensor, "b w"]:
        """Take a step in every slot; see `Layer.step`."""
        read = torch.addcmul(inputs, self._before, self._look_back).to(self._kind)
        enter, leave, candidate = linear(read, *self._gates).float().chunk(GATES["gated"], 1)
        self._hidden.lerp_(candidate, enter.sigmoid())
        torch.mul(self._hidden, silu(leave), out=self._output)
        self._before.copy_(inputs)
        return self._output.add_(inputs) if self._adds else self._output


def make_layer(cell: str, weights: Weights, name: str, slots: int, kind: torch.dtype) -> Layer:
    """The layer called `name` of a checkpoint.

    Args:
        cell: one of `sketchgen.models.config.CELLS`.
        weights: of the checkpoint, as tensors.
        name: what the layer's weights begin with.
        slots: drawings side by side.
        kind: in which the products of matrices are computed.
    """
    if cell == "lstm":
        return _Lstm(weights, name, slots, kind)
    if cell == "gated":
        return _Gated(weights, name, slots, kind)
    return _Other(weights, name, slots, kind, _gru if cell == "gru" else _rnn)
