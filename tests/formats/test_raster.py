from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from sketchgen.errors import OutputError, SettingError
from sketchgen.formats.raster import contact_sheet, image_png, save_png, to_image, to_png, to_still_webp
from sketchgen.formats.svg_writer import Style
from sketchgen.sketch.sketch import Completion, Sketch

PAGE = (0, 0, 100, 50)


def pixels(image):
    return np.asarray(image.convert("RGB")).astype(int)


def test_size_follows_the_page():
    sketch = Sketch.from_strokes([[(0, 25), (100, 25)]], page=PAGE)
    assert to_image(sketch, 200).size == (200, 100)
    assert to_image(Sketch(), 64).size == (64, 64)
    assert to_image(sketch, 1).size == (1, 1)


def test_ink_is_where_it_was_drawn():
    image = pixels(to_image(Sketch.from_strokes([[(20, 10), (80, 10)]], page=PAGE), 400))
    dark = np.argwhere(image.sum(axis=2) < 200)
    assert dark[:, 0].mean() == pytest.approx(40, abs=1)
    assert dark[:, 1].min() == pytest.approx(80, abs=4)
    assert dark[:, 1].max() == pytest.approx(320, abs=4)
    assert 2 <= len(set(dark[:, 0])) <= 5


@pytest.mark.parametrize("stroke", [[(50, 25)], [(50, 25), (50, 25)]])
@pytest.mark.parametrize("size", [64, 512])
def test_a_dot_shows(stroke, size):
    image = pixels(to_image(Sketch.from_strokes([stroke], page=PAGE), size))
    assert image.min() < 130
    rows, columns, _ = np.nonzero(image < 200)
    assert rows.mean() == pytest.approx(image.shape[0] / 2 - 0.5, abs=1)
    assert columns.mean() == pytest.approx(image.shape[1] / 2 - 0.5, abs=1)


def test_edges_are_smooth():
    image = pixels(to_image(Sketch.from_strokes([[(0, 0), (100, 43)]], page=PAGE), 256))
    assert len(np.unique(image)) > 8


def test_given_and_added_have_their_colours():
    first = Sketch.from_strokes([[(10, 10), (90, 10)]], page=PAGE)
    second = Sketch.from_strokes([[(10, 40), (90, 40)]], page=PAGE)
    style = Style(given_colour="#000000", added_colour="#ff0000", stroke_width=6)
    image = pixels(to_image(Completion(first, second), 200, style))
    assert image[20, 100].tolist() == [0, 0, 0]
    assert image[80, 100].tolist() == [255, 0, 0]
    assert image[50, 100].tolist() == [255, 255, 255]


def test_a_transparent_background():
    image = to_image(Sketch(), 8, Style(background=None))
    assert np.asarray(image)[..., 3].max() == 0


def test_strokes_far_off_the_page():
    assert to_image(Sketch.from_strokes([[(-1e9, 5), (1e9, 5)]], page=PAGE), 64).size == (64, 32)


def test_contact_sheet():
    cells = [Sketch.from_strokes([[(0, 0), (9, 9)]])] * 3 + [Sketch()]
    assert contact_sheet(cells, columns=3, cell=50).size == (150, 100)
    labelled = contact_sheet(cells, columns=8, cell=100, labels=["a", "x" * 200, "", "pelé"])
    assert labelled.size == (400, 114)
    strip = pixels(labelled)[100:]
    assert strip[:, :100].min() < 128
    assert strip[:, 100:200].min() < 128
    assert strip[:, 200:300].min() == 255
    assert contact_sheet([], cell=32).size == (32, 32)


def test_bad_settings():
    for call in (
        lambda: to_image(Sketch(), 0),
        lambda: to_image(Sketch(), 10**6),
        lambda: to_image(Sketch(), 8, Style(background="nocolour")),
        lambda: contact_sheet([Sketch()], columns=0),
        lambda: contact_sheet([Sketch()], labels=[]),
        lambda: contact_sheet([Sketch()] * 9, cell=16_000),
    ):
        with pytest.raises(SettingError):
            call()


def test_png(tmp_path):
    sketch = Sketch.from_strokes([[(0, 0), (9, 9)]])
    data = to_png(sketch, 64)
    assert data == to_png(sketch, 64)
    assert Image.open(io.BytesIO(data)).size == (64, 64)
    assert Image.open(io.BytesIO(to_png(sketch))).size == (512, 512)
    image = to_image(sketch, 16)
    save_png(image, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == image_png(image)
    with pytest.raises(OutputError, match="--force"):
        save_png(image, tmp_path / "a.png")


def test_a_still_webp():
    sketch = Sketch.from_strokes([[(0, 0), (9, 9)]])
    with Image.open(io.BytesIO(to_still_webp(sketch, 70))) as picture:
        assert picture.format == "WEBP"
        assert not getattr(picture, "is_animated", False)
        assert (np.asarray(picture.convert("RGBA")) == np.asarray(to_image(sketch, 70))).all()
