"""Blocks of Quick, Draw!'s simplified lines, all at once: bytes in, flat arrays out.

Python objects for each number are what reading such lines costs. Here their brackets, commas and digits are
told apart by a few operations of numpy on the whole block, which on one core is three to five times as fast
as a JSON parser (orjson, pyarrow) followed by arrays made of its lists. What is not plainly of that form is
left to the reader of single lines (`sketchgen.drawing.quickdraw_line`), so that nothing is read differently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

SHORTEST_FILLED = 245
"""Longer side, px, from which a drawing that is aligned to 0 counts as simplified already.

Google thins after it scales, so that a fifth of its simplified drawings have lost their outermost point and
end at 248 to 254; to scale and thin those again would lose a few points more.
"""

_TEXT = rb'"[^"\\\x00-\x1f]*"'
_LINE = re.compile(
    rb'(?m)^\{"word":"([^"\\\x00-\x1f]*)",(?:"countrycode":%s,"timestamp":%s,)?(?:"recognized":(true|false),)?'
    rb'(?:"key_id":%s,)?"drawing":(.*)\}\n' % (_TEXT, _TEXT, _TEXT)
)
"""The fields in the order of Google's files, or fewer of them, and anything as the drawing."""

_OPEN, _COMMA, _CLOSE, _NEWLINE = b"[,]\n"
_STROKE = np.array([1, 1, 7, 1, 7, 3], dtype=np.uint8)
"""The brackets of a stroke, [[x, ...], [y, ...]], by their classes; see `_tables`."""

_MASK = np.array([0, 0x0F000000, 0x0F0F0000, 0x0F0F0F00], dtype=np.uint32)
"""By the number of digits: where they stand in four bytes."""

_LEAST = np.full((4, 16), 256, dtype=np.uint32)
_LEAST[1, 0], _LEAST[2, 0], _LEAST[3, 1], _LEAST[3, 2] = 0, 10, 100, 200
"""By the number of digits and the hundreds: the least number, modulo 256, that is at most 255 and has no 0
before it."""


def _tables() -> tuple[bytes, bytes]:
    """For `bytes.translate`: the class of each byte, and 1 for two classes that may not follow one another.

    Classes: 1 [, 2 comma, 3 ], 4 newline, 0 anything else; 4 more where digits stand before it. Two of them
    are told by 16 times the first and the second.
    """
    kind = bytearray(256)
    kind[_OPEN], kind[_COMMA], kind[_CLOSE], kind[_NEWLINE] = 1, 2, 3, 4
    follows = {1: (1, 6, 7), 2: (1,), 3: (2, 3, 4), 4: (1,), 6: (6, 7), 7: (2, 3)}
    wrong = bytearray(b"\1" * 256)
    for before, after in follows.items():
        for each in after:
            wrong[16 * before + each] = 0
    return bytes(kind), bytes(wrong)


_KIND, _WRONG = _tables()


@dataclass(frozen=True)
class Block:
    """What was read of a block of lines.

    Attributes:
        word: (n,) the category of each drawing, UTF-8.
        recognised: (n,) whether the game recognised it; True where nothing is said of that.
        start: (n + 1,) where its points begin.
        points: (p, 2) px, each drawing aligned to 0 and `SHORTEST_FILLED` to 255 in its longer side.
        lift: (p,) true at the last point of each stroke.
        count: number of lines.
        rest: number in the block, from 0, and bytes of every line that is not of that form, nor blank.
    """

    word: list[bytes]
    recognised: NDArray[np.bool_]
    start: NDArray[np.int64]
    points: NDArray[np.uint8]
    lift: NDArray[np.bool_]
    count: int
    rest: list[tuple[int, bytes]]


@dataclass(frozen=True)
class _Shapes:
    """The drawings of lines that are all well-formed, and which of them are simplified."""

    start: NDArray[np.int64]
    points: NDArray[np.uint8]
    lift: NDArray[np.bool_]
    simplified: NDArray[np.bool_]


def read_block(block: bytes) -> Block:
    """Read lines, each with its newline."""
    found = _LINE.findall(block) if _is_text(block) else []
    count = block.count(b"\n")
    numbers = list(range(count))
    lines: list[bytes] | None = None
    if len(found) != count:
        lines = block.split(b"\n")
        by_line = [_fields(line) for line in lines[:count]]
        numbers = [number for number in numbers if by_line[number] is not None]
        found = [fields for fields in by_line if fields is not None]
    kept, shapes = _shapes([text for _, _, text in found])
    taken = np.flatnonzero(shapes.simplified)
    shapes, kept = _taken(shapes, taken), kept[taken]
    rest: list[tuple[int, bytes]] = []
    if len(kept) < count:
        lines = lines or block.split(b"\n")
        left = set(range(count)).difference(numbers[k] for k in kept)
        rest = [(number, lines[number]) for number in sorted(left) if lines[number].strip()]
    if len(kept) < len(found):
        found = [found[k] for k in kept]
    recognised = np.array([said != b"false" for _, said, _ in found], dtype=bool)
    words = [word for word, _, _ in found]
    return Block(words, recognised, shapes.start, shapes.points, shapes.lift, count, rest)


