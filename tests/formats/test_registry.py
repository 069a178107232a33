from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import fields
from xml.etree import ElementTree

import pytest
from PIL import Image

from sketchgen.errors import FormatError, SettingError
from sketchgen.formats.registry import (
    FORMATS,
    SUFFIXES,
    check_options,
    contact_sheet,
    encode,
    encode_many,
    is_binary,
    known_suffix,
    options_for,
    suffix_of,
    unused_options,
)
from sketchgen.formats.render_options import RenderOptions
from sketchgen.sketch.sketch import Completion, Sketch

PAGE = (0, 0, 100, 100)
FIRST = Sketch.from_strokes([[(10, 10), (50, 40), (90, 10)]], page=PAGE, category="cat")
DONE = Completion(FIRST, Sketch.from_strokes([[(10, 90), (50, 60), (90, 90)], [(50, 50)]], page=PAGE))
NAMES = [f"{name}{suffix}" for name, row in FORMATS.items() for suffix in row.suffixes]
TOGETHER = [f"{name}{suffix}" for name, row in FORMATS.items() for suffix in row.suffixes if row.max_many > 1]


@pytest.mark.parametrize("name", NAMES)
def test_every_format_writes_what_its_suffix_says(name):
    options = RenderOptions(name, smooth="on", pressure=0.5, size=64)
    data = encode(DONE, options)
    assert encode(DONE, options) == data
    assert encode(FIRST, options) != data
    assert encode(Sketch(), options)
    kind = {".svg": b"<", ".png": b"\x89PNG", ".gif": b"GIF8", ".webp": b"RIFF", ".npz": b"PK"}
    assert data.startswith(kind.get(suffix_of(options), b""))
    assert is_binary(options) == (suffix_of(options) in (".png", ".gif", ".webp", ".npz"))
    if name.partition(".")[2] in ("png", "gif", "webp") and "poster" not in name:
        picture = Image.open(io.BytesIO(data))
        assert picture.size == (64, 64)
        assert (getattr(picture, "n_frames", 1) > 1) == name.startswith(("gif", "animated"))


def test_a_suffix_chooses_the_format():
    assert SUFFIXES[".svg"] == "svg"
    assert SUFFIXES[".webp"] == "webp"
    for start, path, name in (
        ("svg", "a.PNG", "png"),
        ("svg", "a.webp", "webp"),
        ("animated", "a.webp", "animated.webp"),
        ("animated.webp", "a.svg", "animated"),
        ("poster", "a.png", "poster.png"),
        ("poster", "a.gif", "gif"),
        ("plot", "a.svg", "plot"),
    ):
        assert options_for(path, RenderOptions(start, smooth="on")) == RenderOptions(name, smooth="on")


def test_names_of_folders_are_none_of_files(tmp_path):
    assert [known_suffix(name) for name in ("out", "run.1", "v0.2-b", "a.svg")] == [None, None, None, ".svg"]
    (tmp_path / "cats.jpg").mkdir()
    assert known_suffix(tmp_path / "cats.jpg") is None
    for name in ("a.jpg", "a.pdf", "a.svgz"):
        with pytest.raises(FormatError, match=f"{name}: no writer for"):
            known_suffix(name)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (RenderOptions("jpeg"), "no format 'jpeg'"),
        (RenderOptions("sgv"), "did you mean 'svg'"),
        (RenderOptions("poster.gif"), "poster is not written as .gif, only as .svg, .png"),
        (RenderOptions("gif", size=2000), "size of a GIF must be a number from 1 to 1024 px, not 2000"),
        (RenderOptions("animated.webp", size=0), "size of a WebP must be a number from 1 to 1024 px, not 0"),
        (RenderOptions("png", size=10**6), "size must be a number from 1 to 16384 px, not 1000000"),
        (RenderOptions("webp", size=0), "size must be a number from 1 to 16384 px, not 0"),
        (RenderOptions("svg", smooth="7"), "smooth is '7'"),
        (RenderOptions("animated", speed=0), "speed must be a number from 1 to 100000 px a second, not 0"),
        (RenderOptions("png", colour="nocolour"), "'nocolour' is no colour"),
        (RenderOptions("plot", pen="0mm"), "the pen is 0 mm"),
        (RenderOptions("plot", page="A9"), "no page 'A9'"),
        (RenderOptions("gcode", profile="none"), "no profile 'none'"),
        (RenderOptions("poster", columns=0), "0 columns"),
    ],
)
def test_what_cannot_be_is_refused_before_the_work(options, words):
    if options.format == "gcode":
        pytest.importorskip("vpype_gcode")
    with pytest.raises(SettingError, match=words):
        check_options(options)
    with pytest.raises(SettingError, match=words):
        encode(FIRST, options)


@pytest.mark.parametrize(
    ("count", "options", "words"),
    [
        (3, RenderOptions("gif"), "3 drawings for one GIF, which holds 1; pass --count 1"),
        (3, RenderOptions("json"), "3 drawings for one JSON"),
        (6000, RenderOptions("svg"), "6000 drawings for one file, which takes 5000 at most"),
        (2000, RenderOptions("poster", page="60x60mm"), "2000 drawings do not fit"),
        (4, RenderOptions("plot", columns=400), "400 columns"),
    ],
)
def test_sheets_that_cannot_be(count, options, words):
    with pytest.raises(SettingError, match=words):
        check_options(options, count)


def test_numbers_of_drawings():
    for name in ("svg", "png", "ndjson", "npz", "plot", "poster.png"):
        check_options(RenderOptions(name), 100)
    check_options(RenderOptions("gif"), 100, one_file=False)
    with pytest.raises(SettingError, match="npz is one file for all drawings; name it"):
        check_options(RenderOptions("npz"), 3, one_file=False)


@pytest.mark.parametrize("name", TOGETHER)
def test_sheets(name):
    if name.startswith("gcode"):
        pytest.importorskip("vpype_gcode")
    items = [DONE, FIRST, Sketch()]
    (data,) = encode_many(items, RenderOptions(name, columns=2))
    assert encode_many(items, RenderOptions(name, columns=2)) == [data]
    if name in ("svg.svg", "poster.svg"):
        assert data.count(b"<polyline") + data.count(b"<path") >= 4
    assert encode_many([FIRST], RenderOptions(name)) == [encode(FIRST, RenderOptions(name))]


def test_more_about_sheets():
    assert len(encode_many([FIRST] * 9, RenderOptions("plot", page="60x60mm", margin="5mm"))) > 1
    assert b">cat<" in encode_many([FIRST, FIRST], RenderOptions("poster", labels=True))[0]
    assert ElementTree.fromstring(encode_many([], RenderOptions("poster"))[0]) is not None
    assert Image.open(io.BytesIO(contact_sheet([FIRST], RenderOptions("json"), 4))).size == (192, 192)


def test_options_that_have_no_effect():
    assert unused_options(RenderOptions("png", size=3, title="x", crop=True)) == ["title", "crop"]
    names = {field.name for field in fields(RenderOptions)} - {"format"}
    assert set().union(*(row.options for row in FORMATS.values())) == names


def test_nothing_heavy_is_loaded_before_it_is_asked_for():
    names = ("vpype", "click", "scipy", "PIL", "svgwrite", "tinycss2")
    code = (
        f"import sys, sketchgen.formats.read_write; print([name for name in {names} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
