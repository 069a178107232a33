"""Likelihood, distillation and cross entropy: what is minimised, and who learns."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import TensorDataset

from sketchgen.data.batching import Batch
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, SettingError
from sketchgen.evaluation.likelihood import (
    counted_log_prob,
    step_distribution,
    step_log_prob,
    steps_of,
)
from sketchgen.models.checkpoint import read_checkpoint, save_checkpoint
from sketchgen.models.config import ModelConfig
from sketchgen.models.stroke_model import StrokeModel, load_network
from sketchgen.sketch.strokes import Pen
from sketchgen.training.config import BoundSettings, TrainConfig
from sketchgen.training.objectives import (
    CrossEntropy,
    EvidenceBound,
    LabelledBatch,
    Likelihood,
    Outcome,
    ink_cells,
    load_teachers,
)
from sketchgen.training.trainer import fit
from tests.support.runs import MODEL, StopAfter, check_same, prepared

NONE: Any = TensorDataset(torch.zeros(0))
"""No batches: the tests pass theirs."""


@pytest.fixture
def batch(config: TrainConfig) -> Batch:
    return prepared(config).task.objectives[0].batches[0]


def network(store: Path, seed: int, **more: object) -> StrokeModel:
    """A network of the sample's categories that has learned nothing."""
    torch.manual_seed(seed)
    settings = asdict(replace(MODEL, **more))
    return StrokeModel(ModelConfig.from_dict(settings | {"categories": Store.open(store).categories})).eval()


def log_prob(student: StrokeModel, batch: Batch, teachers: list[StrokeModel], share: float, number: int = 0):
    torch.manual_seed(3)
    return Likelihood(NONE, teachers, share).log_prob(student, batch, number)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_teacher_has_its_share(store: Path, batch: Batch, share: float):
    student, teacher = network(store, 0), network(store, 1, cell="gru")
    own = step_log_prob(student, batch)
    assert torch.equal(log_prob(student, batch, [], 0.0), own)
    found = log_prob(student, batch, [teacher], share)
    torch.manual_seed(3)
    offset, pen = step_distribution(teacher, batch).sample()
    sampled = counted_log_prob(step_distribution(student, batch), replace(batch, target=offset, pen=pen))
    assert not torch.allclose(own, sampled)
    torch.testing.assert_close(found, (1 - share) * own + share * sampled)
    assert (found[~batch.scored] == 0).all()


def test_teachers_take_turns(store: Path, batch: Batch):
    student, teachers = network(store, 0), [network(store, 1), network(store, 2)]
    one, two = (log_prob(student, batch, [teacher], 1.0) for teacher in teachers)
    assert not torch.allclose(one, two)
    for number, wanted in enumerate([one, two, one]):
        torch.testing.assert_close(log_prob(student, batch, teachers, 1.0, number), wanted)


def test_only_the_student_learns(store: Path, batch: Batch, tmp_path: Path):
    student = network(store, 0)
    save_checkpoint(tmp_path / "teacher", network(store, 1), {})
    teachers = load_teachers([str(tmp_path / "teacher")], student.config.categories, torch.device("cpu"))
    assert not teachers[0].training
    Likelihood(NONE, teachers, 0.5).step(student.train(), batch, 0)
    assert all(value.grad is not None for value in student.parameters())
    assert not any(value.requires_grad for value in teachers[0].parameters())


def test_a_student_comes_to_expect_what_its_teacher_does(config: TrainConfig, batch: Batch, tmp_path: Path):
    teacher = network(config.store, 1)
    # Loud, so that there is something to be learned.
    for value in teacher.parameters():
        value.data.mul_(2.0)
    save_checkpoint(tmp_path / "teacher", teacher, {})

    @torch.no_grad()
    def cross_entropy(student: StrokeModel) -> float:
        torch.manual_seed(3)
        expected, found = step_distribution(teacher, batch), step_distribution(student, batch)
        samples = (expected.sample() for _ in range(100))
        nats = [
            counted_log_prob(found, replace(batch, target=offset, pen=pen)).sum() for offset, pen in samples
        ]
        return -float(torch.stack(nats).mean() / batch.scored.sum())

    alone = fit(replace(config, steps=60, out=tmp_path / "alone"))
    taught = replace(config, steps=60, teachers=(str(tmp_path / "teacher"),), distillation=1.0)
    fit(taught, callbacks=[StopAfter(20)])
    best = fit(taught, resume=True)
    own = cross_entropy(teacher)
    losses = [cross_entropy(load_network(path)[0]) - own for path in (best, alone)]
    assert 0 < losses[0] < 0.7 * losses[1]
    # It goes on exactly, and its checkpoint names the teacher, without its folder.
    fit(replace(taught, out=tmp_path / "whole"))
    check_same(tmp_path / "whole", taught.out)
    assert read_checkpoint(best).summary["settings"]["teachers"] == ["teacher"]
    assert str(tmp_path) not in (best / "config.json").read_text()


def test_a_missing_teacher_and_one_of_other_categories_are_refused(config: TrainConfig):
    with pytest.raises(SettingError, match="teacher tiny has other categories") as caught:
        fit(replace(config, teachers=("tiny",)))
    assert "\n" not in str(caught.value)
    assert not config.out.exists()
    with pytest.raises(CheckpointError, match="no stroke model 'nobody'"):
        fit(replace(config, teachers=("nobody",)))


class Scores(torch.nn.Module):
    def forward(self, logits: Tensor) -> Tensor:
        return logits


