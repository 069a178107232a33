from __future__ import annotations

import io
import math
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from sketchgen.errors import SketchgenError
from sketchgen.formats.canvas_json import parse_canvas
from sketchgen.formats.quickdraw import parse_json
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.sketch.sketch import Box, Sketch
from sketchgen.web.exchange import FILL, PAGE, STARTERS, TYPES, exported, on_page, opened, split, starter
from sketchgen.web.request import checked_sketch
from sketchgen.web.stroke_styles import told

DRAWING: dict[str, Any] = {
    "strokes": [[[10, 10], [60, 20]], [[90, 90], [100, 200], [7.25, 8]], [[300, 300]]],
    "added": [False, True, False],
    "width": 640,
    "height": 480,
}
STROKES = [np.array(stroke, dtype=float).tolist() for stroke in DRAWING["strokes"]]


def test_given_and_added_are_told_apart() -> None:
    completion = split(checked_sketch(DRAWING), DRAWING["added"])
    assert [stroke.tolist() for stroke in completion.given.strokes] == [STROKES[0], STROKES[2]]
    assert [stroke.tolist() for stroke in completion.added.strokes] == [STROKES[1]]
    assert completion.given.page == completion.added.page == PAGE


@pytest.mark.parametrize("added", [None, [], [False, "yes"], "no", [1, 1, 1, 1, 1], [True, "yes"]])
def test_only_true_is_added(added: Any) -> None:
    text = exported({**DRAWING, "added": added}, "svg")[2].decode()
    given, _, more = text.partition('id="added"')
    found = [len(re.findall("<(?:path|polyline)", part)) for part in (given, more)]
    assert found == ([2, 1] if added == [True, "yes"] else [3, 0])


def test_lines_are_saved_as_a_person_sees_them() -> None:
    pen = [[200 + 10 * k, 20, 9 * k, k / 10] for k in range(11)]
    arc = [[400 + 90 * math.cos(turn / 4), 300 + 90 * math.sin(turn / 4)] for turn in range(12)]
    drawing = {
        "strokes": [*DRAWING["strokes"], pen, arc, arc],
        "added": [True],
        "styles": [{"color": "#ff0000", "width": 12}, None, {}, {"color": "#00aa00"}, {"corners": True}],
    }
    svg = ElementTree.fromstring(exported(drawing, "svg")[2])
    groups = {group.get("id"): list(group) for group in svg if group.get("id")}
    assert [(line.get("stroke"), line.get("stroke-width")) for line in groups["added"]] == [("#ff0000", "12")]
    given = groups["given"]
    assert [line.get("stroke") for line in given] == [None, None, "#00aa00", None, None]
    assert [line.tag.endswith("polyline") for line in given[-2:]] == [True, False]
    # Each format shows them, and reads back to the same lines: a model sees the line alone.
    plain = {**drawing, "styles": None}
    for form in ("svg", "animated", "png", "gif"):
        assert exported(drawing, form) != exported(plain, form)
    assert exported(drawing, "ndjson") == exported(plain, "ndjson")
    assert b"color" not in exported(plain, "json")[2]
    assert parse_svg(exported(drawing, "svg")[2]) == parse_svg(exported(plain, "svg")[2])
    picture = Image.open(io.BytesIO(exported(drawing, "png")[2])).convert("RGB")
    scale = picture.width / 640
    assert picture.getpixel((round(35 * scale), round((15 - 4) * scale))) == (255, 0, 0)
    # Pressed hard, a line is wide.
    tones = np.asarray(picture).astype(int)
    green = (tones[..., 1] > tones[..., 0] + 60).sum(axis=0)
    assert green[round(290 * scale)] > 1.5 * green[round(210 * scale)] > 0


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ({"color": "red"}, "colour"),
        ({"color": "#12345"}, "colour"),
        ({"color": '#123456"/><script'}, "colour"),
        ({"width": 0}, "width"),
        ({"width": 1e9}, "width"),
        ({"width": "4"}, "width"),
        ({"width": True}, "width"),
        ("red", "object"),
        ([1], "object"),
    ],
)
def test_what_is_no_style_is_refused(style: Any, words: str) -> None:
    with pytest.raises(SketchgenError, match=words):
        exported({**DRAWING, "styles": [None, style]}, "svg")


