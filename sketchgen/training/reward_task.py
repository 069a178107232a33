"""Training of reward models, by groups of completions of the same partial sketch.

In some groups the first completion is the person's and the target is to rank it first. Other groups hold
candidates of the model alone, as in ranking, and the target follows from their values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, SettingError
from sketchgen.models.checkpoint import CLASSIFIER, REWARD_MODEL, read_checkpoint
from sketchgen.models.classifier import GROUP, Classifier, RewardNetwork
from sketchgen.models.config import RewardConfig
from sketchgen.models.numpy_classifier import padded
from sketchgen.models.reward_model import MarkedSketch, resimplified, reward_features
from sketchgen.sketch.sketch import Points
from sketchgen.training.candidates import (
    CandidateGroup,
    CandidateSpec,
    category_index,
    draw_candidates,
    read_groups,
    read_spec,
)
from sketchgen.training.classifier_task import BATCH, load_weights, random_warps
from sketchgen.training.config import UNCHANGED, RewardTrainConfig
from sketchgen.training.distributed import world_size
from sketchgen.training.loop import Task
from sketchgen.training.objectives import CrossEntropy, LabelledBatch

MODEL_ONLY = 0.6
"""Share of the groups that hold candidates of the model alone."""

TEMPERATURE = 0.25
"""Temperature of the softmax of values that is the target of these groups (Cao et al. 2007, "Learning to
rank: from pairwise approach to listwise approach")."""

CONDITIONAL = 0.9
"""Share of the groups that are shown with their category."""

INCOMPLETE, RESIZED = 0.5, 0.85
"""Bounds of a uniform random number: a spoiled completion is incomplete below the first if there is something
to leave out, resized above the second, and moved otherwise."""

WINDOW = 32
"""Batches whose groups are sorted by length together."""

AUGMENT = replace(UNCHANGED, warp=0.8, mirror=0.2, jitter=1.0)
"""Augmentation of drawings, the same for all of a group."""


@dataclass(frozen=True)
class RankedGroup:
    """Completions of a partial sketch, as a reward model reads them.

    Attributes:
        given, rest: strokes of the partial sketch, and the person's further ones, px of the 255 box.
        others: the model's candidates; one at least.
    """

    category: int
    given: Sequence[Points]
    rest: Sequence[Points]
    real: MarkedSketch
    others: Sequence[MarkedSketch]
    values: Sequence[float]

    @classmethod
    def of(cls, group: CandidateGroup, category: int) -> RankedGroup:
        """Return a group of candidates without those that are empty."""
        found = [(each, value) for each, value in zip(group.candidates, group.values, strict=True) if each]
        others = [resimplified(group.given, each) for each, _ in found]
        real = resimplified(group.given, group.rest)
        return cls(category, group.given, group.rest, real, others, [value for _, value in found])


class RewardBatches(Dataset[LabelledBatch]):
    """Batches of groups, 0, 1, ... without end; batch i is the same whenever it is asked for."""

    def __init__(self, groups: Sequence[RankedGroup], categories: int, batch: int, seed: int) -> None:
        self._groups, self._categories, self._batch, self._seed = groups, categories, batch, seed
        drawings = ((group.real, *group.others) for group in groups)
        self._length = np.array([max(len(each.lift) for each in some) for some in drawings])
        self._epoch, self._plan = -1, list[np.ndarray]()

    def __getitem__(self, number: int) -> LabelledBatch:
        epoch, place = divmod(number, -(-len(self._groups) // self._batch))
        if epoch != self._epoch:
            self._epoch, self._plan = epoch, self._planned(epoch)
        random = np.random.default_rng([self._seed, 1, number, 0])
        return reward_batch([self._groups[row] for row in self._plan[place]], self._categories, random)

    def _planned(self, epoch: int) -> list[np.ndarray]:
        """Return the rows of each batch of an epoch; the groups of a batch have similar lengths."""
        random = np.random.default_rng([self._seed, 2, epoch])
        order = random.permutation(len(self._groups))
        size = self._batch * WINDOW
        windows = [order[first : first + size] for first in range(0, len(order), size)]
        alike = np.concatenate([part[np.argsort(self._length[part], kind="stable")] for part in windows])
        batches = [alike[first : first + self._batch] for first in range(0, len(alike), self._batch)]
        return [batches[index] for index in random.permutation(len(batches))]


def reward_batch(
    groups: Sequence[RankedGroup], categories: int, random: np.random.Generator
) -> LabelledBatch:
    """Return g groups as a batch: features, lengths and categories of `GROUP` drawings each, and a target.

    The target, (g, `GROUP`), is the probability of each drawing to be the best of its group. An unconditional
    group has the number of categories as its category. A group consists of the person's completion, some of
    the model's and a spoiled one, or of the model's alone.
    """
    drawings: list[MarkedSketch] = []
    target = np.zeros((len(groups), GROUP), dtype=np.float32)
    for row, group in enumerate(groups):
        if random.random() < MODEL_ONLY and len(group.others) > 1:
            chosen = _some(group, GROUP, random)
            drawings += [group.others[number] for number in chosen]
            likely = np.exp((np.array(group.values)[chosen] - max(group.values)) / TEMPERATURE)
            target[row] = likely / likely.sum()
        else:
            some = [group.others[number] for number in _some(group, GROUP - 2, random)]
            drawings += [group.real, *some, _spoiled(group, random)]
            target[row, 0] = 1.0
    points, _, _ = padded([(each.points, each.lift) for each in drawings])
    warps = np.repeat(random_warps(len(groups), random, AUGMENT), GROUP, axis=0)
    moved = points @ warps + random.normal(size=points.shape) * AUGMENT.jitter
    steps, length = reward_features(drawings, moved)
    known = random.random(len(groups)) < CONDITIONAL
    shown = np.repeat(np.where(known, [group.category for group in groups], categories), GROUP)
    inputs = tuple(map(torch.from_numpy, (steps, length, shown)))
    return LabelledBatch(inputs, torch.from_numpy(target), torch.zeros(0, dtype=torch.int64))


def _some(group: RankedGroup, count: int, random: np.random.Generator) -> list[int]:
    """Return the numbers of `count` random candidates; if there are fewer, some are repeated."""
    order = random.permutation(len(group.others))
    return [int(order[number % len(order)]) for number in range(count)]


def _spoiled(group: RankedGroup, random: np.random.Generator) -> MarkedSketch:
    """Return the person's completion with the added part incomplete, resized or moved."""
    whole = np.concatenate(list(group.rest))
    side = max(float(np.ptp(whole, axis=0).max()), 20.0)
    middle = (whole.min(0) + whole.max(0)) / 2
    kind, rest = random.random(), list(group.rest)
    last = rest[-1]
    if kind < INCOMPLETE and len(rest) > 1:
        kept = random.permutation(len(rest))[: int(random.integers(1, len(rest)))]
        rest = [rest[number] for number in sorted(kept)]
    elif kind < 0.6 * INCOMPLETE and len(last) > 2:
        rest[-1] = last[: int(random.integers(2, len(last)))]
    elif kind > RESIZED:
        scale = math.exp(random.choice([-1.0, 1.0]) * random.uniform(0.3, 0.9))
        rest = [(stroke - middle) * scale + middle for stroke in rest]
    else:
        shift = random.normal(size=2) * (0.35 * side + 12.0)
        rest = [stroke + shift for stroke in rest]
    return resimplified(group.given, rest)


MEASURED_CANDIDATES = 8
"""Candidates for each partial sketch by which a reward model is measured."""


class RewardTask(Task):
    """A reward model, by the ranking of candidates."""

    figures = ("valid", "value", "human_first")
    half = True

    def __init__(self, config: RewardTrainConfig) -> None:
        if world_size() > 1:
            raise SettingError("a reward model is trained by one process; start it without torchrun")
        self._config = config
        categories = tuple(Store.open(config.store).categories)
        found = read_checkpoint(config.classifier, CLASSIFIER)
        if found.config.categories != categories:
            count, own = len(found.config.categories), len(categories)
            remedy = "train one on this store by train-classifier, and name it by --classifier"
            raise CheckpointError(f"the classifier knows {count} categories, not the store's {own}; {remedy}")
        shape = RewardConfig(**vars(found.config))
        self.network = RewardNetwork(shape)
        if config.start is not None:
            load_weights(self.network, REWARD_MODEL, config.start, shape)
        else:
            self.network.initialise_from(Classifier.from_weights(found.config, found.weights))
        self._valid: list[RankedGroup] = []
        self._categories = categories

    def setup(self, report: Callable[[dict[str, Any]], None]) -> None:
        """Draw the candidates that are not there yet."""
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
        found = _group_scores(network, groups, self.check_time)
        for row, (group, scores) in enumerate(zip(groups, found, strict=True)):
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
def _group_scores(
    network: RewardNetwork, groups: Sequence[RankedGroup], check_time: Callable[[], None]
) -> list[np.ndarray]:
    """Return the scores of each group: the person's completion first, then the candidates."""
    device = next(network.parameters()).device
    shown = [each for group in groups for each in (group.real, *group.others)]
    owner = np.repeat(np.arange(len(groups)), [1 + len(group.others) for group in groups])
    category = np.array([group.category for group in groups])[owner]
    scores = np.zeros(len(shown), dtype=np.float32)
    order = np.argsort([len(each.lift) for each in shown], kind="stable")
    for start in range(0, len(order), BATCH):
        check_time()
        rows = order[start : start + BATCH]
        steps, length = reward_features([shown[row] for row in rows])
        inputs = [torch.from_numpy(part).to(device) for part in (steps, length, category[rows])]
        scores[rows] = network.scores(*inputs).float().cpu().numpy()
    return np.split(scores, np.flatnonzero(np.diff(owner)) + 1)
