"""The partial drawings of a job: files that are read and checked once, then read again as they are needed."""

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
"""Called with the error of a drawing or of a file that is left out."""

_PIECE = 2**20
"""Bytes that are hashed at a time."""


@dataclass(frozen=True)
class SourceFile:
    """A file of drawings that was read once.

    Attributes:
        name: the path as it was given; "-" for standard input.
        path: the file; None for standard input, whose bytes are kept.
        drawings: number of drawings that can be used.
        sha256: hash of its bytes, hexadecimal.
    """

    name: str
    path: Path | None
    drawings: int
    sha256: str
    _data: bytes = field(default=b"", repr=False)

    def sketches(self, on_error: OnError) -> Iterator[Sketch]:
        """Yield the drawings, one at a time; `on_error` is called with the error of each that cannot be read.

        Raises:
            FormatError: the file cannot be opened, or is damaged.
        """
        source = io.BytesIO(self._data) if self.path is None else self.path
        for entry in entries(source, "standard input" if self.path is None else None):
            if isinstance(entry, SketchgenError):
                on_error(entry)
            else:
                yield entry.sketch


@dataclass(frozen=True)
class Source:
    """The files that a job completes, in their order."""

    files: tuple[SourceFile, ...]

    @property
    def drawings(self) -> int:
        """Number of drawings in all files."""
        return sum(file.drawings for file in self.files)

    def sketches(self, first: int = 0) -> Iterator[Sketch]:
        """Yield the drawings from number `first` on, one at a time; those that cannot be read are skipped.

        Raises:
            FormatError: a file has changed since it was checked.
        """
        for file in self.files:
            if first >= file.drawings:
                first -= file.drawings
                continue
            count = first
            for sketch in itertools.islice(file.sketches(_skip), first, file.drawings):
                yield sketch
                count += 1
            if count < file.drawings:
                raise FormatError(f"{file.name} has changed while it was read; start again")
            first = 0


def open_source(
    inputs: Sequence[tuple[str, Path | None]], most: int, most_words: str, on_error: OnError | None = None
) -> Source:
    """Read all files once: every drawing is checked before the first one is completed.

    Args:
        inputs: (name as given, path) of each file; the path is None for standard input.
        most: largest number of drawings.
        most_words: what an error says of that limit.
        on_error: called with the error of each drawing or file that cannot be read, which is then left out;
            None raises it.

    Raises:
        FormatError: a file or a drawing cannot be read (without `on_error`); the line is named.
        SketchError: a drawing cannot be used (without `on_error`).
        SettingError: more drawings than `most`.
        SketchgenError: nothing is left (the last error, which `on_error` was not called with).
    """
    files: list[SourceFile] = []
    errors: list[SketchgenError] = []
    for name, path in inputs:
        try:
            file = _opened(name, path, most - sum(each.drawings for each in files), errors.append)
        except SketchgenError as error:
            errors.append(error)
            continue
        if file is None:
            raise SettingError(f"more than {most} drawings in {name[:100]} x {most_words}")
        files += [file] if file.drawings else []
    if errors and (on_error is None or not files):
        raise errors[0] if on_error is None else errors.pop()
    for error in errors:
        assert on_error is not None
        on_error(error)
    return Source(tuple(files))


def _opened(name: str, path: Path | None, most: int, on_error: OnError) -> SourceFile | None:
    """Read a file once; None if it holds more than `most` drawings."""
    data = sys.stdin.buffer.read(MAX_BYTES + 1) if path is None else b""
    digest = hashlib.sha256(data).hexdigest() if path is None else _hash_of(path)
    count = 0
    for count, _ in enumerate(SourceFile(name, path, 0, digest, data).sketches(on_error), 1):
        if count > most:
            return None
    return SourceFile(name, path, count, digest, data)


def _skip(error: SketchgenError) -> None:
    """Leave a drawing out again that was left out when the file was checked."""


def _hash_of(path: Path) -> str:
    """Return the SHA-256 of a file, a piece at a time."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except (OSError, ValueError) as error:
        raise FormatError(f"{shown(path)} cannot be read: {reason(error)}") from error
    return digest.hexdigest()
