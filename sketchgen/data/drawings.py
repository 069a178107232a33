"""Many drawings as flat arrays, and as rows of the Arrow tables that the prepared store is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sketchgen.drawing.sketch import Sketch
from sketchgen.drawing.strokes import split_strokes
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


@dataclass(frozen=True)
class Drawings:
    """Many drawings as flat arrays, in the 255 box.

    Attributes:
        category: (n,) index into `categories`.
        key: (n,) hash of each drawing; the same drawing has the same key in any store.
        start: (n + 1,) where each drawing's points begin in `points`.
        points: (p, 2) uint8 px.
        lift: (p,) true at the last point of each stroke.
        categories: the names.
    """

    category: NDArray[np.int64]
    key: NDArray[np.uint64]
    start: NDArray[np.int64]
    points: NDArray[np.uint8]
    lift: NDArray[np.bool_]
    categories: tuple[str, ...]

    def __len__(self) -> int:
        """Number of drawings."""
        return len(self.category)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) number of points of each drawing."""
        return np.diff(self.start)

    def sketch(self, index: int) -> Sketch:
        """Drawing `index` as a Sketch in the 255 box."""
        first, last = int(self.start[index]), int(self.start[index + 1])
        points = self.points[first:last].astype(np.float64)
        strokes = split_strokes(points, self.lift[first:last])
        return Sketch.from_strokes(strokes, category=self.categories[int(self.category[index])])

    def known_as(self, categories: Sequence[str]) -> NDArray[np.int64]:
        """(n,) index of each drawing's category in other names; their number where it is not among them."""
        index = {name: number for number, name in enumerate(categories)}
        table = np.array([index.get(name, len(index)) for name in self.categories], dtype=np.int64)
        return table[self.category]

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> Drawings:
        """The drawings at `indices`, in that order."""
        indices = np.asarray(indices, dtype=np.int64)
        lengths = self.lengths[indices]
        start = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.arange(start[-1]) + np.repeat(self.start[indices] - start[:-1], lengths)
        return Drawings(
            self.category[indices],
            self.key[indices],
            start,
            self.points[rows],
            self.lift[rows],
            self.categories,
        )

    def between(self, first: int, last: int) -> Drawings:
        """The drawings from `first` to before `last`; nothing is copied but the starts."""
        low, high = int(self.start[first]), int(self.start[last])
        return Drawings(
            self.category[first:last],
            self.key[first:last],
            self.start[first : last + 1] - low,
            self.points[low:high],
            self.lift[low:high],
            self.categories,
        )

    def rows(self) -> pa.RecordBatch:
        """The drawings as rows of `SCHEMA`, without the names of their categories."""
        ends = np.flatnonzero(self.lift) + 1
        strokes = np.searchsorted(ends, self.start, side="right")
        lengths = pa.array(np.diff(ends, prepend=0).astype(np.uint16))
        columns = [
            pa.array(self.category.astype(np.uint16)),
            pa.array(self.key),
            pa.ListArray.from_arrays(pa.array(strokes.astype(np.int32)), lengths),
            pa.ListArray.from_arrays(
                pa.array((2 * self.start).astype(np.int32)), pa.array(self.points.reshape(-1))
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


def from_lists(
    category: Sequence[int],
    key: Sequence[int],
    stroke_lengths: Sequence[Sequence[int]],
    points: Sequence[NDArray[np.uint8]],
    categories: Sequence[str],
) -> Drawings:
    """Drawings that were made one by one: (p, 2) points and the lengths of the strokes of each."""
    flat = np.concatenate([np.zeros((0, 2), dtype=np.uint8), *points])
    lift = np.zeros(len(flat), dtype=bool)
    lift[np.cumsum([length for lengths in stroke_lengths for length in lengths], dtype=np.int64) - 1] = True
    return Drawings(
        category=np.array(category, dtype=np.int64),
        key=np.array(key, dtype=np.uint64),
        start=np.cumsum([0, *map(len, points)]),
        points=flat,
        lift=lift,
        categories=tuple(categories),
    )


def joined(parts: Sequence[Drawings], categories: Sequence[str]) -> Drawings:
    """Several drawings after one another, copied; all of them have the categories that are named."""
    parts = [*parts, _none(categories)]
    lengths = np.concatenate([part.lengths for part in parts])
    return Drawings(
        category=np.concatenate([part.category for part in parts]),
        key=np.concatenate([part.key for part in parts]),
        start=np.concatenate([[0], np.cumsum(lengths)]),
        points=np.concatenate([part.points for part in parts]),
        lift=np.concatenate([part.lift for part in parts]),
        categories=tuple(categories),
    )


def _none(categories: Sequence[str]) -> Drawings:
    """No drawing at all."""
    return Drawings(
        category=np.zeros(0, dtype=np.int64),
        key=np.zeros(0, dtype=np.uint64),
        start=np.zeros(1, dtype=np.int64),
        points=np.zeros((0, 2), dtype=np.uint8),
        lift=np.zeros(0, dtype=bool),
        categories=tuple(categories),
    )
