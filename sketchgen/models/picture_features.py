"""Drawings as grey pictures of 64 x 64 px.

Many drawings are rendered at a time, with numpy alone. A segment covers a few pixels across in each row or
column along its longer direction. The darkness of a pixel falls with its distance from the segment; where
segments cross, the darkest counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.sketch.geometry import MIN_EXTENT
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import flat

SIDE = 64
"""Side of a picture, pixels."""

MARGIN = 2.0
"""Margin at the longer side of a drawing, pixels."""

WIDTH = 1.7
"""Thickness of a line, pixels."""

REACH = WIDTH / 2 + 0.5
"""Distance from a line, in pixels, from which on a pixel stays white."""

ACROSS = int(2.0 * REACH * np.sqrt(2.0)) + 1
"""Most pixels of a row or a column nearer to a line than `REACH`, as at 45 degrees."""

COLUMNS = 1 << 14
"""Rows and columns of segments that are rendered at a time, which bounds the memory."""


def pictures(
    points: Float[np.ndarray, "p 2"], lift: Bool[np.ndarray, " p"], start: Int[np.ndarray, " m"]
) -> Float[np.ndarray, "n 64 64"]:
    """Return pictures of n drawings, float32, from 0 (no ink) to 1; see `sketchgen.sketch.strokes.flat`.

    Every drawing is fitted into its picture, so that size and place do not matter. It may be in any frame,
    y down, and has at least one point.
    """
    found = np.zeros((len(start) - 1) * SIDE * SIDE, dtype=np.float32)
    if len(points):
        owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
        _draw(found, *_segments(fitted(points, start, owner), lift, owner))
    return found.reshape(-1, SIDE, SIDE)


def pictures_of(sketches: Sequence[Sketch]) -> Float[np.ndarray, "n 64 64"]:
    """Return pictures of drawings of at least one point each; see `pictures`."""
    start, points, lift = flat(sketches)
    return pictures(points, lift, start)


def fitted(
    points: Float[np.ndarray, "p 2"], start: Int[np.ndarray, " m"], owner: Int[np.ndarray, " p"]
) -> Float[np.ndarray, "p 2"]:
    """Return points in pixels, (0, 0) being the centre of the first one, each drawing in the centre.

    A drawing without extent, a dot, is only moved.
    """
    low, high = (end.reduceat(points, start[:-1]) for end in (np.minimum, np.maximum))
    longer = (high - low).max(1)
    scale = np.where(longer > MIN_EXTENT, (SIDE - 2.0 * MARGIN) / np.maximum(longer, MIN_EXTENT), 1.0)
    middle = low + (high - low) / 2.0
    return (points - middle[owner]) * scale[owner, None] + (SIDE - 1) / 2.0


def _segments(
    points: Float[np.ndarray, "p 2"], lift: Bool[np.ndarray, " p"], owner: Int[np.ndarray, " p"]
) -> tuple[Float[np.ndarray, "s 2"], Float[np.ndarray, "s 2"], Int[np.ndarray, " s"]]:
    """Return both ends of all segments and the drawing of each; a dot is a segment without length."""
    ends = lift.copy()
    ends[:-1] |= owner[:-1] != owner[1:]
    ends[-1] = True
    begins = np.concatenate([[True], ends[:-1]])
    # A segment leads from each point to the next of its stroke, or from a stroke's only point to itself.
    first = np.flatnonzero(~ends | begins)
    return points[first], points[first + ~ends[first]], owner[first]


def _draw(
    ink: Float[np.ndarray, " q"],
    first: Float[np.ndarray, "s 2"],
    last: Float[np.ndarray, "s 2"],
    owner: Int[np.ndarray, " s"],
) -> None:
    """Render segments into `ink`, the flat pictures of all drawings."""
    along = last - first
    steep = np.abs(along[:, 1]) > np.abs(along[:, 0])
    # The first coordinate becomes that in which a segment is longer, and rises.
    first, last = (np.where(steep[:, None], ends[:, ::-1], ends) for ends in (first, last))
    back = last[:, :1] < first[:, :1]
    first, last = np.where(back, last, first), np.where(back, first, last)
    begin = np.ceil(first[:, 0] - REACH).astype(np.int64)
    count = np.floor(last[:, 0] + REACH).astype(np.int64) - begin + 1
    pieces = np.stack([first[:, 0], first[:, 1], last[:, 0] - first[:, 0], last[:, 1] - first[:, 1]])
    stride = np.where(steep, [[SIDE], [1]], [[1], [SIDE]])
    chunks = (np.cumsum(count) - 1) // COLUMNS
    for chosen in np.split(np.arange(len(count)), np.flatnonzero(np.diff(chunks)) + 1):
        which = np.repeat(chosen, count[chosen])
        before = np.cumsum(count[chosen]) - count[chosen]
        major = begin[which] + np.arange(len(which)) - np.repeat(before, count[chosen])
        minor, shade = _shades(major, *pieces.astype(np.float32)[:, which])
        inside = ((major >= 0) & (major < SIDE))[:, None] & (minor >= 0) & (minor < SIDE) & (shade > 0.0)
        index = (owner[which] * SIDE * SIDE + major * stride[0, which])[:, None] + minor * stride[
            1, which, None
        ]
        np.maximum.at(ink, index[inside], shade[inside])


def _shades(
    major: Int[np.ndarray, " c"],
    u: Float[np.ndarray, " c"],
    v: Float[np.ndarray, " c"],
    du: Float[np.ndarray, " c"],
    dv: Float[np.ndarray, " c"],
) -> tuple[Int[np.ndarray, "c a"], Float[np.ndarray, "c a"]]:
    """Return the pixels across a segment at each `major` coordinate and their darkness, 0 to 1.

    The segments lead from (u, v) by (du, dv), du being at least |dv|.
    """
    ahead = major - u
    slope = dv / np.maximum(du, 1e-6)
    lowest = np.ceil(v + slope * ahead - REACH * np.sqrt(1.0 + slope * slope)).astype(np.int64)
    minor = lowest[:, None] + np.arange(ACROSS)
    aside = minor.astype(np.float32) - v[:, None]
    square = np.maximum(du * du + dv * dv, 1e-12)
    # Position of the nearest point along the segment, 0 to 1.
    part = np.clip(((ahead * du)[:, None] + aside * dv[:, None]) / square[:, None], 0.0, 1.0)
    x, y = ahead[:, None] - part * du[:, None], aside - part * dv[:, None]
    return minor, np.clip(np.float32(REACH) - np.sqrt(x * x + y * y), 0.0, 1.0)
