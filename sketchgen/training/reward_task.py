"""Training of reward models: candidates, batches, validation and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, SettingError
from sketchgen.models.checkpoint import CLASSIFIER, REWARD_MODEL, read_checkpoint
from sketchgen.models.classifier import Classifier, RewardNetwork
from sketchgen.models.config import RewardConfig
from sketchgen.models.reward_model import reward_features
from sketchgen.training.candidates import (
    CandidateSpec,
    category_index,
    draw_candidates,
    read_groups,
    read_spec,
)
from sketchgen.training.classifier_task import BATCH, load_weights
from sketchgen.training.config import RewardTrainConfig
from sketchgen.training.distributed import world_size
from sketchgen.training.loop import Task
from sketchgen.training.objectives import CrossEntropy
from sketchgen.training.reward_batches import RankedGroup, RewardBatches

MEASURED_CANDIDATES = 8
"""Candidates for each partial sketch by which a reward model is measured."""


class RewardTask(Task):
    """A reward model, by the ranking of candidates."""

    figures = ("valid", "value", "human_first")
    half = True

    def __init__(self, config: RewardTrainConfig) -> None:
        """See `sketchgen.training.trainer.make_task`."""
        if world_size() > 1:
            raise SettingError("a reward model is trained by one process; start it without torchrun")
        self._config = config
        categories = tuple(Store.open(config.store).categories)
        found = read_checkpoint(config.classifier, CLASSIFIER)
        if found.config.categories != categories:
            count, own = len(found.config.categories), len(categories)
            remedy = "train one on this store by train-classifier, and name it by --classifier"
            raise CheckpointError(f"the classifier knows {count} categories, not the store's {own}; {remedy}")
        sizes = ("entry", "widths", "heads", "pooled", "dropout")
        shape = RewardConfig(categories, **{name: getattr(found.config, name) for name in sizes})
        self.network = RewardNetwork(shape)
        if config.start is not None:
            load_weights(self.network, REWARD_MODEL, config.start, shape)
        else:
            self.network.initialise_from(Classifier.from_weights(found.config, found.weights))
        self._valid: list[RankedGroup] = []
        self._categories = categories

    def setup(self, report: Callable[[dict[str, Any]], None]) -> None:
        """Draw the candidates that are not there yet.

        Raises:
            CheckpointError: there is no such stroke model, or a folder holds other candidates.
            FormatError: candidates are damaged.
            SettingError: no drawings are long enough.
        """
        config = self._config
        count = min(config.validate_drawings, config.sketches)
        self._valid = self._drawn("valid", count, MEASURED_CANDIDATES, report)
        if config.candidates:
            specs = [(folder, read_spec(folder)) for folder in config.candidates]
            groups = [group for folder, spec in specs for group in self._read(folder, spec)]
        else:
            groups = self._drawn("train", config.sketches, config.candidates_per_sketch, report)
        if not groups:
            raise SettingError(f"{config.candidates[0]} holds no drawings that are long enough; draw more")
        self.examples = len(groups)
        batches = RewardBatches(groups, len(self._categories), config.batch, config.seed)
        self.objectives = [CrossEntropy(batches)]

    def _drawn(
        self, split: str, sketches: int, count: int, report: Callable[[dict[str, Any]], None]
    ) -> list[RankedGroup]:
        """Return the groups of a split, drawn where they are not there yet."""
        config = self._config
        spec = CandidateSpec(str(config.store), split, config.checkpoint, sketches, count, config.seed)
        folder = config.out / "candidates" / split
        progress = lambda done, total: report({"split": split, "sketches": done, "of": total})  # noqa: E731
        draw_candidates(spec, folder, config.jobs, progress)
        found = self._read(folder, spec)
        if not found:
            raise SettingError(f"{config.store} has no drawings in its {split} split that are long enough")
        return found

    def _read(self, folder: Path, spec: CandidateSpec) -> list[RankedGroup]:
        return [
            RankedGroup.of(group, category_index(folder, group, self._categories))
            for group in read_groups(folder, spec)
        ]

    def validate(self, network: RewardNetwork) -> dict[str, float]:
        """Return what the choice by score loses in value against the best, its value, and `human_first`.

        That is the share of the groups in which the person's completion has the highest score.
        """
        groups = self._valid
        first, values = 0, np.zeros((len(groups), 3))
        for row, (group, scores) in enumerate(zip(groups, _group_scores(network, groups), strict=True)):
            first += int(scores[0] > scores[1:].max())
            values[row] = group.values[int(scores[1:].argmax())], np.mean(group.values), max(group.values)
        share, chance = first / len(groups), len(groups) / sum(1 + len(group.others) for group in groups)
        chosen, mean, best = values.mean(0).tolist()
        self.card = {
            "validation_drawings": len(groups),
            "the person's completion has the highest score": f"{share:.1%} (by chance {chance:.1%})",
            "value of the chosen candidate": f"{chosen:.3f} (of any {mean:.3f}, of the best {best:.3f})",
        }
        return {"valid": best - chosen, "value": chosen, "human_first": share}


@torch.no_grad()
def _group_scores(network: RewardNetwork, groups: Sequence[RankedGroup]) -> list[np.ndarray]:
    """Return the scores of each group: the person's completion first, then the candidates."""
    device = next(network.parameters()).device
    shown = [each for group in groups for each in (group.real, *group.others)]
    owner = np.repeat(np.arange(len(groups)), [1 + len(group.others) for group in groups])
    category = np.array([group.category for group in groups])[owner]
    scores = np.zeros(len(shown), dtype=np.float32)
    order = np.argsort([len(each.lift) for each in shown], kind="stable")
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        steps, length = reward_features([shown[row] for row in rows])
        inputs = [torch.from_numpy(part).to(device) for part in (steps, length, category[rows])]
        scores[rows] = network.scores(*inputs).float().cpu().numpy()
    return np.split(scores, np.flatnonzero(np.diff(owner)) + 1)
