"""An engine that scribbles: as quick as an engine can be, and each drawing depends on its request alone."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from sketchgen.errors import SettingError
from sketchgen.jobs.engine import DrawingResult
from sketchgen.jobs.spec import DrawingRequest, Job
from sketchgen.sketch.sketch import Completion, Sketch

MARK = "SKETCHGEN_TEST_MARK"
"""Names a file by which an engine that dies remembers that it did."""


class Scribbles:
    """Draws some random lines for each request; they are finished in a mixed order, the same each time."""

    def __init__(self, slots: int = 5, pause: float = 0.0) -> None:
        self.slots, self.pause = slots, pause
        # With an order that nobody can foresee, now and then an early drawing would be the last of a job,
        # and a test that interrupts it after some settled drawings would find nothing left to interrupt.
        self.order = random.Random(slots)

    def draw(self, requests: Iterable[DrawingRequest]) -> Iterator[DrawingResult]:
        requests, busy = iter(requests), list[DrawingRequest]()
        while True:
            while len(busy) < self.slots and (request := next(requests, None)) is not None:
                busy.append(request)
            if not busy:
                return
            if self.pause:
                time.sleep(self.pause)
            yield scribble(busy.pop(self.order.randrange(len(busy))))


def scribble(request: DrawingRequest) -> DrawingResult:
    """What comes of a request."""
    given = [] if request.given is None else [request.given.points.sum()]
    seed = [request.seed, request.index, *map(ord, request.category or ""), *(int(abs(v)) for v in given)]
    numbers = np.random.default_rng(seed)
    strokes = [numbers.uniform(0, 255, (int(numbers.integers(2, 9)), 2)) for _ in range(3)]
    added = Sketch.from_strokes(strokes, category=request.category)
    ended, likely = bool(numbers.random() < 0.9), float(-numbers.uniform(1, 9) * added.point_count)
    completion = Completion(request.given or Sketch(), added, ended, likely, request.category)
    return DrawingResult(request, completion, added.point_count)


def open_scribbles(job: Job) -> Scribbles:
    """The engine of a job."""
    return Scribbles()


def open_slow(job: Job) -> Scribbles:
    """One that takes its time."""
    return Scribbles(3, pause=0.02)


class Dying(Scribbles):
    """Kills its own process in the middle of a job: once, or each time."""

    def __init__(self, mark: Path | None) -> None:
        super().__init__()
        self.mark = mark

    def draw(self, requests: Iterable[DrawingRequest]) -> Iterator[DrawingResult]:
        for count, drawn in enumerate(super().draw(requests)):
            if count == 7 and (self.mark is None or not self.mark.exists()):
                if self.mark is not None:
                    self.mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield drawn


def open_dying_once(job: Job) -> Dying:
    """One whose process is killed once, as the file says that `MARK` names."""
    return Dying(Path(os.environ[MARK]))


def open_dying(job: Job) -> Dying:
    """One whose process is killed each time."""
    return Dying(None)


def open_failing(job: Job) -> Scribbles:
    """One that cannot be opened."""
    raise SettingError("no such engine")


class Broken(Scribbles):
    """Raises what nobody expected."""

    def draw(self, requests: Iterable[DrawingRequest]) -> Iterator[DrawingResult]:
        for count, drawn in enumerate(super().draw(requests)):
            if count == 3:
                raise OSError("something of the system's")
            yield drawn


def open_broken(job: Job) -> Broken:
    """One that breaks as it draws."""
    return Broken()
