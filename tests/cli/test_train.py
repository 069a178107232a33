"""The commands that train: what is asked for reaches the training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commandline import failure, run

from sketchgen.cli.train import duration
from sketchgen.errors import SettingError
from sketchgen.models.config import CELLS
from sketchgen.training.candidates import CandidateSpec
from sketchgen.training.config import (
    LIGHT,
    LIGHT_PICTURES,
    BoundSettings,
    ClassifierSettings,
    ClassifierTrainConfig,
    ModelSettings,
    ReinforceConfig,
    RewardTrainConfig,
    TrainConfig,
)
from sketchgen.training.presets import PRESETS, Preset, with_latent

LATENT = with_latent(Preset(ModelSettings()))
Asked = list[tuple[Any, ...]]
NUMBERS = ["--steps", 7, "--batch", 5, "--seed", 3, "--learning-rate", 0.01, "--time-limit", "2m"]
REINFORCE = ["--reinforce", 90, "--rollouts", 8]
SAID: dict[str, Any] = {"steps": 7, "batch": 5, "seed": 3, "learning_rate": 0.01, "time_limit": 120}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Trainings that are asked for, instead of being begun."""
    found: Asked = []

    def noted(*what: Any, **how: Any) -> Path:
        found.append((*what, {"resume": how.get("resume", False)}))
        return Path("run/best")

    monkeypatch.setattr("sketchgen.training.trainer.fit", noted)
    monkeypatch.setattr("sketchgen.training.candidates.draw_candidates", noted)
    return found


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], {}),
        (["--teacher", "big", "--teacher", "tiny"], {"teachers": ("big", "tiny")}),
        (["--teacher", "big", "--distillation", 0.25], {"teachers": ("big",), "distillation": 0.25}),
        (["--from", "tiny", "--candidates", "c"], {"start": "tiny", "candidates": Path("c")}),
        (
            ["--from", "tiny", "--candidates", "c", "--preference-weight", 0.5],
            {"start": "tiny", "candidates": Path("c"), "preference_weight": 0.5},
        ),
        (["--reinforce", 90], {"reinforce": ReinforceConfig(sketches=90)}),
        (
            [*REINFORCE, "--best-of", 2, "--reinforce-weight", 0.5, "--classifier", "seen"],
            {"reinforce": ReinforceConfig(90, rollouts=8, best_of=2, weight=0.5, classifier="seen")},
        ),
        (["--save-every", "30s", "--validate-every", "1m"], {"save_every": 30.0, "validate_every": 60.0}),
        (["--pictures", 0, "--patience", 2, "--threads", 1], {"pictures": 0, "patience": 2, "threads": 1}),
        (["--from", "tiny", "--latent"], LATENT.settings() | {"start": "tiny", "learning_rate": 0.01}),
        (
            ["--preset", "tiny", "--latent", "--kl-weight", 1],
            with_latent(PRESETS["tiny"]).settings()
            | {"bound": BoundSettings(kl_weight=1.0), "learning_rate": 0.01},
        ),
        (
            ["--preset", "sketch-rnn-vae", "--kl-weight", 2],
            PRESETS["sketch-rnn-vae"].settings()
            | {"bound": replace(PRESETS["sketch-rnn-vae"].bound, kl_weight=2.0), "learning_rate": 0.01},
        ),
        (["--preset", "sketch-rnn"], PRESETS["sketch-rnn"].settings() | {"learning_rate": 0.01}),
    ],
)
def test_options_reach_the_training(
    words: list[object],
    wanted: dict[str, Any],
    asked: Asked,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("train", tmp_path, "-o", tmp_path / "run", *NUMBERS, *words, "--resume")
    assert asked == [(TrainConfig(tmp_path, tmp_path / "run", **SAID | wanted), {"resume": True})]
    assert capsys.readouterr().out == "run/best\n"


@pytest.mark.parametrize("cell", CELLS)
def test_shapes_reach_the_network(cell: str, asked: Asked, tmp_path: Path) -> None:
    shape = ["--cell", cell, "--layers", 3, "--width", 8, "--attention", 4, "--dropout", 0]
    run("train", tmp_path, "-o", tmp_path / "run", "--steps", 1, *shape, "--preset", "tiny")
    model = asked[0][0].model
    assert (model.cell, model.layers, model.width, model.self_attention, model.dropout) == (
        cell,
        3,
        8,
        4,
        0.0,
    )
    assert model.components == PRESETS["tiny"].model.components


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--layers", 0], "layers must be 1 or more, not 0"),
        (["--batch", 0], "batch must be 1 or more, not 0"),
        (["--threads", 0], "threads must be 1 or more, not 0"),
        (["--seed", -1], "seed must be a number from 0"),
        (["--time-limit", "soon"], "time limit 'soon' is no time"),
        (["--time-limit", "9999h"], "at most 720h"),
        (["--distillation", 0.5], "name one by --teacher"),
        (["--preference-weight", 0.5], "add that, or leave it out"),
        (["--candidates", "c"], "by --from"),
        (["--from", "quickdraw345", "--preset", "sketch-rnn"], "leave out --preset"),
        (["--rollouts", 8], "add --reinforce 256"),
        (["--kl-weight", 1], "add --latent"),
        (["--classifier", "seen"], "add --reinforce 256"),
        (["--reinforce", 8, "--best-of", 16], "best_of must be a number from 1 to 15, not 16"),
        (["--reinforce", 1], "sketches must be a number from 2"),
    ],
)
def test_refused(
    words: list[object], line: str, asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line in failure(capsys, "train", tmp_path, "-o", tmp_path / "run", "--steps", 1, *words)
    assert asked == []


@pytest.mark.parametrize("name", ["train", "sample-candidates", "train-classifier", "train-reward-model"])
def test_a_store_and_an_end_are_needed(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = [name, tmp_path / "none", "-o", tmp_path / "run"]
    assert "sketchgen prepare SOURCES" in failure(capsys, *told)
    line = failure(capsys, name, tmp_path, "-o", tmp_path / "run")
    assert ("not a prepared store" if name == "sample-candidates" else "set --time-limit or --steps") in line


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("90m", 5400), ("1h30m", 5400), ("0.5h", 1800), (" 1H ", 3600)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "1m1h", "-1m", "1d", "nanm", "1e3s", "0s", "90"])
def test_no_durations(text: str) -> None:
    with pytest.raises(SettingError, match="time limit"):
        duration(text)


