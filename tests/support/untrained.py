"""Networks with random weights: laws that hold for any weights are tested on these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from sketchgen.completion.completer import Completer
from sketchgen.models import numpy_layers
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.models.config import CELLS, ModelConfig
from sketchgen.models.numpy_stroke_model import Decoder
from sketchgen.models.stroke_model import StrokeModel

SHAPES: list[dict[str, Any]] = [{"cell": cell, "layers": layers} for cell in CELLS for layers in (1, 2)]
SHAPES += [
    {"layers": 3},
    {"inputs": "offsets", "pen": "shared", "encoder_width": 0},
    {"inputs": "moves", "pen": "softmax", "encoder_width": 0},
    {"inputs": "directed", "rotated": 2},
    {"self_attention": 16, "layers": 2},
    {"pointers": 8},
    {"inputs": "bounded", "box_components": True},
    {"inputs": "bounded", "box_components": True, "rotated": 2, "pointers": 8},
    {"pointers": 8, "self_attention": 16, "layers": 3, "cell": "gru"},
    # As wide as what it reads, so that its first layer, too, adds its inputs.
    {"pointers": 8, "self_attention": 16, "layers": 3, "cell": "gated", "embedding": 24},
]
"""What networks differ in; laws hold for each of them."""

NUMPY_SHAPES = [shape for shape in SHAPES if shape.get("cell", "lstm") in numpy_layers.CELLS]
"""Those that numpy draws with, too."""


def shaped(shape: dict[str, Any]) -> ModelConfig:
    """A small network over two categories, of a shape."""
    small: dict[str, Any] = {"layers": 1, "width": 24, "components": 3, "embedding": 16, "encoder_width": 12}
    return ModelConfig(("cat", "sun"), **(small | shape))


def network(config: ModelConfig, seed: int = 1) -> StrokeModel:
    """A network as it learns; the code of nothing is random too."""
    torch.manual_seed(seed)
    model = StrokeModel(config).eval()
    with torch.no_grad():
        model.encoder.nothing.normal_()
    return model


def decoder(model: StrokeModel) -> Decoder:
    """The same network as it draws."""
    return Decoder(model.config, model.weights())


def saved(folder: Path) -> Path:
    """A checkpoint of a network of two categories that scribbles, and is quick at it."""
    shape: dict[str, Any] = {"layers": 1, "width": 16, "components": 3, "embedding": 8, "encoder_width": 8}
    save_checkpoint(folder, network(ModelConfig(("cat", "sun"), **shape)), {"steps": 0})
    return folder


def completer(config: ModelConfig) -> Completer:
    """A completer that scribbles."""
    return Completer(decoder(network(config)), "tiny", {})


def tiny(*categories: str) -> Completer:
    """A completer of the smallest network."""
    return completer(ModelConfig(categories, width=8, layers=1, embedding=8, encoder_width=8, components=2))


def small_checkpoint(folder: Path, categories: tuple[str, ...], latent: int = 0) -> str:
    """The path of a saved network that draws in milliseconds."""
    small: dict[str, Any] = {"width": 16, "layers": 1, "embedding": 8, "encoder_width": 8, "components": 2}
    config = ModelConfig(categories, **small, latent=latent, latent_encoder=8)
    save_checkpoint(folder, network(config), {})
    return str(folder)
