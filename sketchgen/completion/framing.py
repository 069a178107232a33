"""The frame in which the network sees a given part.

The size of a whole drawing is known, that of a partial one is not. A given part with any extent is shown in a
frame of its own: its longer side at a fixed number of px, its middle at the origin, as a third of the cut
training drawings are. So the same part has the same completions whatever its size and place. Only where there
is nothing to measure (an empty page, a dot) does the page decide.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sketchgen.sketch.geometry import BOX, CENTRE, EPSILON, GIVEN_SIDE, Frame, simplify
from sketchgen.sketch.sketch import Box, Points, Sketch
from sketchgen.sketch.strokes import pens

PAGE_SHARE = 0.75
"""Share of a page's shorter side that a drawing from nothing fills."""

FIRST_POINT = (110.0, 80.0)
"""Where in the 255 box drawings begin on average; a single dot is taken for such a first point."""

DOT_SHARE = 0.004
"""Ink smaller than this share of the page's longer side is a dot."""

WHOLES = (1.15, 1.6, 2.3)
"""Longer sides of whole drawings that are tried where a given part stands near the edge, in those of it."""

GRID = 64.0
"""The given part is rounded to 1/64 px, so that rounding errors of a page's scale have no effect."""

MAX_GIVEN = 400
"""Most points of the given part that the network reads; a longer one is simplified more."""


def _page_frame(page: Box | None, anchor: tuple[float, float] | None) -> Frame:
    """Return the frame of a drawing that is to fill most of the page, or to begin at `anchor`."""
    scale = 1.0 if page is None else PAGE_SHARE * min(page.width, page.height) / BOX
    if anchor is not None:
        shift = (CENTRE - FIRST_POINT[0], CENTRE - FIRST_POINT[1])
        return Frame(scale, anchor[0] + shift[0] * scale, anchor[1] + shift[1] * scale)
    centre = (CENTRE, CENTRE) if page is None else page.centre
    return Frame(scale, *centre)


def frame_of(sketch: Sketch) -> tuple[Frame, bool]:
    """Return the frame in which a given part is shown, and whether it is that of the whole drawing."""
    bounds = sketch.bounds
    if bounds is None:
        return _page_frame(sketch.page, None), True
    least = 0.0 if sketch.page is None else DOT_SHARE * sketch.page.longer
    if bounds.longer <= max(least, 1e-9 * max(abs(bounds.x), abs(bounds.y))):
        return _page_frame(sketch.page, bounds.centre), True
    return Frame(bounds.longer / GIVEN_SIDE, *bounds.centre), False


def page_frames(sketch: Sketch) -> list[Frame]:
    """Return frames of whole drawings that stay on the page, for a given part with an extent on it.

    The given part stands in the middle of each, or on the side where the page has less than half of the room
    that it has on the other.
    """
    page, ink = sketch.page, sketch.bounds
    if page is None or ink is None:
        return []
    found = []
    for side in (times * ink.longer for times in WHOLES):
        if 0.0 < side <= min(page.width, page.height):
            spans = ((ink.x, ink.width, page.x, page.width), (ink.y, ink.height, page.y, page.height))
            x, y = (_start(*span, side) for span in spans)
            found.append(Frame(side / BOX, x + side / 2.0, y + side / 2.0))
    return found


def _start(low: float, extent: float, page: float, size: float, side: float) -> float:
    """Return where a frame begins on an axis on which the given part and the page extend so far."""
    before, after = low - page, page + size - low - extent
    share = 0.0 if before < after / 2.0 else 1.0 if after < before / 2.0 else 0.5
    return min(max(low - share * (side - extent), page), page + size - side)


def model_points(sketch: Sketch, frame: Frame, epsilon: float = EPSILON) -> tuple[Points, NDArray[np.int64]]:
    """Return the (n, 2) points of a given part, px of the frame, and the (n,) pen after each.

    The part is simplified as the training drawings were, with a tolerance of `epsilon` px.
    """
    if sketch.is_empty:
        return np.zeros((0, 2)), np.zeros(0, dtype=np.int64)
    strokes = [np.rint(frame.to_model(stroke) * GRID) / GRID for stroke in sketch.strokes]
    thin = simplify(Sketch.from_strokes(strokes), epsilon=epsilon)
    while thin.point_count > MAX_GIVEN and epsilon < 16.0:
        epsilon *= 1.5
        thin = simplify(thin, epsilon=epsilon)
    return thin.points, pens(thin)


def rounded(points: Points, scale: float) -> Points:
    """Round page coordinates to the decimals that 1/100 of a model px needs, for files that people read."""
    return np.round(points, 2 - math.floor(math.log10(scale)))
