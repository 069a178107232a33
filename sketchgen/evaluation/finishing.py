"""Whether completions finish a drawing: lines meet, and missing parts stand where they are missing.

All lengths are px of the box in which the whole drawing (given and missing) has a longer side of 255. The
missing strokes of an item are one way to finish it, and a completion need not follow them closely. It counts
as **finished** if it is not

- *incomplete*: at least half of the missing ink is covered, that is, added ink runs near it in about the same
  direction; near is 15 % of the longer side of what is missing, at least 14 px and at most 26 px;
- *misplaced*: at least 70 % of the added ink lies in the boxes of the missing strokes, and of those that the
  drawing is known to lack besides (`Item.later`), grown by 20 px;
- *too much*: there is at most twice as much added ink as these have, and 25 px;
- *drawn again*: at most 25 % of the added ink runs along given ink;
- *open*, if lines are to be closed: added strokes lead from each end to the other, and neither there nor
  between strokes is there a gap of 12 px.

The missing strokes finish every drawing; nothing, the given strokes drawn again, and scribbles over the
drawing do not. A scribble in the place of the missing part, and not much longer, finishes a fifth: whether a
part looks right is for the judge to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool

from sketchgen.errors import SettingError
from sketchgen.evaluation.recognition import Judge
from sketchgen.evaluation.unfinished import KINDS, Item
from sketchgen.sketch.distance import FAR, Ink, connected, covered, inside, nearest, retraced
from sketchgen.sketch.geometry import BOX, Frame, in_frame
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch

MEET = 12.0
"""Ink this near touches."""
REACH, MIN_REACH, MAX_REACH = 0.15, 14.0, 26.0
"""Ink is near what is missing within this share of its longer side, and within these bounds."""
ANGLE = 30.0
"""Lines whose directions differ by less, in degrees, run in about the same direction."""
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
"""Ink farther than this from the whole drawing's box lies outside."""

