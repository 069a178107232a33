"""Many drawings as flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import split_strokes

_CHUNK = 1024
"""Drawings that `Drawings.take` copies at a time."""


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
        return len(self.category)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of points of each drawing, (n,)."""
        return np.diff(self.start)

    def sketch(self, index: int) -> Sketch:
        """Return drawing `index` as a Sketch in the 255 box."""
        first, last = int(self.start[index]), int(self.start[index + 1])
        points = self.points[first:last].astype(np.float64)
        strokes = split_strokes(points, self.lift[first:last])
        return Sketch.from_strokes(strokes, category=self.categories[int(self.category[index])])

    def known_as(self, categories: Sequence[str]) -> NDArray[np.int64]:
        """Return the index of each drawing's category in other names, (n,), or their number for none."""
        index = {name: number for number, name in enumerate(categories)}
        table = np.array([index.get(name, len(index)) for name in self.categories], dtype=np.int64)
        return table[self.category]

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> Drawings:
        """Return the drawings at `indices`, in that order."""
        indices = np.asarray(indices, dtype=np.int64)
        lengths = self.lengths[indices]
        start = np.concatenate([[0], np.cumsum(lengths)])
        shift = self.start[indices] - start[:-1]
        points, lift = np.empty((start[-1], 2), dtype=np.uint8), np.empty(start[-1], dtype=bool)
        # A point as one number of two bytes, and some drawings at a time, so that the rows stay in the cache.
        pairs, taken = np.ascontiguousarray(self.points).view(np.uint16).reshape(-1), points.view(np.uint16)
        for first in range(0, len(indices), _CHUNK):
            last = min(first + _CHUNK, len(indices))
            here = slice(start[first], start[last])
            rows = np.arange(start[first], start[last]) + np.repeat(shift[first:last], lengths[first:last])
            np.take(pairs, rows, out=taken.reshape(-1)[here], mode="clip")
            np.take(self.lift, rows, out=lift[here], mode="clip")
        return Drawings(self.category[indices], self.key[indices], start, points, lift, self.categories)

    def between(self, first: int, last: int) -> Drawings:
        """Return the drawings from `first` to before `last`; only the starts are copied."""
        low, high = int(self.start[first]), int(self.start[last])
        return Drawings(
            self.category[first:last],
            self.key[first:last],
            self.start[first : last + 1] - low,
            self.points[low:high],
            self.lift[low:high],
            self.categories,
        )


def from_lists(
    category: Sequence[int],
    key: Sequence[int],
    stroke_lengths: Sequence[Sequence[int]],
    points: Sequence[NDArray[np.uint8]],
    categories: Sequence[str],
) -> Drawings:
    """Return drawings from the (p, 2) points and the lengths of the strokes of each."""
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
    """Return several sets of drawings as one, copied; all have the given categories."""
    parts = [*parts, from_lists([], [], [], [], categories)]
    lengths = np.concatenate([part.lengths for part in parts])
    return Drawings(
        category=np.concatenate([part.category for part in parts]),
        key=np.concatenate([part.key for part in parts]),
        start=np.concatenate([[0], np.cumsum(lengths)]),
        points=np.concatenate([part.points for part in parts]),
        lift=np.concatenate([part.lift for part in parts]),
        categories=tuple(categories),
    )
