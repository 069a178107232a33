from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sketchgen.formats import stroke_order as ordering
from sketchgen.formats.stroke_order import join_strokes, sort_strokes, travel_length

whole = st.integers(0, 6).map(float)
strokes = st.lists(
    st.lists(st.tuples(whole, whole), min_size=1, max_size=4).map(lambda points: np.array(points)),
    max_size=12,
)


def scattered(count, seed=1):
    generator = np.random.default_rng(seed)
    starts = generator.uniform(0, 200, (count, 1, 2))
    return list(np.cumsum(np.concatenate([starts, generator.normal(0, 4, (count, 5, 2))], axis=1), axis=1))


def pieces(lines):
    """Every line between two points, whichever way it is drawn, and every point that stands alone."""
    found = Counter()
    for line in lines:
        rows = [tuple(row) for row in line.tolist()]
        found.update(
            [tuple(rows)] if len(rows) == 1 else [tuple(sorted(two)) for two in itertools.pairwise(rows)]
        )
    return found


def as_sets(lines):
    return Counter(min(line.tobytes(), line[::-1].tobytes()) for line in lines)


@given(strokes)
def test_ordering_keeps_every_stroke_and_never_makes_it_worse(lines):
    found = sort_strokes(lines)
    assert as_sets(found) == as_sets(lines)
    assert travel_length(found) <= travel_length(lines)


@given(strokes, st.sampled_from([0.0, 1.0, 1.5]))
def test_joining_keeps_every_line_and_point(lines, tolerance):
    found = join_strokes(lines, tolerance)
    assert len(found) <= len(lines)
    before, after = pieces(lines), pieces(found)
    # Dots on an end go under; whatever else there was is there, and what is new is within the tolerance.
    lost = before - after
    points = {tuple(row) for line in found for row in line.tolist()}
    assert all(len(piece) == 1 and piece[0] in points for piece in lost)
    assert all(np.hypot(*np.subtract(*piece)) <= tolerance for piece in after - before if len(piece) == 2)
    assert {tuple(row) for line in lines for row in line.tolist()} == points


def test_a_square_in_four_strokes_becomes_one():
    corners = np.array([(0, 0), (9, 0), (9, 9), (0, 9), (0, 0)], dtype=float)
    sides = [corners[at : at + 2] for at in range(4)]
    sides[1], sides[2] = sides[2], sides[1][::-1]
    (one,) = join_strokes(sides, 0.0)
    assert one.tolist() == corners.tolist() or one[::-1].tolist() == corners.tolist()
    apart = [side + np.array([0.01 * k, 0]) for k, side in enumerate(sides)]
    assert len(join_strokes(apart, 0.0)) == 4
    assert len(join_strokes(apart, 0.05)) == 1
    assert len(join_strokes(sides, -1)) == 4


def test_the_way_becomes_much_shorter():
    lines = scattered(300)
    found = sort_strokes(lines)
    assert travel_length(found) < travel_length(lines) / 8
    # Greedy alone is a good deal worse: turning stretches about does something.
    ends = ordering._ends(lines)
    greedy = ordering._nearest(ends, np.arange(len(lines)))
    alone = [lines[at >> 1][::-1] if at & 1 else lines[at >> 1] for at in greedy.tolist()]
    assert travel_length(found) < 0.95 * travel_length(alone)


def test_a_row_is_drawn_from_one_end_to_the_other():
    row = [np.array([(float(x), 0.0), (x + 0.5, 0.0)]) for x in (4, 0, 3, 1, 2)]
    assert travel_length(sort_strokes(row)) == pytest.approx(2.0)


def test_thousands_of_strokes_are_bounded(monkeypatch):
    monkeypatch.setattr(ordering, "MAX_GREEDY", 400)
    monkeypatch.setattr(ordering, "MAX_WORK", 1_000_000)
    lines = scattered(3000)
    found = sort_strokes(lines)
    assert as_sets(found) == as_sets(lines)
    assert travel_length(found) < travel_length(lines) / 10


def test_few_strokes():
    assert travel_length([]) == 0
    assert sort_strokes([]) == join_strokes([], 1.0) == []
    one = np.array([(1.0, 2.0)])
    assert sort_strokes([one])[0] is one
