"""Picture classifiers with random weights."""

from __future__ import annotations

import torch

from sketchgen.models.config import PictureConfig
from sketchgen.models.picture_classifier import PictureClassifier
from sketchgen.models.recogniser import Recogniser

CATEGORIES = ("cat", "dog", "sun", "tree")


def small(categories: tuple[str, ...] = CATEGORIES) -> PictureConfig:
    """Return a shape that computes in a millisecond."""
    return PictureConfig(categories, widths=(4, 8, 12), blocks=(0, 1, 1))


def network(config: PictureConfig | None = None, seed: int = 1) -> PictureClassifier:
    """Return a network in evaluation mode whose answers differ clearly between drawings."""
    torch.manual_seed(seed)
    model = PictureClassifier(config or small()).eval()
    with torch.no_grad():
        model.head.weight.mul_(20.0)
        for name, value in model.named_parameters():
            # Blocks that start as the identity would hide faults; so would stages with negative outputs.
            if name.endswith("norm.weight"):
                value.fill_(3.0)
            elif name.endswith("norm.bias"):
                value.fill_(0.3)
        for name, value in model.named_buffers():
            if "running" in name:
                value.add_(0.1 * torch.rand_like(value))
    return model


def recogniser(config: PictureConfig | None = None) -> Recogniser:
    """Return a recogniser with the same network."""
    model = network(config)
    loaded = PictureClassifier.from_weights(model.config, model.weights())
    return Recogniser(loaded, "tiny", {}, "pictures")
