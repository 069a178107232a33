"""How often a recogniser is right, on whole drawings and on beginnings, and where it had much to learn from.

The rank of a drawing is the number of categories that the recogniser holds for likelier than the right one:
0 where it is right at once, under 5 where the right one is among the first five.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.data.drawings import Drawings
from sketchgen.errors import SettingError
from sketchgen.models.recogniser import Reading
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import split_strokes

DEEP = 300
"""Training drawings from which on a category counts as one with many."""

AT_ONCE = 2048
"""Drawings that are read at a time, which bounds the memory."""


@runtime_checkable
class Namer(Protocol):
    """Who is asked: a recogniser, or a judge of pictures."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that it tells apart."""
        ...

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        """Log probabilities of the categories, and descriptions, of many drawings."""
        ...


@dataclass(frozen=True)
class Accuracy:
    """How a recogniser did on n drawings.

    Attributes:
        rank: (n,) how many categories it held for likelier than the right one; as many as it knows where it
            does not know the right one.
        log_prob: (n,) nats of the right one; -inf where it does not know it.
        category: (n,) index of each drawing's category.
        categories: their names.
    """

    rank: Int[np.ndarray, " n"]
    log_prob: Float[np.ndarray, " n"]
    category: Int[np.ndarray, " n"]
    categories: tuple[str, ...]

    def top(self, count: int, chosen: Bool[np.ndarray, " n"] | None = None) -> float:
        """Share of the drawings, or of the `chosen` ones, whose category is among the first `count`.

        NaN where none are chosen.
        """
        rank = self.rank if chosen is None else self.rank[chosen]
        return float((rank < count).mean()) if len(rank) else float("nan")

    def of_deep(self, training: Mapping[str, int], least: int = DEEP) -> Bool[np.ndarray, " n"]:
        """Which drawings are of a category with at least so many `training` drawings, counted by name."""
        deep = np.array([training.get(name, 0) >= least for name in self.categories], dtype=bool)
        return deep[self.category]

    def mean_over_categories(self, count: int) -> float:
        """Share of the drawings whose category is among the first `count`, each category counting alike."""
        shares = [self.top(count, self.category == index) for index in np.unique(self.category)]
        return float(np.mean(shares))


def beginning(drawings: Drawings, index: int, fraction: float) -> Sketch:
    """The first round(fraction * n) points of drawing `index`, but one at least."""
    first, last = int(drawings.start[index]), int(drawings.start[index + 1])
    last = first + max(1, round(fraction * (last - first)))
    return Sketch.from_strokes(
        split_strokes(drawings.points[first:last].astype(np.float64), drawings.lift[first:last])
    )


def accuracy(namer: Namer, drawings: Drawings, fraction: float = 1.0) -> Accuracy:
    """How well the categories of drawings are told from a share of their points.

    Args:
        namer: who is asked.
        drawings: in the 255 box, of any categories.
        fraction: share of each drawing's points that is shown, above 0; the first ones.

    Raises:
        SettingError: a fraction outside its limits, or no drawings.
    """
    if not 0.0 < fraction <= 1.0:
        raise SettingError(f"fraction is {fraction:g}; it must be above 0 and at most 1")
    if not len(drawings):
        raise SettingError("no drawings to measure on; take another split or source")
    known = drawings.known_as(namer.categories)
    rank = np.full(len(drawings), len(namer.categories), dtype=np.int64)
    log_prob = np.full(len(drawings), -np.inf)
    for first in range(0, len(drawings), AT_ONCE):
        rows = np.arange(first, min(first + AT_ONCE, len(drawings)))
        found = namer.read([beginning(drawings, row, fraction) for row in rows.tolist()]).log_prob
        told = known[rows] < len(namer.categories)
        rows, found = rows[told], found[told]
        right = np.take_along_axis(found, known[rows][:, None], 1)
        log_prob[rows], rank[rows] = right[:, 0], (found > right).sum(1)
    return Accuracy(rank, log_prob, drawings.category, drawings.categories)
