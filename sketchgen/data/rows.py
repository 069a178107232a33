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
    """Return drawings as rows of `SCHEMA`, without the names of their categories."""
    ends = np.flatnonzero(drawings.lift) + 1
    strokes = np.searchsorted(ends, drawings.start, side="right")
    lengths = _column(pa.uint16(), np.diff(ends, prepend=0).astype(np.uint16))
    points = _column(pa.uint8(), drawings.points.reshape(-1))
    columns = [
        _column(pa.uint16(), drawings.category.astype(np.uint16)),
        _column(pa.uint64(), drawings.key),
        pa.ListArray.from_arrays(_column(pa.int32(), strokes.astype(np.int32)), lengths),
        pa.ListArray.from_arrays(_column(pa.int32(), (2 * drawings.start).astype(np.int32)), points),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _column(kind: pa.DataType, values: NDArray[Any]) -> pa.Array:
    """Return numbers as a column, by their memory: `pa.array` would import pandas to look at their type."""
    memory = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, memory])


def from_rows(rows: pa.RecordBatch, categories: Sequence[str]) -> Drawings:
    """Return rows of `SCHEMA` as drawings; points and keys are not copied.

    Raises:
        FormatError: the rows contradict themselves. The message says how; the caller adds where.
    """
    rows.validate(full=True)
    if rows.schema != SCHEMA or any(column.null_count for column in rows.columns):
        raise FormatError("holds columns of another kind")
    strokes, points = rows.column("stroke_lengths"), rows.column("points")
    stroke_at, point_at = _offsets(strokes), _offsets(points)
    lengths = _numbers(strokes.values, np.uint16)[stroke_at[0] : stroke_at[-1]].astype(np.int64)
    flat = _numbers(points.values, np.uint8)[point_at[0] : point_at[-1]]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    start = point_at - point_at[0]
    if (lengths < 1).any() or not np.array_equal(2 * ends[stroke_at - stroke_at[0]], start):
        raise FormatError("holds strokes of other lengths than there are points")
    if (np.diff(start) < 2).any():
        raise FormatError("holds a drawing without points")
    category = _numbers(rows.column("category"), np.uint16).astype(np.int64)
    if (category >= len(categories)).any():
        raise FormatError(f"holds a category beyond the {len(categories)} that there are")
    lift = np.zeros(len(flat) // 2, dtype=bool)
    lift[ends[1:] - 1] = True
    key = _numbers(rows.column("key"), np.uint64)
    return Drawings(category, key, start // 2, flat.reshape(-1, 2), lift, tuple(categories))


def _numbers(column: Any, kind: Any) -> NDArray[Any]:
    """Return the values of a column of numbers, not copied."""
    memory = column.buffers()[1]
    values = np.frombuffer(memory, dtype=kind) if memory else np.zeros(0, dtype=kind)
    return values[column.offset : column.offset + len(column)]


def _offsets(column: Any) -> NDArray[np.int64]:
    """Return where each of the n rows of a list column begins among its values, (n + 1,)."""
    memory = column.buffers()[1]
    if not len(column) or memory is None:
        return np.zeros(1, dtype=np.int64)
    return np.frombuffer(memory, dtype=np.int32)[column.offset :][: len(column) + 1].astype(np.int64)
