"""Read files of drawings in tasks of about equal work, which several processes can share."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings, from_lists
from sketchgen.data.selection import (
    BAD_NAME,
    MAX_POINTS,
    MIN_POINTS,
    NOT_RECOGNISED,
    OTHER_CATEGORY,
    SPLITS,
    TOO_FEW_POINTS,
    TOO_MANY_POINTS,
    TRAINING_ONLY,
    UNREADABLE,
    Selection,
    drawing_keys,
    row_of,
    split_numbers,
)
from sketchgen.data.simplified import Block, read_block
from sketchgen.data.sorted_runs import Run, RunWriter
from sketchgen.data.sources import Found, entries, has_lines
from sketchgen.errors import FormatError, SketchgenError
from sketchgen.formats.compressed import inflated
from sketchgen.formats.quickdraw import Entry, line_entry, lines_of
from sketchgen.formats.read_write import check_faults, is_gzip, readable

TASK_BYTES = 16 * 1024 * 1024
"""Input of a task: about a second's work, so that progress can be shown and a run stopped."""

SCAN_BYTES = 64 * 1024

BLOCK_BYTES = 128 * 1024
"""Lines that are parsed together: few enough for the processor's cache."""

MIN_PICTURE_BYTES = 64 * 1024
"""Minimum work of a file of one drawing: reading it takes as long as so many bytes of lines."""

MAX_FAULTS = 20
"""Number of unreadable drawings that are named; the others are only counted."""

MAX_CATEGORIES = 2**16 - 1

MAX_BUFFERED_ROWS = 1000
"""Drawings read one by one that are buffered, to be passed on together."""


@dataclass(frozen=True)
class Piece:
    """A file, or some whole lines of one.

    Attributes:
        first: where the piece begins, in bytes.
        size: its size in the file, in bytes, which may be compressed.
        training_only: whether to drop its drawings that fall into validation or test.
    """

    file: Path
    first: int
    size: int
    training_only: bool = False


def pieces_of(file: Path, max_bytes: int = TASK_BYTES) -> Iterator[Piece]:
    """Yield a file in pieces of about `max_bytes`, cut at line ends; in one if it cannot be cut."""
    with readable(file):
        size = file.stat().st_size
        if not has_lines(file) or is_gzip(file) or size <= max_bytes:
            yield Piece(file, 0, size)
            return
        with file.open("rb") as stream:
            first = 0
            while first < size:
                stream.seek(min(first + max_bytes, size) - 1)
                while (line := stream.readline(SCAN_BYTES)) and not line.endswith(b"\n"):
                    pass
                last = stream.tell()
                yield Piece(file, first, last - first)
                first = last


def split_into_tasks(
    files: Sequence[Path], max_bytes: int = TASK_BYTES, training_only: Sequence[Path] = ()
) -> list[list[Piece]]:
    """Return tasks of one or several pieces, in the order of the files.

    A task has at most `max_bytes` of work, but for a single piece that is larger.
    """
    tasks: list[list[Piece]] = []
    room = 0
    for file, only in [*((file, False) for file in files), *((file, True) for file in training_only)]:
        for piece in pieces_of(file, max_bytes):
            work = piece.size if has_lines(file) else max(piece.size, MIN_PICTURE_BYTES)
            if work > room or not tasks:
                tasks.append([])
                room = max_bytes
            tasks[-1].append(replace(piece, training_only=only))
            room -= work
    return tasks


