"""A file that grows until it is whole, and of which a resumed job keeps what is sound."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sketchgen.errors import OutputError
from sketchgen.jobs.serialized import Item, from_kept
from sketchgen.sketch.files import reason, shown


class Growing:
    """A file to which bytes are added; `open` keeps as much of an earlier run's as was found to be sound."""

    def __init__(self, path: Path) -> None:
        """Grow the file at `path`, which is there or not."""
        self.path = path
        self._file: int | None = None
        self._size = 0
        self._lines: Iterator[int] | None = None

    def keep(self, size: int) -> bool:
        """Keep the next `size` bytes of what is there; False if there are not so many."""
        try:
            found = self.path.stat().st_size >= self._size + size
        except OSError:
            return False
        self._size += size if found else 0
        return found

    def keep_line(self) -> bool:
        """Keep the next line of what is there; False if there is no whole one."""
        self._lines = self._lines or _line_sizes(self.path)
        size = next(self._lines, None)
        self._size += size or 0
        return size is not None

    def open(self) -> None:
        """Open it behind what is kept.

        Raises:
            OutputError: it cannot be written.
        """
        with writing(self.path):
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)

    def add(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            OutputError: they cannot be written; nothing of them stays.
        """
        assert self._file is not None
        with writing(self.path):
            append(self._file, data, self._size)
        self._size += len(data)

    def sync(self) -> None:
        """See everything to the disk.

        Raises:
            OutputError: it cannot be written.
        """
        assert self._file is not None
        with writing(self.path):
            os.fsync(self._file)

    def close(self) -> None:
        """Close it; it may never have been opened."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Close it and take it away, where it is still there."""
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def items_on(path: Path) -> list[Item]:
    """The drawings that were set aside on the lines of a file; none where there is no file.

    Raises:
        FormatError: a line is damaged.
    """
    try:
        with open(path, "rb") as file:
            return [from_kept(line, shown(path)) for line in file]
    except FileNotFoundError:
        return []


def append(descriptor: int, data: bytes, size: int) -> None:
    """Write at the end of a file of `size` bytes; where that fails, nothing of it stays.

    Raises:
        OSError: it cannot be written.
    """
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
            os.lseek(descriptor, size, os.SEEK_SET)
        raise


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Errors of the system as one line about a file.

    Raises:
        OutputError: the block raised one.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"{shown(path)} cannot be written: {reason(error)}") from error


def _line_sizes(path: Path) -> Iterator[int]:
    """The sizes of the whole lines of a file; none where there is no file."""
    try:
        with open(path, "rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield len(line)
    except OSError:
        return
