from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sketchgen.data.order import BUCKET, WINDOW, Lane, Order, Window


def blocks(*sizes: int) -> NDArray[np.int64]:
    return np.array(sizes, dtype=np.int64)


def epoch_of(order: Order, epoch: int = 0) -> list[Window]:
    found = itertools.takewhile(lambda window: window.epoch <= epoch, order.windows())
    return [window for window in found if window.epoch == epoch]


def seen(order: Order, window: Window, lengths: NDArray[np.int64]) -> list[tuple[int, int]]:
    """(block, row in it) of the drawings of a window's batches, in order."""
    sizes = order.block_sizes[list(window.blocks)]
    places = [(block, row) for block, size in zip(window.blocks, sizes, strict=True) for row in range(size)]
    return [places[index] for batch in order.plan(window, lengths) for index in batch.tolist()]


@settings(max_examples=40)
@example([9, 2], 3, 0, 3)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=150),
    st.integers(1, 9),
    st.integers(0, 9),
    st.integers(1, 4),
)
def test_an_epoch_has_every_drawing_once_in_one_of_the_lanes(
    sizes: list[int], size: int, seed: int, count: int
):
    found: list[tuple[int, int]] = []
    if len(sizes) < count and sum(sizes) < count:
        sizes = [count]
    for number in range(count):
        order = Order(blocks(*sizes), size, seed, Lane(number, count))
        for window in epoch_of(order):
            drawings = int(order.block_sizes[list(window.blocks)].sum())
            assert len(order.plan(window, np.arange(drawings) + 1)) == window.batches
            found += seen(order, window, np.arange(drawings) + 1)
    assert sorted(found) == [(block, row) for block, size in enumerate(sizes) for row in range(size)]


def test_batches_are_numbered_without_gaps_and_epochs_go_on():
    order = Order(blocks(*[7] * (WINDOW + 3)), 4, 0)
    windows = list(itertools.islice(order.windows(), 5))
    assert [(window.epoch, window.number) for window in windows] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]
    for one, two in itertools.pairwise(windows):
        assert two.first == one.first + one.batches
    assert windows[0].blocks != windows[2].blocks


def test_seeds_epochs_and_lanes_differ_and_the_same_is_the_same():
    lengths = np.full(1000, 5)

    def order(seed: int, epoch: int) -> bytes:
        one = Order(blocks(1000), 10, seed)
        return np.concatenate(one.plan(epoch_of(one, epoch)[0], lengths)).tobytes()

    assert len({order(seed, epoch) for seed in (0, 1) for epoch in (0, 1)}) == 4
    assert order(3, 2) == order(3, 2)


def test_a_batch_holds_like_lengths_and_no_batch_is_larger():
    random = np.random.default_rng(0)
    lengths = random.integers(2, 300, 1000)
    order = Order(blocks(1000), 1000 // BUCKET, 0)
    batches = order.plan(next(order.windows()), lengths)
    assert max(map(len, batches)) == 1000 // BUCKET
    assert np.mean([np.ptp(lengths[batch]) for batch in batches]) < 15
    means = [float(lengths[batch].mean()) for batch in batches]
    assert means != sorted(means)


def test_lanes_have_batches_of_like_lengths_at_the_same_time():
    random = np.random.default_rng(0)
    lengths = random.integers(2, 300, 2000)
    plans = []
    for number in range(2):
        order = Order(blocks(*[1000] * 4), 20, 0, Lane(number, 2))
        plans.append(order.plan(next(order.windows()), lengths))
    means = [[float(lengths[batch].mean()) for batch in plan] for plan in plans]
    assert np.corrcoef(means[0], means[1])[0, 1] > 0.95


@pytest.mark.parametrize("count", [1, 2, 3])
def test_lanes_of_a_store_smaller_than_they_are_all_have_work(count: int):
    for number in range(3):
        window = next(Order(blocks(count), 5, 0, Lane(number, 3)).windows())
        assert window.batches == 1
