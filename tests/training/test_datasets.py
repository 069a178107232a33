from __future__ import annotations

import itertools
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from sketchgen.data.batching import Batch
from sketchgen.data.splitting import Prefixes
from sketchgen.data.store import Split, Store
from sketchgen.errors import SettingError
from sketchgen.training.classifier_task import ClassifierCollate
from sketchgen.training.config import Augment
from sketchgen.training.datasets import StoreBatches, StrokeCollate, balanced, endless_loader, stroke_batches

PLAIN = Prefixes(unknown=0.0, warp=0.0, drop_category=0.0, held_back=0.0, opened=0.0)


@pytest.fixture(scope="module")
def split(store: Path) -> Split:
    return Store.open(store).split("train")


def batches(split: Split, size: int = 100, cuts: Prefixes | None = None) -> StoreBatches[Batch]:
    return StoreBatches(split, size, 5, StrokeCollate(split.categories, cuts or Prefixes()))


def same(one: Batch, two: Batch) -> bool:
    return all(torch.equal(value, vars(two)[name]) for name, value in vars(one).items())


def test_a_batch_is_the_same_however_one_gets_there(split: Split):
    stream = batches(split)
    per_epoch = -(-len(split) // 100)
    straight = [stream[number] for number in range(2 * per_epoch)]
    for number in (per_epoch + 1, 2, 0, 2 * per_epoch - 1):
        assert same(batches(split)[number], straight[number])
        assert same(stream[number], straight[number])
    assert not same(straight[0], straight[per_epoch])


def test_an_epoch_shows_every_drawing_once(split: Split):
    stream = batches(split)
    per_epoch = -(-len(split) // 100)
    for epoch in range(2):
        keys = [stream[epoch * per_epoch + number].key for number in range(per_epoch)]
        assert sorted(torch.cat(keys).tolist()) == sorted(split.drawings().key.astype("int64").tolist())


def test_each_batch_has_its_own_noise(split: Split):
    # One batch an epoch, of the same drawings.
    stream = batches(split, len(split), cuts=PLAIN)
    found = [stream[number] for number in range(3)]
    targets = [batch.target[batch.key.argsort()] for batch in found]
    assert not torch.equal(targets[0], targets[1])
    assert all(float((targets[0] - target).abs().max()) <= 1.0 for target in targets)


def test_processes_share_an_epoch_and_draw_noise_of_their_own(split: Split, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    lanes = []
    for number in range(2):
        monkeypatch.setenv("RANK", str(number))
        lanes.append(batches(split, 2 * len(split), cuts=PLAIN)[0])
    keys = torch.cat([batch.key for batch in lanes])
    assert len(set(keys.tolist())) == len(split)
    noise = [(batch.target[:, :-1] - batch.offset)[:50, :3] for batch in lanes]
    assert not torch.equal(noise[0], noise[1])


def test_categories_are_those_of_the_network(split: Split):
    turned = tuple(reversed(split.categories[1:]))
    batch = StoreBatches(split, 100, 5, StrokeCollate(turned, PLAIN))[0]
    for key, index in zip(batch.key.tolist(), batch.category.tolist(), strict=True):
        name = split.find(key % 2**64).sketch(0).category
        assert index == (turned.index(name) if name in turned else len(turned))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_gives_them_in_order_from_where_it_is_told(split: Split, workers: int):
    loader = endless_loader(batches(split), 3, workers, pin=False)
    assert all(
        same(batch, batches(split)[3 + number])
        for number, batch in enumerate(itertools.islice(iter(loader), 8))
    )


def test_what_was_read_does_not_travel_to_a_worker(split: Split):
    stream = batches(split)
    first = stream[0]
    data = pickle.dumps(stream)
    assert len(data) < 20_000
    assert same(pickle.loads(data)[0], first)


def test_batches_are_of_drawings_of_which_about_as_many_points_are_shown(split: Split):
    stream = StoreBatches(split, 16, 5, ClassifierCollate(Augment(drop_strokes=0.0, drop_points=0.0)))
    ranges = [np.ptp(stream[number].inputs[1].numpy()) for number in range(-(-len(split) // 16))]
    assert np.median(ranges) < 6


def test_balanced_batches_show_rare_categories_as_often_as_they_are_told_to():
    category = np.repeat([0, 1, 2], [900, 90, 10])
    random = np.random.default_rng(1)
    for balance, expected in ((0.0, [900, 90, 10]), (0.5, [703, 222, 74]), (1.0, [333, 333, 333])):
        rows = balanced(category, balance, random)
        assert len(rows) == 1000
        assert (np.diff(rows) >= 0).all()
        assert np.abs(np.bincount(category[rows]) - expected).max() <= 2
        # None of a category is left out while another one of it comes twice more.
        for one in range(3):
            times = np.bincount(rows, minlength=1000)[category == one]
            assert times.max() - times.min() <= 1


def test_a_balanced_epoch_is_as_long_and_the_same_each_time(split: Split):
    found = [
        StoreBatches(split, 100, 5, StrokeCollate(split.categories, PLAIN), balance=1.0) for _ in range(2)
    ]
    count = -(-len(split) // 100)
    epoch = [found[0][number] for number in range(count)]
    assert sum(len(batch.key) for batch in epoch) == len(split)
    assert all(same(batch, found[1][number]) for number, batch in enumerate(epoch))
    shown = np.bincount(np.concatenate([batch.category.numpy() for batch in epoch]))
    assert np.ptp(shown[shown > 0]) <= 2


def test_a_batch_smaller_than_the_processes_is_refused(split: Split, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(SettingError, match="batch is 3; for 4 processes it must be 4 or more"):
        batches(split, 3)


def test_the_public_batches_are_those_of_the_trainer(
    store: Path, split: Split, monkeypatch: pytest.MonkeyPatch
):
    assert same(stroke_batches(store, batch=100, seed=5)[1], batches(split)[1])
    monkeypatch.setattr(Split, "__len__", lambda split: 0)
    with pytest.raises(SettingError, match="no drawings in 'valid'"):
        stroke_batches(store, "valid")
