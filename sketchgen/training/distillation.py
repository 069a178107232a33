"""What a batch teaches: the drawings as they are, and how a network that has learned already would go on.

Hinton et al. 2015, "Distilling the knowledge in a neural network". What they do with classes does not carry
over as it is: mixtures cannot be compared component by component, and the cross entropy of two of them has no
closed form. But it is the mean of the pupil's loss over what the teacher draws. So a step drawn from the
teacher's distribution, beside the one that was drawn by a person, gives its gradient without bias. Of a
drawing that is seen a hundred times each time teaches something else, and no teacher's step can be learned
by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from sketchgen.data.batching import Batch
from sketchgen.errors import SettingError
from sketchgen.evaluation.likelihood import counted_log_prob, step_distribution
from sketchgen.models.stroke_model import StrokeModel, load_network


def load_teachers(
    names: Sequence[str], categories: tuple[str, ...], device: torch.device
) -> tuple[StrokeModel, ...]:
    """Networks to learn from.

    Args:
        names: names or paths of checkpoints.
        categories: those of the network that learns, which theirs must be.
        device: where they compute.

    Raises:
        CheckpointError: no checkpoint there.
        SettingError: one of other categories.
    """
    found = []
    for name in names:
        network, _ = load_network(name)
        if network.config.categories != categories:
            count, own = len(network.config.categories), len(categories)
            remedy = "take one that was trained on this store"
            raise SettingError(f"teacher {name} has other categories ({count}, not these {own}); {remedy}")
        found.append(network.requires_grad_(False).to(device))
    return tuple(found)


class Lessons:
    """Batches as they are learned."""

    def __init__(self, teachers: Sequence[StrokeModel] = (), teaching: float = 0.0) -> None:
        """Learn from drawings and from `teachers`.

        Args:
            teachers: of which each batch asks one.
            teaching: their share, 0 to 1, in what is learned.
        """
        self.teachers, self.teaching = tuple(teachers), teaching

    def log_prob(self, network: StrokeModel, batch: Batch, number: int) -> Tensor:
        """(b, n + 1) log density of each step of a batch, teacher-forced; 0 where a step does not count.

        With teachers, the mean of that of the drawing's step and of the teacher's, by their shares.

        Args:
            network: what learns.
            batch: the drawings.
            number: of the batch, which says what teacher's turn it is.
        """
        example = self._example(batch, number) if self.teachers else None
        found = step_distribution(network, batch)
        own = counted_log_prob(found, batch)
        return own if example is None else torch.lerp(own, counted_log_prob(found, example), self.teaching)

    @torch.no_grad()
    def _example(self, batch: Batch, number: int) -> Batch:
        """The batch with each step as a teacher would have drawn it behind those before."""
        offset, pen = step_distribution(self.teachers[number % len(self.teachers)], batch).sample()
        return replace(batch, target=offset, pen=pen)
