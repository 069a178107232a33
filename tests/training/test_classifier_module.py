"""A recogniser learns, goes on exactly where it stopped, and leaves a checkpoint that recognises."""

from __future__ import annotations

import shutil
import signal
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sketchgen.data.order import Order
from sketchgen.data.prepare import prepare
from sketchgen.data.store import Split, Store
from sketchgen.errors import CheckpointError, FormatError, OutputError, SettingError
from sketchgen.models.checkpoint import CLASSIFIER, read_checkpoint
from sketchgen.models.config import ClassifierConfig
from sketchgen.models.recogniser import load_recogniser
from sketchgen.training import classifier_run as recogniser_run
from sketchgen.training.classifier_batches import CALM, Changes, Lesson, Strokes
from sketchgen.training.classifier_module import MAX_SKIPPED, RecogniserTraining, Teacher
from sketchgen.training.classifier_run import STATE, Lessons, fit_recogniser, teach

TRAINING = RecogniserTraining(steps=12, batch=16, warmup=2, bfloat16=False, threads=1)


@pytest.fixture(scope="module")
def store(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "store"
    prepare([sample_dir], out)
    return out


@pytest.fixture(scope="module")
def split(store: Path) -> Split:
    return Store.open(store).split("train")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that learn in milliseconds."""

    def shape(categories: tuple[str, ...]) -> ClassifierConfig:
        return ClassifierConfig(categories, entry=24, widths=(16, 24), heads=4, pooled=32, dropout=0.1)

    monkeypatch.setattr(recogniser_run, "ClassifierConfig", shape)


def teacher(split: Split, training: RecogniserTraining = TRAINING) -> Teacher:
    return Teacher(recogniser_run.ClassifierConfig(split.categories), training)


def lessons(split: Split, changes: Changes | None = None) -> Lessons[Lesson]:
    return Lessons(split, Order(split.block_sizes, 16, 5), Strokes(changes or Changes()))


def same(one: Lesson, two: Lesson) -> bool:
    return all(np.array_equal(value, vars(two)[name]) for name, value in vars(one).items())


def weights(found: Teacher) -> list[torch.Tensor]:
    parts = (found.network.state_dict(), found.average.state_dict())
    return [value for part in parts for value in part.values()]


def test_it_learns(split: Split):
    found = teacher(split, replace(TRAINING, steps=200, learning_rate=5e-3))
    stream = lessons(split, Changes(cut=0.0))
    heard = [found.learn(stream[number]) for number in range(200)]
    first, last = np.mean(heard[:10], axis=0), np.mean(heard[-20:], axis=0)
    assert last[0] < 0.85 * first[0]
    assert last[1] > 0.16 > first[1]


def test_a_lesson_is_the_same_however_one_gets_there(split: Split):
    stream = lessons(split)
    per_epoch = -(-len(split) // 16)
    straight = [stream[number] for number in range(per_epoch + 3)]
    for number in (per_epoch + 2, 1, 0):
        assert same(lessons(split)[number], straight[number])
    assert not same(straight[0], straight[per_epoch])


def test_an_epoch_shows_every_drawing_once(split: Split):
    stream = lessons(split)
    per_epoch = -(-len(split) // 16)
    seen = np.concatenate([stream[number].category for number in range(per_epoch)])
    wanted = np.bincount(split.drawings().category)
    np.testing.assert_array_equal(np.bincount(seen, minlength=len(wanted)), wanted)


def test_beginnings_stand_with_drawings_of_about_their_length(split: Split):
    plain = Changes(fewer_strokes=0.0, fewer_points=0.0)
    stream = lessons(split, plain)
    ranges = [np.ptp(stream[number].length) for number in range(-(-len(split) // 16))]
    assert np.median(ranges) < 6


def test_it_goes_on_exactly(split: Split, tmp_path: Path):
    straight, begun, stream = teacher(split), teacher(split), lessons(split)
    for number in range(6):
        straight.learn(stream[number])
    for number in range(3):
        begun.learn(stream[number])
    begun.elapsed = 7.5
    begun.save(tmp_path / STATE)
    resumed = teacher(split)
    resumed.restore(tmp_path / STATE)
    assert (resumed.step, resumed.elapsed) == (3, 7.5)
    for number in range(3, 6):
        resumed.learn(stream[number])
    for one, two in zip(weights(straight), weights(resumed), strict=True):
        assert torch.equal(one, two)


def test_each_step_drops_something_else(split: Split):
    found, lesson = teacher(split, replace(TRAINING, learning_rate=1e-8)), lessons(split)[0]
    (first, _), (second, _) = (found.learn(lesson) for _ in range(2))
    # The weights stand still, so only what is dropped can differ.
    assert abs(first - second) > 1e-4


def test_a_run_leaves_a_recogniser(store: Path, tmp_path: Path):
    heard: list[str] = []
    folder = fit_recogniser(store, tmp_path / "run", TRAINING, report=heard.append)
    found = load_recogniser(folder)
    assert found.categories == tuple(Store.open(store).categories)
    assert found.summary["steps"] == 12
    assert "top-1 / top-5, whole drawings" in found.summary
    assert str(tmp_path) not in (folder / "config.json").read_text()
    # The averaged weights are kept, as float16.
    state = teacher(Store.open(store).split("train"))
    state.restore(tmp_path / "run" / STATE)
    kept = state.average.weights()["head.weight"].astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(found.network.weights()["head.weight"], kept)


def test_a_signal_ends_it_with_everything_saved(split: Split, tmp_path: Path):
    found, before = teacher(split), signal.getsignal(signal.SIGINT)
    teach(found, lessons(split), tmp_path / STATE, lambda _: signal.raise_signal(signal.SIGINT), every=4)
    assert found.step == 4
    resumed = teacher(split)
    resumed.restore(tmp_path / STATE)
    assert resumed.step == 4
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_is_not_overwritten(store: Path, tmp_path: Path):
    fit_recogniser(store, tmp_path / "run", replace(TRAINING, steps=1))
    with pytest.raises(OutputError, match="--resume"):
        fit_recogniser(store, tmp_path / "run", TRAINING)
    fit_recogniser(store, tmp_path / "run", replace(TRAINING, steps=2), resume=True)
    assert load_recogniser(tmp_path / "run" / "last").summary["steps"] == 2


def test_nothing_to_resume(store: Path, split: Split, tmp_path: Path):
    with pytest.raises(CheckpointError, match="no state"):
        fit_recogniser(store, tmp_path / "run", TRAINING, resume=True)
    other = Teacher(ClassifierConfig(("a", "b"), entry=8, widths=(8,), heads=2, pooled=8), TRAINING)
    other.save(tmp_path / STATE)
    with pytest.raises(CheckpointError, match="another network"):
        teacher(split).restore(tmp_path / STATE)


def test_no_store(tmp_path: Path):
    with pytest.raises(FormatError, match="not a prepared store"):
        fit_recogniser(tmp_path, tmp_path / "run", TRAINING)


def test_a_gradient_that_is_not_finite_changes_nothing(split: Split):
    found, lesson = teacher(split), lessons(split)[0]
    lesson.steps[0, 0, 0] = np.inf
    before = [value.clone() for value in weights(found)]
    for _ in range(MAX_SKIPPED - 1):
        found.learn(lesson)
    assert all(torch.equal(one, two) for one, two in zip(before, weights(found), strict=True))
    with pytest.raises(SettingError, match="not finite"):
        found.learn(lesson)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0),
        ("batch", 0),
        ("learning_rate", 2.0),
        ("smoothing", 1.0),
        ("threads", 0),
        ("time_limit", 0),
    ],
)
def test_settings_outside_their_limits(name: str, value: float):
    with pytest.raises(SettingError, match=name):
        replace(TRAINING, **{name: value})


def test_a_training_needs_an_end():
    with pytest.raises(SettingError, match="needs an end"):
        RecogniserTraining()


def test_the_rate_rises_and_falls_to_nearly_nothing():
    training = RecogniserTraining(steps=1000, warmup=100)
    assert training.rate(0, 0.0) == pytest.approx(training.learning_rate / 100)
    assert training.rate(99, 0.0) == pytest.approx(training.learning_rate)
    assert training.rate(500, 0.5) == pytest.approx(training.learning_rate / 2, rel=0.01)
    assert 0.0 < training.rate(999, 1.0) < 0.01 * training.learning_rate


def test_it_starts_from_what_another_one_has_learned(store: Path, tmp_path: Path):
    first = fit_recogniser(store, tmp_path / "first", TRAINING, half=False)
    # A rate at which nothing is learned, so that what it began with is what it leaves.
    started = replace(TRAINING, start=str(first), changes=CALM, learning_rate=1e-8)
    found = Teacher(read_checkpoint(first, CLASSIFIER).config, started)
    for name, value in read_checkpoint(first, CLASSIFIER).weights.items():
        np.testing.assert_array_equal(found.network.weights()[name], value)
        np.testing.assert_array_equal(found.average.weights()[name], value)
    again = fit_recogniser(store, tmp_path / "again", started, half=False)
    for name, value in read_checkpoint(again, CLASSIFIER).weights.items():
        np.testing.assert_allclose(value, read_checkpoint(first, CLASSIFIER).weights[name], atol=1e-5)
    settings = read_checkpoint(again, CLASSIFIER).summary["settings"]
    assert settings["changes"] == asdict(CALM)
    assert settings["start"] == "last"
    assert str(tmp_path) not in (again / "config.json").read_text()


def test_a_run_that_was_started_from_another_goes_on_without_it(store: Path, split: Split, tmp_path: Path):
    first = fit_recogniser(store, tmp_path / "first", TRAINING)
    started = replace(TRAINING, start=str(first), steps=3)
    fit_recogniser(store, tmp_path / "run", started)
    shutil.rmtree(first)

    def state() -> list[torch.Tensor]:
        found = teacher(split)
        found.restore(tmp_path / "run" / STATE)
        return weights(found)

    # Nothing is left to be learned: the state is read and written again.
    before = state()
    again = fit_recogniser(store, tmp_path / "run", started, resume=True)
    assert read_checkpoint(again, CLASSIFIER).summary["settings"]["start"] == "last"
    for one, two in zip(before, state(), strict=True):
        assert torch.equal(one, two)


def test_drawings_are_changed_as_was_said(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told: list[Changes] = []

    def noted(split: Split, order: Order, matter: Strokes) -> Lessons[Lesson]:
        told.append(matter.changes)
        return Lessons(split, order, matter)

    monkeypatch.setattr(recogniser_run, "Lessons", noted)
    fit_recogniser(store, tmp_path / "run", replace(TRAINING, steps=1, changes=CALM))
    assert told == [CALM]


def test_calm_changes_less_of_everything():
    assert all(value < vars(Changes())[name] for name, value in vars(CALM).items())


def test_a_start_with_other_categories_is_refused(store: Path, tmp_path: Path):
    first = fit_recogniser(store, tmp_path / "first", TRAINING)
    with pytest.raises(CheckpointError, match="has other categories"):
        Teacher(ClassifierConfig(("cat", "dog")), replace(TRAINING, start=str(first)))
    other = replace(read_checkpoint(first, CLASSIFIER).config, pooled=16)
    with pytest.raises(CheckpointError, match="another shape"):
        Teacher(other, replace(TRAINING, start=str(first)))
