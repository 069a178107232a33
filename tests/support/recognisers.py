"""Classifiers with random weights, and drawings for them."""

from __future__ import annotations

import numpy as np
import torch

from sketchgen.models.classifier import Classifier
from sketchgen.models.config import ClassifierConfig
from sketchgen.models.numpy_classifier import NumpyClassifier
from sketchgen.models.recogniser import Recogniser
from sketchgen.sketch.sketch import Sketch

CATEGORIES = ("cat", "dog", "sun", "tree")


def small(widths: tuple[int, ...] = (12, 16), categories: tuple[str, ...] = CATEGORIES) -> ClassifierConfig:
    """Return a shape that computes in a millisecond."""
    return ClassifierConfig(categories, entry=16, widths=widths, heads=4, pooled=24)


def network(config: ClassifierConfig | None = None, seed: int = 1) -> Classifier:
    """Return a torch network in evaluation mode whose answers differ clearly between drawings."""
    torch.manual_seed(seed)
    model = Classifier(config or small()).eval()
    with torch.no_grad():
        model.head.weight.mul_(20.0)
    return model


def recogniser(config: ClassifierConfig | None = None) -> Recogniser:
    """Return the same network in numpy."""
    model = network(config)
    return Recogniser(NumpyClassifier(model.config, model.weights()), "tiny", {})


def scribbles(*lengths: int, seed: int = 0) -> list[Sketch]:
    """Return drawings of so many random points each in the 255 box, a fifth of which end a stroke."""
    random = np.random.default_rng(seed)
    sketches = []
    for length in lengths:
        lift, points = random.random(length) < 0.2, random.random((length, 2)) * 255.0
        sketches.append(Sketch.from_strokes(np.split(points, np.flatnonzero(lift[:-1]) + 1)))
    return sketches
