"""Objectives: the terms of the loss, each with its own batches.

Each adds its gradients to those of the weights in every step, at once or in parts, so that a long loss
need not be kept in memory. The first objective of a run is the one whose loss and drawings the log shows.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

from sketchgen.data.batching import Batch, TensorData
from sketchgen.errors import SettingError
from sketchgen.evaluation.likelihood import counted_log_prob, step_distribution, step_log_prob, steps_of
from sketchgen.models.features import CELLS_ACROSS
from sketchgen.models.picture_features import pictures
from sketchgen.models.stroke_model import Steps, StrokeModel, load_network
from sketchgen.sketch.strokes import Pen
from sketchgen.training.config import BoundSettings
from sketchgen.training.distributed import all_reduce

B = TypeVar("B")


@dataclass(frozen=True)
class Outcome:
    """Result of one step of an objective on this process's share of the batch.

    Attributes:
        loss: this process's part of the loss; the sum over the processes is the loss.
        figures: means for the log, by the names in `Objective.figures`.
        keys: hash of each drawing, by which a store finds it.
        losses: loss of each drawing, by which those that are not finite are found.
    """

    loss: Float[Tensor, ""]
    drawings: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    keys: Int[Tensor, " b"] | None = None
    losses: Float[Tensor, " b"] | None = None

    def suspects(self) -> list[int]:
        """Return the keys of the drawings whose loss is not finite; of all drawings where each is finite."""
        if self.keys is None or self.losses is None:
            return []
        bad = ~torch.isfinite(self.losses)
        chosen = self.keys[bad] if bool(bad.any()) else self.keys
        return [key % 2**64 for key in chosen.tolist()]


class Objective(ABC, Generic[B]):
    """A term of the loss.

    Attributes:
        batches: its batches by the number of the step.
        figures: columns of the log, beside the loss.
    """

    batches: Dataset[B]
    figures: tuple[str, ...] = ()

    @abstractmethod
    def step(self, network: Any, batch: B, number: int) -> Outcome:
        """Compute the loss of batch `number`, and add its gradients to those of the weights.

        The network is in training mode and is left in it.
        """


class Likelihood(Objective[Batch]):
    """Negative log-likelihood of the drawings, in nats a scored step, with or without distillation.

    Distillation (Hinton et al. 2015, arXiv:1503.02531) minimises the cross entropy of teacher and student.
    For two mixtures that has no closed form, but it is the mean of the student's loss over samples of the
    teacher. A step sampled from the teacher's distribution, given the same steps before it, estimates its
    gradient without bias.
    """

    def __init__(
        self, batches: Dataset[Batch], teachers: Sequence[StrokeModel] = (), distillation: float = 0.0
    ) -> None:
        """Learn from drawings, and from teachers that sample in turn; `distillation` is their share."""
        self.batches, self.teachers, self.distillation = batches, tuple(teachers), distillation

    def step(self, network: StrokeModel, batch: Batch, number: int) -> Outcome:
        """See `Objective.step`."""
        log_prob = self.log_prob(network, batch, number)
        # Divided by the steps of all processes, whose gradients are added up.
        loss = -log_prob.sum() / all_reduce(batch.scored.sum())
        loss.backward()
        return Outcome(loss.detach(), len(batch.key), keys=batch.key, losses=-log_prob.detach().sum(1))

    def log_prob(self, network: StrokeModel, batch: Batch, number: int) -> Float[Tensor, "b m"]:
        """Return the log density of each step, teacher-forced, in nats; 0 where a step does not count.

        With teachers it is the mean of those of the drawing's step and the teacher's, by their shares.
        """
        if not self.teachers:
            return step_log_prob(network, batch)
        with torch.no_grad():
            offset, pen = step_distribution(self.teachers[number % len(self.teachers)], batch).sample()
        found = step_distribution(network, batch)
        own = counted_log_prob(found, batch)
        sampled = counted_log_prob(found, replace(batch, target=offset, pen=pen))
        return torch.lerp(own, sampled, self.distillation)


class EvidenceBound(Objective[Batch]):
    """Negative evidence lower bound of a model with a latent vector, in nats a scored step.

    Ha and Eck 2017, section 3.3, with a prior that has read the given part and the category. A decoder that
    draws well by itself is slow to listen to a vector that tells nothing yet. So the vector has to tell the
    drawing's picture and category, too, and at first those alone; and the divergence weighs little at first,
    and below `free_nats` a drawing nothing.
    """

    figures = ("kl", "picture", "recognised")

    def __init__(self, batches: Dataset[Batch], settings: BoundSettings) -> None:
        self.batches, self.settings = batches, settings

    def step(self, network: StrokeModel, batch: Batch, number: int) -> Outcome:
        """See `Objective.step`."""
        settings = self.settings
        posterior, prior = network.latents(steps_of(batch), batch.length, batch.cut)
        latent, divergence = posterior.sample(), posterior.divergence(prior).sum(1)
        assert network.latent is not None
        picture = functional.binary_cross_entropy_with_logits(
            network.latent.picture(latent).float(), ink_cells(batch), reduction="none"
        ).sum(1)
        embedding = network.category.weight.detach()
        told = batch.category < len(embedding) - 1
        names = network.latent.names(latent, embedding)
        category = batch.category.where(told, 0)
        nats = functional.cross_entropy(names, category, reduction="none") * told
        weight = settings.kl_weight * (1.0 - math.exp(-number / settings.kl_steps))
        losses = settings.picture_weight * picture + settings.category_weight * nats
        heard = torch.rand(len(batch.key), device=batch.key.device) >= settings.unheard
        if number < settings.picture_steps:
            heard = torch.ones_like(heard)
        else:
            found = step_distribution(network, batch, latent * heard.unsqueeze(1))
            losses = losses - counted_log_prob(found, batch).sum(1)
        losses = losses + weight * heard * divergence.clamp(min=settings.free_nats)
        loss = losses.sum() / all_reduce(batch.scored.sum())
        loss.backward()
        figures = {
            "kl": float(divergence.detach().mean()),
            "picture": float(picture.detach().mean()),
            "recognised": float(((names.argmax(1) == category) & told).sum() / told.sum().clamp(min=1)),
        }
        return Outcome(loss.detach(), len(batch.key), figures, keys=batch.key, losses=losses.detach())


def ink_cells(batch: Batch) -> Float[Tensor, "b c"]:
    """Return in which cells of its picture, row by row, each drawing has ink, from 0 to 1."""
    length = batch.length.cpu().numpy()
    there = np.arange(batch.offset.shape[1]) < length[:, None]
    points = batch.offset.cpu().numpy().astype(np.float64).cumsum(1)[there]
    lift = batch.pen[:, :-1].cpu().numpy()[there] != Pen.DRAW
    found = pictures(points, lift, np.concatenate([[0], np.cumsum(length)]))
    side = found.shape[-1] // CELLS_ACROSS
    cells = found.reshape(len(found), CELLS_ACROSS, side, CELLS_ACROSS, side).max((2, 4))
    return torch.from_numpy(cells.reshape(len(found), -1)).to(batch.offset.device)


def load_teachers(
    names: Sequence[str], categories: tuple[str, ...], device: torch.device
) -> tuple[StrokeModel, ...]:
    """Load networks to distil."""
    found = []
    for name in names:
        network, _ = load_network(name)
        if network.config.categories != categories:
            count, own = len(network.config.categories), len(categories)
            remedy = "take one that was trained on this store"
            raise SettingError(f"teacher {name} has other categories ({count}, not these {own}); {remedy}")
        found.append(network.requires_grad_(False).to(device))
    return tuple(found)


def scored_batch(
    steps: Steps, length: Int[Tensor, " b"], cut: Int[Tensor, " b"], last: Int[Tensor, " b"]
) -> Batch:
    """Return padded drawings of so many points as a batch of which steps `cut` to `last` are scored."""
    index = torch.arange(steps.pen.shape[1] + 1, device=length.device)
    pen = functional.pad(steps.pen, (0, 1)).masked_fill(index >= length.unsqueeze(1), int(Pen.END))
    return Batch(
        offset=steps.offset,
        target=functional.pad(steps.offset, (0, 0, 0, 1)),
        pen=pen,
        length=length,
        cut=cut,
        category=steps.category,
        known=steps.known,
        scored=(index >= cut.unsqueeze(1)) & (index <= last.unsqueeze(1)),
        key=torch.zeros_like(cut),
    )


@dataclass(frozen=True)
class LabelledBatch(TensorData):
    """A batch for a network that tells classes apart, or ranks candidates.

    Attributes:
        target: right class of each row of its output, or the probability of each class.
        key: hash of each drawing; empty where drawings have none.
    """

    inputs: tuple[Tensor, ...]
    target: Int[Tensor, " b"] | Float[Tensor, "b c"]
    key: Int[Tensor, " k"]


class CrossEntropy(Objective[LabelledBatch]):
    """Cross entropy in nats a row: classification by hard targets, ranking of groups by soft ones."""

    figures = ("correct",)

    def __init__(self, batches: Dataset[LabelledBatch], smoothing: float = 0.0) -> None:
        """Learn from labelled batches; `smoothing` of each target is spread over all classes."""
        self.batches, self.smoothing = batches, smoothing

    def step(self, network: nn.Module, batch: LabelledBatch, number: int) -> Outcome:
        """See `Objective.step`."""
        logits = network(*batch.inputs).float()
        losses = functional.cross_entropy(
            logits, batch.target, reduction="none", label_smoothing=self.smoothing
        )
        loss = losses.sum() / all_reduce(torch.tensor(float(len(losses)), device=losses.device))
        loss.backward()
        best = batch.target if batch.target.dim() == 1 else batch.target.argmax(1)
        correct = float((logits.detach().argmax(1) == best).float().mean())
        keys = batch.key if len(batch.key) else None
        return Outcome(loss.detach(), len(losses), {"correct": correct}, keys, losses.detach())
