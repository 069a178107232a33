"""Rollouts for policy-gradient training: completions drawn by the network that learns, without gradients.

A GPU draws all rollouts in lockstep: each step is captured once as a CUDA graph and replayed, since otherwise
most of the time is spent waiting for Python. The graph needs fixed tensors and torch's random generator. A
processor does not wait; there a row whose drawing has ended takes the next one, as in jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sketchgen.completion.rollout import Rollout, Start
from sketchgen.models.stroke_model import State, Steps, StrokeModel, refresh
from sketchgen.sketch.strokes import Pen

CPU_ROWS = 512
"""Maximum number of drawings at a time on a processor."""

CHECK_EVERY = 8
"""Steps between two checks on a GPU whether all drawings have ended; a check takes as long as some steps."""

WARM_UP_STEPS = 3
"""Steps before the one that is captured, so that nothing is initialised while capturing."""


@dataclass(frozen=True)
class Samples:
    """b finished drawings.

    Attributes:
        offset: px of the network's frame; the given points come first, padding is 0.
        pen: state after each point; END as padding.
        ended: whether the model ended the drawing; False where it was stopped at the limit.
    """

    offset: Float[Tensor, "b n 2"]
    pen: Int[Tensor, "b n"]
    cut: Int[Tensor, " b"]
    length: Int[Tensor, " b"]
    ended: Bool[Tensor, " b"]


class RolloutSampler:
    """Completes batches of partial sketches with a network whose weights change between batches."""

    def __init__(
        self, network: StrokeModel, rows: int, max_given: int, max_added: int, *, lockstep: bool | None = None
    ) -> None:
        """Allocate the tensors of a batch of so many drawings.

        In `lockstep` all drawings advance together; None for that on a GPU, where steps are captured.
        """
        device = network.head.weight.device
        self.network, self.max_added = network, max_added
        self._captures = device.type == "cuda"
        self._lockstep = self._captures if lockstep is None else lockstep
        # Matrix products have the precision of those in training.
        autocast = torch.is_autocast_enabled(device.type)
        precision = torch.get_autocast_dtype(device.type) if autocast else torch.float32
        self._room = max_given + max_added + 1
        rows = rows if self._lockstep else min(rows, CPU_ROWS)
        self._rollout = Rollout(
            network, max_added, rows, precision=precision, room=self._room, length_penalty=False
        )
        self._replay: Callable[[], None] | None = None

    @torch.no_grad()
    def draw(self, steps: Steps, cut: Int[Tensor, " b"], temperature: Float[Tensor, " b"]) -> Samples:
        """Draw until each drawing has ended or has `max_added` more points; at least one point is added.

        Unlike completions for people, rollouts have no length penalty, and no gaps are closed. Of each
        drawing `cut` points are given, one at least; the temperatures are above 0.
        """
        with torch.autocast(cut.device.type, enabled=False):
            # Many rollouts continue the same partial sketch, which is encoded once.
            single, rows = _distinct(steps, cut)
            state = self.network.prime(
                Steps(**{name: value[single] for name, value in vars(steps).items()}), cut[single], self._room
            )
            draw = self._draw_lockstep if self._lockstep else self._draw_queued
            offset, pen, count, ended = draw(state, rows, temperature)
        return _joined(steps, cut, offset, pen, count, ended)

    def _draw_queued(
        self, state: State, rows: Int[Tensor, " b"], temperature: Float[Tensor, " b"]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return added offsets and pen states, numbers of added points, and which drawings ended.

        A row whose drawing has ended takes the next one.
        """
        seed = int(torch.randint(2**62, ()))
        starts = [
            Start(number, state, (row,), seed, number, temperature=each)
            for number, (row, each) in enumerate(zip(rows.tolist(), temperature.tolist(), strict=True))
        ]
        offset = torch.zeros(len(rows), self.max_added, 2)
        pen = torch.full((len(rows), self.max_added), int(Pen.END))
        count, ended = torch.zeros(len(rows), dtype=torch.int64), torch.zeros(len(rows), dtype=torch.bool)
        for one in self._rollout.draw(starts, scored=False):
            length = len(one.pen)
            offset[one.what, :length] = torch.from_numpy(one.offset)
            pen[one.what, :length] = torch.from_numpy(one.pen)
            count[one.what], ended[one.what] = length, one.ended
        device = temperature.device
        return offset.to(device), pen.to(device), count.to(device), ended.to(device)

    def _draw_lockstep(
        self, state: State, rows: Int[Tensor, " b"], temperature: Float[Tensor, " b"]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the same as `_draw_queued`; all drawings take each step together."""
        rollout = self._rollout
        refresh(rollout.stepping, self.network)
        self._reset(state, rows, temperature)
        if self._captures and self._replay is None:
            self._replay = self._capture()
            self._reset(state, rows, temperature)
        for step in range(self.max_added + 1):
            self._step() if self._replay is None else self._replay()
            if step % CHECK_EVERY == CHECK_EVERY - 1 and not bool(rollout.going.any()):
                break
        index = torch.arange(self.max_added, device=rows.device)
        there = index < rollout.count.unsqueeze(1)
        offset = torch.where(there.unsqueeze(-1), rollout.offset[:, : self.max_added], 0.0)
        pen = torch.where(there, rollout.pen[:, : self.max_added], int(Pen.END))
        return offset, pen, rollout.count.clone(), rollout.ended.clone()

    def _reset(self, state: State, rows: Int[Tensor, " b"], temperature: Float[Tensor, " b"]) -> None:
        rollout = self._rollout
        rollout.state.put(torch.arange(len(rows), device=rows.device), state, rows)
        rollout.temperature.copy_(temperature)
        rollout.count.zero_()
        rollout.going.fill_(True)
        rollout.ended.fill_(False)

    def _step(self) -> None:
        """Advance all drawings by one step."""
        rows, device = self._rollout.rows, self._rollout.going.device
        noise = torch.cat([torch.rand(rows, 1, 3, device=device), torch.randn(rows, 1, 2, device=device)], -1)
        self._rollout.take(noise, scored=False, reached=self._room)

    def _capture(self) -> Callable[[], None]:
        """Capture one step as a CUDA graph; return the function that replays it."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                self._step()
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph):
            self._step()
        return graph.replay


