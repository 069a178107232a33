"""What one process does of `prepare`: reads a part of the sources and hands on the wanted drawings."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings, from_lists
from sketchgen.data.rules import (
    NO_NAME,
    NOT_RECOGNISED,
    OTHER_CATEGORY,
    SPLITS,
    TRAINING_ONLY,
    UNREADABLE,
    Wanted,
    drawing_keys,
    row_of,
    split_numbers,
)
from sketchgen.data.simplified import Block, read_block
from sketchgen.data.sources import Found, entries, has_lines, line_blocks, opened
from sketchgen.data.spill import Sink, Spill, SpillFile
from sketchgen.data.tasks import Piece
from sketchgen.errors import FormatError, SketchgenError
from sketchgen.formats.quickdraw import line_entry, too_long
from sketchgen.formats.read_write import readable

MAX_FAULTS = 20
"""How many of the things that cannot be read are named; the others are counted."""

MAX_CATEGORIES = 2**16 - 1

ROWS_HELD = 1000
"""Drawings that were read one by one and are handed on together."""


class Interrupted(Exception):
    """The whole is not wanted any more."""


@dataclass(frozen=True)
class Fault:
    """Something that could not be read.

    Attributes:
        piece: in which of the task's pieces.
        line: in which of its lines, from 1; 0 where there are no lines.
        message: file and place, as if the piece were the file's beginning, and what is wrong.
    """

    piece: int
    line: int
    message: str


@dataclass
class Outcome:
    """What became of a task.

    Attributes:
        dropped: how many drawings were left out, by reason.
        faults: the first `MAX_FAULTS` things that could not be read.
        lines: number of lines in each of its pieces; 0 where there are none.
        files: where the drawings are.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    files: list[SpillFile] = field(default_factory=list)


class _Codes(dict[bytes, int]):
    """Numbers for categories, UTF-8, in the order in which they come up; -1 and -2 where they are not wanted.

    Attributes:
        names: the categories that have numbers.
    """

    def __init__(self, wanted: Wanted) -> None:
        super().__init__()
        self.names: list[str] = []
        self._wanted = wanted

    def __missing__(self, word: bytes) -> int:
        """The number of a new category; -1 where another one is wanted, -2 where it is no name.

        Raises:
            FormatError: there are too many of them.
        """
        refused = self._wanted.refuses(word.decode())
        if refused is not None:
            number = -1 if refused == OTHER_CATEGORY else -2
        else:
            number = len(self.names)
            check_categories(number + 1)
            self.names.append(word.decode())
        self[word] = number
        return number


def check_categories(count: int) -> None:
    """Refuse more categories than a store can tell apart.

    Raises:
        FormatError: there are too many.
    """
    if count > MAX_CATEGORIES:
        raise FormatError(f"more than {MAX_CATEGORIES} categories; take some of them with --category")


