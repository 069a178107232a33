"""Formats and appearance: what is written is what was asked for, and nonsense is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from commandline import failure, run
from PIL import Image

from sketchgen.cli.appearance import FORMATS, output_path, render_options
from sketchgen.errors import FormatError
from sketchgen.formats.read_write import read
from sketchgen.formats.registry import FORMATS as TABLE

ONE = ["generate", "cat", "-n", 1]


@pytest.fixture
def tiny(checkpoint: Path) -> list[str]:
    return ["--checkpoint", str(checkpoint)]


def test_the_options_know_the_formats_that_there_are() -> None:
    assert sorted(FORMATS) == sorted(TABLE)


@pytest.mark.parametrize("name", ["out", "out.vx", "a.svg", "A.PNG", "run-0.5", "x.jpg/", "../out.gif", "-"])
def test_places_that_can_be_written(name: str) -> None:
    if name == "out.vx":
        with pytest.raises(FormatError, match="no writer for"):
            output_path(name)
    else:
        assert output_path(name) == (None if name == "-" else Path(name))


@pytest.mark.parametrize("command", [ONE, ["complete", "example:face"], ["redraw", "a", "1"]])
@pytest.mark.parametrize("name", ["x.jpg", "x.pdf", "x.svgz", "x.svg.gz"])
def test_a_suffix_that_cannot_be_written_is_refused(
    command: list[object], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = failure(capsys, *command, "-o", tmp_path / name)
    assert f"no writer for {Path(name).suffix!r}; use ." in line
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_may_have_any_name(tiny: list[str], tmp_path: Path) -> None:
    (tmp_path / "old.jpg").mkdir()
    run(*ONE, "-o", tmp_path / "old.jpg", *tiny)
    assert (tmp_path / "old.jpg" / "cat-1.svg").exists()


@pytest.mark.parametrize(
    ("words", "out", "form"),
    [
        ({}, None, "svg"),
        ({}, "a.gif", "gif"),
        ({"page": "A4"}, "a.svg", "plot"),
        ({"format": "animated"}, "a.svg", "animated"),
        ({"format": "ndjson"}, None, "ndjson"),
        ({}, "a.gcode", "gcode"),
    ],
)
def test_suffix_format_and_page_set_the_format(words: dict[str, str], out: str | None, form: str) -> None:
    asked = SimpleNamespace(**{"format": None, "page": None} | words)
    assert render_options(asked, None if out is None else Path(out)).format == form


def test_style_reaches_the_files(tiny: list[str], tmp_path: Path) -> None:
    style = ("--colour", "crimson", "--width", 3, "--background", "none", "--smooth", "on")
    run(*ONE, *style, "-o", tmp_path / "cat.svg", *tiny)
    run(*ONE, "-o", tmp_path / "plain.svg", *tiny)
    text = (tmp_path / "cat.svg").read_text()
    assert 'stroke="crimson"' in text
    assert 'stroke-width="3"' in text
    assert "<rect" not in text
    curved, plain = read(tmp_path / "cat.svg"), read(tmp_path / "plain.svg")
    assert all(np.array_equal(*pair) for pair in zip(curved.strokes, plain.strokes, strict=True))


def test_size_and_poster_reach_the_pictures(tiny: list[str], tmp_path: Path) -> None:
    run(*ONE, "--size", 300, "-o", tmp_path / "cat.png", *tiny)
    assert max(Image.open(tmp_path / "cat.png").size) == 300
    poster = ["--format", "poster", "--labels", "--title", "Cats"]
    run("generate", "cat", "-n", 4, *poster, "-o", tmp_path / "p.png", *tiny)
    assert Image.open(tmp_path / "p.png").format == "PNG"


def test_several_pages_become_several_files(tiny: list[str], tmp_path: Path) -> None:
    page = ["--page", "60x60mm", "--margin", "5mm", "--pen-width", "0.5mm"]
    run("generate", "cat", "-n", 9, *page, "-o", tmp_path / "cats.svg", *tiny)
    names = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert names == [f"cats-{page}.svg" for page in range(2, len(names) + 1)] + ["cats.svg"]
    assert len(names) > 1
    root = ElementTree.fromstring((tmp_path / names[0]).read_bytes())
    assert (root.get("width"), root.get("height")) == ("60mm", "60mm")


def test_gcode(tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("vpype_gcode")
    run("generate", "cat", "-n", 2, "--page", "A5", "-o", tmp_path / "cats.gcode", *tiny)
    assert (tmp_path / "cats.gcode").read_text().count("G1 X") > 2
    capsys.readouterr()
    words = ["--gcode-profile", "nobody", "-o", tmp_path / "x.gcode"]
    assert "nobody" in failure(capsys, *ONE, *words, *tiny)


@pytest.mark.parametrize(
    ("words", "name", "message"),
    [
        (["--page", "A9"], "x.svg", "no page 'A9'"),
        (["--page", "A6", "--margin", "80mm"], "x.svg", "leave no room on 105 x 148 mm"),
        (["--page", "A6", "--margin", "3furlong"], "x.svg", "no unit 'furlong'"),
        (["--page", "A6", "--pen-width", "0mm"], "x.svg", "the pen is 0 mm wide"),
        (["--margin", "3mm"], "x.svg", "--margin has no meaning for svg; it goes with plot, gcode or poster"),
        (["--pen-width", "3mm"], "x.svg", "--pen-width has no meaning for svg"),
        (["--title", "x"], "x.svg", "--title has no meaning for svg; it goes with poster"),
        (["--labels"], "x.svg", "--labels has no meaning for svg"),
        (["--page", "A4"], "x.ndjson", "--page has no meaning for ndjson"),
        (["--speed", 3], "x.svg", "--speed has no meaning for svg"),
        (["--gcode-profile", "mine"], "x.svg", "--gcode-profile has no meaning for svg"),
        (["--format", "gif"], "x.svg", "x.svg is no file of format gif"),
        (["--colour", "<b>"], "x.svg", "'<b>' is no colour"),
        (["--smooth", 7], "x.svg", "smooth is '7'; it must be auto, on or off"),
        (["--pressure", -1], "x.svg", "pressure must be a number from 0 to 1, not -1"),
        (["--size", 0], "x.gif", "size of a GIF must be a number from 1 to 1024 px, not 0"),
        (["--columns", 0, "--format", "poster"], "x.svg", "there must be 1 or more"),
        (["--format", "poster"], "out", "poster is one file for all drawings"),
        (["--format", "npz"], "out", "npz is one file for all drawings"),
    ],
)
def test_nonsense_is_refused_before_anything_is_drawn(
    words: list[object],
    name: str,
    message: str,
    tiny: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert message in failure(capsys, *ONE, *words, "-o", tmp_path / name, *tiny)
    assert list(tmp_path.iterdir()) == []
