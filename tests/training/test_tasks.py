"""Classifiers and reward models: they learn by the same loop, resume exactly, and can be loaded."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sketchgen.data.prepare import prepare
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, FormatError, SettingError
from sketchgen.models.checkpoint import (
    CLASSIFIER,
    PICTURE_CLASSIFIER,
    REWARD_MODEL,
    read_checkpoint,
    save_checkpoint,
)
from sketchgen.models.config import ClassifierConfig, PictureConfig
from sketchgen.models.recogniser import load_recogniser
from sketchgen.models.reward_model import load_reward_model
from sketchgen.training import candidates as candidates_module
from sketchgen.training import classifier_task, reward_task
from sketchgen.training.candidates import CandidateSpec, draw_candidates
from sketchgen.training.config import ClassifierSettings, ClassifierTrainConfig, RewardTrainConfig
from sketchgen.training.loop import MAX_SKIPPED
from sketchgen.training.trainer import fit
from tests.support import critics, recognisers, untrained
from tests.support.runs import StopAfter, check_same, prepared, rows, saved

NAMES = ("cat", "fish", "sun")
FAST: dict[str, Any] = {
    "warmup": 2,
    "bfloat16": False,
    "threads": 1,
    "device": "cpu",
    "validate_drawings": 64,
}


def fast_candidates(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(candidates_module, "CHUNK", 12)
    patch.setattr(candidates_module, "LIMIT", 12)
    patch.setattr(reward_task, "MEASURED_CANDIDATES", 2)
    candidates_module._sources.cache_clear()


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that learn in milliseconds, and candidates of a few points."""

    def strokes(categories: tuple[str, ...], **shape: Any) -> ClassifierConfig:
        shape |= {"entry": 24, "widths": (16, 24), "heads": 4, "pooled": 32, "dropout": 0.1}
        return ClassifierConfig(categories, **shape)

    def pictures(categories: tuple[str, ...]) -> PictureConfig:
        return PictureConfig(categories, widths=(8, 12), blocks=(1, 1))

    monkeypatch.setattr(classifier_task, "STROKES", replace(classifier_task.STROKES, config=strokes))
    monkeypatch.setattr(classifier_task, "PICTURE", replace(classifier_task.PICTURE, config=pictures))
    fast_candidates(monkeypatch)


@pytest.fixture(params=[False, True], ids=["strokes", "pictures"])
def classifier(store: Path, tmp_path: Path, request: pytest.FixtureRequest) -> ClassifierTrainConfig:
    return ClassifierTrainConfig(store, tmp_path / "run", steps=8, batch=16, pictures=request.param, **FAST)


def read(config: ClassifierTrainConfig, folder: Path) -> Any:
    kind: Any = PICTURE_CLASSIFIER if config.pictures else CLASSIFIER
    return read_checkpoint(folder, kind)


def test_a_classifier_learns(store: Path, tmp_path: Path):
    config = ClassifierTrainConfig(store, tmp_path, steps=120, batch=32, learning_rate=5e-3, **FAST)
    before = prepared(config).validate()
    fit(config)
    assert rows(tmp_path, "valid")[120] < 0.9 * before["valid"]
    assert rows(tmp_path, "top1")[120] > before["top1"] + 0.05
    losses = list(rows(tmp_path, "loss").values())
    assert losses[-1] < 0.9 * losses[0]


def test_a_classifier_resumes_exactly_and_can_be_loaded(classifier: ClassifierTrainConfig, tmp_path: Path):
    config = replace(classifier, smoothing=0.0)
    fit(config, callbacks=[StopAfter(3)])
    assert saved(config.out)["position"]["step"] == 3
    fit(config, resume=True)
    folder = config.out / "last"
    fit(replace(config, out=tmp_path / "whole"))
    check_same(tmp_path / "whole", config.out)
    found = read(config, folder)
    assert found.config.categories == tuple(Store.open(config.store).categories)
    assert found.summary["steps"] == 8
    assert "top-1 / top-5, whole drawings" in found.summary
    assert any("first 25%" in name for name in found.summary) != config.pictures
    assert str(tmp_path) not in (folder / "config.json").read_text()
    # The averaged weights are kept, as float16; batch norm's means and variances are averaged, too.
    average = saved(config.out)["average"]
    for name, value in found.weights.items():
        kept = average[f"module.{name}"].numpy().astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(value, kept, err_msg=name)


