"""Parse blocks of Quick, Draw!'s simplified lines at once, from bytes to flat arrays.

Parsers spend their time on a Python object for each number. Here numpy classifies the bytes of a block:
60 MB/s on a core, where orjson with arrays of its lists reaches 35 MB/s and pyarrow's reader 30 MB/s. Other
lines are left to the reader of single lines (`sketchgen.formats.quickdraw`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings, from_lists

SHORTEST_FILLED = 245
"""Minimum longer side, px, of a drawing that is aligned to 0 and counts as simplified already.

Google thins after scaling, so that a fifth of its simplified drawings have lost their outermost point and end
at 248 to 254. Scaling and thinning them again would lose a few points more.
"""

MAX_FAST = 256 * 1024
"""Longest line that is parsed here; longer ones are left to the reader of single lines, with its limits."""

_TEXT = rb'"[^"\\\x00-\x1f]*"'
_LINE = re.compile(
    rb'(?m)^\{"word":"([^"\\\x00-\x1f]*)",(?:"countrycode":%s,"timestamp":%s,)?(?:"recognized":(true|false),)?'
    rb'(?:"key_id":%s,)?"drawing":(.*)\}\n' % (_TEXT, _TEXT, _TEXT)
)
"""The fields in the order of Google's files, some of them optional, and anything as the drawing."""

_OPEN, _COMMA, _CLOSE, _NEWLINE = b"[,]\n"
_STROKE = np.frombuffer(b"[[][]]", dtype=np.uint8)
"""Brackets of a stroke, [[x, ...], [y, ...]]."""


@dataclass(frozen=True)
class Block:
    """The drawings of a block of lines.

    Attributes:
        word: (n,) category of each drawing, UTF-8.
        recognised: (n,) whether the game recognised it; True where the line does not say.
        drawings: aligned to 0 and from `SHORTEST_FILLED` to 255 px in their longer side; without category
            and key.
        count: number of lines.
        rest: index in the block and bytes of every line of another form, except blank ones.
    """

    word: Sequence[bytes]
    recognised: NDArray[np.bool_]
    drawings: Drawings
    count: int
    rest: list[tuple[int, bytes]]


def read_block(block: bytes) -> Block:
    """Parse a block of lines, each with its newline."""
    count = block.count(b"\n")
    # A block is longer than this by a long line alone.
    found = _LINE.findall(block) if len(block) <= MAX_FAST and _is_text(block) else []
    numbers = np.arange(count)
    lines: list[bytes] | None = None
    if len(found) != count:
        lines = block.split(b"\n")
        by_line = [_fields(line) for line in lines[:count]]
        numbers = np.array([number for number in numbers if by_line[number] is not None], dtype=np.int64)
        found = [fields for fields in by_line if fields is not None]
    words, said, texts = (list(each) for each in zip(*found, strict=True)) if found else ([], [], [])
    kept, drawings, simplified = _well_formed(texts)
    if not simplified.all():
        kept, drawings = kept[simplified], drawings.take(np.flatnonzero(simplified))
    recognised = np.fromiter(map(b"false".__ne__, said), np.bool_, len(said))[kept]
    rest: list[tuple[int, bytes]] = []
    if len(kept) < count:
        lines = lines or block.split(b"\n")
        left = np.setdiff1d(np.arange(count), numbers[kept]).tolist()
        rest = [(number, lines[number]) for number in left if lines[number].strip()]
        words = [words[k] for k in kept]
    return Block(words, recognised, drawings, count, rest)


def _is_text(data: bytes) -> bool:
    """Return whether bytes are UTF-8."""
    try:
        return data.isascii() or data.decode() is not None
    except UnicodeDecodeError:
        return False


