"""The files of a split: Arrow files of equal blocks of drawings in the order of their keys.

A shard's record batches hold `BLOCK` drawings each, but its last one; any block of a split can be read alone.
Shards are memory-mapped, and of what is mapped only the blocks that are asked for are touched, and copied.
To touch what a file has lost since it was mapped would end the process, so its size is looked at before each
block.
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

BLOCK = 1024
"""Drawings in a block: about 120 KB, so that blocks in random order are read almost as fast as a file."""

SHARD_BLOCKS = 256
"""Blocks in a shard: about 30 MB, so that fifty million drawings lie in some two hundred files."""

MAX_OPEN = 128
"""Shards that a process keeps open at a time; a system may allow it 256 files in all."""


@dataclass(frozen=True)
class Shard:
    """A file of a split, as `store.json` lists it.

    Attributes:
        file: its name in the store's folder.
        drawings: how many it holds, 1 or more.
        bytes: its size on the disk.
    """

    file: str
    drawings: int
    bytes: int

    @property
    def blocks(self) -> int:
        """How many blocks it holds; all but the last are full."""
        return -(-self.drawings // BLOCK)


def shard_name(split: str, number: int) -> str:
    """The name of a split's shard `number`, from 0."""
    return f"{split}-{number:05d}.arrow"


class SplitWriter:
    """Writes a split's drawings into shards as they come; they must come in the order of their keys."""

    def __init__(self, folder: Path, split: str, shard_blocks: int = SHARD_BLOCKS) -> None:
        self.shards: list[Shard] = []
        self._folder, self._split, self._most = folder, split, shard_blocks * BLOCK
        self._pending: list[Drawings] = []
        self._waiting = self._written = 0
        self._file: Any = None
        self._writer: Any = None

    def add(self, drawings: Drawings) -> None:
        """Add drawings; whole blocks are written, the rest waits.

        Raises:
            OSError: they cannot be written.
        """
        self._pending.append(drawings)
        self._waiting += len(drawings)
        if self._waiting >= BLOCK:
            self._write(self._waiting // BLOCK * BLOCK)

    def close(self) -> list[Shard]:
        """Write what waits, and return the shards.

        Raises:
            OSError: it cannot be written.
        """
        self._write(self._waiting)
        self._finish()
        return self.shards

    def abandon(self) -> None:
        """Let go of a file that is being written; for a store that is not to be."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def _write(self, count: int) -> None:
        """Write the first `count` drawings that wait."""
        if not count:
            return
        waiting = joined(self._pending, self._pending[0].categories)
        for first in range(0, count, BLOCK):
            if self._writer is None:
                path = self._folder / shard_name(self._split, len(self.shards))
                self._file = pa.OSFile(str(path), "wb")
                self._writer = pa.ipc.new_file(self._file, SCHEMA)
            block = waiting.between(first, min(first + BLOCK, count))
            # Rows of its own: a slice of a larger batch is written with what lay behind it, as if at random.
            self._writer.write_batch(to_rows(block))
            self._written += len(block)
            if self._written == self._most:
                self._finish()
        self._pending = [waiting.between(count, len(waiting))]
        self._waiting -= count

    def _finish(self) -> None:
        """End the shard that is being written, if there is one."""
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
    """The shards that this process has open; another process (a fork, a copy) opens its own."""

    process: int = field(default_factory=os.getpid)
    readers: dict[int, tuple[Any, mmap]] = field(default_factory=dict)


@dataclass(frozen=True)
class Split:
    """A split of a prepared store: blocks of drawings that are read when they are asked for.

    Attributes:
        name: "train", "valid" or "test".
        categories: the names; a drawing's category is an index into them.
        folder: the store's.
        shards: its files.
    """

    name: str
    categories: tuple[str, ...]
    folder: Path
    shards: tuple[Shard, ...]
    _files: _Files = field(default_factory=_Files, repr=False, compare=False)

    def __len__(self) -> int:
        """Number of drawings."""
        return sum(shard.drawings for shard in self.shards)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but what is open, so that a Split can be sent to another process."""
        return {**vars(self), "_files": _Files()}

    @property
    def block_sizes(self) -> NDArray[np.int64]:
        """(blocks,) number of drawings in each block; known without opening a shard."""
        sizes = [np.full(shard.blocks, BLOCK, dtype=np.int64) for shard in self.shards]
        for size, shard in zip(sizes, self.shards, strict=True):
            size[-1] = shard.drawings - (shard.blocks - 1) * BLOCK
        return np.concatenate([np.zeros(0, dtype=np.int64), *sizes])

    def read(self, blocks: Sequence[int] | NDArray[np.int64]) -> Drawings:
        """The drawings of some blocks, in that order, copied into memory.

        Raises:
            FormatError: a shard is damaged, cut off, missing or another one.
            IndexError: there is no such block.
        """
        firsts = np.cumsum([0, *(shard.blocks for shard in self.shards)])
        parts: list[Drawings] = []
        for block in map(int, blocks):
            if not 0 <= block < firsts[-1]:
                raise IndexError(f"no block {block}; {self.name} has {firsts[-1]}")
            number = int(np.searchsorted(firsts, block, side="right")) - 1
            parts.append(self._block(number, block - int(firsts[number])))
        return joined(parts, self.categories)

    def drawings(self, most: int | None = None) -> Drawings:
        """The first `most` drawings in the order of their keys, or all, copied into memory.

        Keys are hashes, so that the first ones are a random sample, and always the same.

        Raises:
            FormatError: a shard is damaged, cut off, missing or another one.
        """
        count = len(self) if most is None else max(0, min(most, len(self)))
        needed = int(np.searchsorted(np.cumsum(self.block_sizes), count)) + 1 if count else 0
        found = self.read(range(needed))
        return found if len(found) == count else found.take(np.arange(count))

    def find(self, key: int) -> Drawings:
        """The drawing of a key: one, or none if it is not here. Keys are in order: few blocks are read.

        Raises:
            FormatError: a shard is damaged, cut off, missing or another one.
        """
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
        """Block `block` of shard `number`."""
        shard = self.shards[number]
        try:
            reader, mapped = self._opened(number)
            if mapped.size() != shard.bytes:
                raise FormatError("is damaged or cut off while it is open")
            rows = reader.get_batch(block)
            if rows.num_rows != min(BLOCK, shard.drawings - block * BLOCK):
                raise FormatError("holds blocks of other sizes")
            found = from_rows(rows, self.categories)
        except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
            self._files.readers.pop(number, None)
            raise self._unfit(shard, "is damaged or missing") from error
        except FormatError as error:
            raise self._unfit(shard, str(error)) from error
        if (found.key[1:] <= found.key[:-1]).any():
            raise self._unfit(shard, "holds drawings out of order")
        return found

    def _unfit(self, shard: Shard, why: str) -> FormatError:
        return FormatError(f"{self.folder / shard.file} {why}; prepare the store again")

    def _opened(self, number: int) -> tuple[Any, mmap]:
        """What reads shard `number`, and the map that it reads from; opened once in this process.

        Raises:
            OSError, ArrowException: it cannot be opened.
            FormatError: it is not the file that `store.json` lists.
        """
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
            with path.open("rb") as file:
                mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
            reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped)))
            if reader.schema != SCHEMA or reader.num_record_batches != shard.blocks:
                raise FormatError("is not a shard of this store")
            readers[number] = reader, mapped
        return readers[number]
