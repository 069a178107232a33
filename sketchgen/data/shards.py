"""Read and write the shards of a split: Arrow files of drawings in the order of their keys.

Each record batch of a shard is a block of `BLOCK` drawings, except that its last one may be smaller. Shards
are memory-mapped, so that any block can be read alone. Reading beyond the end of a file that was truncated
after it was mapped would kill the process; so its size is checked before each block.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings, joined
from sketchgen.data.rows import SCHEMA, from_rows, to_rows
from sketchgen.errors import FormatError
from sketchgen.sketch.files import SUMS, has_sum

BLOCK = 1024
"""Drawings in a block: about 120 KB, large enough that reading blocks in random order is hardly slower."""

SHARD_BLOCKS = 256
"""Blocks in a shard: about 30 MB, so that fifty million drawings take about two hundred files."""

MAX_OPEN = 128
"""Maximum number of shards that a process keeps open; some systems allow 256 files in all."""


@dataclass(frozen=True)
class Shard:
    """A file of a split, as `store.json` lists it.

    Attributes:
        file: its name in the store's folder.
        drawings: number of its drawings, 1 or more.
        bytes: its size.
    """

    file: str
    drawings: int
    bytes: int

    @property
    def blocks(self) -> int:
        """Number of its blocks; all except the last are full."""
        return -(-self.drawings // BLOCK)


def shard_name(split: str, number: int) -> str:
    """Return the name of shard `number` of a split, from 0."""
    return f"{split}-{number:05d}.arrow"


class SplitWriter:
    """Write the drawings of a split, added in the order of their keys, to shards."""

    def __init__(self, folder: Path, split: str, shard_blocks: int = SHARD_BLOCKS) -> None:
        self.shards: list[Shard] = []
        self._folder, self._split, self._max_drawings = folder, split, shard_blocks * BLOCK
        self._buffer: list[Drawings] = []
        self._buffered = self._written = 0
        self._file: Any = None
        self._writer: Any = None

    def add(self, drawings: Drawings) -> None:
        """Add drawings; write full blocks and buffer the rest."""
        self._buffer.append(drawings)
        self._buffered += len(drawings)
        if self._buffered >= BLOCK:
            self._write(self._buffered // BLOCK * BLOCK)

    def close(self) -> list[Shard]:
        """Write the buffered drawings, and return the shards."""
        self._write(self._buffered)
        self._finish()
        return self.shards

    def abandon(self) -> None:
        """Close the current file, incomplete as it is."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def _write(self, count: int) -> None:
        if not count:
            return
        drawings = joined(self._buffer, self._buffer[0].categories)
        for first in range(0, count, BLOCK):
            if self._writer is None:
                path = self._folder / shard_name(self._split, len(self.shards))
                self._file = pa.OSFile(str(path), "wb")
                self._writer = pa.ipc.new_file(self._file, SCHEMA)
            block = drawings.between(first, min(first + BLOCK, count))
            # Not a slice of a larger batch: Arrow would write it with the bytes that follow it in memory.
            self._writer.write_batch(to_rows(block))
            self._written += len(block)
            if self._written == self._max_drawings:
                self._finish()
        self._buffer = [drawings.between(count, len(drawings))]
        self._buffered -= count

    def _finish(self) -> None:
        if self._writer is None:
            return
        self._writer.close()
        self._file.close()
        name = shard_name(self._split, len(self.shards))
        self.shards.append(Shard(name, self._written, (self._folder / name).stat().st_size))
        self._file = self._writer = None
        self._written = 0


