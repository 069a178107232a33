from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.errors import FormatError, SketchError, SketchgenError
from sketchgen.formats.canvas_json import MAX_VALUES, parse_canvas, sketch_to_json
from sketchgen.sketch.sketch import MAX_POINTS, Box, Completion, Sketch

coordinates = st.floats(-1e9, 1e9, allow_nan=False)
strokes = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6), max_size=5)


@settings(deadline=None, max_examples=80)
@given(strokes, st.sampled_from([None, (0, 0, 640, 480), (-0.1, 1 / 3, 1e-9, 1e9)]), st.none() | st.text())
def test_own_form_round_trip(values, page, category):
    sketch = Sketch.from_strokes(values, page=page, category=category)
    text = sketch_to_json(sketch)
    assert text.count("\n") == 1
    result = parse_canvas(text)
    assert result == sketch
    assert [a.tobytes() for a in result.strokes] == [b.tobytes() for b in sketch.strokes]


def test_canvas_form():
    text = (
        '{"strokes": [[[1, 2, 0, 0.5], [3.5, 4, 16, null]], [[5, 6]]], "width": 640, "height": 480, "rev": 3}'
    )
    for source in (text, text.encode(), json.loads(text)):
        sketch = parse_canvas(source)
        assert [stroke.tolist() for stroke in sketch.strokes] == [[[1, 2], [3.5, 4]], [[5, 6]]]
        assert sketch.page == Box(0, 0, 640, 480)


def test_plain_list_and_times_since_1970():
    assert parse_canvas("[[[1, 2, 1700000000000]]]").strokes[0].tolist() == [[1, 2]]
    assert parse_canvas("[]").is_empty
    assert parse_canvas('{"strokes": []}').page is None


def test_completion_tells_how_many_were_given():
    first, second = Sketch.from_strokes([[(0, 0)], [(1, 1)]]), Sketch.from_strokes([[(2, 2)]])
    value = json.loads(sketch_to_json(Completion(first, second)))
    assert value["given"] == 2
    assert len(value["strokes"]) == 3
    assert parse_canvas(value) == Completion(first, second).whole


def point(text):
    return f'{{"strokes": [[[0, 0]], [[1, 1], {text}]], "width": 9, "height": 9}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "canvas is empty"),
        ("hello", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        ("[" * 100_000, "not JSON"),
        ("3", "not a number"),
        ('"x"', "not text"),
        ("{}", "no 'strokes'"),
        ('{"strokes": 5}', "strokes must be a list, not a number"),
        ('{"strokes": [5]}', "stroke 0 must be a list"),
        ('{"strokes": [[]]}', "stroke 0 has no points"),
        ("[[1, 2]]", r"stroke 0, point 0 must be \[x, y\]"),
        ("[[[[1, 2]]]]", "stroke 0, point 0"),
        (point("[1]"), "stroke 1, point 1 must be"),
        (point("[1, 2, 3, 4, 5]"), "stroke 1, point 1 must be"),
        (point('["1", 2]'), "stroke 1, point 1 must be a number, not text"),
        (point("[true, 2]"), "not true or false"),
        (point("[null, 2]"), "not null"),
        (point("[NaN, 2]"), "not JSON"),
        (point("[Infinity, 2]"), "not JSON"),
        (point("[1e308, 2]"), r"beyond 1e\+09"),
        (point("[1, -1000000001]"), "beyond"),
        (point('[1, 2, "now"]'), "time and pressure"),
        ('{"strokes": [], "width": 9}', "height must be a number"),
        ('{"strokes": [], "width": 0, "height": 5}', "above 0"),
        ('{"strokes": [], "width": -5, "height": 5}', "above 0"),
        ('{"strokes": [], "page": [1, 2, 3]}', "page must be"),
        ('{"strokes": [], "rev": "x"}', "rev must be a whole number"),
        ('{"strokes": [], "category": 5}', "category must be text"),
        ('{"strokes": [], "given": 1, "format": "sketchgen", "version": 1}', "given"),
        ('{"strokes": [], "format": "other", "version": 1}', "format is 'other'"),
        ('{"strokes": [], "format": "sketchgen", "version": 2}', "version is 2"),
    ],
)
def test_bad_canvases(text, message):
    with pytest.raises(SketchgenError, match=message) as caught:
        parse_canvas(text)
    assert "\n" not in str(caught.value)


def test_numbers_that_python_alone_can_hold():
    for value in (float("nan"), float("inf")):
        with pytest.raises(SketchError, match="not finite"):
            parse_canvas([[[0, value]]])
    with pytest.raises(SketchError, match="beyond"):
        parse_canvas([[[0, 10**400]]])
    with pytest.raises(FormatError, match="time and pressure"):
        parse_canvas([[[0, 0, float("nan")]]])


def test_a_flood_is_refused_quickly():
    begun = time.process_time()
    with pytest.raises(SketchError, match="more than 200000 points"):
        parse_canvas({"strokes": [[[0, 0]] * 1_000_000]})
    assert time.process_time() - begun < 1
    with pytest.raises(FormatError, match="larger than 16 MB"):
        parse_canvas("[" + " " * (32 * 2**20))


@pytest.mark.parametrize("part", ["[]", '{"a":1}', "1", '"a"'])
def test_values_are_counted_before_they_are_parsed(part):
    text = f'{{"strokes": [[[0, 0]]], "other": [{",".join([part] * (MAX_VALUES + 1))}]}}'
    begun = time.process_time()
    with pytest.raises(FormatError, match="more than 1100000 values; simplify"):
        parse_canvas(text)
    with pytest.raises(FormatError, match="more than 1100000 values; simplify"):
        parse_canvas(text.encode())
    assert time.process_time() - begun < 1


def test_the_largest_drawing_with_time_and_pressure_is_read():
    text = "[[" + ",".join(["[1.5,2.5,1700000000000,0.5]"] * MAX_POINTS) + "]]"
    assert parse_canvas(text).point_count == MAX_POINTS


def test_strokes_and_keys_are_counted():
    with pytest.raises(SketchError, match=r"^canvas: more than 20000 strokes"):
        parse_canvas([[[0, 0]]] * 20_001)
    assert len(parse_canvas([[[0, 0]]] * 20_000).strokes) == 20_000
    with pytest.raises(FormatError, match="more than 500000 keys"):
        parse_canvas("{" + '"a":1,' * 500_001 + '"strokes":[]}')
