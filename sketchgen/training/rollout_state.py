"""Where drawings stand that a network goes on with in torch, and a step of its recurrent layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from sketchgen.models.features import RECALL_HEADS
from sketchgen.models.layers import Gated, PenState
from sketchgen.models.stroke_model import Steps, StrokeModel


@dataclass
class State:
    """All that a step reads and changes, of each drawing.

    Attributes:
        steps: what is given and what was added, with room for more.
        cut, temperature: see `Rollouts.draw`.
        ended: whether the model has ended it.
        bias, code: what is added to each step's features, and besides while the drawing goes on by itself.
        trace: where its pen is.
        hidden, other: of each recurrent layer; `other` is an LSTM's cell, or a gated layer's last inputs.
        key, value: of `sketchgen.models.layers.SelfAttention`, a row a head.
        pointed, points: the keys and places of `sketchgen.models.stroke_model.Pointer`.
    """

    steps: Steps
    cut: Int[Tensor, " b"]
    temperature: Float[Tensor, " b"]
    ended: Bool[Tensor, " b"]
    bias: Float[Tensor, "b e"]
    code: Float[Tensor, "b e"]
    trace: PenState
    hidden: list[Tensor]
    other: list[Tensor]
    key: Float[Tensor, "b h n k"]
    value: Float[Tensor, "b h n k"]
    pointed: Float[Tensor, "b n p"]
    points: Float[Tensor, "b n 2"]

    @classmethod
    def of(cls, network: StrokeModel, rows: int, total: int) -> State:
        """Room for so many drawings of so many points."""
        device, config = next(network.parameters()).device, network.config
        # In what is computed in: with bfloat16 half the memory goes to and fro at each step.
        autocast = torch.is_autocast_enabled(device.type)
        kind = torch.get_autocast_dtype(device.type) if autocast else torch.float32

        def room(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.zeros(rows, *shape, dtype=dtype, device=device)

        whole, layers = torch.int64, network.stack.layers
        below = [config.width if number else config.embedding for number in range(len(layers))]
        gated = [isinstance(layer, Gated) for layer in layers]
        head = (RECALL_HEADS, total, config.self_attention // RECALL_HEADS)
        return cls(
            Steps(room(total, 2), room(total, dtype=whole), room(dtype=whole), room()),
            room(dtype=whole),
            room(),
            room(dtype=torch.bool),
            room(config.embedding),
            room(config.embedding),
            PenState(**{name: value.clone() for name, value in vars(PenState.begin(rows, device)).items()}),
            [room(config.width) for _ in layers],
            [room(width if also else config.width) for width, also in zip(below, gated, strict=True)],
            room(*head, dtype=kind),
            room(*head, dtype=kind),
            room(total, config.pointers, dtype=kind),
            room(total, 2),
        )

    def of_rows(self, rows: Int[Tensor, " r"]) -> State:
        """That of some of the drawings."""
        found: dict[str, Any] = {}
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                found[name] = value[rows]
            elif isinstance(value, list):
                found[name] = [part[rows] for part in value]
            else:
                found[name] = replace(value, **{part: of[rows] for part, of in vars(value).items()})
        return State(**found)

    def restart(self) -> None:
        """Stand before the first step."""
        for part in (*self.hidden, *self.other):
            part.zero_()
        self.move(PenState.begin(len(self.cut), self.cut.device))
        self.ended.fill_(False)

    def move(self, trace: PenState) -> None:
        """Take the pens to other places."""
        for name, value in vars(trace).items():
            getattr(self.trace, name).copy_(value)


def through(
    layer: torch.nn.Module, inputs: Float[Tensor, "b i"], hidden: Float[Tensor, "b w"], other: Tensor
) -> Float[Tensor, "b w"]:
    """The outputs of a recurrent layer's next step; its state changes in place."""
    if isinstance(layer, Gated):
        # See `sketchgen.models.layers.Gated`; the other state is the input of the step before.
        gates = layer.gates(torch.addcmul(inputs, other.to(inputs.dtype), layer.look_back.to(inputs.dtype)))
        enter, leave, candidate = gates.float().chunk(3, -1)
        hidden.copy_(torch.lerp(hidden, candidate, enter.sigmoid()))
        other.copy_(inputs)
        outputs = (hidden * functional.silu(leave)).to(inputs.dtype)
        return inputs + outputs if layer.adds else outputs
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    weights = [getattr(layer, name) for name in names]
    if isinstance(layer, torch.nn.LSTM):
        found, cell = torch.lstm_cell(inputs, (hidden, other), *weights)
        other.copy_(cell)
    elif isinstance(layer, torch.nn.GRU):
        found = torch.gru_cell(inputs, hidden, *weights)
    else:
        found = torch.rnn_tanh_cell(inputs, hidden, *weights)
    hidden.copy_(found)
    return found
