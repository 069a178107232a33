"""The input of `prepare` in parts of about the same work, so that several processes can share it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sketchgen.data.sources import has_lines
from sketchgen.data.spill import range_count
from sketchgen.formats.read_write import readable

TASK_BYTES = 16 * 1024 * 1024
"""What a process reads at a time: about a second, so that a run can be watched and stopped."""

SCAN_BYTES = 64 * 1024

PICTURE_BYTES = 64 * 1024
"""What a file of one drawing counts as at least: it takes as long as so many bytes of lines."""

SPILLED = {".ndjson": 0.4, ".gz": 2.5, ".bin": 1.2}
"""Bytes between the two passes for each byte of a file, about; 1 for other kinds."""


@dataclass(frozen=True)
class Piece:
    """A file, or whole lines of one.

    Attributes:
        file: its path.
        first: where the piece begins, in bytes.
        size: how many of the file's bytes belong to it.
        whole: whether that is all of the file, which is then read to its end, for it may be packed.
        training_only: whether its drawings must never stand in validation or test.
    """

    file: Path
    first: int
    size: int
    whole: bool = False
    training_only: bool = False


def pieces_of(file: Path, most: int = TASK_BYTES) -> Iterator[Piece]:
    """A file in pieces of about `most` bytes, if it can be cut: at the ends of lines, unless it is packed.

    Raises:
        FormatError: it cannot be opened.
    """
    with readable(file):
        size = file.stat().st_size
        if not has_lines(file) or file.suffix.lower() == ".gz" or size <= most:
            yield Piece(file, 0, size, whole=True)
            return
        with file.open("rb") as stream:
            first = 0
            while first < size:
                last = size
                if first + most < size:
                    stream.seek(first + most - 1)
                    last = first + most - 1
                    while (data := stream.read(SCAN_BYTES)) and b"\n" not in data:
                        last += len(data)
                    last += data.find(b"\n") + 1
                yield Piece(file, first, last - first)
                first = last


def tasks_of(
    files: Sequence[Path], most: int = TASK_BYTES, training_only: Sequence[Path] = ()
) -> list[list[Piece]]:
    """Cut files, in their order, into tasks of about `most` bytes, putting small ones together.

    Args:
        files: the files.
        most: bytes of a task.
        training_only: files, after the others, whose drawings are for training only.

    Raises:
        FormatError: a file cannot be opened.
    """
    tasks: list[list[Piece]] = []
    room = 0
    for file, only in [*((file, False) for file in files), *((file, True) for file in training_only)]:
        for piece in pieces_of(file, most):
            work = piece.size if has_lines(file) else max(piece.size, PICTURE_BYTES)
            if work > room or not tasks:
                tasks.append([])
                room = most
            tasks[-1].append(replace(piece, training_only=only))
            room -= work
    return tasks


def ranges_for(tasks: Sequence[Sequence[Piece]]) -> int:
    """How many ranges the keys are best cut into."""
    expected = sum(
        piece.size * SPILLED.get(piece.file.suffix.lower(), 1.0) for pieces in tasks for piece in pieces
    )
    return range_count(int(expected))