def test_a_gradient_that_is_not_finite_changes_nothing(classifier: ClassifierTrainConfig):
    trainer = prepared(classifier)
    batch = trainer.task.objectives[0].batches[0]
    before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    batch.inputs[0].view(len(batch.key), -1)[0, 0] = torch.inf
    result = trainer.step([batch])
    assert result.skipped
    assert batch.key[0].item() % 2**64 in result.suspects
    for name, value in trainer.network.state_dict().items():
        assert torch.equal(value, before[name]), name
    trainer.position.skipped = MAX_SKIPPED
    trainer.config.out.mkdir(exist_ok=True)
    with pytest.raises(SettingError, match="not finite"):
        trainer._after_step()


def test_the_average_follows_batch_norm(classifier: ClassifierTrainConfig):
    trainer = prepared(replace(classifier, average=0.3))
    wanted: dict[str, Any] = {}
    for number in range(5):
        trainer.step([trainer.task.objectives[0].batches[number]])
        now = {name: value.clone() for name, value in trainer.network.state_dict().items()}
        # A young average forgets faster than it is told to; the first one is the network.
        keep = min(0.3, (1 + number) / (10 + number)) if number else 0.0
        wanted = {name: keep * wanted.get(name, value) + (1 - keep) * value for name, value in now.items()}
    for name, value in trainer.average.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, wanted[name], rtol=1e-4, atol=1e-5)


def test_a_classifier_starts_from_another_one(classifier: ClassifierTrainConfig, tmp_path: Path):
    first = fit(replace(classifier, steps=2))
    started = replace(classifier, out=tmp_path / "next", start=str(first), steps=3, learning_rate=1e-8)
    trainer = prepared(started)
    for name, value in read(classifier, first).weights.items():
        np.testing.assert_array_equal(trainer.network.state_dict()[name].numpy(), value)
    fit(started, callbacks=[StopAfter(1)])
    shutil.rmtree(first.parent)
    # What it was started from need not be there any more.
    again = read(classifier, fit(started, resume=True))
    assert again.summary["settings"]["start"] == "best"
    with pytest.raises(CheckpointError, match="nowhere"):
        fit(replace(started, out=tmp_path / "other", start="nowhere"))


def test_a_classifier_of_other_cells_learns_and_says_who_computes_it(store: Path, tmp_path: Path):
    model = ClassifierSettings("gru", one_way=True)
    config = ClassifierTrainConfig(store, tmp_path / "run", steps=2, batch=16, model=model, **FAST)
    folder = fit(config)
    found = read(config, folder).config
    assert (found.cell, found.one_way) == ("gru", True)
    with pytest.raises(SettingError, match="networks of gru cells can only be trained"):
        load_recogniser(folder)
    with pytest.raises(SettingError, match="pictures are read without cells"):
        replace(config, pictures=True)


def test_other_categories_and_another_network_are_refused(classifier: ClassifierTrainConfig, tmp_path: Path):
    first = fit(replace(classifier, steps=1))
    lines = '{"word":"owl","drawing":[[[0,255,3],[0,7,200]]]}\n{"word":"cow","drawing":[[[0,25],[0,70]]]}\n'
    (tmp_path / "two.ndjson").write_text(lines)
    prepare([tmp_path / "two.ndjson"], tmp_path / "two")
    other = replace(classifier, store=tmp_path / "two", out=tmp_path / "other", start=str(first))
    with pytest.raises(CheckpointError, match="other categories or another shape"):
        fit(other)
    with pytest.raises(CheckpointError, match="another network"):
        fit(replace(classifier, pictures=not classifier.pictures), resume=True)


