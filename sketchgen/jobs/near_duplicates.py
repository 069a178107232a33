"""Near-duplicates: a 256-bit perceptual hash (pHash) of each drawing, and a search over them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sketchgen.evaluation.bitmaps import Lines, bitmaps
from sketchgen.jobs.spec import Item
from sketchgen.sketch.geometry import box_frame, in_frame
from sketchgen.sketch.sketch import Completion

SIDE = 32
"""Width and height of the bitmap, cells."""

BITS = 16
"""Lowest frequencies used of it in each direction: 16 x 16 bits."""

MAX_DISTANCE = 40
"""Largest Hamming distance of near-duplicates, bits."""

_GROWTH = 1024
"""Rows by which the table of signatures grows."""

_ONES = np.array([bin(value).count("1") for value in range(2**16)], dtype=np.uint8)
"""Bits set in each number of 16 bits; `numpy.bitwise_count` needs version 2."""

_WAVES = np.cos(np.pi / SIDE * (np.arange(SIDE) + 0.5)[None] * np.arange(1, BITS + 1)[:, None])
"""(16, 32) cosines of the lowest frequencies without the mean."""


def signature(item: Item) -> bytes:
    """Return the perceptual hash of a drawing, 32 bytes, independent of its size.

    A bit says whether a low frequency of the blurred bitmap is above the median (pHash). Of a completion only
    the added strokes count, in their place in the whole: all completions of one partial sketch share the
    given ones.
    """
    whole = item.whole if isinstance(item, Completion) else item
    added = item.added if isinstance(item, Completion) else item
    if added.is_empty:
        return bytes(BITS * BITS // 8)
    image = bitmaps(Lines.of_sketches([in_frame(added, box_frame(whole))]), SIDE)[0].reshape(SIDE, SIDE)
    found = _WAVES @ image.astype(np.float64) @ _WAVES.T
    return np.packbits(found > np.median(found)).tobytes()


class SeenSignatures:
    """The signatures of the drawings of one group (a category or a partial sketch), 32 bytes each."""

    def __init__(self, max_distance: int = MAX_DISTANCE) -> None:
        """Start empty; near-duplicates differ in at most `max_distance` bits."""
        self._max_distance, self._group, self._count = max_distance, -1, 0
        self._rows: NDArray[np.uint16] = np.zeros((0, 16), dtype=np.uint16)
        self._numbers: list[int] = []

    def earlier(self, group: int, code: bytes) -> int | None:
        """Return the number of the nearest near-duplicate in the group; None if there is none."""
        if group != self._group or not self._count:
            return None
        row = np.frombuffer(code, dtype=np.uint16)
        distance = _ONES[self._rows[: self._count] ^ row].sum(1, dtype=np.int64)
        nearest = int(np.argmin(distance))
        return self._numbers[nearest] if distance[nearest] <= self._max_distance else None

    def add(self, group: int, number: int, code: bytes) -> None:
        """Add a drawing; the first one of another group forgets the group before."""
        if group != self._group:
            self._group, self._count, self._numbers = group, 0, []
        if self._count == len(self._rows):
            room = np.zeros((max(_GROWTH, len(self._rows)), 16), dtype=np.uint16)
            self._rows = np.concatenate([self._rows, room])
        self._rows[self._count] = np.frombuffer(code, dtype=np.uint16)
        self._count += 1
        self._numbers.append(number)
