"""Whether completions finish the drawing that was begun: lines meet, parts stand where they are missing.

All lengths are px of the box in which the whole drawing (given and missing) has a longer side of 255. The
missing strokes of an item are one way to finish it, and a completion need not follow them closely. It counts
as **finished** if nothing is lacking:

- not *incomplete*: at least half of the missing ink is covered, that is, added ink runs near it and much the
  same way; near is 15 % of the longer side of what is missing, at least 14 px and at most 26 px;
- not *misplaced*: at least 70 % of the added ink lies in the boxes of the missing strokes, and of those that
  the drawing is known to lack besides (`Item.later`), grown by 20 px;
- not *too much*: there is at most twice as much added ink as these have, and 25 px;
- not *drawn again*: at most 25 % of the added ink runs along given ink;
- if it is to be closed, not *open*: added strokes lead from each end to the other, and neither there nor
  between strokes is there a gap of 12 px.

What is missing finishes its drawing; nothing, the given strokes drawn again, and scribbles over the drawing
do not. A scribble that is told where the missing part stands, and is not much longer, gets a fifth of them:
whether a part looks right is for the judge to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from sketchgen.errors import SettingError
from sketchgen.evaluation.unfinished import KINDS, Item
from sketchgen.sketch.geometry import BOX, Frame, in_frame
from sketchgen.sketch.ink import FAR, Ink, connected, covered, inside, nearest, retraced, share
from sketchgen.sketch.sketch import Box, Completion, Sketch

MEET = 12.0
"""Ink this near touches."""
REACH, MIN_REACH, MAX_REACH = 0.15, 14.0, 26.0
"""Ink is near what is missing within this share of its longer side, and within these bounds."""
TURN = 30.0
"""Lines whose directions differ by less, in degrees, run much the same way."""
COVERED = 0.5
MARGIN = 20.0
WITHIN = 0.7
TWICE = 2.0
SLACK = 25.0
AGAIN = 0.25
ALONG = 3.0
"""Ink this near to given ink, over more than `RUN` px, runs along it."""
RUN = 10.0
AROUND = 0.25 * BOX
"""What is added farther than this from the whole drawing's box lies outside."""

Progress = Callable[[int, int], None]
"""Called with the number of items done, and how many there are."""


@runtime_checkable
class Finisher(Protocol):
    """What finishes drawings, such as a `Completer`."""

    @property
    def categories(self) -> Sequence[str]:
        """The categories it knows."""
        ...

    def complete(
        self, sketch: Sketch, category: str | None, count: int, temperature: float, seed: int
    ) -> list[Completion]:
        """Finish a drawing in `count` ways."""
        ...


@runtime_checkable
class Judge(Protocol):
    """What tells what a drawing shows."""

    @property
    def categories(self) -> Sequence[str]:
        """The categories it knows."""
        ...

    def read(self, sketches: Sequence[Sketch], /) -> Any:
        """An object whose `log_prob` is (n, c): of each drawing and category."""
        ...


@dataclass(frozen=True)
class Figures:
    """One completion of an item, measured. Nothing added counts as `FAR` from everything.

    Attributes:
        finished: see the module.
        lacks: what keeps it from being finished, a word for each of the module's conditions.
        covered: share of the missing ink that is covered, see there.
        in_region: share of the added ink that lies where ink is missing.
        chamfer: mean distance of added to missing ink and back, px.
        ratio: added over missing ink.
        retraced: share of the added ink that runs along given ink.
        outside: share of the added ink that lies far from the whole drawing.
        ended: whether the model ended the drawing by itself.
        start_gap, end_gap: distance of added ink to where the open line stops, and to what it is to meet, px,
            the largest one of several; None but for items to be closed.
        met: whether both are below `MEET`; None as above.
    """

    finished: bool
    lacks: tuple[str, ...]
    covered: float
    in_region: float
    chamfer: float
    ratio: float
    retraced: float
    outside: float
    ended: bool
    start_gap: float | None = None
    end_gap: float | None = None
    met: bool | None = None


def reach(item: Item) -> float:
    """How near added ink must be to missing ink to cover it: a large part may stand farther off."""
    bounds = in_frame(item.missing, item.frame).bounds
    return min(MAX_REACH, max(MIN_REACH, REACH * (bounds.longer if bounds else 0.0)))


