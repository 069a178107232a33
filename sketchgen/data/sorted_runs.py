"""Sort more drawings than fit into memory: an external merge sort by key, with sorted runs on the disk.

Each part of the input is sorted by itself and written to a file, a run, that is divided into ranges of keys.
Then one range after another is read from all runs, sorted, and written to the store.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings, joined
from sketchgen.data.selection import MAX_POINTS, SPLITS, split_numbers
from sketchgen.data.store import StoreWriter

MAX_BUFFERED_POINTS = 2_000_000
"""Points that a writer buffers before it writes a run; sorting them takes about 100 MB."""

RANGE_BYTES = 4 * 1024 * 1024
"""Input for each range of keys: its drawings take from 0.4 (ndjson) to 2.5 (gzip) times as much in runs."""

MAX_RANGES = 4096

DRAWING = np.dtype([("category", "<u2"), ("key", "<u8"), ("length", "<u2")])
POINT = np.dtype([("xy", "u1", 2), ("lift", "?")])
"""A run has all its drawings, then all their points."""


@dataclass(frozen=True)
class Run:
    """A file of drawings sorted by key.

    Attributes:
        categories: the names that its category numbers stand for.
        used: the category numbers that occur.
        drawings: (ranges + 1,) index of the first drawing of each range of keys.
        points: (ranges + 1,) index of its first point.
    """

    path: Path
    categories: tuple[str, ...]
    used: tuple[int, ...]
    drawings: NDArray[np.int64]
    points: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Size of each range in bytes, (ranges,)."""
        return DRAWING.itemsize * np.diff(self.drawings) + POINT.itemsize * np.diff(self.points)

    def read(self, first: int, last: int, categories: Sequence[str]) -> Drawings:
        """Return the drawings of the ranges from `first` to before `last`, with numbers for `categories`."""
        low, high = int(self.drawings[first]), int(self.drawings[last])
        rows = np.fromfile(self.path, DRAWING, high - low, offset=low * DRAWING.itemsize)
        low, high = int(self.points[first]), int(self.points[last])
        at = int(self.drawings[-1]) * DRAWING.itemsize + low * POINT.itemsize
        points = np.fromfile(self.path, POINT, high - low, offset=at)
        start = np.concatenate([[0], np.cumsum(rows["length"], dtype=np.int64)])
        category, key = rows["category"].astype(np.int64), rows["key"].astype(np.uint64)
        found = Drawings(category, key, start, points["xy"], points["lift"], self.categories)
        return replace(found, category=found.known_as(categories), categories=tuple(categories))