@pytest.fixture(scope="module")
def reward_run(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> RewardTrainConfig:
    place = tmp_path_factory.mktemp("reward")
    prepare([sample_dir / f"{name}.ndjson" for name in NAMES], place / "store")
    model = untrained.small_checkpoint(place / "model", NAMES)
    save_checkpoint(place / "names", recognisers.network(recognisers.small(categories=NAMES)), {})
    settings: dict[str, Any] = FAST | {"validate_drawings": 12, "batch": 4, "steps": 4, "sketches": 24}
    settings |= {"checkpoint": model, "candidates_per_sketch": 2, "classifier": str(place / "names")}
    config = RewardTrainConfig(place / "store", place / "run", **settings)
    with pytest.MonkeyPatch.context() as patch:
        fast_candidates(patch)
        prepared(config)
    return config


def with_candidates(config: RewardTrainConfig, out: Path, **more: Any) -> RewardTrainConfig:
    """A run whose candidates are drawn already."""
    shutil.copytree(config.out / "candidates", out / "candidates")
    return replace(config, out=out, **more)


def test_a_reward_model_learns_to_tell_the_persons_completion(reward_run: RewardTrainConfig, tmp_path: Path):
    config = with_candidates(reward_run, tmp_path / "run", steps=300, learning_rate=4e-3, average=0.95)
    seen: list[dict[str, Any]] = []
    folder = fit(config, report=seen.append)
    found = load_reward_model(folder)
    assert found.network.config.categories == NAMES
    assert len(found.scores(critics.finished(9, 20), "cat")) == 2
    losses = list(rows(config.out, "loss").values())
    assert losses[-1] < losses[0] - 0.05
    assert "by chance 33.3%" in found.summary["the person's completion has the highest score"]
    chosen, mean, best = map(float, re.findall(r"-?\d\.\d+", found.summary["value of the chosen candidate"]))
    assert max(mean, chosen) <= best
    assert found.summary["settings"]["checkpoint"] == "model"


def test_a_reward_run_resumes_exactly_and_draws_candidates_once(
    reward_run: RewardTrainConfig, tmp_path: Path
):
    part = with_candidates(reward_run, tmp_path / "part")
    (part.out / "candidates" / "train" / "candidates-00001.arrow").unlink()
    seen: list[dict[str, Any]] = []
    fit(part, callbacks=[StopAfter(2)], report=seen.append)
    # The one that is missing is drawn.
    assert [figures for figures in seen if "split" in figures] == [
        {"split": "train", "sketches": 24, "of": 24}
    ]
    drawn = {path: path.stat().st_mtime_ns for path in part.out.rglob("*.arrow")}
    assert drawn
    fit(part, resume=True)
    assert drawn == {path: path.stat().st_mtime_ns for path in part.out.rglob("*.arrow")}
    whole = with_candidates(reward_run, tmp_path / "whole")
    fit(whole)
    check_same(whole.out, part.out)
    with pytest.raises(CheckpointError, match="drawn with another sketches"):
        fit(replace(part, sketches=30), resume=True)


def test_a_run_that_was_stopped_while_it_drew_candidates_is_resumed(
    reward_run: RewardTrainConfig, tmp_path: Path
):
    config = with_candidates(reward_run, tmp_path / "run", steps=1)
    fit(config, resume=True)
    assert saved(config.out)["position"]["step"] == 1


def test_a_reward_model_learns_from_folders_that_are_drawn_already(
    reward_run: RewardTrainConfig, tmp_path: Path
):
    folders = (tmp_path / "one", tmp_path / "two")
    for seed, folder in enumerate(folders):
        spec = CandidateSpec(str(reward_run.store), "train", reward_run.checkpoint, 12, 3, seed)
        draw_candidates(spec, folder, 1)
    config = with_candidates(reward_run, tmp_path / "run", candidates=folders, steps=1)
    shutil.rmtree(config.out / "candidates" / "train")
    folder = fit(config)
    assert not (config.out / "candidates" / "train").exists()
    assert 12 < read_checkpoint(folder, REWARD_MODEL).summary["training_drawings"] <= 24
    with pytest.raises(FormatError, match="sketchgen sample-candidates"):
        prepared(with_candidates(config, tmp_path / "other", candidates=(tmp_path,)))


def test_a_reward_model_starts_from_another_one(reward_run: RewardTrainConfig, tmp_path: Path):
    first = fit(with_candidates(reward_run, tmp_path / "first", steps=1))
    trainer = prepared(with_candidates(reward_run, tmp_path / "second", start=str(first)))
    for name, value in read_checkpoint(first, REWARD_MODEL).weights.items():
        np.testing.assert_array_equal(trainer.network.state_dict()[name].numpy(), value)


def test_reward_runs_that_cannot_work_are_refused(reward_run: RewardTrainConfig, tmp_path: Path):
    config = replace(reward_run, out=tmp_path / "run")
    with pytest.raises(CheckpointError, match="knows 345 categories, not the store's 3; train one"):
        fit(replace(config, classifier=None))
    with pytest.raises(CheckpointError, match="nowhere"):
        fit(replace(config, checkpoint="nowhere"))
    with pytest.raises(SettingError, match="candidates_per_sketch must be a number from 1"):
        replace(config, candidates_per_sketch=0)
