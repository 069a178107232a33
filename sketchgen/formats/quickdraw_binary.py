"""Quick, Draw!'s binary files: simplified drawings, one record after the other, without padding."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

import numpy as np

from sketchgen.errors import FormatError
from sketchgen.sketch.sketch import Sketch

HEAD = struct.Struct("<Q2sbIH")
"""Key, country, whether the game recognised it, seconds since 1970, number of strokes."""

COUNT = struct.Struct("<H")


def read_binary(file: IO[bytes], name: str = "file") -> Iterator[tuple[Sketch, bool]]:
    """The drawings of a file (they have no category in them), and whether the game recognised each.

    Raises:
        FormatError: the file ends in the middle of a drawing; those before it have been given.
    """

    def exactly(size: int) -> bytes:
        data = file.read(size)
        if len(data) < size:
            raise FormatError(f"{name} ends in the middle of drawing {number}; get it again")
        return data

    number = 0
    while first := file.read(1):
        number += 1
        _, _, recognised, _, count = HEAD.unpack(first + exactly(HEAD.size - 1))
        strokes = []
        for _ in range(count):
            (points,) = COUNT.unpack(exactly(COUNT.size))
            axes = np.frombuffer(exactly(2 * points), dtype=np.uint8).reshape(2, points)
            strokes.append(axes.T.astype(np.float64))
        yield Sketch.from_strokes([stroke for stroke in strokes if len(stroke)]), bool(recognised)
