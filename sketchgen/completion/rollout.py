"""Many drawings at once in torch, with continuous batching: a row whose drawing has ended takes the next one.

`sketchgen.completion.sampler` draws the same for a few drawings in numpy. There the last bits of a
drawing depend on how many are drawn together, for a product of matrices is split up by its shape. Here shapes
never change: a drawing is the same bit for bit, whatever stands in the other rows and in whichever row it
stands, so that it can be drawn again alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from sketchgen.completion.guidance import CANDIDATES, MAX_PREFERENCE
from sketchgen.completion.sampler import NO_EDGES, NOISE_STEPS, Edges, noise_blocks
from sketchgen.errors import SettingError
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.stroke_model import State, Steps, StrokeModel, in_precision, refresh
from sketchgen.sketch.strokes import Pen

ROWS = 128
"""Drawings at a time. A multiple of 32, so that no row of a product of matrices is a left-over."""

READ = 256
"""Given parts that are read at once."""

FIRST_ROOM = 128
"""Steps that the caches hold at first; they grow."""

Forced = tuple[Float[np.ndarray, "n 2"], Int[np.ndarray, " n"]]
"""Offset and pen of the first steps of a drawing, which are not sampled."""


@dataclass(frozen=True)
class Start:
    """A drawing to be drawn.

    Attributes:
        what: whatever the caller knows it by.
        state: as `StrokeModel.prime` returns it.
        rows: its row there; under guidance the row of the same in any category besides.
        seed, index: of its noise; see `sketchgen.completion.sampler.noise_blocks`.
        temperature: 0 or more; see `StepDistribution.samples`. Under guidance 0 for all or for none.
        forced: the first steps that it takes; None to sample all.
        edges: what sampled points stay in; see `sketchgen.completion.sampler.steps`.
    """

    what: Any
    state: State
    rows: tuple[int, ...]
    seed: int
    index: int
    temperature: float
    forced: Forced | None = None
    edges: Edges | None = None


@dataclass(frozen=True)
class Sampled:
    """The steps of a drawing.

    Attributes:
        what: of its start.
        offset: px of the network's frame.
        pen: after each point.
        ended: whether the model ended the drawing (False: it was stopped at the limit).
        log_prob: log-likelihood of the steps at temperature 1 without guidance, nats.
    """

    what: Any
    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    ended: bool
    log_prob: float


class Rollout:
    """A network that draws so many drawings at a time."""

    def __init__(
        self,
        network: StrokeModel,
        limit: int,
        rows: int,
        *,
        guidance: float = 0.0,
        precision: torch.dtype = torch.float32,
        room: int = FIRST_ROOM,
        length_penalty: bool = True,
    ) -> None:
        """Make room for the drawings.

        Args:
            network: what draws, on its device; its weights may change between two calls of `draw`.
            limit: most points that are added to a drawing; at least one is.
            rows: drawings at a time; a multiple of 32 for drawings that do not depend on their row.
            guidance: strength, 0 for none; see `sketchgen.completion.guidance`.
            precision: in which products of matrices are computed.
            room: steps that the network's caches hold at first.
            length_penalty: whether drawings of many points are led to an end.
        """
        self.network, self.limit, self.rows, self.guidance = network, limit, rows, guidance
        self._length_penalty = length_penalty
        self.stepping = in_precision(network, precision)
        device = network.head.weight.device
        self.state = network.begin(rows * (2 if guidance else 1), room)
        self.temperature = torch.ones(rows, device=device)
        self.offset = torch.zeros(rows, limit + 1, 2, device=device)
        self.pen = torch.zeros(rows, limit + 1, dtype=torch.int64, device=device)
        self.count = torch.zeros(rows, dtype=torch.int64, device=device)
        self.log_prob = torch.zeros(rows, device=device)
        self.going, self.ended = (torch.zeros(rows, dtype=torch.bool, device=device) for _ in range(2))
        self.at = torch.zeros(rows, 2, device=device)
        self.low, self.high = (torch.full_like(self.at, sign * torch.inf) for sign in (-1, 1))
        self._index = torch.arange(rows, device=device)
        self._greedy = False
        self._forced: dict[int, Forced] = {}

    @torch.no_grad()
    def draw(self, starts: Iterable[Start], *, scored: bool = True) -> Iterator[Sampled]:
        """Draw each start to its end, or to the limit; whichever is finished comes first.

        Args:
            starts: taken one at a time, when there is a row for another one.
            scored: whether the likelihood of the drawings is found, too.
        """
        refresh(self.stepping, self.network)
        self.going.fill_(False)
        self._forced.clear()
        whole = dict(vars(self))
        try:
            yield from self._draw(iter(starts), scored=scored)
        finally:
            vars(self).update(whole)

    def _draw(self, waiting: Iterator[Start], *, scored: bool) -> Iterator[Sampled]:
        what: list[Any] = [None] * self.rows
        blocks: list[Iterator[np.ndarray]] = [iter(())] * self.rows
        candidates = CANDIDATES if self.guidance else 1
        noise = np.zeros((self.rows, NOISE_STEPS, candidates, 6 if self.guidance else 5))
        free: Sequence[int] = range(self.rows)
        while True:
            starts = list(zip(free, waiting, strict=False))
            self._put(starts)
            for row, start in starts:
                what[row], blocks[row] = start.what, noise_blocks(start.seed, start.index, candidates)
            going = self.going.cpu().numpy().copy()
            if not going.any():
                return
            needed = 32 * -(-int(going.sum()) // 32)
            if len(starts) < len(free) and needed <= self.rows // 2 and not self._forced:
                rows = np.sort(np.argsort(~going, kind="stable")[:needed])
                self._leave_out(torch.from_numpy(rows))
                noise, going = noise[rows], going[rows]
                what, blocks = [what[row] for row in rows], [blocks[row] for row in rows]
            place = self.count.cpu().numpy() % NOISE_STEPS
            for row in np.flatnonzero((place == 0) & going):
                noise[row] = next(blocks[row]).reshape(noise.shape[1:])
            numbers = torch.from_numpy(noise[np.arange(self.rows), place]).float()
            self.take(numbers.to(self.going.device), scored=scored)
            free = np.flatnonzero(going & ~self.going.cpu().numpy()).tolist()
            for row in free:
                self._forced.pop(row, None)
                yield self._finished(row, what[row])

    def _put(self, starts: Sequence[tuple[int, Start]]) -> None:
        """Give rows to drawings."""
        for _, some in itertools.groupby(starts, lambda each: id(each[1].state)):
            rows, several = zip(*some, strict=True)
            both = zip(*(each.rows for each in several), strict=True)
            mine = [row + half for half in (0, self.rows)[: len(several[0].rows)] for row in rows]
            theirs = [row for part in both for row in part]
            self.state.put(torch.tensor(mine), several[0].state, torch.tensor(theirs))
            index = list(rows)
            self.temperature[index] = self.temperature.new_tensor([each.temperature for each in several])
            self._greedy = several[-1].temperature == 0
            self.count[index], self.log_prob[index] = 0, 0.0
            self.going[index], self.ended[index] = True, False
            self.at[index] = 0.0
            edges = [each.edges or NO_EDGES for each in several]
            self.low[index], self.high[index] = (
                self.low.new_tensor(np.stack(corners)) for corners in zip(*edges, strict=True)
            )
            self._forced |= {row: each.forced for row, each in zip(rows, several, strict=True) if each.forced}

    def _leave_out(self, rows: Int[Tensor, " r"]) -> None:
        """Go on with these rows only: no drawing waits for the others."""
        both = torch.cat([rows, self.rows + rows]) if self.guidance else rows
        state = self.network.begin(len(both), self.state.room or 0)
        state.put(torch.arange(len(both)), self.state, both)
        self.state, self.rows, self._index = state, len(rows), self._index[: len(rows)]
        for name in (
            "temperature",
            "offset",
            "pen",
            "count",
            "log_prob",
            "going",
            "ended",
            "at",
            "low",
            "high",
        ):
            setattr(self, name, getattr(self, name)[rows])

    def _finished(self, row: int, what: Any) -> Sampled:
        length = int(self.count[row])
        offset, pen = (part[row, :length].cpu().numpy().copy() for part in (self.offset, self.pen))
        return Sampled(what, offset.astype(np.float64), pen, bool(self.ended[row]), float(self.log_prob[row]))

    def take(self, noise: Float[Tensor, "b w n"], *, scored: bool = True, reached: int | None = None) -> None:
        """Take a step of each drawing, in place.

        Args:
            noise: for each of w candidates of a step what `StepDistribution.samples` takes, and under
                guidance a uniform number more.
            scored: whether the likelihood of the steps is found, too.
            reached: see `StrokeModel.step`.
        """
        found = self.stepping.step(self.state, reached).without_end(self._twice(self.count == 0))
        conditional, unconditional = found, None
        if self.guidance:
            half = self.rows
            conditional, unconditional = (
                StepDistribution(**{name: value[part] for name, value in vars(found).items()})
                for part in (slice(half), slice(half, None))
            )
        low, high = self.low - self.at, self.high - self.at
        offset, pen, score = self._candidates(conditional.within(low, high), noise)
        offset = offset.clamp(low.unsqueeze(1), high.unsqueeze(1))
        if self._forced:
            self._force(offset, pen)
        nats = conditional.log_probs(offset, pen) if scored else score
        best = torch.zeros_like(self.count)
        if unconditional is not None:
            preference = self.guidance * (nats - unconditional.log_probs(offset, pen))
            best = (score + preference.clamp(-MAX_PREFERENCE, MAX_PREFERENCE)).argmax(1)
        self._note(offset[self._index, best], pen[self._index, best], nats[self._index, best])

    def _note(self, offset: Float[Tensor, "b 2"], pen: Int[Tensor, " b"], nats: Float[Tensor, " b"]) -> None:
        """Note the step that each drawing takes, and move its pen."""
        ends, within = self.going & (pen == Pen.END), self.count < self.limit
        self.log_prob += torch.where(self.going & (ends | within), nats, 0.0)
        self.ended |= ends
        self.going &= ~ends & within
        # What has ended stays where it is.
        offset = torch.where(self.going.unsqueeze(1), offset, 0.0)
        self.at += offset
        self.offset[self._index, self.count] = offset
        self.pen[self._index, self.count] = pen
        self.count += self.going
        self.state.advance(self._twice(offset), self._twice(pen), self._twice(self.going))

    def _twice(self, values: Tensor) -> Tensor:
        """Return the values for the network's rows: under guidance there are two for each drawing."""
        return torch.cat([values, values]) if self.guidance else values

    def _candidates(
        self, found: StepDistribution, noise: Float[Tensor, "b w n"]
    ) -> tuple[Float[Tensor, "b v 2"], Int[Tensor, "b v"], Float[Tensor, "b v"]]:
        """Return offsets and pens to choose from under guidance, with a score of each; else a sample.

        See `sketchgen.completion.guidance.GuidedStep.sample`.
        """
        if self._length_penalty:
            found = found.with_length_penalty(self.state.length[: self.rows], self.temperature)
        if not (self.guidance and self._greedy):
            offset, pen = found.samples(noise[..., :5], self.temperature)
            if not self.guidance:
                return offset, pen, noise[..., 0]
            # Gumbel noise: the largest sum is one drawn by the exponentials of the scores.
            uniform = noise[..., -1].clamp(1e-7, 1.0 - 1e-7)
            return offset, pen, -torch.log(-torch.log(uniform))
        weight, chosen = found.log_weight.topk(min(noise.shape[1], found.log_weight.shape[1]))
        lifted = noise[:, :1, 2] < found.lift.gather(1, chosen).sigmoid()
        pen = torch.where(lifted, int(Pen.LIFT), int(Pen.DRAW))
        pen = pen.masked_fill(noise[:, :1, 0] < found.end.sigmoid().unsqueeze(1), int(Pen.END))
        return found.mean.gather(1, chosen.unsqueeze(-1).expand(*chosen.shape, 2)), pen, weight

    def _force(self, offset: Float[Tensor, "b w 2"], pen: Int[Tensor, "b w"]) -> None:
        """Replace the candidates of drawings whose next step is forced."""
        for row, (offsets, pens) in self._forced.items():
            number = int(self.count[row])
            if number < len(pens):
                offset[row], pen[row] = torch.from_numpy(offsets[number]).to(offset), int(pens[number])


