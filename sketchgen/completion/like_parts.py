"""Like parts: an added stroke that stands beside a given one of its form gets the size of that one.

A network that draws from a mixture draws a second eye or wheel a size too small, or a line too high. People
draw both of about one size and at one height: so an added stroke is brought to the size and the height of the
given stroke of its form that it stands beside. Lines that have no width of their own, such as legs and the
hands of a clock, stay as they are, and so does what stands above or below: the balls of a snowman are of
several sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sketchgen.sketch.distance import nearest
from sketchgen.sketch.geometry import line_length, resample
from sketchgen.sketch.sketch import Points

MAX_RATIO = 1.6
"""Largest ratio of the sizes of two strokes that are to be alike."""

LIKE = 0.07
"""Largest distance of two like forms, a share of their size: the mean from points of each to the other."""

BESIDE = 0.35
"""Strokes stand beside each other if their heights differ by less, a share of the larger one's size."""

MIN_WIDTH = 0.4
"""Least shorter side of a stroke with a form of its own, a share of the longer one."""

POINTS = 48
"""Points along a stroke whose form is compared."""


def made_alike(added: Sequence[Points], given: Sequence[Points]) -> list[Points]:
    """Return added strokes with the size and the height of like given ones beside them."""
    others = [_Form.of(stroke) for stroke in given]
    found: list[Points] = []
    for stroke in added:
        form = _Form.of(stroke)
        like = form.likest(others)
        found.append(stroke if like is None else form.resized(stroke, like))
    return found


class _Form:
    """A stroke's box, and points along it in that box.

    Attributes:
        middle, side: (2,) of the box.
        points: (n, 2), its middle at the origin, its longer side 1.
    """

    def __init__(self, middle: Points, side: Points, points: Points) -> None:
        self.middle, self.side, self.points = middle, side, points

    @classmethod
    def of(cls, stroke: Points) -> _Form:
        low, high = stroke.min(0), stroke.max(0)
        middle, side = (low + high) / 2.0, high - low
        size = float(side.max())
        if size <= 0.0:
            return cls(middle, side, np.zeros((1, 2)))
        points = resample(stroke, line_length([stroke]) / POINTS)
        return cls(middle, side, (points - middle) / size)

    @property
    def size(self) -> float:
        return float(self.side.max())

    def likest(self, others: Sequence[_Form]) -> _Form | None:
        """Return the form that is most like this one and stands beside it."""
        if self.side.min() <= MIN_WIDTH * self.size:
            return None
        some = [(self._distance(each), row) for row, each in enumerate(others) if self._beside(each)]
        distance, row = min(some, default=(np.inf, 0))
        return others[row] if distance < LIKE else None

    def _beside(self, other: _Form) -> bool:
        sizes = sorted((self.size, other.size))
        apart = np.abs(self.middle - other.middle)
        return bool(
            0.0 < sizes[1] <= MAX_RATIO * sizes[0]
            and apart[0] > (self.side[0] + other.side[0]) / 2.0
            and apart[1] < BESIDE * sizes[1]
        )

    def _distance(self, other: _Form) -> float:
        """Return how unlike two forms are, as they are or in an upright mirror."""
        both = (self.points, self.points * (-1.0, 1.0))
        return min(
            float(nearest(one, other.points).mean() + nearest(other.points, one).mean()) / 2.0 for one in both
        )

    def resized(self, stroke: Points, like: _Form) -> Points:
        """Return this form's stroke with the size and the height of another."""
        aside = self.middle[0] - like.middle[0]
        # Larger than before, it must not reach over the other.
        aside = np.copysign(max(abs(aside), like.side[0]), aside)
        return (stroke - self.middle) * (like.size / self.size) + like.middle + (aside, 0.0)
