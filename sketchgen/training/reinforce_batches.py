"""Batches of partial sketches for policy-gradient training, with what their rewards compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from sketchgen.completion.rollout import steps_of
from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import MIN_POINTS, cut_after, prefix_length, random_cut
from sketchgen.data.store import Split
from sketchgen.evaluation.held_out import shown
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.stroke_model import Steps
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.training.datasets import TensorData
from sketchgen.training.rewards import Ink, Reference, ink

FRAME_KNOWN = 0.3
"""Share of the partial sketches that are prefixes in a known frame; the others are random cuts."""

MIN_PREFIX, MAX_PREFIX = 0.1, 0.8
"""Bounds of a prefix's share of the drawing's points."""

BALANCE = 0.5
"""Categories are sampled in proportion to this power of their numbers of drawings."""

UNCONDITIONAL = 0.1
"""Share of the partial sketches that are shown without their category."""

MAX_GIVEN = 72
"""Maximum number of given points: rollouts advance in lockstep and wait for the longest."""

MAX_BOXES = 12
"""Maximum number of boxes of held-out strokes; of more strokes the last ones share a box."""


@dataclass(frozen=True)
class ReinforceBatch(TensorData):
    """b partial sketches.

    Attributes:
        offset: px of the network's frame; the first is relative to the frame's centre.
        pen: state after each point.
        cut: number of given points.
        category, known: see `sketchgen.models.stroke_model.Steps`.
        scale: px of the 255 box for one px of the network's frame.
        origin: last given point, px of the 255 box.
        reference: what completions are compared with.
    """

    offset: Float[Tensor, "b n 2"]
    pen: Int[Tensor, "b n"]
    cut: Int[Tensor, " b"]
    category: Int[Tensor, " b"]
    known: Float[Tensor, " b"]
    scale: Float[Tensor, " b"]
    origin: Float[Tensor, "b 2"]
    reference: Reference

    @property
    def pen_known(self) -> Bool[Tensor, " b"]:
        """Where the pen state after the last given point is known; elsewhere it is sampled."""
        return self.known > 0

    def steps(self) -> Steps:
        """Return the given points as the network's input."""
        return Steps(self.offset, self.pen, self.category, self.known)


@dataclass(frozen=True)
class ReinforceExample:
    """A partial sketch and its held-out strokes.

    Attributes:
        prefix: what the network reads.
        scale, origin: see `ReinforceBatch`.
        given, missing: strokes of the partial sketch and held-out strokes, px of the 255 box.
    """

    prefix: Prefix
    scale: float
    origin: Points
    given: Sequence[Points]
    missing: Sequence[Points]


def sample_example(sketch: Sketch, random: np.random.Generator) -> ReinforceExample | None:
    """Cut a drawing at random; return None where it is too short or the partial sketch too long."""
    known, cut = random.random() < FRAME_KNOWN, None
    if not known:
        cut = random_cut(sketch, random)
    else:
        # As `evaluate` cuts drawings.
        share = random.uniform(MIN_PREFIX, MAX_PREFIX)
        if sketch.point_count >= MIN_POINTS:
            cut = cut_after(sketch, prefix_length(sketch.point_count, share))
    if cut is None or cut.rest.is_empty:
        return None
    prefix, scale, origin = shown(cut, "scale known" if known else "scale unknown", 0)
    # The frame of an empty sketch or a dot is known: there is nothing to continue.
    if prefix.known != known or len(prefix.pen) > MAX_GIVEN:
        return None
    return ReinforceExample(prefix, scale, origin, cut.given.strokes, cut.rest.strokes)


class ReinforceBatches(Dataset[ReinforceBatch]):
    """Batches 0, 1, ... without end; batch i is the same whenever it is asked for."""

    def __init__(self, split: Split, categories: tuple[str, ...], sketches: int, seed: int) -> None:
        """Sample so many partial sketches a batch, for a network of these categories."""
        self._split, self._categories, self._sketches, self._seed = split, categories, sketches, seed
        self._drawings: Drawings | None = None
        self._rows, self._cumulative = list[NDArray[np.int64]](), np.zeros(0)
        self._category = np.zeros(0, dtype=np.int64)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for a worker process, without the drawings."""
        return self.__dict__ | {"_drawings": None, "_rows": [], "_category": None}

    def __getitem__(self, number: int) -> ReinforceBatch:
        """Return batch `number`."""
        drawings = self._read()
        random = np.random.default_rng([self._seed, 9, number])
        examples: list[ReinforceExample] = []
        categories: list[int] = []
        while len(examples) < self._sketches:
            rows = self._rows[int(np.searchsorted(self._cumulative, random.random(), side="right"))]
            row = int(rows[random.integers(len(rows))])
            example = sample_example(drawings.sketch(row), random)
            conditional = random.random() >= UNCONDITIONAL
            if example is not None:
                examples.append(example)
                categories.append(int(self._category[row]) if conditional else len(self._categories))
        return collate(examples, categories)

    def _read(self) -> Drawings:
        """Return the drawings; they are loaded once a process."""
        if self._drawings is None:
            drawings = self._split.drawings()
            order = np.argsort(drawings.category, kind="stable")
            sizes = np.bincount(drawings.category)
            self._rows = [rows for rows in np.split(order, np.cumsum(sizes)[:-1]) if len(rows)]
            weights = np.array([len(rows) for rows in self._rows], dtype=np.float64) ** BALANCE
            self._cumulative = np.cumsum(weights / weights.sum())
            self._cumulative[-1] = 1.0
            self._drawings = drawings
            self._category = drawings.known_as(self._categories)
        return self._drawings


def collate(examples: Sequence[ReinforceExample], categories: Sequence[int]) -> ReinforceBatch:
    """Return examples as a batch; an unconditional one has the number of categories as its category."""
    steps, cut = steps_of([example.prefix for example in examples])
    low, high = (np.zeros((len(cut), MAX_BOXES, 2), dtype=np.float32) for _ in range(2))
    boxed = np.zeros((len(cut), MAX_BOXES), dtype=bool)
    for row, example in enumerate(examples):
        strokes = list(example.missing)
        if len(strokes) > MAX_BOXES:
            strokes[MAX_BOXES - 1 :] = [np.concatenate(strokes[MAX_BOXES - 1 :])]
        for place, stroke in enumerate(strokes):
            low[row, place], high[row, place], boxed[row, place] = stroke.min(0), stroke.max(0), True
    given = strokes_ink([example.given for example in examples])
    missing = strokes_ink([example.missing for example in examples])
    return ReinforceBatch(
        offset=steps.offset,
        pen=steps.pen,
        cut=cut,
        category=torch.tensor(categories),
        known=steps.known,
        scale=torch.tensor([example.scale for example in examples], dtype=torch.float32),
        origin=torch.from_numpy(np.stack([example.origin for example in examples]).astype(np.float32)),
        reference=Reference(given, missing, *map(torch.from_numpy, (low, high, boxed))),
    )


def strokes_ink(drawings: Sequence[Sequence[Points]]) -> Ink:
    """Return the ink of the strokes of each drawing."""
    count = max(1, max(sum(map(len, strokes)) for strokes in drawings))
    points = np.zeros((len(drawings), count, 2), dtype=np.float32)
    starts, valid = (np.zeros((len(drawings), count), dtype=bool) for _ in range(2))
    for row, strokes in enumerate(drawings):
        ends = np.cumsum([len(stroke) for stroke in strokes])
        points[row, : ends[-1]] = np.concatenate(strokes)
        starts[row, [0, *ends[:-1]]] = True
        valid[row, : ends[-1]] = True
    return ink(*map(torch.from_numpy, (points, starts, valid)))
