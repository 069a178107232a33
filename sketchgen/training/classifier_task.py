"""Training of classifiers, of strokes or of pictures: batches with random changes, and validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from sketchgen.data.batching import warps
from sketchgen.data.drawings import Drawings
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError
from sketchgen.models.checkpoint import CLASSIFIER, PICTURE_CLASSIFIER, Kind, read_checkpoint
from sketchgen.models.classifier import Classifier
from sketchgen.models.config import ClassifierConfig, PictureConfig
from sketchgen.models.numpy_classifier import in_own_box, point_features
from sketchgen.models.picture_classifier import PictureClassifier
from sketchgen.models.picture_features import pictures
from sketchgen.sketch.geometry import CENTRE
from sketchgen.training.config import PICTURES, UNCHANGED, Augment, ClassifierTrainConfig
from sketchgen.training.datasets import (
    Collate,
    StoreBatches,
    own_share,
    training_and_validation,
    validation_notes,
)
from sketchgen.training.distributed import sum_over_processes
from sketchgen.training.loop import Task
from sketchgen.training.objectives import CrossEntropy, LabelledBatch

DROPPED_POINTS, MAX_DROPPED_STROKES = 0.15, 0.5
"""Probability that a point is left out of a drawing where some are, and the highest one of a stroke."""


@dataclass(frozen=True)
class ClassifierCollate(Collate[LabelledBatch]):
    """Batches for a classifier of strokes."""

    augment: Augment

    def shown(self, drawings: Drawings, random: np.random.Generator) -> Int[np.ndarray, " n"]:
        """Return how many points of each drawing are shown: all, or those up to a cut.

        Half of the cuts are anywhere after the first point; the others at the end of a stroke that is not
        the last. A drawing of one stroke is cut anywhere.
        """
        length = drawings.lengths
        anywhere = 1 + np.floor(random.random(len(length)) * length).astype(np.int64)
        ends = np.flatnonzero(drawings.lift)
        # The ends of drawing i are ends[before[i]:before[i + 1]]; the last one is the drawing's.
        before = np.searchsorted(ends, drawings.start)
        inner = np.diff(before) - 1
        which = before[:-1] + np.floor(random.random(len(length)) * np.maximum(inner, 0)).astype(np.int64)
        at_end = ends[which] + 1 - drawings.start[:-1]
        cut = np.where((random.random(len(length)) < 0.5) & (inner > 0), at_end, anywhere)
        return np.where(random.random(len(length)) < self.augment.cut, cut, length)

    def batch(
        self, drawings: Drawings, shown: Int[np.ndarray, " b"], random: np.random.Generator
    ) -> LabelledBatch:
        """Return the features (b, n, 13) and lengths (b,) of the first `shown` points, labelled."""
        augment, index = self.augment, np.arange(int(shown.max()))
        rows = drawings.start[:-1, None] + np.minimum(index, shown[:, None] - 1)
        there = index < shown[:, None]
        order, lifts = _any_order(drawings, random, augment.any_order)
        lift = lifts[rows] | (index == shown[:, None] - 1)
        points = drawings.points[order[rows]].astype(np.float64) - CENTRE
        kept = there & _kept_strokes(lift, there, random, augment.drop_strokes)
        kept &= _kept_points(lift, random, augment.drop_points)
        points, lift, length = _packed(points, lift, kept)
        valid = index[: lift.shape[1]] < length[:, None]
        points = in_own_box(points @ random_warps(len(points), random, augment), valid)
        # A dot is moved by noise, but has no extent to be scaled up to the box.
        noise = random.normal(size=points.shape) * augment.jitter
        steps = point_features(points + noise, lift & valid, length)
        return _labelled(drawings, torch.from_numpy(steps), torch.from_numpy(length))


@dataclass(frozen=True)
class PictureCollate(Collate[LabelledBatch]):
    """Batches for a classifier of pictures: whole drawings, changed by `warp` and `mirror` only."""

    augment: Augment

    def shown(self, drawings: Drawings, random: np.random.Generator) -> Int[np.ndarray, " n"]:
        """Return the same number for all drawings, so that batches mix their lengths."""
        return np.ones(len(drawings), dtype=np.int64)

    def batch(
        self, drawings: Drawings, shown: Int[np.ndarray, " b"], random: np.random.Generator
    ) -> LabelledBatch:
        """Return drawings as pictures, (b, 64, 64), labelled."""
        warps = random_warps(len(drawings), random, self.augment)
        owner = np.repeat(np.arange(len(drawings)), drawings.lengths)
        points = np.einsum("pi,pij->pj", drawings.points.astype(np.float64) - CENTRE, warps[owner])
        return _labelled(drawings, torch.from_numpy(pictures(points, drawings.lift, drawings.start)))


def _labelled(drawings: Drawings, *inputs: torch.Tensor) -> LabelledBatch:
    """Return inputs with the drawings' categories."""
    keys = torch.from_numpy(drawings.key.astype(np.int64))
    return LabelledBatch(inputs, torch.from_numpy(drawings.category.astype(np.int64)), keys)


