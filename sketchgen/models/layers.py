"""The recurrent layers, self-attention, and the features that they read from a sequence of steps.

Each layer has three forms: `run` takes all steps of many drawings at once, with gradients; `read` does the
same without gradients and returns the state behind each drawing's last step besides; `step` takes one step
from a state, which it changes in place. A step of many drawings is products of matrices and little else, so
`step` computes them in the type of the weights, float32 or bfloat16, and everything between them in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import linear, silu

from sketchgen.models.checkpoint import Weights
from sketchgen.models.features import GATES, LENGTH_SCALE, LONGEST_MEMORY, NEAR, POSITION_SCALE, RECALL_HEADS
from sketchgen.models.scan import gated_scan, scan
from sketchgen.sketch.geometry import CENTRE
from sketchgen.sketch.strokes import Pen

N = TypeVar("N", bound="CheckpointNetwork")
LayerState = tuple[Tensor, ...]
"""State of a recurrent layer, (b, w) each: hidden and cell of an LSTM, hidden of a GRU or a tanh network,
hidden and the last inputs of a gated layer."""


class CheckpointNetwork(nn.Module):
    """A network that is made of a configuration, and whose weights a checkpoint holds."""

    @classmethod
    def from_weights(cls: type[N], config: Any, weights: Weights) -> N:
        """Build the network of a checkpoint, in evaluation mode."""
        network = cls(config)
        network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        return network.eval()

    def weights(self) -> Weights:
        """Return copies of all weights by name, float32, as a checkpoint holds them."""
        # Batch norm's counter is in no checkpoint.
        kept = {name: value for name, value in self.state_dict().items() if "num_batches" not in name}
        return {name: np.array(value.float().cpu().numpy(), order="C") for name, value in kept.items()}


def product(values: Float[Tensor, "*b i"], part: nn.Linear) -> Float[Tensor, "*b o"]:
    """Return a linear layer's outputs in float32, computed in the type of its weights."""
    return linear(values.to(part.weight.dtype), part.weight, part.bias).float()


