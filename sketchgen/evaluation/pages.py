"""The bench of beginnings drawn in a person's manner: does what must come, come?

A completion is **right** if each part that must come is there (see `pages_checks`), and nothing is wrong with
it. It is (see `pages_faults`)

- *drawn again*: over 30 % of the added ink runs along given ink, over 20 % belongs to strokes that redraw a
  given part, or a closed stroke is drawn where a closed given one is;
- *repeated*: an added closed mark of about the size of a given eye stands beside or over it;
- *again*: the added strokes alone pass the check of a given part, such as the hands of a clock;
- *crossed*: an added stroke runs through a small given part, such as an eye;
- *beyond*: over 20 % of the added ink lies over 18 units outside the boxes of what is given and of the
  missing parts;
- *too much*: there is more added ink than twice that of all parts that the design has and the beginning
  lacks, 0.3 times the given ink, and 40 units;
- *scribbled*: more than 250 units of ink pass through each of their cells over 1.3 times on average;
- *detached*: over 25 % of the added ink belongs to strokes that touch nothing and should;
- *off the page*: over 5 % of the added ink lies off the page.

Of all candidates shown, four **rates** are measured besides, whatever must come: added strokes that redraw a
given part; added strokes that touch nothing and should; candidates with next to nothing added, that is, less
ink than 4 % of the longer side of what is given; and added points off the page. Lengths are units of the
design: 100 is about the longer side of the whole drawing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from sketchgen.errors import SettingError
from sketchgen.evaluation.finishing import measure
from sketchgen.evaluation.pages_checks import ALONG, Drawn, present
from sketchgen.evaluation.pages_faults import RUN, crossed, detached, doubled, redraws, repeated, tangle
from sketchgen.evaluation.statistics import Progress, ratio
from sketchgen.evaluation.unfinished import Item, parsed_lines
from sketchgen.limits import PAGE_BEST_OF, PAGE_COUNT, PAGE_TEMPERATURE
from sketchgen.sketch.distance import inside, retraced
from sketchgen.sketch.geometry import BOX
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch

AGAIN, REDRAWN, BEYOND, MARGIN, DETACHED, OFF = 0.3, 0.2, 0.2, 18.0, 0.25, 0.05
MISSING, GIVEN, SLACK = 2.0, 0.3, 40.0
MUCH, TANGLE = 250.0, 1.3
NOTHING = 0.04

Telling = Literal["told", "open", "auto"]
"""The category is told; it is left open (None); or the completer is asked to guess it ("auto"). Where it is
not told, beginnings of which nobody could guess the category are left out."""


@runtime_checkable
class Finisher(Protocol):
    """Completes drawings, such as a `Completer`."""

    @property
    def categories(self) -> Sequence[str]:
        """The categories it knows."""
        ...

    def complete(self, sketch: Sketch, category: str | None, *args: Any, **settings: Any) -> list[Completion]:
        """Return the completions of a drawing, best first; see `Completer.complete`."""
        ...


@dataclass(frozen=True)
class Beginning:
    """A drawing that a person has begun.

    Attributes:
        name: its design and the given parts.
        guessable: whether a person could tell the category from what is given.
        frame: (2, 3) map from units of the design to px.
        parts: the part that each stroke belongs to.
        small: places among the given strokes of those through which no line should run, such as eyes.
        must: for each part that must come, the checks of which one must pass.
        once: checks of given parts which added strokes alone must not pass.
        room: left, top, right and bottom of all given parts together, and of each missing part, units.
        loose: boxes of missing strokes that touch nothing in the design, units.
        missing: ink of all missing parts, units.
        unfinished: an item of the older bench, whose own measure then tells whether a completion is right.
    """

    name: str
    category: str
    guessable: bool
    given: Sketch
    frame: Points
    parts: tuple[str, ...] = ()
    small: tuple[int, ...] = ()
    must: tuple[tuple[dict[str, Any], ...], ...] = ()
    once: tuple[dict[str, Any], ...] = ()
    room: tuple[tuple[float, ...], ...] = ()
    loose: tuple[tuple[float, ...], ...] = ()
    missing: float = 0.0
    unfinished: Item | None = None

    @cached_property
    def strokes(self) -> list[Points]:
        """The given strokes in units."""
        return self.in_units(self.given)

    def in_units(self, sketch: Sketch) -> list[Points]:
        """Return strokes in units of the design."""
        inverse = np.linalg.inv(self.frame[:, :2]).T
        return [(stroke - self.frame[:, 2]) @ inverse for stroke in sketch.strokes]

    def off_page(self, points: Points) -> Bool[np.ndarray, " n"]:
        """Return which points, px, lie off the page."""
        page = self.given.page
        if page is None:
            return np.zeros(len(points), dtype=bool)
        return ~inside(points, [page], 0.0)


def beginnings(path: str | os.PathLike[str] | None = None) -> list[Beginning]:
    """Return the beginnings that come with sketchgen, or those of another file of the same form."""
    return parsed_lines(path, ("pages", "beginnings.ndjson"), _beginning, "beginning")


def _beginning(fields: dict[str, Any]) -> Beginning:
    """Return the beginning of a line."""
    strokes = [list(zip(x, y, strict=True)) for x, y in fields["given"]]
    given = Sketch.from_strokes(strokes, page=Box(0, 0, *fields["page"]), category=None)
    if given.is_empty or not fields["must"]:
        raise ValueError("it needs strokes, and something that must come")
    return Beginning(
        name=fields["name"],
        category=fields["category"],
        guessable=fields["guessable"],
        given=given,
        parts=tuple(fields["parts"]),
        small=tuple(fields["small"]),
        frame=np.array(fields["map"], dtype=np.float64).reshape(2, 3),
        must=tuple(map(tuple, fields["must"])),
        once=tuple(fields["once"]),
        room=tuple(map(tuple, fields["room"])),
        loose=tuple(map(tuple, fields["loose"])),
        missing=float(fields["missing"]),
    )


def from_unfinished(item: Item) -> Beginning:
    """Return an item of the older bench as a beginning, right where `finishing.measure` finds it finished."""
    frame, unit = item.frame, item.frame.scale * BOX / 100
    units = np.array([[unit, 0.0, frame.x], [0.0, unit, frame.y]])
    return Beginning(item.name, item.category, True, item.given, units, unfinished=item)


@dataclass(frozen=True)
class Verdict:
    """What a completion of a beginning is like.

    Attributes:
        lacks: parts that must come and are not there, and what is wrong besides; see the module.
        strokes, redrawn, detached: added strokes, and how many of them redraw a given part, or touch nothing
            and should.
        points, off_page: added points, and how many of them lie off the page.
        nothing: whether next to nothing was added.
    """

    lacks: tuple[str, ...]
    strokes: int
    redrawn: int
    detached: int
    points: int
    off_page: int
    nothing: bool

    @property
    def right(self) -> bool:
        """Whether all that must come is there, and nothing is wrong."""
        return not self.lacks


def judge(item: Beginning, completion: Completion) -> Verdict:
    """Return the verdict on a completion."""
    drawn = Drawn.of(item.strokes, item.in_units(completion.added))
    twice, alone = redraws(drawn), detached(drawn, item.loose)
    off = item.off_page(completion.added.points)
    side = float(np.ptp(drawn.given_ink.points, axis=0).max())
    if item.unfinished is not None:
        lacks = measure(item.unfinished, completion).lacks
    else:
        lacks = (*missing(item, drawn), *faults(item, drawn, twice, alone))
    return Verdict(
        lacks=lacks,
        strokes=len(drawn.added),
        redrawn=sum(twice),
        detached=sum(alone),
        points=len(off),
        off_page=int(off.sum()),
        nothing=drawn.added_ink.length < NOTHING * side,
    )


def missing(item: Beginning, drawn: Drawn) -> list[str]:
    """Return the parts that must come and are not there."""
    return [
        "|".join(check["part"] for check in checks)
        for checks in item.must
        if not any(present(drawn, check) for check in checks)
    ]


def faults(item: Beginning, drawn: Drawn, twice: Sequence[bool], alone: Sequence[bool]) -> list[str]:
    """Return what is wrong with what was added, whatever must come; see the module.

    Of each added stroke `twice` says whether it redraws a given part, `alone` whether it is detached.
    """
    ink = drawn.added_ink
    off = item.off_page(ink.points @ item.frame[:, :2].T + item.frame[:, 2])
    beyond = ~inside(ink.points, [Box(a, b, c - a, d - b) for a, b, c, d in item.room], MARGIN)
    lengths = np.array([len(stroke) for stroke in drawn.added], dtype=float)
    most = MISSING * item.missing + GIVEN * drawn.given_ink.length + SLACK
    along = retraced(ink, drawn.given_ink, ALONG, RUN)

    def share(flags: Sequence[bool]) -> float:
        """Return the share of the added ink that belongs to some strokes."""
        return float(lengths[np.array(flags, dtype=bool)].sum() / max(lengths.sum(), 1.0))

    wrong = {
        "drawn again": max(along / AGAIN, share(twice) / REDRAWN) > 1 or any(doubled(drawn)),
        "repeated": repeated(drawn, [k for k, part in enumerate(item.parts) if part.startswith("eye")]),
        "crossed": crossed(drawn, item.small),
        "beyond": len(beyond) > 0 and beyond.mean() > BEYOND,
        "too much": ink.length > most,
        "scribbled": ink.length > MUCH and tangle(drawn) > TANGLE,
        "detached": share(alone) > DETACHED,
        "off the page": len(off) > 0 and off.mean() > OFF,
    }
    second = [f"{check['part']} again" for check in item.once if present(drawn, check)]
    return second + [word for word, flag in wrong.items() if flag]


def completed(
    completer: Finisher,
    item: Beginning,
    telling: Telling,
    *,
    count: int = PAGE_COUNT,
    temperature: float = PAGE_TEMPERATURE,
    best_of: int = PAGE_BEST_OF,
    seed: int = 0,
) -> list[Completion]:
    """Complete a beginning as the page does it; a category that the model does not know is left open."""
    category = {"told": item.category, "open": None, "auto": "auto"}[telling]
    if telling == "told" and category not in completer.categories:
        category = None
    return completer.complete(item.given, category, count, temperature, seed, best_of=best_of)


def pages(
    completer: Finisher,
    items: Sequence[Beginning],
    tellings: Sequence[Telling] = ("told", "open"),
    *,
    progress: Progress | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Measure how well a model goes on with what a person has begun.

    Args:
        completer: the model.
        items: the beginnings, such as `beginnings()`.
        tellings: what the model is told; see `Telling`.
        progress: called after each beginning.
        settings: of `completed`, where they are not the page's.

    Returns:
        For each telling `beginnings`, their number; `first` and `any`, the share of them whose first, or any,
        completion is right; `rates`; and `by_category`, the same for each. Figures are {"mean",
        "standard_error"}. `items` is a list of {"name", "category", "lacks": what each completion lacks}.
        Plain JSON values.

    Raises:
        SettingError: no beginnings.
    """
    if not items:
        raise SettingError("there are no beginnings; give one or more")
    result: dict[str, Any] = {}
    for telling in tellings:
        some = [item for item in items if item.guessable or telling == "told"]
        rows: list[list[Verdict]] = []
        for number, item in enumerate(some, 1):
            found = completed(completer, item, telling, **settings)
            rows.append([judge(item, each) for each in found])
            if progress is not None:
                progress(f"beginnings, category {telling}", number, len(some))
        result[telling] = figures(some, rows)
    return result


