"""The engines of jobs: the completer for few drawings, and rollouts in torch for many.

Both are an `Engine`, and both compute in float32, so that a job is the same job on every machine. Which one
draws a job is decided by `sketchgen.jobs.spec.engine_for` and recorded in the manifest, for the two round
differently.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from sketchgen.completion.completer import Completer, check_sampling, load
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.sampler import first_number
from sketchgen.completion.symmetry import placed
from sketchgen.jobs.request import Drawn, Engine, Sampling, Wish
from sketchgen.jobs.spec import Job
from sketchgen.ranking.ranker import Candidate
from sketchgen.sketch.sketch import Completion, Sketch

if TYPE_CHECKING:
    from sketchgen.completion.rollout import Start
    from sketchgen.models.stroke_model import State

Opener = Callable[[Job], Engine]
"""What makes a job's engine, in the process that is to draw; it travels by its name."""

ROWS = 128
"""Drawings at a time, as `sketchgen.completion.rollout.ROWS`, which needs torch to be read."""

PRIMED = 64
"""Given parts whose states are kept, for drawings that go on from the same one."""


class ManyEngine:
    """Draws with continuous batching in torch; see `sketchgen.completion.rollout`.

    Attributes:
        model: what draws.
        sampling: how.
    """

    def __init__(self, model: Completer, sampling: Sampling) -> None:
        """Draw with `model`, whose guidance and gap closing are those that count.

        Raises:
            SettingError: a setting outside its limits.
        """
        from sketchgen.completion.rollout import Rollout

        check_sampling(1, sampling.temperature, 0, sampling.limit)
        self.model, self.sampling = model, sampling
        self._rollout = Rollout(model.network(), sampling.limit, ROWS, guidance=model.guidance)
        # Of the given part that was last drawn from: many requests in a row share theirs.
        self._given: tuple[Sketch | None, PartialSketch] = None, PartialSketch.of(Sketch())
        self._done: dict[int, float] = {}
        self._states: OrderedDict[tuple[int, bool], State] = OrderedDict()

    def draw(self, wishes: Iterable[Wish]) -> Iterator[Drawn]:
        """Draw what is requested; see `Engine.draw`.

        Raises:
            CategoryError: an unknown category; when its request is taken.
        """
        starts = (self._start(wish) for wish in wishes)
        for steps in self._rollout.draw(starts):
            wish, partial, index, going_on, symmetry = steps.what
            label = self.model.label(index, partial.sketch)
            added = partial.added(steps.offset, steps.pen, label, going_on=going_on)
            item: Sketch | Completion = added
            if wish.given is not None:
                item = Completion(wish.given, added, steps.ended, steps.log_prob)
            yield Drawn(wish, item, steps.ended, steps.log_prob, len(steps.pen), symmetry)

    def _start(self, wish: Wish) -> Start:
        """Return what the rollout needs to know of a request."""
        from sketchgen.completion.rollout import Start

        if wish.given is not self._given[0]:
            self._given = wish.given, PartialSketch.of(wish.given or Sketch(), self.model.closing)
            self._done.clear()
            self._states.clear()
        partial, index = self._given[1], self.model.category_index(wish.category)
        if index not in self._done:
            self._done[index] = partial.done(self.model.decoder, index, self.sampling.temperature)
        image = placed(partial.mirrored, wish.index + 1).get(wish.index) if self.sampling.mirrored else None
        number = 0.5 if self.sampling.temperature == 0 else first_number(wish.seed, wish.index)
        going_on = image is None and number >= self._done[index]
        what = wish, partial, index, going_on, 0.0 if image is None else image.symmetry
        forced = None if image is None else image.steps
        rows = (0, 1) if self.model.guidance else (0,)
        return Start(
            what,
            self._primed(partial, index, going_on),
            rows,
            wish.seed,
            wish.index,
            self.sampling.temperature,
            forced,
        )

    def _primed(self, partial: PartialSketch, category: int, going_on: bool) -> State:
        """Return the state behind the given part, read alone so that it does not depend on others."""
        from sketchgen.completion.rollout import primed

        key = category, going_on
        if key not in self._states:
            given = partial.prefix(np.array([category]), np.array([going_on]))
            guided = self.model.guidance > 0
            self._states[key] = primed(self._rollout.network, [given], guided=guided)
            if len(self._states) > PRIMED:
                self._states.popitem(last=False)
        self._states.move_to_end(key)
        return self._states[key]


@runtime_checkable
class Proposes(Protocol):
    """What draws the candidates for a drawing, as `Completer` does."""

    def candidates(
        self,
        sketch: Sketch,
        category: str | None,
        count: int,
        temperature: float,
        seed: int,
        *,
        symmetry: bool = True,
    ) -> list[Candidate]:
        """See `Completer.candidates`."""
        ...


class Together:
    """Draws as `Completer.candidates` does for one caller, bit for bit, whichever of the drawings are wanted.

    How matrix products are rounded depends on how many rows they have: all alternatives of a given part are
    drawn, each time, also where one of them is wanted.
    """

    def __init__(self, model: Proposes, sampling: Sampling, alternatives: int) -> None:
        """Draw so many alternatives of each given part with `model`."""
        self._model, self._sampling, self._count = model, sampling, alternatives

    def draw(self, wishes: Iterable[Wish]) -> Iterator[Drawn]:
        """Draw what is requested; see `Engine.draw`."""
        for _, group in itertools.groupby(wishes, key=lambda wish: wish.number // self._count):
            found = None
            for wish in group:
                if found is None:
                    how, blank = self._sampling, wish.given or Sketch()
                    settings = self._count, how.temperature, wish.seed
                    found = self._model.candidates(blank, wish.category, *settings, symmetry=how.mirrored)
                item, symmetry = found[wish.index].completion, found[wish.index].symmetry
                shown = item.added if wish.given is None else item
                yield Drawn(wish, shown, item.ended, item.log_likelihood, item.added.point_count, symmetry)


def open_for(job: Job) -> Engine:
    """Return the engine of a job, its model loaded.

    Raises:
        CheckpointError: there is no model, or it is damaged.
        SettingError: a setting outside its limits.
    """
    how = job.sampling
    model = load(how.checkpoint).closing_within(how.closing)
    if how.guidance is not None:
        model = model.guided(how.guidance)
    if job.engine == "batch":
        return ManyEngine(model, how)
    return Together(model, how, job.count * job.best_of)
