"""Pen states, and drawings as sequences of steps (stroke-3 and stroke-5)."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
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


Stroke3 = NDArray[np.float64]
"""(n, 3) dx, dy, lift: an offset, and 1 if the pen is lifted after the point, else 0."""

Stroke5 = NDArray[np.float64]
"""(n, 5) dx, dy and one-hot of `Pen`."""


def pens(sketch: Sketch) -> NDArray[np.int64]:
    """Return the (n,) pen states of a drawing: LIFT at the last point of a stroke, else DRAW."""
    values = np.full(sketch.point_count, Pen.DRAW, dtype=np.int64)
    ends = np.cumsum([len(stroke) for stroke in sketch.strokes], dtype=np.int64) - 1
    values[ends] = Pen.LIFT
    return values


def to_stroke3(sketch: Sketch, start: tuple[float, float] = (0.0, 0.0)) -> Stroke3:
    """Return the drawing as (n, 3) steps; the first offset is relative to `start`.

    Magenta's files leave out the first point: `to_stroke3(sketch)[1:]`.
    """
    points = sketch.points
    offsets = np.diff(points, axis=0, prepend=np.array([start], dtype=np.float64))
    return np.column_stack([offsets, pens(sketch).astype(np.float64)]).reshape(-1, 3)


def from_stroke3(steps: ArrayLike, start: tuple[float, float] = (0.0, 0.0)) -> Sketch:
    """Return the drawing of (n, 3) steps; the inverse of `to_stroke3` with the same `start`.

    A last stroke without a lift is kept.

    Raises:
        FormatError: the array is not (n, 3).
        SketchError: an offset is not finite.
    """
    array = np.asarray(steps, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 3:
        raise FormatError(f"stroke-3 is (n, 3), this is {array.shape}")
    points = np.cumsum(array[:, :2], axis=0) + np.asarray(start)
    return Sketch.from_strokes(split_strokes(points, array[:, 2] != 0))


def split_strokes(points: Points, lifted: NDArray[np.bool_]) -> list[Points]:
    """Split (n, 2) points into strokes after each point where `lifted` (n,) is true."""
    cuts = np.flatnonzero(lifted) + 1
    return [part for part in np.split(points, cuts) if len(part)]


def to_stroke5(sketch: Sketch, start: tuple[float, float] = (0.0, 0.0), length: int | None = None) -> Stroke5:
    """Return the drawing as (n + 1, 5) steps, the last one END, padded with END rows to `length`.

    Raises:
        FormatError: `length` is less than n + 1.
    """
    three = to_stroke3(sketch, start)
    count = len(three) + 1 if length is None else length
    if count < len(three) + 1:
        raise FormatError(f"{len(three)} points need a length of {len(three) + 1}, not {length}")
    five = np.zeros((count, 5))
    five[:, 2 + Pen.END] = 1.0
    five[: len(three), :2] = three[:, :2]
    five[: len(three), 2:] = np.eye(3)[three[:, 2].astype(np.int64)]
    return five


def from_stroke5(steps: ArrayLike, start: tuple[float, float] = (0.0, 0.0)) -> Sketch:
    """Return the drawing of (n, 5) steps, up to the first END row.

    Raises:
        FormatError: the array is not (n, 5), or a pen state is not one-hot.
    """
    array = np.asarray(steps, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 5:
        raise FormatError(f"stroke-5 is (n, 5), this is {array.shape}")
    state = array[:, 2:]
    one_hot = ((state == 0) | (state == 1)).all(axis=1) & (state.sum(axis=1) == 1)
    if not one_hot.all():
        row = int(np.argmin(one_hot))
        raise FormatError(f"step {row} has a pen that is not one-hot: {tuple(state[row])}")
    ended = state[:, Pen.END] == 1
    count = int(np.argmax(ended)) if ended.any() else len(array)
    return from_stroke3(np.column_stack([array[:count, :2], state[:count, Pen.LIFT]]), start)