def figures(items: Sequence[Beginning], rows: Sequence[Sequence[Verdict]]) -> dict[str, Any]:
    """Return the figures of verdicts on all completions of some beginnings; see `pages`."""
    pairs = list(zip(items, rows, strict=True))
    by_category: dict[str, Any] = {}
    for name in sorted({item.category for item in items}):
        by_category[name] = summary([row for item, row in pairs if item.category == name])
    entries = [
        {"name": item.name, "category": item.category, "lacks": [list(each.lacks) for each in row]}
        for item, row in pairs
    ]
    return summary(rows) | {"by_category": by_category, "items": entries}


def summary(rows: Sequence[Sequence[Verdict]]) -> dict[str, Any]:
    """Return the figures of verdicts without categories and items."""
    first = [float(row[0].right) for row in rows]
    some = [float(any(each.right for each in row)) for row in rows]
    rates: Mapping[str, tuple[list[float], list[float]]] = {
        "redrawn": _counts(rows, lambda each: (each.redrawn, each.strokes)),
        "detached": _counts(rows, lambda each: (each.detached, each.strokes)),
        "nothing": _counts(rows, lambda each: (each.nothing, 1)),
        "off_page": _counts(rows, lambda each: (each.off_page, each.points)),
    }
    ones = [1.0] * len(rows)
    return {
        "beginnings": len(rows),
        "first": _share(first, ones),
        "any": _share(some, ones),
        "rates": {name: _share(*counts) for name, counts in rates.items()},
    }


def _counts(
    rows: Sequence[Sequence[Verdict]], count: Callable[[Verdict], tuple[int, int]]
) -> tuple[list[float], list[float]]:
    """Return the sums of two counts over the completions of each beginning."""
    pairs = [[count(each) for each in row] for row in rows]
    return [float(sum(a for a, _ in row)) for row in pairs], [float(sum(b for _, b in row)) for row in pairs]


def _share(top: Sequence[float], bottom: Sequence[float]) -> dict[str, float]:
    """Return a ratio of sums with its standard error; 0 where there is nothing to count."""
    found = ratio(np.array(top), np.array(bottom))
    return {"mean": found["value"] or 0.0, "standard_error": found["standard_error"] or 0.0}
