"""Continuous batching: as soon as a drawing has ended its slot is given to the next one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.completion.guidance import CANDIDATES, Guided, GuidedStep
from sketchgen.completion.sampler import NOISE_STEPS, Distribution, Stepper, force, noise_blocks
from sketchgen.jobs.slot_network import SlotNetwork
from sketchgen.models.numpy_layers import END
from sketchgen.models.numpy_stroke_model import Decoder, Prefix

PRIMED = 256
"""Beginnings that are kept read, for drawings that go on from the same one."""


@runtime_checkable
class Slots(Protocol):
    """A network with slots, and what reads the beginnings of its drawings.

    Attributes:
        slots: number of drawings side by side.
        stepper: reads beginnings one at a time, so that each is read as if it were alone.
    """

    slots: int
    stepper: Stepper

    def put(self, slots: Int[np.ndarray, " c"], state: Any) -> None:
        """Put states of c drawings, as `stepper` returns them, into slots."""
        ...

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], going: Bool[np.ndarray, " b"]
    ) -> Distribution:
        """Take a step in each slot in which a drawing is `going`; the distributions of the next ones."""
        ...


class PlainSlots(SlotNetwork):
    """Slots of a network that draws as it has learned."""

    def __init__(self, decoder: Decoder, slots: int, precision: str) -> None:
        """Take a decoder's network; see `SlotNetwork`."""
        super().__init__(decoder, slots, precision)
        self.stepper: Stepper = decoder


class GuidedSlots:
    """Slots of a network under guidance: each drawing takes two of the network's."""

    def __init__(self, decoder: Decoder, slots: int, precision: str, strength: float) -> None:
        """Take a decoder's network; see `SlotNetwork` and `Guided`."""
        self.slots, self._strength = slots, strength
        self.stepper: Stepper = Guided(decoder, decoder.config.any_category, strength)
        self._network = SlotNetwork(decoder, 2 * slots, precision)

    def put(self, slots: Int[np.ndarray, " c"], state: Any) -> None:
        """Put states of c drawings, told and not told their categories, into slots."""
        self._network.put(np.concatenate([slots, slots + self.slots]), state.both)

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], going: Bool[np.ndarray, " b"]
    ) -> GuidedStep:
        """Take a step in each slot; see `Slots.advance`."""
        twice = np.tile(offset, (2, 1)), np.tile(pen, 2), np.tile(going, 2)
        return GuidedStep(self._network.advance(*twice), self._strength)


@dataclass(frozen=True)
class Start:
    """A drawing that is to be made.

    Attributes:
        key: names the beginning; those of the same key are the same.
        given: the beginning, for one category.
        seed, index: of its noise; see `sketchgen.completion.sampler.noise_of`.
        what: whatever the caller wants to know it by.
        forced: the steps that it takes, offset and pen of each point; None to sample them.
    """

    key: Any
    given: Prefix
    seed: int
    index: int
    what: Any = None
    forced: tuple[Float[np.ndarray, "n 2"], Int[np.ndarray, " n"]] | None = None


@dataclass(frozen=True)
class Steps:
    """The steps that were drawn.

    Attributes:
        what: whose they are.
        offset: px of the model's box.
        pen: after each point.
        ended: whether the model ended the drawing (False: it was stopped at the limit).
        log_prob: log-likelihood of the steps at temperature 1, nats.
    """

    what: Any
    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    ended: bool
    log_prob: float


def draw(network: Slots, starts: Iterable[Start], temperature: float, limit: int) -> Iterator[Steps]:
    """Draw each start to its end, or to `limit` points, at least one; whichever is finished comes first.

    Args:
        network: what draws.
        starts: taken one at a time, when there is a slot for another one.
        temperature: see `StepDistribution.samples`.
        limit: most points of a drawing.
    """
    return _Drawing(network, iter(starts), temperature, limit).run()


