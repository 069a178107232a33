"""The engines of jobs: the completer for small jobs, and rollouts in torch for large ones.

Both compute in float32. `sketchgen.jobs.spec.engine_for` chooses one, and the manifest records it, because
the two round differently.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice, repeat
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from sketchgen.completion.completer import Completer, load
from sketchgen.completion.guessing import Guesses, is_auto
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.sampler import first_number
from sketchgen.completion.symmetry import placed
from sketchgen.jobs.spec import DrawingRequest, Item, Job, Sampling
from sketchgen.limits import check_sampling
from sketchgen.sketch.sketch import Completion, Sketch

if TYPE_CHECKING:
    from sketchgen.completion.rollout import Start
    from sketchgen.models.stroke_model import State

ROWS = 128
"""Drawings in a batch, equal to `sketchgen.completion.rollout.ROWS`, which cannot be read without torch."""

MAX_PREFIXES = 64
"""Encoded prefixes of a partial sketch that are cached."""


@dataclass(frozen=True)
class DrawingResult:
    """The drawing made for a request.

    Attributes:
        completion: the drawing; a drawing from nothing completes an empty sketch.
        symmetry, belief: see `sketchgen.ranking.ranker.Candidate`.
    """

    request: DrawingRequest
    completion: Completion
    points: int
    symmetry: float = 0.0
    belief: Float[np.ndarray, " c"] | None = None

    @property
    def item(self) -> Item:
        """A completion if a partial sketch was given, else a sketch."""
        return self.completion.added if self.request.given is None else self.completion


@runtime_checkable
class Engine(Protocol):
    """A producer of drawings.

    A drawing depends only on the sampling settings and its own request, bit for bit on the same kind of
    processor, and not on the drawings beside it.
    """

    def draw(self, requests: Iterable[DrawingRequest]) -> Iterator[DrawingResult]:
        """Yield each drawing as soon as it is finished; requests are read when there is room for one."""
        ...


EngineFactory = Callable[[Job], Engine]
"""Opens the engine of a job in the worker's process; must be importable by name."""


class BatchEngine:
    """An engine that draws many drawings at once in torch; see `sketchgen.completion.rollout`."""

    def __init__(self, model: Completer, sampling: Sampling) -> None:
        from sketchgen.completion.rollout import Rollout

        check_sampling(1, sampling.temperature, 0, sampling.limit)
        self.model, self.sampling = model, sampling
        self._rollout = Rollout(model.network(), sampling.limit, ROWS, guidance=model.guidance)
        # Consecutive requests share their partial sketch: the last one is cached with what belongs to it.
        self._given: tuple[Sketch | None, PartialSketch] = None, PartialSketch.of(Sketch())
        self._guesses: Guesses | None = None
        self._categories: Iterator[str | None] = repeat(None)
        self._names: list[str | None] = []
        self._done: dict[int, float] = {}
        self._states: OrderedDict[tuple[int, bool], State] = OrderedDict()

    def draw(self, requests: Iterable[DrawingRequest]) -> Iterator[DrawingResult]:
        """Draw all requests; see `Engine.draw`."""
        starts = (self._start(request) for request in requests)
        for steps in self._rollout.draw(starts):
            request, partial, name, belief, going_on, symmetry = steps.what
            label = name or partial.sketch.category
            added = partial.added(steps.offset, steps.pen, label, going_on=going_on)
            given = request.given or Sketch()
            completion = Completion(given, added, steps.ended, steps.log_prob, name)
            yield DrawingResult(request, completion, len(steps.pen), symmetry, belief)

    def _start(self, request: DrawingRequest) -> Start:
        """Return the start of a request's rollout."""
        from sketchgen.completion.rollout import Start

        if request.given is not self._given[0]:
            given, epsilon = request.given or Sketch(), self.model.config.epsilon
            self._given = request.given, PartialSketch.of(given, self.model.closing, epsilon)
            self._guesses, self._names = None, []
            self._done.clear()
            self._states.clear()
        partial, temperature = self._given[1], self.sampling.temperature
        image = (
            placed(partial.mirrored, request.index + 1).get(request.index) if self.sampling.mirrored else None
        )
        name = self._category(request, 0 if image and not image.goes_on else request.index)
        category = self.model.category_index(name)
        first = self.model.category_index(self._category(request, 0))
        if first not in self._done:
            self._done[first] = partial.done(self.model.decoder, first, temperature)
        number = 0.5 if temperature == 0 else first_number(request.seed, request.index)
        going_on = image is None and number >= self._done[first]
        belief = self._guesses.belief if self._guesses else None
        return Start(
            (request, partial, name, belief, going_on, 0.0 if image is None else image.symmetry),
            self._prefix(partial, category, going_on),
            (0, 1) if self.model.guidance else (0,),
            request.seed,
            request.index,
            temperature,
            None if image is None else image.steps,
            partial.edges,
        )

    def _category(self, request: DrawingRequest, number: int) -> str | None:
        """Return the category of a candidate, which may be guessed from the partial sketch."""
        if not is_auto(request.category):
            return request.category
        if not self._names:
            self._guesses = self.model.guesses(self._given[1].sketch)
            self._categories = self._guesses.categories(request.seed) if self._guesses else repeat(None)
        self._names += islice(self._categories, max(0, number + 1 - len(self._names)))
        return self._names[number]

    def _prefix(self, partial: PartialSketch, category: int, going_on: bool) -> State:
        """Return the state after the partial sketch, encoded alone so that it depends on nothing else."""
        from sketchgen.completion.rollout import primed

        key = category, going_on
        if key not in self._states:
            given = partial.prefix(np.array([category]), np.array([going_on]))
            guided = self.model.guidance > 0
            self._states[key] = primed(self._rollout.network, [given], guided=guided)
            if len(self._states) > MAX_PREFIXES:
                self._states.popitem(last=False)
        self._states.move_to_end(key)
        return self._states[key]


class CompleterEngine:
    """An engine that draws what `Completer.candidates` draws, bit for bit."""

    def __init__(self, model: Completer, sampling: Sampling, alternatives: int) -> None:
        self._model, self._sampling, self._count = model, sampling, alternatives

    def draw(self, requests: Iterable[DrawingRequest]) -> Iterator[DrawingResult]:
        """Draw all requests; see `Engine.draw`."""
        for _, some in groupby(requests, key=lambda request: request.number // self._count):
            group = list(some)
            found = self._model.candidates(
                group[0].given or Sketch(),
                group[0].category,
                1 + max(request.index for request in group),
                self._sampling.temperature,
                group[0].seed,
                symmetry=self._sampling.mirrored,
            )
            for request in group:
                made = found[request.index]
                points = made.completion.added.point_count
                yield DrawingResult(request, made.completion, points, made.symmetry, made.belief)


def open_engine(job: Job) -> Engine:
    """Load the model of a job and return its engine."""
    sampling = job.sampling
    model = load(sampling.checkpoint).closing_within(sampling.closing)
    if sampling.guidance is not None:
        model = model.guided(sampling.guidance)
    if job.engine == "batch":
        return BatchEngine(model, sampling)
    return CompleterEngine(model, sampling, job.count * job.best_of)
