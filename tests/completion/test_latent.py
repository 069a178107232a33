"""Operations on the latent vector: their ends, their places, and that drawing i depends on i alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sketchgen.completion.latent import SPREAD, LatentSpace, Place, spherical
from sketchgen.errors import CategoryError, SettingError, SketchError, SketchgenError
from sketchgen.limits import MAX_LATENT
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Sketch
from sketchgen.sketch.strokes import pens
from tests.support import untrained

SHAPE = {"latent": 6, "latent_encoder": 16, "pointers": 8}
FACE = Sketch.from_strokes(
    [[[0, 0], [60, 10], [90, 80], [0, 0]], [[20, 30], [25, 60]]], page=Box(0, 0, 200, 200), category="sun"
)
BEAM = Sketch.from_strokes([[[1000, 1000], [1900, 1040]]])
DOT = Sketch.from_strokes([[[50, 60]]], page=Box(0, 0, 100, 100))
HOT = {"temperature": 1.0, "seed": 46}
"""Settings by which an untrained network draws some points, not just one."""


@pytest.fixture(scope="module")
def space() -> LatentSpace:
    return LatentSpace(untrained.completer(untrained.shaped(SHAPE)), best_of=2)


def same(one: Sketch, two: Sketch) -> bool:
    return len(one.strokes) == len(two.strokes) and bool(np.allclose(one.points, two.points, atol=1e-3))


def test_the_vector_knows_neither_size_nor_place(space: LatentSpace):
    other = space.encode(moved(FACE, 3.0, 500.0, -20.0))
    np.testing.assert_allclose(space.encode(FACE).mean, other.mean, atol=1e-6)


def test_drawing_i_does_not_depend_on_the_count(space: LatentSpace):
    assert space.reconstruct(FACE, 3, **HOT)[:2] == space.reconstruct(FACE, 2, **HOT)
    assert space.vary(FACE, 0.7, 3, **HOT)[:2] == space.vary(FACE, 0.7, 2, **HOT)
    assert space.reconstruct(FACE, 1, **HOT) != space.reconstruct(FACE, 1, 1.0, seed=4)


def test_ends_are_the_drawings_themselves(space: LatentSpace):
    first, *_, last = space.interpolate(FACE, BEAM, 5, **HOT)
    assert same(first, space.reconstruct(FACE, 1, **HOT)[0])
    assert same(last, space.reconstruct(BEAM, 1, **HOT)[0])
    assert first.point_count > 4
    # A variation is told the category.
    assert same(space.vary(FACE, 0.0, 1, **HOT)[0], space.reconstruct(FACE, 1, category="sun", **HOT)[0])
    assert same(space.combine([FACE], **HOT)[0], first)
    inside = space.decode(space.encode(FACE).mean, **HOT)[0]
    assert same(Place.of(FACE).lay(inside.points, pens(inside), None), first)
    assert same(space.combine([FACE, "cat"], minus=["cat"], **HOT)[0], first)


def test_fewer_steps_are_some_of_more(space: LatentSpace):
    few, many = space.interpolate("cat", FACE, 3, **HOT), space.interpolate("cat", FACE, 5, **HOT)
    assert all(same(*pair) for pair in zip(few, many[::2], strict=True))


def test_vectors_of_a_category_are_near_the_middle_of_its_prior(space: LatentSpace):
    prior = space.prior("cat")
    apart = [(space.vector("cat", 0, index) - prior.mean[0]) / prior.deviation[0] for index in range(200)]
    assert np.std(apart) == pytest.approx(SPREAD, rel=0.1)
    assert SPREAD < 0.5


def test_full_strength_forgets_the_drawing(space: LatentSpace):
    ours, other = (space.vary(each, 1.0, 1, category="sun", **HOT)[0] for each in (FACE, DOT))
    assert len(ours.strokes) == len(other.strokes)
    assert ours.point_count == other.point_count


@pytest.mark.parametrize("sketch", [FACE, BEAM, DOT], ids=["face", "beam", "dot"])
def test_drawings_stand_where_the_given_one_does(space: LatentSpace, sketch: Sketch):
    found = space.reconstruct(sketch, 1, **HOT)[0]
    assert found.page == sketch.page
    assert found.bounds is not None
    assert sketch.bounds is not None
    side = sketch.bounds.longer or 100.0
    assert found.bounds.longer <= side * 1.0001
    if sketch is not DOT:
        assert found.bounds.centre == pytest.approx(sketch.bounds.centre)


def test_places_between_two_drawings(space: LatentSpace):
    middle = space.interpolate(FACE, BEAM, 3, **HOT)[1]
    assert middle.bounds is not None
    assert middle.page == FACE.page
    assert middle.bounds.centre == pytest.approx(((45 + 1450) / 2, (40 + 1020) / 2))
    named = space.interpolate("cat", BEAM, 2, **HOT)[0]
    assert named.bounds is not None
    assert named.bounds.centre == pytest.approx((1450, 1020))


def test_arc_keeps_the_length():
    one, two = np.eye(4)[:2] * 3.0
    found = spherical(one, two, np.linspace(0, 1, 7))
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 3.0)
    np.testing.assert_allclose(found[3], (one + two) / np.sqrt(2))
    # Vectors that are equal or opposite have no arc between them.
    for other in (one, -one):
        np.testing.assert_allclose(spherical(one, other, np.array([0.5]))[0], (one + other) / 2, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda on: on.reconstruct(Sketch()), SketchError, "empty"),
        (lambda on: on.reconstruct("cat"), SketchError, "Sketch is needed"),
        (lambda on: on.reconstruct(FACE, category="catt"), CategoryError, "'cat'"),
        (lambda on: on.interpolate(FACE, "catt"), CategoryError, "'cat'"),
        (lambda on: on.interpolate(FACE, BEAM, 0), SettingError, "from 2 to"),
        (lambda on: on.interpolate(FACE, BEAM, 1000), SettingError, str(MAX_LATENT)),
        (lambda on: on.vary(FACE, 1.5), SettingError, "strength"),
        (lambda on: on.vary(FACE, float("nan")), SettingError, "strength"),
        (lambda on: on.combine([]), SettingError, "at least one"),
        (lambda on: on.combine("cat"), SettingError, "list"),
        (lambda on: on.decode(np.zeros(6)), SettingError, r"\(n, 6\), not \(6,\)"),
        (lambda on: on.decode(np.full((2, 6), np.nan)), SettingError, "finite"),
        (lambda on: LatentSpace(untrained.tiny("cat")), SettingError, "latent345"),
    ],
)
def test_bad_input_is_told_in_a_line(
    space: LatentSpace, call: Any, error: type[SketchgenError], words: str
) -> None:
    with pytest.raises(error, match=words) as told:
        call(space)
    assert "\n" not in str(told.value)
