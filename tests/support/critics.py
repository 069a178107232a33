"""Reward models with random weights, and completions for them."""

from __future__ import annotations

import numpy as np
import torch

from sketchgen.models.classifier import RewardNetwork
from sketchgen.models.config import RewardConfig
from sketchgen.models.reward_model import NumpyRewardNetwork, RewardModel
from sketchgen.sketch.sketch import Completion, Sketch
from tests.support.recognisers import CATEGORIES, scribbles


def small(categories: tuple[str, ...] = CATEGORIES) -> RewardConfig:
    """Return a shape that computes in a millisecond."""
    return RewardConfig(categories, entry=16, widths=(12, 16), heads=4, pooled=24)


def network(config: RewardConfig | None = None, seed: int = 1) -> RewardNetwork:
    """Return a torch network in evaluation mode whose scores differ clearly between drawings."""
    torch.manual_seed(seed)
    model = RewardNetwork(config or small()).eval()
    with torch.no_grad():
        model.head.weight.normal_(std=3.0)
    return model


def reward_model(config: RewardConfig | None = None) -> RewardModel:
    """Return the same network in numpy."""
    model = network(config)
    return RewardModel(NumpyRewardNetwork(model.config, model.weights()), "tiny", {})


def finished(*lengths: int, seed: int = 0) -> list[Completion]:
    """Return completions of one partial sketch with these numbers of added points."""
    given, *added = scribbles(11, *lengths, seed=seed)
    return [Completion(given, each, True, 0.0) for each in added]


def moved(sketch: Sketch, scale: float, shift: float) -> Sketch:
    """Return the same drawing elsewhere and of another size."""
    return Sketch(tuple(np.asarray(stroke) * scale + shift for stroke in sketch.strokes))
