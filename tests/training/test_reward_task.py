"""Batches for a reward model: with a person's and a spoiled completion, or the model's alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sketchgen.models.classifier import GROUP
from sketchgen.models.reward_model import resimplified
from sketchgen.training import reward_task
from sketchgen.training.objectives import LabelledBatch
from sketchgen.training.reward_task import CONDITIONAL, RankedGroup, RewardBatches, reward_batch
from tests.support.recognisers import scribbles


def group(number: int, count: int = 3, points: int = 12) -> RankedGroup:
    given, rest, *others = (
        list(each.strokes) for each in scribbles(points, 9, *range(9, 9 + count), seed=number)
    )
    shown = [resimplified(given, each) for each in others]
    values = [0.1 * place for place in range(count)]
    return RankedGroup(number % 4, given, rest, resimplified(given, rest), shown, values)


def made(groups: list[RankedGroup], seed: int = 0) -> SimpleNamespace:
    batch = reward_batch(groups, 4, np.random.default_rng(seed))
    steps, length, category = (part.numpy() for part in batch.inputs)
    return SimpleNamespace(steps=steps, length=length, category=category, target=batch.target.numpy())


@pytest.fixture
def with_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """No groups of the model alone."""
    monkeypatch.setattr(reward_task, "MODEL_ONLY", 0.0)


def same(one: LabelledBatch, two: LabelledBatch) -> bool:
    return all(map(torch.equal, (*one.inputs, one.target), (*two.inputs, two.target)))


def test_batch_number_i_is_the_same_whenever_it_is_asked_for():
    groups = [group(number) for number in range(10)]
    one, two = RewardBatches(groups, 4, 3, 7), RewardBatches(groups, 4, 3, 7)
    found = [one[number] for number in range(9)]
    assert all(same(two[number], found[number]) for number in (8, 2, 5, 0))
    assert not same(found[0], found[4])
    assert not same(RewardBatches(groups, 4, 3, 8)[0], found[0])


def test_an_epoch_shows_every_group_once():
    groups = [group(number, points=5 + number) for number in range(10)]
    plan = RewardBatches(groups, 4, 3, 7)._planned(2)
    assert sorted(np.concatenate(plan).tolist()) == list(range(10))
    assert sorted(map(len, plan)) == [1, 3, 3, 3]
    # Those of a batch are about as long.
    longest = [max(len(each.lift) for each in (group.real, *group.others)) for group in groups]
    lengths = [[longest[row] for row in rows] for rows in plan]
    assert all(max(part) - min(part) <= 4 for part in lengths)


def test_the_persons_completion_comes_first_and_all_are_changed_alike(with_people: None):
    one = group(1)
    batch = made([one, group(2)])
    assert batch.steps.shape[0] == 2 * GROUP
    assert batch.target.tolist() == [[1.0, 0.0, 0.0, 0.0, 0.0]] * 2
    assert batch.length[0] == len(one.real.lift)
    assert sorted(batch.length[1 : GROUP - 1]) == sorted(len(each.lift) for each in one.others)
    # How far the other ink is, which no change touches, tells the completions apart.
    near = np.exp(-one.real.to_other_part / 6.0)
    np.testing.assert_allclose(batch.steps[0, : batch.length[0], 14], near, rtol=1e-5)
    assert not any(np.allclose(np.exp(-each.to_other_part[:20] / 6.0), near[:20]) for each in one.others)
    # Which points were added is a feature.
    assert batch.steps[0, : batch.length[0], 13].tolist() == one.real.added.astype(float).tolist()


def test_where_the_model_has_fewer_candidates_some_come_twice(with_people: None):
    batch = made([group(1, count=1)])
    assert len(set(batch.length[1 : GROUP - 1].tolist())) == 1


def test_a_tenth_is_shown_without_the_category():
    batch = made([group(3)] * 400)
    shown = batch.category.reshape(400, GROUP)
    assert (shown == shown[:, :1]).all()
    assert set(shown[:, 0].tolist()) == {3, 4}
    assert abs((shown[:, 0] == 3).mean() - CONDITIONAL) < 0.05


def test_the_spoiled_completion_is_not_the_persons(with_people: None):
    one = group(1, points=30)
    shares = []
    for seed in range(40):
        batch = made([one], seed)
        last = batch.steps[-1, : batch.length[-1]]
        added = last[:, 13] == 1
        assert added.any()
        assert (~added).sum() == (~one.real.added).sum()
        shares.append(added.sum() / one.real.added.sum())
    # Some are moved or of another size, and have all of it; of some a part is missing.
    assert 0.2 < np.mean(np.isclose(shares, 1.0)) < 0.8


def test_most_groups_are_of_the_model_and_have_targets_by_value():
    one = group(3, count=8)
    batch = made([one] * 500)
    alone = batch.target[:, 0] < 1.0
    assert abs(alone.mean() - reward_task.MODEL_ONLY) < 0.06
    np.testing.assert_allclose(batch.target.sum(1), 1.0, rtol=1e-6)
    length = batch.length.reshape(-1, GROUP)
    near = batch.steps[..., 14].reshape(500, GROUP, -1)
    for row in np.flatnonzero(alone)[:20]:
        # Which of the candidates each one is shows in how far the other ink is, which no change touches.
        chosen = []
        for place in range(GROUP):
            far = [
                np.exp(-each.to_other_part / 6.0) if len(each.lift) == length[row, place] else np.zeros(0)
                for each in one.others
            ]
            (number,) = (
                index
                for index, each in enumerate(far)
                if len(each) and np.allclose(each, near[row, place, : len(each)], atol=1e-5)
            )
            chosen.append(number)
        assert len(set(chosen)) == GROUP
        # A value that is lower by 0.25 makes a candidate e times less likely the best.
        values = np.array([one.values[number] for number in chosen])
        likely = np.log(batch.target[row])
        np.testing.assert_allclose(likely - likely[0], (values - values[0]) / 0.25, atol=1e-4)


def test_a_single_candidate_is_compared_with_the_persons():
    batch = made([group(1, count=1)] * 40)
    assert (batch.target[:, 0] == 1.0).all()
