"""The engine: from a job's sampling to something that draws its wishes, many side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer, check_sampling, load
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.sampler import first_number
from sketchgen.completion.symmetry import placed
from sketchgen.errors import SettingError
from sketchgen.jobs.request import Drawn, Engine, Sampling, Wish
from sketchgen.sketch.sketch import Completion, Sketch

SLOTS_STEP, MAX_SLOTS = 16, 4096
"""Slots come in such portions, so that no row of a product of matrices is a left-over; and their most."""


class SlotEngine:
    """Draws wishes with continuous batching.

    Attributes:
        model: what draws.
        sampling: how.
    """

    def __init__(self, model: Completer, sampling: Sampling) -> None:
        """Draw with `model`, whose guidance and closing are those that count.

        Raises:
            SettingError: a setting outside its limits.
        """
        from sketchgen.jobs.slot_network import PRECISIONS
        from sketchgen.jobs.slots import GuidedSlots, PlainSlots

        slots, precision = sampling.slots, sampling.precision
        check_sampling(1, sampling.temperature, 0, sampling.limit)
        if slots % SLOTS_STEP or not SLOTS_STEP <= slots <= MAX_SLOTS:
            raise SettingError(f"slots is {slots}; it must be a multiple of {SLOTS_STEP} up to {MAX_SLOTS}")
        if precision not in PRECISIONS:
            raise SettingError(f"no precision {precision!r}; there are {', '.join(PRECISIONS)}")
        self.model, self.sampling = model, sampling
        self._network: Any = (
            GuidedSlots(model.decoder, slots, precision, model.guidance)
            if model.guidance
            else PlainSlots(model.decoder, slots, precision)
        )
        # Of the beginning that was drawn from last: many wishes in a row share theirs.
        self._begun: tuple[Sketch | None, PartialSketch] = None, PartialSketch.of(Sketch())
        self._done: dict[int, float] = {}
        self._turn = 0

    def draw(self, wishes: Iterable[Wish]) -> Iterator[Drawn]:
        """Draw what is wished for; see `Engine.draw`.

        Raises:
            CategoryError: an unknown category; when its wish is taken.
        """
        from sketchgen.jobs.slots import draw

        how = self.sampling
        starts = (self._start(wish) for wish in wishes)
        for steps in draw(self._network, starts, how.temperature, how.limit):
            wish, begun, index, going_on, symmetry = steps.what
            sketch = begun.sketch
            added = begun.added(steps.offset, steps.pen, self.model.label(index, sketch), going_on=going_on)
            item: Sketch | Completion = added
            if wish.given is not None:
                item = Completion(wish.given, added, steps.ended, steps.log_prob)
            yield Drawn(wish, item, steps.ended, steps.log_prob, len(steps.pen), symmetry)

    def _start(self, wish: Wish) -> Any:
        """What the slots want to know of a wish."""
        from sketchgen.jobs.slots import Start

        if wish.given is not self._begun[0]:
            self._begun = wish.given, PartialSketch.of(wish.given or Sketch(), self.model.closing)
            self._done, self._turn = {}, self._turn + 1
        begun, index = self._begun[1], self.model.category_index(wish.category)
        if index not in self._done:
            self._done[index] = begun.done(self.model.decoder, index, self.sampling.temperature)
        way = placed(begun.mirrored, wish.index + 1).get(wish.index) if self.sampling.mirrored else None
        number = 0.5 if self.sampling.temperature == 0 else first_number(wish.seed, wish.index)
        going_on = way is None and number >= self._done[index]
        given = begun.prefix(np.array([index]), np.array([going_on]))
        # Beginnings are told apart by their turns: equal ones at other turns are read again.
        key = (self._turn if wish.given is not None else None), index, going_on
        what = wish, begun, index, going_on, 0.0 if way is None else way.symmetry
        return Start(key, given, wish.seed, wish.index, what, None if way is None else way.steps)


def open_engine(sampling: Sampling) -> Engine:
    """Load the model of a sampling, ready to draw.

    Raises:
        CheckpointError: there is none, or it is damaged.
        SettingError: a setting outside its limits.
    """
    model = load(sampling.checkpoint).closing_within(sampling.closing)
    return SlotEngine(model if sampling.guidance is None else model.guided(sampling.guidance), sampling)
