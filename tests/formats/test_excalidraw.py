from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sketchgen
from sketchgen.errors import FormatWarning, SketchError, SketchgenError
from sketchgen.formats.excalidraw import SPACING, parse_scene, parse_styled_scene, to_scene
from sketchgen.formats.quickdraw import parse_json
from sketchgen.formats.svg_writer import PLAIN, StrokeStyle, Style
from sketchgen.sketch.sketch import Box, Completion, Sketch

PAGE = (0, 0, 640, 480)
BEND = Sketch.from_strokes(
    [[(100, 100), (200, 60), (300, 100), (380, 220)], [(20, 30)]], page=PAGE, category="cat"
)
DONE = Completion(BEND, Sketch.from_strokes([[(10, 400), (600, 400)]], page=PAGE, category="cat"))


def element(kind: str = "freedraw", **more: Any) -> dict[str, Any]:
    base = {"type": kind, "x": 0, "y": 0, "width": 40, "height": 20, "points": [[0, 0], [40, 20]]}
    return {**base, "angle": 0, **more}


def scene(*elements: Any, **more: Any) -> str:
    return json.dumps({"type": "excalidraw", "version": 2, "elements": list(elements), **more})


def read(*elements: Any) -> list[list[list[float]]]:
    return [np.round(stroke, 9).tolist() for stroke in parse_json(scene(*elements)).strokes]


coordinates = st.floats(-1e6, 1e6)
strokes = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=5), max_size=4)


@settings(deadline=None, max_examples=30)
@given(strokes, st.sampled_from([None, PAGE]), st.none() | st.text(), st.sampled_from(["on", "off"]))
def test_what_is_written_reads_back(values, page, category, smooth):
    sketch = Sketch.from_strokes(values, page=page, category=category)
    text = to_scene([sketch], Style(smooth=smooth))
    found = parse_json(text)
    assert (found.page, found.category) == (sketch.page, sketch.category)
    assert [len(stroke) for stroke in found.strokes] == [len(stroke) for stroke in sketch.strokes]
    # The points are relative to the first one, so that a sum may be rounded.
    np.testing.assert_allclose(found.points, sketch.points, rtol=0, atol=1e-9)
    assert to_scene([sketch], Style(smooth=smooth)) == text


def test_lines_are_dense_enough_for_excalidraw_and_curved_if_wanted():
    curved, straight = (
        json.loads(to_scene([BEND], Style(smooth=smooth)))["elements"] for smooth in ("on", "off")
    )
    for stroke in (curved[0], straight[0]):
        points = np.array(stroke["points"])
        assert np.hypot(*np.diff(points, axis=0).T).max() < 1.5 * SPACING * 640
        assert len(stroke["pressures"]) == len(points)
        assert (stroke["type"], stroke["simulatePressure"]) == ("freedraw", False)
    between = np.array(straight[0]["points"][1]) @ [40, 100]
    assert between == pytest.approx(0, abs=0.1)
    assert np.array(curved[0]["points"][3]) @ [40, 100] != pytest.approx(0, abs=0.5)


def test_given_and_added_have_their_colours_and_a_dot_two_points():
    style = Style(given_colour="#101010", added_colour="#ff0000", stroke_width=4)
    first, dot, added = json.loads(to_scene([DONE], style))["elements"]
    assert [first["strokeColor"], dot["strokeColor"], added["strokeColor"]] == [
        "#101010",
        "#101010",
        "#ff0000",
    ]
    assert len(dot["points"]) == 2
    assert len({first["id"], dot["id"], added["id"]}) == 3
    assert parse_json(to_scene([DONE], style)) == DONE.whole


def test_a_moved_or_turned_line_keeps_its_nodes_and_an_edited_one_gives_all_its_points():
    value = json.loads(to_scene([BEND], Style(smooth="on")))
    value["elements"][0]["x"] += 7
    moved = parse_scene(value).strokes[0]
    np.testing.assert_allclose(moved, BEND.strokes[0] + (7, 0), atol=1e-9)
    value["elements"][0]["points"].pop()
    assert len(parse_scene(value).strokes[0]) == len(value["elements"][0]["points"])
    for nodes in ([0, 5, 3, 9], [1, 2], "all", [0, True], [0.0, 1.0], [-1, 0], []):
        line = element(customData={"sketchgen": {"nodes": nodes}})
        assert read(line) == [[[0, 0], [40, 20]]]


