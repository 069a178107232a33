"""Forms and looks on the command line: what is written is what was asked for, and nonsense is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from sketchgen import cli
from sketchgen.cli.look_options import Form
from sketchgen.formats.read_write import read
from sketchgen.formats.registry import FORMATS
from sketchgen.sketch.sketch import Completion, Sketch

SQUARE = Sketch.from_strokes([[(0, 0), (100, 0), (100, 100), (0, 100)], [(20, 20), (40, 60)]], category="cat")
DONE = Completion(SQUARE, Sketch.from_strokes([[(0, 100), (0, 0)]], category="cat"))
SVG = "{http://www.w3.org/2000/svg}"


def run(*arguments: str) -> None:
    """The command, in this process; its exit code must be 0."""
    assert not cli.main(["generate", "--checkpoint", "tiny", "--category", "cat", *arguments])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line with which the command refuses."""
    assert cli.main(["generate", "--checkpoint", "tiny", "--category", "cat", *arguments]) == 1
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return text


def test_the_options_know_the_forms_that_there_are():
    assert set(Form.__args__) == set(FORMATS)


def test_pages_that_are_more_than_one_become_several_files(tmp_path: Path):
    run("--count", "9", "--page", "60x60mm", "--margin", "5mm", "-o", str(tmp_path / "cats.svg"))
    names = sorted(path.name for path in tmp_path.glob("*.svg"))
    assert names == [f"cats-{page}.svg" for page in range(2, len(names) + 1)] + ["cats.svg"]
    assert len(names) > 1
    for name in names:
        root = ElementTree.fromstring((tmp_path / name).read_bytes())
        assert (root.get("width"), root.get("height")) == ("60mm", "60mm")


def test_style_reaches_the_files(tmp_path: Path):
    look = ("--colour", "crimson", "--width", "3", "--background", "none", "--smooth", "1")
    run("--count", "1", *look, "-o", str(tmp_path / "cat.svg"))
    text = (tmp_path / "cat.svg").read_text()
    assert 'stroke="crimson"' in text
    assert 'stroke-width="3"' in text
    assert "<rect" not in text
    assert "C" in text
    run("--count", "1", "-o", str(tmp_path / "plain.svg"))
    curved, plain = read(tmp_path / "cat.svg"), read(tmp_path / "plain.svg")
    assert all(np.array_equal(*pair) for pair in zip(curved.strokes, plain.strokes, strict=True))


def test_a_size_reaches_the_pictures(tmp_path: Path):
    run("--count", "1", "--size", "300", "-o", str(tmp_path / "cat.png"))
    assert max(Image.open(tmp_path / "cat.png").size) == 300


def test_a_poster_may_be_a_picture(tmp_path: Path):
    run("--count", "4", "--format", "poster", "--labels", "--title", "Cats", "-o", str(tmp_path / "p.png"))
    assert Image.open(tmp_path / "p.png").format == "PNG"


def test_vpype_reads_the_page(tmp_path: Path):
    vpype = pytest.importorskip("vpype")
    run(
        "--count",
        "6",
        "--page",
        "A5",
        "--margin",
        "1cm",
        "--pen-width",
        "0.5mm",
        "-o",
        str(tmp_path / "p.svg"),
    )
    document = vpype.read_multilayer_svg(str(tmp_path / "p.svg"), 0.1)
    assert np.allclose(document.page_size, np.array([148, 210]) * 96 / 25.4, rtol=1e-4)
    left, top, right, bottom = document.bounds()
    centimetre = 96 / 2.54 - 0.01
    assert min(left, top) >= centimetre
    assert right <= document.page_size[0] - centimetre
    assert bottom <= document.page_size[1] - centimetre


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--page", "A9"), "no page 'A9'"),
        (("--page", "A6", "--margin", "80mm"), "leave no room on 105 x 148 mm"),
        (("--page", "A6", "--margin", "3furlong"), "no unit 'furlong'"),
        (("--page", "A6", "--pen-width", "0mm"), "the pen is 0 mm wide"),
        (("--page", "A6", "--pen-width", "thick"), "'thick', no length"),
        (("--margin", "3mm"), "--margin has no meaning for svg; it goes with --page"),
        (("--pen-width", "3mm"), "--pen-width has no meaning for svg"),
        (("--title", "x"), "--title has no meaning for svg; it goes with --format poster"),
        (("--labels",), "--labels has no meaning for svg"),
        (("--format", "ndjson", "--page", "A4"), "--page has no meaning for ndjson"),
        (("--speed", "3"), "--speed has no meaning for svg"),
        (("--gcode-profile", "mine"), "--gcode-profile has no meaning for svg; it goes with --gcode"),
        (("--gcode",), "--gcode has no meaning for svg; it goes with -o FOLDER"),
        (("--colour", "<b>"), "'<b>' is no colour"),
        (("--smooth", "7"), "smooth is 7"),
        (("--pressure", "-1"), "pressure is -1"),
        (("--size", "0", "--format", "gif"), "size of a GIF is 0 px"),
        (("--columns", "0", "--format", "poster"), "there must be 1 or more"),
    ],
)
def test_nonsense_is_refused_before_anything_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
):
    suffix = {"ndjson": ".ndjson", "gif": ".gif"}.get(arguments[-1] if "--size" in arguments else "", ".svg")
    suffix = ".ndjson" if "ndjson" in arguments else suffix
    count = "1" if suffix == ".gif" else "3"
    assert message in refusal(capsys, "--count", count, *arguments, "-o", str(tmp_path / f"x{suffix}"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["poster", "npz"])
def test_what_is_one_file_is_not_put_into_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
):
    assert f"{form} is one file for all drawings" in refusal(
        capsys, "--format", form, "-o", str(tmp_path / "out")
    )
    assert not (tmp_path / "out").exists()


def test_gcode(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("vpype_gcode")
    run("--count", "2", "--gcode", "--page", "A5", "-o", str(tmp_path / "cats.gcode"))
    text = (tmp_path / "cats.gcode").read_text()
    assert text.count("G01 ") > 20
    capsys.readouterr()
    words = ("--gcode-profile", "nobody", "--count", "2", "-o", str(tmp_path / "x.gcode"))
    assert "nobody" in refusal(capsys, "--gcode", *words)


def test_drawings_again_in_another_form(tmp_path: Path):
    run("--count", "2", "--page", "A6", "-o", str(tmp_path / "out"))
    command = [sys.executable, "-m", "sketchgen", "redraw", str(tmp_path / "out" / "manifest.jsonl"), "1"]
    again = subprocess.run([*command], capture_output=True, check=True)
    assert again.stdout == (tmp_path / "out" / "cat-2.svg").read_bytes()
    line = subprocess.run([*command, "--format", "ndjson"], capture_output=True, check=True)
    assert line.stdout.startswith(b"{")
