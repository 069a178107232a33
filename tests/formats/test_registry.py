from __future__ import annotations

import io
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from sketchgen.errors import SettingError
from sketchgen.formats.animation import to_gif, to_still_webp, to_webp
from sketchgen.formats.canvas_json import load_json
from sketchgen.formats.motion import Motion, timeline, to_animated_svg
from sketchgen.formats.plotter import Plan
from sketchgen.formats.poster import Poster
from sketchgen.formats.raster import to_image
from sketchgen.formats.read_write import read
from sketchgen.formats.registry import (
    FORMS,
    SHEETS,
    SUFFIXES,
    Look,
    check_form,
    check_sheet_of,
    encode_as,
    sheet_as,
)
from sketchgen.formats.svg_writer import Style, completion_to_svg
from sketchgen.formats.units import Page
from sketchgen.sketch.sketch import Completion, Sketch

PAGE = (0, 0, 100, 100)


def finished():
    first = Sketch.from_strokes([[(10, 10), (50, 40), (90, 10)]], page=PAGE, category="cat")
    return Completion(
        first, Sketch.from_strokes([[(10, 90), (50, 60), (90, 90)], [(50, 50)]], page=PAGE, category="cat")
    )


@pytest.mark.parametrize("form", FORMS)
def test_same_arguments_same_bytes(form):
    look = Look(Style(smooth=0.5, pressure=0.5), size=64)
    data = encode_as(finished(), form, look)
    assert data
    assert encode_as(finished(), form, look) == data
    assert encode_as(finished().given, form, look) != data
    assert encode_as(Sketch(), form, look)


def test_every_form_has_a_suffix_of_its_own():
    assert set(SUFFIXES) == set(FORMS)
    assert len(set(SUFFIXES.values())) == len(FORMS)


def test_the_look_is_followed():
    item, style = finished(), Style(added_colour="#ff0000", size=80)
    look = Look(style, Motion(hold=0.1, loop=False), size=48)
    assert encode_as(item, "svg", look).decode() == completion_to_svg(item, style)
    assert encode_as(item, "gif", look) == to_gif(item, style, look.motion, size=48)
    assert encode_as(item, "webp", look) == to_webp(item, style, look.motion, size=48)
    assert encode_as(item, "still-webp", look) == to_still_webp(item, style, size=48)
    for form, side in (("png", 48), ("gif", 48), ("webp", 48), ("still-webp", 48)):
        assert Image.open(io.BytesIO(encode_as(item, form, look))).size == (side, side)
    assert Image.open(io.BytesIO(encode_as(item, "png", Look(style)))).size == (80, 80)
    for form in ("svg", "animated", "json", "ndjson"):
        read_back = read(io.BytesIO(encode_as(item, form, look)))
        assert [stroke.tolist() for stroke in read_back.strokes] == [
            stroke.tolist() for stroke in item.whole.strokes
        ]
    assert load_json(encode_as(item, "ndjson"), "x")["word"] == "cat"


