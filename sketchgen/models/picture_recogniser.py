"""A judge that names pictures of drawings: it sees ink, and neither strokes nor their order.

from sketchgen.models.picture_recogniser import load_picture_judge

reading = load_picture_judge().read(sketches)   # log_prob (n, 345), features (n, 192)
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sketchgen.models.checkpoint import Weights, name_of
from sketchgen.models.picture_checkpoint import DEFAULT_PICTURE_JUDGE, read_picture_judge
from sketchgen.models.picture_classifier import PictureNetwork
from sketchgen.models.picture_config import PictureConfig
from sketchgen.models.picture_features import pictures_of
from sketchgen.models.recogniser import Reading, check_drawn
from sketchgen.sketch.sketch import Sketch

BATCH = 128
"""Drawings that are read together."""


@dataclass(frozen=True)
class PictureJudge:
    """Names pictures of drawings; make one with `load_picture_judge`.

    Attributes:
        network: in evaluation mode.
        name: the checkpoint's name or path.
        summary: how it was trained.
        sees: what it reads of a drawing, in a word.
    """

    network: PictureNetwork
    name: str
    summary: dict[str, Any]
    sees: str = "pictures"

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that it tells apart."""
        return self.network.config.categories

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        """Log probabilities and descriptions of many drawings, in their order.

        Raises:
            SketchError: a drawing is empty; the message says which.
        """
        check_drawn(sketches, "see")
        config = self.network.config
        log_prob = np.zeros((len(sketches), len(config.categories)))
        described = np.zeros((len(sketches), config.widths[-1]), dtype=np.float32)
        for first in range(0, len(sketches), BATCH):
            rows = slice(first, first + BATCH)
            with torch.inference_mode():
                features = self.network.described(torch.from_numpy(pictures_of(sketches[rows])))
                logits = self.network.head(features).double()
            described[rows], log_prob[rows] = features.numpy(), torch.log_softmax(logits, 1).numpy()
        return Reading(log_prob, described)


def built(config: PictureConfig, weights: Weights) -> PictureNetwork:
    """The network that `config` describes of `weights`, in evaluation mode."""
    network = PictureNetwork(config)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network.requires_grad_(False).eval()


def load_picture_judge(name_or_path: str | os.PathLike[str] | None = None) -> PictureJudge:
    """Load a judge of pictures by its bundled name or the path of its folder; the bundled one without either.

    Raises:
        CheckpointError: none there, one of another kind, or damaged.
    """
    checkpoint = read_picture_judge(name_or_path)
    name = name_of(name_or_path, DEFAULT_PICTURE_JUDGE)
    return PictureJudge(built(checkpoint.config, checkpoint.weights), name, checkpoint.summary)
