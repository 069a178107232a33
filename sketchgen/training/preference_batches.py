"""Pairs of better and worse candidates of a model, in batches for preference training.

The candidates (`sketchgen.training.candidates`) have values, since it is known how the person went on. The
network learns from pairs of a better and a worse candidate for the same partial sketch; and, of each partial
sketch, whether the person went on with the last stroke.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch.utils.data import Dataset

from sketchgen.completion.completer import LIMIT
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.data.batching import Batch
from sketchgen.errors import SettingError
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen
from sketchgen.training.candidates import CandidateGroup, category_index, read_groups

MARGIN = 0.4
"""Minimum difference in value between the better and the worse candidate of a pair."""

BEST = 0.25
"""The better candidates are taken from this share of a partial sketch's, those of the highest values."""

BLOCK = 16
"""Batches that are made together, so that the drawings of a batch are of about the same length."""

MAX_POINTS = 200
"""Points of a drawing beyond which it is left out, a few in ten thousand: the memory that a step takes grows
with the square of the longest."""

Pair = tuple["Start", "Candidate", "Candidate"]
"""A partial sketch, a better and a worse candidate."""


@dataclass(frozen=True)
class Start:
    """A partial sketch as the network reads it.

    Attributes:
        category: index.
        offset: px; the first is counted from the frame's centre.
        pen: after each point.
        whole: whether the person lifted the pen after the last point.
    """

    category: int
    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    whole: bool


@dataclass(frozen=True)
class Candidate:
    """Steps that a model added.

    Attributes:
        offset: px of the network's frame.
        pen: after each point.
        continues: whether the first of them goes on with the last given stroke.
        value: see `sketchgen.evaluation.finishing.completion_values`.
    """

    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    continues: bool
    value: float


@dataclass(frozen=True)
class Comparable:
    """A partial sketch, and the candidates that continue its last stroke, or those that do not.

    How the person went on is not among them: to prefer it to what the model draws makes everything less
    likely that the model draws, good and bad candidates and their ends.

    Attributes:
        start: the partial sketch.
        candidates: in rising order of their values; one at least.
    """

    start: Start
    candidates: list[Candidate]

    def best(self) -> list[Candidate]:
        """Return the better candidates of pairs: those of the highest values that beat others clearly."""
        count = max(1, round(len(self.candidates) * BEST))
        return [each for each in self.candidates[-count:] if self._worse(each)]

    def _worse(self, than: Candidate) -> list[Candidate]:
        return [each for each in self.candidates if each.value <= than.value - MARGIN]

    def pair(self, random: np.random.Generator) -> Pair:
        """Return one of the best candidates and one that is clearly worse; `best` must not be empty."""
        best = self.best()
        better = best[random.integers(len(best))]
        worse = self._worse(better)
        return self.start, better, worse[random.integers(len(worse))]


def as_steps(partial: PartialSketch, strokes: Sequence[Points], value: float) -> Candidate:
    """Return strokes on the page as steps of the network: the inverse of `PartialSketch.added`."""
    continues = len(strokes[0]) > 1 and bool(np.abs(strokes[0][0] - partial.origin).max() < 2e-3)
    parts = [strokes[0][1:], *strokes[1:]] if continues else list(strokes)
    points = (np.concatenate(parts) - partial.origin) / partial.frame.scale
    pen = np.full(len(points), int(Pen.DRAW))
    pen[np.cumsum([len(part) for part in parts]) - 1] = int(Pen.LIFT)
    return Candidate(np.diff(points, axis=0, prepend=0.0), pen, continues, value)


def comparable(group: CandidateGroup, category: int) -> tuple[Start, list[Comparable]]:
    """Return a partial sketch, and the candidates for it that can be compared with each other.

    Candidates that were stopped at the limit of points, and very long ones, are left out.
    """
    partial = PartialSketch.of(Sketch.from_strokes(group.given))
    offset = np.diff(partial.points, axis=0, prepend=0.0)
    whole = not as_steps(partial, group.rest, 0.0).continues
    found = [
        as_steps(partial, strokes, value)
        for strokes, value in zip(group.candidates, group.values, strict=True)
        if strokes
    ]
    most = min(LIMIT - 1, MAX_POINTS - len(offset))
    found = sorted((each for each in found if 0 < len(each.pen) <= most), key=lambda each: each.value)
    start = Start(category, offset, partial.pen, whole)
    kinds = dict.fromkeys(each.continues for each in found)
    return start, [Comparable(start, [each for each in found if each.continues == kind]) for kind in kinds]


@dataclass(frozen=True)
class PreferenceBatch:
    """Pairs and partial sketches to learn from.

    Attributes:
        pairs: see `pair_batch`.
        stops: see `stop_batch`.
    """

    pairs: Batch
    stops: Batch

    def to(self, device: torch.device) -> PreferenceBatch:
        """Return the batch on another device."""
        return PreferenceBatch(self.pairs.to(device), self.stops.to(device))

    def pin_memory(self) -> PreferenceBatch:
        """Return the batch where a GPU fetches it faster; torch's loader calls this."""
        return PreferenceBatch(self.pairs.pin_memory(), self.stops.pin_memory())


