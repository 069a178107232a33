"""Rollouts for policy-gradient training: drawings finished by the network that learns, without gradients.

On a GPU all drawings are drawn in lockstep, and a step is recorded once and run again (a CUDA graph): without
that it waits for Python most of the time. For this everything that a step reads and changes stays in one
place, and random numbers come from torch's generator. A processor does not wait: there a row whose drawing
has ended takes the next one, as in jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from sketchgen.completion.rollout import Rollout, Start
from sketchgen.models.stroke_model import State, Steps, StrokeModel, refresh
from sketchgen.sketch.strokes import Pen

ROWS = 256
"""Drawings at a time on a processor."""

LOOK = 8
"""Steps after which a GPU is asked which drawings have ended: an answer takes as long as some steps."""

WARMING = 3
"""Steps before the one that is recorded: what is set up at a first call is not to be recorded."""


@dataclass(frozen=True)
class Samples:
    """b finished drawings.

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
    """Finishes batches of drawings by a network whose weights change between them."""

    def __init__(
        self, network: StrokeModel, rows: int, longest: int, limit: int, *, lockstep: bool | None = None
    ) -> None:
        """Make room.

        Args:
            network: what draws, on its device.
            rows: drawings in a batch.
            longest: most points that are given.
            limit: most points that are added.
            lockstep: whether all are drawn at once; None for that on a GPU, where steps are recorded.
        """
        device = network.head.weight.device
        self.network, self.limit = network, limit
        self._recorded = device.type == "cuda"
        self._lockstep = self._recorded if lockstep is None else lockstep
        # Products are computed as those of training are.
        autocast = torch.is_autocast_enabled(device.type)
        precision = torch.get_autocast_dtype(device.type) if autocast else torch.float32
        self._room = longest + limit + 1
        self._rollout = Rollout(
            network,
            limit,
            rows if self._lockstep else min(rows, ROWS),
            precision=precision,
            room=self._room,
            length_penalty=False,
        )
        self._replay: Callable[[], None] | None = None

    @torch.no_grad()
    def draw(self, steps: Steps, cut: Int[Tensor, " b"], temperature: Float[Tensor, " b"]) -> Samples:
        """Go on with drawings until each has ended, or has `limit` more points; at least one is added.

        Unlike completions for people, drawings have no length penalty, and no gaps are closed.

        Args:
            steps: what is given, padded; one point of each at least.
            cut: how many points of each are.
            temperature: of each, above 0; see `StepDistribution.tempered`.
        """
        with torch.autocast(cut.device.type, enabled=False):
            # Many drawings go on from the same: each is read once.
            single, rows = _distinct(steps, cut)
            state = self.network.prime(
                Steps(**{name: value[single] for name, value in vars(steps).items()}),
                cut[single],
                self._room,
            )
            parts = self._in_lockstep if self._lockstep else self._in_turn
            offset, pen, count, ended = parts(state, rows, temperature)
        return _joined(steps, cut, offset, pen, count, ended)

    def _in_turn(
        self, state: State, rows: Int[Tensor, " b"], temperature: Float[Tensor, " b"]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what is added, and how many points; whether each has ended."""
        seed = int(torch.randint(2**62, ()))
        starts = [
            Start(number, state, (row,), seed, number, temperature=each)
            for number, (row, each) in enumerate(zip(rows.tolist(), temperature.tolist(), strict=True))
        ]
        offset = torch.zeros(len(rows), self.limit, 2)
        pen = torch.full((len(rows), self.limit), int(Pen.END))
        count, ended = torch.zeros(len(rows), dtype=torch.int64), torch.zeros(len(rows), dtype=torch.bool)
        for one in self._rollout.draw(starts, scored=False):
            length = len(one.pen)
            offset[one.what, :length] = torch.from_numpy(one.offset)
            pen[one.what, :length] = torch.from_numpy(one.pen)
            count[one.what], ended[one.what] = length, one.ended
        device = temperature.device
        return offset.to(device), pen.to(device), count.to(device), ended.to(device)

    def _in_lockstep(
        self, state: State, rows: Int[Tensor, " b"], temperature: Float[Tensor, " b"]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the same; all drawings take each step together."""
        rollout = self._rollout
        refresh(rollout.stepping, self.network)
        self._restart(state, rows, temperature)
        if self._recorded and self._replay is None:
            self._replay = self._record()
            self._restart(state, rows, temperature)
        for step in range(self.limit + 1):
            self._take() if self._replay is None else self._replay()
            if step % LOOK == LOOK - 1 and not bool(rollout.going.any()):
                break
        index = torch.arange(self.limit, device=rows.device)
        there = index < rollout.count.unsqueeze(1)
        offset = torch.where(there.unsqueeze(-1), rollout.offset[:, : self.limit], 0.0)
        pen = torch.where(there, rollout.pen[:, : self.limit], int(Pen.END))
        return offset, pen, rollout.count.clone(), rollout.ended.clone()

    def _restart(self, state: State, rows: Int[Tensor, " b"], temperature: Float[Tensor, " b"]) -> None:
        rollout = self._rollout
        rollout.state.put(torch.arange(len(rows), device=rows.device), state, rows)
        rollout.temperature.copy_(temperature)
        rollout.count.zero_()
        rollout.going.fill_(True)
        rollout.ended.fill_(False)

    def _take(self) -> None:
        """Take a step of all drawings."""
        rows, device = self._rollout.rows, self._rollout.going.device
        noise = torch.cat([torch.rand(rows, 1, 3, device=device), torch.randn(rows, 1, 2, device=device)], -1)
        self._rollout.take(noise, scored=False, reached=self._room)

    def _record(self) -> Callable[[], None]:
        """Return what takes a step as it is recorded here."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(stream):
            for _ in range(WARMING):
                self._take()
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(graph):
            self._take()
        return graph.replay


def _distinct(steps: Steps, cut: Int[Tensor, " b"]) -> tuple[Int[Tensor, " d"], Int[Tensor, " b"]]:
    """Return which drawings differ from all before them, and for each drawing which of these it is like."""
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
    """Return given and added points as one, as long as the longest drawing."""
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


def uncached(device: torch.device) -> torch.autocast:
    """Return autocast as it is, but for its cache: weights that were cast without gradients are not kept."""
    kind = device.type
    return torch.autocast(
        kind, torch.get_autocast_dtype(kind), enabled=torch.is_autocast_enabled(kind), cache_enabled=False
    )


def repeated(steps: Steps, count: int) -> Steps:
    """Return each drawing `count` times, one after the other."""
    return replace(steps, **{name: value.repeat_interleave(count, 0) for name, value in vars(steps).items()})
