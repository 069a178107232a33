"""Preference training: batches of pairs, and that preferred candidates become likelier."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sketchgen.completion.completer import load
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.data.prepare import prepare
from sketchgen.errors import FormatError, SettingError
from sketchgen.evaluation.likelihood import step_log_prob
from sketchgen.models.checkpoint import read_checkpoint
from sketchgen.models.stroke_model import StrokeModel, load_network
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen
from sketchgen.training import candidates, preference
from sketchgen.training.candidates import CandidateGroup, CandidateSpec, draw_candidates, read_groups
from sketchgen.training.config import TrainConfig
from sketchgen.training.preference import (
    CandidateSteps,
    PairPool,
    Preference,
    PreferenceBatches,
    PrefixSteps,
    candidate_steps,
    dpo_loss,
    pair_batch,
    pair_pools,
    prefix_batch,
    stroke_end_loss,
)
from sketchgen.training.stroke_task import StrokeTask
from sketchgen.training.trainer import fit
from tests.support import untrained
from tests.support.runs import StopAfter, check_same, prepared, small

NAMES = ("cat", "fish", "house", "sun")
HOUSE = [np.array([[0.0, 100], [100, 0], [200, 100]]), np.array([[20.0, 100], [20, 255], [180, 255]])]


@pytest.fixture(scope="module")
def folder(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Candidates of a model that scribbles."""
    place = tmp_path_factory.mktemp("preference")
    prepare([sample_dir / f"{name}.ndjson" for name in NAMES], place / "store")
    model = untrained.small_checkpoint(place / "model", NAMES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "LIMIT", 16)
        draw_candidates(
            CandidateSpec(str(place / "store"), "train", model, 32, 6, 5), place / "candidates", 1
        )
        candidates._sources.cache_clear()
    return place


@pytest.fixture(autouse=True)
def margin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preference, "MARGIN", 0.05)


@pytest.fixture(scope="module")
def network(folder: Path) -> StrokeModel:
    return load_network(folder / "model")[0]


@pytest.fixture(scope="module")
def groups(folder: Path) -> list[CandidateGroup]:
    return list(read_groups(folder / "candidates"))


def read(folder: Path, **more: int) -> PreferenceBatches:
    return PreferenceBatches(folder / "candidates", NAMES, **({"pairs": 4, "seed": 1} | more))


@pytest.mark.parametrize("continues", [False, True])
def test_candidate_steps_invert_added(continues: bool):
    partial = PartialSketch.of(Sketch.from_strokes([stroke * 3.0 + 7.0 for stroke in HOUSE]))
    offset = np.array([[4.0, 3.0], [-20.0, 9.0], [50.5, 2.25], [3.0, -8.0]])
    pen = np.array([Pen.DRAW, Pen.LIFT, Pen.DRAW, Pen.LIFT], dtype=np.int64)
    drawn = partial.added(offset, pen, None, going_on=continues).strokes
    found = candidate_steps(partial, drawn, 0.5)
    assert (found.continues, found.value) == (continues, 0.5)
    assert np.array_equal(found.pen, pen)
    assert np.allclose(found.offset, offset, atol=0.02)


def test_groups_become_pools_of_comparable_candidates(groups: list[CandidateGroup]):
    assert len(groups) > 20
    for group in groups:
        prefix, found = pair_pools(group, 2)
        assert prefix.category == 2
        partial = PartialSketch.of(Sketch.from_strokes(group.given))
        assert np.allclose(np.cumsum(prefix.offset, axis=0), partial.points)
        values = [value for each, value in zip(group.candidates, group.values, strict=True) if each]
        assert sorted(each.value for part in found for each in part.candidates) == sorted(values)
        assert all(each.pen[-1] == Pen.LIFT for part in found for each in part.candidates)
        assert all(part.prefix is prefix for part in found)
        assert all(len({each.continues for each in part.candidates}) == 1 for part in found)
    assert {pair_pools(group, 0)[0].lifted for group in groups} == {False, True}