@pytest.mark.parametrize(
    ("form", "look", "words"),
    [
        ("jpeg", Look(), "no form 'jpeg'"),
        ("sgv", Look(), "did you mean 'svg'"),
        ("gif", Look(size=2000), "size of a GIF is 2000 px; it must be from 1 to 1024"),
        ("webp", Look(size=0), "size of a WebP is 0 px"),
        ("png", Look(size=10**6), "size is 1000000 px"),
        ("still-webp", Look(size=0), "size is 0 px"),
        ("png", Look(Style(given_colour="nocolour")), "'nocolour' is no colour"),
        ("plot", Look(plan=Plan(pen=0)), "the pen is 0 mm"),
        ("gcode", Look(page=Page(50, 50), plan=Plan(cell=80)), "a cell of 80 mm"),
        ("gcode", Look(profile="none"), "no profile 'none'"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(form, look, words):
    with pytest.raises(SettingError, match=words):
        check_form(form, look)
    with pytest.raises(SettingError, match=words):
        encode_as(finished(), form, look)


@pytest.mark.parametrize(
    ("count", "form", "look", "words"),
    [
        (3, "gif", Look(), "no form 'gif' of a sheet; there are svg, png, plot, gcode"),
        (10**6, "png", Look(), "at most 100 million"),
        (9000, "svg", Look(poster=Poster(Page(100, 100))), "9000 drawings do not fit"),
        (4, "plot", Look(plan=Plan(columns=400)), "400 columns"),
    ],
)
def test_sheets_that_cannot_be(count, form, look, words):
    with pytest.raises(SettingError, match=words):
        check_sheet_of(count, form, look)


def test_sheets():
    items = [finished(), finished().given, Sketch()]
    for form in SHEETS:
        (data,) = sheet_as(items, form)
        assert data == next(sheet_as(items, form))
    assert len(list(sheet_as(items, "plot", Look(plan=Plan(cell=150))))) == 3
    assert b">one<" in next(sheet_as(items, "svg", labels=["one", "two", "three"]))
    assert ElementTree.fromstring(next(sheet_as([], "svg"))) is not None


# --- WebP, and the SVG that draws itself -----------------------------------------------------------------


def frames(data):
    with Image.open(io.BytesIO(data)) as image:
        pictures, times = [], []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            pictures.append(np.asarray(image.convert("RGBA")).astype(int))
            times.append(image.info.get("duration", 0))
        return pictures, times, image.info.get("loop"), image.format


@pytest.mark.parametrize("style", [Style(), Style(background=None), Style(smooth=1, pressure=1)])
def test_a_webp_draws_itself_and_loses_nothing(style):
    item = finished()
    pictures, times, loop, kind = frames(to_webp(item, style, size=90))
    assert (kind, loop) == ("WEBP", 0)
    assert len(pictures) > 10
    still = np.asarray(to_image(item, 90, style)).astype(int)

    def apart(one, other):
        # What cannot be seen at all may have any colour.
        return np.abs(one * one[..., 3:] - other * other[..., 3:]) / 255

    # A line drawn piece by piece is rounded a little otherwise at the seams.
    assert apart(pictures[-1], still).mean() < 0.5
    assert apart(pictures[len(pictures) // 2], still).mean() > 0.5
    begin = np.asarray(to_image(Completion(item.given, Sketch(page=item.added.page)), 90, style)).astype(int)
    assert apart(pictures[0], begin).max() == 0
    assert sum(times) == pytest.approx(1000 * (timeline(item)[-1].end + Motion().hold), abs=60)


def test_a_webp_that_does_not_loop_plays_once():
    assert frames(to_webp(finished(), motion=Motion(loop=False), size=40))[2] == 1


def test_a_still_webp():
    pictures, _, _, kind = frames(to_still_webp(finished(), size=70))
    assert kind == "WEBP"
    assert len(pictures) == 1
    assert (pictures[0] == np.asarray(to_image(finished(), 70))).all()


def test_the_svg_that_draws_itself_begins_anew():
    text = to_animated_svg(finished(), Style(smooth=1, pressure=1))
    moving = [line for line in text.split('style="animation:')[1:]]
    assert len(moving) == 2
    assert all(part.split('"')[0].endswith("s linear infinite") for part in moving)
    assert "infinite" not in to_animated_svg(finished(), motion=Motion(loop=False))
    # Curves are drawn by the same dash, and pressure leaves the line even.
    assert 'data-sketchgen="nodes"' in text
    assert 'data-sketchgen="show"' not in text


def test_a_gif_follows_curves_and_pressure():
    item = finished().given
    for style in (Style(smooth=1), Style(pressure=1)):
        last = frames(to_gif(item, style, size=120))[0][-1][..., :3]
        shown = np.asarray(to_image(item, 120, style).convert("RGB")).astype(int)
        plain = np.asarray(to_image(item, 120).convert("RGB")).astype(int)
        assert np.abs(last - shown).mean() < 0.3
        assert np.abs(last - plain).mean() > 0.5


def test_nothing_of_a_plotter_s_is_loaded_before_it_is_asked_for():
    names = ("vpype", "vpype_cli", "click", "scipy", "shapely")
    code = f"import sys, sketchgen.formats.registry; print([name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