def _any_order(
    drawings: Drawings, random: np.random.Generator, share: float
) -> tuple[Int[np.ndarray, " p"], Bool[np.ndarray, " p"]]:
    """Return the points' numbers and pen lifts with the strokes of a share of the drawings in random order.

    Half of these strokes run in the other direction: people begin a thing anywhere, not only where most do.
    """
    owner = np.repeat(np.arange(len(drawings)), drawings.lengths)
    stroke, place = np.cumsum(drawings.lift) - drawings.lift, np.arange(len(owner))
    moved = (random.random(len(drawings)) < share)[owner]
    count = int(drawings.lift.sum())
    rank, backwards = random.random(count), random.random(count) < 0.5
    order = np.lexsort(
        (np.where(moved & backwards[stroke], -place, place), np.where(moved, rank[stroke], stroke), owner)
    )
    return order, np.append(np.diff(stroke[order]) != 0, True)


def _kept_strokes(
    lift: Bool[np.ndarray, "b n"], shown: Bool[np.ndarray, "b n"], random: np.random.Generator, share: float
) -> Bool[np.ndarray, "b n"]:
    """Return which points stay when strokes are left out; a drawing that would lose all keeps all."""
    stroke = np.cumsum(lift, axis=1) - lift
    out = random.random(lift.shape) < MAX_DROPPED_STROKES * random.random((len(lift), 1))
    left = ~np.take_along_axis(out, stroke, 1)
    whole = (random.random(len(lift)) >= share) | ~(left & shown).any(1)
    return left | whole[:, None]


def _kept_points(
    lift: Bool[np.ndarray, "b n"], random: np.random.Generator, share: float
) -> Bool[np.ndarray, "b n"]:
    """Return which points stay when points are left out; the first and the last of a stroke do."""
    ends = lift.copy()
    ends[:, 0] = True
    ends[:, 1:] |= lift[:, :-1]
    whole = random.random(len(lift)) >= share
    return ends | whole[:, None] | (random.random(lift.shape) >= DROPPED_POINTS)


def _packed(
    points: Float[np.ndarray, "b n 2"], lift: Bool[np.ndarray, "b n"], kept: Bool[np.ndarray, "b n"]
) -> tuple[Float[np.ndarray, "b m 2"], Bool[np.ndarray, "b m"], Int[np.ndarray, " b"]]:
    """Move the kept points of each drawing to its front; return them and their number."""
    length = kept.sum(1)
    order = np.argsort(~kept, axis=1, kind="stable")[:, : int(length.max())]
    return np.take_along_axis(points, order[..., None], 1), np.take_along_axis(lift, order, 1), length


def random_warps(count: int, random: np.random.Generator, augment: Augment) -> Float[np.ndarray, "b 2 2"]:
    """Return matrices that change drawings at random; see `warps`."""
    angle, shear, stretch = random.normal(size=(3, count)) * [[0.1], [0.1], [0.12]]
    warped = random.random(count) < augment.warp
    side = np.where(random.random(count) < augment.mirror, -1.0, 1.0)
    return warps(angle * warped, shear * warped, stretch * warped, side)


BATCH = 256
"""Drawings that are measured at a time."""


@dataclass(frozen=True)
class _Classifier:
    """A kind of classifier; it is measured with these `fractions` of the points shown."""

    kind: Kind[Any]
    config: Callable[..., Any]
    network: Callable[[Any], nn.Module]
    collate: Callable[[Augment], Collate[LabelledBatch]]
    fractions: tuple[float, ...]


STROKES = _Classifier(CLASSIFIER, ClassifierConfig, Classifier, ClassifierCollate, (1.0, 0.75, 0.5, 0.25))
PICTURE = _Classifier(PICTURE_CLASSIFIER, PictureConfig, PictureClassifier, PictureCollate, (1.0,))


class ClassifierTask(Task):
    """A classifier of strokes or of pictures, by cross entropy."""

    half = True

    def __init__(self, config: ClassifierTrainConfig) -> None:
        self._what = PICTURE if config.pictures else STROKES
        store = Store.open(config.store)
        self.split, self._valid, self._held_out = training_and_validation(store, config.validate_drawings)
        self.notes, self.keep_last = validation_notes(self._valid, self._held_out), not self._held_out
        self.figures = ("valid", "top1", "top5") if self._held_out else ("train", "train_top1", "train_top5")
        self.examples = len(self.split)
        settings = {} if config.pictures else vars(config.model)
        shape = self._what.config(tuple(store.categories), **settings)
        self.network = self._what.network(shape)
        if config.start is not None:
            load_weights(self.network, self._what.kind, config.start, shape)
        usual = PICTURES if config.pictures else Augment()
        collate = self._what.collate(config.augment or usual)
        batches = StoreBatches(self.split, config.batch, config.seed, collate, config.balance)
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
                self.check_time()
            nats, first, five, count = sum_over_processes(sums, device)
            shown = "whole drawings" if fraction == 1.0 else f"first {fraction:.0%} of the points"
            card[f"top-1 / top-5, {shown}"] = f"{first / count:.1%} / {five / count:.1%}"
            if fraction == 1.0:
                shares = (nats / count, first / count, five / count)
                found = dict(zip(self.figures, shares, strict=True))
        if not self._held_out:
            card = {f"of training drawings: {name}": value for name, value in card.items()}
        self.card = {"validation_drawings": len(self._valid) if self._held_out else 0, **card}
        return found


def load_weights(network: nn.Module, kind: Kind[Any], start: str, shape: Any) -> None:
    """Load the weights of a checkpoint of the same shape."""
    found = read_checkpoint(start, kind)
    if found.config != shape:
        remedy = "prepare the store with the same ones, name the same cell and widths, or leave out --from"
        raise CheckpointError(f"{start} has other categories or another shape than this run; {remedy}")
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
