"""Order of the drawings in training: a function of the seed and the number of the batch alone.

An epoch takes the blocks of a split (about a thousand drawings each, as they lie on the disk) in random
order, a window of some dozens at a time. A window is read into memory, shuffled, and cut into batches of
drawings of about the same length. So the order is close to a full shuffle, the disk is read in long pieces,
memory does not grow with the store, and a run resumes at any batch without reading those before it.

Each of several processes has a lane: blocks of its own, but batches of about the same length at the same
time, so that none waits for the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUCKET = 50
"""Batches that are sorted by length together: enough to save padding, few enough to mix lengths."""

WINDOW = 64
"""Blocks that are shuffled together: 65,536 drawings, about 8 MB."""


@dataclass(frozen=True)
class Lane:
    """Share of one of several processes that train together: its number, from 0, and their count."""

    number: int = 0
    count: int = 1


@dataclass(frozen=True)
class Window:
    """Blocks that are shuffled together.

    Attributes:
        epoch, number: of the epoch, and of the window in it, from 0.
        blocks: indices of the split's blocks, in random order.
        first: number of its first batch.
        batches: how many batches it has.
    """

    epoch: int
    number: int
    blocks: tuple[int, ...]
    first: int
    batches: int


@dataclass(frozen=True)
class Order:
    """Order in which a lane sees the drawings of a split.

    Attributes:
        block_sizes: (b,) drawings in each block.
        size: drawings in a batch of this lane.
    """

    block_sizes: NDArray[np.int64]
    size: int
    seed: int
    lane: Lane = Lane()

    @property
    def _whole_blocks(self) -> bool:
        # With fewer blocks than lanes each lane takes its share of the rows of all of them.
        return len(self.block_sizes) >= self.lane.count

    def rows(self, count: int) -> NDArray[np.int64]:
        """Return which of a window's `count` drawings belong to this lane."""
        if self._whole_blocks or count < self.lane.count:
            return np.arange(count)
        return np.arange(self.lane.number, count, self.lane.count)

    def windows(self) -> Iterator[Window]:
        """Yield all windows, without end; nothing is read from the disk."""
        first = 0
        for epoch in itertools.count():
            blocks = np.random.default_rng([self.seed, epoch]).permutation(len(self.block_sizes))
            if self._whole_blocks:
                blocks = blocks[self.lane.number :: self.lane.count]
            for number, start in enumerate(range(0, len(blocks), WINDOW)):
                chosen = tuple(blocks[start : start + WINDOW].tolist())
                count = len(self.rows(int(self.block_sizes[list(chosen)].sum())))
                window = Window(epoch, number, chosen, first, -(-count // self.size))
                yield window
                first += window.batches

    def plan(self, window: Window, lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Return the batches of a window as indices into its drawings, which have `lengths` points."""
        key = [self.seed, window.epoch, window.number]
        order = np.random.default_rng([*key, self.lane.number]).permutation(self.rows(len(lengths)))
        batches: list[NDArray[np.int64]] = []
        for group, start in enumerate(range(0, len(order), self.size * BUCKET)):
            members = order[start : start + self.size * BUCKET]
            members = members[np.argsort(lengths[members], kind="stable")]
            cut = [members[at : at + self.size] for at in range(0, len(members), self.size)]
            # The same in all lanes, so that their batches are of about the same length at the same time.
            batches += [cut[index] for index in np.random.default_rng([*key, group]).permutation(len(cut))]
        return batches
