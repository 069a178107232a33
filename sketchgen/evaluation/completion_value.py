"""What a completion is worth where it is known how a person went on: a number for comparing several.

Whether a drawing is finished (`sketchgen.evaluation.finishing`) is a yes or a no, and most ways are a no: to
tell a near miss from another drawing altogether, how much of the missing ink is covered, how much of the
added ink lies where it is missing, and how far the two are apart count besides.
"""

from __future__ import annotations

from collections.abc import Sequence

from sketchgen.evaluation.finishing import Figures, measure
from sketchgen.evaluation.unfinished import Item
from sketchgen.sketch.sketch import Completion, Points, Sketch

SPACING = 3.0
"""Px between points of ink: of 4,492 ways 99.4 % are found to be finished or not as with 1 px."""

FAR = 100.0
"""Px beyond which distances are alike."""


def worth(figures: Figures) -> float:
    """A completion's worth, -1 to 2: 1 for a finished drawing, and up to 1 for being near to it."""
    near = figures.covered + figures.in_region
    return float(figures.finished) + near / 2 - min(figures.chamfer, FAR) / FAR


def worths(given: Sequence[Points], rest: Sequence[Points], ways: Sequence[Sequence[Points]]) -> list[float]:
    """What ways to finish a drawing are worth.

    Args:
        given: its first strokes, px.
        rest: how the person went on; a point of ink at least.
        ways: what is compared: strokes each, none allowed.
    """
    sketch = Sketch.from_strokes(given)
    item = Item("", "", "part", sketch, Sketch.from_strokes(rest))
    return [worth(measure(item, Completion(sketch, Sketch.from_strokes(way)), SPACING)) for way in ways]
