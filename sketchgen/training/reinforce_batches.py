"""Beginnings to practise on, as tensors: what is given, as the network reads it, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import MIN_POINTS, cut_after, prefix_length, random_cut
from sketchgen.data.store import Split
from sketchgen.models.stroke_model import Steps
from sketchgen.sketch.geometry import CENTRE
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen, pens
from sketchgen.training.rewards import Missing, ink

FIRST = 0.3
"""Share of beginnings that are the first points of a drawing of known size; the others are a person's."""

LEAST, MOST = 0.1, 0.8
"""Shares of the points that are given of these."""

EVENLY = 0.5
"""Categories are taken by this power of their numbers of drawings."""

UNTOLD = 0.1
"""Share of the beginnings whose category is not told."""

LONGEST = 72
"""Most points that are given: all go on together, and wait for the longest."""

BOXES = 12
"""Most missing strokes that have a box of their own; the last ones of more share one."""


@dataclass(frozen=True)
class Lines:
    """The lines of b drawings, px of their 255 boxes, padded behind.

    Attributes:
        points: of the lines.
        begins: which begin a line.
        there: which are points.
    """

    points: Float[Tensor, "b n 2"]
    begins: Bool[Tensor, "b n"]
    there: Bool[Tensor, "b n"]

    @classmethod
    def of(cls, drawings: Sequence[Sequence[Points]]) -> Lines:
        """Of the strokes of each drawing."""
        count = max(1, max(sum(map(len, strokes)) for strokes in drawings))
        points = np.zeros((len(drawings), count, 2), dtype=np.float32)
        begins, there = (np.zeros((len(drawings), count), dtype=bool) for _ in range(2))
        for row, strokes in enumerate(drawings):
            ends = np.cumsum([len(stroke) for stroke in strokes])
            points[row, : ends[-1]] = np.concatenate(strokes)
            begins[row, [0, *ends[:-1]]] = True
            there[row, : ends[-1]] = True
        return cls(torch.from_numpy(points), torch.from_numpy(begins), torch.from_numpy(there))