def _fields(line: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return word, "false" if not recognised, and drawing as compact JSON; None for other lines."""
    if len(line) > MAX_FAST or not line.strip():
        return None
    try:
        value = orjson.loads(line)
        word, drawing = value["word"], value["drawing"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    if not (isinstance(value, dict) and isinstance(word, str) and isinstance(drawing, list)):
        return None
    said = b"false" if value.get("recognized", True) is False else b""
    return word.encode(), said, orjson.dumps(drawing)


_Parsed = tuple[Drawings, NDArray[np.bool_]]
"""Drawings, and which of them are simplified."""


def _well_formed(texts: Sequence[bytes]) -> tuple[NDArray[np.int64], Drawings, NDArray[np.bool_]]:
    """Return the indices and the drawings of the well-formed texts, and which of them are simplified."""
    kept = np.arange(len(texts))
    while len(kept):
        found = _parsed(b"\n".join((b"", *texts, b"")), len(kept))
        if isinstance(found, tuple):
            return kept, *found
        texts = [text for text, malformed in zip(texts, found.tolist(), strict=True) if not malformed]
        kept = kept[~found]
    return kept, from_lists([], [], [], [], ()), np.zeros(0, dtype=bool)


def _parsed(text: bytes, count: int) -> _Parsed | NDArray[np.bool_]:
    """Return the drawings of `count` texts between newlines; or (count,) which of them are malformed.

    A well-formed text is a list of strokes without spaces; a stroke is two lists of as many integers. Most
    operations look at each byte and its neighbours: ten of them take less time than one that selects bytes.
    """
    raw = np.frombuffer(text, dtype=np.uint8)
    digit = (raw - np.uint8(48)) < 10
    bracket, wrong = _structure(raw, digit)
    if wrong.any():
        # The second of two bytes is at fault, or a bad start of a line would cost the line before.
        return _lines(raw, np.flatnonzero(wrong) + 1, count)
    strokes, odd = _strokes(raw.take(np.flatnonzero(bracket)[1:]))
    if odd.any():
        return odd
    number_end = np.flatnonzero(digit[:-1] > digit[1:])
    axis = _gaps(np.flatnonzero(raw.take(number_end + 1) == _CLOSE))
    length = axis[::2]
    uneven = np.flatnonzero(length != axis[1::2])
    if len(uneven):
        return _marked(np.repeat(np.arange(count), strokes)[uneven], count)
    value, unfit = _values(raw, digit)
    drawings, simplified = _arranged(value.take(number_end), length, strokes)
    if unfit.any():
        simplified[_lines(raw, np.flatnonzero(unfit), count)] = False
    return drawings, simplified


def _structure(
    raw: NDArray[np.uint8], digit: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where brackets and newlines are, and which bytes have a successor that is not allowed."""
    opens, closes, comma, newline = (raw == byte for byte in (_OPEN, _CLOSE, _COMMA, _NEWLINE))
    bracket = opens | closes | newline
    in_axis = comma.copy()
    in_axis[1:] &= digit[:-1]
    between = comma & ~in_axis
    may_end = digit | closes
    right = digit[1:] & (digit | opens | in_axis)[:-1]
    right |= opens[1:] & (opens | between | newline)[:-1]
    right |= (closes | comma)[1:] & may_end[:-1]
    right |= newline[1:] & closes[:-1]
    return bracket, ~right


def _lines(raw: NDArray[np.uint8], at: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Return (count,) which lines, with a newline before the first, contain the given bytes."""
    return _marked(np.searchsorted(np.flatnonzero(raw == _NEWLINE)[1:], at), count)


def _gaps(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the differences of increasing positions, the first one from -1."""
    gaps = at + 1
    gaps[1:] -= gaps[:-1].copy()
    return gaps


def _marked(lines: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Return a (count,) mask that is true at the given lines."""
    mask = np.zeros(count, dtype=bool)
    mask[lines] = True
    return mask


def _strokes(brackets: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the number of strokes of each line, by its brackets and newline, and which are malformed."""
    newline = np.flatnonzero(brackets == _NEWLINE)
    count = _gaps(newline)
    # One [ before the strokes, ] and the newline after them, and six for each stroke.
    strokes, odd = count // 6, (count % 6 != 3) | (count < 9)
    if not odd.any():
        inner = np.ones(len(brackets), dtype=bool)
        inner[newline - count + 1] = inner[newline - 1] = inner[newline] = False
        stroke = brackets.take(np.flatnonzero(inner)).reshape(-1, 6)
        wrong = np.flatnonzero((stroke != _STROKE).any(axis=1))
        if len(wrong):
            odd = _marked(np.repeat(np.arange(len(count)), strokes)[wrong], len(count))
    return strokes, odd


def _values(raw: NDArray[np.uint8], digit: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the number that ends at each byte, modulo 256, and where one is over 255 or has a leading 0."""
    one = (raw - np.uint8(48)) * digit.view(np.uint8)
    value = one.copy()
    value[1:] += one[:-1] * np.uint8(10)
    hundreds = one[:-2] * digit[1:-1].view(np.uint8)
    value[2:] += hundreds * np.uint8(100)
    unfit = np.zeros(len(raw), dtype=bool)
    three = digit[:-2] & digit[1:-1] & digit[2:]
    unfit[2:] = three & ((hundreds > 2) | ((hundreds == 2) & (value[2:] < 200)))
    unfit[3:] |= three[1:] & digit[:-3]
    unfit[1:-1] |= (raw[1:-1] == 48) & digit[2:] & ~digit[:-2]
    return value, unfit


def _arranged(value: NDArray[np.uint8], length: NDArray[np.int64], strokes: NDArray[np.int64]) -> _Parsed:
    """Return the drawings of numbers in stroke order, all x of a stroke before all y."""
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
    count = len(strokes)
    none = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.uint64)
    return Drawings(*none, start, points, lift, ()), aligned & filled
