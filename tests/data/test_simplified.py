"""Blocks of lines are read as each line is read by itself: the same drawings, reasons and faults."""

from __future__ import annotations

import json
from collections import Counter
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.data import simplified
from sketchgen.data.drawings import Drawings
from sketchgen.data.reading import MAX_FAULTS, Piece, PieceReader
from sketchgen.data.selection import MAX_POINTS, UNREADABLE, Selection, row_of
from sketchgen.data.simplified import read_block
from sketchgen.errors import SketchgenError
from sketchgen.formats.quickdraw import line_entry

SELECTIONS = [Selection(), Selection(recognised=True), Selection(categories=frozenset({"cat"}))]
Row = tuple[str, bytes, tuple[int, ...], int]

GOOGLE = (
    '{{"word":"{word}","countrycode":"DE","timestamp":"2017-03-28 12:34:56.78901 UTC",'
    '"recognized":{said},"key_id":"{key}","drawing":{drawing}}}'
)


def one_by_one(text: bytes, selection: Selection) -> tuple[list[Row], dict[str, int], list[str]]:
    """What becomes of lines that are read one after the other."""
    rows: list[Row] = []
    dropped: Counter[str] = Counter()
    faults: list[str] = []
    for number, line in enumerate(text.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = row_of(line_entry(line, f"a.ndjson, line {number}"), selection)
        except SketchgenError as error:
            row = UNREADABLE
            faults.append(str(error))
        if isinstance(row, str):
            dropped[row] += 1
        else:
            name, points, lengths = row
            hashed = name.encode() + b"\0" + np.array(lengths, "<u4").tobytes() + points.tobytes()
            key = int.from_bytes(blake2b(hashed, digest_size=8).digest(), "little")
            rows.append((name, points.tobytes(), tuple(lengths), key))
    return sorted(rows), dict(dropped), faults[:MAX_FAULTS]


def at_once(file: Path, selection: Selection) -> tuple[list[Row], dict[str, int], list[str]]:
    """The same, as `prepare` does it."""
    parts: list[Drawings] = []
    reader = PieceReader(selection, parts.append)
    reader.read(Piece(file, 0, file.stat().st_size))
    rows: list[Row] = []
    for part in parts:
        for number in range(len(part)):
            one = part.between(number, number + 1)
            lengths = tuple(np.diff(np.flatnonzero(one.lift), prepend=-1).tolist())
            name = one.categories[int(one.category[0])]
            rows.append((name, one.points.tobytes(), lengths, int(one.key[0])))
    dropped, faults = reader.result.dropped, reader.result.faults
    return sorted(rows), dict(dropped), [message for _, _, message in faults]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lines") / "a.ndjson"


def check(file: Path, text: bytes, selection: Selection | None = None) -> dict[str, int]:
    """Hold the law for a text; what was dropped."""
    file.write_bytes(text)
    found = at_once(file, selection or Selection())
    assert found == one_by_one(text, selection or Selection())
    return found[1]


def line(drawing: object, word: str = "cat", said: str = "true", key: int = 7) -> str:
    text = drawing if isinstance(drawing, str) else json.dumps(drawing, separators=(",", ":"))
    return GOOGLE.format(word=word, said=said, key=key, drawing=text)


coordinate = st.one_of(st.integers(0, 255), st.sampled_from([0, 9, 10, 99, 100, 199, 200, 244, 245, 255]))


@st.composite
def drawings(draw: st.DrawFn) -> list[list[list[int]]]:
    """A drawing that is simplified, or almost."""
    counts = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    strokes = [
        [draw(st.lists(coordinate, min_size=count, max_size=count)) for _ in range(2)] for count in counts
    ]
    if draw(st.integers(0, 3)):
        strokes[0][0][0] = strokes[-1][1][-1] = 0
        strokes[-1][0][-1] = draw(st.sampled_from([244, 245, 250, 255]))
    return strokes


CHANGES = (b"", b",", b"[", b"]", b"0", b"3", b"\n", b"-", b".", b" ", b'"', b"\xff")


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Lines of Google's form, of which some bytes were changed, added or lost."""
    words = st.sampled_from(["cat", "The Mona Lisa", "smörgås", "", " x", "two\\nlines", "q\\u0041"])
    lines = [
        line(draw(drawings()), draw(words), draw(st.sampled_from(["true", "false"])), number)
        for number in range(draw(st.integers(1, 6)))
    ]
    text = bytearray(("\n".join(lines) + "\n").encode())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text) - 1))
        size = draw(st.integers(0, 1))
        text[at : at + size] = draw(st.sampled_from(CHANGES))
        if not text:
            break
    return bytes(text)


@settings(max_examples=200)
@given(
    texts(),
    st.sampled_from([Selection(), Selection(recognised=True), Selection(categories=frozenset({"cat"}))]),
)
def test_blocks_are_read_as_single_lines_are(file: Path, text: bytes, selection: Selection):
    check(file, text, selection)


@settings(max_examples=100)
@given(st.lists(drawings(), min_size=1, max_size=5))
def test_what_is_simplified_is_read_as_a_block(drawn):
    text = "".join(line(drawing) + "\n" for drawing in drawn).encode()
    block = read_block(text.splitlines(keepends=True))
    plain = [
        drawing
        for drawing in drawn
        if min(min(xs) for xs, _ in drawing) == 0
        and min(min(ys) for _, ys in drawing) == 0
        and max(max(*xs, *ys) for xs, ys in drawing) >= simplified.SHORTEST_FILLED
    ]
    assert len(block.word) == len(plain)
    assert len(block.rest) == len(drawn) - len(plain)
    flat = [list(point) for drawing in plain for xs, ys in drawing for point in zip(xs, ys, strict=True)]
    assert block.drawings.points.tolist() == flat


