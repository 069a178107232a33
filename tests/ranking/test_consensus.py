"""Laws of consensus: what most candidates draw has most of it, whatever the page's size."""

from __future__ import annotations

import numpy as np
import pytest

from sketchgen.ranking.consensus import MAX_OTHERS, MAX_POINTS, NEAR, consensus, similarities
from sketchgen.sketch.sketch import Completion, Points, Sketch

GIVEN = Sketch.from_strokes([[(0, 0), (255, 0), (255, 255)]])


def line(x: float, low: float = 0.0, high: float = 200.0) -> Points:
    return np.array([[x, low], [x, high]])


def ways(*strokes: list[Points], scale: float = 1.0) -> list[Completion]:
    given = Sketch.from_strokes([stroke * scale for stroke in GIVEN.strokes])
    return [
        Completion(given, Sketch.from_strokes([one * scale for one in way]), True, 0.0) for way in strokes
    ]


def test_what_most_draw_has_most_consensus():
    found = consensus(ways([line(10)], [line(13)], [line(120)], [line(8)], [line(250)]))
    np.testing.assert_allclose(found, [0.5, 0.5, 0.0, 0.5, 0.0])


def test_half_of_a_line_is_two_thirds_of_it():
    # Half of the longer one's ink is near the shorter one, all of which is near it: 2 x 0.5 x 1 / 1.5.
    half = consensus(ways([line(10)], [line(10, 0, 100 - NEAR)], [line(250)]))
    assert half[0] == half[1] == pytest.approx(1 / 3, abs=0.01)


def test_the_order_the_direction_and_the_cuts_of_lines_do_not_matter():
    whole = [line(10), line(60)]
    parts = [line(60, 100, 200), line(60, 0, 100), line(10)[::-1]]
    found = consensus(ways(whole, parts, [line(200)]))
    assert found[0] == pytest.approx(0.5)
    assert found[1] == pytest.approx(0.5)


@pytest.mark.parametrize("scale", [0.1, 7.0])
def test_the_size_of_the_page_does_not_matter(scale: float):
    some = [[line(10)], [line(18)], [line(30, 0, 90)], [line(25), line(60)]]
    np.testing.assert_allclose(consensus(ways(*some, scale=scale)), consensus(ways(*some)), atol=0.02)


def test_nothing_agrees_with_nothing():
    np.testing.assert_allclose(consensus(ways([line(10)], [], [line(11)], [])), [1 / 3, 0, 1 / 3, 0])
    assert consensus(ways([], [], [])).tolist() == [0.0] * 3
    assert consensus([Completion(Sketch(), Sketch())] * 3).tolist() == [0.0] * 3
    dots = [Completion(Sketch.from_strokes([[(5, 5)]]), Sketch.from_strokes([[(5, 5)]]))] * 3
    assert consensus(dots).tolist() == [0.0] * 3


def test_of_fewer_than_three_none_has_any():
    assert consensus([]).tolist() == []
    assert consensus(ways([line(10)])).tolist() == [0.0]
    assert consensus(ways([line(10)], [line(10)])).tolist() == [0.0, 0.0]


def test_much_ink_is_spaced_wider():
    rng = np.random.default_rng(0)
    scribbles = [[rng.uniform(0, 255, (2_000, 2))] for _ in range(3)]
    found = consensus(ways(*scribbles, [line(10)]))
    assert (found[:3] > 0.3).all()
    assert MAX_POINTS * NEAR < 2_000 * 100


def test_similarity_is_symmetric_and_whole_with_itself():
    found = similarities(ways([line(10)], [line(13), line(120)], [], [line(250)]))
    np.testing.assert_allclose(found, found.T)
    assert np.diag(found).tolist() == [1.0, 1.0, 0.0, 1.0]
    # All of one is half of the other.
    assert found[0, 1] == pytest.approx(2 / 3, abs=0.01)
    assert not found[2].any()
    assert similarities(ways([line(10)], [line(10)])).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_of_very_many_the_first_are_compared_with():
    many = [[line(10)]] * MAX_OTHERS + [[line(200)]] * (3 * MAX_OTHERS)
    found = consensus(ways(*many))
    np.testing.assert_allclose(found[:MAX_OTHERS], 1.0)
    np.testing.assert_allclose(found[MAX_OTHERS:], 0.0)
