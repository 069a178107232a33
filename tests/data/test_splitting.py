"""Lines that were begun: what is given and what is missing are the drawing's, wherever a line begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sketchgen.data.batching import CENTRE, Prefixes, make_batch, padded
from sketchgen.data.prepare import read_drawings
from sketchgen.data.splitting import CLOSED_GAP, MIN_LINE, opened
from sketchgen.data.store import Drawings
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
