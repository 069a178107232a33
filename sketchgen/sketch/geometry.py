"""Frames between a page and a model's coordinates, resampling, and Quick, Draw!'s simplification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import SketchError
from sketchgen.sketch.sketch import Points, Sketch

BOX = 255.0
"""Longer side of Quick, Draw!'s simplified drawings, px."""

CENTRE = BOX / 2
"""Origin of a model's coordinates in that box, in x and in y; first offsets start here."""

GIVEN_SIDE = 160.0
"""Longer side of a partial drawing in a model's frame, if the size of the whole is unknown, px."""

EPSILON = 2.0
"""Quick, Draw!'s Ramer-Douglas-Peucker tolerance, px of that box."""

MIN_EXTENT = 1e-9
"""Minimum longer side of a drawing with an extent; scaled up, a smaller one is float noise."""

MAX_RESAMPLED = 5_000_000
"""Maximum number of points that resampling may make of a drawing; about 100 MB."""

RDP_EFFORT = 20_000_000
"""Number of distances after which `rdp` halves the long spans of a stroke; about half a second."""

_RDP_SPAN = 256
"""Maximum length, in points, of the spans that `rdp` does not halve then."""


class Frame(NamedTuple):
    """A map between a model's coordinates and a page: page = model * scale + (x, y).

    Attributes:
        scale: page units in one px of the model, > 0.
        x, y: the model's origin on the page.
    """

    scale: float
    x: float
    y: float

    def to_model(self, points: Points) -> Points:
        """Return (n, 2) page coordinates in model px."""
        return (points - (self.x, self.y)) / self.scale


def moved(sketch: Sketch, scale: float, dx: float = 0.0, dy: float = 0.0) -> Sketch:
    """Return the drawing and its page scaled about the origin, then shifted."""
    strokes = [stroke * scale + (dx, dy) for stroke in sketch.strokes]
    page = sketch.page
    if page is not None:
        page = type(page)(page.x * scale + dx, page.y * scale + dy, page.width * scale, page.height * scale)
    return Sketch.from_strokes(
        strokes, page=page, category=sketch.category, times=sketch.times, pressure=sketch.pressure
    )


def box_frame(sketch: Sketch) -> Frame:
    """Return the frame that aligns a drawing to the origin and scales its longer side to `BOX`.

    A drawing without extent (see `MIN_EXTENT`) is not scaled.
    """
    bounds = sketch.bounds
    if bounds is None:
        return Frame(1.0, 0.0, 0.0)
    scale = bounds.longer / BOX if bounds.longer > MIN_EXTENT else 1.0
    return Frame(scale, bounds.x, bounds.y)


def in_frame(sketch: Sketch, frame: Frame) -> Sketch:
    """Return the drawing in model px, without its page."""
    return Sketch.from_strokes(
        [frame.to_model(stroke) for stroke in sketch.strokes], category=sketch.category
    )


def steps(points: Points) -> NDArray[np.float64]:
    """Return the (n - 1,) distances from each point of a line to the next."""
    return np.hypot(*np.diff(points, axis=0).T)


def line_length(strokes: Sequence[Points]) -> float:
    """Return the length of all strokes together."""
    return sum(float(steps(stroke).sum()) for stroke in strokes)


def _check_length(length: float, spacing: float, what: str) -> None:
    """Check that resampling makes no more than `MAX_RESAMPLED` points."""
    if length > spacing * MAX_RESAMPLED:
        raise SketchError(
            f"{what} {length:g} long takes over {MAX_RESAMPLED} points {spacing:g} apart; scale it down"
        )


def _thinned(strokes: Sequence[Points], epsilon: float = EPSILON, spacing: float = 1.0) -> list[Points]:
    """Return every stroke resampled and thinned."""
    _check_length(line_length(strokes), spacing, "a drawing")
    return rdp_all([resample(stroke, spacing) for stroke in strokes], epsilon)


def resample(points: Points, spacing: float = 1.0) -> Points:
    """Return (m, 2) points every `spacing` along a polyline; its first and last point stay exactly.

    A polyline without length becomes its first point.

    Raises:
        SketchError: there would be more than `MAX_RESAMPLED` points.
    """
    length = np.concatenate([[0.0], np.cumsum(steps(points))])
    if length[-1] == 0.0:
        return points[:1]
    _check_length(float(length[-1]), spacing, "a stroke")
    at = np.append(np.arange(0.0, length[-1], spacing), length[-1])
    result = np.column_stack([np.interp(at, length, points[:, axis]) for axis in (0, 1)])
    result[-1] = points[-1]
    return result


