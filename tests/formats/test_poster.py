"""Posters and contact sheets."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from sketchgen.errors import SettingError
from sketchgen.formats.page import Page
from sketchgen.formats.poster import contact_sheet, page_image, page_svg, poster_layout, sheet_layout
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.formats.svg_writer import Style
from sketchgen.sketch.sketch import Completion, Sketch

NS = "{http://www.w3.org/2000/svg}"
LINE = Sketch.from_strokes([[(0, 0), (9, 9)], [(9, 0), (0, 9)]])
DONE = Completion(LINE, Sketch.from_strokes([[(4, 4), (4, 9)]]))


def light(image):
    return np.asarray(image.convert("L")).astype(int)


def test_a_poster_on_paper():
    layout = poster_layout(6, Page.parse("a3 landscape", 20), titled=True, labelled=True)
    text = page_svg([LINE] * 5 + [DONE], layout, title="Six & <more>", labels=list("abcdef"))
    root = ElementTree.fromstring(text)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("420mm", "297mm", "0 0 420 297")
    assert [element.text for element in root.findall(f"{NS}text")] == ["Six & <more>", *"abcdef"]
    cells = [
        [float(cell.get(name) or "nan") for name in ("x", "y", "width", "height")]
        for cell in root.findall(f"{NS}svg")
    ]
    assert len(cells) == 6
    for x, y, width, height in cells:
        assert (x, y) >= (20, 20)
        assert x + width <= 400.001
        assert y + height <= 277.001
    assert len(parse_svg(text).strokes) == 6 * 2 + 1
    assert not [element for element in root.iter() if element.get("id")]


@pytest.mark.parametrize(
    ("layout", "unit"), [(poster_layout(10, columns=4), "px"), (sheet_layout(10, 4), "")]
)
def test_a_page_in_px(layout, unit):
    root = ElementTree.fromstring(page_svg([LINE, Sketch(), DONE, *[LINE] * 7], layout))
    assert (root.get("width"), root.get("height")) == (f"768{unit}", f"576{unit}")
    assert [cell.get("x") for cell in root.findall(f"{NS}svg")][:5] == ["0", "192", "384", "576", "0"]
    assert not [element for element in root.iter() if element.get("id")]
    assert ElementTree.fromstring(page_svg([], layout)) is not None


def test_the_picture_shows_the_same():
    item = Completion(LINE, Sketch.from_strokes([[(0, 5), (9, 5)]]))
    found = page_image(
        [item, Sketch(), item], poster_layout(3, columns=3), Style(added_colour="#ff0000", stroke_width=0.5)
    )
    shown = light(found)
    assert shown.shape == (192, 576)
    assert shown[:, :192].min() < 60
    assert shown[:, 192:384].min() == 255
    assert (shown[:, 384:] == shown[:, :192]).all()
    assert found.getpixel((30, 106)) == (255, 0, 0, 255)
    layout = poster_layout(1, Page(50.8, 25.4, 2), titled=True, labelled=True)
    titled = light(page_image([LINE], layout, title="one line", labels=["x"]))
    assert titled.shape == (150, 300)
    assert titled[12:24].min() < 200


def test_a_contact_sheet():
    cells = [LINE] * 3 + [Sketch()]
    assert contact_sheet(cells, columns=3, cell=50).size == (150, 100)
    labelled = contact_sheet(cells, columns=8, cell=100, labels=["a", "x" * 200, "", "pelé"])
    assert labelled.size == (400, 114)
    strip = light(labelled)[100:]
    assert strip[:, :100].min() < 128
    assert strip[:, 100:200].min() < 128
    assert strip[:, 200:300].min() == 255
    assert contact_sheet([], cell=32).size == (32, 32)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: poster_layout(500, Page(30, 30, 5)), "500 drawings do not fit on 30 x 30 mm"),
        (lambda: poster_layout(60, Page(), 2), "60 drawings do not fit"),
        (lambda: poster_layout(1, columns=0), "0 columns"),
        (lambda: poster_layout(1, Page(4000, 4000)).pixels, "at most 100 million"),
        (lambda: page_svg([LINE, LINE], poster_layout(2), labels=["a"]), "1 labels for 2 drawings"),
        (lambda: contact_sheet([LINE], columns=0), "0 columns"),
        (lambda: contact_sheet([LINE], labels=[]), "0 labels for 1 drawings"),
        (lambda: contact_sheet([LINE] * 9, cell=16_000), "at most 100 million"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(call, words):
    with pytest.raises(SettingError, match=words):
        call()
