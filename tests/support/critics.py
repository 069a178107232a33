"""Critics with random weights, and ways to finish drawings: for laws that hold for any weights."""

from __future__ import annotations

import numpy as np
import torch

from sketchgen.drawing.sketch import Completion, Sketch
from sketchgen.recognition.critic import Critic, CriticReader
from sketchgen.recognition.critic_config import CriticConfig
from sketchgen.recognition.critic_network import CriticNetwork
from tests.support.recognisers import CATEGORIES, scribbles


def small(categories: tuple[str, ...] = CATEGORIES) -> CriticConfig:
    """A shape that computes in a millisecond."""
    return CriticConfig(categories, entry=16, widths=(12, 16), heads=4, pooled=24)


def network(config: CriticConfig | None = None, seed: int = 1) -> CriticNetwork:
    """A network as it learns, in evaluation mode; its scores differ clearly from drawing to drawing."""
    torch.manual_seed(seed)
    model = CriticNetwork(config or small()).eval()
    with torch.no_grad():
        model.head.weight.normal_(std=3.0)
    return model


def critic(config: CriticConfig | None = None) -> Critic:
    """The same network as it chooses."""
    model = network(config)
    assert isinstance(model.config, CriticConfig)
    return Critic(model.config, CriticReader(model.config, model.weights()), "tiny", {})


def finished(*lengths: int, seed: int = 0) -> list[Completion]:
    """One beginning, and a way of so many points each to finish it."""
    given, *added = scribbles(11, *lengths, seed=seed)
    return [Completion(given, each, True, 0.0) for each in added]


def moved(sketch: Sketch, scale: float, shift: float) -> Sketch:
    """The same drawing elsewhere and of another size."""
    return Sketch(tuple(np.asarray(stroke) * scale + shift for stroke in sketch.strokes))
