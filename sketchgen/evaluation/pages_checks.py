"""Predicates on what is added to a beginning: is a part there, in its place, attached, and not twice?

All lengths are units of the design that a beginning was drawn from: 100 is about the whole drawing's longer
side. Strokes are (n, 2) arrays with a point every `STEP`. The limits were set by eye, on sheets
of completions with the verdicts written below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sketchgen.errors import FormatError
from sketchgen.sketch.distance import Ink, nearest
from sketchgen.sketch.geometry import resample
from sketchgen.sketch.sketch import Points

STEP = 1.0
"""Distance of the points of a stroke."""

ALONG = 2.5
"""Ink this near to given ink runs along it."""

TOUCH = 6.0
"""Ink this near touches."""

MAX_CROSSINGS = 60
"""Most crossings of a circle that is no scribble."""

SECTORS, CLOSED = 12, 10
"""A closed mark has ink in this many of the sectors around its centre."""


@dataclass(frozen=True)
class Drawn:
    """A beginning and what was added, in units of its design: strokes with a point every `STEP`."""

    given: list[Points]
    added: list[Points]

    @classmethod
    def of(cls, given: Sequence[Points], added: Sequence[Points]) -> Drawn:
        """Return strokes of any sampling as `Drawn`."""
        return cls([resample(each, STEP) for each in given], [resample(each, STEP) for each in added])

    @cached_property
    def given_ink(self) -> Ink:
        """The lines of the given strokes."""
        return Ink(self.given, STEP)

    @cached_property
    def added_ink(self) -> Ink:
        """The lines of the added strokes."""
        return Ink(self.added, STEP)

    @cached_property
    def marks(self) -> list[Mark]:
        """The added strokes as marks: nested and crossing strokes of about one place belong together."""
        return merged([Mark.of(stroke) for stroke in self.added])

    def free(self, stroke: Points) -> Points:
        """Return the points of a stroke that do not lie on given ink."""
        return stroke[nearest(stroke, self.given_ink.points) > ALONG]


@dataclass(frozen=True)
class Mark:
    """Strokes of about one place, such as an eye with its pupil.

    Attributes:
        low, high: corners of their box.
    """

    points: Points
    low: Points
    high: Points

    @classmethod
    def of(cls, points: Points) -> Mark:
        """Return the mark of some points."""
        return cls(points, points.min(axis=0), points.max(axis=0))

    @property
    def centre(self) -> Points:
        """The centre of the box."""
        return (self.low + self.high) / 2

    @property
    def size(self) -> float:
        """The longer side of the box."""
        return float((self.high - self.low).max())

    @property
    def closed(self) -> bool:
        """Whether it is about as wide as high, and there is ink all around its centre."""
        width, height = np.maximum(self.high - self.low, 1e-9)
        if self.size < 3 * STEP or not 0.45 < width / height < 2.2:
            return False
        offset = self.points - self.centre
        far = np.hypot(*offset.T) > 0.2 * self.size
        angle = np.arctan2(offset[far, 1], offset[far, 0])
        return len(np.unique(np.floor((angle / math.tau + 0.5) * SECTORS) % SECTORS)) >= CLOSED

    def overlap(self, other: Mark) -> float:
        """Return the intersection over union of both boxes, each at least two units wide and high."""
        low, high = (np.array([self.low, other.low]) - 1, np.array([self.high, other.high]) + 1)
        both = np.maximum(high.min(axis=0) - low.max(axis=0), 0).prod()
        return float(both / ((high - low).prod(axis=1).sum() - both))


def merged(marks: list[Mark]) -> list[Mark]:
    """Return marks with those joined that lie in one another or cross near their centres."""
    result: list[Mark] = []
    for mark in sorted(marks, key=lambda each: -each.size):
        for place, other in enumerate(result):
            apart = float(np.hypot(*(mark.centre - other.centre)))
            meet = (np.minimum(mark.high, other.high) + 1 >= np.maximum(mark.low, other.low) - 1).all()
            if meet and apart <= 0.72 * other.size and other.size < 40:
                result[place] = Mark.of(np.concatenate([other.points, mark.points]))
                break
        else:
            result.append(mark)
    return result


def marks(
    drawn: Drawn,
    *,
    at: Sequence[Sequence[float]],
    size: float,
    within: float | None = None,
    need: float | None = None,
    low: float = 0.08,
    high: float = 2.8,
    both: float = 0,
    closed: bool = False,
) -> bool:
    """Return whether there is a mark of about one size at each place.

    Args:
        drawn: the drawing.
        at: centres.
        size: longer side of a mark.
        within: largest distance from the centre that is asked for; by default 10 to 15, by their size.
        need: places that must have one; by default all of up to three, and half of more.
        low: smallest size, as a multiple.
        high: largest size, as a multiple.
        both: whether the places' mirror images about x = 50 do as well.
        closed: whether the marks must be closed.
    """
    reach = min(max(10.0, 0.75 * size), 15.0) if within is None else within
    places = [(float(x), float(y)) for x, y in at]
    if both:
        more: Any = {"size": size, "within": reach, "need": need, "low": low, "high": high, "closed": closed}
        sides = (places, [(100 - x, y) for x, y in places])
        return any(marks(drawn, at=side, **more) for side in sides)
    fitting = [
        mark
        for mark in (*drawn.marks, *(Mark.of(each) for each in drawn.added))
        if low * size <= max(mark.size, STEP) <= high * size and (mark.closed or not closed)
    ]
    found: list[Mark] = []
    for place in places:
        near = [(float(np.hypot(*(mark.centre - place))), mark) for mark in fitting]
        near = [(apart, mark) for apart, mark in near if apart <= reach and distinct(mark, found)]
        if near:
            found.append(min(near, key=lambda each: each[0])[1])
    if len(places) == 2 and not closed and twice(drawn, found):
        return False
    enough = need or (len(places) if len(places) <= 3 else len(places) / 2)
    sizes = [max(mark.size, 2.0) for mark in found]
    return len(found) >= enough and (len(places) > 2 or max(sizes) <= 2.5 * min(sizes))


def twice(drawn: Drawn, found: Sequence[Mark]) -> bool:
    """Return whether a further closed mark of about their size stands close beside some marks."""
    more = [mark for mark in map(Mark.of, drawn.added) if mark.closed and distinct(mark, found)]
    return any(
        0.6 <= mark.size / max(other.size, STEP) <= 1.6
        and np.hypot(*(mark.centre - other.centre)) <= 1.6 * max(other.size, mark.size)
        for mark in more
        for other in found
    )


def distinct(mark: Mark, others: Sequence[Mark]) -> bool:
    """Return whether a mark stands beside others, not in them."""
    return all(np.hypot(*(mark.centre - other.centre)) > 0.4 * max(mark.size, other.size) for other in others)


def span(
    drawn: Drawn,
    *,
    box: Sequence[float],
    low: float | Sequence[float] = 0.5,
    touch: float = 0,
    near: Sequence[float] = (),
    within: float = 10.0,
    grow: float = 9.0,
) -> bool:
    """Return whether added ink spans a place.

    Args:
        drawn: the drawing.
        box: left, top, right and bottom of the place.
        low: least share of its width and of its height, one for both or one for each.
        touch: whether the ink must touch given ink.
        near: x, y of points that the ink must come near.
        within: how near.
        grow: how far beyond the place the ink may lie, at least.
    """
    corners = np.array(box, dtype=float).reshape(2, 2)
    side = corners[1] - corners[0]
    more = np.clip(0.25 * side + 6, grow, 16)
    grown = np.array([corners[0] - more, corners[1] + more])
    inside = [stroke[((stroke >= grown[0]) & (stroke <= grown[1])).all(axis=1)] for stroke in drawn.added]
    mostly = [
        (part, drawn.free(part))
        for stroke, part in zip(drawn.added, inside, strict=True)
        if len(part) >= 0.45 * len(stroke) and len(stroke) >= min(0.45 * side.max(), 12)
    ]
    free = np.concatenate([np.zeros((0, 2)), *(each for _, each in mostly)])
    if not len(free):
        return False
    clipped = np.clip(free, corners[0] - 4, corners[1] + 4)
    extent = clipped.max(axis=0) - clipped.min(axis=0) + 2 * STEP
    if (extent < np.minimum(np.array(low) * side, side - 4))[side > 10].any():
        return False
    points = np.concatenate([part for part, _ in mostly])
    goals = np.array(near, dtype=float).reshape(-1, 2)
    if (nearest(goals, points) > within).any():
        return False
    return not touch or bool(nearest(points, drawn.given_ink.points).min() <= TOUCH + 1)


def join(
    drawn: Drawn,
    *,
    start: Sequence[float],
    end: Sequence[float],
    via: Sequence[float] | None = None,
    reach: float | None = None,
    low: float = 0.6,
) -> bool:
    """Return whether added strokes lead from given ink to given ink, around by a point.

    Args:
        drawn: the drawing.
        start: where the line is to begin.
        end: where it is to end.
        via: a point by which it passes; by default the middle.
        reach: how near; by default half of that point's distance from the line from start to end.
        low: least distance of the two places where it meets given ink, as a share of that from start to end.
    """
    one, other = np.array(start, dtype=float), np.array(end, dtype=float)
    apart = float(np.hypot(*(other - one)))
    middle = np.array(via, dtype=float) if via is not None else (one + other) / 2
    line = resample(np.array([one, other]), STEP)
    reach = reach or max(9.0, 0.5 * float(nearest(middle[None], line)[0]))
    for group in linked(drawn.added, TOUCH):
        points = np.concatenate(group)
        meets = points[nearest(points, drawn.given_ink.points) <= TOUCH]
        if len(meets) and len(drawn.free(points)) >= 0.3 * len(points):
            spread = float(np.hypot(*(meets.max(axis=0) - meets.min(axis=0))))
            passes = nearest(middle[None], points)[0] <= reach
            if spread >= low * apart and passes:
                return True
    return False


def linked(strokes: Sequence[Points], within: float) -> list[list[Points]]:
    """Return strokes in groups whose members touch."""
    groups: list[list[Points]] = []
    for stroke in strokes:
        touching = [group for group in groups if any(nearest(stroke, each).min() <= within for each in group)]
        groups = [group for group in groups if not any(group is each for each in touching)]
        groups.append([stroke, *(each for group in touching for each in group)])
    return groups


def around(
    drawn: Drawn, *, centre: Sequence[float], r: float, n: float, gap: float = 360.0, hub: float | None = None
) -> bool:
    """Return whether a circle is crossed by added lines all around, such as rays, petals and hands.

    Args:
        drawn: the drawing.
        centre: of the circle.
        r: its radius; some smaller and larger circles do as well.
        n: least number of crossings; where it is above 2, short strokes about there count as well.
        gap: largest angle without one, degrees.
        hub: how near the centre some ink must come.
    """
    offsets = [stroke - np.array(centre, dtype=float) for stroke in drawn.added]
    if hub is not None and not any(np.hypot(*offset.T).min() <= hub for offset in offsets):
        return False
    middles = [offset.mean(axis=0) for offset in offsets if len(offset) < 2 * r]
    crossings = [np.array([each for each in middles if 0.6 * r < np.hypot(*each) < 1.6 * r and n > 2])]
    for radius in (r, 0.85 * r, 1.15 * r, 0.7 * r, 1.3 * r):
        far = [np.hypot(*offset.T) > radius for offset in offsets]
        at = [offset[1:][out[1:] != out[:-1]] for offset, out in zip(offsets, far, strict=True)]
        crossings.append(np.concatenate([np.zeros((0, 2)), *at]))
    for each in crossings:
        kept = spaced(sorted(np.degrees(np.arctan2(y, x)) for x, y in each), 4.0)
        gaps = np.diff([*kept, kept[0] + 360]) if kept else np.array([360.0])
        if n <= len(kept) <= MAX_CROSSINGS and gaps.max() <= gap:
            return True
    return False


def across(drawn: Drawn, *, start: Sequence[float], end: Sequence[float], n: float, twin: float = 0) -> bool:
    """Return whether a straight line is crossed by added lines, such as legs and rungs, not by closed ones.

    Args:
        drawn: the drawing.
        start: of the line; lines beside it do as well.
        end: of the line.
        n: least number of crossings; at most four times as many and six more.
        twin: whether its mirror image about x = 50 must be crossed, too.
    """
    one, other = np.array(start, dtype=float), np.array(end, dtype=float)
    if twin and not across(drawn, start=[100 - one[0], one[1]], end=[100 - other[0], other[1]], n=n):
        return False
    length = float(np.hypot(*(other - one)))
    along = (other - one) / length
    normal = np.array([-along[1], along[0]])
    lines = [stroke for stroke in drawn.added if not Mark.of(stroke).closed]
    for shift in (0.0, 4.0, -4.0, 8.0, -8.0):
        places: list[float] = []
        for stroke in lines:
            side = (stroke - one) @ normal > shift
            at = ((stroke - one) @ along)[1:][side[1:] != side[:-1]]
            places += at[(at >= -5) & (at <= length + 5)].tolist()
        kept = spaced(sorted(places), 2.0)
        if n <= len(kept) <= 4 * n + 6 and (n < 2 or kept[-1] - kept[0] >= 0.1 * length):
            return True
    return False


def spaced(values: Sequence[float], least: float) -> list[float]:
    """Return sorted values without those that follow too soon."""
    kept: list[float] = []
    for value in values:
        if not kept or value - kept[-1] >= least:
            kept.append(value)
    return kept


def rings(drawn: Drawn, **settings: Any) -> bool:
    """Return whether there are closed marks; see `marks`."""
    sizes: dict[str, Any] = {"low": 0.5, "high": 1.9}
    return marks(drawn, **(sizes | settings), closed=True)


CHECKS: dict[str, Callable[..., bool]] = {
    "marks": marks,
    "rings": rings,
    "span": span,
    "join": join,
    "around": around,
    "across": across,
}


def present(drawn: Drawn, check: dict[str, Any]) -> bool:
    """Return whether a part is there: a check has a `kind`, one of `CHECKS`, its arguments, and a `part`."""
    settings = {key: value for key, value in check.items() if key not in ("part", "kind")}
    if check.get("kind") not in CHECKS:
        raise FormatError(f"no check {check.get('kind')!r}; there are {', '.join(CHECKS)}")
    return CHECKS[check["kind"]](drawn, **settings)
