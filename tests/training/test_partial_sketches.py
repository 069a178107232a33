"""How a person completed a drawing is closed as the model closes gaps."""

from __future__ import annotations

import numpy as np

from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.sketch.sketch import Sketch
from sketchgen.training.partial_sketches import closed


def test_how_a_person_went_on_is_closed_as_the_model_closes():
    line = np.array([[0.0, 0.0], [200.0, 0.0], [200.0, 200.0]])
    rest = [np.array([[200.0, 200.0], [0.0, 200.0], [4.0, 10.0]]), np.array([[90.0, 90.0], [99.0, 99.0]])]
    beginning = PartialSketch.of(Sketch.from_strokes([line]), 24.0)
    found = closed(rest, beginning, inside=True)
    np.testing.assert_allclose(found[0], [[200.0, 200.0], [0.0, 200.0], [0.0, 0.0]], atol=0.02)
    np.testing.assert_allclose(found[1], rest[1], atol=0.02)
    apart = [rest[0][1:], rest[1]]
    found = closed(apart, beginning, inside=False)
    np.testing.assert_allclose(found[0], apart[0], atol=0.02)
    assert closed(rest, PartialSketch.of(Sketch.from_strokes([line])), inside=True) is rest