@dataclass(frozen=True)
class PenState:
    """Where the pen is after a step: all that the next step's features need.

    Attributes:
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
        """Return the state before the first point: at the frame's centre, nothing drawn."""
        zero = torch.zeros(batch, 2, device=device)
        return cls(zero, zero, zero, torch.full((batch,), int(Pen.END), device=device), zero, zero)

    @classmethod
    def of_steps(cls, offset: Float[Tensor, "b n 2"], pen: Int[Tensor, "b n"]) -> PenState:
        """Return the states after each of n steps from the frame's centre."""
        position = offset.cumsum(1)
        index = torch.arange(offset.shape[1], device=offset.device).expand_as(pen)
        begins = torch.ones_like(pen, dtype=torch.bool)
        begins[:, 1:] = pen[:, :-1] != Pen.DRAW
        first = torch.where(begins, index, torch.zeros_like(index)).cummax(1).values
        start = position.gather(1, first.unsqueeze(-1).expand_as(position))
        low, high = position.cummin(1).values, position.cummax(1).values
        return cls(offset, position, start, pen, low, high)

    def from_the_beginning(self) -> PenState:
        """Return the (b, n + 1) states before each of n steps, and after the last: `begin` and these."""
        start = PenState.begin(len(self.pen), self.pen.device)
        pairs = zip(vars(start).values(), vars(self).values(), strict=True)
        return PenState(*(torch.cat([first.unsqueeze(1), rest], 1) for first, rest in pairs))

    def at(self, step: Int[Tensor, " b"]) -> PenState:
        """Return, of the (b, n) states of b drawings' steps, that of one step of each."""
        rows = torch.arange(len(step), device=step.device)
        return PenState(**{name: value[rows, step] for name, value in vars(self).items()})

    def advanced(self, offset: Float[Tensor, "b 2"], pen: Int[Tensor, " b"]) -> PenState:
        """Return the states after one more step of each drawing."""
        position, begins = self.position + offset, (self.pen != Pen.DRAW).unsqueeze(-1)
        # The pen is at END only where nothing is drawn yet: nothing follows an end.
        nothing = (self.pen == Pen.END).unsqueeze(-1)
        return PenState(
            offset,
            position,
            torch.where(begins, position, self.stroke_start),
            pen,
            torch.where(nothing, position, torch.minimum(self.low, position)),
            torch.where(nothing, position, torch.maximum(self.high, position)),
        )

    def direction(self) -> Float[Tensor, "*b 2"]:
        """Return the direction that the pen came from, of length 1; to the right where it did not move."""
        length = self.offset.square().sum(-1, keepdim=True).sqrt()
        right = torch.zeros_like(self.offset)
        right[..., 0] = 1.0
        return torch.where(length > 0, self.offset / length.clamp(min=1e-9), right)

    def features(
        self, known: Float[Tensor, " b"], offset_scale: float, inputs: str = "bounded"
    ) -> Float[Tensor, "*b f"]:
        """Return what a network of these inputs, a name in `sketchgen.models.features.INPUTS`, reads.

        Offset, position, way from the stroke's start, how near that is, pen, frame; from "directed" on
        direction and length of the offset; with "bounded" the room between what is drawn and each side of the
        frame (left, top, right, bottom). With "offsets" offset and pen only; with "moves" the same, but zeros
        as long as everything drawn is one spot.

        Args:
            known: 1 where the frame is that of the whole drawing, 0 where it is the given part's own.
            offset_scale: px for one unit of offset.
            inputs: the name.
        """
        pens = torch.arange(3, device=self.pen.device)
        pen = (self.pen.unsqueeze(-1) == pens).to(self.position.dtype)
        if inputs in ("offsets", "moves"):
            read = torch.cat([self.offset / offset_scale, pen], -1)
            if inputs == "offsets":
                return read
            first = (self.low == self.high).all(-1) & (self.pen != Pen.END)
            return read.masked_fill(first.unsqueeze(-1), 0.0)
        way = self.position - self.stroke_start
        frame = known.reshape(-1, *[1] * (self.position.dim() - 1)).expand(*self.position.shape[:-1], 1)
        parts = [
            self.offset / offset_scale,
            self.position / POSITION_SCALE,
            way / POSITION_SCALE,
            torch.exp(-way.square().sum(-1, keepdim=True) / NEAR),
            pen,
            frame,
        ]
        if inputs != "full":
            length = torch.log1p(self.offset.square().sum(-1, keepdim=True)) / LENGTH_SCALE
            parts += [self.direction(), length]
        if inputs == "bounded":
            parts += [(self.low + CENTRE) / POSITION_SCALE, (CENTRE - self.high) / POSITION_SCALE]
        return torch.cat(parts, -1)


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014), on a processor from one random byte a number.

    torch draws a random word for each number there, one after the other: a tenth of a training step. The
    share is rounded to 1/256 on a processor, and what is kept is scaled by just that.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, values: Float[Tensor, "*b w"]) -> Float[Tensor, "*b w"]:
        """Return the values, in training some of them 0 and the others larger for it."""
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


Caches = dict[str, Tensor]
"""What is kept of n earlier steps: "key" (b, h, k, n) and "value" (b, h, n, k) of the self-attention's heads;
"pointer" (b, p, n), the keys of the points, and "point" (b, n, 2), px from the frame's centre, where the pen
was before each step. Keys are transposed, as products read them."""


