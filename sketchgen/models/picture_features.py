"""Drawings as grey pictures of 64 x 64 px: ink, and nothing of how it came there.

Many drawings are drawn at a time. A line is a row of pixels along its longer direction with a few pixels
across it, and a pixel is as dark as its distance from the line says; where lines cross, the darkest counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.sketch.geometry import MIN_EXTENT
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen, pens

SIDE = 64
"""Pixels of a picture in each direction."""

MARGIN = 2.0
"""Px between a drawing's lines and the picture's edge, at its longer side."""

WIDTH = 1.7
"""Thickness of a line, px of the picture."""

REACH = WIDTH / 2 + 0.5
"""Distance of a pixel's middle from a line, px, from which on it stays white."""

ACROSS = int(2.0 * REACH * np.sqrt(2.0)) + 1
"""Pixels across a line that can be nearer to it than `REACH`, in a row or a column; most at 45 degrees."""

COLUMNS = 1 << 14
"""Rows and columns of lines that are drawn at a time, which bounds the memory."""


def pictures(
    points: Float[np.ndarray, "p 2"], lift: Bool[np.ndarray, " p"], start: Int[np.ndarray, " m"]
) -> Float[np.ndarray, "n 64 64"]:
    """Pictures of n drawings, float32: 0 where there is no ink, 1 where a pixel is all ink.

    Every drawing is fitted into the picture, so that size and place do not matter.

    Args:
        points: of all drawings, in any frame, y down; one at least of each drawing.
        lift: true at the last point of each stroke.
        start: (n + 1,) where each drawing's points begin.
    """
    found = np.zeros((len(start) - 1) * SIDE * SIDE, dtype=np.float32)
    if len(points):
        owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
        _draw(found, *_segments(fitted(points, start, owner), lift, owner))
    return found.reshape(-1, SIDE, SIDE)


def pictures_of(sketches: Sequence[Sketch]) -> Float[np.ndarray, "n 64 64"]:
    """Pictures of drawings that are each one point at least; see `pictures`."""
    start = np.cumsum([0, *(sketch.point_count for sketch in sketches)])
    points = np.concatenate([np.zeros((0, 2)), *(sketch.points for sketch in sketches)])
    lift = np.concatenate([np.zeros(0, dtype=bool), *(pens(sketch) == Pen.LIFT for sketch in sketches)])
    return pictures(points, lift, start)


def fitted(
    points: Float[np.ndarray, "p 2"], start: Int[np.ndarray, " m"], owner: Int[np.ndarray, " p"]
) -> Float[np.ndarray, "p 2"]:
    """Points in px of the picture, (0, 0) the middle of the first pixel, each drawing in the middle.

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
    """Where the straight pieces of lines begin and end, and whose they are; a dot is one without length."""
    ends = lift.copy()
    ends[:-1] |= owner[:-1] != owner[1:]
    ends[-1] = True
    begins = np.concatenate([[True], ends[:-1]])
    # A piece leads from each point but a stroke's last to the next, or from a stroke's only one to itself.
    first = np.flatnonzero(~ends | begins)
    return points[first], points[first + ~ends[first]], owner[first]


def _draw(
    ink: Float[np.ndarray, " q"],
    first: Float[np.ndarray, "s 2"],
    last: Float[np.ndarray, "s 2"],
    owner: Int[np.ndarray, " s"],
) -> None:
    """Draw straight pieces into `ink`, the flat pictures of all drawings."""
    along = last - first
    steep = np.abs(along[:, 1]) > np.abs(along[:, 0])
    # Now the first coordinate is that in which a piece is longer, and rises.
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
    """The pixels across a line at each `major` coordinate, and how dark they are, 0 to 1.

    The line of each begins at (u, v) and goes on by (du, dv), du at least as far as dv.
    """
    ahead = major - u
    slope = dv / np.maximum(du, 1e-6)
    lowest = np.ceil(v + slope * ahead - REACH * np.sqrt(1.0 + slope * slope)).astype(np.int64)
    minor = lowest[:, None] + np.arange(ACROSS)
    aside = minor.astype(np.float32) - v[:, None]
    square = np.maximum(du * du + dv * dv, 1e-12)
    # How far along the line the nearest point of it is, 0 to 1.
    part = np.clip(((ahead * du)[:, None] + aside * dv[:, None]) / square[:, None], 0.0, 1.0)
    x, y = ahead[:, None] - part * du[:, None], aside - part * dv[:, None]
    return minor, np.clip(np.float32(REACH) - np.sqrt(x * x + y * y), 0.0, 1.0)
