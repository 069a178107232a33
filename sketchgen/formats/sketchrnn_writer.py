"""Drawings as sketch-rnn's `.npz` files: stroke-3 in whole numbers, one array of arrays a split."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import SettingError
from sketchgen.formats.sketchrnn_reader import PARTS
from sketchgen.sketch.files import write_atomic
from sketchgen.sketch.sketch import Sketch

MOST = int(np.iinfo(np.int16).max)
"""Largest offset that such a file holds."""


def write_npz(
    path: str | os.PathLike[str],
    train: Iterable[Sketch],
    valid: Iterable[Sketch] = (),
    test: Iterable[Sketch] = (),
    *,
    box: float | None = None,
    force: bool = False,
) -> None:
    """Write drawings as Magenta's files have them; `read_npz` reads them back without unpickling.

    Arrays of arrays are pickled; numpy loads them with `allow_pickle=True`. The form has whole numbers only,
    and no place on a page: a drawing comes back rounded, moved to the corner, and without page and category;
    a first stroke that is a dot, as two equal points, since the form leaves the first point out.

    Args:
        path: the file; its splits are written in this order.
        train: the drawings of the first split; empty ones are left out of each.
        valid: those of the second.
        test: those of the third.
        box: longer side that each drawing is scaled to (Magenta's have 255); None keeps the drawings' units.
        force: replace a file that exists.

    Raises:
        OutputError: the file exists and `force` is false, or it cannot be written.
        SettingError: a box outside its limits, or a drawing too large for whole numbers of 16 bits.
    """
    write_atomic(path, npz_bytes(train, valid, test, box=box), force=force)


def npz_bytes(
    train: Iterable[Sketch],
    valid: Iterable[Sketch] = (),
    test: Iterable[Sketch] = (),
    *,
    box: float | None = None,
) -> bytes:
    """The bytes of such a file; see `write_npz`.

    Raises:
        SettingError: as `write_npz`.
    """
    if box is not None and not 1 <= box <= MOST:
        raise SettingError(f"box is {box:g}; it must be from 1 to {MOST}")
    splits = {}
    for part, sketches in zip(PARTS, (train, valid, test), strict=True):
        kept = (sketch for sketch in sketches if not sketch.is_empty)
        splits[part] = _whole([_steps(sketch, box, f"{part} {index}") for index, sketch in enumerate(kept)])
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **splits)
    return buffer.getvalue()


def _whole(arrays: list[NDArray[np.int16]]) -> NDArray[np.object_]:
    """Arrays as one array of objects, also where they are of one length."""
    whole = np.empty(len(arrays), dtype=object)
    whole[:] = arrays
    return whole


def _steps(sketch: Sketch, box: float | None, name: str) -> NDArray[np.int16]:
    """(n, 3) offsets and lifts after the first point."""
    bounds = sketch.bounds
    longer = bounds.longer if bounds is not None else 0.0
    scale = box / longer if box is not None and longer > 0 else 1.0
    # Rounded before differences are taken, so that errors do not add up along the drawing.
    strokes = [np.rint((stroke - sketch.points.min(axis=0)) * scale) for stroke in sketch.strokes]
    if len(strokes[0]) == 1:
        strokes[0] = strokes[0][[0, 0]]
    if longer * scale > MOST:
        raise SettingError(f"drawing {name} is {longer:g} wide, above {MOST}; scale it down or name a box")
    offsets = np.diff(np.concatenate(strokes), axis=0)
    lifts = np.zeros(len(offsets))
    lifts[np.cumsum([len(stroke) for stroke in strokes]) - 2] = 1
    return np.column_stack([offsets, lifts]).astype(np.int16)
