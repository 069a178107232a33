from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.errors import SettingError
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.formats.svg_writer import (
    Style,
    number,
    to_svg,
    visible_box,
)
from sketchgen.sketch.sketch import Box, Completion, Sketch

NS = "{http://www.w3.org/2000/svg}"
coordinates = st.floats(-1e9, 1e9, allow_nan=False)
strokes = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6), max_size=5)


def same_bits(one, other):
    assert len(one.strokes) == len(other.strokes)
    for a, b in zip(one.strokes, other.strokes, strict=True):
        assert a.tobytes() == b.tobytes()


@settings(deadline=None, max_examples=80)
@given(strokes, st.sampled_from([None, (0, 0, 640, 480), (-3.25, 1e-7, 0.1, 1e8)]))
def test_what_is_written_is_read_bit_for_bit(values, page):
    sketch = Sketch.from_strokes(values, page=page, category="cat & <dog>")
    result = parse_svg(to_svg(sketch))
    same_bits(sketch, result)
    assert result.category == sketch.category
    assert result.page == visible_box(sketch, Style())
    if page is not None:
        assert result == sketch


def test_two_groups():
    given_part = Sketch.from_strokes([[(0, 0), (10, 10)], [(5, 5)]], page=(0, 0, 100, 50))
    added = Sketch.from_strokes([[(10, 10), (500, 20)]], page=(0, 0, 100, 50))
    text = to_svg(Completion(given_part, added))
    root = ElementTree.fromstring(text)
    groups = {group.get("id"): group for group in root.iter(f"{NS}g")}
    assert list(groups) == ["given", "added"]
    assert [len(groups[name]) for name in groups] == [2, 1]
    assert groups["given"].get("stroke") != groups["added"].get("stroke")
    assert {group.get("stroke-linecap") for group in groups.values()} == {"round"}
    assert root.get("viewBox") == "0 0 100 50"
    assert (root.get("width"), root.get("height")) == ("512", "256")


PAGE = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" '
    'width="210mm" height="297mm" viewBox="0 0 210 297" fill="none" stroke-width="0.5">{}</svg>'
)
LAYERS = (
    '<g inkscape:groupmode="layer" inkscape:label="2 red" stroke="red"><path d="M9 9h50"/></g>'
    '<g inkscape:groupmode="layer" inkscape:label="5 blue" stroke="blue"><path d="M9 20h50"/>'
    '<path stroke="lime" d="M9 30h50"/></g>'
)
INKSCAPE = "{http://www.inkscape.org/namespaces/inkscape}"


def completed(body):
    half = parse_svg(PAGE.format(body))
    return Completion(half, Sketch.from_strokes([[(60, 60), (90, 90)]], page=half.page))


def test_size_pen_and_layers_come_out_as_they_went_in():
    text = to_svg(completed(LAYERS))
    root = ElementTree.fromstring(text)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("210mm", "297mm", "0 0 210 297")
    groups = list(root.iter(f"{NS}g"))
    assert [group.get(f"{INKSCAPE}label") for group in groups] == ["2 red", "5 blue", "6 added"]
    assert {group.get(f"{INKSCAPE}groupmode") for group in groups} == {"layer"}
    assert [group.get("stroke") for group in groups] == ["#ff0000", "#0000ff", Style.added_colour]
    assert groups[1][1].get("stroke") == "#00ff00"
    assert {group.get("stroke-width") for group in groups} == {"0.5"}
    assert len({group.get("id") for group in groups}) == 3
    sheet = parse_svg(text).sheet
    assert sheet is not None
    assert [layer.name for layer in sheet.layers] == ["2 red", "5 blue", "6 added"]
    assert sheet.size == ("210mm", "297mm")


def test_a_page_without_layers_gets_two():
    root = ElementTree.fromstring(
        to_svg(completed('<path stroke="red" d="M9 9h50"/>'), Style(given_colour="navy"))
    )
    groups = list(root.iter(f"{NS}g"))
    assert [group.get(f"{INKSCAPE}label") for group in groups] == ["1 given", "2 added"]
    assert groups[0].get("stroke") == "navy"


def test_the_background_is_no_shape():
    root = ElementTree.fromstring(to_svg(Sketch.from_strokes([[(0, 0), (10, 10)]]), Style(background="#abc")))
    assert root.find(f".//{NS}rect") is None
    assert root.get("style") == "background:#abc"


def test_a_dot_has_a_round_cap_to_show():
    root = ElementTree.fromstring(to_svg(Sketch.from_strokes([[(5, 6)]])))
    path = root.find(f".//{NS}path")
    assert path is not None
    assert path.get("d") == "M5,6h0"


def test_what_is_shown():
    style = Style()
    assert visible_box(Sketch(), style) == Box(0, 0, 255, 255)
    assert visible_box(Sketch.from_strokes([[(0, 0), (100, 200)]]), style) == Box(-10, -10, 120, 220)
    dot = visible_box(Sketch.from_strokes([[(7, 7)]]), style)
    assert dot.centre == (7, 7)
    assert dot.width > 0
    flat = visible_box(Sketch.from_strokes([[(0, 5), (100, 5)]]), style)
    assert flat.height >= 10
    assert visible_box(Sketch(page=Box(1, 2, 3, 4)), style) == Box(1, 2, 3, 4)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_shortest_and_exact(value):
    text = number(value)
    assert np.float64(text).tobytes() == np.float64(value).tobytes()
    assert not text.endswith(".0")


def test_no_background_and_control_characters():
    sketch = Sketch.from_strokes([[(0, 0), (1, 1)]], category="a\x00b")
    text = to_svg(sketch, Style(background=None))
    assert "rect" not in text
    assert parse_svg(text).category == "ab"


@pytest.mark.parametrize(
    "settings_",
    [
        {"size": 0},
        {"size": float("nan")},
        {"stroke_width": -1},
        {"margin": 2},
        {"smooth": "round"},
        {"pressure": 1.1},
        {"given_colour": '"/><script>'},
    ],
)
def test_style_limits(settings_):
    with pytest.raises(SettingError):
        Style(**settings_)