class TestSampleCandidates:
    def test_options_reach_the_model(
        self, asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["--checkpoint", "tiny", "--sketches", 90, "--candidates-per-sketch", 4, "--jobs", 2]
        run("sample-candidates", tmp_path, "-o", "out", *words, "--seed", 3)
        assert asked[0][:3] == (CandidateSpec(str(tmp_path), "train", "tiny", 90, 4, 3), Path("out"), 2)
        assert capsys.readouterr().out == "out\n"

    def test_ctrl_c_says_how_to_go_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("sketchgen.training.candidates.draw_candidates", interrupted)
        line = failure(capsys, "sample-candidates", tmp_path, "-o", tmp_path / "out", status=130)
        assert line.endswith("interrupted; the same command goes on where it stopped")

    def test_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = ["sample-candidates", tmp_path, "-o", tmp_path / "out"]
        assert "jobs must be 1 or more, not 0" in failure(capsys, *told, "--jobs", 0)
        assert "candidates must be a number from 1" in failure(capsys, *told, "--candidates-per-sketch", 0)


class TestTrainClassifier:
    @pytest.mark.parametrize(
        ("words", "more"),
        [
            (["--light-augmentation", "--from", "a"], {"augment": LIGHT, "start": "a"}),
            (
                ["--pictures", "--light-augmentation", "--threads", 1],
                {"pictures": True, "augment": LIGHT_PICTURES, "threads": 1},
            ),
            (
                ["--cell", "gated", "--width", 32, "--width", 48, "--one-way"],
                {"model": ClassifierSettings("gated", (32, 48), one_way=True)},
            ),
        ],
    )
    def test_options_reach_the_training(
        self, words: list[object], more: dict[str, Any], asked: Asked, tmp_path: Path
    ) -> None:
        run("train-classifier", tmp_path, "-o", "run", *NUMBERS, *words, "--resume")
        assert asked == [(ClassifierTrainConfig(tmp_path, Path("run"), **SAID | more), {"resume": True})]


class TestTrainRewardModel:
    def test_options_reach_the_training(self, asked: Asked, tmp_path: Path) -> None:
        words = ["--checkpoint", "tiny", "--classifier", "mine", "--sketches", 90, "--jobs", 2]
        words += ["--candidates-per-sketch", 4, "--candidates", "a", "--candidates", "b", "--from", "other"]
        run("train-reward-model", tmp_path, "-o", "run", *NUMBERS, *words, "--resume")
        candidates = {"sketches": 90, "candidates_per_sketch": 4, "candidates": (Path("a"), Path("b"))}
        more = SAID | candidates | {"checkpoint": "tiny", "classifier": "mine", "jobs": 2, "start": "other"}
        assert asked == [(RewardTrainConfig(tmp_path, Path("run"), **more), {"resume": True})]

    def test_refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = ["train-reward-model", tmp_path, "-o", tmp_path / "run", "--steps", 1]
        assert "threads" in failure(capsys, *told, "--threads", 0)
        assert "jobs must be 1 or more, not 0" in failure(capsys, *told, "--jobs", 0)
        assert "not a prepared store" in failure(capsys, *told)
