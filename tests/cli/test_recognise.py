"""recognise: a line for each drawing, and what cannot be read is left out."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
import recognisers
from commandline import LINE, failure, run

import sketchgen
from sketchgen.models.checkpoint import save_checkpoint


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("classifier") / "tiny"
    save_checkpoint(folder, recognisers.network(), {})
    return ["--checkpoint", str(folder)]


def test_a_line_for_each_drawing(
    classifier: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(LINE * 2)
    run("recognise", "example:face", path, "--top", 2, *classifier)
    lines = capsys.readouterr().out.splitlines()
    names = ["example:face", f"{path}, drawing 1", f"{path}, drawing 2"]
    assert [line.split(": ")[0] for line in lines] == names
    assert all(line.count("%") == 2 for line in lines)


def test_json(classifier: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run("recognise", "example:face", "--json", *classifier)
    found = json.loads(capsys.readouterr().out)
    wanted = sketchgen.load_recogniser(classifier[1]).recognise(sketchgen.read(sketchgen.example("face")))
    assert found["drawing"] == "example:face"
    assert [guess["category"] for guess in found["guesses"]] == [guess.category for guess in wanted]
    assert found["guesses"][0]["probability"] == pytest.approx(wanted[0].probability, abs=1e-6)


def test_what_cannot_be_read_is_left_out_and_reported(
    classifier: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
    (tmp_path / "a.ndjson").write_text(LINE + "{broken\n" + LINE)
    (tmp_path / "b.json").write_text('{"strokes": []}')
    files = [tmp_path / "a.ndjson", tmp_path / "b.json", tmp_path / "none.svg", "-"]
    run("recognise", *files, *classifier, status=1)
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 3
    words = ["a.ndjson, line 2", "b.json is empty", "none.svg cannot be read"]
    assert [word for word in words if word not in captured.err] == []
    # One is enough for the exit status.
    run("recognise", "example:face", tmp_path / "none.svg", *classifier, status=1)


def test_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "top must be 1 or more, not 0" in failure(capsys, "recognise", "example:face", "--top", 0)
    assert "nowhere" in failure(capsys, "recognise", "example:face", "--checkpoint", "nowhere")