def steps_of(given: Sequence[Prefix], device: torch.device | None = None) -> tuple[Steps, Int[Tensor, " b"]]:
    """Return given parts, each for one drawing, as padded tensors, and how many points each has."""
    cut = np.array([len(each.pen) for each in given])
    offset = np.zeros((len(given), cut.max(), 2), dtype=np.float32)
    pen = np.full(offset.shape[:2], int(Pen.DRAW))
    for row, each in enumerate(given):
        offset[row, : cut[row]], pen[row, : cut[row]] = each.offset, each.pen
        if cut[row] and each.going_on is not None and each.going_on[0]:
            pen[row, cut[row] - 1] = Pen.DRAW
    category = np.array([each.category[0] for each in given])
    known = np.array([each.known for each in given], dtype=np.float32)
    parts = [torch.from_numpy(part).to(device) for part in (offset, pen, category, known)]
    return Steps(*parts), torch.from_numpy(cut).to(device)


def primed(network: StrokeModel, given: Sequence[Prefix], *, guided: bool) -> State:
    """Return the states behind given parts; with guidance those in any category follow."""
    steps, cut = steps_of(given, network.head.weight.device)
    if guided:
        free = torch.full_like(steps.category, network.config.any_category)
        parts = {name: torch.cat([value, value]) for name, value in vars(steps).items()}
        steps, cut = Steps(**parts | {"category": torch.cat([steps.category, free])}), torch.cat([cut, cut])
    return network.prime(steps, cut)


