"""The recurrent stack, its explicit state, and the features that it reads from a sequence of steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from sketchgen.drawing.strokes import Pen

FEATURES = 11
"""Numbers a step is described by; see `features`."""

POSITION_SCALE = 64.0
"""Positions are divided by this many px before the network sees them."""

CELLS: dict[str, type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]] = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn": nn.RNN,
}

LayerState = tuple[Tensor, ...]
"""State of one layer, each (1, b, width): hidden and cell for the LSTM, hidden for the others."""


@dataclass(frozen=True)
class Trace:
    """Where the pen is after a step: all that the next step's features need.

    Attributes:
        offset: the step's offset, px.
        position: where it led, px from the frame's centre.
        stroke_start: first point of the stroke that the step belongs to, px from the frame's centre.
        pen: DRAW, LIFT, or END for "nothing drawn yet".
    """

    offset: Float[Tensor, "*b 2"]
    position: Float[Tensor, "*b 2"]
    stroke_start: Float[Tensor, "*b 2"]
    pen: Int[Tensor, "*b"]

    @classmethod
    def begin(cls, batch: int, device: torch.device | None = None) -> Trace:
        """Before the first point: at the frame's centre, nothing drawn."""
        zero = torch.zeros(batch, 2, device=device)
        return cls(zero, zero, zero, torch.full((batch,), int(Pen.END), device=device))

    @classmethod
    def of_steps(cls, offset: Float[Tensor, "b n 2"], pen: Int[Tensor, "b n"]) -> Trace:
        """The traces after each of n steps from the frame's centre."""
        position = offset.cumsum(1)
        index = torch.arange(offset.shape[1], device=offset.device).expand_as(pen)
        begins = torch.ones_like(pen, dtype=torch.bool)
        begins[:, 1:] = pen[:, :-1] != Pen.DRAW
        first = torch.where(begins, index, torch.zeros_like(index)).cummax(1).values
        start = position.gather(1, first.unsqueeze(-1).expand_as(position))
        return cls(offset, position, start, pen)

    def advanced(self, offset: Float[Tensor, "b 2"], pen: Int[Tensor, " b"]) -> Trace:
        """The trace after one more step."""
        position = self.position + offset
        begins = (self.pen != Pen.DRAW).unsqueeze(-1)
        return Trace(offset, position, torch.where(begins, position, self.stroke_start), pen)

    def features(self, known: Float[Tensor, " b"], offset_scale: float) -> Float[Tensor, "*b 11"]:
        """What the network reads: offset, position, way from the stroke's start, pen, and the frame.

        Args:
            known: 1 where the frame is that of the whole drawing, 0 where it is the given part's own.
            offset_scale: px for one unit of offset.
        """
        way = self.position - self.stroke_start
        pen = nn.functional.one_hot(self.pen, 3).to(self.position.dtype)
        frame = known.reshape(-1, *[1] * (self.position.dim() - 1)).expand(*self.position.shape[:-1], 1)
        near = torch.exp(-way.square().sum(-1, keepdim=True) / 200.0)
        parts = [
            self.offset / offset_scale,
            self.position / POSITION_SCALE,
            way / POSITION_SCALE,
            near,
            pen,
            frame,
        ]
        return torch.cat(parts, -1)


_WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def _one_step(
    layer: nn.Module, inputs: Float[Tensor, "b 1 i"], state: LayerState
) -> tuple[Tensor, LayerState]:
    """What `layer` gives for a single step, (b, 1, width), and its state after it.

    On a processor the layer itself packs its weights anew at each call, which takes longer than the step.
    """
    weights = [layer.get_parameter(name) for name in _WEIGHTS]
    step, before = inputs.squeeze(1), [part.squeeze(0) for part in state]
    if isinstance(layer, nn.LSTM):
        hidden, cell = torch.lstm_cell(step, before, *weights)
        return hidden.unsqueeze(1), (hidden.unsqueeze(0), cell.unsqueeze(0))
    one = torch.gru_cell if isinstance(layer, nn.GRU) else torch.rnn_tanh_cell
    hidden = one(step, before[0], *weights)
    return hidden.unsqueeze(1), (hidden.unsqueeze(0),)


class Stack(nn.Module):
    """Recurrent layers one over the other; their outputs are read side by side."""

    def __init__(self, cell: str, inputs: int, width: int, layers: int, dropout: float) -> None:
        """Build `layers` layers of `width` units over `inputs` numbers a step."""
        super().__init__()
        kind = CELLS[cell]
        sizes = [inputs] + [width] * (layers - 1)
        self.layers = nn.ModuleList([kind(size, width, batch_first=True) for size in sizes])
        self.dropout = nn.Dropout(dropout)
        for name, value in self.named_parameters():
            if cell == "lstm" and "bias_ih" in name:
                # A forget gate that starts open: Jozefowicz et al. 2015.
                with torch.no_grad():
                    value[width : 2 * width] = 1.0

    def forward(
        self, inputs: Float[Tensor, "b t i"], state: tuple[LayerState, ...] | None = None
    ) -> tuple[Float[Tensor, "b t o"], tuple[LayerState, ...]]:
        """Run over t steps; returns all layers' outputs side by side and the state after the last step."""
        outputs, states = [], []
        hidden = inputs
        for index, layer in enumerate(self.layers):
            given = None if state is None else state[index]
            if given is not None and hidden.shape[1] == 1 and not torch.is_grad_enabled():
                hidden, after = _one_step(layer, hidden, given)
            else:
                hidden, after = layer(hidden, given if given is None or len(given) == 2 else given[0])
            states.append(after if isinstance(after, tuple) else (after,))
            hidden = self.dropout(hidden)
            outputs.append(hidden)
        return torch.cat(outputs, -1), tuple(states)
