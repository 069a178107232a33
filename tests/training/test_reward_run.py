"""A critic is trained: it learns to tell the person's way, goes on exactly, and leaves what chooses."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recognisers import small as recogniser_shape

from sketchgen.data.prepare import prepare
from sketchgen.errors import CheckpointError, FormatError, OutputError, SettingError
from sketchgen.models.checkpoint import REWARD_MODEL, read_checkpoint, save_checkpoint
from sketchgen.models.reward_model import load_reward_model
from sketchgen.training import classifier_run as recogniser_run
from sketchgen.training import reward_run as critic_run
from sketchgen.training.candidate_files import Rehearsal, chunk_path, noted, read_rows, write_rows
from sketchgen.training.candidates import rehearse
from sketchgen.training.classifier_module import RecogniserTraining
from sketchgen.training.reward_run import Wanted, fit_reward_model
from tests.support import critics, recognisers, rehearsing, untrained

NAMES = ("cat", "fish", "sun")
TRAINING = RecogniserTraining(steps=4, batch=4, warmup=1, bfloat16=False, threads=1, smoothing=0.0)


@pytest.fixture(scope="module")
def wanted(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Wanted:
    place = tmp_path_factory.mktemp("wanted")
    prepare([sample_dir / f"{name}.ndjson" for name in NAMES], place / "store")
    model = untrained.small_checkpoint(place / "model", NAMES)
    save_checkpoint(place / "names", recognisers.network(recogniser_shape(categories=NAMES)), {})
    return Wanted(place / "store", model, 24, 2, str(place / "names"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsing.small(monkeypatch, 12, 12)


def test_it_learns_to_tell_the_persons_way(wanted: Wanted, tmp_path: Path):
    heard: list[str] = []
    training = replace(TRAINING, steps=250, learning_rate=4e-3, average=0.95)
    folder = fit_reward_model(wanted, tmp_path / "run", training, report=heard.append)
    assert folder == tmp_path / "run" / "last"
    assert "train: 24 of 24 beginnings drawn on" in heard
    found = load_reward_model(folder)
    assert found.config.categories == NAMES
    assert len(found.scores(critics.finished(9, 20), "cat")) == 2
    (told,) = (value for name, value in found.summary.items() if "before all" in name)
    # An untrained model scribbles: whoever cannot tell that has learned nothing.
    assert float(told.split("%")[0]) > 40.0
    assert "by chance 11.1%" in told
    worths = found.summary["worth of the way that it chooses"]
    chosen, mean, best = map(float, re.findall(r"-?\d\.\d+", worths))
    assert max(mean, chosen) <= best
    assert found.summary["settings"]["model"] == "model"


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    wanted: Wanted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = fit_reward_model(wanted, tmp_path / "whole", TRAINING)
    stopped: list[int] = []
    learn = recogniser_run.Teacher.learn

    def until_two(teacher: Any, lesson: Any) -> tuple[float, float]:
        if teacher.step == 2 and not stopped:
            stopped.append(1)
            raise OSError("gone")
        return learn(teacher, lesson)

    monkeypatch.setattr(recogniser_run.Teacher, "learn", until_two)
    monkeypatch.setattr(recogniser_run, "time", Clock())
    with pytest.raises(OSError, match="gone"):
        fit_reward_model(wanted, tmp_path / "part", TRAINING)
    drawn = {path: path.stat().st_mtime_ns for path in (tmp_path / "part").rglob("*.arrow")}
    part = fit_reward_model(wanted, tmp_path / "part", TRAINING, resume=True)
    assert drawn == {path: path.stat().st_mtime_ns for path in (tmp_path / "part").rglob("*.arrow")}
    one, two = read_checkpoint(whole, REWARD_MODEL).weights, read_checkpoint(part, REWARD_MODEL).weights
    assert all(np.array_equal(value, two[name]) for name, value in one.items())


class Clock:
    """Time that goes so fast that every step is saved."""

    now = 0.0

    def monotonic(self) -> float:
        self.now += 1e6
        return self.now


def test_what_was_drawn_for_something_else_is_not_mixed_in(wanted: Wanted, tmp_path: Path):
    fit_reward_model(wanted, tmp_path / "run", replace(TRAINING, steps=1))
    with pytest.raises(OutputError, match="--resume"):
        fit_reward_model(wanted, tmp_path / "run", TRAINING)
    for other, name in ((replace(wanted, ways=3), "ways"), (replace(wanted, beginnings=30), "beginnings")):
        with pytest.raises(CheckpointError, match=f"drawn with another {name}"):
            fit_reward_model(other, tmp_path / "run", TRAINING, resume=True)


def test_bad_wishes_are_refused(wanted: Wanted, tmp_path: Path):
    with pytest.raises(CheckpointError, match="knows 345 categories, not the store's 3; train one"):
        fit_reward_model(replace(wanted, recogniser=None), tmp_path / "run", TRAINING)
    with pytest.raises(CheckpointError, match="nowhere"):
        fit_reward_model(replace(wanted, model="nowhere"), tmp_path / "run", TRAINING)
    with pytest.raises(SettingError, match="ways is 0"):
        fit_reward_model(replace(wanted, ways=0), tmp_path / "run", TRAINING)
    assert wanted.beginnings < critic_run.MEASURED


def test_it_learns_from_what_was_drawn_before_in_several_folders(wanted: Wanted, tmp_path: Path):
    folders = [tmp_path / "ways1", tmp_path / "ways2"]
    for seed, folder in enumerate(folders):
        rehearse(Rehearsal(str(wanted.store), "train", wanted.model, 12, 3, seed), folder, 1)
    heard: list[str] = []
    with_them = replace(wanted, rehearsals=folders)
    folder = fit_reward_model(with_them, tmp_path / "run", TRAINING, report=heard.append)
    assert not (tmp_path / "run" / "rehearsals" / "train").exists()
    assert not any(line.startswith("train:") for line in heard)
    assert 12 < read_checkpoint(folder, REWARD_MODEL).summary["beginnings"] <= 24
    with pytest.raises(FormatError, match="sketchgen rehearse"):
        fit_reward_model(replace(wanted, rehearsals=[tmp_path]), tmp_path / "other", TRAINING)
    rows = [row | {"category": "owl"} for row in read_rows(folders[1], noted(folders[1]))]
    write_rows(chunk_path(folders[1], 0), rows)
    with pytest.raises(SettingError, match="ways2 holds 'owl', which the network does not know"):
        fit_reward_model(with_them, tmp_path / "another", TRAINING)


def test_it_goes_on_from_another_critic(wanted: Wanted, tmp_path: Path):
    first = fit_reward_model(wanted, tmp_path / "first", TRAINING)
    training = replace(TRAINING, steps=1, learning_rate=1e-7, start=str(first))
    second = fit_reward_model(wanted, tmp_path / "second", training)
    one, two, new = (
        read_checkpoint(found, REWARD_MODEL).weights
        for found in (first, second, fit_reward_model(wanted, tmp_path / "new", replace(TRAINING, steps=1)))
    )
    assert all(np.allclose(value, two[name], atol=1e-3) for name, value in one.items())
    assert not np.allclose(one["told.weight"], new["told.weight"], atol=1e-3)
    assert read_checkpoint(second, REWARD_MODEL).summary["settings"]["start"] == "last"
