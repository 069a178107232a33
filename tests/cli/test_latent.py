"""reconstruct, interpolate, vary, combine: what they write, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
import untrained
from commandline import LINE, failure, run
from PIL import Image

import sketchgen
from sketchgen.formats.read_write import read, read_all


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = untrained.small_checkpoint(tmp_path_factory.mktemp("latent") / "tiny", ("cat", "sun"), latent=6)
    return ["--checkpoint", path, "--best-of", "1"]


def test_lines_are_those_of_the_library(model: list[str], tmp_path: Path) -> None:
    out = tmp_path / "strip.ndjson"
    run("interpolate", "example:face", "cat", "--steps", 3, *model, "-o", out)
    face, space = read(sketchgen.example("face")), sketchgen.load_latent(model[1])
    wanted = sketchgen.LatentSpace(space.model, best_of=1).interpolate(face, "cat", 3)
    assert [len(each.strokes) for each in read_all(out)] == [len(each.strokes) for each in wanted]


def test_a_row_for_each_drawing_and_temperature(model: list[str], tmp_path: Path) -> None:
    (tmp_path / "two.ndjson").write_text(LINE * 2)
    out = tmp_path / "grid.png"
    run("reconstruct", tmp_path / "two.ndjson", "-t", 0.1, "-t", 1, "-n", 2, "--original", *model, "-o", out)
    with Image.open(out) as image:
        assert image.width * 4 == image.height * 3


def test_a_morph_goes_there_and_back(model: list[str], tmp_path: Path) -> None:
    out = tmp_path / "morph.gif"
    run("interpolate", "cat", "sun", "--steps", 4, "--size", 40, *model, "-o", out)
    with Image.open(out) as image:
        assert getattr(image, "n_frames", 1) <= 6
        assert max(image.size) == 40


def test_a_file_for_each_drawing(model: list[str], tmp_path: Path) -> None:
    run("vary", "example:face", "-n", 2, "--original", *model, "-o", tmp_path / "vary")
    run("combine", "cat", "example:face", "--minus", "sun", *model, "-o", tmp_path / "sum")
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*"))
    assert names == ["sum/drawing-1.svg", *(f"vary/drawing-{number}.svg" for number in (1, 2, 3))]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["interpolate", "cat", "nothing.svg"], "neither a file nor a category"),
        (["interpolate", "cat", "sun", "--steps", 0], "from 2 to"),
        (["interpolate", "cat", "sun", "-o", "a.pdf"], "no writer"),
        (["reconstruct", "example:face", "-t", 3], "temperature"),
        (["vary", "example:face", "--strength", 2], "strength"),
        (["vary", "example:face", "-n", 3, "-o", "a.webp"], "holds 1"),
    ],
)
def test_refused(
    model: list[str], capsys: pytest.CaptureFixture[str], arguments: list[object], words: str
) -> None:
    assert words in failure(capsys, *arguments, *model)


def test_a_model_without_a_vector(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = untrained.small_checkpoint(tmp_path / "tiny", ("cat", "sun"))
    line = failure(capsys, "reconstruct", "example:face", "--checkpoint", path)
    assert "no latent vector" in line
    assert "latent345" in line
