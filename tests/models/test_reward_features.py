from __future__ import annotations

import math

import numpy as np

from sketchgen.models.classifier_config import FEATURES, MAX_POINTS
from sketchgen.models.classifier_features import features
from sketchgen.models.reward_features import reward_features, seen, shown, thinned
from sketchgen.sketch.geometry import resample
from sketchgen.sketch.sketch import Sketch

SIDE = np.array([[0.0, 0.0], [255.0, 0.0], [255.0, 255.0]])
CLOSING = np.array([[255.0, 255.0], [0.0, 255.0], [0.0, 100.0]])


def test_distances_count_to_lines_of_the_other_part_and_of_other_strokes():
    found = shown([SIDE, np.array([[100.0, 30.0]])], [CLOSING])
    assert found.added.tolist() == [False] * 4 + [True] * 3
    assert found.lift.tolist() == [False, False, True, True, False, False, True]
    # (0, 0) is 100 px from where the added line ends, and (255, 255) lies on it.
    near, far = math.hypot(100.0, 70.0), math.hypot(100.0, 225.0)
    np.testing.assert_allclose(found.across, [100.0, 255.0, 0.0, near, 0.0, far, 100.0], atol=1e-9)
    np.testing.assert_allclose(found.beside[:4], [100.0, math.hypot(155.0, 30.0), 0.0, 30.0])


def test_where_there_is_no_other_ink_it_is_infinitely_far():
    found = shown([SIDE], [])
    assert np.isinf(found.across).all()
    assert np.isinf(found.beside).all()
    steps, _ = reward_features([found])
    assert (steps[0, :, FEATURES:] == 0).all()


def test_features_are_the_recognisers_and_five_more():
    found = [shown([SIDE], [CLOSING]), shown([SIDE[:2]], [CLOSING[1:]])]
    steps, length = reward_features(found)
    assert length.tolist() == [6, 4]
    assert steps.dtype == np.float32
    points, lift = found[0].points[None], found[0].lift[None]
    np.testing.assert_array_equal(steps[:1, :, :FEATURES], features(points, lift, np.array([6])))
    more = steps[0, :, FEATURES:]
    assert more[:, 0].tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(more[:, 1], np.exp(-found[0].across / 6.0), rtol=1e-5)
    np.testing.assert_allclose(more[:, 4], np.exp(-found[0].beside / 30.0), rtol=1e-5)
    assert (steps[1, 4:] == 0).all()


def test_moved_points_are_read_where_they_are():
    found = [shown([SIDE], [CLOSING])]
    moved = found[0].points[None] @ np.array([[-1.0, 0.0], [0.0, 1.0]])
    steps, _ = reward_features(found, moved)
    plain, _ = reward_features(found)
    np.testing.assert_allclose(steps[0, :, 2], -plain[0, :, 2], atol=1e-6)
    np.testing.assert_array_equal(steps[..., FEATURES:], plain[..., FEATURES:])


def test_how_finely_lines_are_drawn_tells_nothing():
    fine = [resample(line, 5.0) for line in (SIDE, CLOSING)]
    assert all(len(line) > 40 for line in fine)
    one = seen(Sketch.from_strokes([fine[0]]), Sketch.from_strokes([fine[1]]))
    two = seen(Sketch.from_strokes([SIDE]), Sketch.from_strokes([CLOSING]))
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.added, two.added)


def test_lines_of_training_drawings_are_read_as_those_of_a_page():
    one = thinned([SIDE / 3.0 + 7.0], [CLOSING / 3.0 + 7.0])
    two = seen(Sketch.from_strokes([SIDE]), Sketch.from_strokes([CLOSING]))
    np.testing.assert_allclose(one.points, two.points, atol=1e-9)
    np.testing.assert_allclose(one.across, two.across, atol=1e-9)


def test_a_dot_and_too_many_points_are_read():
    dot = shown([np.array([[3.0, 4.0]])], [])
    assert dot.points.tolist() == [[0.0, 0.0]]
    assert dot.lift.tolist() == [True]
    many = shown([np.random.default_rng(0).random((MAX_POINTS + 30, 2))], [SIDE])
    assert len(many.points) == len(many.lift) == MAX_POINTS
    assert many.lift[-1]
    assert not many.added.any()