@dataclass
class _Files:
    """The shards that a process has open, and those whose checksums it has checked.

    A forked process opens its own.
    """

    process: int = field(default_factory=os.getpid)
    readers: dict[int, tuple[Any, mmap]] = field(default_factory=dict)
    checked: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Split:
    """A split of a prepared store, read block by block on demand.

    Attributes:
        categories: the names; a drawing's category is an index into them.
    """

    name: str
    categories: tuple[str, ...]
    folder: Path
    shards: tuple[Shard, ...]
    _files: _Files = field(default_factory=_Files, repr=False, compare=False)

    def __len__(self) -> int:
        return sum(shard.drawings for shard in self.shards)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without open files, so that a split can be pickled."""
        return {**vars(self), "_files": _Files()}

    @property
    def block_sizes(self) -> NDArray[np.int64]:
        """Number of drawings in each block, (blocks,); no shard is opened."""
        sizes = [np.full(shard.blocks, BLOCK, dtype=np.int64) for shard in self.shards]
        for size, shard in zip(sizes, self.shards, strict=True):
            size[-1] = shard.drawings - (shard.blocks - 1) * BLOCK
        return np.concatenate([np.zeros(0, dtype=np.int64), *sizes])

    def read(self, blocks: Sequence[int] | NDArray[np.int64]) -> Drawings:
        """Return the drawings of some blocks, in that order, copied into memory."""
        firsts = np.cumsum([0, *(shard.blocks for shard in self.shards)])
        parts: list[Drawings] = []
        for block in map(int, blocks):
            if not 0 <= block < firsts[-1]:
                raise IndexError(f"no block {block}; {self.name} has {firsts[-1]}")
            number = int(np.searchsorted(firsts, block, side="right")) - 1
            parts.append(self._block(number, block - int(firsts[number])))
        return joined(parts, self.categories)

    def drawings(self, limit: int | None = None) -> Drawings:
        """Return the first `limit` drawings in the order of their keys, or all, copied into memory.

        Keys are hashes, so that the first drawings are a random sample, and always the same.
        """
        count = len(self) if limit is None else max(0, min(limit, len(self)))
        needed = int(np.searchsorted(np.cumsum(self.block_sizes), count)) + 1 if count else 0
        found = self.read(range(needed))
        return found if len(found) == count else found.take(np.arange(count))

    def find(self, key: int) -> Drawings:
        """Return the one drawing with a key, or none, by a binary search over the blocks."""
        low, high = 0, len(self.block_sizes)
        while low < high:
            middle = (low + high) // 2
            found = self.read([middle])
            if key > int(found.key[-1]):
                low = middle + 1
            elif key < int(found.key[0]):
                high = middle
            else:
                return found.take(np.flatnonzero(found.key == np.uint64(key)))
        return self.read([])

    def _block(self, number: int, block: int) -> Drawings:
        shard = self.shards[number]
        path = self.folder / shard.file
        try:
            reader, mapped = self._opened(number)
            if mapped.size() != shard.bytes:
                raise FormatError("is damaged or cut off while it is open")
            rows = reader.get_batch(block)
            if rows.num_rows != min(BLOCK, shard.drawings - block * BLOCK):
                raise FormatError("holds blocks of other sizes")
            found = from_rows(rows, self.categories)
            if (found.key[1:] <= found.key[:-1]).any():
                raise FormatError("holds drawings out of order")
        except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
            self._files.readers.pop(number, None)
            raise FormatError(f"{path} is damaged or missing; prepare the store again") from error
        except FormatError as error:
            raise FormatError(f"{path} {error}; prepare the store again") from error
        return found

    def _opened(self, number: int) -> tuple[Any, mmap]:
        """Return the reader of shard `number` and the memory that it maps, opened once in a process."""
        if self._files.process != os.getpid():
            self._files.process, self._files.readers = os.getpid(), {}
        readers = self._files.readers
        if number not in readers:
            while len(readers) >= MAX_OPEN:
                del readers[next(iter(readers))]
            shard = self.shards[number]
            path = self.folder / shard.file
            if path.stat().st_size != shard.bytes:
                raise FormatError("is damaged, cut off or another one: its size is not that in store.json")
            if number not in self._files.checked:
                if not has_sum(path):
                    raise FormatError(f"is damaged: its checksum is not that in {SUMS}")
                self._files.checked.add(number)
            with path.open("rb") as file:
                mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
            reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped)))
            if reader.schema != SCHEMA or reader.num_record_batches != shard.blocks:
                raise FormatError("is not a shard of this store")
            readers[number] = reader, mapped
        return readers[number]