class SelfAttention(nn.Module):
    """Attention of each step to itself and all earlier ones: Vaswani et al. 2017, section 3.2."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(width, inner), nn.Linear(width, inner)
        self.value, self.out = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(
        self, outputs: Float[Tensor, "b t w"], caches: Caches | None = None
    ) -> Float[Tensor, "b t w"]:
        """Return what each step attends to; the caches take the keys and values of the steps."""
        query, key, value = (
            part(outputs).unflatten(-1, (RECALL_HEADS, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        if caches is not None:
            caches["key"][..., : key.shape[2]] = key.transpose(2, 3)
            caches["value"][:, :, : key.shape[2]] = value
        # Not torch's fused attention: over some dozens of steps its gradient is four times slower.
        score = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        later = torch.ones(score.shape[-2:], dtype=torch.bool, device=score.device).triu(1)
        found = torch.softmax(score.masked_fill(later, -torch.inf), -1).to(value.dtype) @ value
        return self.out(found.transpose(1, 2).flatten(-2))

    def step(
        self, outputs: Float[Tensor, "b w"], caches: Caches, at: Int[Tensor, " b"], reached: int
    ) -> Float[Tensor, "b w"]:
        """Return what the next step of each drawing attends to; the caches take this step.

        It is the step `at` of a drawing, all of them below `reached`; `outputs` are those of the layer below.
        """
        query, key, value = (
            product(outputs, part).unflatten(-1, (RECALL_HEADS, -1))
            for part in (self.query, self.key, self.value)
        )
        rows = torch.arange(len(at), device=at.device)
        caches["key"][rows, :, :, at], caches["value"][rows, :, at] = key, value
        keys = caches["key"][..., :reached].flatten(0, 1)
        score = torch.bmm(query.flatten(0, 1).unsqueeze(1), keys).view(*query.shape[:2], reached)
        later = torch.arange(reached, device=at.device) > at.unsqueeze(1)
        score = (score / query.shape[-1] ** 0.5).masked_fill_(later.unsqueeze(1), -torch.inf)
        share = torch.softmax(score, -1).flatten(0, 1).unsqueeze(1)
        found = torch.bmm(share, caches["value"][:, :, :reached].flatten(0, 1))
        return product(found.view(len(at), -1), self.out)


class _OfTorch(nn.RNNBase):
    """A recurrent layer of torch; `kernel` is the step of one whose state is one array."""

    states = 1
    kernel: Callable[..., Tensor]
    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__(inputs, width, batch_first=True)  # pyright: ignore[reportCallIssue]

    def run(self, inputs: Float[Tensor, "b t i"]) -> Float[Tensor, "b t w"]:
        """Return the outputs of t steps from the beginning."""
        return self(inputs)[0]

    def begin(self, rows: int, device: torch.device) -> LayerState:
        """Return the state before the first step."""
        return tuple(torch.zeros(rows, self.hidden_size, device=device) for _ in range(self.states))

    def read(
        self, inputs: Float[Tensor, "b t i"], length: Int[Tensor, " b"]
    ) -> tuple[Float[Tensor, "b t w"], LayerState]:
        """Return the outputs, and the states after `length` steps (1 to t) of each drawing."""
        outputs = self.run(inputs)
        return outputs, (outputs[torch.arange(len(length), device=length.device), length - 1],)

    def step(self, inputs: Float[Tensor, "b i"], state: LayerState) -> Float[Tensor, "b w"]:
        """Return the outputs of the next step."""
        (hidden,), kind = state, self.weight_ih_l0.dtype
        weights = self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0
        return hidden.copy_(self.kernel(inputs.to(kind), hidden.to(kind), *weights))


class LSTM(_OfTorch, nn.LSTM):
    """Long short-term memory: Hochreiter and Schmidhuber 1997, as torch has it."""

    states = 2

    def read(
        self, inputs: Float[Tensor, "b t i"], length: Int[Tensor, " b"]
    ) -> tuple[Float[Tensor, "b t w"], LayerState]:
        """Return the outputs, and the states after `length` steps (1 to t) of each drawing."""
        packed = nn.utils.rnn.pack_padded_sequence(inputs, length.cpu(), True, enforce_sorted=False)
        outputs, (hidden, cell) = self(packed)
        outputs = nn.utils.rnn.pad_packed_sequence(outputs, True, total_length=inputs.shape[1])[0]
        return outputs, (hidden[0], cell[0])

    def step(self, inputs: Float[Tensor, "b i"], state: LayerState) -> Float[Tensor, "b w"]:
        """Return the outputs of the next step."""
        (hidden, cell), kind, width = state, self.weight_ih_l0.dtype, self.hidden_size
        gates = linear(inputs.to(kind), self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)
        gates = gates.addmm_(hidden.to(kind), self.weight_hh_l0.T).float()
        # tanh x = 2 sigmoid(2 x) - 1: of torch's two functions sigmoid takes a fifth of the time.
        gates[:, 2 * width : 3 * width].mul_(2.0)
        enters, keeps, candidate, leaves = gates.sigmoid_().split(width, 1)
        cell.mul_(keeps).addcmul_(enters, candidate, value=2.0).sub_(enters)
        torch.mul(cell, 2.0, out=hidden)
        return hidden.sigmoid_().mul_(2.0).sub_(1.0).mul_(leaves)


class GRU(_OfTorch, nn.GRU):
    """Gated recurrent unit: Cho et al. 2014, as torch has it."""

    kernel = staticmethod(torch.gru_cell)


class RNN(_OfTorch, nn.RNN):
    """A plain tanh network, as torch has it."""

    kernel = staticmethod(torch.rnn_tanh_cell)


class Gated(nn.Module):
    """A gated linear recurrence: minGRU (Feng et al. 2024, "Were RNNs All We Needed?") with three additions.

    How much of the state is replaced at a step, and by what, depends on the inputs alone, not on the state:
    so all products of matrices are made at once, over all steps. What that takes away is given back in part

    - by a look-back: each input is read with a share of the one before it, a convolution over two steps, as
      in Bradbury et al. 2016 (quasi-recurrent networks) and, number by number, Gu and Dao 2023 (Mamba);
    - by a gate at the output, silu as in Mamba: the state meets what is read just now;
    - by the input itself, added to the output where it is as wide: the layers above read both.

    No product follows, for everything that reads a layer begins with one.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.look_back = nn.Parameter(torch.empty(inputs).uniform_(-0.5, 0.5))
        self.gates = nn.Linear(inputs, GATES["gated"] * width)
        self.inputs, self.width, self.adds = inputs, width, inputs == width
        # Memories of all lengths, evenly by their logarithm, as in Mamba.
        nn.init.uniform_(self.gates.bias[:width], -math.log(LONGEST_MEMORY - 1), 0.0)
        # The gate at the output starts open, as an LSTM's forget gate does: else little comes out at first.
        nn.init.ones_(self.gates.bias[width : 2 * width])

    def gates_of(self, inputs: Float[Tensor, "b t i"]) -> Float[Tensor, "b t g"]:
        """Return how much enters, how much leaves, and the candidate of t steps, before the sigmoids."""
        before = nn.functional.pad(inputs, (0, 0, 1, 0))[:, :-1]
        # In the type of the inputs, which may be bfloat16: the product that follows would round it just so.
        return self.gates(torch.addcmul(inputs, before, self.look_back.to(inputs.dtype)))

    def run(self, inputs: Float[Tensor, "b t i"]) -> Float[Tensor, "b t w"]:
        """Return the outputs of t steps from the beginning."""
        outputs = gated_scan(self.gates_of(inputs))
        return inputs + outputs if self.adds else outputs

    def begin(self, rows: int, device: torch.device) -> LayerState:
        """Return the state before the first step."""
        return tuple(torch.zeros(rows, width, device=device) for width in (self.width, self.inputs))

    def read(
        self, inputs: Float[Tensor, "b t i"], length: Int[Tensor, " b"]
    ) -> tuple[Float[Tensor, "b t w"], LayerState]:
        """Return the outputs, and the states after `length` steps (1 to t) of each drawing."""
        states, outputs = scan(self.gates_of(inputs))
        rows = torch.arange(len(length), device=length.device)
        state = states[length, rows], inputs[rows, length - 1]
        return inputs + outputs if self.adds else outputs, state

    def step(self, inputs: Float[Tensor, "b i"], state: LayerState) -> Float[Tensor, "b w"]:
        """Return the outputs of the next step."""
        hidden, before = state
        gates = product(torch.addcmul(inputs, before, self.look_back), self.gates)
        enter, leave, candidate = gates.chunk(GATES["gated"], -1)
        hidden.lerp_(candidate, enter.sigmoid())
        before.copy_(inputs)
        outputs = hidden * silu(leave)
        return outputs.add_(inputs) if self.adds else outputs


