"""How a person completed a drawing, with gaps closed as a model's are, so that gaps tell nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.sketch.sketch import Points
from sketchgen.sketch.strokes import Pen, split_strokes


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