def test_colour_width_corners_and_pressure_of_each_stroke_are_kept():
    own = (StrokeStyle("#d62828", 9, True), StrokeStyle(), StrokeStyle(None, None, False, (0.4, 1.6)))
    text = to_scene([DONE], Style(stroke_width=4, smooth="on", strokes=own))
    first, dot, last = json.loads(text)["elements"]
    assert first["strokeColor"] == "#d62828"
    assert (set(first["pressures"]), set(dot["pressures"])) == ({0.5}, {0.5})
    assert last["pressures"][0] < 0.1 < 0.5 < last["pressures"][-1]
    sketch, styles = parse_styled_scene(json.loads(text))
    assert sketch == DONE.whole
    widths = [9, 4, 4]
    assert [style.width for style in styles] == pytest.approx(widths, rel=1e-3)
    assert [style.corners for style in styles] == [True, False, False]
    assert [style.colour for style in styles] == ["#d62828", "#111111", "#2563eb"]
    # As wide as Excalidraw draws it, which is not as wide as may be.
    assert [style.widths for style in styles] == [(), (), pytest.approx((0.437, 1.345), abs=0.001)]
    for fault in ({"pressures": [0.1]}, {"pressures": "hard"}, {"simulatePressure": True}):
        _, styles = parse_styled_scene({"type": "excalidraw", "elements": [last | fault]})
        assert styles[0].widths == ()


def test_styles_of_other_elements():
    styles = parse_styled_scene(
        json.loads(
            scene(
                element("line", strokeColor="red", strokeWidth=2),
                element("line", roundness={"type": 2}),
                element("rectangle", strokeWidth=-1, strokeColor="url(evil)"),
                element(strokeColor=7, strokeWidth="thick"),
            )
        )
    )[1]
    assert styles == [StrokeStyle("red", 2, True), PLAIN, StrokeStyle(corners=True), PLAIN]


def test_several_drawings_stand_side_by_side():
    found = parse_json(to_scene([BEND, BEND, BEND], columns=2))
    assert len(found.strokes) == 6
    assert found.page is None
    corners = [stroke[0].tolist() for stroke in found.strokes[::2]]
    assert corners == [[100, 100], [pytest.approx(804), 100], [100, pytest.approx(628)]]


def test_shapes_are_read_as_their_outlines():
    at = {"x": 10, "y": 100}
    assert read(element("line", **at), element("arrow"), element("draw")) == [
        [[10, 100], [50, 120]],
        [[0, 0], [40, 20]],
        [[0, 0], [40, 20]],
    ]
    assert read(element("rectangle", **at)) == [[[10, 100], [50, 100], [50, 120], [10, 120], [10, 100]]]
    assert read(element("diamond", **at)) == [[[30, 100], [50, 110], [30, 120], [10, 110], [30, 100]]]
    (round_one,) = parse_json(scene(element("rectangle", roundness={"type": 3}))).strokes
    assert len(round_one) > 12
    assert np.abs(round_one).sum(axis=1).min() > 10 - 5 * math.sqrt(2) - 1e-3
    (ellipse,) = parse_json(scene(element("ellipse", **at))).strokes
    np.testing.assert_allclose(np.hypot(*((ellipse - (30, 110)) / (20, 10)).T), 1, atol=1e-3)
    (left,) = parse_json(scene(element("rectangle", width=-40, height=-20))).strokes
    assert (left.min(axis=0).tolist(), left.max(axis=0).tolist()) == ([-40, -20], [0, 0])
    assert read(element("ellipse", width=0)) == [[[0, 0], [0, 20]]]


def test_an_angle_turns_about_the_middle_of_the_box():
    assert read(element(points=[[0, 0], [40, 0]], angle=math.pi / 2)) == [[[20, -20], [20, 20]]]
    assert read(element("rectangle", angle=math.pi)) == [[[40, 20], [0, 20], [0, 0], [40, 0], [40, 20]]]


