"""Training of classifiers, of strokes or of pictures: batches, validation and checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sketchgen.data.drawings import Drawings
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError
from sketchgen.models.checkpoint import CLASSIFIER, PICTURE_CLASSIFIER, Kind, read_checkpoint
from sketchgen.models.classifier import Classifier
from sketchgen.models.config import ClassifierConfig, PictureConfig
from sketchgen.models.picture_classifier import PictureClassifier
from sketchgen.training.classifier_batches import ClassifierCollate, PictureCollate
from sketchgen.training.config import UNCHANGED, Augment, ClassifierTrainConfig
from sketchgen.training.datasets import Collate, StoreBatches, own_share, training_and_validation
from sketchgen.training.distributed import sum_over_processes
from sketchgen.training.loop import Task
from sketchgen.training.objectives import CrossEntropy, LabelledBatch

BATCH = 256
"""Drawings that are measured at a time."""


@dataclass(frozen=True)
class _Classifier:
    """A kind of classifier; it is measured with these `fractions` of the points shown."""

    kind: Kind[Any]
    config: Callable[[tuple[str, ...]], Any]
    network: Callable[[Any], nn.Module]
    collate: Callable[[Augment], Collate[LabelledBatch]]
    fractions: tuple[float, ...]


STROKES = _Classifier(CLASSIFIER, ClassifierConfig, Classifier, ClassifierCollate, (1.0, 0.75, 0.5, 0.25))
PICTURE = _Classifier(PICTURE_CLASSIFIER, PictureConfig, PictureClassifier, PictureCollate, (1.0,))


class ClassifierTask(Task):
    """A classifier of strokes or of pictures, by cross entropy."""

    figures = ("valid", "top1", "top5")
    half = True

    def __init__(self, config: ClassifierTrainConfig) -> None:
        """See `sketchgen.training.trainer.make_task`."""
        self._what = PICTURE if config.pictures else STROKES
        store = Store.open(config.store)
        self.split, self._valid = training_and_validation(store, config.validate_drawings)
        self.examples = len(self.split)
        shape = self._what.config(tuple(store.categories))
        self.network = self._what.network(shape)
        if config.start is not None:
            load_weights(self.network, self._what.kind, config.start, shape)
        collate = self._what.collate(config.augmentation)
        batches = StoreBatches(self.split, config.batch, config.seed, collate)
        self.objectives = [CrossEntropy(batches, config.smoothing)]

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return nats a drawing, and the shares of drawings that are right at once and among five."""
        mine, found, card = own_share(self._valid), {}, dict[str, Any]()
        device = next(network.parameters()).device
        for fraction in self._what.fractions:
            sums = [0.0, 0.0, 0.0, float(len(mine))]
            for log_prob, right in _classified(network, self._what, mine, fraction):
                own = log_prob.gather(1, right.unsqueeze(1))
                place = (log_prob > own).sum(1)
                parts = (-own.sum(), (place < 1).sum(), (place < 5).sum())
                sums = [each + float(part) for each, part in zip(sums, (*parts, 0.0), strict=True)]
            nats, first, five, count = sum_over_processes(sums, device)
            shown = "whole drawings" if fraction == 1.0 else f"first {fraction:.0%} of the points"
            card[f"top-1 / top-5, {shown}"] = f"{first / count:.1%} / {five / count:.1%}"
            if fraction == 1.0:
                found = {"valid": nats / count, "top1": first / count, "top5": five / count}
        self.card = {"validation_drawings": len(self._valid), **card}
        return found


def load_weights(network: nn.Module, kind: Kind[Any], start: str, shape: Any) -> None:
    """Load the weights of a checkpoint of the same shape.

    Raises:
        CheckpointError: there is none, it is damaged, or has other categories or another shape.
    """
    found = read_checkpoint(start, kind)
    if found.config != shape:
        remedy = "prepare the store with the same ones, or leave out --from"
        raise CheckpointError(f"{start} has other categories or another shape than the store's; {remedy}")
    network.load_state_dict(
        {name: torch.from_numpy(value) for name, value in found.weights.items()}, strict=False
    )


@torch.no_grad()
def _classified(
    network: nn.Module, what: _Classifier, drawings: Drawings, fraction: float
) -> list[tuple[Tensor, Tensor]]:
    """Return log probabilities (b, c) and the right classes (b,) of drawings of which a part is shown."""
    device = next(network.parameters()).device
    collate = what.collate(UNCHANGED)
    shown = np.maximum(1, np.rint(fraction * drawings.lengths)).astype(np.int64)
    order = np.argsort(shown, kind="stable")
    found = []
    for first in range(0, len(order), BATCH):
        rows = order[first : first + BATCH]
        batch = collate.batch(drawings.take(rows), shown[rows], np.random.default_rng(0)).to(device)
        found.append((torch.log_softmax(network(*batch.inputs).float(), 1), batch.target))
    return found
