"""Preferences: of a model's own ways to finish a drawing, which are better, in batches to learn from.

A model rehearses (`sketchgen.training.candidates`): it finishes what people began, in several ways, of which
each
is worth something, for it is known how the person went on. Pairs of a better and a worse way for the same
beginning are what it learns from; and, of each beginning, whether the person went on with the last line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray

from sketchgen.completion.completer import LIMIT
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.data.batching import Batch
from sketchgen.errors import SettingError
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen
from sketchgen.training.candidate_files import known_rows, noted, strokes_of

MARGIN = 0.4
"""By how much the better way of a pair is worth more."""

BEST = 0.25
"""The better ways are taken from this share of a beginning's, those that are worth most."""

BLOCK = 16
"""Batches that are made up together, so that what stands in each is of like length."""

LONGEST = 200
"""Points of a drawing beyond which it is left out, a few in ten thousand: the memory that a step takes grows
with the square of the longest."""

Pair = tuple["Start", "Way", "Way"]
"""A beginning, a better and a worse way to go on."""


@dataclass(frozen=True)
class Start:
    """A beginning as the network reads it.

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
class Way:
    """What was added.

    Attributes:
        offset: px of the network's frame.
        pen: after each point.
        going_on: whether the first of them goes on with the last given stroke.
        worth: see `sketchgen.evaluation.finishing.completion_values`.
    """

    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    going_on: bool
    worth: float


@dataclass(frozen=True)
class Group:
    """A beginning, and the model's ways for it that go on with its last stroke, or those that don't.

    How the person went on is not among them: to prefer it to what the model draws makes all less likely that
    the model draws, the good and the bad, and its ends as well.

    Attributes:
        start: the beginning.
        ways: by what they are worth; one at least.
    """

    start: Start
    ways: list[Way]

    def best(self) -> list[Way]:
        """The better ways of pairs: those worth most, if others are worth clearly less."""
        return [way for way in self.ways[-max(1, round(len(self.ways) * BEST)) :] if self._worse(way)]

    def _worse(self, than: Way) -> list[Way]:
        return [way for way in self.ways if way.worth <= than.worth - MARGIN]

    def pair(self, random: np.random.Generator) -> Pair:
        """One of the best ways, and one that is clearly worse; of groups in which there are such."""
        best = self.best()
        better = best[random.integers(len(best))]
        worse = self._worse(better)
        return self.start, better, worse[random.integers(len(worse))]


def way_of(beginning: PartialSketch, strokes: Sequence[Points], worth: float) -> Way:
    """Strokes on the page as steps of the network: `PartialSketch.added`, undone."""
    going_on = len(strokes[0]) > 1 and bool(np.abs(strokes[0][0] - beginning.origin).max() < 2e-3)
    parts = [strokes[0][1:], *strokes[1:]] if going_on else list(strokes)
    points = (np.concatenate(parts) - beginning.origin) / beginning.frame.scale
    pen = np.full(len(points), int(Pen.DRAW))
    pen[np.cumsum([len(part) for part in parts]) - 1] = int(Pen.LIFT)
    return Way(np.diff(points, axis=0, prepend=0.0), pen, going_on, worth)


def read_row(row: dict[str, Any], category: int) -> tuple[Start, list[Group]]:
    """A beginning of the rehearsals, and what can be compared of it.

    Ways that the model was stopped in, and very long ones, are left out.
    """
    beginning = PartialSketch.of(Sketch.from_strokes(strokes_of(row["given"])))
    offset = np.diff(beginning.points, axis=0, prepend=0.0)
    whole = not way_of(beginning, strokes_of(row["rest"]), 0.0).going_on
    ways = [
        way_of(beginning, strokes_of(way), worth)
        for way, worth in zip(row["ways"], row["worths"], strict=True)
        if way
    ]
    most = min(LIMIT - 1, LONGEST - len(offset))
    ways = sorted((way for way in ways if 0 < len(way.pen) <= most), key=lambda way: way.worth)
    start = Start(category, offset, beginning.pen, whole)
    kinds = dict.fromkeys(way.going_on for way in ways)
    return start, [Group(start, [way for way in ways if way.going_on == kind]) for kind in kinds]


class Preferences:
    """Pairs of ways, and beginnings, in batches by their number: each the same whenever it is asked for."""

    def __init__(self, folder: Path, categories: Sequence[str], pairs: int, seed: int, lane: int = 0) -> None:
        """Read the rehearsals of a folder.

        Args:
            folder: see `sketchgen.training.candidate_files`.
            categories: those of the network that learns.
            pairs: in a batch; as many beginnings.
            seed: of everything random.
            lane: number of the process that learns: each takes other ones.

        Raises:
            FormatError: a file is damaged or missing.
            SettingError: a category that the network does not know, or no two ways of which one is better.
        """
        self._pairs, self._seed, self._lane = pairs, seed, lane
        self.starts: list[Start] = []
        self.groups: list[Group] = []
        for category, row in known_rows(folder, noted(folder), categories):
            start, groups = read_row(row, category)
            if len(start.pen) <= LONGEST:
                self.starts.append(start)
            self.groups += [group for group in groups if group.best()]
        if not self.groups:
            raise SettingError(f"{folder} has no ways of which one is clearly better; draw more of them")
        self._block: tuple[int, list[list[Pair]]] = -1, []

    def __getitem__(self, number: int) -> list[Pair]:
        """The pairs of batch `number`."""
        block, place = divmod(number, BLOCK)
        if self._block[0] != block:
            random = np.random.default_rng([self._seed, 6, block, self._lane])
            chosen = random.integers(len(self.groups), size=self._pairs * BLOCK)
            some = [self.groups[index].pair(random) for index in chosen]
            some.sort(key=lambda pair: len(pair[0].pen) + max(len(way.pen) for way in pair[1:]))
            # In the same order in all processes: they wait for each other, and long ones take long.
            order = np.random.default_rng([self._seed, 8, block]).permutation(BLOCK) * self._pairs
            self._block = block, [some[first : first + self._pairs] for first in order]
        return self._block[1][place]

    def some_starts(self, number: int) -> list[Start]:
        """Beginnings of batch `number`, as many as pairs."""
        random = np.random.default_rng([self._seed, 7, number, self._lane])
        return [self.starts[index] for index in random.integers(len(self.starts), size=self._pairs)]


def pair_batch(pairs: Sequence[Pair]) -> Batch:
    """(2 b) the better ways of b pairs and then the worse, each behind its beginning, alone scored."""
    both = [(start, better) for start, better, _ in pairs] + [(start, worse) for start, _, worse in pairs]
    offsets = [np.concatenate([start.offset, way.offset]) for start, way in both]
    pens = []
    for start, way in both:
        pen = np.concatenate([start.pen, way.pen])
        pen[len(start.pen) - 1] = int(Pen.DRAW if way.going_on else Pen.LIFT)
        pens.append(pen)
    cut = np.array([len(start.pen) for start, _ in both])
    length = np.array([len(pen) for pen in pens])
    return _batch([start for start, _ in both], offsets, pens, cut, length)


def stop_batch(starts: Sequence[Start]) -> Batch:
    """(b) beginnings, all but their last points given, and of the rest that one step scored."""
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
    """Tensors from drawings of which steps `cut` to `last` are scored."""
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
        # What people began is shown in its own frame, whose size says nothing of the whole drawing's.
        known=torch.zeros(len(pens)),
        scored=torch.from_numpy((steps >= cut[:, None]) & (steps <= last[:, None])),
        key=torch.zeros(len(pens), dtype=torch.int64),
    )