def test_deleted_and_other_elements_are_left_out():
    line = [[[0, 0], [40, 20]]]
    assert (
        read(element(isDeleted=True), element(opacity=0), element("text"), element(), element(points=[]))
        == line
    )
    assert parse_json(scene()).is_empty
    assert parse_json(scene(element(isDeleted=True))).is_empty
    with pytest.raises(SketchgenError, match="holds no lines, only image, text; draw with the pencil"):
        parse_json(scene(element("text"), element("image")))


def test_the_clipboard_and_files_of_any_name_are_read(tmp_path: Path):
    text = scene(element()).replace('"excalidraw"', '"excalidraw/clipboard"')
    for name in ("a.excalidraw", "a.json", "a.txt"):
        (tmp_path / name).write_text(json.dumps(json.loads(text), indent=2))
        assert [stroke.tolist() for stroke in sketchgen.read(tmp_path / name).strokes] == [[[0, 0], [40, 20]]]
    BEND.save(tmp_path / "b.excalidraw")
    assert sketchgen.read(tmp_path / "b.excalidraw") == BEND


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type": "excalidrawlib", "libraryItems": []}', "type is 'excalidrawlib'; read are excalidraw"),
        ('{"type": "excalidraw"}', "elements must be a list, not null"),
        ('{"type": "excalidraw", "elements": {}}', "elements must be a list, not an object"),
        (scene(7), "element 0 must be an object, not a number"),
        (scene(element(points=None)), "element 0: points must be a list, not null"),
        (scene(element(points={"0": 1})), "element 0: points must be a list"),
        (scene(element(points=[[0, 0], [1]])), r"element 0, point 1 must be \[x, y\]"),
        (scene(element(points=[[0, 0], ["1", 2]])), "point 1 must be a number, not text"),
        (scene(element(points=[[0, 0], [True, 2]])), "not true or false"),
        (scene(element(x="1")), "element 0: x must be a number, not text"),
        (scene(element(y=None)), "element 0: y must be a number, not null"),
        (scene(element(angle="1")), "angle must be a number"),
        (scene(element("rectangle", width=None)), "width must be a number"),
        (scene(element(x=1e300)), r"beyond 1e\+09"),
        (scene(element(points=[[0, 0], [1.7e308, -1.7e308]], angle=1)), "beyond|not finite"),
        (scene(element("ellipse", width=1e300)), r"beyond 1e\+09"),
        (scene(element("rectangle", width=1e300, roundness={"type": 3})), r"beyond 1e\+09|not finite"),
        (scene(element("rectangle", height=-1e308, angle=0.5, roundness={"type": 3})), "beyond|not finite"),
        (scene(element(), sketchgen={"page": [0, 0, -5, 5]}), "width and height must be above 0"),
        (scene(element(), sketchgen={"page": [0, 0, 1e300, 5]}), "page"),
        (scene(element())[:-4], "not JSON"),
    ],
)
def test_hostile_scenes_are_refused_in_one_line(text: str, words: str):
    with pytest.raises(SketchgenError, match=words) as caught:
        parse_json(text, "x.excalidraw")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("x.excalidraw")


def test_a_flood_is_refused_at_once():
    begun = time.process_time()
    for elements in ([element(points=[[0, 0]] * 300_000)], [element(points=[[0, 0]] * 1000)] * 300):
        with pytest.raises(SketchError, match="more than 200000 points"):
            parse_scene({"type": "excalidraw", "elements": elements})
    assert time.process_time() - begun < 2


def test_what_is_written_is_within_the_limits_of_what_is_read():
    scribble = np.random.default_rng(0).uniform(0, 640, (20_000, 2))
    sketch = Sketch.from_strokes([scribble], page=PAGE)
    assert len(parse_json(to_scene([sketch])).strokes[0]) == 20_000
    far = Sketch.from_strokes([[(0, 0), (9e8, 0)]], page=Box(0, 0, 1, 1))
    assert parse_json(to_scene([far])) == far


def test_what_is_left_out_is_told():
    with pytest.warns(FormatWarning, match=r"^a: left out: frame, text$"):
        parse_json(scene(element("text"), element("frame"), element("text"), element()), "a")
