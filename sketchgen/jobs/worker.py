"""What a worker does with a drawing: the best of its candidates is chosen, judged and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sketchgen.formats.registry import encode
from sketchgen.jobs.request import Drawn, Engine, Wish
from sketchgen.jobs.serialized import Item, fingerprint, to_kept
from sketchgen.jobs.spec import Job, Task
from sketchgen.ranking.ranker import SURE, best_of
from sketchgen.sketch.sketch import Completion

if TYPE_CHECKING:
    from sketchgen.jobs.training_copies import Originals
    from sketchgen.models.recogniser import Recogniser
    from sketchgen.ranking.ranker import Ranker

COPY = "copy of a training drawing"
"""Why a drawing was dropped: it lies nearer to a training drawing than real drawings do."""


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
        label, probability: the category that the recogniser names, and how sure it is.
        copied: distance to the nearest training drawing, px, where that was asked for.
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
    copied: float | None = None
    dropped: str | None = None
    code: bytes | None = None
    data: bytes | None = None
    cell: bytes | None = None


class Named(NamedTuple):
    """What the recogniser says of a drawing: the likeliest category, and the log of the asked one's odds."""

    label: str | None = None
    probability: float | None = None
    asked: float | None = None


class Maker:
    """Makes the drawings of a job with an engine."""

    def __init__(self, job: Job, place: Place, engine: Engine) -> None:
        """Load what judges the drawings, where that is asked for.

        Raises:
            SketchgenError: the recogniser or the store is not there, or damaged.
        """
        self._job, self._place, self._engine = job, place, engine
        self._recogniser: Recogniser | None = None
        self._chooser: Ranker | None = None
        self._originals: Originals | None = None
        if job.recognised:
            from sketchgen.models.recogniser import load_recogniser

            self._recogniser = load_recogniser()
        if self._recogniser is not None and job.judged:
            from sketchgen.models.reward_model import load_reward_model
            from sketchgen.ranking.ranker import Ranker

            self._chooser = Ranker(self._recogniser, load_reward_model())
        if job.avoid is not None:
            from sketchgen.jobs.training_copies import Originals

            self._originals = Originals.open(job.avoid.store)

    def make(self, tasks: Iterable[Task]) -> Iterator[Made]:
        """Make drawings; each comes as soon as it is finished, so that the order changes.

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
        """Choose, judge and write a drawing. Nothing here depends on what other drawings there are."""
        drawn = sorted(drawn, key=lambda one: one.wish.index)
        named = self._named(task, drawn)
        best = self._best(task, drawn, named)
        chosen, name = drawn[best], named[best]
        item, job = chosen.item, self._job
        copied = None if self._originals is None else self._originals.distance(item)
        near = job.avoid is not None and copied is not None and copied < job.avoid.threshold
        kept = to_kept(item) if self._place.whole or task.number < self._place.cells else None
        return Made(
            number=task.number,
            index=chosen.wish.index,
            log_likelihood=chosen.log_likelihood,
            ended=chosen.ended,
            points=chosen.points,
            hash=fingerprint(item),
            label=name.label,
            probability=name.probability,
            copied=copied,
            dropped=COPY if near else None,
            code=self._code(item),
            data=None if near else (kept if self._place.whole else encode(item, job.look)),
            cell=None if near or self._place.whole else kept,
        )

    def _code(self, item: Item) -> bytes | None:
        if not self._job.unique:
            return None
        from sketchgen.jobs.near_duplicates import signature

        return signature(item)

    def _named(self, task: Task, drawn: list[Drawn]) -> list[Named]:
        """What the recogniser says of each candidate.

        The candidates of a drawing are read together, and no others: whoever makes it again reads the same.
        """
        found = [Named() for _ in drawn]
        wholes = [one.item.whole if isinstance(one.item, Completion) else one.item for one in drawn]
        shown = [k for k, whole in enumerate(wholes) if not whole.is_empty]
        if self._recogniser is None or not shown:
            return found
        names = self._recogniser.categories
        rows = self._recogniser.read([wholes[k] for k in shown]).log_prob
        for k, row in zip(shown, rows, strict=True):
            guess = self._recogniser.ranked(row, 1)[0]
            asked = float(row[names.index(task.category)]) if task.category in names else None
            found[k] = Named(guess.category, round(guess.probability, 6), asked)
        return found

    def _best(self, task: Task, drawn: list[Drawn], named: list[Named]) -> int:
        """Which candidate is kept.

        Likelihood counts per added point: of a sum, the shortest drawing would always have the most.
        """
        if len(drawn) == 1:
            return 0
        if self._job.rank == "likelihood":
            worth = [one.log_likelihood / max(1, one.points) for one in drawn]
        else:
            worth = [0.0 if name.asked is None else SURE * name.asked for name in named]
        if self._chooser is not None:
            found = [one.item for one in drawn if isinstance(one.item, Completion)]
            told = (
                self._chooser.told(found, task.category) if len(found) == len(drawn) else [0.0] * len(drawn)
            )
            worth = [one + float(more) for one, more in zip(worth, told, strict=True)]
        return best_of([one.points > 0 for one in drawn], [one.ended for one in drawn], worth)
