from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from runs import MODEL, small
from torch import Tensor

from sketchgen.data.batching import Batch
from sketchgen.data.prepare import prepare
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, SettingError
from sketchgen.evaluation.likelihood import counted_log_prob, step_distribution, step_log_prob
from sketchgen.models.checkpoint import read_checkpoint, save_checkpoint
from sketchgen.models.config import ModelConfig
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.training.config import TrainConfig
from sketchgen.training.distillation import Lessons, load_teachers
from sketchgen.training.trainer import Run, fit


@pytest.fixture(scope="module")
def store(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "store"
    prepare([sample_dir], out)
    return out


@pytest.fixture(scope="module")
def batch(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return Run(small(store, tmp_path_factory.mktemp("run"))).training.batches[0]


@pytest.fixture
def config(store: Path, tmp_path: Path) -> TrainConfig:
    return small(store, tmp_path / "run")


def network(store: Path, seed: int, **more: object) -> StrokeModel:
    """A network of the sample's categories that has learned nothing."""
    torch.manual_seed(seed)
    settings = asdict(replace(MODEL, **more))
    return StrokeModel(ModelConfig(tuple(Store.open(store).categories), **settings)).eval()


def cross_entropy(pupil: StrokeModel, teacher: StrokeModel, batch: Batch) -> float:
    """The mean loss of the pupil over 200 draws of the teacher at each step."""
    with torch.no_grad():
        expected, found = step_distribution(teacher, batch), step_distribution(pupil, batch)
        total = 0.0
        for _ in range(200):
            offset, pen = expected.sample()
            total -= float(counted_log_prob(found, replace(batch, target=offset, pen=pen)).sum())
    return total / 200 / float(batch.scored.sum())


def test_without_a_teacher_the_drawings_teach(store: Path, batch: Batch):
    pupil = network(store, 0)
    assert torch.equal(Lessons().log_prob(pupil, batch, 0), step_log_prob(pupil, batch))


@pytest.mark.parametrize("teaching", [0.0, 0.3, 1.0])
def test_a_teacher_has_its_share(store: Path, batch: Batch, teaching: float):
    pupil, teacher = network(store, 0), network(store, 1, cell="gru")
    torch.manual_seed(3)
    found = Lessons([teacher], teaching).log_prob(pupil, batch, 0)
    torch.manual_seed(3)
    offset, pen = step_distribution(teacher, batch).sample()
    own = step_log_prob(pupil, batch)
    taught = step_log_prob_of(pupil, batch, offset, pen)
    assert not torch.allclose(own, taught)
    torch.testing.assert_close(found, (1 - teaching) * own + teaching * taught)
    assert (found[~batch.scored] == 0).all()


def step_log_prob_of(pupil: StrokeModel, batch: Batch, offset: Tensor, pen: Tensor) -> Tensor:
    return counted_log_prob(step_distribution(pupil, batch), replace(batch, target=offset, pen=pen))


def test_teachers_take_turns(store: Path, batch: Batch):
    pupil, teachers = network(store, 0), [network(store, 1), network(store, 2)]

    def lesson(number: int, *chosen: StrokeModel) -> Tensor:
        torch.manual_seed(3)
        return Lessons(chosen, 1.0).log_prob(pupil, batch, number)

    one, two = (lesson(0, teacher) for teacher in teachers)
    assert not torch.allclose(one, two)
    for number, wanted in enumerate([one, two, one]):
        torch.testing.assert_close(lesson(number, *teachers), wanted)


def test_only_the_pupil_learns(store: Path, batch: Batch, tmp_path: Path):
    pupil = network(store, 0)
    save_checkpoint(tmp_path / "teacher", network(store, 1), {})
    teachers = load_teachers([str(tmp_path / "teacher")], pupil.config.categories, torch.device("cpu"))
    assert not teachers[0].training
    Lessons(teachers, 0.5).log_prob(pupil.train(), batch, 0).sum().backward()
    assert all(value.grad is not None for value in pupil.parameters())
    assert not any(value.requires_grad for teacher in teachers for value in teacher.parameters())


def test_a_pupil_comes_to_expect_what_its_teacher_does(config: TrainConfig, batch: Batch, tmp_path: Path):
    teacher = network(config.store, 1)
    # Loud, so that there is something to be learned.
    for value in teacher.parameters():
        value.data.mul_(2.0)
    save_checkpoint(tmp_path / "teacher", teacher, {})
    lonely = fit(replace(config, steps=150, out=tmp_path / "lonely"))
    taught = fit(replace(config, steps=150, teachers=(str(tmp_path / "teacher"),), teaching=1.0))
    own = cross_entropy(teacher, teacher, batch)
    losses = [cross_entropy(loaded(path), teacher, batch) - own for path in (taught, lonely)]
    assert 0 < losses[0] < 0.5 * losses[1]


def loaded(path: Path) -> StrokeModel:
    (found,) = load_teachers([str(path)], read_checkpoint(path).config.categories, torch.device("cpu"))
    return found


def test_a_taught_run_is_resumed_as_if_it_had_not_stopped(config: TrainConfig, tmp_path: Path):
    save_checkpoint(tmp_path / "teacher", network(config.store, 1), {})
    taught = replace(config, steps=12, teachers=(str(tmp_path / "teacher"),))
    fit(taught)
    again = replace(taught, out=tmp_path / "again")
    fit(replace(again, steps=6, learning_rate=5e-3))
    straight = read_checkpoint(config.out / "last")
    # The rate falls by the steps that are left: so the first half is taken from a copy that never ended.
    shutil.rmtree(again.out)
    fit(replace(again, steps=12))
    for name, value in read_checkpoint(again.out / "last").weights.items():
        assert (value == straight.weights[name]).all(), name


def test_a_checkpoint_says_who_taught_it_but_not_where_that_was(config: TrainConfig, tmp_path: Path):
    save_checkpoint(tmp_path / "teacher", network(config.store, 1), {})
    best = fit(replace(config, steps=2, teachers=(str(tmp_path / "teacher"),)))
    settings = read_checkpoint(best).summary["settings"]
    assert settings["teachers"] == ["teacher"]
    assert str(tmp_path) not in (best / "config.json").read_text()


def test_a_teacher_of_other_categories_is_refused(config: TrainConfig):
    with pytest.raises(SettingError, match="teacher tiny has other categories") as caught:
        fit(replace(config, teachers=("tiny",)))
    assert "\n" not in str(caught.value)
    assert not config.out.exists()


def test_a_missing_teacher_is_told(config: TrainConfig):
    with pytest.raises(CheckpointError, match="no checkpoint 'nobody'"):
        fit(replace(config, teachers=("nobody",)))


@pytest.mark.parametrize("teaching", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(config: TrainConfig, teaching: float):
    with pytest.raises(SettingError, match="teaching must be from 0 to 1"):
        replace(config, teaching=teaching)
