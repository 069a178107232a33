"""How often drawings are recognised, and what a judge sees in them.

A judge is a classifier of drawings: a `Recogniser`, or one of your own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import cut_after
from sketchgen.errors import CategoryError, SettingError
from sketchgen.models.checkpoint import is_picture_classifier
from sketchgen.models.recogniser import load_recogniser
from sketchgen.sketch.sketch import Sketch

DEEP = 300
"""Training drawings from which on a category counts as one with many."""

BATCH = 256
"""Drawings that a judge is given at a time."""

CHUNK = 2048
"""Drawings that the accuracy is measured on at a time: a recogniser sorts them by length into batches."""


@runtime_checkable
class Reading(Protocol):
    """What a judge says of n drawings."""

    @property
    def log_prob(self) -> NDArray[np.floating]:
        """(n, c) log probabilities of the judge's categories, nats."""
        ...

    @property
    def features(self) -> NDArray[np.floating]:
        """(n, d) representations that the judge's last layer reads."""
        ...


@runtime_checkable
class Judge(Protocol):
    """Classifier of drawings of any size, at any place."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that it knows."""
        ...

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        """Return log probabilities and representations of drawings, in their order."""
        ...


@dataclass(frozen=True)
class Verdict:
    """Whether n drawings were recognised.

    Attributes:
        top1, top5: (n,) 1.0 where the true category is the first, or among the first five, else 0.0.
        features: (n, d) representations.
    """

    top1: NDArray[np.float64]
    top5: NDArray[np.float64]
    features: NDArray[np.float32]


@dataclass(frozen=True)
class Accuracy:
    """How well the categories of n drawings were recognised.

    Attributes:
        rank: (n,) number of categories that are likelier than the true one; the number of all categories
            where the judge does not know the true one.
        log_prob: (n,) log probability of the true category, nats; -inf where the judge does not know it.
        category: (n,) index of each drawing's category.
        categories: their names.
    """

    rank: Int[np.ndarray, " n"]
    log_prob: Float[np.ndarray, " n"]
    category: Int[np.ndarray, " n"]
    categories: tuple[str, ...]

    def top(self, count: int, chosen: Bool[np.ndarray, " n"] | None = None) -> float:
        """Return the share of the (chosen) drawings whose category is among the first `count`.

        NaN where none are chosen.
        """
        rank = self.rank if chosen is None else self.rank[chosen]
        return float((rank < count).mean()) if len(rank) else float("nan")

    def of_deep(self, training: Mapping[str, int], minimum: int = DEEP) -> Bool[np.ndarray, " n"]:
        """Return which drawings are of a category with at least `minimum` training drawings, by name."""
        deep = np.array([training.get(name, 0) >= minimum for name in self.categories], dtype=bool)
        return deep[self.category]

    def mean_over_categories(self, count: int) -> float:
        """Return the mean over categories of the share whose category is among the first `count`."""
        shares = [self.top(count, self.category == index) for index in np.unique(self.category)]
        return float(np.mean(shares))


def load_judge(name_or_path: str | os.PathLike[str] | None = None) -> Judge:
    """Load a recogniser of strokes or of pictures.

    Args:
        name_or_path: a folder, or else the name of a bundled checkpoint; None for the bundled classifier of
            strokes.

    Raises:
        CheckpointError: there is none, or it is of another kind or damaged.
    """
    if name_or_path is not None and is_picture_classifier(name_or_path):
        # It needs torch, which takes a second to import.
        from sketchgen.models.picture_classifier import load_picture_recogniser

        return load_picture_recogniser(name_or_path)
    return load_recogniser(name_or_path)


def judged(
    judge: Judge,
    sketches: Sequence[Sketch],
    names: Sequence[str],
    progress: Callable[[int], None] | None = None,
) -> Verdict:
    """Have a judge recognise drawings.

    Args:
        judge: the judge.
        sketches: n drawings.
        names: the true category of each, or of each and further ones.
        progress: called with the number of drawings of each batch.

    Raises:
        CategoryError: the judge does not know one of the names.
    """
    index = {name: number for number, name in enumerate(judge.categories)}
    missing = [name for name in names if name not in index]
    if missing:
        raise CategoryError(f"the judge does not know the category {missing[0]!r}")
    truth = np.array([index[name] for name in names], dtype=np.int64)
    ranks, features = [np.zeros(0, dtype=np.int64)], []
    for first in range(0, len(sketches), BATCH):
        part = sketches[first : first + BATCH]
        reading = judge.read(part)
        log_prob = np.asarray(reading.log_prob, dtype=np.float64)
        own = np.take_along_axis(log_prob, truth[first : first + len(part), None], 1)
        # Ties count against the judge, so that a constant one is never right.
        ranks.append((log_prob >= own).sum(1) - 1)
        features.append(np.asarray(reading.features, dtype=np.float32))
        if progress is not None:
            progress(len(part))
    rank = np.concatenate(ranks)
    return Verdict((rank < 1).astype(np.float64), (rank < 5).astype(np.float64), _joined(features))


def features_of(judge: Judge, sketches: Sequence[Sketch]) -> NDArray[np.float32]:
    """Return (n, d) representations of drawings of any category."""
    starts = range(0, len(sketches), BATCH)
    return _joined(
        [np.asarray(judge.read(sketches[at : at + BATCH]).features, dtype=np.float32) for at in starts]
    )


def _joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.concatenate(parts) if parts else np.zeros((0, 1), dtype=np.float32)


def accuracy(judge: Judge, drawings: Drawings, fraction: float = 1.0) -> Accuracy:
    """Measure how well drawings are recognised from a share of their points.

    Args:
        judge: the judge.
        drawings: in the 255 box, of any categories.
        fraction: share of each drawing's points that is shown, from the first on; above 0.

    Raises:
        SettingError: a fraction outside its limits, or no drawings.
    """
    if not 0.0 < fraction <= 1.0:
        raise SettingError(f"fraction is {fraction:g}; it must be above 0 and at most 1")
    if not len(drawings):
        raise SettingError("no drawings to measure on; take another split or source")
    known = drawings.known_as(judge.categories)
    rank = np.full(len(drawings), len(judge.categories), dtype=np.int64)
    log_prob = np.full(len(drawings), -np.inf)
    for first in range(0, len(drawings), CHUNK):
        rows = np.arange(first, min(first + CHUNK, len(drawings)))
        found = np.asarray(
            judge.read([_prefix(drawings.sketch(row), fraction) for row in rows.tolist()]).log_prob
        )
        named = known[rows] < len(judge.categories)
        rows, found = rows[named], found[named]
        right = np.take_along_axis(found, known[rows][:, None], 1)
        log_prob[rows], rank[rows] = right[:, 0], (found > right).sum(1)
    return Accuracy(rank, log_prob, drawings.category, drawings.categories)


def _prefix(sketch: Sketch, fraction: float) -> Sketch:
    """Return the first round(fraction * n) of the n points of a drawing, but at least one."""
    return cut_after(sketch, max(1, round(fraction * sketch.point_count))).given
