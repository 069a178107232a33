"""How often drawings are recognised, and what a judge sees in them.

A judge is a classifier of drawings: a `Recogniser`, or one of your own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import cut_after
from sketchgen.errors import SettingError
from sketchgen.models.checkpoint import is_picture_classifier
from sketchgen.models.recogniser import Reading, load_recogniser
from sketchgen.sketch.sketch import Sketch

BATCH = 256
"""Drawings that a judge is given at a time."""


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
        rank: (n,) number of categories that are as likely as the true one or likelier; the number of all
            categories where the judge does not know the true one.
        log_prob: (n,) log probability of the true category, nats; -inf where the judge does not know it.
    """

    rank: NDArray[np.int64]
    log_prob: NDArray[np.float64]
    features: NDArray[np.float32]

    @property
    def top1(self) -> NDArray[np.float64]:
        """(n,) 1.0 where the true category is the first, else 0.0."""
        return (self.rank < 1).astype(np.float64)

    @property
    def top5(self) -> NDArray[np.float64]:
        """(n,) 1.0 where the true category is among the first five, else 0.0."""
        return (self.rank < 5).astype(np.float64)


def load_judge(name_or_path: str | os.PathLike[str] | None = None) -> Judge:
    """Load a recogniser of strokes or of pictures: a folder, or else a bundled name; None for the default.

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
    """Have a judge recognise drawings of these true categories.

    `progress` is called with the number of drawings of each batch.
    """
    index = {name: number for number, name in enumerate(judge.categories)}
    truth = np.array([index.get(name, len(index)) for name in names], dtype=np.int64)
    known = truth < len(index)
    ranks, log_probs, features = [np.zeros(0, dtype=np.int64)], [np.zeros(0)], []
    for first in range(0, len(sketches), BATCH):
        rows = slice(first, min(first + BATCH, len(sketches)))
        reading = judge.read(sketches[rows])
        log_prob = np.asarray(reading.log_prob, dtype=np.float64)
        own = np.take_along_axis(log_prob, np.where(known, truth, 0)[rows, None], 1)
        # Ties count against the judge, so that a constant one is never right.
        ranks.append(np.where(known[rows], (log_prob >= own).sum(1) - 1, len(index)))
        log_probs.append(np.where(known[rows], own[:, 0], -np.inf))
        features.append(np.asarray(reading.features, dtype=np.float32))
        if progress is not None:
            progress(len(log_prob))
    joined = np.concatenate(features) if features else np.zeros((0, 1), dtype=np.float32)
    return Verdict(np.concatenate(ranks), np.concatenate(log_probs), joined)


def accuracy(judge: Judge, drawings: Drawings, fraction: float = 1.0) -> Verdict:
    """Measure how well drawings are recognised from the first `fraction` of their points, one at least."""
    if not 0.0 < fraction <= 1.0:
        raise SettingError(f"fraction is {fraction:g}; it must be above 0 and at most 1")
    if not len(drawings):
        raise SettingError("no drawings to measure on; take another split or source")
    sketches = [drawings.sketch(row) for row in range(len(drawings))]
    shown = [cut_after(each, max(1, round(fraction * each.point_count))).given for each in sketches]
    return judged(judge, shown, [each.category or "" for each in sketches])
