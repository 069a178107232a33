"""Who draws: what every kind of worker has in common, and this process as the only one."""

from __future__ import annotations

from collections.abc import Generator
from typing import Protocol, runtime_checkable

from sketchgen.jobs.assignment import Handout
from sketchgen.jobs.engine import ROWS, Opener, open_for
from sketchgen.jobs.spec import Job
from sketchgen.jobs.worker import Made, Maker, Place

AHEAD = 8
"""How many drawings each of a worker's rows may get ahead of the slowest: the longest take so many times as
long as most."""


@runtime_checkable
class Pool(Protocol):
    """Workers that make the drawings of a job. What they make does not depend on how many they are."""

    def ahead(self, job: Job) -> int:
        """How many drawings may be under way or waiting for an earlier one."""
        ...

    def run(self, job: Job, place: Place, handout: Handout) -> Generator[Made]:
        """Make everything that is handed out, in any order; each drawing comes once.

        Raises:
            SketchgenError: it cannot be done.
        """
        ...


def window(job: Job, workers: int) -> int:
    """How far so many workers may get ahead of the slowest, in drawings."""
    return workers * AHEAD * (1 + ROWS // job.best_of)


class InProcess:
    """Draws in this process."""

    def __init__(self, opener: Opener = open_for) -> None:
        """Draw with the engine that `opener` makes."""
        self._opener = opener

    def ahead(self, job: Job) -> int:
        """See `Pool.ahead`."""
        return window(job, 1)

    def run(self, job: Job, place: Place, handout: Handout) -> Generator[Made]:
        """See `Pool.run`."""
        maker = Maker(job, place, self._opener(job))
        made = True
        while made:
            made = False
            for one in maker.make(handout.now()):
                made = True
                yield one
