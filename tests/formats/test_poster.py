from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from sketchgen.errors import SettingError
from sketchgen.formats.page import Page
from sketchgen.formats.poster import Poster, check_poster, poster_image, poster_svg
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.formats.svg_writer import Style
from sketchgen.sketch.sketch import Completion, Sketch

NS = "{http://www.w3.org/2000/svg}"
LINE = Sketch.from_strokes([[(0, 0), (9, 9)], [(9, 0), (0, 9)]])


def test_a_poster_on_paper():
    items = [LINE] * 5 + [Completion(LINE, Sketch.from_strokes([[(4, 4), (4, 9)]]))]
    page = Page.parse("a3 landscape", 20)
    text = poster_svg(items, Poster(page, title="Six & <more>"), labels=list("abcdef"))
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


def test_a_poster_in_px():
    root = ElementTree.fromstring(poster_svg([LINE] * 10, Poster(columns=4)))
    assert (root.get("width"), root.get("height")) == ("768px", "576px")
    assert [cell.get("x") for cell in root.findall(f"{NS}svg")][:5] == ["0", "192", "384", "576", "0"]
    assert "<svg" in poster_svg([])


def test_the_picture_shows_the_same():
    items = [LINE, Sketch(), LINE]
    poster = Poster(columns=3)
    light = np.asarray(poster_image(items, poster).convert("L")).astype(int)
    assert light.shape == (192, 576)
    assert light[:, :192].min() < 60
    assert light[:, 192:384].min() == 255
    assert (light[:, 384:] == light[:, :192]).all()
    paper = Poster(Page(50.8, 25.4, 2), title="one line")
    titled = np.asarray(poster_image([LINE], paper, labels=["x"]).convert("L")).astype(int)
    assert titled.shape == (150, 300)
    assert titled[12:24].min() < 200


def test_a_picture_keeps_the_colours():
    item = Completion(Sketch(page=None), Sketch.from_strokes([[(0, 5), (9, 5)]]))
    picture = poster_image([item], None, Style(added_colour="#ff0000", stroke_width=2))
    assert picture.getpixel((96, 96)) == (255, 0, 0, 255)


@pytest.mark.parametrize(
    ("poster", "count", "words"),
    [
        ({"page": Page(30, 30, 5)}, 500, "500 drawings do not fit on 30 x 30 mm"),
        ({"page": Page(), "columns": 2}, 60, "60 drawings do not fit"),
        ({"columns": 0}, 1, "0 columns"),
        ({"page": Page(4000, 4000)}, 1, "at most 100 million"),
    ],
)
def test_bad_posters(poster, count, words):
    with pytest.raises(SettingError, match=words):
        check_poster(count, Poster(**poster), picture=True)


def test_one_label_for_each():
    with pytest.raises(SettingError, match="1 labels for 2 drawings"):
        poster_svg([LINE, LINE], labels=["a"])
