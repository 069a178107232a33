"""The engine of small jobs: the completer, which draws all alternatives of a beginning together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, runtime_checkable

from sketchgen.completion import completer
from sketchgen.jobs.request import Drawn, Engine, Sampling, Wish
from sketchgen.jobs.slot_engine import open_engine
from sketchgen.jobs.spec import Job
from sketchgen.ranking.ranker import Candidate
from sketchgen.sketch.sketch import Sketch

Opener = Callable[[Job], Engine]
"""What makes a job's engine, in the process that is to draw; it travels by its name."""


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

    How matrix products are rounded depends on how many rows they have: all alternatives of a beginning are
    drawn, each time, also where one of them is wanted.
    """

    def __init__(self, model: Proposes, sampling: Sampling, alternatives: int) -> None:
        """Draw so many alternatives of each beginning with `model`."""
        self._model, self._sampling, self._count = model, sampling, alternatives

    def draw(self, wishes: Iterable[Wish]) -> Iterator[Drawn]:
        """Draw what is wished for; see `Engine.draw`."""
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
    """The engine of a job, its model loaded.

    Raises:
        CheckpointError: there is no model, or it is damaged.
        SettingError: a setting outside its limits.
    """
    if job.engine == "batch":
        return open_engine(job.sampling)
    model = completer.load(job.sampling.checkpoint).closing_within(job.sampling.closing)
    if job.sampling.guidance is not None:
        model = model.guided(job.sampling.guidance)
    return Together(model, job.sampling, job.count * job.best_of)