def measure(item: Item, completion: Completion, spacing: float = 1.0) -> Figures:
    """The figures of one completion of an item, by points every `spacing` px of all ink."""
    frame = item.frame
    given, missing, added = (
        Ink(in_frame(sketch, frame).strokes, spacing)
        for sketch in (item.given, item.missing, completion.added)
    )
    later = Ink(in_frame(item.later, frame).strokes, spacing)
    to_added, to_missing = nearest(missing.points, added.points), nearest(added.points, missing.points)
    near = share(covered(missing, added, reach(item), TURN))
    places = _boxes(item.missing, frame) + _boxes(item.later, frame)
    in_region = share(inside(added.points, places, MARGIN))
    again = retraced(added, given, ALONG, RUN)
    whole = in_frame(item.whole, frame).bounds
    beyond = ~inside(added.points, [*([whole] if whole else []), *places], AROUND)
    start = end = met = None
    lacks = [
        word
        for word, wrong in (
            ("incomplete", near < COVERED),
            ("misplaced", in_region < WITHIN),
            ("too much", added.amount > TWICE * (missing.amount + later.amount) + SLACK),
            ("drawn again", again > AGAIN),
        )
        if wrong
    ]
    if item.kind == "close":
        lines = in_frame(item.missing, frame).strokes
        start, end = (
            float(nearest(np.array([line[k] for line in lines]), added.points).max()) for k in (0, -1)
        )
        met = max(start, end) < MEET
        if not all(connected(added, line[0], line[-1], MEET) for line in lines):
            lacks.append("open")
    back = float(to_missing.mean()) if len(to_missing) else FAR
    return Figures(
        finished=not lacks,
        lacks=tuple(lacks),
        covered=near,
        in_region=in_region,
        chamfer=(float(to_added.mean()) + back) / 2,
        ratio=added.amount / missing.amount,
        retraced=again,
        outside=share(beyond),
        ended=completion.ended,
        start_gap=start,
        end_gap=end,
        met=met,
    )


def _plain(figures: Figures) -> dict[str, Any]:
    """The figures as JSON has them."""
    return asdict(figures) | {"lacks": list(figures.lacks)}


def _boxes(sketch: Sketch, frame: Frame) -> list[Box]:
    """The box of each stroke in a frame."""
    found = (Sketch((frame.to_model(stroke),)).bounds for stroke in sketch.strokes)
    return [box for box in found if box is not None]


def completions(
    completer: Finisher, item: Item, count: int = 4, temperature: float = 0.25, seed: int = 0
) -> list[Completion]:
    """An item finished in several ways, as a person would ask for it; an unknown category is "any"."""
    known = item.category if item.category in completer.categories else None
    return completer.complete(item.given, known, count, temperature, seed)


def finishing(
    completer: Finisher,
    items: Sequence[Item],
    *,
    count: int = 4,
    temperature: float = 0.25,
    seed: int = 0,
    judge: Judge | None = None,
    made: Sequence[Sequence[Completion]] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure how well a model finishes drawings.

    Args:
        completer: what finishes them.
        items: the unfinished drawings, such as `unfinished()`.
        count: completions of each.
        temperature: of them.
        seed: of them.
        judge: if there is one, it says how probable the category is before and after.
        made: the completions of each item, where they are there already.
        progress: called after each item.

    Returns:
        `overall` and, in `by_kind`, figures as {"mean", "standard_error"} over items, each item counting the
        same (completions of one item resemble each other); `items`, by name; the settings. Plain JSON values.

    Raises:
        SettingError: no items, or two of one name.
    """
    if not items or len({item.name for item in items}) < len(items):
        raise SettingError("finishing needs one item or more, each with a name of its own")
    entries: dict[str, dict[str, Any]] = {}
    for number, item in enumerate(items):
        found = completions(completer, item, count, temperature, seed) if made is None else made[number]
        figures = [_plain(measure(item, completion)) for completion in found]
        if judge is not None:
            for figure, seen in zip(figures, _judged(judge, item, found), strict=True):
                figure.update(seen)
        means = {name: _mean([figure[name] for figure in figures]) for name in figures[0] if name != "lacks"}
        entries[item.name] = {
            "kind": item.kind,
            "category": item.category,
            "mean": {name: value for name, value in means.items() if value is not None},
            "completions": figures,
        }
        if progress is not None:
            progress(number + 1, len(items))
    by_kind = {
        kind: _summary([entry["mean"] for entry in entries.values() if entry["kind"] == kind])
        for kind in KINDS
    }
    return {
        "count": count,
        "temperature": temperature,
        "seed": seed,
        "overall": _summary([entry["mean"] for entry in entries.values()]),
        "by_kind": {kind: summary for kind, summary in by_kind.items() if summary["items"]},
        "items": entries,
    }


def _judged(judge: Judge, item: Item, found: Sequence[Completion]) -> list[dict[str, float | None]]:
    """The probability of the item's category for what is given and for each whole drawing."""
    known = list(judge.categories)
    if item.category not in known:
        return [{"before": None, "after": None}] * len(found)
    read = judge.read([item.given, *(completion.whole for completion in found)])
    chances = np.exp(np.asarray(read.log_prob, dtype=np.float64)[:, known.index(item.category)])
    before, *after = chances.tolist()
    return [{"before": before, "after": value} for value in after]


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean of what is there."""
    there = [float(value) for value in values if value is not None]
    return math.fsum(there) / len(there) if there else None


def _summary(means: Sequence[dict[str, float]]) -> dict[str, Any]:
    """Mean and standard error of each figure over the items that have it."""
    result: dict[str, Any] = {"items": len(means)}
    for name in dict.fromkeys(name for mean in means for name in mean):
        values = np.array([mean[name] for mean in means if name in mean])
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
        result[name] = {"mean": float(values.mean()), "standard_error": error}
    return result
