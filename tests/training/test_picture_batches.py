"""What is learned from as pictures: whole drawings, bent and mirrored where that is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sketchgen.data.drawings import Drawings, from_lists
from sketchgen.models.picture_features import pictures_of
from sketchgen.training.picture_batches import (
    CALM_PICTURES,
    PICTURE_CHANGES,
    PictureLesson,
    Pictures,
)

PLAIN = replace(PICTURE_CHANGES, warp=0.0, mirror=0.0)


@pytest.fixture(scope="module")
def drawings() -> Drawings:
    random = np.random.default_rng(0)
    strokes = [[5, 4, 6], [3], [2, 2, 2, 2], [9, 1]] * 10
    points = [random.integers(0, 256, (sum(lengths), 2)).astype(np.uint8) for lengths in strokes]
    return from_lists([n % 2 for n in range(40)], list(range(40)), strokes, points, ("cat", "dog"))


def lesson(drawings: Drawings, seed: int = 0, **changes: float) -> PictureLesson:
    matter, random = Pictures(replace(PLAIN, **changes)), np.random.default_rng(seed)
    return matter.lesson(drawings, matter.cuts(drawings, random), random)


def test_unchanged_ones_are_seen_as_a_judge_sees_them(drawings: Drawings):
    found = lesson(drawings)
    seen = pictures_of([drawings.sketch(index) for index in range(len(drawings))])
    np.testing.assert_allclose(found.pictures, seen, atol=1e-4)
    np.testing.assert_array_equal(found.category, drawings.category)
    (only,) = found.inputs
    assert only is found.pictures


def test_mirrored_ones_are_seen_from_the_other_side(drawings: Drawings):
    plain, mirrored = lesson(drawings), lesson(drawings, mirror=1.0)
    np.testing.assert_allclose(mirrored.pictures, plain.pictures[:, :, ::-1], atol=1e-3)
    some = lesson(drawings, mirror=0.5).pictures
    same = np.abs(some - plain.pictures).max((1, 2)) < 1e-3
    assert 0.2 < same.mean() < 0.8


def test_bent_ones_differ_a_little(drawings: Drawings):
    plain, bent = lesson(drawings).pictures, lesson(drawings, warp=1.0).pictures
    apart = np.abs(plain - bent).max((1, 2))
    assert (apart > 0.1).mean() > 0.9
    assert bent.sum() == pytest.approx(plain.sum(), rel=0.2)


def test_lengths_do_not_decide_what_stands_together(drawings: Drawings):
    assert np.ptp(Pictures(PLAIN).cuts(drawings, np.random.default_rng(0))) == 0


def test_the_same_seed_gives_the_same_lesson(drawings: Drawings):
    one, two, other = (lesson(drawings, seed, warp=1.0).pictures for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_calm_changes_less():
    assert CALM_PICTURES.warp < PICTURE_CHANGES.warp
    assert CALM_PICTURES.mirror < PICTURE_CHANGES.mirror
