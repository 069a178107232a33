from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.errors import FormatError, SketchError
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import (
    Pen,
    from_stroke3,
    from_stroke5,
    pens,
    split_strokes,
    to_stroke3,
    to_stroke5,
)

# Whole numbers: sums of offsets are then exact, so that a round trip is an identity.
coordinates = st.integers(-10_000, 10_000)
drawings = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=8), max_size=6).map(
    Sketch.from_strokes
)
starts = st.tuples(coordinates.map(float), coordinates.map(float))


@settings(deadline=None, max_examples=60)
@given(drawings, starts)
def test_stroke3_round_trip(sketch, start):
    assert from_stroke3(to_stroke3(sketch, start), start) == sketch


@settings(deadline=None, max_examples=60)
@given(drawings, starts, st.integers(0, 5))
def test_stroke5_round_trip(sketch, start, padding):
    five = to_stroke5(sketch, start, sketch.point_count + 1 + padding)
    assert five.shape == (sketch.point_count + 1 + padding, 5)
    assert (five[:, 2:].sum(axis=1) == 1).all()
    assert (five[sketch.point_count :, 2 + Pen.END] == 1).all()
    assert from_stroke5(five, start) == sketch


@settings(deadline=None, max_examples=40)
@given(drawings)
def test_one_lift_a_stroke(sketch):
    values = pens(sketch)
    assert len(values) == sketch.point_count
    assert (values == Pen.LIFT).sum() == len(sketch.strokes)
    assert not (values == Pen.END).any()


def test_stroke3_by_hand():
    sketch = Sketch.from_strokes([[(1, 2), (4, 6)], [(0, 0)]])
    assert to_stroke3(sketch).tolist() == [[1, 2, 0], [3, 4, 1], [-4, -6, 1]]
    assert to_stroke3(sketch, (1.0, 2.0))[0].tolist() == [0, 0, 0]
    assert to_stroke5(sketch)[:, 2:].argmax(axis=1).tolist() == [Pen.DRAW, Pen.LIFT, Pen.LIFT, Pen.END]


def test_an_unfinished_stroke_is_kept():
    sketch = from_stroke3([[1, 1, 1], [1, 1, 0]])
    assert [stroke.tolist() for stroke in sketch.strokes] == [[[1, 1]], [[2, 2]]]


def test_steps_after_the_end_do_not_count():
    steps = np.array([[1, 1, 1, 0, 0], [0, 0, 0, 0, 1], [9, 9, 1, 0, 0]], dtype=float)
    assert from_stroke5(steps).point_count == 1
    assert from_stroke5(np.zeros((0, 5))).is_empty


def test_split_strokes():
    parts = split_strokes(np.arange(8.0).reshape(4, 2), np.array([True, False, True, False]))
    assert [len(part) for part in parts] == [1, 2, 1]


@pytest.mark.parametrize("shape", [(3,), (2, 2), (2, 4), (1, 2, 3)])
def test_stroke3_shape(shape):
    with pytest.raises(FormatError, match="stroke-3"):
        from_stroke3(np.zeros(shape))


def test_bad_stroke5():
    with pytest.raises(FormatError, match="stroke-5"):
        from_stroke5(np.zeros((2, 3)))
    with pytest.raises(FormatError, match="step 1 has a pen that is not one-hot"):
        from_stroke5([[0, 0, 1, 0, 0], [0, 0, 1, 1, 0]])
    with pytest.raises(FormatError, match="step 0"):
        from_stroke5([[0, 0, 0.5, 0.5, 0]])
    with pytest.raises(FormatError, match="need a length of 2"):
        to_stroke5(Sketch.from_strokes([[(0, 0)]]), length=1)
    with pytest.raises(SketchError, match="not finite"):
        from_stroke3([[np.nan, 0, 0]])
