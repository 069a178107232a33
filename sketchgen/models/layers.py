"""The recurrent stack, and the features that it reads from a sequence of steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from sketchgen.models.features import GATES, LENGTH_SCALE, LONGEST_MEMORY, NEAR, POSITION_SCALE, RECALL_HEADS
from sketchgen.models.scan import gated_scan
from sketchgen.sketch.geometry import CENTRE
from sketchgen.sketch.strokes import Pen

_OF_TORCH = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
"""The cells that torch brings along."""


@dataclass(frozen=True)
class PenState:
    """Where the pen is after a step: all that the next step's features need.

    Attributes:
        offset: the step's offset, px.
        position: where it led, px from the frame's centre.
        stroke_start: first point of the stroke that the step belongs to, px from the frame's centre.
        pen: DRAW, LIFT, or END for "nothing drawn yet".
        low, high: corners of what is drawn up to there, px from the frame's centre.
    """

    offset: Float[Tensor, "*b 2"]
    position: Float[Tensor, "*b 2"]
    stroke_start: Float[Tensor, "*b 2"]
    pen: Int[Tensor, "*b"]
    low: Float[Tensor, "*b 2"]
    high: Float[Tensor, "*b 2"]

    @classmethod
    def begin(cls, batch: int, device: torch.device | None = None) -> PenState:
        """Before the first point: at the frame's centre, nothing drawn."""
        zero = torch.zeros(batch, 2, device=device)
        return cls(zero, zero, zero, torch.full((batch,), int(Pen.END), device=device), zero, zero)

    @classmethod
    def of_steps(cls, offset: Float[Tensor, "b n 2"], pen: Int[Tensor, "b n"]) -> PenState:
        """The traces after each of n steps from the frame's centre."""
        position = offset.cumsum(1)
        index = torch.arange(offset.shape[1], device=offset.device).expand_as(pen)
        begins = torch.ones_like(pen, dtype=torch.bool)
        begins[:, 1:] = pen[:, :-1] != Pen.DRAW
        first = torch.where(begins, index, torch.zeros_like(index)).cummax(1).values
        start = position.gather(1, first.unsqueeze(-1).expand_as(position))
        low, high = position.cummin(1).values, position.cummax(1).values
        return cls(offset, position, start, pen, low, high)

    def from_the_beginning(self) -> PenState:
        """The (b, n + 1) traces before each of n steps, and after the last: `begin` and these."""
        start = PenState.begin(len(self.pen), self.pen.device)
        return PenState(
            **{
                name: torch.cat([value.unsqueeze(1), getattr(self, name)], 1)
                for name, value in vars(start).items()
            }
        )

    def advanced(self, offset: Float[Tensor, "b 2"], pen: Int[Tensor, " b"]) -> PenState:
        """The traces after one more step of each drawing."""
        position, nothing = self.position + offset, self._nothing()
        begins = (self.pen != Pen.DRAW).unsqueeze(-1)
        return PenState(
            offset,
            position,
            torch.where(begins, position, self.stroke_start),
            pen,
            torch.where(nothing, position, torch.minimum(self.low, position)),
            torch.where(nothing, position, torch.maximum(self.high, position)),
        )

    def _nothing(self) -> Bool[Tensor, "b 1"]:
        """Where nothing is drawn yet: only there the pen is at END, for nothing is drawn behind an end."""
        return (self.pen == Pen.END).unsqueeze(-1)

    def direction(self) -> Float[Tensor, "*b 2"]:
        """The way that the pen came, of length 1; to the right where it did not move at all."""
        length = self.offset.square().sum(-1, keepdim=True).sqrt()
        right = torch.zeros_like(self.offset)
        right[..., 0] = 1.0
        return torch.where(length > 0, self.offset / length.clamp(min=1e-9), right)

    def features(self, known: Float[Tensor, " b"], offset_scale: float) -> Float[Tensor, "*b 18"]:
        """What the network reads: offset, position, way from the stroke's start, pen, frame, direction, ...

        The last four are the room between what is drawn and the sides of the frame: left, top, right, bottom.

        Args:
            known: 1 where the frame is that of the whole drawing, 0 where it is the given part's own.
            offset_scale: px for one unit of offset.
        """
        way = self.position - self.stroke_start
        pen = nn.functional.one_hot(self.pen, 3).to(self.position.dtype)
        frame = known.reshape(-1, *[1] * (self.position.dim() - 1)).expand(*self.position.shape[:-1], 1)
        near = torch.exp(-way.square().sum(-1, keepdim=True) / NEAR)
        parts = [
            self.offset / offset_scale,
            self.position / POSITION_SCALE,
            way / POSITION_SCALE,
            near,
            pen,
            frame,
            self.direction(),
            torch.log1p(self.offset.square().sum(-1, keepdim=True)) / LENGTH_SCALE,
            (self.low + CENTRE) / POSITION_SCALE,
            (CENTRE - self.high) / POSITION_SCALE,
        ]
        return torch.cat(parts, -1)


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014), on a processor from a random byte a number.

    torch draws a random word for each number there, one after the other: a tenth of a training step. The
    share is rounded to 1/256 on a processor, and what is kept is scaled by just that.
    """

    def __init__(self, share: float) -> None:
        """Drop `share` of the numbers (0 to 1) in training."""
        super().__init__()
        self.share = share

    def forward(self, values: Float[Tensor, "*b w"]) -> Float[Tensor, "*b w"]:
        """The values, some of them 0 and the others larger for it; as they are outside training."""
        dropped = round(256 * self.share)
        if not self.training or self.share == 0.0:
            return values
        if values.device.type != "cpu" or dropped in (0, 256):
            return nn.functional.dropout(values, self.share)
        count = values.numel()
        # From the least of all numbers on, for otherwise the highest bit is always 0.
        words = torch.empty(-(-count // 8), dtype=torch.int64).random_(torch.iinfo(torch.int64).min, None)
        kept = words.view(torch.uint8)[:count].view(values.shape) >= dropped
        return values * kept.to(values.dtype).mul_(256 / (256 - dropped))


class SelfAttention(nn.Module):
    """Attention of each step to itself and all earlier ones: Vaswani et al. 2017, section 3.2.

    What a recurrent layer has long forgotten, such as how large the first wheel was, it finds again.
    """

    def __init__(self, width: int, inner: int) -> None:
        """Build it over layers of `width` units, with queries, keys and values of `inner` numbers."""
        super().__init__()
        self.query, self.key = nn.Linear(width, inner), nn.Linear(width, inner)
        self.value, self.out = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, outputs: Float[Tensor, "b t w"]) -> Float[Tensor, "b t w"]:
        """What each step recalls."""
        query, key, value = (
            part(outputs).unflatten(-1, (RECALL_HEADS, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        # Not torch's fused attention: over some dozens of steps its gradient is four times slower.
        score = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        later = torch.ones(score.shape[-2:], dtype=torch.bool, device=score.device).triu(1)
        found = torch.softmax(score.masked_fill(later, -torch.inf), -1).to(value.dtype) @ value
        return self.out(found.transpose(1, 2).flatten(-2))


class Gated(nn.Module):
    """A gated linear recurrence: minGRU (Feng et al. 2024, "Were RNNs All We Needed?") with three additions.

    How much of the state is replaced at a step, and by what, depends on the inputs alone, not on the state:
    so all products of matrices are made at once, over all steps. What that takes away is given back in part

    - by a look-back: each input is read with a share of the one before it, a convolution over two steps, as
      Bradbury et al. 2016 (quasi-recurrent networks) and, number by number, Gu and Dao 2023 (Mamba) have it;
    - by a gate at the output, silu as in Mamba: what is remembered meets what is read just now;
    - by the input itself, added to the output where it is as wide: the layers above read both.

    No product follows, for everything that reads a layer begins with one.
    """

    def __init__(self, inputs: int, width: int) -> None:
        """Build it of `width` units over `inputs` numbers a step."""
        super().__init__()
        self.look_back = nn.Parameter(torch.empty(inputs).uniform_(-0.5, 0.5))
        self.gates = nn.Linear(inputs, GATES["gated"] * width)
        self.adds = inputs == width
        # Memories of all lengths, evenly by their logarithm, as Mamba has it.
        nn.init.uniform_(self.gates.bias[:width], -math.log(LONGEST_MEMORY - 1), 0.0)
        # The gate at the output starts open, as an LSTM's forget gate does: else little comes out at first.
        nn.init.ones_(self.gates.bias[width : 2 * width])

    def forward(self, inputs: Float[Tensor, "b t i"]) -> Float[Tensor, "b t w"]:
        """Run over t steps from the beginning; returns the outputs."""
        before = nn.functional.pad(inputs, (0, 0, 1, 0))[:, :-1]
        # In the inputs' kind, which may be bfloat16: the product that follows would round it just so.
        read = torch.addcmul(inputs, before, self.look_back.to(inputs.dtype))
        outputs = gated_scan(self.gates(read))
        return inputs + outputs if self.adds else outputs


def make_layer(cell: str, inputs: int, width: int) -> nn.Module:
    """A recurrent layer for `outputs_of`.

    Args:
        cell: one of `sketchgen.models.config.CELLS`.
        inputs: numbers a step that it reads.
        width: its units.
    """
    return Gated(inputs, width) if cell == "gated" else _OF_TORCH[cell](inputs, width, batch_first=True)


def outputs_of(layer: nn.Module, inputs: Float[Tensor, "b t i"]) -> Float[Tensor, "b t w"]:
    """What a recurrent layer makes of t steps from the beginning; torch's own return their state besides."""
    found = layer(inputs)
    return found if isinstance(found, Tensor) else found[0]


