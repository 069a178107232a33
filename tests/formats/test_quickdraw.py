from __future__ import annotations

import io
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.errors import FormatError, SketchgenError
from sketchgen.formats import quickdraw
from sketchgen.formats.quickdraw import (
    HEAD,
    MAX_BLANK,
    Entry,
    line_entry,
    parse_json,
    read_binary,
    read_ndjson,
    to_line,
)
from sketchgen.sketch.sketch import Sketch

coordinates = st.floats(-1e9, 1e9, allow_nan=False) | st.integers(0, 255).map(float)
strokes = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6), max_size=5)


@settings(deadline=None, max_examples=80)
@given(strokes, st.none() | st.text())
def test_round_trip(values, category):
    sketch = Sketch.from_strokes(values, category=category)
    result = parse_json(to_line(sketch))
    assert result == sketch
    assert [a.tobytes() for a in result.strokes] == [b.tobytes() for b in sketch.strokes]


def test_googles_form():
    simplified = parse_json('{"word":"cat","recognized":true,"drawing":[[[0,5],[1,6]],[[7],[8]]]}')
    assert [stroke.tolist() for stroke in simplified.strokes] == [[[0, 1], [5, 6]], [[7, 8]]]
    assert (simplified.category, simplified.page) == ("cat", None)
    raw = parse_json(b'{"drawing":[[[0.5,5],[1,6],[0,17]]]}\n')
    assert raw.strokes[0].tolist() == [[0.5, 1], [5, 6]]
    assert raw.category is None


@pytest.mark.parametrize(("said", "expected"), [("", True), ('"recognized":false,', False)])
def test_a_drawing_counts_as_recognised_unless_the_file_denies_it(said: str, expected: bool):
    entry = line_entry(f'{{{said}"drawing":[[[0,5],[1,6]]]}}'.encode(), "line 1")
    assert isinstance(entry, Entry)
    assert entry.recognised == expected


def test_whole_numbers_are_written_as_integers():
    assert to_line(Sketch.from_strokes([[(1, 2.5), (3, 4)]])) == '{"drawing":[[[1,3],[2.5,4]]]}\n'
    assert json.loads(to_line(Sketch(category="a\nb"))) == {"word": "a\nb", "drawing": []}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "is empty"),
        ("{", "not JSON"),
        ('{"drawing": 3}', "no 'drawing'"),
        ('{"word": "cat"}', "no 'strokes'"),
        ('{"drawing": [3]}', "stroke 0 must be"),
        ('{"drawing": [[[1]]]}', "stroke 0 must be"),
        ('{"drawing": [[[1], [1]], [[1, 2], [1]]]}', "stroke 1 needs as many"),
        ('{"drawing": [[[], []]]}', "at least one"),
        ('{"drawing": [[["1"], ["2"]]]}', "not a number"),
        ('{"drawing": [[[null], [2]]]}', "not a number"),
        ('{"drawing": [[[true], [false]]]}', "not a number"),
        ('{"drawing": [[[[1]], [2]]]}', "not a number"),
        ('{"drawing": [[[NaN], [2]]]}', "not JSON"),
        ('{"drawing": [[[1e308], [2]]]}', "beyond"),
        ('{"drawing": [], "word": 5}', "word must be text"),
    ],
)
def test_bad_lines(line, message):
    with pytest.raises(SketchgenError, match=message) as caught:
        parse_json(line, "cat.ndjson, line 7")
    assert "cat.ndjson, line 7" in str(caught.value)


def test_too_many_points():
    for count, words in ((200_001, "more than 200000 points"), (1_000_000, "more than 1100000 values")):
        with pytest.raises(SketchgenError, match=words):
            parse_json(json.dumps({"drawing": [[[0] * count, [0] * count]]}))
    with pytest.raises(FormatError):
        parse_json(b"\xff")


def test_an_empty_stroke_is_left_out():
    assert len(parse_json('{"drawing":[[[0,5],[1,6]],[[],[]],[[],[],[]],[[7],[8]]]}').strokes) == 2
    found = list(read_ndjson(io.BytesIO(b'{"drawing":[[[],[]]]}\n{"drawing":[[[1],[2]],[[],[]]]}\n')))
    assert isinstance(found[0], FormatError)
    assert isinstance(found[1], Entry)


def test_blank_lines_are_few():
    with pytest.raises(FormatError, match="more than 100000 blank lines"):
        list(read_ndjson(io.BytesIO(b"\n" * (MAX_BLANK + 1))))


def test_records_without_points_are_no_drawings():
    found = list(
        read_binary(io.BytesIO(HEAD.pack(1, b"XX", 1, 0, 0) * 2 + HEAD.pack(1, b"XX", 1, 0, 1) + b"\0\0"))
    )
    assert [str(each) for each in found] == [f"file, drawing {number} has no points" for number in (1, 2, 3)]


def test_a_record_of_too_many_points_is_refused_before_they_are_read():
    head = HEAD.pack(1, b"XX", 1, 0, 65535)
    record = head + (struct.pack("<H", 65535) + bytes(131_070)) * 6
    stream = io.BytesIO(record)
    with pytest.raises(FormatError, match="drawing 1 has more than 200000 points"):
        list(read_binary(stream))
    assert stream.tell() < 4 * 131_072 + 40


@pytest.mark.parametrize("ended", [True, False])
def test_every_line_is_read_but_those_too_long(monkeypatch: pytest.MonkeyPatch, ended: bool):
    monkeypatch.setattr(quickdraw, "MAX_BYTES", 5)
    sizes = (0, 3, 4, 5, 9, 10, 11, 1, 30, 4)
    lines = [b"x" * size + b"\n" for size in sizes]
    text = b"".join(lines) if ended else b"".join(lines)[:-1]
    found = list(quickdraw.lines_of(io.BytesIO(text)))
    wanted = text.splitlines(keepends=True)
    assert found == [line if len(line) <= 5 else b"" for line in wanted]
