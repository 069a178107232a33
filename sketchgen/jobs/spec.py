"""A job: everything that says which drawings there are to be, and how each of them is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from sketchgen.formats.render_options import RenderOptions
from sketchgen.jobs.inputs import Source
from sketchgen.jobs.request import Sampling, Wish
from sketchgen.sketch.sketch import Sketch

if TYPE_CHECKING:
    from sketchgen.ranking.ranker import Rank

Engines = Literal["completer", "batch"]
"""What draws: the completer, all alternatives of a drawing together, or the engine of many drawings."""

SMALL = 200
"""Drawings, candidates included, up to which the completer draws: it is there at once, without torch."""


@dataclass(frozen=True)
class Task:
    """One drawing that is to be made.

    Attributes:
        number: its place in the job, from 0.
        item: its place among those of its category or its beginning, from 0.
        category: what it is to be; None for any.
        given: the beginning; None to draw from nothing.
    """

    number: int
    item: int
    category: str | None
    given: Sketch | None = None


@dataclass(frozen=True)
class Job:
    """What is to be drawn, and how; workers get it whole.

    Attributes:
        sampling: how all drawings are sampled.
        engine: what draws.
        categories: what is drawn, `count` drawings of each; one where beginnings are given.
        count: drawings of each category, or of each beginning.
        seed: of all random numbers.
        names: stems of the files' names, one for each category, or one for each input file.
        given: how many beginnings there are; None to draw from nothing.
        files: how many of them each input file holds, where there are several files.
        best_of: candidates of each drawing, of which the best is kept.
        rank: by what the best is told.
        label: whether the recogniser names each drawing.
        unique: whether near-duplicates of earlier drawings are dropped.
        look: how the drawings are written.
    """

    sampling: Sampling
    engine: Engines
    categories: tuple[str | None, ...]
    count: int
    seed: int
    names: tuple[str, ...]
    given: int | None = None
    files: tuple[int, ...] = ()
    best_of: int = 1
    rank: Rank = "likelihood"
    label: bool = False
    unique: bool = False
    look: RenderOptions = field(default_factory=RenderOptions)

    @property
    def groups(self) -> int:
        """Categories, or beginnings."""
        return len(self.categories) if self.given is None else self.given

    @property
    def total(self) -> int:
        """Drawings."""
        return self.groups * self.count

    @property
    def recognised(self) -> bool:
        """Whether the recogniser reads the drawings."""
        return self.label or (self.rank != "likelihood" and self.best_of > 1)

    @property
    def judged(self) -> bool:
        """Whether the critic reads the drawings."""
        return self.rank == "reward" and self.best_of > 1

    def name(self, number: int) -> str:
        """The name of a drawing's file without suffix; its numbers have equally many digits, and sort."""
        group, item = divmod(number, self.count)
        last = f"{item + 1:0{len(str(self.count))}d}"
        if self.given is None:
            return f"{self.names[group]}-{last}"
        for stem, drawings in zip(self.names, self.files or (self.given,), strict=True):
            if group < drawings:
                drawing = "" if drawings == 1 else f"-{group + 1:0{len(str(drawings))}d}"
                return f"{stem}{drawing}-{last}"
            group -= drawings
        raise IndexError(f"no drawing {number}")

    def tasks(self, source: Source | None, first: int = 0) -> Iterator[Task]:
        """The drawings from number `first` on, in their order, as they are needed.

        Args:
            source: the beginnings, where there are any.
            first: the number of the first one.
        """
        if first >= self.total:
            return
        start = first // self.count
        given = source.sketches(start) if source is not None else None
        for group in range(start, self.groups):
            sketch = None if given is None else next(given)
            category = self.categories[group if self.given is None else 0]
            for item in range(first - group * self.count if group == start else 0, self.count):
                yield Task(group * self.count + item, item, category, sketch)

    def wishes(self, task: Task) -> list[Wish]:
        """The candidates of a drawing. No two wishes of a job have the same number."""
        first, index = task.number * self.best_of, task.item * self.best_of
        return [Wish(first + k, task.category, self.seed, index + k, task.given) for k in range(self.best_of)]

    def wish(self, task: Task, index: int) -> Wish:
        """The candidate of a drawing that has a certain index."""
        return self.wishes(task)[index - task.item * self.best_of]


def engine_for(total: int, best_of: int) -> Engines:
    """Return what draws a job: the completer where it is small, or where torch is not installed.

    The number of workers has no say, for the two engines round differently.
    """
    small = total * best_of <= SMALL or find_spec("torch") is None
    return "completer" if small else "batch"
