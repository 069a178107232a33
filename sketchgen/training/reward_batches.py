"""Batches for a reward model: groups of completions of the same partial sketch.

In some groups the first completion is the person's and the target is to rank it first. Other groups hold
candidates of the model alone, as in ranking, and the target follows from their values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset

from sketchgen.models.classifier import GROUP
from sketchgen.models.numpy_classifier import padded
from sketchgen.models.reward_model import MarkedSketch, resimplified, reward_features
from sketchgen.sketch.sketch import Points
from sketchgen.training.candidates import CandidateGroup
from sketchgen.training.classifier_batches import random_warps
from sketchgen.training.config import Augment
from sketchgen.training.distributed import batch_share, rank, world_size
from sketchgen.training.objectives import LabelledBatch

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

AUGMENT = Augment(cut=0.0, warp=0.8, mirror=0.2, drop_strokes=0.0, drop_points=0.0, jitter=1.0)
"""Augmentation of drawings, the same for all of a group."""


@dataclass(frozen=True)
class RankedGroup:
    """Completions of a partial sketch, as a reward model reads them.

    Attributes:
        category: index.
        given: strokes of the partial sketch, px of the drawing's 255 box.
        rest: the person's further strokes, px of the same box.
        real: the person's completion.
        others: the model's candidates; one at least.
        values: of each candidate.
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

    @property
    def longest(self) -> int:
        """Maximum number of points of a completion."""
        return max(len(each.lift) for each in (self.real, *self.others))


class RewardBatches(Dataset[LabelledBatch]):
    """Batches of groups, 0, 1, ... without end; batch i is the same whenever it is asked for."""

    def __init__(self, groups: Sequence[RankedGroup], categories: int, batch: int, seed: int) -> None:
        """Make this process's share of batches of `batch` groups.

        Raises:
            SettingError: there are fewer groups in a batch than processes.
        """
        batch_share(batch)
        self._groups, self._categories, self._batch, self._seed = groups, categories, batch, seed
        self._length = np.array([group.longest for group in groups])
        self._epoch, self._plan = -1, list[np.ndarray]()

    def __getitem__(self, number: int) -> LabelledBatch:
        """Return batch `number`."""
        epoch, place = divmod(number, -(-len(self._groups) // self._batch))
        if epoch != self._epoch:
            self._epoch, self._plan = epoch, self._planned(epoch)
        random = np.random.default_rng([self._seed, 1, number, rank()])
        rows = self._plan[place]
        # The last batch of an epoch may be short: then some groups stand in several processes' shares.
        mine = rows[rank() :: world_size()] if len(rows) >= world_size() else rows
        return reward_batch([self._groups[row] for row in mine], self._categories, random)

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
    """Return groups as a batch: features, lengths and categories of `GROUP` drawings each, and a target.

    The target, (g, `GROUP`), is the probability of each drawing to be the best of its group. An unconditional
    group has the number of categories as its category. A group consists of the person's completion, some of
    the model's and a spoiled one, or of the model's alone.

    Args:
        groups: g groups.
        categories: number of categories.
        random: source of everything random.
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
