"""Parse blocks of Quick, Draw!'s simplified lines, from bytes to flat arrays.

Lines of another form are left to the reader of single lines (`sketchgen.formats.quickdraw`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings

SHORTEST_FILLED = 245
"""Minimum longer side, px, of a drawing that is aligned to 0 and counts as simplified already.

Google thins after scaling, so that a fifth of its simplified drawings have lost their outermost point and end
at 248 to 254. Scaling and thinning them again would lose a few points more.
"""

MAX_FAST = 256 * 1024
"""Longest line that is parsed here; longer ones are left to the reader of single lines, with its limits."""


@dataclass(frozen=True)
class Block:
    """The drawings of a block of lines.

    Attributes:
        word: (n,) category of each drawing, UTF-8.
        recognised: (n,) whether the game recognised it; True where the line does not say.
        drawings: aligned to 0 and from `SHORTEST_FILLED` to 255 px in their longer side; without category
            and key.
        rest: index in the block and bytes of every line of another form, except blank ones.
    """

    word: Sequence[bytes]
    recognised: NDArray[np.bool_]
    drawings: Drawings
    rest: list[tuple[int, bytes]]


_Line = tuple[bytes, bool, bytes, list[int]]
"""Word, whether it was recognised, all x then all y of each stroke in turn, and the points of each stroke."""


def read_block(lines: Sequence[bytes]) -> Block:
    """Parse lines."""
    parsed = [_parsed(line) for line in lines]
    numbers = np.array([number for number, found in enumerate(parsed) if found is not None], dtype=np.int64)
    words, recognised, axes, lengths = zip(*filter(None, parsed), strict=True) if len(numbers) else ((),) * 4
    drawings, simplified = _drawings(axes, lengths)
    kept = np.flatnonzero(simplified)
    left = np.setdiff1d(np.arange(len(lines)), numbers[kept]).tolist()
    return Block(
        word=[words[number] for number in kept],
        recognised=np.array(recognised, dtype=bool)[kept],
        drawings=drawings if simplified.all() else drawings.take(kept),
        rest=[(number, lines[number]) for number in left if not lines[number].isspace()],
    )


def _parsed(line: bytes) -> _Line | None:
    """Return what a line says; None where it is of another form."""
    # Python takes true for 1, but strokes of nothing else are no numbers.
    if len(line) > MAX_FAST or line.count(b"true") + line.count(b"false") > 1:
        return None
    axes: list[int] = []
    lengths: list[int] = []
    try:
        value = orjson.loads(line)
        for xs, ys in value["drawing"]:
            if len(xs) != len(ys) or not xs:
                return None
            axes += xs
            axes += ys
            lengths.append(len(xs))
        found = value["word"].encode(), value.get("recognized", True) is not False, bytes(axes), lengths
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if lengths else None


def _drawings(axes: Sequence[bytes], lengths: Sequence[list[int]]) -> tuple[Drawings, NDArray[np.bool_]]:
    """Return drawings, and which of them are simplified."""
    value = np.frombuffer(b"".join(axes), dtype=np.uint8)
    length = np.array([*itertools.chain(*lengths)], dtype=np.int64)
    first = np.cumsum(length) - length
    x_at = np.arange(len(value) // 2) + np.repeat(first, length)
    x, y = value.take(x_at), value.take(x_at + np.repeat(length, length))
    points = np.stack([x, y], axis=1)
    lift = np.zeros(len(points), dtype=bool)
    lift[first + length - 1] = True
    start = np.cumsum([0, *(len(each) // 2 for each in axes)])
    simplified = np.maximum.reduceat(points.reshape(-1), 2 * start[:-1]) >= SHORTEST_FILLED
    for axis in (x, y):
        simplified &= np.minimum.reduceat(axis, start[:-1]) == 0
    none = np.zeros(len(axes), dtype=np.int64), np.zeros(len(axes), dtype=np.uint64)
    return Drawings(*none, start, points, lift, ()), simplified
