"""Finished drawings as a critic learns from them: in groups, ways to finish the same beginning.

In some groups a person has finished the first one, and it is to be told from the model's. Others are of the
model alone, as those that are chosen among, and of each it is known what it is worth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sketchgen.models.classifier import GROUP
from sketchgen.models.reward_model import MarkedSketch, padded, resimplified, reward_features
from sketchgen.sketch.sketch import Points
from sketchgen.training.classifier_batches import Changes, bends

ALONE, SHARP = 0.6, 0.25
"""Share of the groups of the model's ways alone; and how much less a way is worth that is e times less likely
to be the best of its group (Cao et al. 2007, "Learning to rank: from pairwise approach to listwise")."""

TOLD = 0.9
"""Share of the groups of which the critic is told the category."""

SHORT, RESIZED = 0.5, 0.85
"""Of the ways that are spoiled those that are not whole, and from where on what was added is resized."""

WINDOW = 32
"""Batches whose drawings are sorted by length together."""

CRITIC_CHANGES = Changes(cut=0.0, warp=0.8, mirror=0.2, fewer_strokes=0.0, fewer_points=0.0, jitter=1.0)
"""How drawings are changed, all of a group alike; nothing of it that tells of points is heeded."""


@dataclass(frozen=True)
class Group:
    """A drawing that was begun, and ways to finish it.

    Attributes:
        category: an index of the critic's.
        given, rest: strokes of the drawing, px of its 255 box; how the person went on.
        real: the person's way as the critic reads it.
        others: the model's ways, one at least.
        worths: what each of these is worth; see `sketchgen.evaluation.finishing.completion_values`.
    """

    category: int
    given: Sequence[Points]
    rest: Sequence[Points]
    real: MarkedSketch
    others: Sequence[MarkedSketch]
    worths: Sequence[float]

    @property
    def longest(self) -> int:
        """Most points of a way."""
        return max(len(each.lift) for each in (self.real, *self.others))


@dataclass(frozen=True)
class CriticLesson:
    """A batch of groups, `GROUP` rows each.

    Attributes:
        steps: features of the points; 0 in the padding.
        length: points of each drawing.
        told: the category of each; the number of categories where it is not told.
        answer: how likely each way of a group is the best of it: the person's, or by what it is worth.
    """

    steps: Float[np.ndarray, "b n f"]
    length: Int[np.ndarray, " b"]
    told: Int[np.ndarray, " b"]
    answer: Float[np.ndarray, "g w"]

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        """What the network is called with."""
        return self.steps, self.length, self.told


class CriticLessons:
    """Batches by their number, 0, 1, ... without end; number i is the same whenever it is asked for."""

    def __init__(self, groups: Sequence[Group], categories: int, batch: int, seed: int) -> None:
        """Batches of `batch` groups, for a critic of so many categories; at least one group."""
        self._groups, self._categories, self._batch, self._seed = groups, categories, batch, seed
        self._length = np.array([group.longest for group in groups])
        self._epoch, self._plan = -1, list[np.ndarray]()

    def __getitem__(self, number: int) -> CriticLesson:
        """Batch `number`."""
        epoch, place = divmod(number, -(-len(self._groups) // self._batch))
        if epoch != self._epoch:
            self._epoch, self._plan = epoch, self._planned(epoch)
        random = np.random.default_rng([self._seed, 1, number])
        chosen = [self._groups[row] for row in self._plan[place]]
        return critic_lesson(chosen, self._categories, random)

    def _planned(self, epoch: int) -> list[np.ndarray]:
        """The groups of each batch of an epoch: those of a batch are about as long."""
        random = np.random.default_rng([self._seed, 2, epoch])
        order = random.permutation(len(self._groups))
        size = self._batch * WINDOW
        windows = [order[first : first + size] for first in range(0, len(order), size)]
        alike = np.concatenate([part[np.argsort(self._length[part], kind="stable")] for part in windows])
        batches = [alike[first : first + self._batch] for first in range(0, len(alike), self._batch)]
        return [batches[index] for index in random.permutation(len(batches))]


def critic_lesson(groups: Sequence[Group], categories: int, random: np.random.Generator) -> CriticLesson:
    """A batch of groups: of each the person's way, some of the model's and a spoiled one, or the model's."""
    drawings: list[MarkedSketch] = []
    answer = np.zeros((len(groups), GROUP), dtype=np.float32)
    for row, group in enumerate(groups):
        if random.random() < ALONE and len(group.others) > 1:
            chosen = _some(group, GROUP, random)
            drawings += [group.others[number] for number in chosen]
            likely = np.exp((np.array(group.worths)[chosen] - max(group.worths)) / SHARP)
            answer[row] = likely / likely.sum()
        else:
            some = [group.others[number] for number in _some(group, GROUP - 2, random)]
            drawings += [group.real, *some, _spoiled(group, random)]
            answer[row, 0] = 1.0
    points, _ = padded(drawings)
    bend = np.repeat(bends(len(groups), random, CRITIC_CHANGES), GROUP, axis=0)
    moved = points @ bend + random.normal(size=points.shape) * CRITIC_CHANGES.jitter
    steps, length = reward_features(drawings, moved)
    told = np.where(random.random(len(groups)) < TOLD, [group.category for group in groups], categories)
    return CriticLesson(steps, length, np.repeat(told, GROUP), answer)


def _some(group: Group, count: int, random: np.random.Generator) -> list[int]:
    """`count` of the model's ways, by their numbers; where there are fewer, some of them twice."""
    order = random.permutation(len(group.others))
    return [int(order[number % len(order)]) for number in range(count)]


def _spoiled(group: Group, random: np.random.Generator) -> MarkedSketch:
    """The person's way with what was added moved, of another size, or not whole."""
    whole = np.concatenate(list(group.rest))
    side = max(float(np.ptp(whole, axis=0).max()), 20.0)
    middle = (whole.min(0) + whole.max(0)) / 2
    kind, rest = random.random(), list(group.rest)
    last = rest[-1]
    if kind < SHORT and len(rest) > 1:
        kept = random.permutation(len(rest))[: int(random.integers(1, len(rest)))]
        rest = [rest[number] for number in sorted(kept)]
    elif kind < 0.6 * SHORT and len(last) > 2:
        rest[-1] = last[: int(random.integers(2, len(last)))]
    elif kind > RESIZED:
        scale = math.exp(random.choice([-1.0, 1.0]) * random.uniform(0.3, 0.9))
        rest = [(stroke - middle) * scale + middle for stroke in rest]
    else:
        shift = random.normal(size=2) * (0.35 * side + 12.0)
        rest = [stroke + shift for stroke in rest]
    return resimplified(group.given, rest)
