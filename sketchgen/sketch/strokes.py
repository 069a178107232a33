"""Pen states, and drawings as sequences of steps."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike, NDArray

from sketchgen.errors import FormatError
from sketchgen.sketch.sketch import Points, Sketch


class Pen(IntEnum):
    """Pen state after a point.

    DRAW: the stroke continues to the next point. LIFT: the stroke ends here; the next point begins another.
    END: the drawing has ended; a step of its own after the last point, without an offset.
    """

    DRAW = 0
    LIFT = 1
    END = 2


def pens(sketch: Sketch) -> NDArray[np.int64]:
    """Return the (n,) pen states of a drawing: LIFT at the last point of a stroke, else DRAW."""
    values = np.full(sketch.point_count, Pen.DRAW, dtype=np.int64)
    ends = np.cumsum([len(stroke) for stroke in sketch.strokes], dtype=np.int64) - 1
    values[ends] = Pen.LIFT
    return values


def flat(
    sketches: Sequence[Sketch],
) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, "p 2"], Bool[np.ndarray, " p"]]:
    """Return where the points of each of n drawings begin, (n + 1,), all points, and where strokes end."""
    start = np.cumsum([0, *(sketch.point_count for sketch in sketches)])
    points = np.concatenate([np.zeros((0, 2)), *(sketch.points for sketch in sketches)])
    lift = np.concatenate([np.zeros(0, dtype=bool), *(pens(sketch) == Pen.LIFT for sketch in sketches)])
    return start, points, lift


def to_steps(sketch: Sketch, *, ends: bool = True) -> tuple[Float[np.ndarray, "n 2"], Int[np.ndarray, " n"]]:
    """Return the steps of a drawing: offsets, the first one from (0, 0), and the pen after each.

    Where it `ends`, the last step is the end.
    """
    offset, pen = np.diff(sketch.points, axis=0, prepend=0.0), pens(sketch)
    if not ends:
        return offset, pen
    return np.concatenate([offset, np.zeros((1, 2))]), np.append(pen, int(Pen.END))


def from_stroke3(steps: ArrayLike) -> Sketch:
    """Return the drawing of (n, 3) steps dx, dy, lift: an offset, and 1 if the pen is lifted after the point.

    The first offset is counted from (0, 0). A last stroke without a lift is kept.

    Raises:
        FormatError: the array is not (n, 3).
        SketchError: an offset is not finite.
    """
    array = np.asarray(steps, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 3:
        raise FormatError(f"stroke-3 is (n, 3), this is {array.shape}")
    return Sketch.from_strokes(split_strokes(np.cumsum(array[:, :2], axis=0), array[:, 2] != 0))


def split_strokes(points: Points, lifted: NDArray[np.bool_]) -> list[Points]:
    """Split (n, 2) points into strokes after each point where `lifted` (n,) is true."""
    cuts = np.flatnonzero(lifted) + 1
    return [part for part in np.split(points, cuts) if len(part)]