def range_count(size: int) -> int:
    """Return into how many ranges to divide the keys for `size` bytes of input."""
    return max(1, min(MAX_RANGES, -(-size // RANGE_BYTES)))


def range_edges(ranges: int) -> NDArray[np.uint64]:
    """Return the first key of each range except the first, (ranges - 1,), evenly over the 64-bit numbers."""
    return np.array([number * 2**64 // ranges for number in range(1, ranges)], dtype=np.uint64)


class RunWriter:
    """Write drawings to runs named `{stem}-0`, `{stem}-1`, ... in a folder; `runs` are those so far."""

    def __init__(self, folder: Path, stem: str, ranges: int) -> None:
        self.runs: list[Run] = []
        self._folder, self._stem, self._edges = folder, stem, range_edges(ranges)
        self._buffer: list[Drawings] = []
        self._points = 0

    def add(self, drawings: Drawings) -> None:
        """Add drawings, whose categories begin with those of earlier ones; write a run if they are many."""
        self._buffer.append(drawings)
        self._points += len(drawings.points)
        if self._points >= MAX_BUFFERED_POINTS:
            self.flush()

    def flush(self) -> None:
        """Write the buffered drawings, if there are any, as a run."""
        if not self._buffer:
            return
        drawings = joined(self._buffer, self._buffer[-1].categories)
        self._buffer, self._points = [], 0
        drawings = drawings.take(np.argsort(drawings.key, kind="stable"))
        edges = [0, *np.searchsorted(drawings.key, self._edges).tolist(), len(drawings)]
        rows, points = np.empty(len(drawings), DRAWING), np.empty(len(drawings.points), POINT)
        rows["category"], rows["key"], rows["length"] = drawings.category, drawings.key, drawings.lengths
        points["xy"], points["lift"] = drawings.points, drawings.lift
        path = self._folder / f"{self._stem}-{len(self.runs)}"
        path.write_bytes(rows.tobytes() + points.tobytes())
        used = tuple(np.unique(drawings.category).tolist())
        self.runs.append(Run(path, drawings.categories, used, np.array(edges), drawings.start[edges]))


def read_ranges(runs: Sequence[Run], categories: Sequence[str]) -> Iterator[tuple[Drawings, int]]:
    """Yield the drawings of one or a few ranges of keys from all runs, unsorted, and their size in bytes."""
    sizes = np.sum([run.sizes for run in runs], axis=0)
    first = 0
    while first < len(sizes):
        last = first + 1
        while last < len(sizes) and sizes[first : last + 1].sum() <= 4 * RANGE_BYTES:
            last += 1
        parts = [run.read(first, last, categories) for run in runs]
        yield joined(parts, categories), int(sizes[first:last].sum())
        first = last


class Statistics:
    """Statistics over drawings, from sums of integers, so that they do not depend on the order."""

    def __init__(self, categories: Sequence[str]) -> None:
        self.kept: dict[str, int] = {split: 0 for split in SPLITS}
        self._categories = categories
        self._by_category = np.zeros(len(categories), dtype=np.int64)
        self._lengths = np.zeros(MAX_POINTS + 1, dtype=np.int64)
        self._offsets = self._sum = self._squares = 0

    def add(self, split: str, drawings: Drawings) -> None:
        """Add drawings of a split."""
        self.kept[split] += len(drawings)
        self._by_category += np.bincount(drawings.category, minlength=len(self._by_category))
        self._lengths += np.bincount(drawings.lengths, minlength=len(self._lengths))
        if split != SPLITS[0]:
            return
        steps = np.diff(drawings.points.astype(np.int16), axis=0)
        # There is no step from the last point of a drawing to the first of the next.
        steps[drawings.start[1:-1] - 1] = 0
        self._offsets += 2 * (len(drawings.points) - len(drawings))
        self._sum += int(steps.sum(dtype=np.int64))
        self._squares += int(np.square(steps.astype(np.int32)).sum(dtype=np.int64))

    def summary(self) -> dict[str, Any]:
        """Return points per drawing, the training offsets' standard deviation in px, drawings by category."""
        count = int(self._lengths.sum())
        points = int(self._lengths @ np.arange(len(self._lengths)))
        deviation = 1.0
        if self._offsets:
            deviation = math.sqrt(self._offsets * self._squares - self._sum**2) / self._offsets
        return {
            "points": {
                "mean": points / count,
                "p95": self._quantile(0.95),
                "max": int(np.flatnonzero(self._lengths)[-1]),
            },
            "offset_deviation": deviation,
            "by_category": dict(zip(self._categories, self._by_category.tolist(), strict=True)),
        }

    def _quantile(self, share: float) -> float:
        """Return a quantile of the lengths, interpolated linearly as `numpy.quantile` does."""
        up_to = np.cumsum(self._lengths)
        place = share * (int(up_to[-1]) - 1)
        low, high = np.searchsorted(up_to, [math.floor(place), math.ceil(place)], side="right").tolist()
        return float(low + (high - low) * (place - math.floor(place)))


class CategoryLimit:
    """Keep the first `maximum` drawings of each category, over several calls; `dropped` counts the others."""

    def __init__(self, maximum: int | None, categories: int) -> None:
        self.dropped = 0
        self._maximum, self._seen = maximum, np.zeros(categories, dtype=np.int64)

    def keep(self, category: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the indices, in order, of the drawings to keep among the next of these categories."""
        if self._maximum is None:
            return np.arange(len(category))
        order = np.argsort(category, kind="stable")
        counts = np.bincount(category, minlength=len(self._seen))
        # The rank of each drawing in its category, counting the drawings of earlier calls.
        rank = np.arange(len(category)) - np.repeat(np.cumsum(counts) - counts - self._seen, counts)
        kept = np.sort(order[rank < self._maximum])
        self._seen += counts
        self.dropped += len(category) - len(kept)
        return kept


def merge(
    runs: Sequence[Run],
    categories: Sequence[str],
    max_per_category: int | None,
    writer: StoreWriter,
    progress: Callable[[int], None],
) -> tuple[Statistics, int, int]:
    """Write the drawings of all runs to a store, which the caller finishes, in the order of their keys.

    `progress` is called with the bytes of the runs that are done.

    Returns:
        Statistics, number of duplicates, and number of drawings over `max_per_category`.
    """
    statistics, limit = Statistics(categories), CategoryLimit(max_per_category, len(categories))
    duplicates = done = 0
    for drawings, size in read_ranges(runs, categories):
        order = np.unique(drawings.key, return_index=True)[1]
        duplicates += len(drawings) - len(order)
        order = order[limit.keep(drawings.category[order])]
        split = split_numbers(drawings.key[order])
        for number, name in enumerate(SPLITS):
            part = drawings.take(order[split == number])
            if len(part):
                statistics.add(name, part)
                writer.add(name, part)
        done += size
        progress(done)
    return statistics, duplicates, limit.dropped
