"""Many drawings gone on with at once, in torch, a step at a time: what a model does, to learn from it.

People's completions are drawn by `sketchgen.generate`, in numpy. Here thousands of ways are drawn between two
steps of the optimiser, by the weights that are just being learned, where these are. Given steps and added
ones are taken in one loop, in which each drawing begins to go on by itself when what is given of it ends.

All that a step reads and changes stands at one place from the beginning to the end, and what there is of
earlier steps is as long as it will ever be. So a step is the same kernels on the same memory each time: on a
GPU they are recorded once and run again (a CUDA graph), without which it waits for Python most of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from sketchgen.drawing.strokes import Pen
from sketchgen.model.mixture import StepDistribution
from sketchgen.model.recurrent import Gated, Recall, Trace
from sketchgen.model.strokemodel import Pointer, Steps, StrokeModel
from sketchgen.model.units import RECALL_HEADS

LOOK = 16
"""Steps after which it is asked whether all have ended: an answer from a GPU takes as long as some steps."""

WARMING = 3
"""Steps before the one that is recorded: what is set up at a first call is not to be recorded."""


@dataclass(frozen=True)
class Ways:
    """What b drawings have become.

    Attributes:
        offset: px of the network's frame; what was given stands first, padding is 0.
        pen: after each point, END behind the last.
        cut: points that were given.
        length: points in all.
        ended: whether the model ended it, and was not stopped.
    """

    offset: Float[Tensor, "b n 2"]
    pen: Int[Tensor, "b n"]
    cut: Int[Tensor, " b"]
    length: Int[Tensor, " b"]
    ended: Bool[Tensor, " b"]


class _Layer:
    """A recurrent layer, a step at a time, whose state stays at its place."""

    def __init__(self, layer: torch.nn.Module, inputs: Tensor, width: int) -> None:
        self._layer = layer
        self._hidden = inputs.new_zeros(len(inputs), width)
        gated = isinstance(layer, Gated)
        self._other = torch.zeros_like(inputs) if gated else torch.zeros_like(self._hidden)

    def clear(self) -> None:
        """Stand before the first step."""
        self._hidden.zero_()
        self._other.zero_()

    def __call__(self, inputs: Float[Tensor, "b i"]) -> Float[Tensor, "b w"]:
        """The outputs of the next step."""
        layer = self._layer
        if isinstance(layer, Gated):
            # See `sketchgen.model.recurrent.Gated`; the other state is the input of the step before.
            gates = layer.gates(
                torch.addcmul(inputs, self._other.to(inputs.dtype), layer.look_back.to(inputs.dtype))
            )
            enter, leave, candidate = gates.float().chunk(3, -1)
            hidden = torch.lerp(self._hidden, candidate, enter.sigmoid())
            self._hidden.copy_(hidden)
            self._other.copy_(inputs)
            outputs = (hidden * functional.silu(leave)).to(inputs.dtype)
            return inputs + outputs if layer.adds else outputs
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        weights = [getattr(layer, name) for name in names]
        if isinstance(layer, torch.nn.LSTM):
            hidden, cell = torch.lstm_cell(inputs, (self._hidden, self._other), *weights)
            self._other.copy_(cell)
        elif isinstance(layer, torch.nn.GRU):
            hidden = torch.gru_cell(inputs, self._hidden, *weights)
        else:
            hidden = torch.rnn_tanh_cell(inputs, self._hidden, *weights)
        self._hidden.copy_(hidden)
        return hidden


class Rollouts:
    """A network that goes on with so many drawings at a time; without gradients."""

    def __init__(self, network: StrokeModel, rows: int, total: int, *, recorded: bool | None = None) -> None:
        """Make room.

        Args:
            network: what draws, on its device; its weights are read anew at each step.
            rows: drawings at a time.
            total: most points of one, what is given included.
            recorded: whether its steps are recorded and run again; None for that on a GPU.
        """
        device, config = next(network.parameters()).device, network.config
        self.network, self.total = network, total
        self._recorded = device.type == "cuda" if recorded is None else recorded
        self._replay: Callable[[], None] | None = None
        zeros = torch.zeros(rows, device=device)
        self._steps = Steps(
            torch.zeros(rows, total, 2, device=device),
            torch.full((rows, total), int(Pen.END), device=device),
            torch.zeros(rows, dtype=torch.int64, device=device),
            zeros.clone(),
        )
        self._cut, self._temperature = self._steps.category.clone(), torch.ones_like(zeros)
        self._ended = torch.zeros(rows, dtype=torch.bool, device=device)
        self._step = torch.zeros((), dtype=torch.int64, device=device)
        self._bias = torch.zeros(rows, config.embedding, device=device)
        self._code = torch.zeros_like(self._bias)
        self._trace = Trace(
            **{name: value.clone() for name, value in vars(Trace.begin(rows, device)).items()}
        )
        below = torch.zeros(rows, config.width, device=device)
        self._layers = [
            _Layer(layer, below if number else self._bias, config.width)
            for number, layer in enumerate(network.stack.layers)
        ]
        # In what is computed in: with bfloat16 half the memory goes to and fro at each step.
        kind = (
            torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else torch.float32
        )
        self._key, self._value, self._pointed = (
            torch.zeros(rows, total, width, dtype=kind, device=device)
            for width in (config.recall, config.recall, config.pointers)
        )
        self._points = torch.zeros(rows, total, 2, device=device)
        self._index = torch.arange(total, device=device)

    @torch.no_grad()
    def draw(self, steps: Steps, cut: Int[Tensor, " b"], temperature: Float[Tensor, " b"]) -> Ways:
        """Go on with drawings until each has ended, or is as long as it may be; at least one point is added.

        By torch's generator. Unlike completions for people, which do at length (`NextStep.hurry`), drawings
        are not hurried to an end, and no gaps are closed.

        Args:
            steps: what is given, padded; one point of each at least, and fewer than there is room for.
            cut: how many points of each are.
            temperature: of each, above 0; see `StepDistribution.tempered`.
        """
        with uncached(cut.device):
            self._begin(steps, cut, temperature)
            for step in range(self.total):
                self._next()
                if step % LOOK == LOOK - 1 and bool(self._ended.all()):
                    break
        length = (self._steps.pen != Pen.END).sum(1)
        longest = int(length.max())
        offset, pen = self._steps.offset[:, :longest].clone(), self._steps.pen[:, :longest].clone()
        return Ways(offset, pen, cut, length, self._ended.clone())

    def _begin(self, steps: Steps, cut: Int[Tensor, " b"], temperature: Float[Tensor, " b"]) -> None:
        count = min(self.total, steps.pen.shape[1])
        self._steps.offset.zero_()
        self._steps.pen.fill_(int(Pen.END))
        self._steps.offset[:, :count] = steps.offset[:, :count]
        self._steps.pen[:, :count] = steps.pen[:, :count]
        self._steps.known.copy_(steps.known)
        self._cut.copy_(cut)
        self._temperature.copy_(temperature)
        self._bias.copy_(self.network.category(steps.category))
        self._code.copy_(self.network.code(steps, cut))
        self._restart()

    def _restart(self) -> None:
        """Stand before the first step."""
        for layer in self._layers:
            layer.clear()
        self._move(Trace.begin(len(self._cut), self._cut.device))
        self._ended.fill_(False)
        self._step.zero_()

    def _move(self, trace: Trace) -> None:
        for name, value in vars(trace).items():
            getattr(self._trace, name).copy_(value)

    def _next(self) -> None:
        """Take a step, as it was recorded, if it is."""
        if not self._recorded:
            self._take()
            return
        if self._replay is None:
            self._replay = self._record()
        self._replay()

    def _record(self) -> Callable[[], None]:
        """Record a step; it is not taken thereby."""
        given = self._steps.offset.clone(), self._steps.pen.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(stream):
            for _ in range(WARMING):
                self._take()
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph):
            self._take()
        self._steps.offset.copy_(given[0])
        self._steps.pen.copy_(given[1])
        self._restart()
        return graph.replay

    def _take(self) -> None:
        """Take the next step of each drawing."""
        step = self._step
        given = step < self._cut
        # By an index that stays on the device: as a number it would have to be waited for.
        own, pen = (
            part.index_select(1, step.unsqueeze(0)).squeeze(1)
            for part in (self._steps.offset, self._steps.pen)
        )
        bias = self._bias + torch.where(given.unsqueeze(-1), self.network.encoder.nothing, self._code)
        found = self._ahead(bias).tempered(self._temperature)
        # Where no point was added yet the drawing goes on.
        moved, lifted = replace(found, end=found.end.masked_fill(step == self._cut, -torch.inf)).sample()
        self._ended |= ~given & (lifted == Pen.END)
        pen = torch.where(given, pen, torch.where(self._ended, int(Pen.END), lifted))
        offset = torch.where(given.unsqueeze(-1), own, moved.masked_fill(self._ended.unsqueeze(-1), 0.0))
        self._steps.offset.index_copy_(1, step.unsqueeze(0), offset.unsqueeze(1))
        self._steps.pen.index_copy_(1, step.unsqueeze(0), pen.unsqueeze(1))
        self._move(self._trace.advanced(offset, pen))
        step += 1

    def _ahead(self, bias: Float[Tensor, "b e"]) -> StepDistribution:
        """The distribution of the next step."""
        network, trace = self.network, self._trace
        features = network.features(trace, self._steps.known)
        hidden, outputs = functional.silu(network.read(features) + bias), []
        for layer in self._layers:
            hidden = layer(hidden)
            outputs.append(hidden)
            if network.stack.recall is not None and len(outputs) == 1:
                hidden = hidden + self._recalled(network.stack.recall, hidden)
        joined = torch.cat(outputs, -1)
        found = network.distribution(joined, trace, self._steps.known)
        return found if network.pointer is None else self._pointing(network.pointer, joined, found)

    def _recalled(self, recall: Recall, outputs: Float[Tensor, "b w"]) -> Float[Tensor, "b w"]:
        """See `sketchgen.model.recurrent.Recall`."""
        at = self._step.unsqueeze(0)
        for kept, part in ((self._key, recall.key), (self._value, recall.value)):
            kept.index_copy_(1, at, part(outputs).to(kept.dtype).unsqueeze(1))
        query = recall.query(outputs).unflatten(-1, (RECALL_HEADS, -1)).unsqueeze(2)
        key, value = (
            kept.unflatten(-1, (RECALL_HEADS, -1)).transpose(1, 2) for kept in (self._key, self._value)
        )
        score = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        share = torch.softmax(score.masked_fill(self._index > self._step, -torch.inf), -1)
        return recall.out((share.to(value.dtype) @ value).squeeze(2).flatten(-2))

    def _pointing(
        self, pointer: Pointer, outputs: Float[Tensor, "b w"], found: StepDistribution
    ) -> StepDistribution:
        """See `sketchgen.model.strokemodel.Pointer`."""
        at = self._step.unsqueeze(0)
        self._pointed.index_copy_(1, at, pointer.key(outputs).to(self._pointed.dtype).unsqueeze(1))
        self._points.index_copy_(1, at, self._trace.position.unsqueeze(1))
        query = pointer.query(outputs)
        score = (self._pointed @ query.unsqueeze(-1)).squeeze(-1).float() / query.shape[-1] ** 0.5
        drawn = (self._index > 0) & (self._index <= self._step)
        target = self._points - self._trace.position.unsqueeze(1)
        return pointer.joined(found, outputs, score.masked_fill(~drawn, -torch.inf), target)


def uncached(device: torch.device) -> torch.autocast:
    """Autocast as it is, but for its cache: weights that it turned into another kind are not kept.

    Kept ones would be replayed with a recorded step, though the weights have changed; and kept without
    gradients, they would be used where gradients are wanted.
    """
    kind = device.type
    return torch.autocast(
        kind, torch.get_autocast_dtype(kind), enabled=torch.is_autocast_enabled(kind), cache_enabled=False
    )


def repeated(steps: Steps, count: int) -> Steps:
    """Each drawing `count` times, one after the other."""
    return replace(steps, **{name: value.repeat_interleave(count, 0) for name, value in vars(steps).items()})
