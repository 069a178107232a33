"""A judge names drawings: what the figures of recognition and the distances of distributions ask of it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import CategoryError, CheckpointError
from sketchgen.models.picture_checkpoint import judges_pictures
from sketchgen.models.picture_recogniser import load_picture_judge
from sketchgen.sketch.sketch import Sketch

READ_AT_ONCE = 256
"""Drawings that a judge is given at a time."""

MODULE = "sketchgen.models.recogniser"
"""Where the recogniser stands that is the judge by default."""


@runtime_checkable
class Reading(Protocol):
    """What a judge says of n drawings: (n, c) log probabilities of its categories, and (n, d) features."""

    @property
    def log_prob(self) -> NDArray[np.floating]:
        """(n, c) log probability of each of the judge's categories, nats."""
        ...

    @property
    def features(self) -> NDArray[np.floating]:
        """(n, d) what the last layer but one says of each drawing."""
        ...


@runtime_checkable
class Judge(Protocol):
    """Names drawings of any size, at any place."""

    @property
    def categories(self) -> tuple[str, ...]:
        """The names that it gives."""
        ...

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        """Name drawings."""
        ...


@dataclass(frozen=True)
class Verdict:
    """What a judge made of n drawings.

    Attributes:
        top1, top5: (n,) 1.0 where the true name is the first, or among the first five, else 0.0.
        features: (n, d).
    """

    top1: NDArray[np.float64]
    top5: NDArray[np.float64]
    features: NDArray[np.float32]


def load_judge(name_or_path: str | os.PathLike[str] | None = None) -> Judge:
    """A recogniser or a judge of pictures by its bundled name or the path of its folder.

    Without either it is the bundled recogniser.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    if name_or_path is not None and judges_pictures(name_or_path):
        return load_picture_judge(name_or_path)
    try:
        module = importlib.import_module(MODULE)
    except ModuleNotFoundError as error:
        if error.name is None or not MODULE.startswith(error.name):
            raise
        words = "no judge: this installation has no recogniser; pass --protocol likelihood"
        raise CheckpointError(words) from error
    return module.load_recogniser(name_or_path)


def judged(
    judge: Judge,
    sketches: Sequence[Sketch],
    names: Sequence[str],
    progress: Callable[[int], None] | None = None,
) -> Verdict:
    """Have drawings named whose true names are among the judge's own.

    Raises:
        CategoryError: the judge does not know one of the names.
    """
    index = {name: number for number, name in enumerate(judge.categories)}
    missing = [name for name in names if name not in index]
    if missing:
        raise CategoryError(f"the judge does not know the category {missing[0]!r}")
    truth = np.array([index[name] for name in names], dtype=np.int64)
    ranks, features = [], []
    for first in range(0, len(sketches), READ_AT_ONCE):
        part = sketches[first : first + READ_AT_ONCE]
        reading = judge.read(part)
        log_prob = np.asarray(reading.log_prob, dtype=np.float64)
        own = np.take_along_axis(log_prob, truth[first : first + len(part), None], 1)
        # Ties count against the judge, so that one who says nothing is never right.
        ranks.append((log_prob >= own).sum(1) - 1)
        features.append(np.asarray(reading.features, dtype=np.float32))
        if progress is not None:
            progress(len(part))
    rank = np.concatenate(ranks) if ranks else np.zeros(0, dtype=np.int64)
    found = np.concatenate(features) if features else np.zeros((0, 1), dtype=np.float32)
    return Verdict((rank < 1).astype(np.float64), (rank < 5).astype(np.float64), found)


def features_of(judge: Judge, sketches: Sequence[Sketch]) -> NDArray[np.float32]:
    """(n, d) features of drawings whose names do not matter."""
    parts = [
        np.asarray(judge.read(sketches[first : first + READ_AT_ONCE]).features, dtype=np.float32)
        for first in range(0, len(sketches), READ_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, 1), dtype=np.float32)
