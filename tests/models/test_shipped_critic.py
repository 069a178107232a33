"""The shipped critic: small, described, and right about what finishes a drawing."""

from __future__ import annotations

import numpy as np
import pytest

import sketchgen
from sketchgen.evaluation.unfinished import Item, unfinished
from sketchgen.models.reward_checkpoint import DEFAULT_CRITIC
from sketchgen.models.reward_model import RewardModel, load_reward_model
from sketchgen.resources import bundled, bundled_checkpoints, bundled_critics, bundled_recognisers, categories
from sketchgen.sketch.sketch import Completion, Sketch

MAX_BYTES = 8_000_000


@pytest.fixture(scope="module")
def critic() -> RewardModel:
    return load_reward_model()


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return [item for item in unfinished() if item.category in categories()]


def test_it_is_small_and_says_what_it_is(critic: RewardModel):
    folder = bundled("checkpoints", DEFAULT_CRITIC)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MAX_BYTES
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Quick, Draw!" in card
    assert "CC BY 4.0" in card
    assert critic.config.categories == tuple(categories())
    assert bundled_critics() == [DEFAULT_CRITIC]
    assert DEFAULT_CRITIC not in {*bundled_checkpoints(), *bundled_recognisers()}


def elsewhere(sketch: Sketch, right: float, down: float) -> Sketch:
    return Sketch(tuple(stroke + np.array([right, down]) for stroke in sketch.strokes))


@pytest.mark.parametrize("category", [True, False])
def test_what_is_missing_is_better_than_the_same_beside_its_place(
    critic: RewardModel, items: list[Item], category: bool
):
    better = []
    for item in items:
        shift = 0.3 * item.frame.scale * 255.0
        ways = [(0.0, 0.0), (shift, 0.0), (-shift, 0.0), (0.0, shift), (0.0, -shift)]
        found = [Completion(item.given, elsewhere(item.missing, *way)) for way in ways]
        scores = critic.scores(found, item.category if category else None)
        better.append((scores[0] > scores[1:]).mean())
    assert np.mean(better) > 0.8


def test_a_program_can_have_it():
    assert sketchgen.load_reward_model().config.categories == tuple(categories())
