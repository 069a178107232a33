"""Judges of pictures with random weights: for laws that hold for any weights."""

from __future__ import annotations

import torch

from sketchgen.models.picture_classifier import PictureNetwork
from sketchgen.models.picture_config import PictureConfig
from sketchgen.models.picture_recogniser import PictureJudge, built

CATEGORIES = ("cat", "dog", "sun", "tree")


def small(categories: tuple[str, ...] = CATEGORIES) -> PictureConfig:
    """A shape that computes in a millisecond."""
    return PictureConfig(categories, widths=(4, 8, 12), blocks=(0, 1, 1))


def network(config: PictureConfig | None = None, seed: int = 1) -> PictureNetwork:
    """A network as it learns, in evaluation mode; its answers differ clearly from drawing to drawing."""
    torch.manual_seed(seed)
    model = PictureNetwork(config or small()).eval()
    with torch.no_grad():
        model.head.weight.mul_(20.0)
        for name, value in model.named_parameters():
            # Blocks that begin as nothing would hide what they do; so would stages where all is negative.
            if name.endswith("norm.weight"):
                value.fill_(3.0)
            elif name.endswith("norm.bias"):
                value.fill_(0.3)
        for name, value in model.named_buffers():
            if "running" in name:
                value.add_(0.1 * torch.rand_like(value))
    return model


def judge(config: PictureConfig | None = None) -> PictureJudge:
    """The same network as it judges."""
    model = network(config)
    return PictureJudge(built(model.config, model.weights()), "tiny", {})
