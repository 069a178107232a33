"""What a job goes on from: the drawings of a file, counted and checked once, then read as they are needed."""

from __future__ import annotations

import hashlib
import io
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sketchgen.errors import FormatError, SettingError
from sketchgen.formats.read_write import read_all
from sketchgen.sketch.files import MAX_BYTES, reason, shown
from sketchgen.sketch.sketch import Sketch

_PIECE = 2**20
"""Bytes that are hashed at a time."""


class _StandardInput(io.BytesIO):
    """What came by standard input, by that name in errors."""

    name = "standard input"


@dataclass(frozen=True)
class Source:
    """A file of drawings that is known to be sound.

    Attributes:
        name: the path as it was given; "-" for standard input.
        path: where it is; None for standard input, whose bytes are kept.
        drawings: how many it holds.
        sha256: of its bytes, hexadecimal.
    """

    name: str
    path: Path | None
    drawings: int
    sha256: str
    _data: bytes = field(default=b"", repr=False)

    def sketches(self, first: int = 0) -> Iterator[Sketch]:
        """The drawings from number `first` on, one at a time.

        Raises:
            FormatError: the file has changed since it was checked, and one cannot be read any more.
        """
        found = read_all(_StandardInput(self._data)) if self.path is None else read_all(self.path)
        return itertools.islice(found, first, None)


def open_source(name: str, path: Path | None, most: int, most_words: str) -> Source:
    """Read all of a source once: every drawing is checked before the first one is gone on with.

    Args:
        name: the source as it was given.
        path: its file; None for standard input.
        most: most drawings that are taken.
        most_words: what an error says of that limit.

    Raises:
        FormatError: it cannot be read, or a drawing in it cannot; the line is named.
        SketchError: a drawing that cannot be used.
        SettingError: more drawings than `most`.
    """
    data = sys.stdin.buffer.read(MAX_BYTES + 1) if path is None else b""
    digest = hashlib.sha256(data).hexdigest() if path is None else _hash_of(path)
    source = Source(name, path, 0, digest, data)
    count = 0
    for count, _ in enumerate(source.sketches(), 1):
        if count > most:
            raise SettingError(f"more than {most} drawings in {name[:100]} x {most_words}")
    return Source(name, path, count, digest, data)


def _hash_of(path: Path) -> str:
    """The SHA-256 of a file, a piece at a time."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except (OSError, ValueError) as error:
        raise FormatError(f"{shown(path)} cannot be read: {reason(error)}") from error
    return digest.hexdigest()
