"""What a job of many drawings asks for, one at a time, and what it gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sketchgen.completion.completer import LIMIT
from sketchgen.limits import CLOSING
from sketchgen.sketch.sketch import Completion, Sketch


@dataclass(frozen=True)
class Sampling:
    """How all drawings of a job are sampled; together with a `Wish` it says everything about a drawing.

    Attributes:
        checkpoint: bundled name or path of the model; None for the bundled default.
        temperature: 0 (the likeliest line) to 2 (wild).
        guidance: see `sketchgen.completion.guidance`; None for the model's own default.
        closing: see `sketchgen.completion.gap_closing`.
        mirrored: whether some of the alternatives are given strokes in a mirror; see `Completer`.
        limit: most points that are added.
    """

    checkpoint: str | None = None
    temperature: float = 0.5
    guidance: float | None = None
    closing: float = CLOSING
    limit: int = LIMIT
    mirrored: bool = False


@dataclass(frozen=True)
class Wish:
    """One drawing to be made.

    Attributes:
        number: its place in the job, from 0.
        category: what it is to be; None for any.
        seed, index: of its random numbers, those of the alternative `index` under `seed`.
        given: the beginning that it goes on from; None to draw from nothing.
    """

    number: int
    category: str | None
    seed: int
    index: int
    given: Sketch | None = None


@dataclass(frozen=True)
class Drawn:
    """A wish come true.

    Attributes:
        wish: what was asked for.
        item: a completion where something was given, else a drawing.
        ended: whether the model ended it (False: it was stopped at the limit).
        log_likelihood: of the added steps at temperature 1 without guidance, nats; see `Completion`.
        points: number of added points.
        symmetry: see `sketchgen.ranking.ranker.Candidate`.
    """

    wish: Wish
    item: Sketch | Completion
    ended: bool
    log_likelihood: float
    points: int
    symmetry: float = 0.0


@runtime_checkable
class Engine(Protocol):
    """What makes wishes come true.

    A drawing depends on the sampling and its own wish alone, bit for bit on the same kind of processor,
    whatever else is drawn beside it.
    """

    def draw(self, wishes: Iterable[Wish]) -> Iterator[Drawn]:
        """Draw what is wished for; each drawing comes as soon as it is finished, so that the order changes.

        Wishes are taken one at a time, as soon as there is room for another one.
        """
        ...
