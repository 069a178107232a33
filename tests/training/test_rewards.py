"""Rewards agree with the values and the classifier that they stand for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import recognisers
import torch

from sketchgen.errors import SettingError
from sketchgen.evaluation.finishing import completion_values
from sketchgen.models import numpy_classifier
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.sketch.sketch import Points
from sketchgen.sketch.strokes import Pen
from sketchgen.training import rewards
from sketchgen.training.reinforce import ReinforceExample, collate, strokes_ink
from sketchgen.training.rewards import (
    Reference,
    category_log_prob,
    completion_reward,
    load_reward_classifier,
)
from sketchgen.training.rollout import Samples

NAMES = ("cat", "fish", "house", "sun")
CPU = torch.device("cpu")


def saved_classifier(folder: Path, categories: tuple[str, ...]) -> str:
    save_checkpoint(folder, recognisers.network(recognisers.small(categories=categories)), {})
    return str(folder)


def random_strokes(random: np.random.Generator, near: list[Points] | None = None) -> list[Points]:
    """Return random strokes, often near others."""
    if near is not None and random.random() < 0.7:
        return [stroke + random.normal(size=2) * random.choice([3.0, 12.0, 40.0]) for stroke in near]
    sizes = random.integers(1, 9, size=random.integers(1, 5))
    return [
        random.uniform(20, 235, 2) + np.cumsum(random.normal(size=(size, 2)) * 15.0, axis=0) for size in sizes
    ]


def reference(given: list[list[Points]], missing: list[list[Points]]) -> Reference:
    dot = Prefix(np.zeros((1, 2)), np.array([1]), np.array([0]), known=False)
    examples = [
        ReinforceExample(dot, 1.0, np.zeros(2), one, two) for one, two in zip(given, missing, strict=True)
    ]
    return collate(examples, [0] * len(given)).reference


def ended(count: int) -> torch.Tensor:
    return torch.ones(count, dtype=torch.bool)


def test_rewards_are_near_completion_values():
    random = np.random.default_rng(3)
    given, missing = [], []
    for _ in range(150):
        one, two = random_strokes(random), random_strokes(random)
        # In the box of the whole, as the drawings of a store are.
        size = 255.0 / np.ptp(np.concatenate([*one, *two]), axis=0).max()
        given.append([stroke * size for stroke in one])
        missing.append([stroke * size for stroke in two])
    added = [random_strokes(random, near) for near in missing]
    expected = np.array(
        [completion_values(one, two, [each])[0] for one, two, each in zip(given, missing, added, strict=True)]
    )
    compared = reference(given, missing)
    found = completion_reward(compared, strokes_ink(added), ended(150)).numpy()
    assert np.corrcoef(found, expected)[0, 1] > 0.95
    assert np.abs(found - expected).mean() < 0.12
    assert 0.2 < np.mean(expected > 1.0) < 0.8
    not_ended = completion_reward(compared, strokes_ink(added), ~ended(150)).numpy()
    assert np.allclose(not_ended, found - 1.0, atol=1e-5)


def test_ink_has_the_length_of_the_lines_and_lies_on_them():
    line, dot = np.array([[0.0, 0], [30, 0], [30, 40]]), np.array([[100.0, 100]])
    found = strokes_ink([[line], [line, dot], [dot], [line * 100.0]])
    assert found.length.tolist() == pytest.approx([70.0, 71.0, 1.0, 7000.0])
    assert found.valid.sum(1).tolist() == [24, 24, 1, rewards.MAX_PIECES]
    centre, direction = found.centre[0][found.valid[0]], found.direction[0][found.valid[0]]
    flat = centre[:, 0] < 29.9
    assert torch.allclose(centre[flat][:, 1], torch.zeros(1))
    assert torch.allclose(centre[~flat][:, 0], torch.tensor(30.0))
    assert torch.allclose(direction[flat], torch.tensor([1.0, 0.0]))
    assert torch.allclose(direction[~flat], torch.tensor([0.0, 1.0]))
    assert torch.allclose(centre[:10, 0].diff(), torch.tensor(70.0 / 24), atol=1e-4)
    assert found.centre[2][0].tolist() == [100.0, 100.0]
    assert found.direction[2][0].tolist() == [0.0, 0.0]


def test_only_a_whole_completion_is_finished():
    given = [np.array([[20.0, 20], [235, 20], [235, 235]])]
    missing = [np.array([[235.0, 235], [20, 235], [20, 20]])]
    half, twice = [missing[0][:2]], [*missing, missing[0] + 8.0, missing[0] - 8.0]
    # All of what is missing, and as much again far from it.
    beside = [*missing, np.array([[130.0, 60], [130, 180], [190, 60], [190, 180], [150, 60], [150, 180]])]
    added = [missing, [half[0][:, ::-1] * 0.4 + 60.0], twice, beside, [*missing, *given]]
    rows = torch.zeros(len(added), dtype=torch.int64)
    found = completion_reward(
        reference([given], [missing])[rows], strokes_ink(added), ended(len(added))
    ).tolist()
    assert found == pytest.approx(completion_values(given, missing, added), abs=0.12)
    assert [value > 1.3 for value in found] == [True, False, False, False, False]


def test_log_probabilities_are_the_classifiers_and_0_for_unconditional_drawings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rewards, "CLASSIFIER_ROWS", 2)
    monkeypatch.setattr(rewards, "MIN_LOG_PROB", -1.5)
    classifier = load_reward_classifier(saved_classifier(tmp_path / "classifier", NAMES), NAMES, CPU)
    samples = Samples(
        torch.randn(5, 8, 2) * 30.0,
        torch.full((5, 8), int(Pen.DRAW)),
        torch.ones(5, dtype=torch.int64),
        torch.tensor([8, 7, 8, 5, 8]),
        ended(5),
    )
    found = category_log_prob(classifier, samples, torch.tensor([0, 1, 2, 3, 4]))
    with torch.no_grad():
        points = samples.offset.cumsum(1).double().numpy()
        lift, length = (samples.pen == Pen.LIFT).numpy(), samples.length.numpy()
        rows = torch.from_numpy(numpy_classifier.point_features(points, lift, length))
        log_prob = torch.log_softmax(classifier(rows, samples.length), -1)
    expected = [max(float(log_prob[row, row]), -1.5) for row in range(4)]
    assert found.tolist() == pytest.approx([*expected, 0.0], abs=1e-4)
    assert -1.5 in expected
    assert any(value > -1.5 for value in expected)


def test_a_classifier_of_other_categories_is_refused(tmp_path: Path):
    path = saved_classifier(tmp_path / "classifier", ("cat", "dog"))
    with pytest.raises(SettingError, match="other categories"):
        load_reward_classifier(path, NAMES, CPU)
