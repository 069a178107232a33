"""The reward model: features of completions, and scores blind to size and place."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sketchgen.errors import SketchError
from sketchgen.models.config import POINT_FEATURES
from sketchgen.models.numpy_classifier import MAX_POINTS, point_features
from sketchgen.models.reward_model import marked, resimplified, reward_features, simplified
from sketchgen.sketch.geometry import resample
from sketchgen.sketch.sketch import Completion, Sketch
from tests.support import critics, recognisers

SIDE = np.array([[0.0, 0.0], [255.0, 0.0], [255.0, 255.0]])
CLOSING = np.array([[255.0, 255.0], [0.0, 255.0], [0.0, 100.0]])


def test_distances_to_the_other_part_and_to_other_strokes():
    found = marked([SIDE, np.array([[100.0, 30.0]])], [CLOSING])
    assert found.added.tolist() == [False] * 4 + [True] * 3
    assert found.lift.tolist() == [False, False, True, True, False, False, True]
    # (0, 0) is 100 px from the end of the added line, and (255, 255) lies on it.
    near, far = math.hypot(100.0, 70.0), math.hypot(100.0, 225.0)
    np.testing.assert_allclose(found.to_other_part, [100.0, 255.0, 0.0, near, 0.0, far, 100.0], atol=1e-9)
    np.testing.assert_allclose(found.to_other_stroke[:4], [100.0, math.hypot(155.0, 30.0), 0.0, 30.0])


def test_without_other_strokes_distances_are_infinite():
    found = marked([SIDE], [])
    assert np.isinf([found.to_other_part, found.to_other_stroke]).all()
    assert (reward_features([found])[0][0, :, POINT_FEATURES:] == 0).all()


def test_features_are_the_classifiers_and_five_more():
    found = [marked([SIDE], [CLOSING]), marked([SIDE[:2]], [CLOSING[1:]])]
    steps, length = reward_features(found)
    assert (length.tolist(), steps.dtype) == ([6, 4], np.float32)
    points, lift = found[0].points[None], found[0].lift[None]
    np.testing.assert_array_equal(steps[:1, :, :POINT_FEATURES], point_features(points, lift, np.array([6])))
    more = steps[0, :, POINT_FEATURES:]
    assert more[:, 0].tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(more[:, 1], np.exp(-found[0].to_other_part / 6.0), rtol=1e-5)
    np.testing.assert_allclose(more[:, 4], np.exp(-found[0].to_other_stroke / 30.0), rtol=1e-5)
    assert (steps[1, 4:] == 0).all()


def test_other_points_can_be_taken():
    found = [marked([SIDE], [CLOSING])]
    steps, _ = reward_features(found, found[0].points[None] @ np.array([[-1.0, 0.0], [0.0, 1.0]]))
    plain, _ = reward_features(found)
    np.testing.assert_allclose(steps[0, :, 2], -plain[0, :, 2], atol=1e-6)
    np.testing.assert_array_equal(steps[..., POINT_FEATURES:], plain[..., POINT_FEATURES:])


def test_dense_and_simplified_strokes_are_the_same():
    plain = simplified(Sketch.from_strokes([SIDE]), Sketch.from_strokes([CLOSING]))
    fine = [resample(line, 5.0) for line in (SIDE, CLOSING)]
    assert all(len(line) > 40 for line in fine)
    dense = simplified(Sketch.from_strokes([fine[0]]), Sketch.from_strokes([fine[1]]))
    np.testing.assert_array_equal(dense.points, plain.points)
    np.testing.assert_array_equal(dense.added, plain.added)
    again = resimplified([SIDE / 3.0 + 7.0], [CLOSING / 3.0 + 7.0])
    np.testing.assert_allclose(again.points, plain.points, atol=1e-9)
    np.testing.assert_allclose(again.to_other_part, plain.to_other_part, atol=1e-9)


def test_a_dot_and_too_many_points():
    dot = marked([np.array([[3.0, 4.0]])], [])
    assert (dot.points.tolist(), dot.lift.tolist()) == ([[0.0, 0.0]], [True])
    many = marked([np.random.default_rng(0).random((MAX_POINTS + 30, 2))], [SIDE])
    assert len(many.points) == len(many.lift) == MAX_POINTS
    assert many.lift[-1]
    assert not many.added.any()


def test_size_place_and_other_completions_do_not_count():
    model, found = critics.reward_model(), critics.finished(9, 20, 31)
    scores = model.scores(found, "dog")
    moved = [
        Completion(critics.moved(each.given, 3.0, 500.0), critics.moved(each.added, 3.0, 500.0))
        for each in found
    ]
    np.testing.assert_allclose(model.scores(moved, "dog"), scores, atol=1e-3)
    np.testing.assert_allclose(model.scores(found[1:], "dog"), scores[1:], atol=1e-4)


def test_the_category_counts_and_an_unknown_one_is_any():
    model, found = critics.reward_model(), critics.finished(9, 20)
    scores = [model.scores(found, category) for category in ("dog", "cat", None, "unicorn")]
    assert (np.abs(scores[0] - scores[1]) > 1e-3).all()
    assert (np.abs(scores[1] - scores[2]) > 1e-3).all()
    np.testing.assert_array_equal(scores[2], scores[3])


def test_what_was_given_counts():
    given, added = recognisers.scribbles(12, 12)
    both = Completion(Sketch(given.strokes + added.strokes), Sketch())
    found = [Completion(given, added), Completion(added, given), both]
    scores = np.sort(critics.reward_model().scores(found, "dog"))
    assert (np.diff(scores) > 1e-3).all()


def test_an_empty_drawing_is_refused():
    with pytest.raises(SketchError, match="drawing 1"):
        critics.reward_model().scores([*critics.finished(4), Completion(Sketch(), Sketch())], None)