def _distinct(steps: Steps, cut: Int[Tensor, " b"]) -> tuple[Int[Tensor, " d"], Int[Tensor, " b"]]:
    """Return the first row of each distinct partial sketch, and for each row the number of its sketch."""
    parts = [steps.offset.flatten(1), steps.pen, steps.category.unsqueeze(1), steps.known.unsqueeze(1)]
    whole = torch.cat([*(part.float() for part in parts), cut.unsqueeze(1).float()], 1)
    rows = torch.unique(whole, dim=0, return_inverse=True)[1]
    first = torch.full((int(rows.max()) + 1,), len(rows), device=rows.device)
    first.scatter_reduce_(0, rows, torch.arange(len(rows), device=rows.device), "amin")
    return first, rows


def _joined(
    steps: Steps,
    cut: Int[Tensor, " b"],
    offset: Float[Tensor, "b m 2"],
    pen: Int[Tensor, "b m"],
    count: Int[Tensor, " b"],
    ended: Bool[Tensor, " b"],
) -> Samples:
    """Return given and added points together, padded to the longest drawing."""
    length = cut + count
    given = torch.arange(steps.pen.shape[1], device=cut.device) < cut.unsqueeze(1)
    room = steps.pen.shape[1] + pen.shape[1]
    whole = offset.new_zeros(len(cut), room, 2)
    pens = torch.full((len(cut), room), int(Pen.END), device=cut.device)
    whole[:, : given.shape[1]] = torch.where(given.unsqueeze(-1), steps.offset, 0.0)
    pens[:, : given.shape[1]] = torch.where(given, steps.pen, int(Pen.END))
    places = cut.unsqueeze(1) + torch.arange(pen.shape[1], device=cut.device)
    whole.scatter_(1, places.unsqueeze(-1).expand_as(offset), offset)
    pens.scatter_(1, places, pen)
    longest = int(length.max())
    return Samples(whole[:, :longest].clone(), pens[:, :longest].clone(), cut, length, ended)