GOOD = [[[0, 255], [0, 9]], [[5, 5, 7], [1, 2, 3]]]
ODD = {
    "spaces": json.dumps({"word": "cat", "drawing": GOOD}),
    "another order": json.dumps({"drawing": GOOD, "key_id": 5, "word": "cat"}),
    "a field twice": '{"word":"dog","word":"cat","drawing":[],"drawing":[[[0,255],[0,9]]]}',
    "a word that is null": '{"word":null,"recognized":true,"drawing":[[[0,255],[0,9]]]}',
    "no word": '{"drawing":[[[0,255],[0,9]]]}',
    "a word that is a number": '{"word":5,"drawing":[[[0,255],[0,9]]]}',
    "recognised is null": '{"word":"cat","recognized":null,"drawing":[[[0,255],[0,9]]]}',
    "a mark of byte order": "\ufeff" + line(GOOD),
    "more before it": "," + line(GOOD),
    "a space before it": " " + line(GOOD),
    "two in a line": line(GOOD) + line(GOOD),
    "more behind it": line(GOOD) + " 5",
    "a carriage return": line(GOOD) + "\r",
    "the drawing in the word": line(GOOD, 'x\\",\\"drawing\\":[[[0,255],[0,9]]]}'),
    "a zero in front": line("[[[0,025],[0,255]]]"),
    "256": line("[[[0,256],[0,9]]]"),
    "1000": line("[[[0,1000],[0,9]]]"),
    "0255": line("[[[0,0255],[0,9]]]"),
    "less than 0": line("[[[-1,255],[0,9]]]"),
    "a fraction": line("[[[0,255.5],[0,9]]]"),
    "an exponent": line("[[[0,2e2],[0,255]]]"),
    "true": line("[[[0,true],[0,255]]]"),
    "truth alone": line("[[[true,true],[true,true]]]"),
    "a null": line("[[[0,null],[0,255]]]"),
    "text": line('[[[0,"1"],[0,255]]]'),
    "times": line("[[[0,255],[0,9],[0,100]]]"),
    "an axis alone": line("[[[0,255]]]"),
    "an empty axis": line("[[[],[]]]"),
    "an empty stroke": line("[[]]"),
    "an empty drawing": line("[]"),
    "one y too few": line("[[[0,255],[0]],[[1],[1]]]"),
    "uneven strokes that are even together": line("[[[0,255],[0]],[[1],[1,2]]]"),
    "too deep": line("[[[[0,255],[0,9]]]]"),
    "too flat": line("[[0,255],[0,9]]"),
    "a comma too many": line("[[[0,255],[0,9],]]"),
    "a comma twice": line("[[[0,,255],[0,9]]]"),
    "a comma missing": line("[[[0,255][0,9]]]"),
    "digits behind it": line("[[[0,255],[0,9]]]5"),
    "a comma behind it": line("[[[0,255],[0,9]]],"),
    "a number before an axis": line("[[0,[255],[0,9]]]"),
    "1255": line("[[[0,1255],[0,9]]]"),
    "a number alone": line("[5]"),
    "numbers alone": line("[5,6]"),
    "three axes and one": line("[[[0,255],[0,9],[1,2]],[[1,2]]]"),
    "a bracket missing": line("[[[0,255],[0,9]]"),
    "a number outside": line("[[[0,255],[0,9]],7]"),
    "one point": line("[[[0],[0]]]"),
    "too many points": line([[[k % 256 for k in range(MAX_POINTS + 1)]] * 2]),
    "the longest": line([[[k % 256 for k in range(MAX_POINTS)]] * 2]),
    "a drawing of three strokes, all uneven": line("[[[0,255],[0]],[[1],[1,2]],[[3],[3]]]"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_lines_among_good_ones(file: Path, name: str):
    text = "\n".join([line(GOOD, key=1), ODD[name], line(GOOD, "dog"), "", ODD[name], line(GOOD, "sun")])
    check(file, text.encode())
    # Without the blank line, the form of all lines' other fields is the plain one: only the drawing is odd.
    check(file, text.replace("\n\n", "\n").encode())
    check(file, text.encode() + b"\n", Selection(recognised=True, categories=frozenset({"dog", "cat"})))


def test_bytes_that_are_no_text(file: Path):
    good = (line(GOOD) + "\n").encode()
    dropped = check(file, good + line(GOOD, "X").encode().replace(b"X", b"\xff") + b"\n" + good)
    assert dropped == {UNREADABLE: 1}


def test_many_faults_are_the_first_ones(file: Path):
    lines = [line(GOOD) if number % 3 else line("[[[0,255],[0]]]") for number in range(200)]
    check(file, "\n".join(lines).encode())


def test_the_real_lines_are_read_as_single_ones_are(data_dir: Path, file: Path):
    for path in sorted(data_dir.glob("quickdraw_*/*.ndjson"))[::60]:
        lines = path.read_bytes().splitlines(keepends=True)[:150]
        check(file, b"".join(lines))