class Gatherer:
    """Reads pieces, one after the other, into a sink."""

    def __init__(self, wanted: Wanted, sink: Sink, stopped: Callable[[], bool] = lambda: False) -> None:
        self.outcome = Outcome()
        self._wanted, self._sink, self._stopped = wanted, sink, stopped
        self._codes = _Codes(wanted)
        self._training_only = False
        self._rows: list[tuple[int, list[int], NDArray[np.uint8]]] = []

    def read(self, piece: Piece) -> None:
        """Read a piece.

        Raises:
            FormatError: its file cannot be read; there are too many categories.
            OSError: the sink cannot be written.
            Interrupted: it is not wanted any more.
        """
        self.outcome.lines.append(0)
        self._training_only = piece.training_only
        if has_lines(piece.file):
            self._read_lines(piece)
        else:
            for found in entries(piece.file):
                self._check()
                self._one(found, 0)
        self._hand_on()

    def _check(self) -> None:
        if self._stopped():
            raise Interrupted

    def _read_lines(self, piece: Piece) -> None:
        name, first = piece.file.name, 1
        blocks = _blocks(piece)
        while (block := next(blocks, None)) is not None:
            self._check()
            if not block:
                self._one(too_long(f"{name}, line {first}"), first)
                first += 1
                continue
            found = read_block(block)
            self._many(found)
            for number, line in found.rest:
                self._one(line_entry(line, f"{name}, line {first + number}"), first + number)
            first += found.count
        self.outcome.lines[-1] = first - 1

    def _many(self, block: Block) -> None:
        """Take the wanted drawings of a block; the same rules in the same order as `row_of`."""
        count, lengths = len(block.word), np.diff(block.start)
        code = np.fromiter(map(self._codes.__getitem__, block.word), np.int64, count)
        kept = np.ones(count, dtype=bool)
        for reason, dropped in (
            (NOT_RECOGNISED, ~block.recognised & self._wanted.recognised),
            (OTHER_CATEGORY, code == -1),
            (NO_NAME, code == -2),
            (self._wanted.too_few, lengths < self._wanted.fewest_points),
            (self._wanted.too_many, lengths > self._wanted.most_points),
        ):
            if dropped.any():
                self._drop(reason, int((dropped & kept).sum()))
                kept &= ~dropped
        key = np.zeros(count, dtype=np.uint64)
        names = tuple(self._codes.names)
        found = Drawings(np.maximum(code, 0), key, block.start, block.points, block.lift, names)
        self._add(found if kept.all() else found.take(np.flatnonzero(kept)))

    def _drop(self, reason: str, count: int = 1) -> None:
        if count:
            self.outcome.dropped[reason] += count

    def _one(self, found: Found, line: int) -> None:
        """Take a drawing, if it is wanted; `line` tells where a fault is."""
        try:
            row = row_of(found, self._wanted)
        except SketchgenError as error:
            self._drop(UNREADABLE)
            if len(self.outcome.faults) < MAX_FAULTS:
                self.outcome.faults.append(Fault(len(self.outcome.lines) - 1, line, str(error)))
            return
        if isinstance(row, str):
            self._drop(row)
            return
        category, points, lengths = row
        self._rows.append((self._codes[category.encode()], lengths, points))
        if len(self._rows) >= ROWS_HELD:
            self._hand_on()

    def _hand_on(self) -> None:
        """Hand on the drawings that were read one by one."""
        if self._rows:
            codes, lengths, points = zip(*self._rows, strict=True)
            self._rows = []
            self._add(from_lists(codes, [0] * len(codes), lengths, points, self._codes.names))

    def _add(self, drawings: Drawings) -> None:
        drawings = replace(drawings, key=drawing_keys(drawings))
        if self._training_only:
            training = split_numbers(drawings.key) == SPLITS.index("train")
            self._drop(TRAINING_ONLY, int((~training).sum()))
            drawings = drawings.take(np.flatnonzero(training))
        if len(drawings):
            self._sink.add(drawings)


def _blocks(piece: Piece) -> Iterator[bytes]:
    """Blocks of lines of a piece; errors of the file are told as such, unlike those of a sink."""
    with readable(piece.file), opened(piece.file) as stream:
        if piece.first:
            stream.seek(piece.first)
        yield from line_blocks(stream, sys.maxsize if piece.whole else piece.size)


def gather(number: int, pieces: list[Piece], wanted: Wanted, folder: Path, ranges: int) -> Outcome:
    """Task `number`: read pieces, and put the drawings down in files of `folder`.

    Raises:
        FormatError: a file cannot be read.
        OSError: the folder cannot be written.
    """
    spill = Spill(folder, str(number), ranges)
    gatherer = Gatherer(wanted, spill, _stop.is_set)
    for piece in pieces:
        gatherer.read(piece)
    spill.flush()
    gatherer.outcome.files = spill.files
    return gatherer.outcome


_stop: Event | threading.Event = threading.Event()


def begin_worker(stop: Event) -> None:
    """Make a new process ready for tasks: it ends with its parent, who alone hears Ctrl-C.

    Args:
        stop: set where tasks are not wanted any more.
    """
    global _stop
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
