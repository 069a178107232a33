"""Less ink than usual is told, by category and among candidates."""

from __future__ import annotations

import numpy as np
import pytest

from sketchgen.ranking.usual_ink import (
    MAX_RATIO,
    beyond_usual,
    slight,
    unfinished,
    usual_ink,
    usual_symmetry,
)
from sketchgen.resources import categories
from sketchgen.sketch.sketch import Completion, Sketch

SQUARE = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)]


def ways(*added: list, scale: float = 1.0) -> list[Completion]:
    def drawn(strokes: list) -> Sketch:
        return Sketch.from_strokes([np.array(stroke, dtype=float) * scale for stroke in strokes])

    return [Completion(drawn([SQUARE]), drawn(each)) for each in added]


def hatched(lines: int) -> list:
    return [[(0, 100 * n / lines), (100, 100 * n / lines)] for n in range(lines)]


def test_there_is_a_row_for_each_category():
    assert list(usual_ink()) == sorted(categories())
    for usual in usual_ink().values():
        assert 0.0 < usual.length < 5.0
        assert 0.0 < usual.deviation < 1.5
        assert 0.0 <= usual.redrawn < 1.0
        assert 0.0 <= usual.detached < 1.0
        assert 0.2 < usual.symmetry <= 1.1


def test_cats_have_more_ink_than_circles_and_rain_stands_apart():
    table = usual_ink()
    assert table["cat"].length > table["circle"].length
    assert table["rain"].detached > 3.0 * table["car"].detached
    assert usual_symmetry("owl") > usual_symmetry("bird") + 0.1
    assert usual_symmetry("no such thing") == usual_symmetry(None) == 1.0


@pytest.mark.parametrize("scale", [0.01, 1.0, 300.0])
def test_a_drawing_of_less_ink_than_nearly_all_of_its_category_is_unfinished(scale: float):
    line = Sketch.from_strokes([np.array([(0, 0), (100, 0)]) * scale])
    few = Completion(line, Sketch.from_strokes([np.array([(0, 50), (100, 50)]) * scale]))
    (many,) = ways(hatched(20), scale=scale)
    found = unfinished([few, many, few, few], ["cat", "cat", "line", None])
    usual = usual_ink()["cat"]
    assert found == pytest.approx([usual.length - usual.deviation - np.log(2.0), 0.0, 0.0, 0.0])
    assert found[0] > 0.5


def test_less_than_half_of_what_other_candidates_add_is_slight():
    found = slight(ways(hatched(8), hatched(8), hatched(5), hatched(2), [[(5, 5)]]))
    assert found == pytest.approx([0.0, 0.0, 0.0, np.log(1.25), MAX_RATIO])


def test_dots_alone_are_not_slight_and_nothing_is_measured_of_nothing():
    assert slight(ways([[(5, 5)]], [[(7, 7)]])).tolist() == [0.0, 0.0]
    assert slight([]).shape == unfinished([], []).shape == (0,)
    assert beyond_usual(np.zeros((0, 2)), []).shape == (0, 2)


def test_shares_count_beyond_what_is_usual():
    usual = usual_ink()["rain"]
    found = beyond_usual(np.array([[0.5, 1.0], [0.0, 0.0], [0.5, 1.0]]), ["rain", "rain", None])
    wanted = [[0.5 - usual.redrawn, 1.0 - usual.detached], [0.0, 0.0], [0.5, 1.0]]
    np.testing.assert_allclose(found, wanted)
