"""Batches for classifiers: drawings as they are where nothing is changed, cuts where they are asked for."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from sketchgen.data.drawings import Drawings, from_lists
from sketchgen.models.numpy_classifier import point_features
from sketchgen.models.picture_features import pictures_of
from sketchgen.training.classifier_task import (
    MAX_DROPPED_STROKES,
    ClassifierCollate,
    PictureCollate,
    _any_order,
    _kept_points,
    _kept_strokes,
    random_warps,
)
from sketchgen.training.config import UNCHANGED as PLAIN
from sketchgen.training.config import Augment

STROKES = ([5, 4, 6], [3], [2, 2, 2, 2], [9, 1])


def drawings(times: int = 1) -> Drawings:
    random = np.random.default_rng(0)
    strokes = [*STROKES] * times
    points = [random.integers(0, 256, (sum(lengths), 2)).astype(np.uint8) for lengths in strokes]
    count = len(strokes)
    return from_lists([n % 2 for n in range(count)], list(range(count)), strokes, points, ("cat", "dog"))


def made(known: Drawings, cut: np.ndarray, augment: Augment, seed: int) -> SimpleNamespace:
    batch = ClassifierCollate(augment).batch(known, cut, np.random.default_rng(seed))
    steps, length = (part.numpy() for part in batch.inputs)
    return SimpleNamespace(steps=steps, length=length, category=batch.target.numpy())


def lesson(cut: np.ndarray, augment: Augment = PLAIN, seed: int = 0, times: int = 1) -> SimpleNamespace:
    return made(drawings(times), cut, augment, seed)


def chosen_cuts(known: Drawings, share: float) -> np.ndarray:
    return ClassifierCollate(replace(PLAIN, cut=share)).shown(known, np.random.default_rng(0))


def alone(index: int, count: int) -> np.ndarray:
    """The features of the first points of a drawing."""
    known = drawings()
    first = int(known.start[index])
    lift = known.lift[first : first + count].copy()
    lift[-1] = True
    points = known.points[first : first + count].astype(np.float64)
    return point_features(points[None], lift[None], np.array([count]))[0]


@pytest.mark.parametrize("cuts", [(15, 3, 8, 10), (1, 2, 5, 9)])
def test_unchanged_ones_are_as_they_are(cuts: tuple[int, ...]):
    found = lesson(np.array(cuts))
    assert found.length.tolist() == list(cuts)
    assert found.category.tolist() == [0, 1, 0, 1]
    for row, count in enumerate(cuts):
        np.testing.assert_allclose(found.steps[row, :count], alone(row, count), atol=1e-5)
        assert (found.steps[row, count:] == 0.0).all()


def test_half_of_the_cuts_end_with_a_stroke():
    known = drawings(500)
    cut = chosen_cuts(known, 1.0)
    assert (cut >= 1).all()
    assert (cut <= known.lengths).all()
    ends = known.lift[known.start[:-1] + cut - 1]
    first = np.arange(len(cut)) % len(STROKES) == 0
    # Of its 15 points 3 end a stroke; a cut anywhere meets one of those in a fifth of the cases.
    assert 0.55 < ends[first].mean() < 0.65
    assert set(cut[first & ends].tolist()) == {5, 9, 15}
    assert (cut[first] == 15).mean() < 0.06
    assert set(cut[np.arange(len(cut)) % len(STROKES) == 1].tolist()) == {1, 2, 3}


def test_the_share_of_cuts_is_kept():
    known = drawings(500)
    cut = chosen_cuts(known, 0.35)
    assert 0.25 < (cut < known.lengths).mean() < 0.36
    assert (chosen_cuts(known, 0.0) == known.lengths).all()


@pytest.mark.parametrize("name", ["warp", "mirror", "any_order", "drop_strokes", "drop_points", "jitter"])
def test_each_change_changes_something(name: str):
    whole = drawings(50).lengths
    plain, changed = lesson(whole, times=50), lesson(whole, replace(PLAIN, **{name: 1.0}), times=50)
    fewer = name.startswith("drop")
    assert (changed.length < plain.length).any() == fewer
    assert (changed.length >= 1).all()
    if not fewer:
        assert np.abs(changed.steps - plain.steps).max() > 1e-3


def test_a_mirrored_drawing_is_the_same_from_the_other_side():
    whole = drawings().lengths
    plain, mirrored = lesson(whole), lesson(whole, replace(PLAIN, mirror=1.0))
    across = [0, 2, 4, 10]
    np.testing.assert_allclose(mirrored.steps[..., across], -plain.steps[..., across], atol=1e-5)
    rest = [index for index in range(13) if index not in across]
    np.testing.assert_allclose(mirrored.steps[..., rest], plain.steps[..., rest], atol=1e-5)


def test_in_any_order_a_drawing_has_the_same_strokes():
    known = drawings(40)
    order, lift = _any_order(known, np.random.default_rng(1), 1.0)
    as_they_were = _any_order(known, np.random.default_rng(1), 0.0)
    np.testing.assert_array_equal(as_they_were[0], np.arange(len(order)))
    np.testing.assert_array_equal(as_they_were[1], known.lift)
    moved = 0
    for row, (start, end) in enumerate(itertools.pairwise(known.start.tolist())):
        before, after = (
            [stroke.tolist() for stroke in np.split(each, np.flatnonzero(ends[start:end])[:-1] + 1)]
            for each, ends in ((np.arange(start, end), known.lift), (order[start:end], lift))
        )
        assert sorted(sorted(stroke) for stroke in after) == before, row
        assert all(stroke in (sorted(stroke), sorted(stroke)[::-1]) for stroke in after)
        moved += before != after
    assert moved > 20


def test_the_first_and_the_last_point_of_a_stroke_stay():
    random = np.random.default_rng(0)
    lift = random.random((200, 30)) < 0.2
    kept = _kept_points(lift, random, 1.0)
    assert kept[lift].all()
    assert kept[:, 0].all()
    assert kept[:, 1:][lift[:, :-1]].all()
    inside = ~lift[:, 1:] & ~lift[:, :-1]
    assert 0.8 < kept[:, 1:][inside].mean() < 0.9


def test_strokes_are_left_out_but_never_all_that_is_shown():
    random = np.random.default_rng(0)
    lift = random.random((4000, 40)) < 0.2
    lift[:, -1] = True
    shown = np.arange(40) < random.integers(1, 12, (4000, 1))
    assert _kept_strokes(lift, shown, random, 0.0).all()
    kept = _kept_strokes(lift, shown, random, 1.0)
    assert (kept & shown).any(1).all()
    # Whole strokes: wherever one is not over, its next point is kept or left out with it.
    assert (kept[:, 1:] == kept[:, :-1])[~lift[:, :-1]].all()
    # Half of the highest probability, less those that would have lost all.
    assert 0.15 < (~kept[:, -1]).mean() < MAX_DROPPED_STROKES / 2
    assert _kept_strokes(lift, shown, random, 0.5)[:, -1].mean() > kept[:, -1].mean()


def test_drawings_are_bent_a_little_and_keep_their_area():
    axes = np.tile(np.eye(2), (6000, 1, 1))
    moved = axes @ random_warps(len(axes), np.random.default_rng(0), replace(PLAIN, warp=0.5, mirror=0.5))
    area = np.linalg.det(moved)
    np.testing.assert_allclose(np.abs(area), 1.0, atol=1e-9)
    along = moved[:, 0] * np.sign(area)[:, None]
    warped = np.abs(np.linalg.norm(along, axis=1) - 1.0) > 1e-9
    assert warped.mean() == pytest.approx(0.5, abs=0.03)
    # Mirrored by a chance of its own.
    for chosen in (warped, ~warped):
        assert (area[chosen] < 0).mean() == pytest.approx(0.5, abs=0.04)
    angle = np.arctan2(along[warped, 1], along[warped, 0])
    assert angle.std() == pytest.approx(0.1, abs=0.01)
    assert np.log(np.linalg.norm(along[warped], axis=1)).std() == pytest.approx(0.12, abs=0.01)


def test_noise_is_px_of_the_box_whatever_the_size_of_the_drawing():
    random = np.random.default_rng(3)
    small = random.integers(0, 13, (20, 2)).astype(np.uint8)
    steps = [
        made(
            from_lists([0], [0], [[12, 8]], [points], ("cat", "dog")),
            np.array([20]),
            replace(PLAIN, jitter=1.0),
            1,
        ).steps
        for points in (small, small * np.uint8(20))
    ]
    np.testing.assert_allclose(steps[0], steps[1], atol=1e-5)


def test_the_same_seed_gives_the_same_batch():
    whole = drawings().lengths
    one, two, other = (lesson(whole, Augment(), seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.steps, two.steps)
    assert one.steps.shape != other.steps.shape or not np.array_equal(one.steps, other.steps)


def seen(augment: Augment, seed: int = 0) -> np.ndarray:
    """Pictures of forty drawings."""
    collate, known = PictureCollate(augment), drawings(10)
    shown = collate.shown(known, np.random.default_rng(seed))
    # Lengths do not decide what stands together.
    assert np.ptp(shown) == 0
    batch = collate.batch(known, shown, np.random.default_rng(seed))
    np.testing.assert_array_equal(batch.target, known.category)
    return batch.inputs[0].numpy()


def test_unchanged_pictures_are_as_a_classifier_sees_them():
    wanted = pictures_of([drawings(10).sketch(index) for index in range(40)])
    np.testing.assert_allclose(seen(PLAIN), wanted, atol=1e-4)


def test_mirrored_pictures_are_seen_from_the_other_side():
    plain = seen(PLAIN)
    np.testing.assert_allclose(seen(replace(PLAIN, mirror=1.0)), plain[:, :, ::-1], atol=1e-3)
    same = np.abs(seen(replace(PLAIN, mirror=0.5)) - plain).max((1, 2)) < 1e-3
    assert 0.2 < same.mean() < 0.8


def test_warped_pictures_differ_a_little_and_by_the_seed():
    plain, warp = seen(PLAIN), replace(PLAIN, warp=1.0)
    warped = seen(warp)
    assert (np.abs(plain - warped).max((1, 2)) > 0.1).mean() > 0.9
    assert warped.sum() == pytest.approx(plain.sum(), rel=0.2)
    np.testing.assert_array_equal(seen(warp), warped)
    assert not np.array_equal(seen(warp, 4), warped)
