"""Recognisers with random weights, and drawings for them: for laws that hold for any weights."""

from __future__ import annotations

import numpy as np
import torch

from sketchgen.models.classifier import RecogniserNetwork
from sketchgen.models.classifier_config import RecogniserConfig
from sketchgen.models.numpy_classifier import Places, Reader
from sketchgen.models.recogniser import Recogniser
from sketchgen.sketch.sketch import Sketch

CATEGORIES = ("cat", "dog", "sun", "tree")


def small(widths: tuple[int, ...] = (12, 16), categories: tuple[str, ...] = CATEGORIES) -> RecogniserConfig:
    """A shape that computes in a millisecond."""
    return RecogniserConfig(categories, entry=16, widths=widths, heads=4, pooled=24)


def network(config: RecogniserConfig | None = None, seed: int = 1) -> RecogniserNetwork:
    """A network as it learns, in evaluation mode; its answers differ clearly from drawing to drawing."""
    torch.manual_seed(seed)
    model = RecogniserNetwork(config or small()).eval()
    with torch.no_grad():
        model.head.weight.mul_(20.0)
    return model


def recogniser(config: RecogniserConfig | None = None) -> Recogniser:
    """The same network as it reads."""
    model = network(config)
    return Recogniser(Reader(model.config, model.weights()), "tiny", {})


def places(*lengths: int, seed: int = 0) -> list[Places]:
    """Scribbles of so many points each, in the 255 box."""
    random = np.random.default_rng(seed)
    found = []
    for length in lengths:
        lift = random.random(length) < 0.2
        lift[-1] = True
        found.append((random.random((length, 2)) * 255.0, lift))
    return found


def scribbles(*lengths: int, seed: int = 0) -> list[Sketch]:
    """The same scribbles as sketches."""
    sketches = []
    for points, lift in places(*lengths, seed=seed):
        cuts = np.flatnonzero(lift)[:-1] + 1
        sketches.append(Sketch.from_strokes(np.split(points, cuts)))
    return sketches
