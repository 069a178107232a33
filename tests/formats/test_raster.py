from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from sketchgen.errors import OutputError, SettingError
from sketchgen.formats.raster import image_bytes, save_png, to_image
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


def test_bad_settings():
    for call in (
        lambda: to_image(Sketch(), 0),
        lambda: to_image(Sketch(), 10**6),
        lambda: to_image(Sketch(), 8, Style(background="nocolour")),
    ):
        with pytest.raises(SettingError):
            call()


def test_files(tmp_path):
    image = to_image(Sketch.from_strokes([[(0, 0), (9, 9)]]), 70)
    for kind in ("PNG", "WEBP"):
        data = image_bytes(image, kind)
        assert data == image_bytes(image, kind)
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.format == kind
            assert not getattr(picture, "is_animated", False)
            assert (np.asarray(picture.convert("RGBA")) == np.asarray(image)).all()
    save_png(image, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == image_bytes(image)
    with pytest.raises(OutputError, match="--force"):
        save_png(image, tmp_path / "a.png")
