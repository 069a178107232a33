"""The partial sketches of a job: files that are checked once, and read again while they are completed."""

from __future__ import annotations

import hashlib
import io
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sketchgen.errors import FormatError, SettingError, SketchgenError
from sketchgen.formats.read_write import entries
from sketchgen.sketch.files import MAX_BYTES, reason, shown
from sketchgen.sketch.sketch import Sketch

OnError = Callable[[SketchgenError], None]
"""Called with the error of each drawing or file that is left out."""


@dataclass(frozen=True)
class SourceFile:
    """A file of partial sketches that has been checked.

    Attributes:
        name: the path as given; "-" for standard input.
        path: the file; None for standard input, whose bytes stay in memory.
        drawings: number of readable drawings.
        sha256: SHA-256 of the bytes, hexadecimal.
    """

    name: str
    path: Path | None
    drawings: int
    sha256: str
    _data: bytes = field(default=b"", repr=False)

    def sketches(self, on_error: OnError) -> Iterator[Sketch]:
        """Yield the drawings; `on_error` is called with the error of each unreadable one."""
        source = io.BytesIO(self._data) if self.path is None else self.path
        for entry in entries(source, "standard input" if self.path is None else None):
            if isinstance(entry, SketchgenError):
                on_error(entry)
            else:
                yield entry.sketch


@dataclass(frozen=True)
class Source:
    """The input files of a job."""

    files: tuple[SourceFile, ...]

    @property
    def drawings(self) -> int:
        """Number of drawings in all files."""
        return sum(file.drawings for file in self.files)

    def sketches(self, first: int = 0) -> Iterator[Sketch]:
        """Yield the drawings from number `first` on; unreadable ones are skipped."""
        for file in self.files:
            if first >= file.drawings:
                first -= file.drawings
                continue
            count = first
            # Errors were reported when the file was checked.
            for sketch in itertools.islice(file.sketches(lambda error: None), first, file.drawings):
                yield sketch
                count += 1
            if count < file.drawings:
                raise FormatError(f"{file.name} has changed while it was read; start again")
            first = 0


def open_source(
    inputs: Sequence[tuple[str, Path | None]],
    max_drawings: int,
    limit_text: str,
    on_error: OnError | None = None,
) -> Source:
    """Check every drawing of all files, before the first one is completed.

    Args:
        inputs: (name as given, path) of each file; the path is None for standard input.
        max_drawings: largest number of drawings.
        limit_text: description of that limit in errors.
        on_error: called with the error of each unreadable drawing or file, which is then left out; None
            raises it.

    Raises:
        SettingError: more than `max_drawings` drawings.
        SketchgenError: nothing is readable, or something without `on_error`; the last error, or the first.
    """
    files: list[SourceFile] = []
    errors: list[SketchgenError] = []
    for name, path in inputs:
        try:
            file = _check_file(name, path, max_drawings - sum(each.drawings for each in files), errors.append)
        except SketchgenError as error:
            errors.append(error)
            continue
        if file is None:
            raise SettingError(f"more than {max_drawings} drawings in {name[:100]} x {limit_text}")
        files += [file] if file.drawings else []
    if errors and (on_error is None or not files):
        raise errors[0] if on_error is None else errors.pop()
    for error in errors:
        assert on_error is not None
        on_error(error)
    return Source(tuple(files))


def _check_file(name: str, path: Path | None, max_drawings: int, on_error: OnError) -> SourceFile | None:
    """Return a checked file; None if it holds more than `max_drawings` drawings."""
    data = sys.stdin.buffer.read(MAX_BYTES + 1) if path is None else b""
    digest = hashlib.sha256(data).hexdigest() if path is None else _hash_of(path)
    count = 0
    for count, _ in enumerate(SourceFile(name, path, 0, digest, data).sketches(on_error), 1):
        if count > max_drawings:
            return None
    return SourceFile(name, path, count, digest, data)


def _hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise FormatError(f"{shown(path)} cannot be read: {reason(error)}") from error
