"""Drawings on their way into a store: files that are sorted by key and can be read range by range.

A store's drawings are sorted by their keys, which takes more memory than there is. So each part of the input
is sorted by itself and put down in a file, cut into ranges of keys; then one range after the other is read
from all files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings, joined

MAX_POINTS_HELD = 2_000_000
"""Points that a spill holds in memory before they are written; about 100 MB while they are sorted."""

RANGE_BYTES = 4 * 1024 * 1024
"""What a range of keys should take in all files together."""

MAX_RANGES = 4096

PER_DRAWING, PER_POINT = 12, 3
"""Bytes in a file: category, key and number of points; x, y and whether the pen is lifted."""


@runtime_checkable
class Sink(Protocol):
    """Where drawings go as they are read."""

    def add(self, drawings: Drawings) -> None:
        """Take some drawings."""


@dataclass
class Held:
    """A sink that keeps drawings in memory.

    Attributes:
        parts: what was added; later parts may know more categories than earlier ones, not others.
    """

    parts: list[Drawings]

    def add(self, drawings: Drawings) -> None:
        """Keep some drawings."""
        self.parts.append(drawings)


@dataclass(frozen=True)
class SpillFile:
    """A file of sorted drawings.

    Attributes:
        path: where it is.
        categories: the names of what it holds; the file has their indices.
        offset: (ranges + 1,) where each range of keys begins, in bytes.
        count: (ranges,) number of drawings in each.
        used: which of the categories occur.
    """

    path: Path
    categories: tuple[str, ...]
    offset: NDArray[np.int64]
    count: NDArray[np.int64]
    used: tuple[int, ...]


def range_count(size: int) -> int:
    """How many ranges keys are cut into where `size` bytes are expected in all files together."""
    return max(1, min(MAX_RANGES, -(-size // RANGE_BYTES)))


def range_edges(ranges: int) -> NDArray[np.uint64]:
    """(ranges - 1,) the first keys of all ranges but the first, evenly over all 64-bit numbers."""
    return np.array([number * 2**64 // ranges for number in range(1, ranges)], dtype=np.uint64)


class Spill:
    """A sink that writes drawings into files `{stem}-0`, `{stem}-1`, ... of a folder.

    Attributes:
        files: what was written.
    """

    def __init__(self, folder: Path, stem: str, ranges: int) -> None:
        self.files: list[SpillFile] = []
        self._folder, self._stem, self._edges = folder, stem, range_edges(ranges)
        self._parts: list[Drawings] = []
        self._points = 0

    def add(self, drawings: Drawings) -> None:
        """Take some drawings; later ones may know more categories than earlier ones, not others.

        Raises:
            OSError: they cannot be written.
        """
        self._parts.append(drawings)
        self._points += len(drawings.points)
        if self._points >= MAX_POINTS_HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is held.

        Raises:
            OSError: it cannot be written.
        """
        if not self._parts:
            return
        whole = joined(self._parts, self._parts[-1].categories)
        self._parts, self._points = [], 0
        whole = whole.take(np.argsort(whole.key, kind="stable"))
        cuts = [0, *np.searchsorted(whole.key, self._edges).tolist(), len(whole)]
        path = self._folder / f"{self._stem}-{len(self.files)}"
        with path.open("wb") as file:
            for first, last in pairwise(cuts):
                file.write(_packed(whole, first, last))
        count = np.diff(np.array(cuts, dtype=np.int64))
        points = np.diff(whole.start[cuts])
        offset = np.concatenate([[0], np.cumsum(PER_DRAWING * count + PER_POINT * points)])
        used = tuple(np.unique(whole.category).tolist())
        self.files.append(SpillFile(path, whole.categories, offset, count, used))


def _packed(drawings: Drawings, first: int, last: int) -> bytes:
    """The drawings from `first` to before `last` as bytes."""
    if first == last:
        return b""
    part = drawings.between(first, last)
    columns = [part.category.astype("<u2"), part.key.astype("<u8"), part.lengths.astype("<u2")]
    return b"".join(column.tobytes() for column in (*columns, part.points, part.lift))


def _unpacked(data: bytes, count: int, table: NDArray[np.int64], categories: Sequence[str]) -> Drawings:
    """`count` drawings from their bytes; `table` holds the index in `categories` of each of the file's."""
    points = (len(data) - PER_DRAWING * count) // PER_POINT
    at = np.cumsum([0, 2 * count, 8 * count, 2 * count, 2 * points])
    lengths = np.frombuffer(data, "<u2", count, at[2]).astype(np.int64)
    return Drawings(
        category=table[np.frombuffer(data, "<u2", count, at[0])],
        key=np.frombuffer(data, "<u8", count, at[1]).astype(np.uint64),
        start=np.concatenate([[0], np.cumsum(lengths)]),
        points=np.frombuffer(data, np.uint8, 2 * points, at[3]).reshape(-1, 2),
        lift=np.frombuffer(data, np.bool_, points, at[4]),
        categories=tuple(categories),
    )


def key_ranges(files: Sequence[SpillFile], categories: Sequence[str]) -> Iterator[tuple[Drawings, int]]:
    """All drawings, those of one or a few ranges of keys at a time, unsorted, and their bytes.

    Raises:
        OSError: a file cannot be read.
    """
    index = {name: number for number, name in enumerate(categories)}
    tables = [np.array([index.get(name, 0) for name in file.categories], dtype=np.int64) for file in files]
    sizes = np.sum([np.diff(file.offset) for file in files], axis=0)
    first = 0
    while first < len(sizes):
        last = first + 1
        while last < len(sizes) and sizes[first : last + 1].sum() <= 4 * RANGE_BYTES:
            last += 1
        parts: list[Drawings] = []
        for file, table in zip(files, tables, strict=True):
            parts += _between(file, first, last, table, categories)
        yield joined(parts, categories), int(sizes[first:last].sum())
        first = last


def _between(
    file: SpillFile, first: int, last: int, table: NDArray[np.int64], categories: Sequence[str]
) -> Iterator[Drawings]:
    """The drawings of some ranges of a file, range by range."""
    offset = file.offset[first : last + 1].tolist()
    if offset[0] == offset[-1]:
        return
    with file.path.open("rb") as stream:
        stream.seek(offset[0])
        data = stream.read(offset[-1] - offset[0])
    for number, count in enumerate(file.count[first:last].tolist()):
        if count:
            part = data[offset[number] - offset[0] : offset[number + 1] - offset[0]]
            yield _unpacked(part, count, table, categories)
