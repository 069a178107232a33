"""The frame of a given part."""

from __future__ import annotations

import pytest

from sketchgen.completion.framing import frame_of
from sketchgen.sketch.geometry import GIVEN_SIDE
from sketchgen.sketch.sketch import Sketch


@pytest.mark.parametrize("corner", [(30.0, 7.0), (7.0, 30.0)])
def test_the_longer_side_is_shown_at_one_size(corner: tuple[float, float]) -> None:
    sketch = Sketch.from_strokes([[(500.0, -90.0), (500.0 + corner[0], -90.0 + corner[1])]])
    frame, known = frame_of(sketch)
    low, high = frame.to_model(sketch.points)
    assert max(high - low) == pytest.approx(GIVEN_SIDE)
    assert (low + high).tolist() == pytest.approx([0, 0])
    assert not known