def rdp(points: Points, epsilon: float = EPSILON) -> Points:
    """Return a polyline without the points within `epsilon` of the line through their kept neighbours.

    Ramer (1972), Douglas and Peucker (1973). The first and the last point stay. Distances are to the infinite
    line, as in Google's data: a tip that turns back along its own track is lost.

    A dense zigzag costs the square of its length. After `RDP_EFFORT` distances (or 32 a point, if that is
    more), spans of over 256 points are therefore split at their middle instead of their farthest point. The
    result is still within `epsilon`, with a few more points. Strokes of up to 6,000 points are not affected.
    """
    return rdp_all([points], epsilon)[0]


def rdp_all(strokes: Sequence[Points], epsilon: float = EPSILON) -> list[Points]:
    """Return the `rdp` of several strokes, each of at least one point; the effort is that of all together."""
    if not strokes:
        return []
    x, y = np.concatenate(strokes).T.copy()
    last = np.cumsum([len(stroke) for stroke in strokes]) - 1
    first = np.append(0, last[:-1] + 1)
    keep, ends = np.zeros(len(x), dtype=bool), last + 1
    keep[first] = keep[last] = True
    effort = max(RDP_EFFORT, 32 * len(x))
    # All spans between neighbours that are kept so far are halved at once.
    while (wide := last - first > 1).any():
        first, last = first[wide], last[wide]
        inner = last - first - 1
        effort -= int(inner.sum())
        begin = np.cumsum(inner) - inner
        at = np.arange(inner.sum()) + np.repeat(first + 1 - begin, inner)
        gaps = _distances(x, y, at, first, last, inner)
        worst = np.maximum.reduceat(gaps, begin)
        middle = np.minimum.reduceat(np.where(gaps == np.repeat(worst, inner), at, len(x)), begin)
        if effort < 0:
            long = last - first > _RDP_SPAN
            middle[long], worst[long] = (first[long] + last[long]) // 2, np.inf
        cut = worst > epsilon
        first, middle, last = first[cut], middle[cut], last[cut]
        keep[middle] = True
        first, last = np.concatenate([first, middle]), np.concatenate([middle, last])
    return [stroke[kept] for stroke, kept in zip(strokes, np.split(keep, ends[:-1]), strict=True)]


def _distances(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    at: NDArray[np.int64],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    inner: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the distances of points `at`, of each span `inner`, to the line through its ends.

    It is the distance to the first end where both coincide.
    """
    along_x, along_y = (np.repeat(part[last] - part[first], inner) for part in (x, y))
    off_x, off_y = (part[at] - np.repeat(part[first], inner) for part in (x, y))
    norm = np.hypot(along_x, along_y)
    dot = norm == 0.0
    gaps = np.abs(off_x * along_y - off_y * along_x) / np.where(dot, 1.0, norm)
    return np.where(dot, np.hypot(off_x, off_y), gaps) if dot.any() else gaps


def simplify(sketch: Sketch, *, epsilon: float = EPSILON, spacing: float = 1.0) -> Sketch:
    """Return the drawing with every stroke resampled and thinned by `rdp`, in the drawing's own units."""
    strokes = _thinned(sketch.strokes, epsilon, spacing)
    return Sketch.from_strokes(strokes, page=sketch.page, category=sketch.category)


def _whole_pixels(stroke: Points) -> Points:
    """Return the stroke rounded (half to even), without repeated points."""
    rounded = np.rint(stroke)
    return rounded[np.append(True, (np.diff(rounded, axis=0) != 0).any(axis=1))]


def simplify_as_quickdraw(sketch: Sketch) -> Sketch:
    """Return a raw drawing simplified as Quick, Draw! does it: scaled to 255 px, resampled, thinned, rounded.

    Steps and constants are those of the data set's README ("Simplified Drawing files"). The rest was found by
    comparing raw with simplified drawings: distances are to the infinite line; rounded points that coincide
    are one; a first stroke that is a dot has two equal points; and the result is aligned to 0 once more,
    because thinning may lose the leftmost or topmost point.
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