def test_candidates_that_were_stopped_and_very_long_drawings_are_left_out(
    folder: Path, groups: list[CandidateGroup], monkeypatch: pytest.MonkeyPatch
):
    lengths = [len(each.pen) for part in pair_pools(groups[0], 0)[1] for each in part.candidates]
    whole = read(folder)
    with monkeypatch.context() as patch:
        patch.setattr(preference, "LIMIT", max(lengths))
        found = [len(each.pen) for part in pair_pools(groups[0], 0)[1] for each in part.candidates]
        assert sorted(found) == sorted(length for length in lengths if length < max(lengths))
    points = [len(prefix.pen) for prefix in whole.prefixes]
    monkeypatch.setattr(preference, "MAX_POINTS", int(np.median(points)))
    part = read(folder)
    assert max(len(prefix.pen) for prefix in part.prefixes) <= np.median(points)
    assert 0 < len(part.pools) < len(whole.pools)
    assert all(part[number].pairs.offset.shape[1] <= np.median(points) for number in range(8))


def test_a_pair_is_of_one_sketch_with_the_preferred_candidate_first(folder: Path):
    found = read(folder)
    for number in range(20):
        for prefix, preferred, rejected in found.sample_pairs(number):
            (pool,) = (one for one in found.pools if any(each is rejected for each in one.candidates))
            assert pool.prefix is prefix
            assert any(each is preferred for each in pool.preferred())
            assert preferred.continues == rejected.continues
            assert preferred.value >= rejected.value + 0.05


def test_the_preferred_candidate_has_one_of_the_highest_values(monkeypatch: pytest.MonkeyPatch):
    def some(*values: float) -> list[CandidateSteps]:
        return [CandidateSteps(np.ones((2, 2)), np.array([0, 1]), False, value) for value in values]

    monkeypatch.setattr(preference, "MARGIN", 0.4)
    prefix = PrefixSteps(0, np.ones((3, 2)), np.array([0, 0, 1]), lifted=True)
    several = some(-1.0, -0.9, 0.0, 0.1, 0.2, 0.3, 1.2, 1.5)
    random = np.random.default_rng(4)
    made = [PairPool(prefix, several).sample(random) for _ in range(300)]
    assert {preferred.value for _, preferred, _ in made} == {1.2, 1.5}
    assert {rejected.value for _, _, rejected in made} == {each.value for each in several[:6]}
    # Candidates of about the same value are no pair.
    assert not PairPool(prefix, some(0.0, 0.3)).preferred()
    assert [each.value for each in PairPool(prefix, some(-0.9, 0.0, 0.3)).preferred()] == [0.3]


def test_batches_are_the_same_whenever_they_are_asked_for(folder: Path):
    def values(found: PreferenceBatches, number: int) -> list[float]:
        return [pair[1].value for pair in found.sample_pairs(number)]

    one, two = read(folder), read(folder)
    ahead = [values(one, number) for number in range(40)]
    assert all(values(two, number) == ahead[number] for number in (33, 3, 39, 16))
    assert torch.equal(one[5].prefixes.offset, two[5].prefixes.offset)
    assert values(read(folder, rank=1), 3) != ahead[3]
    assert values(read(folder, seed=2), 3) != ahead[3]


def test_only_added_steps_are_scored(folder: Path):
    pairs = read(folder).sample_pairs(0)
    batch = pair_batch(pairs)
    both = [(prefix, each) for prefix, each, _ in pairs] + [(prefix, each) for prefix, _, each in pairs]
    for row, (prefix, each) in enumerate(both):
        count, more = len(prefix.pen), len(each.pen)
        assert batch.scored[row].nonzero().ravel().tolist() == list(range(count, count + more + 1))
        assert np.allclose(batch.offset[row, count : count + more], each.offset, atol=1e-4)
        assert int(batch.pen[row, count - 1]) == (Pen.DRAW if each.continues else Pen.LIFT)
        assert int(batch.pen[row, count + more]) == Pen.END
    prefix = PrefixSteps(0, np.ones((3, 2)), np.array([0, 0, int(Pen.LIFT)]), lifted=False)
    batch = prefix_batch([prefix, replace(prefix, lifted=True)])
    assert batch.scored.nonzero().tolist() == [[0, 2], [1, 2]]
    assert batch.pen[:, 2].tolist() == [int(Pen.DRAW), int(Pen.LIFT)]


