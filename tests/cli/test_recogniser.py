"""The subcommands of the recogniser as people meet them."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import recognisers

import sketchgen
from sketchgen.cli import main
from sketchgen.data.prepare import prepare
from sketchgen.evaluation.recognition import load_judge
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.training import trainer
from sketchgen.training.config import (
    LIGHT,
    LIGHT_PICTURES,
    PICTURES,
    Augment,
    ClassifierTrainConfig,
    RewardTrainConfig,
    RunConfig,
)

LINE = '{"word": "cat", "drawing": [[[0, 255], [0, 100]]]}\n'


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("recogniser") / "tiny"
    save_checkpoint(folder, recognisers.network(), {})
    return str(folder)


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command line that must fail, and return its one line."""
    assert main([str(argument) for argument in arguments]) == 1
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith("sketchgen: error: ")
    return line


def test_a_line_a_drawing(checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.ndjson").write_text(LINE * 2)
    files = ["example:half-a-cat", str(tmp_path / "a.ndjson")]
    assert main(["recognise", *files, "--checkpoint", checkpoint, "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        files[0],
        *(f"{files[1]}, drawing {n}" for n in (1, 2)),
    ]
    assert all(line.count("%") == 2 for line in lines)


def test_json(checkpoint: str, capsys: pytest.CaptureFixture[str]):
    assert main(["recognise", "example:face", "--checkpoint", checkpoint, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    model = sketchgen.load_recogniser(checkpoint)
    wanted = model.recognise(sketchgen.read(sketchgen.example("face")))
    assert found["drawing"] == "example:face"
    assert [guess["category"] for guess in found["guesses"]] == [guess.category for guess in wanted]
    assert found["guesses"][0]["probability"] == pytest.approx(wanted[0].probability, abs=1e-6)


def test_standard_input(checkpoint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    stream = io.TextIOWrapper(io.BytesIO(LINE.encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert main(["recognise", "-", "--checkpoint", checkpoint]) == 0
    assert capsys.readouterr().out.startswith("-: ")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.svg", "no drawing", "a.svg"),
        ("a.ndjson", LINE + "{broken\n", "a.ndjson"),
        ("a.json", '{"strokes": []}', "empty"),
    ],
)
def test_bad_files(
    checkpoint: str, name: str, content: str, match: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / name).write_text(content)
    assert match in failure(capsys, "recognise", tmp_path / name, "--checkpoint", checkpoint)


def test_bad_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert "no files" in failure(capsys, "recognise")
    assert "no such file" in failure(capsys, "recognise", tmp_path / "none.svg")
    assert "top is 0" in failure(capsys, "recognise", "example:face", "--top", 0)
    assert "no classifier" in failure(capsys, "recognise", "example:face", "--checkpoint", "nowhere")
    assert "needs an end" in failure(capsys, "train-recogniser", tmp_path, "-o", tmp_path / "run")
    limit = ["--time-limit", "soon"]
    assert "time limit" in failure(capsys, "train-recogniser", tmp_path, "-o", tmp_path / "run", *limit)
    assert "threads" in failure(capsys, "train-recogniser", tmp_path, "-o", tmp_path / "run", "--threads", 0)
    none = tmp_path / "none"
    assert "sketchgen prepare" in failure(
        capsys, "train-recogniser", none, "-o", tmp_path / "run", "--steps", 1
    )


def test_training_prints_the_checkpoint(sample_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    prepare([sample_dir / "cat.ndjson", sample_dir / "sun.ndjson"], tmp_path / "store")
    options = ["--steps", "1", "--batch", "4", "--seed", "3", "--threads", "1"]
    assert main(["train-recogniser", str(tmp_path / "store"), "-o", str(tmp_path / "run"), *options]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert folder == tmp_path / "run" / "best"
    assert sketchgen.load_recogniser(folder).categories == ("cat", "sun")


def test_a_judge_of_pictures_is_trained_and_recognises_for_nobody(
    sample_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    prepare([sample_dir / "cat.ndjson", sample_dir / "sun.ndjson"], tmp_path / "store")
    options = ["--pictures", "--steps", "1", "--batch", "4", "--threads", "1"]
    assert main(["train-recogniser", str(tmp_path / "store"), "-o", str(tmp_path / "run"), *options]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert load_judge(folder).categories == ("cat", "sun")
    assert "--judge" in failure(capsys, "recognise", "example:face", "--checkpoint", folder)


@pytest.mark.parametrize(
    ("options", "changes", "start", "how"),
    [
        ([], Augment(), None, set()),
        (["--calm", "--from", "recogniser345"], LIGHT, "recogniser345", set()),
        (["--resume"], Augment(), None, {"resume"}),
        (["--pictures"], PICTURES, None, {"pictures"}),
        (["--pictures", "--calm", "--resume"], LIGHT_PICTURES, None, {"pictures", "resume"}),
    ],
)
def test_what_is_said_reaches_the_training(
    options: list[str],
    changes: Augment,
    start: str | None,
    how: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    asked: list[Any] = []

    def fit(config: ClassifierTrainConfig, *, resume: bool, **more: Any) -> Path:
        found = {"pictures": config.pictures, "resume": resume}
        asked.extend((config, config.augmentation, {name for name, value in found.items() if value}))
        return config.out / "best"

    monkeypatch.setattr(trainer, "fit", fit)
    numbers = ["--steps", "7", "--batch", "5", "--seed", "3", "--learning-rate", "0.01", "--time-limit", "2m"]
    out = tmp_path / "run"
    assert main(["train-recogniser", str(tmp_path), "-o", str(out), *numbers, *options]) == 0
    assert asked[1:] == [changes, how]
    settings = {"steps": 7, "batch": 5, "seed": 3, "learning_rate": 0.01, "time_limit": 120, "start": start}
    wanted = ClassifierTrainConfig(tmp_path, out, pictures="pictures" in how, **settings)
    assert replace(asked[0], augment=None) == wanted
    assert capsys.readouterr().out == f"{out / 'best'}\n"


def test_what_is_said_of_a_critic_reaches_its_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    asked: list[Any] = []

    def fit(config: RunConfig, *, resume: bool, **more: Any) -> Path:
        asked.extend((config, resume))
        return config.out / "best"

    monkeypatch.setattr(trainer, "fit", fit)
    out = tmp_path / "run"
    told = ["--steps", "7", "--batch", "5", "--seed", "3", "--learning-rate", "0.01", "--time-limit", "2m"]
    told += ["--model", "tiny", "--recogniser", "mine", "--beginnings", "90", "--ways", "4", "--jobs", "2"]
    told += ["--rehearsals", "one", "two", "--from", "other"]
    assert main(["train-critic", str(tmp_path), "-o", str(out), *told, "--resume"]) == 0
    settings = {"steps": 7, "batch": 5, "seed": 3, "learning_rate": 0.01, "time_limit": 120, "start": "other"}
    settings |= {
        "checkpoint": "tiny",
        "sketches": 90,
        "classifier": "mine",
        "candidates_per_sketch": 4,
        "jobs": 2,
    }
    settings |= {"candidates": (Path("one"), Path("two"))}
    assert asked == [RewardTrainConfig(tmp_path, out, **settings), True]
    assert capsys.readouterr().out == f"{out / 'best'}\n"


def test_bad_options_of_a_critic(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    told = ["train-critic", tmp_path, "-o", tmp_path / "run"]
    assert "needs an end" in failure(capsys, *told)
    assert "threads" in failure(capsys, *told, "--threads", 0)
    assert "jobs is 0" in failure(capsys, *told, "--steps", 1, "--jobs", 0)
    assert "not a prepared store" in failure(capsys, *told, "--steps", 1)
    none = tmp_path / "none"
    assert "sketchgen prepare" in failure(capsys, "train-critic", none, "-o", tmp_path / "run", "--steps", 1)
