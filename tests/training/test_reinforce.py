"""Policy-gradient training: batches, advantages, log densities of rollouts, and that the reward rises."""

from __future__ import annotations

import csv
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recognisers
import torch

from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.data.prepare import prepare
from sketchgen.data.store import Store
from sketchgen.errors import SettingError
from sketchgen.evaluation.likelihood import step_log_prob
from sketchgen.models.checkpoint import read_checkpoint
from sketchgen.models.classifier import Classifier
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.stroke_model import StrokeModel, load_network
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen
from sketchgen.training import reinforce
from sketchgen.training.config import ReinforceConfig, TrainConfig
from sketchgen.training.reinforce import (
    PolicyGradient,
    ReinforceBatches,
    ReinforceExample,
    advantages,
    collate,
    rollout_log_prob,
    sample_example,
)
from sketchgen.training.rollout import RolloutSampler, Samples
from sketchgen.training.stroke_task import StrokeTask
from sketchgen.training.trainer import fit
from tests.support import untrained
from tests.support.runs import StopAfter, check_same, small

NAMES = ("cat", "fish", "house", "sun")
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store and an untrained model."""
    place = tmp_path_factory.mktemp("reinforce")
    prepare([sample_dir / f"{name}.ndjson" for name in NAMES], place / "store")
    untrained.small_checkpoint(place / "model", NAMES)
    return place


@pytest.fixture
def network(folder: Path) -> StrokeModel:
    return load_network(folder / "model")[0]


def batches(folder: Path, count: int = 6, seed: int = 1) -> ReinforceBatches:
    return ReinforceBatches(Store.open(folder / "store").split("train"), NAMES, count, seed)


def test_the_end_is_scored_only_where_the_model_drew_it(folder: Path):
    found = batches(folder)[0]
    steps = reinforce.sample_last_pen(load_network(folder / "model")[0], found, torch.ones(6), 1)
    more = torch.full((6, 4), int(Pen.DRAW))
    pen = torch.cat([steps.pen, more], 1)
    samples = Samples(
        torch.cat([steps.offset, torch.zeros(6, 4, 2)], 1),
        pen,
        found.cut,
        torch.full((6,), pen.shape[1]),
        torch.tensor([True, False] * 3),
    )
    scored = reinforce.rollout_batch(steps, samples).scored.sum(1)
    added = pen.shape[1] - found.cut
    assert torch.equal(scored, added + torch.tensor([1, 0] * 3))


def best_of_gains(values: np.ndarray, best_of: int) -> list[float]:
    """Return advantages by enumerating all choices of the others."""
    gains = []
    for one in range(len(values)):
        others = [other for other in range(len(values)) if other != one]
        with_it = [max(values[[one, *some]]) for some in itertools.combinations(others, best_of - 1)]
        without = [max(values[list(some)]) for some in itertools.combinations(others, best_of)]
        gains.append(float(np.mean(with_it) - np.mean(without)))
    return gains


@pytest.mark.parametrize("best_of", [1, 2, 3, 6])
def test_advantages_are_expected_gains_of_the_best(best_of: int):
    values = np.random.default_rng(2).normal(size=(4, 7))
    values[1, 3] = values[1, 5]
    found = advantages(torch.from_numpy(values), best_of).numpy()
    assert np.allclose(found, [best_of_gains(row, best_of) for row in values], atol=1e-6)
    if best_of == 1:
        assert np.allclose(found.sum(1), 0.0, atol=1e-6)
    with pytest.raises(ValueError, match="best_of must be from 1 to 6, not 7"):
        advantages(torch.zeros(1, 7), 7)


def test_batch_number_i_is_the_same_whenever_it_is_asked_for(folder: Path):
    one, again, other = batches(folder)[3], batches(folder)[3], batches(folder)[4]
    assert torch.equal(one.offset, again.offset)
    assert torch.equal(one.reference.missing.centre, again.reference.missing.centre)
    assert one.offset.shape != other.offset.shape or not torch.equal(one.offset, other.offset)


def test_given_points_stand_in_their_frame(folder: Path):
    drawings = Store.open(folder / "store").split("train").drawings()
    random = np.random.default_rng(0)
    sampled = [sample_example(drawings.sketch(row), random) for row in range(80)]
    found = [one for one in sampled if one is not None]
    assert len(found) > 60
    assert {one.prefix.known for one in found} == {True, False}
    for one in found:
        assert len(one.given) > 0
        assert len(one.missing) > 0
        read = np.cumsum(one.prefix.offset, axis=0)
        if one.prefix.known:
            # The frame is the box of the whole drawing.
            points = np.concatenate(one.given)
            assert np.allclose(read + 127.5, points)
            assert np.allclose(one.origin, points[-1])
        else:
            assert np.ptp(read, axis=0).max() == pytest.approx(160.0, abs=1.5)
        vector = one.given[-1][-1] - one.given[0][0]
        assert np.allclose((read[-1] - read[0]) * one.scale, vector, atol=3.0)


def test_rare_categories_are_sampled_more_often_than_their_share(tmp_path: Path, sample_dir: Path):
    small_part = tmp_path / "sun.ndjson"
    small_part.write_text("".join((sample_dir / "sun.ndjson").read_text().splitlines(keepends=True)[:12]))
    prepare([small_part, sample_dir / "cat.ndjson"], tmp_path / "store")
    split = Store.open(tmp_path / "store").split("train")
    names = split.drawings().categories
    share = np.mean(split.drawings().category == names.index("sun"))
    found = ReinforceBatches(split, names, 300, 0)[0].category.numpy()
    conditional = found[found < len(names)]
    assert len(conditional) / len(found) == pytest.approx(0.9, abs=0.06)
    suns = np.mean(conditional == names.index("sun"))
    expected = share**0.5 / (share**0.5 + (1 - share) ** 0.5)
    assert suns == pytest.approx(expected, abs=0.08)
    assert suns > share + 0.05


def test_long_partial_sketches_are_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reinforce, "MAX_GIVEN", 9)
    assert int(batches(folder, 20)[0].cut.max()) <= 9


def test_the_last_of_many_held_out_strokes_share_a_box():
    rest = [np.array([[float(number), 0.0], [number + 1.0, 2.0]]) for number in range(15)]
    dot = Prefix(np.zeros((1, 2)), np.array([1]), np.array([0]), known=False)
    example = ReinforceExample(dot, 1.0, np.zeros(2), rest[:1], rest)
    found = collate([example], [0]).reference
    assert found.valid.sum() == reinforce.MAX_BOXES
    assert found.low[0, -1].tolist() == [reinforce.MAX_BOXES - 1, 0.0]
    assert found.high[0, -1].tolist() == [15.0, 2.0]


@pytest.mark.parametrize("going_on", [True, False])
def test_added_strokes_stand_where_completions_put_them(going_on: bool):
    sketch = Sketch.from_strokes([[(10.0, 20), (60, 20)], [(60.0, 90), (20, 70), (30, 40)]])
    partial = PartialSketch.of(sketch)
    offset, pen = np.array([[4.0, 3.0], [-20.0, 9.0], [50.5, 2.25]]), np.array([0, 1, 1])
    pen = np.where(pen == 1, int(Pen.LIFT), int(Pen.DRAW))
    prefix, both = partial.prefix(np.array([0]), np.array([False])), (sketch.strokes, sketch.strokes)
    example = ReinforceExample(prefix, partial.frame.scale, partial.origin, *both)
    sketches = collate([example], [0])
    given = sketches.pen.clone()
    given[0, -1] = int(Pen.DRAW if going_on else Pen.LIFT)
    samples = Samples(
        torch.cat([sketches.offset, torch.from_numpy(offset).float()[None]], 1),
        torch.cat([given, torch.from_numpy(pen)[None]], 1),
        sketches.cut,
        sketches.cut + 3,
        torch.tensor([True]),
    )
    points, starts, valid = reinforce._added_strokes(sketches, samples, torch.tensor([0]))
    found = points[0][valid[0]].numpy()
    expected = partial.added(offset, pen, None, going_on=going_on).strokes
    assert np.allclose(found, np.concatenate(expected), atol=0.01)
    firsts = np.cumsum([0, *[len(stroke) for stroke in expected[:-1]]])
    assert np.flatnonzero(starts[0][valid[0]].numpy()).tolist() == firsts.tolist()


def policy_gradient(folder: Path, classifier: Classifier | None = None, **more: Any) -> PolicyGradient:
    settings = ReinforceConfig(**{"rollouts": 4, "weight": 1.0, **more})
    return PolicyGradient(batches(folder), settings, classifier)


def test_rollouts_of_positive_advantage_become_likelier(
    folder: Path, network: StrokeModel, monkeypatch: pytest.MonkeyPatch
):
    calls = []
    backward = PolicyGradient._backward

    def noted(self: PolicyGradient, *args: Any) -> None:
        calls.append(args)
        backward(self, *args)

    monkeypatch.setattr(PolicyGradient, "_backward", noted)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    torch.manual_seed(0)
    policy_gradient(folder).step(network, batches(folder, 24)[0], 0)
    _, batch, gains, temperature, pen_sampled = calls[0]
    network.without_dropout()
    with torch.no_grad():
        before = rollout_log_prob(network, batch, temperature, pen_sampled)
        optimizer.step()
        after = rollout_log_prob(network, batch, temperature, pen_sampled)
    # Where all rewards are equal the advantages are 0, but for rounding.
    kept = (gains.abs() >= gains.abs().topk(2, 1).values[:, -1:]) & (gains.abs() > 1e-6)
    change = ((after - before) * gains.flatten())[kept.flatten()]
    assert len(change) > 24
    assert float(change.sum()) > 0.0
    assert float((change > 0).float().mean()) > 0.6


def test_the_reward_rises(folder: Path, network: StrokeModel):
    objective = policy_gradient(folder, rollouts=8)
    optimizer, batch = torch.optim.Adam(network.parameters(), 1e-2), batches(folder, 12)[0]
    torch.manual_seed(1)
    rewards = []
    for number in range(60):
        optimizer.zero_grad()
        rewards.append(objective.step(network, batch, number).figures["reward"])
        optimizer.step()
    assert np.mean(rewards[-5:]) > np.mean(rewards[:5]) + 0.1


def test_deviations_receive_no_gradient_and_dropout_is_off_during_a_step(folder: Path, network: StrokeModel):
    heard: list[bool] = []
    network.stack.dropout.register_forward_hook(lambda module, *_: heard.append(module.training))
    network.train()
    policy_gradient(folder).step(network, batches(folder)[0], 0)
    assert heard
    assert not any(heard)
    assert network.stack.dropout.training
    gradient = network.head.bias.grad
    assert gradient is not None
    components = network.config.components
    parts = gradient[1:].unflatten(0, (7, components))
    assert bool((parts[3:6] == 0.0).all())
    assert all(bool(parts[row].any()) for row in (0, 1, 2, 6))


def test_the_last_pen_state_is_sampled_unless_it_is_known(folder: Path, network: StrokeModel):
    found = batches(folder, 40)[0]
    torch.manual_seed(0)
    steps = reinforce.sample_last_pen(network, found, torch.full((40 * 20,), 0.5), 20)
    last = steps.pen[torch.arange(800), found.cut.repeat_interleave(20) - 1].unflatten(0, (40, 20))
    given = found.pen[torch.arange(40), found.cut - 1].unsqueeze(1)
    assert bool((last == given)[found.pen_known].all())
    lifted = (last[~found.pen_known] == Pen.LIFT).float().mean(1)
    assert float(lifted.std()) > 0.0
    # By the odds of lifting there, against ten times as many who stop where a stroke ends.
    with torch.no_grad():
        at = network(found.steps(), found.cut).at(found.cut - 1)
        rows = torch.arange(40)
        odds = at.lift_logit(found.offset[rows, found.cut - 1]) + np.log(10.0)
    expected = torch.sigmoid(odds / 0.5)[~found.pen_known]
    assert float((lifted - expected).abs().mean()) < 0.12


def test_the_classifier_adds_to_the_reward(
    folder: Path, network: StrokeModel, monkeypatch: pytest.MonkeyPatch
):
    passed: list[torch.Tensor] = []

    def noted(rewards: torch.Tensor, best_of: int) -> torch.Tensor:
        passed.append(rewards)
        return advantages(rewards, best_of)

    monkeypatch.setattr(reinforce, "advantages", noted)
    monkeypatch.setattr(reinforce, "category_log_prob", lambda _, samples, __: -samples.length.float())
    figures = []
    for classifier in (None, recognisers.network()):
        torch.manual_seed(0)
        objective = policy_gradient(folder, classifier, classifier_weight=0.5)
        figures.append(objective.step(network, batches(folder)[0], 0).figures)
    without, given = figures
    assert without["classifier_log_prob"] == 0.0
    assert given["reward"] == without["reward"]
    assert given["classifier_log_prob"] < -1.0
    added = float((passed[1] - passed[0]).mean())
    assert added == pytest.approx(0.5 * given["classifier_log_prob"], rel=1e-4)


def config(folder: Path, out: Path, **more: Any) -> TrainConfig:
    reinforce = ReinforceConfig(sketches=4, rollouts=3)
    return small(
        folder / "store", out, **{"start": str(folder / "model"), "steps": 6, "reinforce": reinforce, **more}
    )


def test_a_run_resumes_exactly_and_its_last_network_is_its_best(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    steps = iter(range(100))
    monkeypatch.setattr(StrokeTask, "validate", lambda *_: {"valid": float(next(steps)), "valid_half": 0.0})
    whole = config(folder, tmp_path / "whole", steps=20, validate_every=0.0)
    best = read_checkpoint(fit(whole))
    last = read_checkpoint(whole.out / "last")
    assert all(np.array_equal(value, last.weights[name]) for name, value in best.weights.items())
    part = replace(whole, out=tmp_path / "part")
    fit(part, callbacks=[StopAfter(3)])
    fit(part, resume=True)
    check_same(whole.out, part.out)
    assert best.summary["settings"]["reinforce"]["rollouts"] == 3
    with (whole.out / "log.csv").open() as stream:
        line = next(row for row in csv.DictReader(stream) if row["loss"])
    assert 0.0 <= float(line["ended"]) <= 1.0
    assert float(line["best_reward"]) >= float(line["reward"])


def test_several_processes_are_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SettingError, match="policy-gradient training takes one process"):
        StrokeTask(config(folder, tmp_path), CPU)


def test_the_log_density_of_a_rollout_is_that_of_its_steps(folder: Path, network: StrokeModel):
    found = batches(folder)[0]
    torch.manual_seed(0)
    steps = reinforce.sample_last_pen(network, found, torch.ones(6), 1)
    sampler = RolloutSampler(network, 6, reinforce.MAX_GIVEN, reinforce.MAX_ADDED)
    samples = sampler.draw(steps, found.cut, torch.ones(6))
    batch = reinforce.rollout_batch(steps, samples)
    with torch.no_grad():
        alone = rollout_log_prob(network, batch, torch.ones(6), torch.zeros(6, dtype=torch.bool))
        assert torch.allclose(alone, step_log_prob(network, batch).sum(1), atol=1e-3)
        pen_sampled = rollout_log_prob(network, batch, torch.full((6,), 0.5), torch.ones(6, dtype=torch.bool))
        colder = rollout_log_prob(network, batch, torch.full((6,), 0.5), torch.zeros(6, dtype=torch.bool))
        rows, last = torch.arange(6), found.cut - 1
        at = network(found.steps(), found.cut).at(last)
        odds = (at.lift_logit(found.offset[rows, last]) + np.log(10.0)) / 0.5
        chance = torch.where(samples.pen[rows, last] == Pen.LIFT, torch.sigmoid(odds), torch.sigmoid(-odds))
        assert torch.allclose((pen_sampled - colder).exp(), chance, atol=1e-3)
        cut = reinforce._trimmed(batch, torch.tensor([2, 0]))
        assert torch.allclose(
            rollout_log_prob(network, cut, torch.ones(2), torch.zeros(2, dtype=torch.bool)),
            alone[[2, 0]],
            atol=1e-3,
        )
