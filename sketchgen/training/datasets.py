"""Training batches by their number, and the loader that makes them ahead."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from sketchgen.data.batching import Batch, make_batch
from sketchgen.data.drawings import Drawings
from sketchgen.data.order import Lane, Order, Window
from sketchgen.data.splitting import Prefixes
from sketchgen.data.store import Split, Store
from sketchgen.errors import SettingError
from sketchgen.training.distributed import batch_share, rank, world_size

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)


@runtime_checkable
class Collate(Protocol[B_co]):
    """How drawings become a batch."""

    def shown(self, drawings: Drawings, random: np.random.Generator) -> NDArray[np.int64]:
        """Return how many points of each drawing are shown, (n,); batches are of about the same number."""
        ...

    def batch(self, drawings: Drawings, shown: NDArray[np.int64], random: np.random.Generator) -> B_co:
        """Return the first `shown` points of each drawing as a batch."""
        ...


@dataclass(frozen=True)
class StrokeCollate:
    """Batches for a stroke model.

    Attributes:
        categories: those of the network.
        prefixes: how drawings are cut.
    """

    categories: tuple[str, ...]
    prefixes: Prefixes

    def shown(self, drawings: Drawings, random: np.random.Generator) -> NDArray[np.int64]:
        """Return the number of points of each drawing, (n,)."""
        return drawings.lengths

    def batch(self, drawings: Drawings, shown: NDArray[np.int64], random: np.random.Generator) -> Batch:
        """Return drawings with a cut as a batch."""
        found = replace(drawings, category=drawings.known_as(self.categories))
        return make_batch(found, random, len(self.categories), self.prefixes)


class StoreBatches(Dataset[B], Generic[B]):
    """Batches of a store's drawings, 0, 1, ... without end; batch i is the same whenever it is asked for.

    Numbers are quick to get in rising order, for one window of drawings is kept in memory.
    """

    def __init__(self, split: Split, batch: int, seed: int, collate: Collate[B]) -> None:
        """Make this process's share of batches of `batch` drawings.

        Raises:
            SettingError: there are fewer drawings in a batch than processes.
        """
        self.split, self.collate = split, collate
        self.order = Order(split.block_sizes, batch_share(batch), seed, Lane(rank(), world_size()))
        self._windows: Iterator[Window] | None = self.order.windows()
        self._window = next(self._windows)
        self._drawings: Drawings | None = None
        self._shown: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._plan: list[NDArray[np.int64]] = []

    def __getitem__(self, number: int) -> B:
        """Return batch `number`.

        Raises:
            FormatError: the store is damaged, or gone.
        """
        drawings = self._read(number)
        rows = self._plan[number - self._window.first]
        random = np.random.default_rng([self.order.seed, 1, number, self.order.lane.number])
        return self.collate.batch(drawings.take(rows), self._shown[rows], random)

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what was read, on the way to a worker process."""
        return {**self.__dict__, "_windows": None, "_drawings": None, "_shown": None, "_plan": []}

    def _read(self, number: int) -> Drawings:
        """Return the drawings of the window that holds batch `number`."""
        if self._windows is None or number < self._window.first:
            self._windows, self._drawings = self.order.windows(), None
            self._window = next(self._windows)
        while number >= self._window.first + self._window.batches:
            self._window, self._drawings = next(self._windows), None
        if self._drawings is None:
            window = self._window
            self._drawings = self.split.read(window.blocks)
            random = np.random.default_rng([self.order.seed, 2, window.epoch, window.number])
            self._shown = self.collate.shown(self._drawings, random)
            self._plan = self.order.plan(window, self._shown)
        return self._drawings


def training_and_validation(store: Store, count: int) -> tuple[Split, Drawings]:
    """Return the training split, and at most `count` drawings to validate on.

    Raises:
        SettingError: there are no training drawings.
    """
    split, valid = store.split("train"), store.split("valid")
    if not len(split):
        raise SettingError(f"{store.path} has no training drawings; prepare more than a handful")
    # A store of a few drawings may have an empty validation split: then training drawings stand in.
    return split, (valid if len(valid) else split).drawings(count)


def own_share(drawings: Drawings) -> Drawings:
    """Return this process's share of drawings."""
    return drawings.take(np.arange(rank(), len(drawings), world_size()))


class _Count(Sampler[int]):
    """The numbers first, first + 1, ... without end."""

    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self.first)


def _identity(batch: Any) -> Any:
    """Return a sample as it is: here a sample is a batch already."""
    return batch


def endless_loader(batches: Dataset[B], first: int, workers: int, *, pin: bool) -> DataLoader[B]:
    """Return a loader of batches `first`, `first` + 1, ... without end.

    Args:
        batches: by their number.
        first: number of the first one.
        workers: processes that make batches ahead; with 0 they are made when they are asked for.
        pin: put batches where a GPU fetches them faster.
    """
    return DataLoader(
        batches,
        batch_size=None,
        sampler=_Count(first),
        num_workers=workers,
        collate_fn=_identity,
        pin_memory=pin,
        prefetch_factor=4 if workers else None,
    )