@dataclass
class TaskResult:
    """The result of a task.

    Attributes:
        lines: number of lines of each piece; 0 for files without lines.
        faults: the first `MAX_FAULTS` faults of each piece: its number, the line in it, from 1 (0 for files
            without lines), and a message that names the file and that line.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    lines: list[int] = field(default_factory=list)
    faults: list[tuple[int, int, str]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)


class _CategoryNumbers(dict[bytes, int]):
    """Numbers of categories by their names in UTF-8, in order of appearance; `names` has those numbered.

    The number is -1 for categories that are not selected and -2 for texts that are no name.
    """

    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self.names: list[str] = []
        self._selection = selection

    def __missing__(self, word: bytes) -> int:
        reason = self._selection.reason_to_drop(word.decode())
        if reason is not None:
            number = -1 if reason == OTHER_CATEGORY else -2
        else:
            number = len(self.names)
            check_category_count(number + 1)
            self.names.append(word.decode())
        self[word] = number
        return number


def check_category_count(count: int) -> None:
    """Check that a store can number so many categories."""
    if count > MAX_CATEGORIES:
        raise FormatError(f"more than {MAX_CATEGORIES} categories; take some of them with --category")


class PieceReader:
    """Read pieces and pass their selected drawings on.

    Args:
        selection: the drawings to select.
        add: called with the drawings, some at a time; their categories begin with those of earlier calls.
        cancelled: called now and then; whether to stop.

    Attributes:
        result: what has been read so far, without runs.
    """

    def __init__(
        self,
        selection: Selection,
        add: Callable[[Drawings], None],
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.result = TaskResult()
        self._selection, self._add, self._cancelled = selection, add, cancelled
        self._numbers = _CategoryNumbers(selection)
        self._training_only = False
        self._rows: list[tuple[int, list[int], NDArray[np.uint8]]] = []

    def read(self, piece: Piece) -> None:
        """Read a piece."""
        self.result.lines.append(0)
        self._training_only = piece.training_only
        if has_lines(piece.file):
            self._read_lines(piece)
        else:
            for found in entries(piece.file):
                self._add_one(found, 0)
        self._flush()

    def _read_lines(self, piece: Piece) -> None:
        name, first, drawings = piece.file.name, 1, 0
        for lines in _blocks(piece):
            found = read_block(lines)
            self._add_block(found)
            drawings += len(found.word)
            for number, line in found.rest:
                entry = line_entry(line.removesuffix(b"\n"), f"{name}, line {first + number}")
                drawings += isinstance(entry, Entry)
                self._add_one(entry, first + number)
            first += len(lines)
            check_faults(first - 1 - drawings, drawings, name)
        self.result.lines[-1] = first - 1

    def _add_block(self, block: Block) -> None:
        """Select among the drawings of a block, by the same rules in the same order as `row_of`."""
        count, lengths = len(block.word), block.drawings.lengths
        category = np.fromiter(map(self._numbers.__getitem__, block.word), np.int64, count)
        kept = np.ones(count, dtype=bool)
        for reason, dropped in (
            (NOT_RECOGNISED, ~block.recognised & self._selection.recognised),
            (OTHER_CATEGORY, category == -1),
            (BAD_NAME, category == -2),
            (TOO_FEW_POINTS, lengths < MIN_POINTS),
            (TOO_MANY_POINTS, lengths > MAX_POINTS),
        ):
            if dropped.any():
                self._drop(reason, int((dropped & kept).sum()))
                kept &= ~dropped
        names = tuple(self._numbers.names)
        found = replace(block.drawings, category=np.maximum(category, 0), categories=names)
        self._pass_on(found if kept.all() else found.take(np.flatnonzero(kept)))

    def _add_one(self, found: Found, line: int) -> None:
        """Buffer a drawing if it is selected, or note the fault in `line`."""
        try:
            row = row_of(found, self._selection)
        except SketchgenError as error:
            self._drop(UNREADABLE)
            piece = len(self.result.lines) - 1
            if sum(number == piece for number, _, _ in self.result.faults) < MAX_FAULTS:
                self.result.faults.append((piece, line, str(error)))
            return
        if isinstance(row, str):
            self._drop(row)
            return
        category, points, lengths = row
        self._rows.append((self._numbers[category.encode()], lengths, points))
        if len(self._rows) >= MAX_BUFFERED_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Pass on the buffered drawings."""
        if self._rows:
            categories, lengths, points = zip(*self._rows, strict=True)
            self._rows = []
            no_keys = [0] * len(categories)
            self._pass_on(from_lists(categories, no_keys, lengths, points, self._numbers.names))

    def _pass_on(self, drawings: Drawings) -> None:
        """Pass drawings on with their keys."""
        if self._cancelled():
            raise CancelledError
        drawings = replace(drawings, key=drawing_keys(drawings))
        if self._training_only:
            training = split_numbers(drawings.key) == SPLITS.index("train")
            self._drop(TRAINING_ONLY, int((~training).sum()))
            drawings = drawings.take(np.flatnonzero(training))
        if len(drawings):
            self._add(drawings)

    def _drop(self, reason: str, count: int = 1) -> None:
        if count:
            self.result.dropped[reason] += count


def _blocks(piece: Piece) -> Iterator[list[bytes]]:
    """Yield lines of a piece, some at a time; only errors of its file become format errors."""
    with readable(piece.file), piece.file.open("rb") as file:
        file.seek(piece.first)
        whole = is_gzip(piece.file)
        lines: list[bytes] = []
        size = 0
        for line in lines_of(inflated(file, piece.file.name) if whole else file):
            lines.append(line)
            size += len(line)
            ends = not whole and file.tell() >= piece.first + piece.size
            if ends or size >= BLOCK_BYTES:
                yield lines
                lines, size = [], 0
            if ends:
                return
        yield lines


def read_task(
    number: int, pieces: list[Piece], selection: Selection, folder: Path, ranges: int
) -> TaskResult:
    """Read the pieces of task `number`, and write the selected drawings as runs to a folder."""
    writer = RunWriter(folder, str(number), ranges)
    reader = PieceReader(selection, writer.add, _stop.is_set)
    for piece in pieces:
        reader.read(piece)
    writer.flush()
    reader.result.runs = writer.runs
    return reader.result


_stop: Event | threading.Event = threading.Event()
"""Set if the tasks of this process are cancelled."""


def start_worker(stop: Event) -> None:
    """Prepare a new process for tasks: it ignores Ctrl-C and ends with its parent."""
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
