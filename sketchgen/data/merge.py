"""The second pass of `prepare`: from sorted files of drawings to a store, range of keys by range of keys."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings
from sketchgen.data.rules import MAX_POINTS, SPLITS, split_numbers
from sketchgen.data.spill import SpillFile, key_ranges
from sketchgen.data.store import StoreWriter


class Statistics:
    """Figures over all drawings, from sums of whole numbers: the same whatever the order.

    Attributes:
        kept: number of drawings in each split.
    """

    def __init__(self, categories: Sequence[str]) -> None:
        self.kept: dict[str, int] = {split: 0 for split in SPLITS}
        self._categories = categories
        self._by_category = np.zeros(len(categories), dtype=np.int64)
        self._lengths = np.zeros(MAX_POINTS + 1, dtype=np.int64)
        self._offsets = self._sum = self._squares = 0

    def add(self, split: str, drawings: Drawings) -> None:
        """Count some drawings of a split."""
        self.kept[split] += len(drawings)
        self._by_category += np.bincount(drawings.category, minlength=len(self._by_category))
        self._lengths += np.bincount(drawings.lengths, minlength=len(self._lengths))
        if split != SPLITS[0]:
            return
        steps = np.diff(drawings.points.astype(np.int16), axis=0)
        # From a drawing's last point to the next one's first there is no step.
        steps[drawings.start[1:-1] - 1] = 0
        self._offsets += 2 * (len(drawings.points) - len(drawings))
        self._sum += int(steps.sum(dtype=np.int64))
        self._squares += int(np.square(steps.astype(np.int32)).sum(dtype=np.int64))

    def figures(self) -> dict[str, Any]:
        """Points a drawing, the deviation of the training split's offsets in px, drawings by category."""
        count = int(self._lengths.sum())
        points = int(self._lengths @ np.arange(len(self._lengths)))
        deviation = 1.0
        if self._offsets:
            deviation = math.sqrt(self._offsets * self._squares - self._sum**2) / self._offsets
        return {
            "points": {
                "mean": points / count,
                "p95": self._quantile(0.95),
                "max": int(np.flatnonzero(self._lengths)[-1]),
            },
            "offset_deviation": deviation,
            "by_category": dict(zip(self._categories, self._by_category.tolist(), strict=True)),
        }

    def _quantile(self, share: float) -> float:
        """What `numpy.quantile` says of the lengths: between the two nearest, in proportion."""
        up_to = np.cumsum(self._lengths)
        place = share * (int(up_to[-1]) - 1)
        low, high = np.searchsorted(up_to, [math.floor(place), math.ceil(place)], side="right").tolist()
        return float(low + (high - low) * (place - math.floor(place)))


class Cap:
    """Keeps at most so many drawings of each category: the first that come, in the order of their keys.

    Attributes:
        dropped: how many were left out.
    """

    def __init__(self, most: int | None, categories: int) -> None:
        self.dropped = 0
        self._most, self._taken = most, np.zeros(categories, dtype=np.int64)

    def kept(self, category: NDArray[np.int64]) -> NDArray[np.int64]:
        """The places of those that are kept, in order, of drawings of these categories."""
        if self._most is None:
            return np.arange(len(category))
        order = np.argsort(category, kind="stable")
        counts = np.bincount(category, minlength=len(self._taken))
        # The place of each among those of its own category, counting those of earlier calls.
        place = np.arange(len(category)) - np.repeat(np.cumsum(counts) - counts - self._taken, counts)
        kept = np.sort(order[place < self._most])
        self._taken += counts
        self.dropped += len(category) - len(kept)
        return kept


def unique_order(key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The places of keys in their order, each key once."""
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    return order[np.append(True, ranked[1:] != ranked[:-1])] if len(order) else order


def merge(
    files: Sequence[SpillFile],
    categories: Sequence[str],
    most: int | None,
    writer: StoreWriter,
    progress: Callable[[int], None],
) -> tuple[Statistics, int, int]:
    """Write the drawings of all files to a store, in order.

    Args:
        files: where they are.
        categories: the names, sorted.
        most: at most so many of each category; None for all.
        writer: what takes them; not finished here.
        progress: called with the bytes of the files that are done.

    Returns:
        Figures, how many drawings were there twice, and how many were beyond `most`.

    Raises:
        OSError: a file cannot be read or written.
    """
    statistics, cap = Statistics(categories), Cap(most, len(categories))
    twice = done = 0
    for drawings, size in key_ranges(files, categories):
        order = unique_order(drawings.key)
        twice += len(drawings) - len(order)
        order = order[cap.kept(drawings.category[order])]
        split = split_numbers(drawings.key[order])
        for number, name in enumerate(SPLITS):
            part = drawings.take(order[split == number])
            if len(part):
                statistics.add(name, part)
                writer.add(name, part)
        done += size
        progress(done)
    return statistics, twice, cap.dropped
