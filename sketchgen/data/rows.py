"""Drawings as rows of the Arrow tables that the prepared store is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings
from sketchgen.errors import FormatError

SCHEMA = pa.schema(
    [
        ("category", pa.uint16()),
        ("key", pa.uint64()),
        ("stroke_lengths", pa.list_(pa.uint16())),
        ("points", pa.list_(pa.uint8())),
    ]
)
"""One row a drawing: x and y interleaved, in whole px of the 255 box."""


def to_rows(drawings: Drawings) -> pa.RecordBatch:
    """Drawings as rows of `SCHEMA`, without the names of their categories."""
    ends = np.flatnonzero(drawings.lift) + 1
    strokes = np.searchsorted(ends, drawings.start, side="right")
    lengths = pa.array(np.diff(ends, prepend=0).astype(np.uint16))
    columns = [
        pa.array(drawings.category.astype(np.uint16)),
        pa.array(drawings.key),
        pa.ListArray.from_arrays(pa.array(strokes.astype(np.int32)), lengths),
        pa.ListArray.from_arrays(
            pa.array((2 * drawings.start).astype(np.int32)), pa.array(drawings.points.reshape(-1))
        ),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def from_rows(rows: pa.RecordBatch, categories: Sequence[str]) -> Drawings:
    """Rows of `SCHEMA` as `Drawings`; points and keys are not copied.

    Raises:
        FormatError: the rows contradict themselves; it says how, for the caller to say where.
    """
    rows.validate(full=True)
    if rows.schema != SCHEMA or any(column.null_count for column in rows.columns):
        raise FormatError("holds columns of another kind")
    strokes, points = rows.column("stroke_lengths"), rows.column("points")
    lengths = strokes.flatten().to_numpy().astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    # Where each drawing's strokes and points begin, counted from the first of these rows.
    stroke_at, point_at = _offsets(strokes), _offsets(points)
    if (lengths < 1).any() or not np.array_equal(2 * ends[stroke_at], point_at):
        raise FormatError("holds strokes of other lengths than there are points")
    if (np.diff(point_at) < 2).any():
        raise FormatError("holds a drawing without points")
    category = rows.column("category").to_numpy().astype(np.int64)
    if (category >= len(categories)).any():
        raise FormatError(f"holds a category beyond the {len(categories)} that there are")
    flat = points.flatten().to_numpy().reshape(-1, 2)
    lift = np.zeros(len(flat), dtype=bool)
    lift[ends[1:] - 1] = True
    key = rows.column("key").to_numpy()
    return Drawings(category, key, point_at // 2, flat, lift, tuple(categories))


def _offsets(column: Any) -> NDArray[np.int64]:
    """(n + 1,) where each row's values begin among those of all rows of a list column."""
    offsets = column.offsets.to_numpy().astype(np.int64)
    return offsets - offsets[0] if len(offsets) else np.zeros(1, dtype=np.int64)
