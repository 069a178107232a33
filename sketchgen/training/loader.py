"""Training batches by their number, and the loader that makes them ahead."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from sketchgen.data.batching import Batch, Prefixes, make_batch
from sketchgen.data.order import Order, Window
from sketchgen.data.store import Drawings, Split

Made = TypeVar("Made")


class TrainingBatches(Dataset[Batch]):
    """Training batches by their number, 0, 1, ... without end; number i is the same whenever it is asked for.

    Numbers are quick to get in rising order, for one window is kept.
    """

    def __init__(self, split: Split, order: Order, categories: tuple[str, ...], prefixes: Prefixes) -> None:
        """Batches of `split` for a network that knows `categories`."""
        self.split, self.order, self.categories, self.prefixes = split, order, categories, prefixes
        self._windows: Iterator[Window] | None = order.windows()
        self._window = next(self._windows)
        self._drawings: Drawings | None = None
        self._plan: list[NDArray[np.int64]] = []

    def __getitem__(self, number: int) -> Batch:
        """Batch `number`.

        Raises:
            FormatError: the store is damaged, or gone.
        """
        self._turn_to(number)
        assert self._drawings is not None
        chosen = self._drawings.take(self._plan[number - self._window.first])
        random = np.random.default_rng([self.order.seed, 1, number, self.order.lane.number])
        return make_batch(chosen, random, len(self.categories), self.prefixes)

    def __getstate__(self) -> dict[str, Any]:
        """For a worker process: what was read, and how far, stays behind."""
        return {**self.__dict__, "_windows": None, "_drawings": None, "_plan": []}

    def _turn_to(self, number: int) -> None:
        """Have the window that holds batch `number` in memory."""
        if self._windows is None or number < self._window.first:
            self._windows, self._drawings = self.order.windows(), None
            self._window = next(self._windows)
        while number >= self._window.first + self._window.batches:
            self._window, self._drawings = next(self._windows), None
        if self._drawings is None:
            found = self.split.read(self._window.blocks)
            self._plan = self.order.plan(self._window, found.lengths)
            self._drawings = replace(found, category=found.known_as(self.categories))


class _From(Sampler[int]):
    """The numbers first, first + 1, ... without end."""

    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self.first)


def _as_it_is(batch: Any) -> Any:
    """What a loader calls to put samples together: here a sample is a batch."""
    return batch


def endless_loader(batches: Dataset[Made], first: int, workers: int, *, pin: bool) -> DataLoader[Made]:
    """Batches number first, first + 1, ... made ahead by `workers` processes; by 0, when they are asked for.

    `pin` puts them where a GPU fetches them faster.
    """
    return DataLoader(
        batches,
        batch_size=None,
        sampler=_From(first),
        num_workers=workers,
        collate_fn=_as_it_is,
        pin_memory=pin,
        prefetch_factor=4 if workers else None,
    )