def _is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _fields(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Word, "false" where the game did not recognise it, and drawing as compact JSON; None if it is odd."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("drawing"), list):
        return None
    word = value.get("word")
    if not isinstance(word, str):
        return None
    said = b"false" if value.get("recognized", True) is False else b""
    return word.encode(), said, orjson.dumps(value["drawing"])


def _shapes(texts: list[bytes]) -> tuple[NDArray[np.int64], _Shapes]:
    """The drawings of those texts that are well-formed, and which these are."""
    kept = np.arange(len(texts))
    while len(kept):
        found = _parsed(b"\n".join([texts[k] for k in kept]) + b"\n", len(kept))
        if isinstance(found, _Shapes):
            return kept, found
        kept = kept[~found]
    no_points, none = np.zeros((0, 2), dtype=np.uint8), np.zeros(0, dtype=bool)
    return kept, _Shapes(np.zeros(1, dtype=np.int64), no_points, none, none)


def _parsed(text: bytes, count: int) -> _Shapes | NDArray[np.bool_]:
    """The drawings of `count` texts, each with its newline; or (count,) which of them are malformed.

    Well-formed is a list of strokes, a stroke two lists of as many whole numbers of 1 to 3 digits; no spaces.
    """
    raw = np.frombuffer(text, dtype=np.uint8)
    at = np.flatnonzero((raw - np.uint8(48)) > 9)
    digits = _gaps(at) - 1
    after_digits = digits > 0
    kind = np.frombuffer(text.translate(_KIND), dtype=np.uint8).take(at)
    kind += after_digits.view(np.uint8) << np.uint8(2)
    pairs = kind.copy()
    pairs[0] += 16 * 4
    pairs[1:] += kind[:-1] << np.uint8(4)
    wrong = pairs.tobytes().translate(_WRONG)
    if b"\1" in wrong or digits.max() > 3:
        where = np.flatnonzero(np.frombuffer(wrong, dtype=np.uint8) | (digits > 3))
        return _marked(np.searchsorted(np.flatnonzero(raw.take(at) == _NEWLINE), where), count)
    strokes, odd = _strokes(kind.take(np.flatnonzero((kind & 3) != 2)))
    if odd.any():
        return odd
    number = np.flatnonzero(after_digits)
    axis_end = np.flatnonzero(kind.take(number) == 7)
    axis = _gaps(axis_end)
    length, line = axis[::2], np.repeat(np.arange(count), strokes)
    uneven = np.flatnonzero(length != axis[1::2])
    if len(uneven):
        return _marked(line[uneven], count)
    value, unfit = _values(raw, at.take(number), digits.take(number))
    found = _arranged(value, length, strokes)
    found.simplified[line[np.searchsorted(axis_end, unfit) // 2]] = False
    return found


def _gaps(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """How far each of some rising positions lies behind the one before, or behind -1."""
    gaps = at + 1
    gaps[1:] -= gaps[:-1].copy()
    return gaps


def _marked(lines: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """(count,) true at some lines."""
    mask = np.zeros(count, dtype=bool)
    mask[lines] = True
    return mask


def _strokes(brackets: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """How many strokes each line has, by the classes of brackets and newline; which are malformed."""
    newline = np.flatnonzero(brackets == 4)
    count = _gaps(newline)
    # [ before the strokes, ] and the newline behind them, and six for each stroke.
    strokes, odd = count // 6, (count % 6 != 3) | (count < 9)
    if not odd.any():
        inner = np.ones(len(brackets), dtype=bool)
        inner[newline - count + 1] = inner[newline - 1] = inner[newline] = False
        stroke = brackets.take(np.flatnonzero(inner)).reshape(-1, 6)
        wrong = np.flatnonzero((stroke != _STROKE).any(axis=1))
        if len(wrong):
            odd = _marked(np.repeat(np.arange(len(count)), strokes)[wrong], len(count))
    return strokes, odd


def _values(
    raw: NDArray[np.uint8], end: NDArray[np.int64], digits: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The numbers of 1 to 3 `digits` that end before `end`, and which are over 255 or begin with 0.

    Behind the brackets before it, the first number ends at 4 or later.
    """
    four = np.ndarray((len(raw) - 3,), dtype="<u4", buffer=raw.data, strides=(1,)).take(end - 4)
    four &= _MASK.take(digits)
    # Hundreds, tens and ones lie in the upper three bytes; the product adds them up, modulo 256, in the last.
    value = (four * np.uint32((100 << 16) + (10 << 8) + 1)) >> np.uint32(24)
    hundreds = (four >> np.uint32(8)) & np.uint32(15)
    unfit = np.flatnonzero(value < _LEAST.reshape(-1).take(digits * 16 + hundreds))
    return value.astype(np.uint8), unfit


def _arranged(value: NDArray[np.uint8], length: NDArray[np.int64], strokes: NDArray[np.int64]) -> _Shapes:
    """Points from numbers that stand stroke by stroke, all x before all y, in strokes of some lengths."""
    first = np.cumsum(length) - length
    x_at = np.arange(len(value) // 2) + np.repeat(first, length)
    x, y = value.take(x_at), value.take(x_at + np.repeat(length, length))
    points = np.stack([x, y], axis=1)
    lift = np.zeros(len(points), dtype=bool)
    lift[first + length - 1] = True
    ends = np.cumsum(strokes)
    start = np.concatenate([[0], (first + length)[ends - 1]])
    low, high = start[:-1], 2 * start[:-1]
    aligned = (np.minimum.reduceat(x, low) == 0) & (np.minimum.reduceat(y, low) == 0)
    filled = np.maximum.reduceat(points.reshape(-1), high) >= SHORTEST_FILLED
    return _Shapes(start, points, lift, aligned & filled)


def _taken(shapes: _Shapes, rows: NDArray[np.int64]) -> _Shapes:
    """Some of the drawings, in order."""
    if len(rows) == len(shapes.simplified):
        return shapes
    lengths = np.diff(shapes.start)
    mask = np.zeros(len(lengths), dtype=bool)
    mask[rows] = True
    points = np.flatnonzero(np.repeat(mask, lengths))
    start = np.concatenate([[0], np.cumsum(lengths[rows])])
    return _Shapes(start, shapes.points[points], shapes.lift[points], mask[rows])
