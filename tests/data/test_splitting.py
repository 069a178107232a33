"""Cuts: the given and the missing part together are the drawing, wherever a line begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sketchgen.data.batching import CENTRE, Prefixes, make_batch, padded
from sketchgen.data.prepare import read_drawings
from sketchgen.data.splitting import (
    CLOSED_GAP,
    MIN_LINE,
    cut_after,
    hold_out,
    opened,
    prefix_length,
    random_cut,
)
from sketchgen.data.store import Drawings
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen

PLAIN = Prefixes(nothing=1.0, unknown=0.0, warp=0.0, drop_category=0.0, held_back=0.0, opened=1.0)


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    everything, _ = read_drawings(sample_dir)
    return everything.take(np.arange(0, len(everything), 4))


def made(drawings: Drawings, share: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    points, lift, _ = padded(drawings)
    return opened(drawings.lengths, points, lift, share, np.random.default_rng(seed))


def strokes_of(order: np.ndarray, lift: np.ndarray) -> list[list[int]]:
    return [part.tolist() for part in np.split(order, np.flatnonzero(lift)[:-1] + 1)]


def test_lines_are_the_drawings_and_one_of_them_may_begin_elsewhere(drawings: Drawings):
    points, lift, _ = padded(drawings)
    order, ends, given = made(drawings)
    kinds = {"as it was": 0, "the other way": 0, "elsewhere": 0}
    for row in range(len(drawings)):
        count, cut = int(drawings.lengths[row]), int(given[row])
        before = strokes_of(np.arange(count), lift[row, :count])
        after = strokes_of(order[row, :count], ends[row, :count])
        assert order[row, count:].tolist() == list(range(count, points.shape[1]))
        assert not ends[row, count:].any()
        if cut < 0:
            assert max(map(len, before)) < MIN_LINE
            assert before == after
            continue
        assert 2 <= cut < count
        (line,) = [part for part in after if part not in before] or [None]
        if line is None:
            kinds["as it was"] += 1
        elif line[::-1] in before:
            kinds["the other way"] += 1
        else:
            # Of a line that meets one end is left out, and where it begins now it ends, too.
            (own,) = [part for part in before if set(part) > set(line)]
            assert line[0] == line[-1]
            assert len(line) == len(own)
            assert set(own) - set(line) in ({own[0]}, {own[-1]})
            assert np.hypot(*(points[row, own[0]] - points[row, own[-1]])) <= CLOSED_GAP
            kinds["elsewhere"] += 1
    assert min(kinds.values()) > 0.1 * len(drawings)


def test_the_cut_is_within_a_line_and_all_before_it_is_whole(drawings: Drawings):
    order, ends, given = made(drawings)
    later = 0
    for row in np.flatnonzero(given >= 0):
        count, cut = int(drawings.lengths[row]), int(given[row])
        assert not ends[row, cut - 1]
        strokes = strokes_of(order[row, :count], ends[row, :count])
        starts = np.cumsum([0, *map(len, strokes)])
        inside = int(np.searchsorted(starts, cut, side="right")) - 1
        assert starts[inside] + 2 <= cut < starts[inside + 1]
        assert len(strokes[inside]) >= MIN_LINE
        later += inside < len(strokes) - 1
    assert 0 < later < 0.4 * len(drawings)


def test_as_many_are_opened_as_is_said_and_none_of_length_0(drawings: Drawings):
    points, lift, _ = padded(drawings)
    order, ends, given = made(drawings, 0.0)
    assert (given == -1).all()
    assert (ends == lift).all()
    assert (order == np.arange(order.shape[1])).all()
    able = (made(drawings)[2] >= 0).mean()
    assert (made(drawings, 0.5)[2] >= 0).mean() == pytest.approx(able / 2, abs=0.08)
    nobody = np.zeros_like(drawings.lengths)
    assert (opened(nobody, points, lift, 1.0, np.random.default_rng(0))[2] == -1).all()


def test_lines_that_lead_nowhere_are_opened():
    points, lift = np.full((3, 9, 2), 7.0), np.zeros((3, 9), dtype=bool)
    lift[:, [3, 8]] = True
    order, ends, given = opened(np.full(3, 9), points, lift, 1.0, np.random.default_rng(0))
    assert (given >= 2).all()
    assert (np.sort(order, 1) == np.arange(9)).all()
    assert (ends.sum(1) == 2).all()


def test_a_batch_scores_what_is_missing_alone(drawings: Drawings):
    batch = make_batch(drawings, np.random.default_rng(0), 99, PLAIN)
    position = (batch.offset.double().cumsum(1) + CENTRE).numpy().round()
    late = (batch.cut > 0).numpy()
    assert late.mean() > 0.7
    for row in range(len(drawings)):
        count, cut = int(batch.length[row]), int(batch.cut[row])
        own = position[row, :count].tolist()
        whole = drawings.sketch(row).points.tolist()
        assert all(point in whole for point in own)
        assert batch.scored[row].tolist() == [cut <= step <= count for step in range(batch.pen.shape[1])]
        if late[row]:
            assert batch.pen[row, cut - 1] == Pen.DRAW
        else:
            assert own == whole
    lifts = (batch.pen == Pen.LIFT).sum(1).tolist()
    assert lifts == [len(drawings.sketch(row).strokes) for row in range(len(drawings))]


def test_what_is_held_back_is_not_opened(drawings: Drawings):
    both = make_batch(drawings, np.random.default_rng(0), 99, replace(PLAIN, held_back=1.0))
    strokes = np.array([len(drawings.sketch(row).strokes) for row in range(len(drawings))])
    cut = both.cut.numpy()
    pen = both.pen.numpy()[np.arange(len(cut)), np.maximum(cut - 1, 0)]
    # A drawing of one stroke has none to hold back, and is opened; of others whole strokes come last.
    assert (pen[(strokes == 1) & (cut > 0)] == Pen.DRAW).all()
    assert (pen[(strokes > 2) & (cut > 0)] == Pen.LIFT).mean() > 0.6


@pytest.fixture(scope="module")
def sketches(drawings: Drawings) -> list[Sketch]:
    return [drawings.sketch(index) for index in range(len(drawings))]


def segments(*parts: Sketch) -> list[tuple[float, ...]]:
    """The lines between points, in either direction."""
    found = []
    for stroke in (stroke for part in parts for stroke in part.strokes):
        for one, two in zip(stroke[:-1].tolist(), stroke[1:].tolist(), strict=True):
            found.append((*min(one, two), *max(one, two)))
    return sorted(found)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.75, 1.0])
def test_a_prefix_and_its_rest_are_the_drawing(sketches: list[Sketch], share: float):
    for sketch in sketches[::4]:
        count = prefix_length(sketch.point_count, share)
        found = cut_after(sketch, count)
        assert found.given.point_count == count
        assert found.rest.point_count == sketch.point_count - count + found.inside
        assert segments(found.given, found.rest) == segments(sketch)
        if found.inside:
            np.testing.assert_array_equal(found.rest.points[0], found.given.points[-1])
    assert [prefix_length(count, 0.5) for count in (1, 4, 5, 7)] == [2, 2, 2, 4]


def test_held_out_strokes_are_the_rest(sketches: list[Sketch]):
    sketch = next(sketch for sketch in sketches if len(sketch.strokes) == 3)
    found = hold_out(sketch, np.array([False, True, False]))
    assert [len(stroke) for stroke in found.rest.strokes] == [len(sketch.strokes[1])]
    assert segments(found.given, found.rest) == segments(sketch)


def test_random_cuts_lose_nothing_and_repeat(sketches: list[Sketch]):
    kinds = {"inside": 0, "none": 0}
    for number, sketch in enumerate(sketches):
        found, again = (random_cut(sketch, np.random.default_rng(number)) for _ in range(2))
        if found is None or again is None:
            kinds["none"] += 1
            continue
        # All of it, none twice: what is not given is missing, so that to stop early is never right.
        assert segments(found.given, found.rest) == segments(sketch)
        assert np.array_equal(found.given.points, again.given.points)
        assert min(found.given.point_count, found.rest.point_count) > 1
        if found.inside:
            kinds["inside"] += 1
            np.testing.assert_array_equal(found.rest.points[0], found.given.points[-1])
    assert kinds["none"] < 0.1 * len(sketches)
    assert 0.2 * len(sketches) < kinds["inside"] < 0.8 * len(sketches)


def test_dots_are_not_cut_and_lines_without_extent_are():
    random = np.random.default_rng(0)
    for strokes in ([[(3, 3)]], [[(3, 3), (4, 4)]], [[(3, 3)], [(9, 9)]]):
        assert all(random_cut(Sketch.from_strokes(strokes), random) is None for _ in range(30))
    sketch = Sketch.from_strokes([np.full((6, 2), 5.0), np.full((5, 2), 9.0)])
    assert sum(random_cut(sketch, random) is not None for _ in range(60)) > 40


def test_one_stroke_is_held_out_or_several(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sketchgen.data.splitting.PREFIX", 0.0)
    monkeypatch.setattr("sketchgen.data.splitting.HELD_OUT", 1.0)
    sketch = Sketch.from_strokes([[[10.0 * number, 0.0], [10.0 * number, 50.0]] for number in range(8)])
    random = np.random.default_rng(0)
    kinds = {"one": 0, "in a row": 0, "apart": 0}
    for _ in range(400):
        found = random_cut(sketch, random)
        assert found is not None
        missing = [int(stroke[0, 0]) // 10 for stroke in found.rest.strokes]
        steps = set(np.diff(missing).tolist())
        kinds["one" if len(missing) == 1 else "in a row" if steps == {1} else "apart"] += 1
        assert len(missing) < 8
    shares = {kind: count / 400 for kind, count in kinds.items()}
    assert 0.3 < shares["one"] < 0.5
    assert 0.3 < shares["in a row"] < 0.55
    assert 0.1 < shares["apart"] < 0.3