@pytest.mark.parametrize("soft", [False, True])
def test_cross_entropy_takes_classes_and_probabilities(soft: bool):
    logits = torch.randn(5, 4, generator=torch.manual_seed(0)).requires_grad_()
    target = torch.tensor([0, 3, 1, 1, 2])
    given = torch.nn.functional.one_hot(target, 4).float() if soft else target
    batch = LabelledBatch((logits,), given, torch.arange(5))
    found = CrossEntropy(NONE, 0.1).step(Scores(), batch, 0)
    smooth = 0.9 * torch.nn.functional.one_hot(target, 4) + 0.025
    log_prob = torch.log_softmax(logits.detach(), 1)
    assert float(found.loss) == pytest.approx(float(-(smooth * log_prob).sum(1).mean()), rel=1e-5)
    assert found.figures["correct"] == pytest.approx(float((logits.argmax(1) == target).float().mean()))
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, (log_prob.exp() - smooth) / 5)


def test_suspects_are_the_drawings_whose_loss_is_not_finite():
    keys, losses = torch.tensor([1, -1, 3]), torch.tensor([0.5, torch.nan, 1.0])
    assert Outcome(torch.tensor(0.0), keys=keys, losses=losses).suspects() == [2**64 - 1]
    assert Outcome(torch.tensor(0.0), keys=keys, losses=torch.ones(3)).suspects() == [1, 2**64 - 1, 3]


def parts(model: StrokeModel, batch: Batch, **settings: Any) -> Tensor:
    """Losses of a batch under an evidence lower bound, after all of its changes of weight."""
    none: dict[str, Any] = {
        "kl_weight": 0.0,
        "free_nats": 0.0,
        "unheard": 0.0,
        "picture_weight": 0.0,
        "category_weight": 0.0,
    }
    objective = EvidenceBound(NONE, BoundSettings(kl_steps=10, **none | settings))
    torch.manual_seed(3)
    losses = objective.step(model, batch, 10**6).losses
    assert losses is not None
    return losses


def test_an_evidence_bound_is_the_sum_of_its_parts(store: Path, batch: Batch):
    model = network(store, 0, latent=4, latent_encoder=8)
    assert model.latent is not None
    posterior, prior = model.latents(steps_of(batch), batch.length, batch.cut)
    divergence = posterior.divergence(prior).sum(1)
    torch.manual_seed(3)
    latent = posterior.sample()
    nats = -counted_log_prob(step_distribution(model, batch, latent), batch).sum(1)
    torch.testing.assert_close(parts(model, batch), nats)
    torch.testing.assert_close(parts(model, batch, kl_weight=2.0), nats + 2.0 * divergence)
    torch.testing.assert_close(parts(model, batch, kl_weight=1.0, free_nats=1e3), nats + 1e3)
    # Who hears nothing is a plain network, and pays nothing.
    alone = -step_log_prob(model, batch).sum(1)
    torch.testing.assert_close(parts(model, batch, kl_weight=2.0, unheard=1.0), alone)
    picture = parts(model, batch, picture_weight=1.0) - nats
    torch.testing.assert_close(parts(model, batch, picture_weight=1.0, picture_steps=10**7), picture)
    # A category whose embedding the vector does not lead to costs half the square of the distance, and more.
    anybody = replace(batch, category=torch.full_like(batch.category, model.config.any_category))
    torch.testing.assert_close(parts(model, anybody, category_weight=1.0), parts(model, anybody))
    place = model.category.weight[batch.category] - model.category.weight[-1]
    far = 0.5 * (model.latent.enter(latent) - place).square().sum(1)
    every = model.latent.enter(latent)[:, None] - (model.category.weight[:-1] - model.category.weight[-1])
    named = far + (-0.5 * every.square().sum(2)).logsumexp(1)
    named = torch.where(batch.category == model.config.any_category, 0.0, 2.0 * named)
    torch.testing.assert_close(parts(model, batch, category_weight=2.0), nats + named, atol=1e-3, rtol=1e-4)


def test_ink_cells_are_where_the_ink_is(batch: Batch):
    # A line from the upper left to the lower right corner, and one along the top.
    offset = torch.tensor([[[-127.5, -127.5], [255.0, 255.0]], [[-127.5, 0.0], [255.0, 0.0]]])
    pen = torch.tensor([[int(Pen.DRAW), int(Pen.LIFT), int(Pen.END)]] * 2)
    two = {name: value[:2] for name, value in vars(batch).items()}
    target, scored = two["target"][:, :3], two["scored"][:, :3]
    more = {"offset": offset, "pen": pen, "target": target, "scored": scored, "length": torch.tensor([2, 2])}
    cells = ink_cells(Batch(**two | more)).reshape(2, 16, 16)
    assert (cells[0].diagonal() > 0.5).all()
    assert cells[0, 12:, :4].sum() == cells[0, :4, 12:].sum() == 0
    assert (cells[1].max(0).values > 0.5).all()
    assert (cells[1] > 0).any(1).sum() <= 2


def test_a_checkpoint_gets_a_latent_vector_and_draws_as_before(config: TrainConfig, tmp_path: Path):
    first = fit(replace(config, steps=2))
    before, _ = load_network(first)
    again = replace(
        config, out=tmp_path / "latent", start=str(first), model=replace(MODEL, latent=4), steps=2
    )
    task = prepared(again).task
    batch, begun = task.objectives[0].batches[0], task.network.eval()
    assert isinstance(begun, StrokeModel)
    torch.testing.assert_close(step_log_prob(begun, batch), step_log_prob(before, batch))
    found, _ = load_network(fit(replace(again, out=tmp_path / "second")))
    assert found.config.latent == 4
    log = (tmp_path / "second" / "log.csv").read_text()
    assert "reconstruction,divergence" in log
    assert "kl" in log
    assert found.latent is not None
    assert before.latent is None
