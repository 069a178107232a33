"""Networks with random weights: laws that hold for any weights are tested on these."""

from __future__ import annotations

import torch

from sketchgen.generate.completer import Completer
from sketchgen.generate.decoder import Decoder
from sketchgen.model.config import ModelConfig
from sketchgen.model.strokemodel import StrokeModel


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


def completer(config: ModelConfig) -> Completer:
    """A completer that scribbles."""
    return Completer(decoder(network(config)), "tiny", {})