class _Drawing:
    """Drawings in their slots."""

    def __init__(self, network: Slots, starts: Iterator[Start], temperature: float, limit: int) -> None:
        count, candidates = network.slots, network.stepper.candidates
        self._network, self._starts, self._temperature, self._limit = network, starts, temperature, limit
        self._primed: OrderedDict[Any, tuple[Distribution, Any]] = OrderedDict()
        self._going = np.zeros(count, dtype=bool)
        self._length = np.zeros(count, dtype=np.int64)
        self._log_prob = np.zeros(count)
        self._offset = np.zeros((count, limit + 1, 2))
        self._pen = np.zeros((count, limit + 1), dtype=np.int64)
        self._what: list[Any] = [None] * count
        self._forced: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._blocks: list[Iterator[np.ndarray]] = [iter(())] * count
        self._noise = np.zeros(
            (count, NOISE_STEPS, 5) if candidates == 1 else (count, NOISE_STEPS, CANDIDATES, 6)
        )

    def run(self) -> Iterator[Steps]:
        """Draw until nothing is left to be drawn."""
        found = self._filled(None)
        while found is not None and self._going.any():
            offset, pen, ends = self._sampled(found)
            over = self._going & (ends | (self._length > self._limit))
            self._going &= ~over
            found = self._network.advance(offset, pen, self._going)
            for slot in np.flatnonzero(over).tolist():
                yield self._finished(slot, ended=bool(ends[slot]))
            if over.any():
                found = self._filled(found)

    def _sampled(
        self, found: Distribution
    ) -> tuple[Float[np.ndarray, "b 2"], Int[np.ndarray, " b"], Bool[np.ndarray, " b"]]:
        """Draw a step in each slot, and note it."""
        length, rows = self._length, np.arange(len(self._length))
        place = length % NOISE_STEPS
        for slot in np.flatnonzero((place == 0) & self._going):
            self._noise[slot] = next(self._blocks[slot])
        offset, pen = found.sample(self._noise[rows, place], self._temperature)
        offset, pen = force(self._forced, length, offset, pen)
        offset, pen = np.where(self._going[:, None], offset, 0.0), np.where(self._going, pen, 0)
        ends = pen == END
        # The step behind the limit draws no point: in it a drawing ends, or is only stopped.
        counted = self._going & (ends | (length < self._limit))
        self._log_prob += np.where(counted, found.log_prob(offset, pen), 0.0)
        self._offset[rows, length], self._pen[rows, length] = offset, pen
        self._length = length + self._going
        return offset, np.where(ends, 0, pen), ends

    def _finished(self, slot: int, *, ended: bool) -> Steps:
        """What was drawn in a slot; its last step was no point."""
        length, what = int(self._length[slot]) - 1, self._what[slot]
        offset, pen = self._offset[slot, :length].copy(), self._pen[slot, :length].copy()
        self._length[slot] = 0
        self._forced.pop(slot, None)
        return Steps(what, offset, pen, ended, float(self._log_prob[slot]))

    def _filled(self, found: Distribution | None) -> Distribution | None:
        """Give the free slots to the next drawings; the distributions with those of their first steps."""
        slots: list[Any] = []
        parts: list[Any] = []
        for slot, start in zip(np.flatnonzero(~self._going), self._starts, strict=False):
            first, state = self._read(start)
            self._network.put(np.array([slot]), state)
            self._what[slot], self._blocks[slot] = (
                start.what,
                noise_blocks(start.seed, start.index, self._network.stepper.candidates),
            )
            self._length[slot], self._log_prob[slot], self._going[slot] = 0, 0.0, True
            if start.forced is not None:
                self._forced[int(slot)] = start.forced
            slots.append(slot)
            parts.append(first)
        if not parts:
            return found
        if found is None:  # Slots for which there is nothing to draw need numbers, too.
            return type(parts[0]).join(parts + [parts[0]] * (self._network.slots - len(parts)))
        rows = np.arange(self._network.slots)
        rows[slots] = len(rows) + np.arange(len(slots))
        return type(parts[0]).join([found, *parts]).take(rows)

    def _read(self, start: Start) -> tuple[Distribution, Any]:
        """The distribution of a drawing's first step, which is not its end, and the state before it."""
        if start.key in self._primed:
            self._primed.move_to_end(start.key)
            return self._primed[start.key]
        found, state = self._network.stepper.prime(start.given)
        self._primed[start.key] = found.without_end(), state
        if len(self._primed) > PRIMED:
            self._primed.popitem(last=False)
        return self._primed[start.key]