VALUE_SPACING = 3.0
"""Spacing of ink for values: 99.4 % of 4,492 completions have the same `finished` as with 1 px."""
VALUE_FAR = 100.0
"""Largest distance in a value."""


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
class Figures:
    """Figures of one completion of an item. Where nothing is added, all distances are `FAR`.

    Attributes:
        finished: see the module.
        lacks: the module's conditions that are not met, a word for each.
        covered: share of the missing ink that is covered.
        in_region: share of the added ink that lies where ink is missing.
        chamfer: symmetric Chamfer distance of added and missing ink, px.
        ratio: added over missing ink.
        retraced: share of the added ink that runs along given ink.
        outside: share of the added ink that lies far from the whole drawing.
        ended: whether the model ended the drawing by itself.
        start_gap, end_gap: distance of added ink to the start and to the end of the missing line, px, the
            largest of several; None unless lines are to be closed.
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


def measure(item: Item, completion: Completion, spacing: float = 1.0) -> Figures:
    """Return the figures of one completion of an item, by points every `spacing` px of all ink."""
    frame = item.frame
    given, missing, added = (
        Ink(in_frame(sketch, frame).strokes, spacing)
        for sketch in (item.given, item.missing, completion.added)
    )
    later = Ink(in_frame(item.later, frame).strokes, spacing)
    to_added, to_missing = nearest(missing.points, added.points), nearest(added.points, missing.points)
    bounds = in_frame(item.missing, frame).bounds
    reach = min(MAX_REACH, max(MIN_REACH, REACH * (bounds.longer if bounds else 0.0)))
    near = _share(covered(missing, added, reach, ANGLE))
    places = _boxes(item.missing, frame) + _boxes(item.later, frame)
    in_region = _share(inside(added.points, places, MARGIN))
    again = retraced(added, given, ALONG, RUN)
    whole = in_frame(item.whole, frame).bounds
    beyond = ~inside(added.points, [*([whole] if whole else []), *places], AROUND)
    start = end = met = None
    lacks = [
        word
        for word, wrong in (
            ("incomplete", near < COVERED),
            ("misplaced", in_region < WITHIN),
            ("too much", added.length > TWICE * (missing.length + later.length) + SLACK),
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
        ratio=added.length / missing.length,
        retraced=again,
        outside=_share(beyond),
        ended=completion.ended,
        start_gap=start,
        end_gap=end,
        met=met,
    )


def _share(flags: Bool[np.ndarray, " n"]) -> float:
    """Return the share of the flags that are set; 0 where there are none."""
    return float(flags.mean()) if len(flags) else 0.0


def _boxes(sketch: Sketch, frame: Frame) -> list[Box]:
    """Return the box of each stroke in a frame."""
    found = (Sketch((frame.to_model(stroke),)).bounds for stroke in sketch.strokes)
    return [box for box in found if box is not None]


def completion_value(figures: Figures) -> float:
    """Return the value of a completion, -1 to 2: 1 for a finished drawing, and up to 1 for being near to it.

    Most completions finish nothing. How much ink is covered and where the added ink lies tell a near miss
    from another drawing altogether.
    """
    near = figures.covered + figures.in_region
    return float(figures.finished) + near / 2 - min(figures.chamfer, VALUE_FAR) / VALUE_FAR


def completion_values(
    given: Sequence[Points], rest: Sequence[Points], candidates: Sequence[Sequence[Points]]
) -> list[float]:
    """Return the values of candidate completions; `rest` is what a person added, a point at least."""
    sketch = Sketch.from_strokes(given)
    item = Item("", "", "part", sketch, Sketch.from_strokes(rest))
    completions = [Completion(sketch, Sketch.from_strokes(strokes)) for strokes in candidates]
    return [completion_value(measure(item, each, VALUE_SPACING)) for each in completions]


def completions(
    completer: Finisher, item: Item, count: int = 4, temperature: float = 0.25, seed: int = 0
) -> list[Completion]:
    """Complete an item as a person would; a category that the model does not know is any category."""
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
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure how well a model finishes drawings, such as `unfinished()`.

    Args:
        completer: the model.
        items: the unfinished drawings.
        count: completions of each.
        temperature: of these.
        seed: of these.
        judge: if given, the probability of the category before and after is measured, too.
        made: the completions of each item, if they exist already.
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
        figures = [
            asdict(each) | {"lacks": list(each.lacks)} for each in (measure(item, one) for one in found)
        ]
        if judge is not None:
            for figure, seen in zip(figures, _judged(judge, item, found), strict=True):
                figure.update(seen)
        entries[item.name] = {
            "kind": item.kind,
            "category": item.category,
            "mean": {name: figure["mean"] for name, figure in _summary(figures).items()},
            "completions": figures,
        }
        if progress is not None:
            progress(number + 1, len(items))
    means = {kind: [each["mean"] for each in entries.values() if each["kind"] == kind] for kind in KINDS}
    return {
        "count": count,
        "temperature": temperature,
        "seed": seed,
        "overall": {"items": len(items), **_summary([entry["mean"] for entry in entries.values()])},
        "by_kind": {kind: {"items": len(some), **_summary(some)} for kind, some in means.items() if some},
        "items": entries,
    }


def _judged(judge: Judge, item: Item, found: Sequence[Completion]) -> list[dict[str, float | None]]:
    """Return the probability of the item's category for the given part and for each whole drawing."""
    if item.category not in judge.categories:
        return [{"before": None, "after": None}] * len(found)
    log_prob = judge.read([item.given, *(completion.whole for completion in found)]).log_prob
    chances = np.exp(np.asarray(log_prob, dtype=np.float64)[:, judge.categories.index(item.category)])
    before, *after = chances.tolist()
    return [{"before": before, "after": value} for value in after]


def _summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the mean and standard error of each figure over the rows that have it."""
    result: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(name for row in rows for name in row if name != "lacks"):
        values = np.array([row[name] for row in rows if row.get(name) is not None], dtype=np.float64)
        if len(values):
            error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
            result[name] = {"mean": float(values.mean()), "standard_error": error}
    return result
