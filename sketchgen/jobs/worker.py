"""What a worker does with a drawing: its best candidate is chosen, recognised, checked and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sketchgen.formats.registry import encode
from sketchgen.jobs.request import Drawn, Engine, Wish
from sketchgen.jobs.serialized import Item, fingerprint, to_kept
from sketchgen.jobs.spec import Job, Task
from sketchgen.ranking.ranker import Candidate, Ranker, load_ranker
from sketchgen.sketch.sketch import Completion, Sketch

if TYPE_CHECKING:
    from sketchgen.models.recogniser import Recogniser


@dataclass(frozen=True)
class Place:
    """What a place wants of the workers.

    Attributes:
        whole: whether drawings are set aside instead of written one by one: all go into one file.
        cells: how many of the first drawings are set aside besides, for a sheet.
    """

    whole: bool = False
    cells: int = 0


@dataclass(frozen=True)
class Made:
    """A drawing as a worker hands it over.

    Attributes:
        number: its place in the job, from 0.
        index: of its random numbers; with several candidates, that of the one that was chosen.
        log_likelihood, ended, points: see `Drawn`.
        label, probability: the likeliest category by the recogniser, and its probability.
        dropped: why there is no file; None if there is one.
        hash: of the coordinates.
        code: its signature, where near-duplicates are dropped.
        data: what is written; None if it is dropped.
        cell: the drawing set aside for a sheet.
    """

    number: int
    index: int
    log_likelihood: float
    ended: bool
    points: int
    hash: str
    label: str | None = None
    probability: float | None = None
    dropped: str | None = None
    code: bytes | None = None
    data: bytes | None = None
    cell: bytes | None = None


class Maker:
    """Makes the drawings of a job with an engine."""

    def __init__(self, job: Job, place: Place, engine: Engine) -> None:
        """Load what ranks, recognises and checks the drawings, where that is asked for.

        Raises:
            SketchgenError: a network is missing or damaged.
        """
        self._job, self._place, self._engine = job, place, engine
        self._ranker: Ranker | None = load_ranker(job.rank) if job.best_of > 1 else None
        self._recogniser: Recogniser | None = None
        if job.recognised:
            from sketchgen.models.recogniser import load_recogniser

            self._recogniser = (self._ranker and self._ranker.recogniser) or load_recogniser()

    def make(self, tasks: Iterable[Task]) -> Iterator[Made]:
        """Make drawings; each is yielded as soon as it is finished, so that the order changes.

        Tasks are taken as soon as the engine has room for another candidate.
        """
        best_of = self._job.best_of
        taken: dict[int, Task] = {}
        candidates: dict[int, list[Drawn]] = {}

        def wishes() -> Iterator[Wish]:
            for task in tasks:
                taken[task.number] = task
                yield from self._job.wishes(task)

        for drawn in self._engine.draw(wishes()):
            number = drawn.wish.number // best_of
            found = candidates.setdefault(number, [])
            found.append(drawn)
            if len(found) == best_of:
                yield self._made(taken.pop(number), candidates.pop(number))

    def _made(self, task: Task, drawn: list[Drawn]) -> Made:
        """Choose, recognise, check and write a drawing. Nothing here depends on the other drawings."""
        chosen = self._best(task, sorted(drawn, key=lambda one: one.wish.index))
        item, job = chosen.item, self._job
        label, probability = self._recognised(item)
        kept = to_kept(item) if self._place.whole or task.number < self._place.cells else None
        return Made(
            number=task.number,
            index=chosen.wish.index,
            log_likelihood=chosen.log_likelihood,
            ended=chosen.ended,
            points=chosen.points,
            hash=fingerprint(item),
            label=label,
            probability=probability,
            code=self._code(item),
            data=kept if self._place.whole else encode(item, job.look),
            cell=None if self._place.whole else kept,
        )

    def _best(self, task: Task, drawn: list[Drawn]) -> Drawn:
        """Return the best of the candidates of a drawing."""
        if self._ranker is None:
            return drawn[0]
        return drawn[self._ranker.rank([_candidate(one) for one in drawn], task.category)[0]]

    def _recognised(self, item: Item) -> tuple[str | None, float | None]:
        """Return what a drawing shows and how probable that is, where the job asks for it."""
        whole = item.whole if isinstance(item, Completion) else item
        if self._recogniser is None or whole.is_empty:
            return None, None
        guess = self._recogniser.recognise(whole, 1)[0]
        return guess.category, round(guess.probability, 6)

    def _code(self, item: Item) -> bytes | None:
        if not self._job.unique:
            return None
        from sketchgen.jobs.near_duplicates import signature

        return signature(item)


def _candidate(drawn: Drawn) -> Candidate:
    """Return what the ranker sees of a drawing; one from nothing completes an empty sketch."""
    item = drawn.item
    if not isinstance(item, Completion):
        item = Completion(Sketch(), item, drawn.ended, drawn.log_likelihood)
    return Candidate(item, drawn.symmetry)