def test_every_format_reads_back() -> None:
    found = {form: exported(DRAWING, form) for form in TYPES}
    assert {name for name, _, _ in found.values()} == {name for name, _ in TYPES.values()}
    by_parts = [STROKES[0], STROKES[2], STROKES[1]]
    assert [s.tolist() for s in parse_svg(found["svg"][2], "svg").strokes] == by_parts
    assert [s.tolist() for s in parse_svg(found["animated"][2], "svg").strokes] == STROKES
    assert [s.tolist() for s in parse_canvas(found["json"][2]).strokes] == by_parts
    assert [s.tolist() for s in parse_json(found["ndjson"][2]).strokes] == by_parts
    again, _ = opened(found["excalidraw"][2].decode(), "drawing.excalidraw")
    assert [s.round(9).tolist() for s in again.strokes] == by_parts
    assert Image.open(io.BytesIO(found["png"][2])).format == "PNG"
    assert Image.open(io.BytesIO(found["gif"][2])).format == "GIF"


def test_ink_beyond_the_page_is_not_cut_off() -> None:
    inside = exported(DRAWING, "svg")[2]
    assert b'viewBox="0 0 640 480"' in inside
    drawing = {**DRAWING, "strokes": [[[-100, 10], [60, 20]], *DRAWING["strokes"][1:]]}
    page = parse_svg(exported(drawing, "svg")[2], "svg").page
    assert page is not None
    assert page.x < -100
    assert page.x + page.width == pytest.approx(640)
    assert (page.y, page.height) == (0, 480) or page.y < 0
    assert parse_canvas(exported(drawing, "json")[2]).page == PAGE


@pytest.mark.parametrize("form", ["exe", "", None, 7, "../svg", "svg\0"])
def test_other_formats_are_refused(form: Any) -> None:
    with pytest.raises(SketchgenError, match="no format"):
        exported(DRAWING, form)


def test_an_empty_page_is_not_saved() -> None:
    with pytest.raises(SketchgenError, match="empty"):
        exported({"strokes": []}, "svg")


def test_a_page_is_laid_onto_the_page_and_ink_into_its_middle() -> None:
    line = [(0.0, 0.0), (100.0, 50.0)]
    paged = on_page(Sketch.from_strokes([line], page=Box(0, 0, 1280, 960)))
    assert paged.points.tolist() == [[0, 0], [50, 25]]
    free = on_page(Sketch.from_strokes([line]))
    assert free.bounds is not None
    assert free.bounds.centre == pytest.approx(PAGE.centre)
    assert free.bounds.width == pytest.approx(FILL * PAGE.width)
    same = on_page(Sketch.from_strokes([line], page=PAGE))
    assert same.points.tolist() == [[0, 0], [100, 50]]
    dot = on_page(Sketch.from_strokes([[(5.0, 5.0)]]))
    assert dot.points.tolist() == [list(PAGE.centre)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("hello", "neither SVG nor JSON"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>', "nothing visible in file"),
        ('{"strokes": [[[0, 0]]', "not JSON"),
        ('{"strokes": ' + str([[[k, 0]] for k in range(600)]) + "}", "600 strokes"),
        ("x" * (2 * 1024 * 1024 + 1), "larger than 2 MB"),
        (7, "by its text"),
    ],
)
def test_what_is_no_drawing_is_not_opened(text: Any, words: str) -> None:
    with pytest.raises(SketchgenError) as caught:
        opened(text, "file")
    assert words in str(caught.value)


def test_a_dense_drawing_is_thinned_to_what_the_page_takes() -> None:
    angle = np.linspace(0, 40, 60_000)
    spiral = np.column_stack([np.cos(angle), np.sin(angle)]) * angle[:, None] * 5
    text = '{"strokes": ' + str([spiral.round(3).tolist()]) + "}"
    assert 100 < opened(text, "spiral.json")[0].point_count < 20_000


