"""Neatness: what runs along given lines, crosses them, or leaves lopsided what was even, is worth less."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as given_by
from hypothesis import strategies as st

from sketchgen.ranking.geometry_prior import FLAWS, MAX_LINES, WEIGHTS, flawless, geometry_prior, measures
from sketchgen.sketch.sketch import Box, Completion, Sketch

REDRAWN, DETACHED, CROSSED, TANGLED, UPRIGHT, MET, UNFINISHED, SLIGHT, CUT_OFF = range(len(WEIGHTS))
BOX = [[(0, 0), (255, 0), (255, 255), (0, 255), (0, 0)]]


def ways(given: list, *added: list, scale: float = 1.0, shift: float = 0.0) -> list[Completion]:
    def drawn(strokes: list) -> Sketch:
        return Sketch.from_strokes([np.array(stroke, dtype=float) * scale + shift for stroke in strokes])

    return [Completion(drawn(given), drawn(way)) for way in added]


def measure(which: int, given: list, *added: list) -> list[float]:
    return measures(ways(given, *added))[:, which].tolist()


def test_what_each_is_called_and_which_way_it_counts():
    names = "redrawn, detached, crossed, tangled, upright, met, unfinished, slight, cut off"
    assert list(WEIGHTS) == names.split(", ")
    assert [np.sign(weight) for weight in WEIGHTS.values()] == [-1, -1, -1, -1, 1, 1, -1, -1, -1]


def test_ink_along_given_ink_is_drawn_again():
    along, half, apart = [[(2, 40), (2, 200)]], [[(2, 40), (2, 120), (82, 120)]], [[(9, 40), (9, 200)]]
    assert measure(REDRAWN, BOX, along, half, apart) == pytest.approx([1.0, 0.5, 0.0], abs=0.03)


def test_what_only_meets_or_crosses_a_line_does_not_run_along_it():
    assert measure(REDRAWN, BOX, [[(-60, 100), (60, 100)]], [[(0, 100), (90, 100)]]) == [0.0, 0.0]


def test_no_ink_is_near_to_the_end_of_another_stroke():
    # The last points of one stroke and the first of the next are no run together.
    two = [[(60, 100), (0, 100)], [(0, 150), (60, 150)]]
    assert measure(REDRAWN, BOX, two) == [0.0]


def test_what_is_drawn_again_is_a_share_of_all_strokes_whichever_is_last():
    dashes = [[(60, 10 + 20 * number), (80, 10 + 20 * number)] for number in range(12)]
    # 160 of 400 px, and a point more for each stroke.
    assert measure(REDRAWN, BOX, [*dashes, [(2, 40), (2, 200)]]) == pytest.approx([41 / 113], abs=0.01)


def test_lines_cross_no_further_than_they_are_long():
    tee = [[(0, 0), (100, 0)]]
    assert measure(CROSSED, tee, [[(110, -50), (110, 50)]], [[(50, 8), (50, 90)]]) == [0.0, 0.0]
    assert measure(CROSSED, tee, [[(-10, -50), (-10, 50)]], [[(50, -90), (50, -8)]]) == [0.0, 0.0]


def test_crossings_of_given_lines_are_counted_and_touching_is_none():
    across = [[(-20, 50), (275, 50)]]
    to_and_fro = [[(-20, 50), (275, 60), (-20, 70)]]
    within, from_the_side = [[(50, 50), (200, 60)]], [[(0, 50), (200, 60)]]
    found = measure(CROSSED, BOX, across, to_and_fro, within, from_the_side)
    assert found == pytest.approx([np.log(3), np.log(5), 0.0, 0.0])


def test_lines_that_cross_themselves_are_tangled():
    eight = [[(50, 50), (200, 200), (200, 50), (50, 200)]]
    cross = [[(50, 50), (200, 200)], [(200, 50), (50, 200)]]
    corner = [[(50, 50), (200, 50), (200, 200)]]
    assert measure(TANGLED, BOX, eight, cross, corner) == pytest.approx([np.log(2), np.log(2), 0.0])


def eye(x: float, y: float = 80.0) -> list[tuple[float, float]]:
    return [(x - 12, y - 12), (x + 12, y - 12), (x + 12, y + 12), (x - 12, y + 12), (x - 12, y - 12)]


def test_the_second_eye_makes_a_face_even_and_one_beside_the_first_does_not():
    where_it_belongs, beside, below = [eye(185)], [eye(110)], [eye(185, 180)]
    found = measure(UPRIGHT, [*BOX, eye(70)], where_it_belongs, beside, below)
    # An eye is 96 px of the 1,116 that box and one eye have, and of 1,212 in all.
    assert found == pytest.approx([96 / 1116, 96 / 1116 - 192 / 1212, 96 / 1116 - 192 / 1212], abs=0.02)


def test_what_is_more_even_than_its_category_is_no_better_for_it():
    # With the second eye 384 of 589 px are their own image, without it 192 of 493.
    given = [eye(70), eye(70, 180), eye(185, 180), [(0, 0), (0, 100)], [(255, 150), (255, 255)]]
    bird, owl = (measures(ways(given, [eye(185)]), [name])[0, UPRIGHT] for name in ("bird", "owl"))
    assert owl == pytest.approx(384 / 589 - 192 / 493, abs=0.04)
    assert 0.0 < bird < 0.7 * owl
    # And what makes it uneven is no worse than the given part, where that is more even than is usual.
    assert measures(ways(BOX, [[(255, 100), (330, 100)]]), ["bird"])[0, UPRIGHT] == 0.0


def test_the_middle_may_be_that_of_the_whole():
    half = [[(0, 0), (100, 0), (100, 100), (0, 100)]]
    other = [[(0, 0), (-100, 0), (-100, 100), (0, 100)]]
    gap = [[(0, 0), (-60, 60), (0, 100)]]
    found = measure(UPRIGHT, half, other, gap)
    assert found[0] > found[1]
    whole = measure(UPRIGHT, [*half, *other], [[(0, 40), (0, 60)]])
    assert whole == pytest.approx([0.0], abs=0.01)


def test_the_middle_may_be_that_of_the_given_part():
    given = [*BOX, eye(70)]
    flag = [(255, 100), (330, 100)]
    with_eye, alone = measure(UPRIGHT, given, [eye(185), flag], [flag])
    assert with_eye > 0.0 > alone


def test_ends_that_stop_in_the_open_are_met():
    # A box without its right side has two ends in the open.
    open_box = [[(255, 0), (0, 0), (0, 255), (255, 255)]]
    side, half, elsewhere = [[(255, 4), (255, 250)]], [[(255, 4), (255, 100)]], [[(90, 90), (150, 150)]]
    assert measure(MET, open_box, side, half, elsewhere) == [1.0, 0.5, 0.0]
    assert measure(MET, open_box, [[(255, 15), (255, 240)]], [[(255, 10), (255, 240)]]) == [0.0, 0.5]


def test_ends_that_lie_on_other_ink_stop_nowhere():
    assert measure(MET, BOX, [[(3, 3), (80, 80)]]) == [0.0]
    tee = [[(0, 0), (200, 0)], [(100, 4), (100, 200)], [(0, 8), (9, 8)]]
    # Three ends are open: the dash near the corner covers the fourth, and is too short to have its own.
    assert measure(MET, tee, [[(100, 205), (140, 205)]], [[(0, 60), (60, 60)]]) == pytest.approx([0.5, 0.0])


def test_nothing_given_and_nothing_added_measure_nothing():
    blank = Sketch()
    some = Sketch.from_strokes(BOX)
    assert not measures([Completion(blank, some), Completion(blank, blank)]).any()
    assert not measures([Completion(some, blank)]).any()
    assert measures([]).shape == (0, len(WEIGHTS))
    assert geometry_prior(measures([])).shape == (0,)
    dot = Sketch.from_strokes([[(5, 5)]])
    assert not measures([Completion(dot, dot)]).any()


@pytest.mark.parametrize(("scale", "shift"), [(0.01, 3.0), (40.0, -700.0)])
def test_neither_the_size_of_the_page_nor_the_place_on_it_matters(scale: float, shift: float):
    given = [*BOX, eye(70)]
    added = [[eye(185)], [eye(110)], [[(-20, 50), (275, 50)]], [[(2, 40), (2, 200)]]]
    found, other = measures(ways(given, *added)), measures(ways(given, *added, scale=scale, shift=shift))
    np.testing.assert_allclose(other, found, atol=0.03)
    assert len(set(geometry_prior(found).round(3).tolist())) == 4


def test_what_stands_apart_and_what_is_cut_off_is_measured():
    page = Box(-50.0, -50.0, 500.0, 400.0)
    given = Sketch.from_strokes(BOX, page=page)
    stray, inside, cut = [(300, 20), (340, 60)], [(100, 100), (150, 150)], [(100, 255), (100, 350)]
    found = measures([Completion(given, Sketch.from_strokes([each])) for each in (stray, inside, cut)])
    assert found[:, DETACHED].tolist() == [1.0, 0.0, 0.0]
    assert found[:, CUT_OFF].tolist() == [0.0, 0.0, 0.5]


def test_what_is_beyond_its_limit_is_a_flaw():
    row = {name: 0.0 for name in WEIGHTS}
    for name, limit in FLAWS.items():
        below, above = row | {name: limit}, row | {name: limit + 0.01}
        found = flawless(np.array([list(below.values()), list(above.values())]))
        assert found.tolist() == [True, False]
    assert flawless(np.array([list((row | {"crossed": 9.0, "met": 1.0}).values())])).all()


def test_what_is_usual_in_a_category_is_no_flaw():
    found = ways(BOX, [[(300, 20), (340, 60)]])
    rain, none = (measures(found, [category])[0, DETACHED] for category in ("rain", None))
    assert none == 1.0
    assert 0.0 < rain < 0.9


def test_it_is_the_measures_by_their_weights():
    found = ways([*BOX, eye(70)], [eye(185)], [[(-20, 50), (275, 50), (2, 90), (2, 200)]])
    wanted = [sum(w * m for w, m in zip(WEIGHTS.values(), row, strict=True)) for row in measures(found)]
    prior = geometry_prior(measures(found))
    np.testing.assert_allclose(prior, wanted)
    assert prior[0] > prior[1]


def test_noses_and_whiskers_stop_in_the_open_by_their_nature():
    def from_a_box(length: float) -> list[float]:
        return measure(MET, [*BOX, [(125, 40), (125, 40 + length)]], [[(60, 38), (200, 38)]])

    # Of the longer one both ends stop in the open, and one is met.
    assert from_a_box(100) == [0.5]
    assert from_a_box(80) == [0.0]


def test_of_too_many_pieces_fewer_and_longer_ones_are_taken(monkeypatch: pytest.MonkeyPatch):
    # To and fro over a line: of every second point all lie on one side of it.
    line, comb = [[(0, 0), (255, 0)]], [[(10 * number + 5, 30 * (-1) ** number) for number in range(9)]]
    assert measure(CROSSED, line, comb) == pytest.approx([np.log(9)])
    monkeypatch.setattr("sketchgen.ranking.geometry_prior.MAX_SEGMENTS", 5)
    assert measure(CROSSED, line, comb) == [0.0]


def test_of_too_many_lines_none_is_known_to_stop(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sketchgen.ranking.geometry_prior.MAX_LINES", 2)
    corner, side = [[(0, 0), (0, 255), (255, 255)], [(0, 0), (200, 0)]], [[(255, 255), (200, 0)]]
    assert measure(MET, corner, side) == [1.0]
    assert measure(MET, [*corner, [(60, 60), (160, 160)]], side) == [0.0]


def test_very_many_lines_and_points_are_looked_at_in_passing():
    random = np.random.default_rng(3)
    many = [random.uniform(0, 255, (2, 2)).tolist() for _ in range(MAX_LINES + 1)]
    long = [random.uniform(0, 255, (20_000, 2)).tolist()]
    found = measures(ways([*many, *long], long, many))
    assert np.isfinite(found).all()
    assert found[:, MET].tolist() == [0.0, 0.0]
    # As many lines as are looked at have ends; they are the same lines otherwise.
    few = measures(ways(many[:40], many[40:80]))
    assert 0.0 < few[0, MET] <= 1.0


POINT = st.tuples(st.integers(-300, 300), st.integers(-300, 300))
STROKES = st.lists(st.lists(POINT, min_size=1, max_size=6), min_size=1, max_size=4)


@given_by(STROKES, st.lists(STROKES, min_size=1, max_size=3))
def test_any_drawing_can_be_measured(given: list, added: list):
    found = measures(ways(given, *added))
    assert np.isfinite(found).all()
    assert (found[:, [REDRAWN, MET]] >= 0.0).all()
    assert (found[:, [REDRAWN, MET]] <= 1.0).all()
    assert (np.abs(found[:, UPRIGHT]) <= 1.0).all()
    assert (found[:, [CROSSED, TANGLED]] >= 0.0).all()