def test_the_loss_is_that_of_the_paper(folder: Path, network: StrokeModel):
    batch = read(folder)[0].pairs
    with torch.no_grad():
        assert float(dpo_loss(network, network, batch, 0.1)[0]) == pytest.approx(math.log(2.0))
        other = load_network(folder / "model")[0]
        other.head.bias.add_(0.1 * torch.randn(other.head.bias.shape, generator=torch.manual_seed(3)))
        gain = (step_log_prob(other, batch) - step_log_prob(network, batch)).sum(1).double().numpy()
        expected = np.mean([math.log1p(math.exp(-0.3 * (gain[k] - gain[k + 4]))) for k in range(4)])
        loss, accuracy, log_ratio = map(float, dpo_loss(other, network, batch, 0.3))
    assert loss == pytest.approx(expected, rel=1e-4)
    assert accuracy == pytest.approx(np.mean(gain[:4] > gain[4:]))
    assert log_ratio == pytest.approx(gain[:4].mean(), rel=1e-3)


def test_the_odds_that_are_learned_are_those_that_completions_use(
    folder: Path, network: StrokeModel, groups: list[CandidateGroup]
):
    model = load(folder / "model")
    for group in groups[:12]:
        category = NAMES.index(group.category)
        prefix, _ = pair_pools(group, category)
        done = PartialSketch.of(Sketch.from_strokes(group.given)).done(model.decoder, category)
        with torch.no_grad():
            loss = float(stroke_end_loss(network, prefix_batch([prefix])))
        assert math.exp(-loss) == pytest.approx(done if prefix.lifted else 1.0 - done, rel=1e-3)


def test_preferred_candidates_become_likelier_without_dropout(folder: Path, monkeypatch: pytest.MonkeyPatch):
    network, reference = load_network(folder / "model")[0], load_network(folder / "model")[0]
    objective = Preference(read(folder), reference)
    batch = objective.batches[0]
    heard: list[bool] = []

    def noted(network: StrokeModel, *rest: Any) -> object:
        heard.append(network.stack.dropout.training)
        return dpo_loss(network, *rest)

    monkeypatch.setattr(preference, "dpo_loss", noted)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    network.train()
    losses = []
    for number in range(40):
        optimizer.zero_grad()
        losses.append(float(objective.step(network, batch, number).loss))
        optimizer.step()
    assert not any(heard)
    assert network.stack.dropout.training
    assert losses[-1] < losses[0] / 2
    network.eval()
    with torch.no_grad():
        gain = (step_log_prob(network, batch.pairs) - step_log_prob(reference, batch.pairs)).sum(1)
        preferred, rejected = gain.chunk(2)
        assert bool((preferred > rejected).all())
        after, before = (float(stroke_end_loss(each, batch.prefixes)) for each in (network, reference))
        assert after < before - 0.1


def config(folder: Path, out: Path, **more: object) -> TrainConfig:
    settings = {"start": str(folder / "model"), "candidates": folder / "candidates", "preference_pairs": 4}
    return small(folder / "store", out, **{"steps": 6, **settings, **more})


def test_a_run_resumes_exactly_and_its_last_network_is_its_best(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    steps = iter(range(100))
    monkeypatch.setattr(StrokeTask, "validate", lambda *_: {"valid": float(next(steps)), "valid_half": 0.0})
    whole = config(folder, tmp_path / "whole", validate_every=0.0)
    best = read_checkpoint(fit(whole))
    last = read_checkpoint(whole.out / "last")
    assert all(np.array_equal(value, last.weights[name]) for name, value in best.weights.items())
    part = replace(whole, out=tmp_path / "part")
    fit(part, callbacks=[StopAfter(3)])
    fit(part, resume=True)
    check_same(whole.out, part.out)
    without = read_checkpoint(fit(replace(whole, out=tmp_path / "without", candidates=None)).parent / "last")
    assert any(not np.array_equal(value, without.weights[name]) for name, value in last.weights.items())
    assert best.summary["settings"]["candidates"] == "candidates"
    assert "preference_accuracy,preferred_log_ratio" in (whole.out / "log.csv").read_text().splitlines()[0]


def test_unusable_candidates_are_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SettingError, match="--from"):
        config(folder, tmp_path, start=None)
    with pytest.raises(FormatError, match="sketchgen sample-candidates"):
        prepared(config(folder, tmp_path, candidates=tmp_path))
    with pytest.raises(SettingError, match="'sun', which the network does not know"):
        PreferenceBatches(folder / "candidates", NAMES[:3], 4, 1)
    monkeypatch.setattr(preference, "MARGIN", 3.0)
    with pytest.raises(SettingError, match="no candidates of which one is clearly better"):
        read(folder)
