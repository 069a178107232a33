"""The description of a job, and the requests for single drawings that follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from sketchgen.completion.completer import LIMIT, NO_CATEGORY
from sketchgen.completion.guessing import AUTO, is_auto
from sketchgen.formats.render_options import RenderOptions
from sketchgen.jobs.inputs import Source
from sketchgen.limits import CLOSING
from sketchgen.resources import unknown_category
from sketchgen.sketch.sketch import Completion, Sketch

if TYPE_CHECKING:
    from sketchgen.ranking.ranker import Rank

Item = Sketch | Completion
"""What a job draws: sketches from nothing, or completions of partial sketches."""

EngineName = Literal["completer", "batch"]
"""The engines of `sketchgen.jobs.engine`."""

MAX_COMPLETER_DRAWINGS = 200
"""Largest job, candidates included, that the completer draws. It starts at once and needs no torch."""

ALL = "all"
"""The name that stands for every category of the model."""


@dataclass(frozen=True)
class Sampling:
    """The sampling settings that all drawings of a job share.

    Attributes:
        checkpoint: bundled name or path of the model; None for the bundled default.
        temperature: 0 (the likeliest line) to 2.
        guidance: see `sketchgen.completion.guidance`; None for the model's own default.
        closing: see `sketchgen.completion.gap_closing`.
        mirrored: whether some alternatives get mirrored strokes; see `Completer`.
        limit: largest number of points added to a drawing.
    """

    checkpoint: str | None = None
    temperature: float = 0.5
    guidance: float | None = None
    closing: float = CLOSING
    limit: int = LIMIT
    mirrored: bool = False


@dataclass(frozen=True)
class DrawingRequest:
    """A request for a drawing of a job, or for one candidate of it.

    Attributes:
        number: position in the job among the drawings, or among the candidates, from 0.
        category: category to draw; "auto" for a guess, None for none.
        index: position among those of the same category or partial sketch, from 0.
        given: partial sketch to complete; None to draw from nothing.
    """

    number: int
    category: str | None
    seed: int
    index: int
    given: Sketch | None = None


@dataclass(frozen=True)
class Job:
    """The complete description of a job, as it is sent to workers.

    Attributes:
        categories: categories to draw, "auto" for a guess; a single one if partial sketches are completed.
        count: drawings of each category or partial sketch.
        names: stems of the file names, one for each category or input file.
        given: number of partial sketches; None to draw from nothing.
        files: number of partial sketches in each input file, if there are several files.
        best_of: candidates of each drawing, of which the best is used.
        label: whether to record the recogniser's guess.
        unique: whether to drop near-duplicates of earlier drawings.
        render_options: format and style of the written drawings.
    """

    sampling: Sampling
    engine: EngineName
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
    render_options: RenderOptions = field(default_factory=RenderOptions)

    @property
    def groups(self) -> int:
        """Number of categories or partial sketches."""
        return len(self.categories) if self.given is None else self.given

    @property
    def total(self) -> int:
        """Number of drawings."""
        return self.groups * self.count

    @property
    def uses_recogniser(self) -> bool:
        """Whether the recogniser labels or ranks the drawings."""
        return self.label or (self.rank != "likelihood" and self.best_of > 1)

    def name(self, number: int) -> str:
        """Return the file name of a drawing without suffix; numbers are padded so that names sort."""
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

    def drawings(self, source: Source | None, first: int = 0) -> Iterator[DrawingRequest]:
        """Yield the drawings from number `first` on, reading partial sketches as they are needed."""
        if first >= self.total:
            return
        start = first // self.count
        given = source.sketches(start) if source is not None else None
        for group in range(start, self.groups):
            sketch = None if given is None else next(given)
            category = self.categories[group if self.given is None else 0]
            for item in range(first - group * self.count if group == start else 0, self.count):
                yield DrawingRequest(group * self.count + item, category, self.seed, item, sketch)

    def candidates(self, drawing: DrawingRequest) -> Iterator[DrawingRequest]:
        """Yield the requests for the candidates of a drawing."""
        for k in range(self.best_of):
            number, index = drawing.number * self.best_of + k, drawing.index * self.best_of + k
            yield replace(drawing, number=number, index=index)


def engine_for(total: int, best_of: int) -> EngineName:
    """Return the engine of a job: the completer if the job is small or torch is not installed.

    The number of workers does not matter, because the two engines round differently.
    """
    small = total * best_of <= MAX_COMPLETER_DRAWINGS or find_spec("torch") is None
    return "completer" if small else "batch"


def choose_categories(names: Sequence[str], known: Sequence[str]) -> tuple[str | None, ...]:
    """Return the categories with these names, without repetition and as the model spells them.

    "all" stands for every category of `known`, "auto", or no name, for a guess, "none" for None.
    """
    lower = {name.lower(): name for name in known}
    found: list[str | None] = [] if names else [AUTO]
    for name in (name.strip() for name in names):
        if name.lower() == ALL:
            found += known
        elif name.lower() in NO_CATEGORY:
            found.append(None)
        elif is_auto(name):
            found.append(AUTO)
        elif name.lower() in lower:
            found.append(lower[name.lower()])
        else:
            raise unknown_category(name, known)
    return tuple(dict.fromkeys(found))
