"""What must not be added to a beginning: a given part again, strokes that touch nothing, lines through eyes.

Lengths and strokes are those of `pages_checks`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sketchgen.evaluation.pages_checks import ALONG, STEP, TOUCH, Drawn, Mark
from sketchgen.sketch.distance import Ink, covered, nearest
from sketchgen.sketch.geometry import resample
from sketchgen.sketch.sketch import Points

RUN, ANGLE = 8.0, 35.0
"""Ink runs along given ink for more than this; degrees, where directions count."""

CELL = 5.0
"""Side of a cell."""

SAME = 0.55
"""Closed strokes whose boxes overlap by more (intersection over union) are one part drawn twice."""


def redraws(drawn: Drawn) -> list[bool]:
    """Return for each added stroke whether it draws a given part again.

    Half of it runs along given ink in about the same direction, or it is `doubled`.
    """
    along = [
        len(stroke) > RUN and covered(Ink([stroke], STEP), drawn.given_ink, ALONG, ANGLE).mean() >= 0.5
        for stroke in drawn.added
    ]
    return [bool(one or other) for one, other in zip(along, doubled(drawn), strict=True)]


def doubled(drawn: Drawn) -> list[bool]:
    """Return for each added stroke whether it is closed and lies where a closed given stroke lies."""
    closed = [mark for mark in map(Mark.of, drawn.given) if mark.closed]
    marks_ = [Mark.of(stroke) for stroke in drawn.added]
    return [
        mark.size > RUN and mark.closed and any(mark.overlap(other) >= SAME for other in closed)
        for mark in marks_
    ]


def repeated(drawn: Drawn, eyes: Sequence[int]) -> bool:
    """Return whether an added closed mark about as large as one of the given `eyes` stands beside or over it.

    A smaller one in it is a pupil.
    """
    for mark in (Mark.of(drawn.given[place]) for place in eyes):
        for other in map(Mark.of, drawn.added):
            apart, ratio = float(np.hypot(*(other.centre - mark.centre))), other.size / max(mark.size, STEP)
            pupil = ratio < 0.7 and apart < 0.4 * mark.size
            if other.closed and 0.6 <= ratio <= 1.7 and apart <= 1.7 * mark.size and not pupil:
                return True
    return False


def crossed(drawn: Drawn, small: Sequence[int]) -> bool:
    """Return whether an added stroke runs through one of the given strokes `small`, such as eyes."""
    for mark in (Mark.of(drawn.given[place]) for place in small):
        for stroke in drawn.added:
            offset = np.abs(stroke - mark.centre).max(axis=1)
            if offset.min() < 0.25 * mark.size and offset.max() > mark.size + 2:
                return True
    return False


def detached(drawn: Drawn, loose: Sequence[Sequence[float]] = ()) -> list[bool]:
    """Return for each added stroke whether it touches nothing and should.

    It need not where it lies within the convex hull of the given strokes, or in one of the boxes `loose`
    (left, top, right, bottom) of parts that touch nothing in the design, either, such as steam.
    """
    result: list[bool] = []
    for place, stroke in enumerate(drawn.added):
        others = [*drawn.given, *drawn.added[:place], *drawn.added[place + 1 :]]
        middle = (stroke.min(axis=0) + stroke.max(axis=0)) / 2
        allowed = any(
            left - 8 <= middle[0] <= right + 8 and top - 8 <= middle[1] <= bottom + 8
            for left, top, right, bottom in loose
        )
        result.append(not allowed and floating([*others], stroke, drawn.given))
    return result


def floating(others: Sequence[Points], stroke: Points, hull: Sequence[Points] | None = None) -> bool:
    """Return whether a stroke touches no other one, and lies outside the hull of some: of all by default."""
    rest = [
        resample(each, STEP) for each in others if each is not stroke and not np.array_equal(each, stroke)
    ]
    if not rest:
        return False
    line = resample(stroke, STEP)
    if nearest(line, np.concatenate(rest)).min() <= TOUCH:
        return False
    points = np.concatenate(rest if hull is None else list(hull))
    # The hull in 36 directions, and a unit more.
    angle = np.linspace(0.0, math.tau, 36, endpoint=False)
    directions = np.array([np.cos(angle), np.sin(angle)])
    return bool((line @ directions > (points @ directions).max(axis=0) + 1.0).any())


def tangle(drawn: Drawn) -> float:
    """Return how often added ink passes through a cell of its own, about 1, in a scribble more."""
    points = drawn.added_ink.points
    cells = len(np.unique(np.floor(points / CELL), axis=0))
    return drawn.added_ink.length / (CELL * cells) if cells else 0.0
