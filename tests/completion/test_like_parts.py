"""An added stroke gets the size and the height of a like given one beside it, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest

from sketchgen.completion.like_parts import MAX_RATIO, made_alike
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import to_steps

TURN = np.linspace(0.0, 2.0 * np.pi, 17)


def ring(x: float, y: float, radius: float) -> Points:
    return np.column_stack([x + radius * np.cos(TURN), y + radius * np.sin(TURN)])


EYE = ring(-30.0, 0.0, 12.0)
EAR = np.array([(-60.0, -20.0), (-50.0, -60.0), (-25.0, -40.0)])


@pytest.mark.parametrize("radius", [8.0, 10.0, 18.0])
def test_a_second_part_gets_the_size_and_the_height_of_the_first(radius: float):
    found = made_alike([ring(30.0, 3.0, radius)], [ring(0.0, 0.0, 80.0), EYE])
    assert np.allclose(found[0], ring(30.0, 0.0, 12.0))


def test_its_image_in_a_mirror_is_like_it():
    image = EAR * (-1.0, 1.0)
    middle = (image.min(0) + image.max(0)) / 2.0
    found = made_alike([(image - middle) * 0.7 + middle + (2.0, 5.0)], [EAR])
    assert np.allclose(found[0] - image, (2.0, 0.0))


@pytest.mark.parametrize(
    "other",
    [
        ring(30.0, 0.0, 12.0 * MAX_RATIO + 1.0),  # far larger
        ring(-30.0, 30.0, 9.0),  # below: the balls of a snowman are of several sizes
        ring(30.0, 20.0, 9.0),  # at another height
        ring(-30.0, 0.0, 8.0),  # within
        np.array([(20.0, -8.0), (40.0, -8.0), (40.0, 8.0), (20.0, 8.0), (20.0, -8.0)]) * (1.0, 0.5),  # unlike
        np.array([(30.0, -8.0), (31.0, 8.0)]),  # a line
        np.array([(30.0, 0.0)]),  # a dot
    ],
)
def test_what_is_no_second_one_stays_as_it_is(other: Points):
    assert made_alike([other], [EYE])[0] is other


def test_lines_stay_as_long_as_they_are():
    legs = [np.array([(x, 0.0), (x + 1.0, length)]) for x, length in ((0.0, 20.0), (10.0, 14.0))]
    assert made_alike(legs[1:], legs[:1])[0] is legs[1]


def test_completions_have_like_parts():
    given = Sketch.from_strokes([ring(0.0, 0.0, 80.0), EYE])
    partial = PartialSketch.of(given)
    steps = to_steps(Sketch((ring(30.0, 2.0, 8.0) - EYE[-1],)), ends=False)
    added = partial.added(*steps, None, going_on=False)
    assert np.ptp(added.strokes[0], axis=0) == pytest.approx(np.ptp(EYE, axis=0), abs=1.0)
    # What continues the last given stroke stays where that ends.
    going_on = partial.added(*steps, None, going_on=True)
    assert np.ptp(going_on.strokes[0][1:], axis=0) == pytest.approx([16.0, 16.0], abs=1.0)
