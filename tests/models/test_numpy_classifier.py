"""What a classifier reads: simplified points, features without size and place, nothing of the padding."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sketchgen.models.numpy_classifier import (
    MAX_POINTS,
    OFFSET_SCALE,
    in_own_box,
    point_features,
    point_sequence,
)
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Sketch

POINTS = np.array([[[0.0, 0.0], [30.0, 40.0], [100.0, 200.0], [100.0, 20.0]]])
LIFT = np.array([[False, True, False, True]])
LENGTH = np.array([4])


def test_the_own_box_is_255_px_around_the_origin():
    placed = in_own_box(POINTS * 7.0 + 1000.0, np.ones((1, 4), dtype=bool))[0]
    np.testing.assert_allclose(placed.min(0), [-63.75, -127.5])
    np.testing.assert_allclose(placed.max(0), [63.75, 127.5])


def test_a_dot_is_moved_and_not_scaled():
    placed = in_own_box(np.full((1, 3, 2), 77.0), np.ones((1, 3), dtype=bool))
    assert (placed == 0.0).all()


@pytest.mark.parametrize(("scale", "shift"), [(0.01, 0.0), (3.0, -500.0), (1.0, 1e4)])
def test_size_and_place_are_not_read(scale: float, shift: float):
    wanted = point_features(POINTS, LIFT, LENGTH)
    np.testing.assert_allclose(point_features(POINTS * scale + shift, LIFT, LENGTH), wanted, atol=1e-5)


def test_each_feature():
    found = point_features(POINTS, LIFT, LENGTH)[0]
    scale = 255.0 / 200.0
    np.testing.assert_allclose(found[1, 0:2] * OFFSET_SCALE, [30 * scale, 40 * scale], rtol=1e-6)
    np.testing.assert_allclose(found[1, 10:12], [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(found[1, 9], np.log1p(50 * scale) / 4, rtol=1e-6)
    # The first point of each stroke is its own start, and the pen was up.
    np.testing.assert_array_equal(found[:, 7], [0, 1, 0, 1])
    np.testing.assert_array_equal(found[[0, 2], 4:6], 0.0)
    np.testing.assert_array_equal(found[[0, 2], 6], 1.0)
    np.testing.assert_allclose(found[3, 4:6] * 64.0, [0.0, -180 * scale], rtol=1e-6)
    np.testing.assert_array_equal(found[:, 8], [0, 1, 0, 1])
    np.testing.assert_allclose(found[:, 12], np.tanh(np.array([0, 0, 1, 1]) / 8), rtol=1e-6)


def test_padding_is_zero_and_is_not_read():
    wide = np.concatenate([POINTS, np.full((1, 3, 2), 9e3)], 1)
    lift = np.concatenate([LIFT, np.ones((1, 3), dtype=bool)], 1)
    found = point_features(wide, lift, LENGTH)
    np.testing.assert_array_equal(found[:, :4], point_features(POINTS, LIFT, LENGTH))
    assert (found[:, 4:] == 0.0).all()


def test_a_dense_canvas_drawing_is_seen_as_quickdraw_would_store_it():
    corners = np.array([[0.0, 0.0], [255.0, 0.0], [255.0, 200.0]])
    dense = np.concatenate([np.linspace(a, b, 100) for a, b in pairwise(corners)])
    points, lift = point_sequence(moved(Sketch.from_strokes([dense]), 3.0, 50.0, 70.0))
    np.testing.assert_array_equal(points, corners)
    assert lift.tolist() == [False, False, True]


@pytest.mark.parametrize("kind", ["scribble", "dots"])
def test_very_long_drawings_are_read_too(kind: str):
    points = np.random.default_rng(0).random((700, 2)) * 255.0
    sketch = Sketch.from_strokes([points] if kind == "scribble" else list(points[:, None]))
    assert 0 < len(point_sequence(sketch)[0]) <= MAX_POINTS