Recurrent = LSTM | GRU | RNN | Gated


def make_layer(cell: str, inputs: int, width: int) -> Recurrent:
    """Return a new recurrent layer of `width` units over `inputs` numbers a step."""
    return {"lstm": LSTM, "gru": GRU, "rnn": RNN, "gated": Gated}[cell](inputs, width)


def reversed_within(values: Float[Tensor, "b n f"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b n f"]:
    """Return each row's first `lengths` steps in reverse order; the padding behind them stays where it is."""
    index = torch.arange(values.shape[1], device=values.device).expand(values.shape[:2])
    back = lengths.unsqueeze(1) - 1 - index
    return values.gather(1, torch.where(back >= 0, back, index).unsqueeze(-1).expand_as(values))


class Stack(nn.Module):
    """Recurrent layers one over the other; their outputs are read side by side.

    With self-attention the second layer reads, besides the first one's output, what that attends to. It is
    called `recall`, as its weights are in checkpoints.
    """

    def __init__(
        self, cell: str, inputs: int, width: int, layers: int, dropout: float, recall: int = 0
    ) -> None:
        super().__init__()
        sizes = [inputs] + [width] * (layers - 1)
        self.layers = nn.ModuleList([make_layer(cell, size, width) for size in sizes])
        self.dropout = Dropout(dropout)
        self.recall = SelfAttention(width, recall) if recall else None
        for layer in self.cells:
            if isinstance(layer, LSTM):
                # A forget gate that starts open: Jozefowicz et al. 2015.
                with torch.no_grad():
                    layer.bias_ih_l0[width : 2 * width] = 1.0

    @property
    def cells(self) -> list[Recurrent]:
        """The layers, the lowest first."""
        return cast("list[Recurrent]", list(self.layers))

    def forward(self, inputs: Float[Tensor, "b t i"]) -> Float[Tensor, "b t o"]:
        """Return all layers' outputs of t steps from the beginning, side by side."""
        outputs = []
        for layer in self.cells:
            inputs = self.dropout(layer.run(inputs))
            outputs.append(inputs)
            if self.recall is not None and len(outputs) == 1:
                inputs = inputs + self.recall(inputs)
        return torch.cat(outputs, -1)

    def read(
        self, inputs: Float[Tensor, "b t i"], length: Int[Tensor, " b"], caches: Caches
    ) -> tuple[Float[Tensor, "b t o"], list[LayerState]]:
        """Return the same, and the layers' states after `length` steps (1 to t) of each drawing."""
        outputs, states = [], []
        for layer in self.cells:
            inputs, state = layer.read(inputs, length)
            outputs.append(inputs)
            states.append(state)
            if self.recall is not None and len(outputs) == 1:
                inputs = inputs + self.recall(inputs, caches)
        return torch.cat(outputs, -1), states

    def step(
        self,
        inputs: Float[Tensor, "b i"],
        states: list[LayerState],
        caches: Caches,
        at: Int[Tensor, " b"],
        reached: int,
    ) -> Float[Tensor, "b o"]:
        """Return all layers' outputs of the next step; see `SelfAttention.step`."""
        outputs = []
        for layer, state in zip(self.cells, states, strict=True):
            inputs = layer.step(inputs, state)
            outputs.append(inputs)
            if self.recall is not None and len(outputs) == 1:
                inputs = inputs + self.recall.step(inputs, caches, at, reached)
        return torch.cat(outputs, -1)
