"""A file to which bytes are appended, and of which a resumed job keeps the valid part."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sketchgen.errors import OutputError
from sketchgen.sketch.files import reason, shown


class AppendFile:
    """A file that grows after its first `size` bytes; a failed write leaves it as it was."""

    def __init__(self, path: Path, size: int = 0) -> None:
        self.path, self._size = path, size
        self._file: int | None = None
        self._lines: Iterator[int] | None = None

    def keep(self, size: int) -> bool:
        """Keep the next `size` bytes of the existing file; return False if it is shorter."""
        try:
            found = self.path.stat().st_size >= self._size + size
        except OSError:
            return False
        self._size += size if found else 0
        return found

    def keep_line(self) -> bool:
        """Keep the next line of the existing file; return False if there is no complete one."""
        self._lines = self._lines or _line_sizes(self.path)
        size = next(self._lines, None)
        self._size += size or 0
        return size is not None

    def open(self) -> None:
        """Open the file and cut off everything that is not kept; OutputError if it cannot be written."""
        with self._errors():
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            self._cut()

    def add(self, data: bytes) -> None:
        """Append bytes; OutputError if they cannot be written, and the file is as it was."""
        assert self._file is not None
        view = memoryview(data)
        with self._errors():
            try:
                while view:
                    view = view[os.write(self._file, view) :]
            except OSError:
                with contextlib.suppress(OSError):
                    self._cut()
                raise
        self._size += len(data)

    def sync(self) -> None:
        """Flush the file to the disk; OutputError if it cannot be written."""
        assert self._file is not None
        with self._errors():
            os.fsync(self._file)

    def close(self) -> None:
        """Close the file if it is open."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def remove(self) -> None:
        """Close the file and delete it if it exists."""
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _cut(self) -> None:
        assert self._file is not None
        os.ftruncate(self._file, self._size)
        os.lseek(self._file, self._size, os.SEEK_SET)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"{shown(self.path)} cannot be written: {reason(error)}") from error


def _line_sizes(path: Path) -> Iterator[int]:
    """Yield the sizes of the complete lines of a file, bytes; none if it does not exist."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield len(line)
