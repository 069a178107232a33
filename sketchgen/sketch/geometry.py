"""Simplification as Quick, Draw! does it, and the mapping between a page and the frame a model works in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import SketchError
from sketchgen.sketch.sketch import Points, Sketch

BOX = 255.0
"""Side of the box that Quick, Draw! scales its simplified drawings to, in px."""

CENTRE = BOX / 2
"""Where in that box the origin of the model's coordinates lies, in x and in y; first offsets start here."""

GIVEN_SIDE = 160.0
"""Longer side of a given part in the frame that is used where the whole drawing's size is unknown, px."""

EPSILON = 2.0
"""Quick, Draw!'s Ramer-Douglas-Peucker tolerance, in px of that box."""

MIN_EXTENT = 1e-9
"""A drawing whose longer side is below this has no extent: scaled up, it would be nothing but float noise."""

MAX_RESAMPLED = 5_000_000
"""Most points that resampling may make of a stroke, and `simplify` of a whole drawing; about 100 MB."""

RDP_EFFORT = 20_000_000
"""Distances that `rdp` may compute for one stroke before it halves long spans; about half a second."""

_RDP_SPAN = 256
"""Longest span, in points, that `rdp` does not halve once that effort is spent."""


class Frame(NamedTuple):
    """Where model units sit on a page: page = model * scale + (x, y).

    Attributes:
        scale: page units for one px of the model's box, > 0.
        x, y: where the model's origin lies on the page.
    """

    scale: float
    x: float
    y: float

    def to_model(self, points: Points) -> Points:
        """(n, 2) page coordinates as model px."""
        return (points - (self.x, self.y)) / self.scale

    def to_page(self, points: Points) -> Points:
        """(n, 2) model px as page coordinates; the inverse of `to_model`."""
        return points * self.scale + (self.x, self.y)


def moved(sketch: Sketch, scale: float, dx: float = 0.0, dy: float = 0.0) -> Sketch:
    """The drawing (and its page) scaled about the origin, then shifted."""
    strokes = [stroke * scale + (dx, dy) for stroke in sketch.strokes]
    page = sketch.page
    if page is not None:
        page = type(page)(page.x * scale + dx, page.y * scale + dy, page.width * scale, page.height * scale)
    return Sketch.from_strokes(strokes, page=page, category=sketch.category)


def box_frame(sketch: Sketch, box: float = BOX) -> Frame:
    """The frame that aligns a whole drawing to the origin and scales its longer side to `box`.

    A drawing without extent (a dot, or nothing; see `MIN_EXTENT`) is only moved.
    """
    bounds = sketch.bounds
    if bounds is None:
        return Frame(1.0, 0.0, 0.0)
    scale = bounds.longer / box if bounds.longer > MIN_EXTENT else 1.0
    return Frame(scale, bounds.x, bounds.y)


def in_frame(sketch: Sketch, frame: Frame) -> Sketch:
    """The drawing in model px of `frame`, without its page."""
    return Sketch.from_strokes(
        [frame.to_model(stroke) for stroke in sketch.strokes], category=sketch.category
    )


def _check_length(length: float, spacing: float, what: str) -> None:
    """Refuse what resampling would blow up."""
    if length > spacing * MAX_RESAMPLED:
        raise SketchError(
            f"{what} {length:g} long takes over {MAX_RESAMPLED} points {spacing:g} apart; scale it down"
        )


def _thinned(strokes: Sequence[Points], epsilon: float = EPSILON, spacing: float = 1.0) -> list[Points]:
    """Every stroke resampled and thinned, if all together are not too long."""
    total = sum(float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in strokes)
    _check_length(total, spacing, "a drawing")
    return [rdp(resample(stroke, spacing), epsilon) for stroke in strokes]


def resample(points: Points, spacing: float = 1.0) -> Points:
    """Points every `spacing` along a polyline, (m, 2), with its first and last point kept exactly.

    A polyline without length becomes its first point alone.

    Raises:
        SketchError: it would take more than `MAX_RESAMPLED` points.
    """
    steps = np.hypot(*np.diff(points, axis=0).T)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    if length[-1] == 0.0:
        return points[:1]
    _check_length(float(length[-1]), spacing, "a stroke")
    at = np.append(np.arange(0.0, length[-1], spacing), length[-1])
    result = np.column_stack([np.interp(at, length, points[:, axis]) for axis in (0, 1)])
    result[-1] = points[-1]
    return result


