"""Strokes without an image are mirrored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.symmetry import (
    EVERY,
    MAX_MIRRORED,
    MIN_SYMMETRY,
    UPRIGHT_BONUS,
    Mirrored,
    mirrored,
    placed,
)
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen


def ring(x: float, y: float, radius: float, start: float = 0.0) -> Points:
    turn = np.linspace(start, start + 2.0 * np.pi, 17)
    return np.column_stack([x + radius * np.cos(turn), y + radius * np.sin(turn)])


FACE = ring(0.0, 0.0, 80.0)
EYE, OTHER = ring(-30.0, -25.0, 12.0), ring(30.0, -25.0, 12.0)
MOUTH = np.array([(-35.0, 35.0), (0.0, 50.0), (35.0, 35.0)])
BROW = np.array([(-40.0, -50.0), (0.0, -60.0), (40.0, -50.0)])
WHISKER = np.array([(-20.0, 10.0), (-90.0, 5.0)])


def swapped(strokes: list[Points]) -> list[Points]:
    return [stroke[:, ::-1] for stroke in strokes]


def test_the_second_eye_is_where_the_first_is_on_the_other_side():
    way = mirrored([FACE, EYE, MOUTH])[0]
    assert len(way.strokes) == 1
    assert np.allclose(way.strokes[0], EYE * (-1.0, 1.0), atol=0.5)
    lengths = np.array([2.0 * np.pi * 80.0, 2.0 * np.pi * 12.0, 76.0])
    share = lengths / lengths.sum()
    assert way.symmetry == pytest.approx(1.0 - 1.5 * share[1] + UPRIGHT_BONUS, abs=0.01)


def test_a_level_mirror_counts_less():
    face = [FACE, EYE, MOUTH, BROW]
    upright, level = mirrored(face)[0], mirrored(swapped(face))[0]
    assert np.allclose(level.strokes[0], upright.strokes[0][:, ::-1], atol=1e-9)
    assert upright.symmetry - level.symmetry == pytest.approx(UPRIGHT_BONUS)


def test_a_level_mirror_is_none_where_an_upright_one_does_as_well():
    # In a level mirror only the ear lacks, for the eye stands in the middle; in an upright one both do.
    eye, ear = ring(-30.0, 0.0, 12.0), np.array([(-75.0, -30.0), (-90.0, -110.0), (-30.0, -75.0)])
    ways = mirrored([FACE, eye, ear])
    assert len(ways) == 1
    for stroke, given in zip(ways[0].strokes, (eye, ear), strict=True):
        assert np.allclose(stroke, given * (-1.0, 1.0), atol=0.5)
    # Lying, a face is clearly more symmetric in the level one; what it lacks in the other comes after that.
    lying = mirrored(swapped([FACE, EYE, MOUTH, BROW]))
    assert len(lying) > 1
    assert [way.symmetry for way in lying] == sorted((way.symmetry for way in lying), reverse=True)
    assert np.allclose(lying[0].strokes[0], swapped([EYE])[0] * (1.0, -1.0), atol=0.5)


def test_nothing_is_added_where_nothing_lacks():
    assert all(len(way.strokes) != 1 or way.symmetry < 0.9 for way in mirrored([FACE, EYE, OTHER, MOUTH]))
    assert mirrored([FACE]) == []
    assert mirrored([]) == []
    assert mirrored([np.zeros((1, 2))]) == []


def test_what_is_by_no_means_symmetric_is_left_alone():
    shapes = [np.array([(-80.0, -10.0), (-20.0, -70.0), (10.0, -10.0), (80.0, 60.0)]), ring(50.0, -20.0, 5.0)]
    assert mirrored(shapes) == []


def test_the_mirror_stands_between_what_is_alike_rather_than_in_the_middle_of_all():
    # An ear makes the drawing wider than the face is.
    ear = np.array([(60.0, -60.0), (140.0, -120.0), (75.0, -20.0)])
    way = mirrored([FACE, EYE, OTHER, MOUTH, ear])[0]
    assert len(way.strokes) == 1
    assert np.allclose(way.strokes[0], ear * (-1.0, 1.0), atol=1.0)


def test_a_sloppy_image_is_an_image():
    way = mirrored([FACE, EYE, OTHER + np.array([4.0, -3.0]), MOUTH, WHISKER])[0]
    assert len(way.strokes) == 1
    assert np.allclose(way.strokes[0], WHISKER * (-1.0, 1.0), atol=5.0)


def test_candidates_are_few_the_best_first_and_of_different_strokes():
    random = np.random.default_rng(0)
    strokes = [FACE, *(ring(x, y, 6.0) for x, y in random.uniform(-60, 60, (12, 2)))]
    ways = mirrored(strokes)
    found = [way.symmetry for way in ways]
    assert len(ways) <= MAX_MIRRORED
    assert found == sorted(found, reverse=True)
    assert all(symmetry > MIN_SYMMETRY for symmetry in found)


def test_a_scribble_is_too_much():
    assert mirrored([np.random.default_rng(1).uniform(-80, 80, (4000, 2)), EYE]) == []


def test_a_dot_has_an_image():
    way = mirrored([FACE, np.array([(-30.0, -25.0)]), MOUTH])[0]
    assert np.allclose(way.strokes[0], [(30.0, -25.0)], atol=0.5)


def test_steps_lead_to_the_points():
    way = Mirrored((EYE, WHISKER), 1.0)
    offset, pen = way.steps
    assert pen[-1] == Pen.END
    going_on = replace(way, goes_on=True).steps
    for steps in ((offset[:-1], pen[:-1]), going_on):
        assert np.allclose(np.cumsum(steps[0], axis=0), np.concatenate([EYE, WHISKER]))
        assert np.flatnonzero(steps[1]).tolist() == [len(EYE) - 1, len(EYE) + len(WHISKER) - 1]


def test_every_fourth_alternative_is_one_first_alone_then_going_on():
    ways = [Mirrored((EYE,), symmetry) for symmetry in (0.9, 0.5)]
    found = placed(ways, 5 * EVERY)
    assert list(found) == list(range(EVERY - 1, 4 * EVERY, EVERY))
    assert [way.symmetry for way in found.values()] == [0.9, 0.5, 0.9, 0.5]
    assert [way.goes_on for way in found.values()] == [False, False, True, True]
    assert list(placed(ways, 2 * EVERY - 1)) == [EVERY - 1]
    assert placed(ways, EVERY - 1) == placed([], 100) == {}


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (3.0, 500.0), (0.01, -2.0)])
def test_size_and_place_on_the_page_do_not_matter(scale: float, shift: float):
    sketch = Sketch.from_strokes([stroke * scale + shift for stroke in (FACE, EYE, MOUTH)])
    begun = PartialSketch.of(sketch)
    assert len(begun.mirrored[0].strokes) == 1
    image = begun.on_page(begun.mirrored[0].strokes[0])
    wanted = EYE * (-1.0, 1.0)
    for edge in (np.min, np.max):  # The network reads fewer points of the same ring.
        assert np.abs((edge(image, 0) - shift) / scale - edge(wanted, 0)).max() < 4.0


def test_what_is_symmetric_already_is_not_mirrored_in_another_mirror():
    ears = [np.array([(side * 60.0, -55.0), (side * 75.0, -100.0), (side * 30.0, -72.0)]) for side in (-1, 1)]
    assert mirrored([FACE, EYE, OTHER]) == []
    assert mirrored([FACE, EYE, OTHER, *ears]) == []
    # In the level mirror the second pair of eyes is lacking, but there is no first pair in the upright one.
    assert len(mirrored([FACE, EYE, *ears])) == 1


def test_what_is_symmetric_in_a_level_mirror_may_lack_an_image_in_an_upright_one():
    rail, rungs = [(-40.0, -80.0), (-40.0, 80.0)], [[(-40.0, y), (40.0, y)] for y in (-50.0, 0.0, 50.0)]
    found = mirrored([np.array(line) for line in (rail, *rungs)])
    assert any(np.allclose(np.abs(way.strokes[0][:, 0]), 40.0, atol=2.0) for way in found)


def test_of_a_dot_and_of_nothing_there_is_no_image():
    assert PartialSketch.of(Sketch()).mirrored == []
    assert PartialSketch.of(Sketch.from_strokes([[(5.0, 5.0)]])).mirrored == []


def test_what_stands_across_the_mirror_has_no_image():
    across = np.array([(-50.0, 20.0), (40.0, 60.0)])
    way = mirrored([FACE, EYE, across])[0]
    assert len(way.strokes) == 1
    assert np.allclose(way.strokes[0], EYE * (-1.0, 1.0), atol=0.5)
