"""Drawings of people, begun: what is given, and how the person went on, for a critic to learn from.

People stop anywhere, and leave out anything: cuts in the order of drawing, strokes that are missing, and
lines that are open. All that the person drew and is not given is missing, so that to stop early is never
shown as right. Where people left a line open by a few px, what they went on with is closed as the
model's lines are: else gaps would tell the two apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen, split_strokes

CUT, HELD = 0.3, 0.4
"""Shares of the drawings that are cut in their order, and with strokes missing; of others, a piece is."""

ONE, RUN = 0.35, 0.4
"""Of those with strokes missing, shares of which one is, and some that were drawn one after another."""

LEAST = 4
"""Points of a stroke of which a piece can be missing."""


@dataclass(frozen=True)
class Begun:
    """A drawing that was begun, px of its 255 box.

    Attributes:
        given: its first strokes.
        rest: the others; where the cut is within a stroke, its rest begins at the last given point.
        inside: whether it is.
    """

    given: list[Points]
    rest: list[Points]
    inside: bool

    @property
    def fits(self) -> bool:
        """Whether something is given and something missing: a line each, at least."""
        return sum(map(len, self.given)) > 1 and sum(map(len, self.rest)) > 1


def begun(sketch: Sketch, random: np.random.Generator) -> Begun | None:
    """A drawing with some of it missing; None where it is too short for that."""
    strokes, kind = list(sketch.strokes), random.random()
    if kind < CUT:
        found = _cut(strokes, random)
    elif kind < CUT + HELD and len(strokes) > 1:
        found = _held(strokes, random)
    else:
        found = _open(strokes, random)
    return found if found is not None and found.fits else None


def _cut(strokes: list[Points], random: np.random.Generator) -> Begun | None:
    """The first strokes, or the first points."""
    if len(strokes) > 1 and random.random() < 0.6:
        count = int(random.integers(1, len(strokes)))
        return Begun(strokes[:count], strokes[count:], False)
    ends = np.cumsum([len(stroke) for stroke in strokes])
    if ends[-1] < LEAST:
        return None
    left = int(random.integers(2, ends[-1]))
    index = int(np.searchsorted(ends, left))
    within = left - int(ends[index] - len(strokes[index]))
    if within == len(strokes[index]):
        return Begun(strokes[: index + 1], strokes[index + 1 :], False)
    if within < 2:
        return None
    stroke = strokes[index]
    return Begun(
        [*strokes[:index], stroke[:within]], [stroke[within - 1 :], *strokes[index + 1 :]], inside=True
    )


def _held(strokes: list[Points], random: np.random.Generator) -> Begun:
    """One stroke is missing, or a part of several: drawn one after another, as parts mostly are, or not."""
    count, kind = len(strokes), random.random()
    if kind < ONE + RUN and count > 2:
        size = 1 if kind < ONE else int(random.integers(2, count // 2 + 2))
        first = int(random.integers(count - size + 1))
        missing = (np.arange(count) >= first) & (np.arange(count) < first + size)
    else:
        missing = random.random(count) < random.uniform(0.2, 0.6)
    if missing.all() or not missing.any():
        missing = np.arange(count) == random.integers(count)
    return Begun(
        [stroke for stroke, out in zip(strokes, missing, strict=True) if not out],
        [stroke for stroke, out in zip(strokes, missing, strict=True) if out],
        inside=False,
    )


def _open(strokes: list[Points], random: np.random.Generator) -> Begun | None:
    """A piece of a stroke is missing, of long ones more often: its end, its beginning, or its middle."""
    long = [index for index, stroke in enumerate(strokes) if len(stroke) >= LEAST]
    if not long:
        return None
    # A pixel more, since all points of a line may be one.
    ways = np.array([1.0 + np.hypot(*np.diff(strokes[index], axis=0).T).sum() for index in long])
    chosen = int(random.choice(long, p=ways / ways.sum()))
    # As it was drawn so far, or in a drawing that is whole but for that.
    later = strokes[chosen + 1 :]
    others, missing = (strokes[:chosen], later) if random.random() < 0.3 else (strokes[:chosen] + later, [])
    stroke = strokes[chosen][:: -1 if random.random() < 0.3 else 1]
    if random.random() < 0.6:
        count = int(random.integers(2, len(stroke)))
        return Begun([*others, stroke[:count]], [stroke[count - 1 :], *missing], inside=True)
    first = int(random.integers(1, len(stroke) - 2))
    last = int(random.integers(first + 1, len(stroke) - 1))
    given = [*others, stroke[last:], stroke[: first + 1]]
    return Begun(given, [stroke[first : last + 1], *missing], inside=True)


def closed(rest: list[Points], beginning: PartialSketch, *, inside: bool) -> list[Points]:
    """How a person went on, with lines closed as those that the model adds are."""
    if beginning.closer is None:
        return rest
    parts = [rest[0][1:], *rest[1:]] if inside else rest
    pen = np.concatenate([_pen(len(part)) for part in parts])
    points = (np.concatenate(parts) - beginning.origin) / beginning.frame.scale
    moved = beginning.closer.closed(points, pen, going_on=inside)
    strokes = split_strokes(beginning.on_page(moved), pen == Pen.LIFT)
    return [np.concatenate([beginning.origin[None], strokes[0]]), *strokes[1:]] if inside else strokes


def _pen(count: int) -> NDArray[np.int64]:
    return np.array([int(Pen.DRAW)] * (count - 1) + [int(Pen.LIFT)])
