from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.errors import FormatError, SketchError
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen, from_stroke3, pens, split_strokes

# Whole numbers: sums of offsets are then exact, so that a round trip is an identity.
coordinates = st.integers(-10_000, 10_000)
drawings = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=8), max_size=6).map(
    Sketch.from_strokes
)


@settings(deadline=None, max_examples=60)
@given(drawings)
def test_steps_are_the_drawing(sketch):
    lifted = pens(sketch) == Pen.LIFT
    assert len(lifted) == sketch.point_count
    assert lifted.sum() == len(sketch.strokes)
    assert not (pens(sketch) == Pen.END).any()
    offsets = np.diff(sketch.points, axis=0, prepend=0.0)
    assert from_stroke3(np.column_stack([offsets, lifted])) == sketch
    assert Sketch.from_strokes(split_strokes(sketch.points, lifted)) == sketch


def test_an_unfinished_stroke_is_kept():
    sketch = from_stroke3([[1, 1, 1], [1, 1, 0]])
    assert [stroke.tolist() for stroke in sketch.strokes] == [[[1, 1]], [[2, 2]]]


@pytest.mark.parametrize("shape", [(3,), (2, 2), (2, 4), (1, 2, 3)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(FormatError, match="stroke-3"):
        from_stroke3(np.zeros(shape))
    with pytest.raises(SketchError, match="not finite"):
        from_stroke3([[np.nan, 0, 0]])
