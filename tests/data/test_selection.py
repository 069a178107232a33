from __future__ import annotations

import numpy as np

from sketchgen.data.drawings import from_lists
from sketchgen.data.selection import SPLITS, drawing_keys, split_numbers

POINTS = np.array([[0, 1], [2, 3], [4, 5]], dtype=np.uint8)


def test_a_key_tells_points_strokes_and_category_apart():
    lengths, points = [[3], [3], [1, 2], [2, 1], [3]], [POINTS, POINTS[::-1], POINTS, POINTS, POINTS]
    keys = drawing_keys(from_lists([0, 0, 0, 0, 1], [0] * 5, lengths, points, ["cat", "dog"]))
    assert len(set(keys.tolist())) == 5
    alone = drawing_keys(from_lists([0], [0], [[3]], [POINTS], ["dog"]))
    assert alone[0] == keys[4]


def test_the_key_alone_decides_the_split():
    keys = np.random.default_rng(0).integers(0, 2**64, 1000, dtype=np.uint64)
    expected = ["train" if key % 100 < 90 else "valid" if key % 100 < 95 else "test" for key in keys.tolist()]
    assert [SPLITS[number] for number in split_numbers(keys)] == expected


def test_the_splits_have_90_5_and_5_percent():
    assert np.bincount(split_numbers(np.arange(1000, dtype=np.uint64))).tolist() == [900, 50, 50]