def evenly(strokes: Sequence[Points], spacing: float, most: float) -> list[Points]:
    """Points every `spacing` along each stroke; wider apart where there would be over about `most` in all."""
    length = sum(float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in strokes)
    return [resample(stroke, max(spacing, length / most)) for stroke in strokes]


def _distances(points: Points, start: Points, end: Points) -> NDArray[np.float64]:
    """(n,) distance of each point to the line through `start` and `end`, or to both where they meet."""
    along, offsets = end - start, points - start
    norm = float(np.hypot(along[0], along[1]))
    if norm == 0.0:
        return np.hypot(offsets[:, 0], offsets[:, 1])
    return np.abs(offsets[:, 0] * along[1] - offsets[:, 1] * along[0]) / norm


def rdp(points: Points, epsilon: float = EPSILON) -> Points:
    """The polyline without the points that lie within `epsilon` of the line through their kept neighbours.

    Ramer 1972, Douglas and Peucker 1973; iterative, so that long strokes do not exhaust the stack. The line
    is infinite, as it is in Google's data: a tip that overshoots and turns back within `epsilon` of its own
    track is lost. The first and the last point stay.

    A dense zigzag costs the square of its length. So after `RDP_EFFORT` distances (or 32 a point, if that is
    more) a span of over 256 points is cut in its middle, a point that then stays, instead of at its worst
    point: the result keeps within `epsilon`, with a few points more. Strokes of up to 6,000 points, and all
    that resemble drawings, never get there.
    """
    if len(points) < 3:
        return points
    keep = np.zeros(len(points), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    effort = max(RDP_EFFORT, 32 * len(points))
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        if effort < 0 and last - first > _RDP_SPAN:
            middle = (first + last) // 2
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
            continue
        effort -= last - first
        gaps = _distances(points[first + 1 : last], points[first], points[last])
        worst = int(np.argmax(gaps))
        if gaps[worst] > epsilon:
            middle = first + 1 + worst
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return points[keep]


def simplify(sketch: Sketch, *, epsilon: float = EPSILON, spacing: float = 1.0) -> Sketch:
    """Resample every stroke each `spacing` and thin it with `rdp`, in the units the drawing is in.

    Raises:
        SketchError: it would take more than `MAX_RESAMPLED` points on the way.
    """
    strokes = _thinned(sketch.strokes, epsilon, spacing)
    return Sketch.from_strokes(strokes, page=sketch.page, category=sketch.category)


def _whole_pixels(stroke: Points) -> Points:
    """The stroke rounded (half to even), without points that fall on the one before."""
    rounded = np.rint(stroke)
    return rounded[np.append(True, (np.diff(rounded, axis=0) != 0).any(axis=1))]


def simplify_as_quickdraw(sketch: Sketch) -> Sketch:
    """A raw drawing as Quick, Draw! simplifies it: align, scale to 255, resample 1 px, RDP 2.0, whole px.

    Steps and constants: the Quick, Draw! data set's README ("Simplified Drawing files"). What it leaves out
    was found by comparing raw with simplified drawings: distances count to the infinite line; coordinates are
    rounded; points that then coincide are one; a first stroke that is a dot stands as two equal points; the
    result is aligned to 0 once more, since thinning may lose the leftmost or topmost point.

    Raises:
        SketchError: it would take more than `MAX_RESAMPLED` points on the way.
    """
    bounds = sketch.bounds
    if bounds is None:
        return Sketch(category=sketch.category)
    longer = bounds.longer if bounds.longer > MIN_EXTENT else BOX
    # Multiplied before it is divided, unlike `box_frame`: in a few drawings the last bit decides a tie.
    aligned = [(stroke - (bounds.x, bounds.y)) * BOX / longer for stroke in sketch.strokes]
    strokes = [_whole_pixels(stroke) for stroke in _thinned(aligned)]
    if len(strokes[0]) == 1:
        strokes[0] = strokes[0][[0, 0]]
    corner = np.concatenate(strokes).min(axis=0)
    return Sketch.from_strokes([stroke - corner for stroke in strokes], category=sketch.category)
