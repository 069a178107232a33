"""Many drawings gone on with at once, in torch, a step at a time: what a model does, to learn from it.

People's completions are drawn by `sketchgen.completion`, in numpy. Here thousands of ways are drawn between
two
steps of the optimiser, by the weights that are just being learned, where these are. Given steps and added
ones are taken in one loop, in which each drawing begins to go on by itself when what is given of it ends.

All that a step reads and changes stands at one place from the beginning to the end, and what there is of
earlier steps is as long as it will ever be. So a step is the same kernels on the same memory each time: on a
GPU they are recorded once and run again (a CUDA graph), without which it waits for Python most of the time.
A processor does not wait: there what has ended is left out, and only what is drawn already is looked back at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from sketchgen.models.features import RECALL_HEADS
from sketchgen.models.layers import SelfAttention
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.stroke_model import Pointer, Steps, StrokeModel
from sketchgen.sketch.strokes import Pen
from sketchgen.training.rollout_state import State, through

LOOK = 8
"""Steps after which it is asked which have ended: an answer from a GPU takes as long as some steps."""

CROWDED = 0.85
"""Share of drawings that still go on below which the others are left out, where steps are not recorded."""

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
        device = next(network.parameters()).device
        self.network, self.total = network, total
        self._recorded = device.type == "cuda" if recorded is None else recorded
        self._replay: Callable[[], None] | None = None
        self._all = self._state = State.of(network, rows, total)
        self._rows = torch.arange(rows, device=device)
        self._step = torch.zeros((), dtype=torch.int64, device=device)
        self._index = torch.arange(total, device=device)

    @torch.no_grad()
    def draw(self, steps: Steps, cut: Int[Tensor, " b"], temperature: Float[Tensor, " b"]) -> Ways:
        """Go on with drawings until each has ended, or is as long as it may be; at least one point is added.

        By torch's generator. Unlike completions for people, which do at length (`length_penalty`), drawings
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
                if step % LOOK == LOOK - 1:
                    going = ~self._state.ended
                    if not bool(going.any()):
                        break
                    if not self._recorded and float(going.float().mean()) < CROWDED:
                        self._leave(going)
        self._bring_home()
        found = self._all.steps
        length = (found.pen != Pen.END).sum(1)
        longest = int(length.max())
        offset, pen = found.offset[:, :longest].clone(), found.pen[:, :longest].clone()
        return Ways(offset, pen, cut, length, self._all.ended.clone())

    def _begin(self, steps: Steps, cut: Int[Tensor, " b"], temperature: Float[Tensor, " b"]) -> None:
        self._state = state = self._all
        self._rows = torch.arange(len(cut), device=cut.device)
        count = min(self.total, steps.pen.shape[1])
        state.steps.offset.zero_()
        state.steps.pen.fill_(int(Pen.END))
        state.steps.offset[:, :count] = steps.offset[:, :count]
        state.steps.pen[:, :count] = steps.pen[:, :count]
        state.steps.known.copy_(steps.known)
        state.cut.copy_(cut)
        state.temperature.copy_(temperature)
        state.bias.copy_(self.network.category(steps.category))
        state.code.copy_(self.network.code(steps, cut))
        self._restart()

    def _restart(self) -> None:
        self._state.restart()
        self._step.zero_()

    def _leave(self, going: Bool[Tensor, " b"]) -> None:
        """Go on with some of the drawings only: what has ended costs as much as what goes on."""
        self._bring_home()
        rows = going.nonzero().squeeze(1)
        self._rows, self._state = self._rows[rows], self._state.of_rows(rows)

    def _bring_home(self) -> None:
        """Put what was drawn to where the whole is."""
        if self._state is not self._all:
            for name in ("offset", "pen"):
                getattr(self._all.steps, name)[self._rows] = getattr(self._state.steps, name)
            self._all.ended[self._rows] = self._state.ended

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
        steps = self._state.steps
        given = steps.offset.clone(), steps.pen.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(stream):
            for _ in range(WARMING):
                self._take()
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph):
            self._take()
        steps.offset.copy_(given[0])
        steps.pen.copy_(given[1])
        self._restart()
        return graph.replay

    def _take(self) -> None:
        """Take the next step of each drawing."""
        step, state = self._step, self._state
        given = step < state.cut
        # By an index that stays on the device: as a number it would have to be waited for.
        own, pen = (
            part.index_select(1, step.unsqueeze(0)).squeeze(1)
            for part in (state.steps.offset, state.steps.pen)
        )
        bias = state.bias + torch.where(given.unsqueeze(-1), self.network.encoder.nothing, state.code)
        found = self._ahead(bias).tempered(state.temperature)
        # Where no point was added yet the drawing goes on.
        moved, lifted = replace(found, end=found.end.masked_fill(step == state.cut, -torch.inf)).sample()
        state.ended |= ~given & (lifted == Pen.END)
        pen = torch.where(given, pen, torch.where(state.ended, int(Pen.END), lifted))
        offset = torch.where(given.unsqueeze(-1), own, moved.masked_fill(state.ended.unsqueeze(-1), 0.0))
        state.steps.offset.index_copy_(1, step.unsqueeze(0), offset.unsqueeze(1))
        state.steps.pen.index_copy_(1, step.unsqueeze(0), pen.unsqueeze(1))
        state.move(state.trace.advanced(offset, pen))
        step += 1

    def _ahead(self, bias: Float[Tensor, "b e"]) -> StepDistribution:
        """The distribution of the next step."""
        network, state = self.network, self._state
        features = network.features(state.trace, state.steps.known)
        hidden, outputs = functional.silu(network.read(features) + bias), []
        for number, layer in enumerate(network.stack.layers):
            hidden = through(layer, hidden, state.hidden[number], state.other[number])
            outputs.append(hidden)
            if network.stack.recall is not None and len(outputs) == 1:
                hidden = hidden + self._recalled(network.stack.recall, hidden)
        joined = torch.cat(outputs, -1)
        found = network.distribution(joined, state.trace, state.steps.known)
        return found if network.pointer is None else self._pointing(network.pointer, joined, found)

    def _reached(self) -> int:
        """How many places of earlier steps are looked at: recorded, all there will be."""
        return self.total if self._recorded else int(self._step) + 1

    def _recalled(self, recall: SelfAttention, outputs: Float[Tensor, "b w"]) -> Float[Tensor, "b w"]:
        """See `sketchgen.models.layers.SelfAttention`."""
        at, state, reached = self._step.unsqueeze(0), self._state, self._reached()
        for kept, part in ((state.key, recall.key), (state.value, recall.value)):
            own = part(outputs).to(kept.dtype).unflatten(-1, (RECALL_HEADS, -1))
            kept.index_copy_(2, at, own.unsqueeze(2))
        query = recall.query(outputs).unflatten(-1, (RECALL_HEADS, -1)).unsqueeze(2)
        score = query @ state.key[:, :, :reached].transpose(-1, -2) / query.shape[-1] ** 0.5
        later = self._index[:reached] > self._step
        share = torch.softmax(score.masked_fill(later, -torch.inf), -1)
        return recall.out((share.to(state.value.dtype) @ state.value[:, :, :reached]).squeeze(2).flatten(-2))

    def _pointing(
        self, pointer: Pointer, outputs: Float[Tensor, "b w"], found: StepDistribution
    ) -> StepDistribution:
        """See `sketchgen.models.stroke_model.Pointer`."""
        at, state, reached = self._step.unsqueeze(0), self._state, self._reached()
        state.pointed.index_copy_(1, at, pointer.key(outputs).to(state.pointed.dtype).unsqueeze(1))
        state.points.index_copy_(1, at, state.trace.position.unsqueeze(1))
        query = pointer.query(outputs)
        score = state.pointed[:, :reached] @ query.unsqueeze(-1)
        score = score.squeeze(-1).float() / query.shape[-1] ** 0.5
        index = self._index[:reached]
        drawn = (index > 0) & (index <= self._step)
        target = state.points[:, :reached] - state.trace.position.unsqueeze(1)
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
