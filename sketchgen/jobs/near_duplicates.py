"""Near-duplicates: each drawing as 256 bits, of which those that look alike share nearly all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sketchgen.evaluation.bitmaps import Lines, bitmaps
from sketchgen.jobs.serialized import Item
from sketchgen.sketch.geometry import box_frame, in_frame
from sketchgen.sketch.sketch import Completion

SIDE = 32
"""Cells of the bitmap that is transformed, in each direction."""

BITS = 16
"""Frequencies that are kept of it in each direction: 16 x 16 bits."""

NEAR = 40
"""Bits in which near-duplicates differ at most."""

_GROWTH = 1024
"""Drawings for which room is made at a time."""

_ONES = np.array([bin(value).count("1") for value in range(2**16)], dtype=np.uint8)
"""Bits set in each number of 16 bits; numpy counts bits itself from version 2 on only."""

_WAVES = np.cos(np.pi / SIDE * (np.arange(SIDE) + 0.5)[None] * np.arange(1, BITS + 1)[:, None])
"""(16, 32) cosines of the lowest frequencies but the mean."""


def signature(item: Item) -> bytes:
    """32 bytes that say what a drawing looks like, whatever its size; of a completion, what was added counts.

    Which half of the low frequencies of its blurred bitmap are above their median (pHash). All completions of
    one beginning share what was given, which must not make them alike; where the added part stands in
    the whole counts.
    """
    whole = item.whole if isinstance(item, Completion) else item
    added = item.added if isinstance(item, Completion) else item
    if added.is_empty:
        return bytes(BITS * BITS // 8)
    image = bitmaps(Lines.of_sketches([in_frame(added, box_frame(whole))]), SIDE)[0].reshape(SIDE, SIDE)
    found = _WAVES @ image.astype(np.float64) @ _WAVES.T
    return np.packbits(found > np.median(found)).tobytes()


def apart(one: bytes, other: bytes) -> int:
    """In how many bits two signatures differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


class Seen:
    """The signatures of the drawings that were kept, in bounded memory: 32 bytes each.

    Only drawings of one category, or of one beginning, are compared.
    """

    def __init__(self, near: int = NEAR) -> None:
        """Nothing seen yet; `near` is in how many bits near-duplicates differ at most."""
        self._near, self._group, self._count = near, -1, 0
        self._rows: NDArray[np.uint16] = np.zeros((0, 16), dtype=np.uint16)
        self._numbers: list[int] = []

    def earlier(self, group: int, code: bytes) -> int | None:
        """The number of an earlier drawing of the group that looks the same; None if there is none."""
        if group != self._group or not self._count:
            return None
        row = np.frombuffer(code, dtype=np.uint16)
        differ = _ONES[self._rows[: self._count] ^ row].sum(1, dtype=np.int64)
        nearest = int(np.argmin(differ))
        return self._numbers[nearest] if differ[nearest] <= self._near else None

    def add(self, group: int, number: int, code: bytes) -> None:
        """Remember a drawing that is kept."""
        if group != self._group:
            self._group, self._count, self._numbers = group, 0, []
        if self._count == len(self._rows):
            room = np.zeros((max(_GROWTH, len(self._rows)), 16), dtype=np.uint16)
            self._rows = np.concatenate([self._rows, room])
        self._rows[self._count] = np.frombuffer(code, dtype=np.uint16)
        self._count += 1
        self._numbers.append(number)
