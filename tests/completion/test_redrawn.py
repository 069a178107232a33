"""Added strokes that only draw given lines again are left out."""

from __future__ import annotations

import numpy as np
import pytest

from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen

BODY = np.array([(0.0, 0.0), (160.0, 0.0), (160.0, 80.0), (0.0, 80.0), (0.0, 0.0)])
AGAIN = np.array([(2.0, 1.0), (158.0, 2.0), (159.0, 78.0)])
ROOF = np.array([(0.0, 0.0), (80.0, -60.0), (160.0, 0.0)])
HALF = np.array([(2.0, 1.0), (80.0, 1.0), (80.0, 70.0)])


def added(*strokes: Points, going_on: bool = False, given: tuple[Points, ...] = (BODY,)) -> list[Points]:
    """Return what is left of added strokes; the given part ends at the origin, where they begin."""
    partial = PartialSketch.of(Sketch.from_strokes(given))
    points = np.concatenate(strokes) / partial.frame.scale
    pen = np.concatenate([[int(Pen.DRAW)] * (len(stroke) - 1) + [int(Pen.LIFT)] for stroke in strokes])
    offset = np.diff(points, axis=0, prepend=0.0)
    return list(partial.added(offset, pen, None, going_on=going_on).strokes)


def test_a_stroke_along_given_lines_is_left_out_and_no_other_is():
    left = added(ROOF, AGAIN, HALF)
    assert len(left) == 2
    np.testing.assert_allclose(left[0], ROOF, atol=0.01)
    np.testing.assert_allclose(left[1], HALF, atol=0.01)


def test_it_stays_where_nothing_else_is_added():
    assert len(added(AGAIN)) == 1


def test_a_line_that_is_continued_begins_where_it_ended():
    (left,) = added(ROOF[1:], AGAIN, going_on=True)
    np.testing.assert_allclose(left, [(0, 0), *ROOF[1:]], atol=0.01)


@pytest.mark.parametrize("given", [(), (np.array([(0.0, 0.0)]),)], ids=["nothing", "a dot"])
def test_nothing_is_drawn_again_where_nothing_or_a_dot_is_given(given: tuple[Points, ...]):
    assert len(added(ROOF, AGAIN, given=given)) == 2
