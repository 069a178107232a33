"""Training batches by their number, and the loader that makes them ahead."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from sketchgen.data.batching import Batch, make_batch
from sketchgen.data.drawings import Drawings
from sketchgen.data.order import Lane, Order, Window
from sketchgen.data.splitting import Prefixes
from sketchgen.data.store import Split, Store
from sketchgen.errors import SettingError
from sketchgen.training.distributed import batch_share, rank, world_size

B = TypeVar("B")

FEW = 100
"""Validation drawings below which their figures are rough."""

_Loaded = tuple[Window, Drawings, NDArray[np.int64], list[NDArray[np.int64]]]


class Collate(ABC, Generic[B]):
    """How drawings become a batch."""

    def shown(self, drawings: Drawings, random: np.random.Generator) -> NDArray[np.int64]:
        """Return how many points of each drawing are shown, (n,); batches are of about the same number."""
        return drawings.lengths

    @abstractmethod
    def batch(self, drawings: Drawings, shown: NDArray[np.int64], random: np.random.Generator) -> B:
        """Return the first `shown` points of each drawing as a batch."""


@dataclass(frozen=True)
class StrokeCollate(Collate[Batch]):
    """Batches for a stroke model, whose categories these are."""

    categories: tuple[str, ...]
    prefixes: Prefixes

    def batch(self, drawings: Drawings, shown: NDArray[np.int64], random: np.random.Generator) -> Batch:
        """Return drawings with a cut as a batch."""
        found = replace(drawings, category=drawings.known_as(self.categories))
        return make_batch(found, random, len(self.categories), self.prefixes)


class StoreBatches(Dataset[B], Generic[B]):
    """Batches of a store's drawings, 0, 1, ... without end; batch i is the same whenever it is asked for.

    Numbers are quick to get in rising order, for one window of drawings is kept in memory.
    """

    def __init__(
        self, split: Split, batch: int, seed: int, collate: Collate[B], balance: float = 0.0
    ) -> None:
        """Make this process's share of batches of `batch` drawings; for `balance` see `RunConfig`."""
        self.split, self.collate, self.balance = split, collate, balance
        self.order = Order(split.block_sizes, batch_share(batch), seed, Lane(rank(), world_size()))
        self._windows: Iterator[Window] = iter(())
        self._loaded: _Loaded | None = None

    def __getitem__(self, number: int) -> B:
        window, drawings, shown, plan = self._load(number)
        rows = plan[number - window.first]
        random = np.random.default_rng([self.order.seed, 1, number, self.order.lane.number])
        return self.collate.batch(drawings.take(rows), shown[rows], random)

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what was read, on the way to a worker process."""
        return self.__dict__ | {"_windows": None, "_loaded": None}

    def _load(self, number: int) -> _Loaded:
        """Return the window that holds batch `number`, its drawings, how much is shown, and the batches."""
        if self._loaded is None or number < self._loaded[0].first:
            self._windows = self.order.windows()
        elif number < self._loaded[0].first + self._loaded[0].batches:
            return self._loaded
        self._loaded = None
        window = next(each for each in self._windows if number < each.first + each.batches)
        drawings = self.split.read(window.blocks)
        random = np.random.default_rng([self.order.seed, 2, window.epoch, window.number])
        if self.balance:
            drawings = drawings.take(balanced(drawings.category, self.balance, random))
        shown = self.collate.shown(drawings, random)
        self._loaded = window, drawings, shown, self.order.plan(window, shown)
        return self._loaded


def stroke_batches(
    store: Path | str,
    split: str = "train",
    *,
    batch: int = 100,
    seed: int = 0,
    prefixes: Prefixes | None = None,
) -> StoreBatches[Batch]:
    """Return the batches that stroke models learn from, for a loop of one's own.

    It is a dataset of batches, not of drawings: `DataLoader(batches, batch_size=None, sampler=range(1000))`.

    Args:
        store: folder of a prepared store.
        split: "train", "valid" or "test".
        batch: drawings in each.
        seed: of the order, the cuts and the noise.
        prefixes: how drawings are cut; None for the usual way.

    Raises:
        FormatError: it is no store, or it is damaged.
        SettingError: the split is empty.
    """
    found = Store.open(store).split(split)
    if not len(found):
        raise SettingError(f"{store} has no drawings in {split!r}; prepare more, or take another split")
    collate = StrokeCollate(found.categories, prefixes or Prefixes())
    return StoreBatches(found, batch, seed, collate)


def balanced(category: NDArray[np.int64], balance: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Return as many indices as there are drawings, in rising order, those of rare categories more often.

    A drawing is chosen in proportion to its category's count to the power of -balance. The sampling is
    systematic (one random offset), so each drawing comes as often as expected, rounded up or down.
    """
    weight = np.bincount(category).astype(np.float64)[category] ** -balance
    places = (np.arange(len(category)) + random.random()) / len(category)
    return np.searchsorted(np.cumsum(weight) / weight.sum(), places).clip(max=len(category) - 1)


def training_and_validation(store: Store, count: int) -> tuple[Split, Drawings, bool]:
    """Return the training split, at most `count` drawings to measure on, and whether they are held out.

    Where the validation split is empty, they are training drawings.
    """
    split, valid = store.split("train"), store.split("valid")
    if not len(split):
        raise SettingError(f"{store.path} has no training drawings; prepare more than a handful")
    return split, (valid if len(valid) else split).drawings(count), len(valid) > 0


def validation_notes(drawings: Drawings, held_out: bool) -> list[str]:
    """Return what to tell of the drawings that a run measures on."""
    if not held_out:
        return [
            "the validation split is empty: the figures are of training drawings and say nothing about new "
            "ones, and the last network counts as the best; prepare more drawings"
        ]
    if len(drawings) < FEW:
        count = f"{len(drawings)} drawing" + ("" if len(drawings) == 1 else "s")
        return [f"there are but {count} to validate on: the figures are rough; prepare more drawings"]
    return []


def own_share(drawings: Drawings) -> Drawings:
    """Return this process's share of drawings."""
    return drawings.take(np.arange(rank(), len(drawings), world_size()))


def endless_loader(batches: Dataset[B], first: int, workers: int, *, pin: bool) -> DataLoader[B]:
    """Return a loader of batches `first`, `first` + 1, ... without end, made ahead by so many workers.

    With `pin` they are put where a GPU fetches them faster.
    """
    return DataLoader(
        batches,
        batch_size=None,
        sampler=itertools.count(first),  # pyright: ignore[reportArgumentType]
        num_workers=workers,
        pin_memory=pin,
        prefetch_factor=4 if workers else None,
    )
