"""Critics with random weights, and ways to finish drawings: for laws that hold for any weights."""

from __future__ import annotations

import numpy as np
import torch

from sketchgen.models.reward_config import RewardConfig
from sketchgen.models.reward_model import NumpyRewardNetwork, RewardModel
from sketchgen.models.reward_network import RewardNetwork
from sketchgen.sketch.sketch import Completion, Sketch
from tests.support.recognisers import CATEGORIES, scribbles


def small(categories: tuple[str, ...] = CATEGORIES) -> RewardConfig:
    """A shape that computes in a millisecond."""
    return RewardConfig(categories, entry=16, widths=(12, 16), heads=4, pooled=24)


def network(config: RewardConfig | None = None, seed: int = 1) -> RewardNetwork:
    """A network as it learns, in evaluation mode; its scores differ clearly from drawing to drawing."""
    torch.manual_seed(seed)
    model = RewardNetwork(config or small()).eval()
    with torch.no_grad():
        model.head.weight.normal_(std=3.0)
    return model


def critic(config: RewardConfig | None = None) -> RewardModel:
    """The same network as it chooses."""
    model = network(config)
    assert isinstance(model.config, RewardConfig)
    return RewardModel(model.config, NumpyRewardNetwork(model.config, model.weights()), "tiny", {})


def finished(*lengths: int, seed: int = 0) -> list[Completion]:
    """One beginning, and a way of so many points each to finish it."""
    given, *added = scribbles(11, *lengths, seed=seed)
    return [Completion(given, each, True, 0.0) for each in added]


def moved(sketch: Sketch, scale: float, shift: float) -> Sketch:
    """The same drawing elsewhere and of another size."""
    return Sketch(tuple(np.asarray(stroke) * scale + shift for stroke in sketch.strokes))
