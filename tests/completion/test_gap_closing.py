"""Lines that were on their way to meet do meet, and no others are touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sketchgen.completion.completer import Completer, load
from sketchgen.completion.gap_closing import Closer, Closings
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.errors import SettingError
from sketchgen.limits import CLOSING
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen, pens
from tests.support import untrained

REACH = 20.0


def closer(*strokes: list[tuple[float, float]], reach: float = REACH) -> Closer:
    sketch = Sketch.from_strokes(strokes)
    return Closer.of(sketch.points, pens(sketch), reach)


def ended(found: Closer, line: list[tuple[float, float]], *, going_on: bool = False) -> list[float]:
    """Where a line ends, counted as the given strokes are, whose last point was (0, 0)."""
    return found.end(np.array(line, dtype=float), going_on=going_on).tolist()


# A square of 160 px without its top, drawn to (0, 0) at the upper right.
OPEN = [(-160.0, 0.0), (-160.0, 160.0), (0.0, 160.0), (0.0, 0.0)]


@pytest.mark.parametrize(("gap", "closes"), [(0.0, True), (19.0, True), (21.0, False)])
def test_a_missing_side_meets_the_other_end(gap: float, closes: bool):
    end = (-160.0 + gap, 0.0)
    found = ended(closer(OPEN), [(-80.0, 1.0), end], going_on=True)
    assert found == ([-160.0, 0.0] if closes else list(end))
    # The same as a line of its own, from the free end.
    assert ended(closer(OPEN), [(0.0, 3.0), (-80.0, 1.0), end]) == found


def test_a_line_from_elsewhere_is_left_alone():
    end = (-150.0, 0.0)
    assert ended(closer(OPEN), [(-80.0, 80.0), end]) == list(end)
    # Nor does a line end where it began.
    assert ended(closer(OPEN), [(0.0, 2.0), (0.0, 15.0)]) == [0.0, 15.0]


def test_a_long_line_closes_itself_and_a_short_one_does_not():
    far = closer([(500.0, 500.0), (400.0, 500.0), (400.0, 470.0), (500.0, 470.0), (500.0, 500.0)])
    circle = [(0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0), (0.0, 12.0)]
    assert ended(far, circle) == [0.0, 0.0]
    dash = [(0.0, 0.0), (30.0, 0.0), (12.0, 0.0)]
    assert ended(far, dash) == [12.0, 0.0]


def test_a_given_stroke_that_is_gone_on_with_is_closed_as_one():
    arc = [(40.0, 0.0), (40.0, 40.0), (0.0, 40.0), (0.0, 0.0)]
    assert ended(closer(arc), [(15.0, 1.0), (28.0, 1.0)], going_on=True) == [40.0, 0.0]
    # The same points as a line of their own: it is too short to close itself, but it leads from end to end.
    assert ended(closer(arc), [(1.0, 1.0), (15.0, 1.0), (28.0, 1.0)]) == [28.0, 1.0]
    assert ended(closer(arc, reach=15.0), [(1.0, 1.0), (15.0, 1.0), (28.0, 1.0)]) == [40.0, 0.0]


def test_an_end_that_ink_touches_is_not_free():
    box = [(-160.0, 0.0), (-160.0, 160.0), (0.0, 160.0), (0.0, 0.0)]
    shelf = [(-200.0, 3.0), (-120.0, 3.0)]
    line = [(0.0, 1.0), (-80.0, 1.0), (-150.0, 0.0)]
    assert ended(closer(box), line) == [-160.0, 0.0]
    assert ended(closer(shelf, box), line) == [-150.0, 0.0]
    # Its own beginning a stroke that is gone on with meets all the same.
    assert ended(closer(shelf, box), line[1:], going_on=True) == [-160.0, 0.0]
    # So it is by ink that was drawn later, and not by a line that only points there.
    side, last = [(-100.0, 0.0), (-100.0, -90.0)], [(60.0, 60.0), (0.0, 0.0)]
    nearly = [(-60.0, 0.0), (-91.0, 6.0)]
    assert ended(closer(side, last), nearly, going_on=True) == [-100.0, 0.0]
    assert ended(closer(side, [(-140.0, 2.0), (-60.0, 2.0)], last), nearly, going_on=True) == [-91.0, 6.0]
    assert ended(closer([(-100.0, 90.0), (-100.0, 50.0)], side, last), nearly, going_on=True) == [-100.0, 0.0]
    # A given stroke may be gone on with from where ink touches it.
    assert ended(closer(side, [(-30.0, 2.0), (30.0, 2.0)], last), nearly, going_on=True) == [-100.0, 0.0]
    # A line that comes back to its own beginning has no free ends, one that is only curved has two.
    assert len(closer([(0.0, 0.0), (50.0, 0.0), (50.0, 50.0), (0.0, 50.0), (0.0, 1.0)]).free) == 0
    assert len(closer([(0.0, 0.0), (4.0, 0.0), (8.0, 1.0), (80.0, 30.0)]).free) == 2
    assert len(closer([(3.0, 3.0)]).free) == 0


def test_the_nearest_of_several_is_met():
    two = closer([(-100.0, 0.0), (-100.0, -90.0)], [(-88.0, 8.0), (-40.0, 90.0)], [(60.0, 60.0), (0.0, 0.0)])
    assert ended(two, [(-60.0, 0.0), (-91.0, 6.0)], going_on=True) == [-88.0, 8.0]
    assert ended(two, [(-60.0, 0.0), (-97.0, 1.0)], going_on=True) == [-100.0, 0.0]


def square_and_more(random: np.random.Generator) -> tuple[Points, np.ndarray]:
    """Lines from one point to the next, some of which come back."""
    lines, pen = [], []
    for _ in range(6):
        count = int(random.integers(1, 6))
        line = random.normal(scale=60.0, size=(count, 2))
        if random.random() < 0.5:
            line = np.concatenate([line, line[:1] + random.normal(scale=10.0, size=2)])
        lines.append(line)
        pen += [int(Pen.DRAW)] * (len(line) - 1) + [int(Pen.LIFT)]
    pen[-1] = int(random.choice([Pen.DRAW, Pen.LIFT]))
    return np.concatenate(lines), np.array(pen)


@given(st.integers(0, 10_000), st.booleans())
def test_only_last_points_move_and_by_no_more_than_the_gap(seed: int, going_on: bool):
    points, pen = square_and_more(np.random.default_rng(seed))
    found = closer(OPEN).closed(points, pen, going_on=going_on)
    moved = np.hypot(*(found - points).T)
    assert (moved[pen != Pen.LIFT] == 0).all()
    assert moved.max() <= REACH + 1e-9


@given(st.integers(0, 10_000), st.booleans())
def test_growing_points_are_moved_as_whole_lines_are(seed: int, going_on: bool):
    random = np.random.default_rng(seed)
    drawn = [square_and_more(random) for _ in range(3)]
    whole = [closer(OPEN).closed(*each, going_on=going_on) for each in drawn]
    growing = Closings(closer(OPEN), np.full(3, going_on))
    for step in range(min(len(points) for points, _ in drawn)):
        now = growing.next(
            np.array([points[step] for points, _ in drawn]), np.array([pen[step] for _, pen in drawn])
        )
        np.testing.assert_array_equal(now, [points[step] for points in whole])


def test_it_happens_at_times():
    moved = 0
    for seed in range(40):
        points, pen = square_and_more(np.random.default_rng(seed))
        moved += not np.array_equal(closer(OPEN).closed(points, pen, going_on=False), points)
    assert moved > 10


@pytest.mark.parametrize("size", [1.0, 40.0])
def test_the_gap_is_measured_in_the_given_part(size: float):
    sketch = Sketch.from_strokes([[(x * size + 7, y * size) for x, y in OPEN]])
    offset = np.array([[-80.0, 0.0], [-62.0, 0.0], [5.0, 0.0]])
    pen = np.array([Pen.DRAW, Pen.LIFT, Pen.LIFT])
    for closing, x in ((0.0, -142.0), (17.0, -142.0), (19.0, -160.0)):
        added = PartialSketch.of(sketch, closing).added(offset, pen, None, going_on=True)
        assert added.strokes[0][-1] == pytest.approx([x * size + 7, 0.0], abs=0.02 * size)
        assert added.strokes[1][-1] == pytest.approx([-137.0 * size + 7, 0.0], abs=0.02 * size)


def wide(model: Completer) -> Completer:
    return model.closing_within(24.0)


def test_completions_and_their_stream_are_closed_alike_and_drawings_from_nothing_are_not():
    model = untrained.completer(untrained.shaped({}))
    sketch = Sketch.from_strokes([[(-55.0, 0.0), (-70.0, 160.0), (15.0, 160.0), (0.0, 0.0)]])
    plain, closed = (
        each.complete(sketch, None, 100, 1.0, 0, continue_stroke=True) for each in (model, wide(model))
    )
    for one, two in zip(plain, closed, strict=True):
        assert [len(stroke) for stroke in one.added.strokes] == [len(stroke) for stroke in two.added.strokes]
        assert (one.log_likelihood, one.ended) == (two.log_likelihood, two.ended)
    assert any(one.added != two.added for one, two in zip(plain, closed, strict=True))
    grown: list[list[Points]] = [[] for _ in closed]
    for growth in wide(model).stream(sketch, None, 100, 1.0, 0, continue_stroke=True):
        for row in np.flatnonzero(growth.drawn):
            grown[row].append(growth.points[row])
    for points, completion in zip(grown, closed, strict=True):
        np.testing.assert_array_equal(points, completion.added.points)
    drawn = [each.generate(None, 12, 1.0, 0) for each in (model, wide(model))]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("closing", [-1.0, 101.0, float("nan")])
def test_a_gap_outside_its_limits_is_refused(closing: float):
    with pytest.raises(SettingError, match="closing must be a number from 0 to 100"):
        untrained.completer(untrained.shaped({})).closing_within(closing)


def test_a_loaded_model_closes_gaps():
    assert load("tiny").closing == CLOSING
