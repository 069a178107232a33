"""The classifier of pictures, in torch: it sees ink, and neither strokes nor their order.

    from sketchgen.models.picture_classifier import load_picture_recogniser

    reading = load_picture_recogniser().read(sketches)   # log_prob (n, 345), features (n, 192)

It measures what stroke models draw, by other means than the classifier of strokes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from sketchgen.models.checkpoint import PICTURE_CLASSIFIER, read_checkpoint
from sketchgen.models.config import FIRST_SPAN, SECOND_SPAN, PictureConfig
from sketchgen.models.layers import CheckpointNetwork, Dropout
from sketchgen.models.picture_features import pictures_of
from sketchgen.models.recogniser import Recogniser
from sketchgen.sketch.sketch import Sketch

BATCH = 128
"""Drawings in a batch."""


class Convolution(nn.Module):
    """Convolution and batch norm, before the activation."""

    def __init__(self, inputs: int, outputs: int, span: int = SECOND_SPAN, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, span, stride, span // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, values: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o u v"]:
        """Return the normalised channels."""
        return self.norm(self.conv(values))


class Block(nn.Module):
    """Residual block of two convolutions, which starts as the identity: a new network is a shallow one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Convolution(width, width), Convolution(width, width)
        nn.init.zeros_(self.second.norm.weight)

    def forward(self, values: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Return the sum of input and convolutions after the activation."""
        return relu(values + self.second(relu(self.first(values))))


class PictureClassifier(CheckpointNetwork):
    """Classifier of pictures of whole drawings."""

    def __init__(self, config: PictureConfig) -> None:
        super().__init__()
        self.config = config
        sizes = list(zip((1, *config.widths[:-1]), config.widths, strict=True))
        spans = [FIRST_SPAN, *[SECOND_SPAN] * (len(sizes) - 1)]
        self.halve = nn.ModuleList(
            [Convolution(*size, span, stride=2) for size, span in zip(sizes, spans, strict=True)]
        )
        stages = zip(config.widths, config.blocks, strict=True)
        self.blocks = nn.ModuleList(
            [nn.ModuleList([Block(width) for _ in range(count)]) for width, count in stages]
        )
        self.head = nn.Linear(config.widths[-1], len(config.categories))
        self.dropout = Dropout(config.dropout)
        # Convolutions on a CPU are fastest with the channels last.
        self.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

    def forward(self, pictures: Float[Tensor, "b h w"]) -> Float[Tensor, "b c"]:
        """Return the logits of the categories; see `sketchgen.models.picture_features.pictures`."""
        return self.head(self.dropout(self.encode(pictures))).float()

    def encode(self, pictures: Float[Tensor, "b h w"]) -> Float[Tensor, "b d"]:
        """Return the representation of drawings that the last layer reads."""
        values = pictures.unsqueeze(1).contiguous(memory_format=torch.channels_last)
        for halve, blocks in zip(self.halve, self.blocks, strict=True):
            values = relu(halve(values))
            for block in blocks:  # pyright: ignore[reportGeneralTypeIssues]
                values = block(values)
        return values.float().mean((2, 3))

    @torch.inference_mode()
    def classify(
        self, sketches: Sequence[Sketch]
    ) -> tuple[Float[np.ndarray, "n c"], Float[np.ndarray, "n d"]]:
        """Return log probabilities and representations of n drawings; see `Reading`."""
        log_prob = np.zeros((len(sketches), len(self.config.categories)))
        encoded = np.zeros((len(sketches), self.config.widths[-1]), dtype=np.float32)
        for first in range(0, len(sketches), BATCH):
            rows = slice(first, first + BATCH)
            features = self.encode(torch.from_numpy(pictures_of(sketches[rows])))
            logits = self.head(features).double()
            encoded[rows], log_prob[rows] = features.numpy(), torch.log_softmax(logits, 1).numpy()
        return log_prob, encoded


def load_picture_recogniser(name_or_path: str | os.PathLike[str] | None = None) -> Recogniser:
    """Load a recogniser of pictures; see `load_recogniser`."""
    checkpoint = read_checkpoint(name_or_path, PICTURE_CLASSIFIER)
    network = PictureClassifier.from_weights(checkpoint.config, checkpoint.weights)
    return Recogniser(network, checkpoint.name, checkpoint.summary, "pictures")
