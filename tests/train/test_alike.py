"""Which strokes of a drawing are alike, and which of several are left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sketchgen.drawing.sketch import Points, Sketch
from sketchgen.train.alike import MOST, alike, one_of_several
from sketchgen.train.practice import _all_but_one

ANGLES = np.linspace(0.0, 2.0 * np.pi, 17)
CIRCLE = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]) * 15.0
BODY = np.array([[10.0, 100.0], [10.0, 40.0], [245.0, 40.0], [245.0, 100.0], [10.0, 100.0]])
HOOK = np.array([[0.0, 0.0], [0.0, 40.0], [20.0, 50.0]])


def moved(stroke: Points, right: float, down: float) -> Points:
    return stroke + np.array([right, down])


def car() -> list[Points]:
    return [BODY, moved(CIRCLE, 60.0, 110.0), moved(CIRCLE, 190.0, 110.0)]


def test_wheels_are_alike_and_the_body_is_like_none():
    assert alike(car()).tolist() == [[False, False, False], [False, False, True], [False, True, False]]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (moved(HOOK, 80.0, 7.0), True),
        (moved(HOOK[::-1], 80.0, 0.0), True),
        (moved(HOOK * (-1.0, 1.0), 80.0, 0.0), True),
        (HOOK * (1.0, -1.0), True),
        (moved(HOOK * 1.2, 80.0, 0.0), True),
        (moved(HOOK * 2.5, 80.0, 0.0), False),
        # Turned it is another side of something.
        (moved(HOOK[:, ::-1], 80.0, 0.0), False),
        # As large, and of another form.
        (np.array([[80.0, 0.0], [100.0, 0.0], [100.0, 50.0], [80.0, 50.0], [80.0, 0.0]]), False),
        (np.array([[80.0, 50.0], [90.0, 25.0], [100.0, 0.0]]), False),
    ],
)
def test_form_and_size_count_not_place_or_mirror_or_which_end_came_first(other: Points, same: bool):
    for one, two in ((HOOK, other), (other, HOOK)):
        assert alike([one, two]).tolist() == [[False, same], [same, False]]


def test_dots_are_alike_and_no_line():
    dots = [np.array([[40.0, 40.0]]), np.array([[90.0, 41.0], [91.0, 41.0]])]
    assert alike([*dots, HOOK]).astype(int).tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_the_first_strokes_are_looked_at_and_no_more():
    many = [moved(CIRCLE, float(place), 0.0) for place in range(MOST + 5)]
    found = alike(many)
    assert found[:MOST, :MOST].sum() == MOST * (MOST - 1)
    assert not found[MOST:].any()
    assert not found[:, MOST:].any()
    assert alike([]).shape == (0, 0)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9))
def test_what_is_left_out_has_its_like_among_what_is_left(seed: int, count: int):
    random = np.random.default_rng(seed)
    strokes = [HOOK + random.uniform(0.0, 200.0, 2) for _ in range(count)]
    gone = one_of_several([BODY, *strokes], random)
    assert gone is not None
    assert not gone[0]
    assert 1 <= gone.sum() <= max(1, count // 2)


def test_none_is_left_out_where_no_two_are_alike():
    random = np.random.default_rng(0)
    assert one_of_several([BODY, HOOK], random) is None
    assert one_of_several([BODY], random) is None
    assert one_of_several([], random) is None


def test_either_wheel_may_be_gone_and_its_hub_mostly_goes_with_it():
    random, hub = np.random.default_rng(3), np.array([[188.0, 108.0], [192.0, 112.0]])
    found = [one_of_several([*car(), hub], random) for _ in range(400)]
    ways = {tuple(np.flatnonzero(gone).tolist()) for gone in found if gone is not None}
    assert ways == {(1,), (2,), (2, 3)}
    with_hub = sum(bool(gone[3]) for gone in found if gone is not None and gone[2])
    second = sum(bool(gone[2]) for gone in found if gone is not None)
    assert 0.6 < with_hub / second < 0.8
    assert 150 < second < 250


def test_two_of_a_kind_are_taken_as_often_as_ten_of_another():
    random = np.random.default_rng(4)
    rays = [np.array([[20.0 * place, 0.0], [20.0 * place, 12.0]]) for place in range(10)]
    eyes = [moved(CIRCLE, 50.0, 120.0), moved(CIRCLE, 150.0, 120.0)]
    found = [one_of_several([*rays, *eyes], random) for _ in range(400)]
    eye = sum(bool(gone[10:].any()) for gone in found if gone is not None)
    assert 150 < eye < 250
    several = [int(gone[:10].sum()) for gone in found if gone is not None and gone[:10].any()]
    assert max(several) == 5
    # They were drawn one after another.
    for gone in found:
        rows = np.flatnonzero(gone) if gone is not None else np.zeros(0)
        assert (np.diff(rows) == 1).all()


def test_practice_gives_all_but_one(sample_dir: Path):
    random = np.random.default_rng(1)
    part = _all_but_one(Sketch.from_strokes(car()), random)
    assert part is not None
    assert len(part.given) == 2
    assert len(part.rest) == 1
    assert not part.inside
    assert {stroke.tobytes() for stroke in [*part.given, *part.rest]} == {
        stroke.tobytes() for stroke in Sketch.from_strokes(car()).strokes
    }
    assert _all_but_one(Sketch.from_strokes([BODY, HOOK]), random) is None