class Stack(nn.Module):
    """Recurrent layers one over the other; their outputs are read side by side.

    With `recall` the second layer reads, besides the first one's output, what that recalls of earlier steps.
    """

    def __init__(
        self, cell: str, inputs: int, width: int, layers: int, dropout: float, recall: int = 0
    ) -> None:
        """Build `layers` layers of `width` units over `inputs` numbers a step."""
        super().__init__()
        sizes = [inputs] + [width] * (layers - 1)
        self.layers = nn.ModuleList([make_layer(cell, size, width) for size in sizes])
        self.dropout = Dropout(dropout)
        self.recall = SelfAttention(width, recall) if recall else None
        for name, value in self.named_parameters():
            if cell == "lstm" and "bias_ih" in name:
                # A forget gate that starts open: Jozefowicz et al. 2015.
                with torch.no_grad():
                    value[width : 2 * width] = 1.0

    def forward(self, inputs: Float[Tensor, "b t i"]) -> Float[Tensor, "b t o"]:
        """Run over t steps from the beginning; returns all layers' outputs side by side."""
        outputs = []
        for layer in self.layers:
            inputs = self.dropout(outputs_of(layer, inputs))
            outputs.append(inputs)
            if self.recall is not None and len(outputs) == 1:
                inputs = inputs + self.recall(inputs)
        return torch.cat(outputs, -1)