@dataclass(frozen=True)
class Request:
    """A drawing to be finished.

    Attributes:
        given: number of the given part that it goes on from.
        seed, index: of its noise.
    """

    given: int
    seed: int
    index: int = 0


def draw_all(
    network: StrokeModel,
    given: Sequence[Prefix],
    requests: Sequence[Request],
    temperature: float,
    limit: int,
    guidance: float = 0.0,
    progress: Callable[[int], None] | None = None,
) -> list[Sampled]:
    """Return a drawing for each request; it is the one that `Completer.complete` draws for that seed.

    Args:
        network: what draws.
        given: given parts, each for one drawing.
        requests: for each, several or none.
        temperature: 0 or more.
        limit: most points that are added; at least one is.
        guidance: strength, 0 for none.
        progress: called with the number of drawings finished since the last call.

    Raises:
        SettingError: a limit below 1.
    """
    if limit < 1:
        raise SettingError(f"limit must be 1 or more points, not {limit}")
    wanted: list[list[int]] = [[] for _ in given]
    for number, request in enumerate(requests):
        wanted[request.given].append(number)

    def starts() -> Iterator[Start]:
        for first in range(0, len(given), READ):
            some = given[first : first + READ]
            state = primed(network, some, guided=guidance > 0)
            for row, numbers in enumerate(wanted[first : first + READ]):
                rows = (row, row + len(some)) if guidance else (row,)
                for number in numbers:
                    seed, index = requests[number].seed, requests[number].index
                    yield Start(number, state, rows, seed, index, temperature)

    # As many rows as there is use for, in steps of 32.
    rollout = Rollout(network, limit, min(ROWS, 32 * -(-len(requests) // 32) or 32), guidance=guidance)
    found: dict[int, Sampled] = {}
    for sampled in rollout.draw(starts()):
        found[sampled.what] = sampled
        if progress is not None:
            progress(1)
    return [found[number] for number in range(len(requests))]
