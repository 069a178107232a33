"""Compressed files, which may not inflate to far more than their size."""

from __future__ import annotations

import gzip
import io
from io import BufferedIOBase
from typing import Any

from sketchgen.errors import FormatError

MAX_RATIO = 100
"""Maximum ratio of the inflated size; files of drawings reach 4 to 10."""

MIN_INFLATED = 8 * 1024 * 1024
"""Inflated size that any file may have, bytes."""


def check_inflated(inflated: int, size: int, name: str) -> None:
    """Check that a file of `size` bytes, which errors call `name`, may inflate to so many."""
    limit = max(MAX_RATIO * size, MIN_INFLATED)
    if inflated > limit:
        raise FormatError(
            f"{name} inflates to more than {limit // 2**20} MB, the limit for its size; is it damaged? "
            "if not, give it uncompressed"
        )


class _Inflating(io.RawIOBase):
    """The inflated content of a file in gzip's format."""

    def __init__(self, file: BufferedIOBase, size: int, name: str) -> None:
        super().__init__()
        self._source, self._file = file, gzip.GzipFile(fileobj=file)
        self._size, self._name, self._inflated = size, name, 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        super().close()
        self._source.close()

    def readinto(self, buffer: Any) -> int:
        data = self._file.read1(len(buffer))
        self._inflated += len(data)
        check_inflated(self._inflated, self._size, self._name)
        buffer[: len(data)] = data
        return len(data)


def inflated(file: BufferedIOBase, name: str) -> BufferedIOBase:
    """Return the content of a file in gzip's format, as a stream that reads once from the beginning.

    Reading raises a FormatError that names the file where it inflates to too much, and the errors of gzip.
    """
    size = 0
    if file.seekable():
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
    return io.BufferedReader(_Inflating(file, size, name), 128 * 1024)
