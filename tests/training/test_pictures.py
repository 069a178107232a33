"""A judge of pictures learns by the recogniser's loop, goes on exactly, and leaves what can judge."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sketchgen.data.order import Order
from sketchgen.data.prepare import prepare
from sketchgen.data.store import Drawings, Split, Store
from sketchgen.errors import CheckpointError
from sketchgen.evaluation.recognition import load_judge
from sketchgen.models.checkpoint import PICTURE_CLASSIFIER, read_checkpoint
from sketchgen.models.config import PictureConfig
from sketchgen.models.picture_classifier import PictureRecogniser
from sketchgen.training import classifier_run as recogniser_run
from sketchgen.training.classifier_batches import Changes
from sketchgen.training.classifier_module import RecogniserTraining, Teacher
from sketchgen.training.classifier_run import STATE, Lessons, fit_recogniser, measured, teach
from sketchgen.training.picture_batches import CALM_PICTURES, PICTURE_CHANGES, PictureLesson, Pictures

TRAINING = RecogniserTraining(
    steps=8, batch=16, warmup=2, bfloat16=False, threads=1, changes=PICTURE_CHANGES, average=0.5
)


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

    def shape(categories: tuple[str, ...]) -> PictureConfig:
        return PictureConfig(categories, widths=(4, 8, 16), blocks=(0, 1, 0))

    monkeypatch.setattr(recogniser_run, "PictureConfig", shape)


def teacher(split: Split, training: RecogniserTraining = TRAINING) -> Teacher:
    return Teacher(recogniser_run.PictureConfig(split.categories), training)


def lessons(split: Split) -> Lessons[PictureLesson]:
    return Lessons(split, Order(split.block_sizes, 16, 5), Pictures(PICTURE_CHANGES))


def weights(found: Teacher) -> list[torch.Tensor]:
    parts = (found.network.state_dict(), found.average.state_dict())
    return [value.clone() for part in parts for value in part.values()]


def test_it_learns(split: Split):
    found = teacher(split, replace(TRAINING, steps=120, learning_rate=1e-2))
    stream = lessons(split)
    heard = [found.learn(stream[number]) for number in range(120)]
    first, last = np.mean(heard[:10], axis=0), np.mean(heard[-20:], axis=0)
    assert last[0] < 0.8 * first[0]
    assert last[1] > 0.2 > first[1]


def test_an_epoch_shows_every_drawing_once_in_batches_of_mixed_lengths(split: Split):
    stream = lessons(split)
    per_epoch = -(-len(split) // 16)
    shown = [stream[number] for number in range(per_epoch)]
    wanted = np.bincount(split.drawings().category)
    seen = np.bincount(np.concatenate([lesson.category for lesson in shown]), minlength=len(wanted))
    np.testing.assert_array_equal(seen, wanted)
    np.testing.assert_array_equal(lessons(split)[per_epoch - 1].pictures, shown[-1].pictures)


def test_it_goes_on_exactly(split: Split, tmp_path: Path):
    straight, begun, stream = teacher(split), teacher(split), lessons(split)
    for number in range(6):
        straight.learn(stream[number])
    for number in range(3):
        begun.learn(stream[number])
    begun.save(tmp_path / STATE)
    resumed = teacher(split)
    resumed.restore(tmp_path / STATE)
    for number in range(3, 6):
        resumed.learn(stream[number])
    for one, two in zip(weights(straight), weights(resumed), strict=True):
        assert torch.equal(one, two)


def test_what_batch_norm_has_seen_is_averaged_too(split: Split):
    found, stream = teacher(split, replace(TRAINING, average=0.3)), lessons(split)
    young = wanted = now = found.average.weights()
    for number in range(8):
        found.learn(stream[number])
        # A young average forgets faster than it is told to.
        keep = min(0.3, (1 + number) / (10 + number))
        now = found.network.weights()
        wanted = {name: keep * value + (1 - keep) * now[name] for name, value in wanted.items()}
    for name, value in found.average.weights().items():
        np.testing.assert_allclose(value, wanted[name], rtol=1e-4, atol=1e-5, err_msg=name)
    for name in ("halve.0.norm.running_mean", "halve.0.norm.running_var"):
        assert np.abs(wanted[name] - young[name]).max() > 1e-3
        assert np.abs(wanted[name] - now[name]).max() > 1e-4


def test_a_gradient_that_is_not_finite_changes_nothing(split: Split):
    found, lesson = teacher(split), lessons(split)[0]
    lesson.pictures[0, 0, 0] = np.inf
    before = weights(found)
    found.learn(lesson)
    names = [name for part in (found.network, found.average) for name in part.state_dict()]
    for name, one, two in zip(names, before, weights(found), strict=True):
        assert "num_batches" in name or torch.equal(one, two), name


def test_a_run_leaves_a_judge_of_pictures(store: Path, tmp_path: Path):
    folder = fit_recogniser(store, tmp_path / "run", TRAINING, pictures=True)
    found = load_judge(folder)
    assert isinstance(found, PictureRecogniser)
    assert found.categories == tuple(Store.open(store).categories)
    assert found.summary["steps"] == 8
    assert "top-1 / top-5, whole drawings" in found.summary
    assert not [name for name in found.summary if "first" in name]
    assert str(tmp_path) not in (folder / "config.json").read_text()
    state = teacher(Store.open(store).split("train"))
    state.restore(tmp_path / "run" / STATE)
    for name, value in read_checkpoint(folder, PICTURE_CLASSIFIER).weights.items():
        kept = state.average.weights()[name].astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(value, kept)


def test_it_is_resumed_as_what_it_is(store: Path, tmp_path: Path):
    fit_recogniser(store, tmp_path / "run", replace(TRAINING, steps=1), pictures=True)
    with pytest.raises(CheckpointError, match="another network"):
        fit_recogniser(store, tmp_path / "run", TRAINING, resume=True)
    again = fit_recogniser(store, tmp_path / "run", replace(TRAINING, steps=2), pictures=True, resume=True)
    assert read_checkpoint(again, PICTURE_CLASSIFIER).summary["steps"] == 2


def test_a_signal_ends_it_with_everything_saved(split: Split, tmp_path: Path):
    found = teacher(split)
    teach(found, lessons(split), tmp_path / STATE, lambda _: signal.raise_signal(signal.SIGINT), every=2)
    resumed = teacher(split)
    resumed.restore(tmp_path / STATE)
    assert found.step == resumed.step == 2


def test_it_starts_from_what_another_one_has_learned(store: Path, tmp_path: Path):
    first = fit_recogniser(store, tmp_path / "first", TRAINING, pictures=True, half=False)
    found = Teacher(read_checkpoint(first, PICTURE_CLASSIFIER).config, replace(TRAINING, start=str(first)))
    for name, value in read_checkpoint(first, PICTURE_CLASSIFIER).weights.items():
        np.testing.assert_array_equal(found.network.weights()[name], value)
        np.testing.assert_array_equal(found.average.weights()[name], value)
    with pytest.raises(CheckpointError, match="no picture classifier"):
        Teacher(read_checkpoint(first, PICTURE_CLASSIFIER).config, replace(TRAINING, start="nowhere"))


def test_deep_and_rare_categories_are_told_apart(split: Split):
    drawings = split.drawings()
    counts = dict.fromkeys(split.categories, 10)
    assert not [name for name in measured(teacher(split), drawings, counts) if "300" in name]
    counts[split.categories[0]] = 300
    namer = teacher(split)
    # To the averaged network alone every drawing is of the first category, or else of the second, ...
    with torch.no_grad():
        namer.average.head.weight.zero_()
        namer.average.head.bias.copy_(-torch.arange(len(split.categories)))
    found = measured(namer, drawings, counts)
    share = np.bincount(drawings.category)[:5] / len(drawings)
    near = share[1:].sum() / (1.0 - share[0])
    assert {name: value for name, value in found.items() if "top" in name or "300" in name} == {
        "top-1 / top-5, whole drawings": f"{share[0]:.1%} / {share.sum():.1%}",
        "of these with 300 training drawings of the category or more": "100.0% / 100.0%",
        "of these with fewer than 300": f"0.0% / {near:.1%}",
    }


def test_depth_is_told_by_the_training_drawings(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told: list[dict[str, int]] = []

    def noted(teacher: Teacher, drawings: Drawings, training: dict[str, int]) -> dict[str, str]:
        told.append(training)
        return {}

    monkeypatch.setattr(recogniser_run, "measured", noted)
    fit_recogniser(store, tmp_path / "run", replace(TRAINING, steps=1), pictures=True)
    drawings = Store.open(store).split("train").drawings()
    counts = np.bincount(drawings.category, minlength=len(drawings.categories))
    assert told == [dict(zip(drawings.categories, counts.tolist(), strict=True))]


def test_pictures_are_changed_as_was_said(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    told: list[Changes] = []

    def noted(split: Split, order: Order, matter: Pictures) -> Lessons[PictureLesson]:
        told.append(matter.changes)
        return Lessons(split, order, matter)

    monkeypatch.setattr(recogniser_run, "Lessons", noted)
    fit_recogniser(store, tmp_path / "run", replace(TRAINING, steps=1, changes=CALM_PICTURES), pictures=True)
    assert told == [CALM_PICTURES]