class PreferenceBatches(Dataset[PreferenceBatch]):
    """Pairs of candidates, and as many partial sketches, in batches 0, 1, ... without end."""

    def __init__(self, folder: Path, categories: Sequence[str], pairs: int, seed: int, lane: int = 0) -> None:
        """Read the candidates of a folder.

        Args:
            folder: see `sketchgen.training.candidates`.
            categories: those of the network that learns.
            pairs: in a batch; as many partial sketches.
            seed: of everything random.
            lane: number of the process that learns: each takes other pairs.

        Raises:
            FormatError: the folder holds no candidates, or a file is damaged or missing.
            SettingError: a category is unknown, or no candidate is clearly better than another one.
        """
        self._pairs, self._seed, self._lane = pairs, seed, lane
        self.starts: list[Start] = []
        self.groups: list[Comparable] = []
        for each in read_groups(folder):
            start, groups = comparable(each, category_index(folder, each, categories))
            if len(start.pen) <= MAX_POINTS:
                self.starts.append(start)
            self.groups += [group for group in groups if group.best()]
        if not self.groups:
            raise SettingError(
                f"{folder} has no candidates of which one is clearly better; draw more of them"
            )
        self._block: tuple[int, list[list[Pair]]] = -1, []

    def __getitem__(self, number: int) -> PreferenceBatch:
        """Return batch `number`."""
        return PreferenceBatch(pair_batch(self.pairs(number)), stop_batch(self.some_starts(number)))

    def pairs(self, number: int) -> list[Pair]:
        """Return the pairs of batch `number`."""
        block, place = divmod(number, BLOCK)
        if self._block[0] != block:
            random = np.random.default_rng([self._seed, 6, block, self._lane])
            chosen = random.integers(len(self.groups), size=self._pairs * BLOCK)
            some = [self.groups[index].pair(random) for index in chosen]
            some.sort(key=lambda pair: len(pair[0].pen) + max(len(each.pen) for each in pair[1:]))
            # In the same order in all processes: they wait for each other, and long ones take long.
            order = np.random.default_rng([self._seed, 8, block]).permutation(BLOCK) * self._pairs
            self._block = block, [some[first : first + self._pairs] for first in order]
        return self._block[1][place]

    def some_starts(self, number: int) -> list[Start]:
        """Return the partial sketches of batch `number`."""
        random = np.random.default_rng([self._seed, 7, number, self._lane])
        return [self.starts[index] for index in random.integers(len(self.starts), size=self._pairs)]


def pair_batch(pairs: Sequence[Pair]) -> Batch:
    """Return the better candidates of b pairs and then the worse, (2 b), each after its partial sketch.

    Only the candidates' steps are scored.
    """
    both = [(start, better) for start, better, _ in pairs] + [(start, worse) for start, _, worse in pairs]
    offsets = [np.concatenate([start.offset, each.offset]) for start, each in both]
    pens = []
    for start, each in both:
        pen = np.concatenate([start.pen, each.pen])
        pen[len(start.pen) - 1] = int(Pen.DRAW if each.continues else Pen.LIFT)
        pens.append(pen)
    cut = np.array([len(start.pen) for start, _ in both])
    length = np.array([len(pen) for pen in pens])
    return _batch([start for start, _ in both], offsets, pens, cut, length)


def stop_batch(starts: Sequence[Start]) -> Batch:
    """Return partial sketches, (b), with all but the last points given, which alone are scored."""
    count = np.array([len(start.pen) for start in starts])
    offsets, pens = [start.offset for start in starts], []
    for start in starts:
        pen = start.pen.copy()
        pen[-1] = int(Pen.LIFT if start.whole else Pen.DRAW)
        pens.append(pen)
    return _batch(starts, offsets, pens, count - 1, count - 1)


def _batch(
    starts: Sequence[Start],
    offsets: Sequence[NDArray[np.float64]],
    pens: Sequence[NDArray[np.int64]],
    cut: NDArray[np.int64],
    last: NDArray[np.int64],
) -> Batch:
    """Return tensors of drawings of which steps `cut` to `last` are scored."""
    length = np.array([len(pen) for pen in pens])
    most = int(length.max())
    offset = np.zeros((len(pens), most + 1, 2), dtype=np.float32)
    pen = np.full((len(pens), most + 1), int(Pen.END))
    for row, count in enumerate(length):
        offset[row, :count], pen[row, :count] = offsets[row], pens[row]
    steps = np.arange(most + 1)
    target = torch.from_numpy(offset)
    return Batch(
        offset=target[:, :-1],
        target=target,
        pen=torch.from_numpy(pen),
        length=torch.from_numpy(length),
        cut=torch.from_numpy(cut),
        category=torch.tensor([start.category for start in starts]),
        # A partial sketch is shown in its own frame, whose size says nothing of the whole drawing's.
        known=torch.zeros(len(pens)),
        scored=torch.from_numpy((steps >= cut[:, None]) & (steps <= last[:, None])),
        key=torch.zeros(len(pens), dtype=torch.int64),
    )