@dataclass(frozen=True)
class Openings:
    """b beginnings.

    Attributes:
        offset: px as the network reads them; the first is counted from the frame's centre.
        pen: after each point.
        cut: how many points are given.
        category, known: see `sketchgen.models.stroke_model.Steps`.
        scale: px of the 255 box for one of the network's frame.
        origin: the last given point, px of the 255 box.
        given, rest: the lines that are given, and those that are missing.
        low, high, boxed: the boxes of the missing strokes; see `sketchgen.training.rewards.Missing`.
    """

    offset: Float[Tensor, "b n 2"]
    pen: Int[Tensor, "b n"]
    cut: Int[Tensor, " b"]
    category: Int[Tensor, " b"]
    known: Float[Tensor, " b"]
    scale: Float[Tensor, " b"]
    origin: Float[Tensor, "b 2"]
    given: Lines
    rest: Lines
    low: Float[Tensor, "b k 2"]
    high: Float[Tensor, "b k 2"]
    boxed: Bool[Tensor, "b k"]

    def to(self, device: torch.device) -> Openings:
        """The same on another device."""
        return self._each(lambda value: value.to(device, non_blocking=True))

    def pin_memory(self) -> Openings:
        """The same where a GPU fetches them faster; torch's loader calls this."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Openings:
        found: dict[str, Any] = {}
        for name, value in vars(self).items():
            if isinstance(value, Lines):
                parts = {part: change(numbers) for part, numbers in vars(value).items()}
                found[name] = Lines(**parts)
            else:
                found[name] = change(value)
        return Openings(**found)

    @property
    def settled(self) -> Bool[Tensor, " b"]:
        """Where the pen after the last given point stays as it is; elsewhere it is guessed."""
        return self.known > 0

    def steps(self) -> Steps:
        """What is given, for the network."""
        return Steps(self.offset, self.pen, self.category, self.known)

    def missing(self) -> Missing:
        """What is missing, for the rewards."""
        given, rest = (ink(part.points, part.begins, part.there) for part in (self.given, self.rest))
        return Missing(given, rest, self.low, self.high, self.boxed)


@dataclass(frozen=True)
class Opening:
    """A drawing that was begun.

    Attributes:
        points: (n, 2) px of the network's frame.
        pen: (n,) after each.
        known, scale, origin: see `Openings`.
        given, rest: strokes, px of the 255 box.
    """

    points: Points
    pen: NDArray[np.int64]
    known: bool
    scale: float
    origin: Points
    given: Sequence[Points]
    rest: Sequence[Points]


def opened(sketch: Sketch, random: np.random.Generator) -> Opening | None:
    """A drawing that was begun, in one of many ways; None where it is too short for it, or too long."""
    if random.random() < FIRST:
        return _first_points(sketch, random.uniform(LEAST, MOST))
    part = random_cut(sketch, random)
    if part is None:
        return None
    beginning = PartialSketch.of(part.given)
    shown = beginning
    # Where nothing is given, or a dot, the page decides how it is read: there is nothing to go on from.
    if shown.known or len(shown.pen) > LONGEST:
        return None
    scale = shown.frame.scale
    return Opening(
        shown.points, shown.pen, False, scale, beginning.origin, part.given.strokes, part.rest.strokes
    )


def _first_points(sketch: Sketch, share: float) -> Opening | None:
    """The first points of a drawing whose size is known, as `evaluate` shows them."""
    if sketch.point_count < MIN_POINTS:
        return None
    part = cut_after(sketch, prefix_length(sketch.point_count, share))
    if part.rest.is_empty or part.given.point_count > LONGEST:
        return None
    pen = pens(part.given)
    if part.inside:
        pen[-1] = Pen.DRAW
    points = part.given.points
    return Opening(points - CENTRE, pen, True, 1.0, points[-1], part.given.strokes, part.rest.strokes)


class Practice(Dataset[Openings]):
    """Beginnings by number, 0, 1, ... without end; number i is the same whenever it is asked for."""

    def __init__(self, split: Split, categories: tuple[str, ...], count: int, seed: int) -> None:
        """Begin the drawings of `split`, `count` at a time, for a network that knows `categories`."""
        self._split, self._names, self._count, self._seed = split, categories, count, seed
        self._drawings: Drawings | None = None
        self._rows: list[NDArray[np.int64]] = []
        self._reached: NDArray[np.float64] = np.zeros(0)
        self._known: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def __getstate__(self) -> dict[str, Any]:
        """For a worker process: what was read stays behind."""
        return {**self.__dict__, "_drawings": None, "_rows": [], "_known": None}

    def __getitem__(self, number: int) -> Openings:
        """Beginnings number `number`."""
        drawings = self._read()
        random = np.random.default_rng([self._seed, 9, number])
        found: list[Opening] = []
        category: list[int] = []
        while len(found) < self._count:
            kind = self._rows[int(np.searchsorted(self._reached, random.random(), side="right"))]
            row = int(kind[random.integers(len(kind))])
            opening = opened(drawings.sketch(row), random)
            told = random.random() >= UNTOLD
            if opening is not None:
                found.append(opening)
                category.append(int(self._known[row]) if told else len(self._names))
        return together(found, category)

    def _read(self) -> Drawings:
        if self._drawings is None:
            self._drawings = self._split.drawings()
            self._known = self._drawings.known_as(self._names)
            order = np.argsort(self._drawings.category, kind="stable")
            sizes = np.bincount(self._drawings.category)
            self._rows = [rows for rows in np.split(order, np.cumsum(sizes)[:-1]) if len(rows)]
            shares = np.array([len(rows) for rows in self._rows], dtype=np.float64) ** EVENLY
            self._reached = np.cumsum(shares / shares.sum())
            self._reached[-1] = 1.0
        return self._drawings


def together(openings: Sequence[Opening], category: Sequence[int]) -> Openings:
    """Beginnings as tensors, with the index of each one's category."""
    cut = np.array([len(opening.pen) for opening in openings])
    offset = np.zeros((len(cut), cut.max(), 2), dtype=np.float32)
    pen = np.full(offset.shape[:2], int(Pen.END))
    low, high = (np.zeros((len(cut), BOXES, 2), dtype=np.float32) for _ in range(2))
    boxed = np.zeros((len(cut), BOXES), dtype=bool)
    for row, opening in enumerate(openings):
        offset[row, : cut[row]] = np.diff(opening.points, axis=0, prepend=0.0)
        pen[row, : cut[row]] = opening.pen
        strokes = list(opening.rest)
        if len(strokes) > BOXES:
            strokes[BOXES - 1 :] = [np.concatenate(strokes[BOXES - 1 :])]
        for place, stroke in enumerate(strokes):
            low[row, place], high[row, place], boxed[row, place] = stroke.min(0), stroke.max(0), True
    return Openings(
        offset=torch.from_numpy(offset),
        pen=torch.from_numpy(pen),
        cut=torch.from_numpy(cut),
        category=torch.tensor(category),
        known=torch.tensor([float(opening.known) for opening in openings]),
        scale=torch.tensor([opening.scale for opening in openings], dtype=torch.float32),
        origin=torch.from_numpy(np.stack([opening.origin for opening in openings]).astype(np.float32)),
        given=Lines.of([opening.given for opening in openings]),
        rest=Lines.of([opening.rest for opening in openings]),
        low=torch.from_numpy(low),
        high=torch.from_numpy(high),
        boxed=torch.from_numpy(boxed),
    )
