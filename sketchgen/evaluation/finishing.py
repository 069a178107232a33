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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from sketchgen.evaluation.unfinished import Item
from sketchgen.sketch.distance import FAR, Ink, connected, covered, inside, nearest, retraced
from sketchgen.sketch.geometry import Frame, in_frame
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

VALUE_SPACING = 3.0
"""Spacing of ink for values: 99.4 % of 4,492 completions have the same `finished` as with 1 px."""
VALUE_FAR = 100.0
"""Largest distance in a value."""


@dataclass(frozen=True)
class Figures:
    """Figures of one completion of an item. Where nothing is added, all distances are `FAR`.

    Attributes:
        lacks: the module's conditions that are not met, a word for each.
        covered: share of the missing ink that is covered.
        in_region: share of the added ink that lies where ink is missing.
        chamfer: symmetric Chamfer distance of added and missing ink, px.
    """

    lacks: tuple[str, ...]
    covered: float
    in_region: float
    chamfer: float

    @property
    def finished(self) -> bool:
        """Whether the drawing is finished; see the module."""
        return not self.lacks


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
        if not all(connected(added, line[0], line[-1], MEET) for line in lines):
            lacks.append("open")
    back = float(to_missing.mean()) if len(to_missing) else FAR
    return Figures(tuple(lacks), near, in_region, (float(to_added.mean()) + back) / 2)


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
