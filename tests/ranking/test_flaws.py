"""What draws a given part again, stands apart, or is cut off by the page is told from what does not."""

from __future__ import annotations

import numpy as np
import pytest

from sketchgen.ranking.flaws import GivenInk, share_at_edge
from sketchgen.sketch.distance import inside
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch

PAGE = Box(0.0, 0.0, 640.0, 480.0)


def ring(x: float, y: float, radius: float) -> Points:
    turn = np.linspace(0.0, 2.0 * np.pi, 40)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], 1)


def line(*points: tuple[float, float]) -> Points:
    return np.array(points, dtype=float)


FACE = [ring(127, 127, 127), ring(80, 90, 14)]
FRAME = line((0, 0), (250, 0), (250, 200), (0, 200), (0, 0))
CAR = [line((0, 150), (0, 90), (250, 90), (250, 150), (0, 150)), ring(60, 160, 30)]


OPEN = [line((0, 100), (0, 0), (100, 0))]


@pytest.mark.parametrize(
    ("given", "added"),
    [
        pytest.param(FACE, ring(84, 93, 13), id="an eye over the eye"),
        pytest.param(FACE, ring(127, 127, 122), id="the head once more"),
        pytest.param(CAR, ring(66, 158, 27), id="a second wheel over the first"),
        pytest.param(CAR, line((5, 92), (245, 88)), id="a line along the roof"),
        pytest.param(FACE, line((60, 70), (80, 90), (110, 130)), id="a line through the eye"),
        pytest.param(FACE, ring(94, 90, 14), id="an eye half over the eye"),
        pytest.param([FRAME], FRAME * 1.2 - 25.0, id="a second frame"),
    ],
)
def test_what_draws_a_given_part_again_is_redrawn(given: list[Points], added: Points):
    assert GivenInk(given).measure([added])[0] > 0.9


@pytest.mark.parametrize(
    ("given", "added"),
    [
        pytest.param(FACE, ring(174, 90, 14), id="the second eye"),
        pytest.param(FACE, ring(80, 90, 6), id="a pupil"),
        pytest.param(FACE, line((90, 180), (127, 195), (164, 180)), id="a mouth"),
        pytest.param(CAR, ring(60, 160, 15), id="a hub"),
        pytest.param(CAR, ring(60, 160, 21), id="a rim"),
        pytest.param(OPEN, line((0, 100), (100, 100), (100, 0)), id="the other two sides"),
        pytest.param(CAR, ring(200, 160, 30), id="the second wheel"),
        pytest.param(CAR, line((50, 90), (80, 40), (180, 40), (210, 90)), id="a cabin on the body"),
        pytest.param(CAR, line((20, 160), (100, 160)), id="an axle through the wheel, which is large"),
        pytest.param(FACE, line((72, 90), (88, 90)), id="a line within the eye"),
        pytest.param([FRAME], FRAME * 0.6 + 50.0, id="a picture in the frame"),
    ],
)
def test_parts_that_were_missing_are_not(given: list[Points], added: Points):
    redrawn, detached = GivenInk(given).measure([added])
    assert redrawn < 0.1
    assert detached == 0.0


def test_what_is_redrawn_is_a_share_of_all_added_ink():
    found = GivenInk(FACE).measure([ring(84, 93, 14), ring(174, 90, 14)])[0]
    assert found == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("added", "share"),
    [
        pytest.param([line((300, 20), (340, 60))], 1.0, id="a stray line"),
        pytest.param([line((300, 20), (340, 60)), line((340, 60), (380, 20))], 1.0, id="two that touch"),
        pytest.param([line((264, 127), (340, 127))], 0.0, id="a ray near the sun"),
        pytest.param([line((254, 127), (300, 127)), line((300, 127), (330, 160))], 0.0, id="by another one"),
        pytest.param([ring(127, 127, 200)], 0.0, id="around everything"),
    ],
)
def test_what_touches_and_encloses_nothing_outside_is_detached(added: list[Points], share: float):
    assert GivenInk(FACE).measure(added)[1] == pytest.approx(share)


def test_the_share_of_a_stroke_that_runs_along_given_lines():
    roof = line((20, 91), (230, 91))
    up = line((20, 91), (125, 91), (125, 196))
    found = GivenInk(CAR).shares_along([roof, up, ring(200, 160, 30)])
    assert found == pytest.approx([1.0, 0.5, 0.0], abs=0.06)


def test_dots_are_measured_too():
    assert GivenInk([line((5, 5))]).measure([line((5, 5))]) == (0.0, 0.0)


def cut(given: Points, *added: Points, page: Box | None = PAGE) -> list[float]:
    sketch = Sketch.from_strokes([given], page=page)
    return share_at_edge([Completion(sketch, Sketch.from_strokes([each])) for each in added]).tolist()


def test_what_lies_at_the_edge_or_off_the_page_is_cut_off():
    ball, inside, half = ring(300, 80, 60), line((300, 20), (310, 9)), line((300, 20), (300, 0))
    assert cut(ball, inside, half, line((300, -5), (310, -9))) == [0.0, 0.5, 1.0]


def test_nothing_is_cut_off_without_a_page_and_where_the_given_part_leaves_it():
    outside = line((300, -5), (310, -9))
    assert cut(ring(300, 80, 60), outside, page=None) == [0.0]
    assert cut(ring(300, 40, 60), outside) == [0.0]


def test_a_margin_counts_as_beyond():
    points = line((1, 100), (3, 100), (639, 100), (-1, 100))
    assert (~inside(points, [PAGE], 0.0)).tolist() == [False, False, False, True]
    assert (~inside(points, [PAGE], -2.0)).tolist() == [True, False, True, True]