def test_an_opened_file_looks_as_it_was_saved() -> None:
    arc = [[400 + 90 * math.cos(turn / 4), 300 + 90 * math.sin(turn / 4)] for turn in range(12)]
    drawing = {
        "strokes": [*DRAWING["strokes"], arc, arc],
        "added": [False, True],
        "styles": [{"color": "#dc2f45", "width": 8}, None, None, {"corners": True}],
        "width": 640,
        "height": 480,
    }
    text = exported(drawing, "svg")[2].decode()
    sketch, styles = opened(text, "drawing.svg")
    assert [stroke.tolist() for stroke in sketch.strokes[:1]] == STROKES[:1]
    found = [told(own) for own in styles]
    assert found[0] == {"added": False, "color": "#dc2f45", "width": 8, "corners": True}
    assert found[-1] == {"added": True, "corners": True}
    # Of the two arcs one is a curve, which is smooth on the page, too.
    assert [each.get("corners", False) for each in found[2:4]] == [True, False]
    again = {
        "strokes": [stroke.tolist() for stroke in sketch.strokes],
        "added": [each["added"] for each in found],
        "styles": found,
        "width": 640,
        "height": 480,
    }
    assert exported(again, "png") == exported(drawing, "png")
    # JSON keeps the same, and tells no corners that it was not told.
    sketch, styles = opened(exported(drawing, "json")[2].decode(), "drawing.json")
    assert [told(own) for own in styles] == [
        {"added": False, "color": "#dc2f45", "width": 8},
        {"added": False},
        {"added": False, "corners": True},
        {"added": False},
        {"added": True},
    ]
    pressed = {
        "strokes": [[[10, 20, 0, 0.2], [30, 40, 9, 0.75], [50, 20, 18, 1]]],
        "width": 640,
        "height": 480,
    }
    for form in ("json", "svg"):
        (style,) = opened(exported(pressed, form)[2].decode(), "drawing")[1]
        assert told(style)["pressure"] == [0.2, 0.75, 1]
    # Excalidraw's widest line is thinner than the page's.
    (style,) = opened(exported(pressed, "excalidraw")[2].decode(), "drawing")[1]
    assert told(style)["pressure"] == pytest.approx([0.2, 0.75, 0.787], abs=0.001)
    # Widths of another number of points, or none, are no pressure; the pen's is kept.
    text = exported(pressed, "svg")[2].decode()
    for widths in ("0.64 1.3", "0.64 1.3 1.6 1", "0.64 -1 1.6", "wide"):
        (style,) = opened(re.sub('data-widths="[^"]*"', f'data-widths="{widths}"', text), "drawing.svg")[1]
        assert "pressure" not in told(style)
    for fault in ('"color": "red"', '"pressure": [0.5]', '"pressure": [1, "a"]'):
        with pytest.raises(SketchgenError, match=r"colour|pressure"):
            opened(f'{{"strokes": [[[1, 2], [3, 4]]], "styles": [{{{fault}}}]}}', "file.json")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ('stroke="black"', {"added": False, "width": 6.4, "corners": True}),
        ('stroke="#777" stroke-width="1"', {"added": False, "width": 6.4, "corners": True}),
        (
            'stroke="red" stroke-width="900"',
            {"added": False, "color": "#ff0000", "width": 24, "corners": True},
        ),
        (
            'style="stroke:hsl(120,100%,50%)"',
            {"added": False, "color": "#00ff00", "width": 6.4, "corners": True},
        ),
        ('stroke="url(#x)" stroke-width="10%"', {"added": False, "corners": True}),
        ('stroke="nonsense" stroke-width="thick"', {"added": False, "corners": True}),
        ('fill="blue"', {"added": False, "color": "#0000ff", "corners": True}),
    ],
)
def test_styles_of_other_files_are_read_as_far_as_the_page_has_them(line: str, wanted: Any) -> None:
    path = f'<path d="M1 2L30 40L9 50" {line}/>'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 75">{path}</svg>'
    _, (own,) = opened(text, "other.svg")
    assert told(own) == wanted


def test_every_starter_stands_on_the_page(tmp_path: Path) -> None:
    for name, category in STARTERS.items():
        sketch, found = starter(name)
        assert found == category
        bounds = sketch.bounds
        assert bounds is not None
        assert bounds.x >= 0
        assert bounds.y >= 0
        assert bounds.x + bounds.width <= PAGE.width
        assert bounds.y + bounds.height <= PAGE.height
    with pytest.raises(SketchgenError, match="no starter"):
        starter("../../etc/passwd")
