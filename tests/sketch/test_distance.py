"""Laws of distances between sets of points, and of ink."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sketchgen.data.drawings import Drawings
from sketchgen.data.prepare import read_drawings
from sketchgen.sketch.distance import (
    FAR,
    MAX_POINTS,
    Ink,
    chamfer,
    cloud,
    connected,
    covered,
    evenly,
    inside,
    mean_pairwise,
    nearest,
    overlap_f1,
    retraced,
)
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Sketch


def line(y: float, length: float = 100.0) -> Sketch:
    return Sketch.from_strokes([[(0, y), (length, y)]])


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    everything, _ = read_drawings(sample_dir)
    return everything.take(np.arange(0, len(everything), 40))


def test_chamfer_is_symmetric_and_zero_for_the_same_drawing(drawings: Drawings) -> None:
    clouds = [cloud(drawings.sketch(index)) for index in range(10)]
    for index, one in enumerate(clouds):
        assert chamfer(one, one) == pytest.approx(0.0, abs=1e-2)
        other = clouds[index - 1]
        assert chamfer(one, other) == pytest.approx(chamfer(other, one), rel=1e-5)
        there, back = nearest(one, other).mean(), nearest(other, one).mean()
        assert chamfer(one, other) == pytest.approx((there + back) / 2, abs=0.02)
        assert chamfer(one, other) > 0.5


def test_parallel_lines_lie_as_far_apart_as_they_are() -> None:
    assert chamfer(cloud(line(0)), cloud(line(7))) == pytest.approx(7.0, rel=1e-5)
    # Twice as long: half of its points are beyond the other's end, by 50 px on average.
    longer = chamfer(cloud(line(0)), cloud(line(0, 200.0)))
    assert longer == pytest.approx((0 + 25.0) / 2, rel=0.03)


def test_chamfer_scales_with_the_drawings(drawings: Drawings) -> None:
    one, other = drawings.sketch(0), drawings.sketch(1)
    apart = chamfer(cloud(one), cloud(other))
    here, there = (moved(sketch, 1.0, 1000.0, -500.0) for sketch in (one, other))
    assert chamfer(cloud(here), cloud(there)) == pytest.approx(apart, rel=1e-3)
    large = [cloud(moved(sketch, 3.0), 6.0) for sketch in (one, other)]
    assert chamfer(*large) == pytest.approx(3.0 * apart, rel=1e-4)


def test_dots_and_nothing() -> None:
    dot, nothing = cloud(Sketch.from_strokes([[(3, 4)]])), cloud(Sketch())
    assert dot.tolist() == [[3.0, 4.0]]
    assert chamfer(dot, cloud(Sketch.from_strokes([[(0, 0)]]))) == pytest.approx(5.0)
    assert np.isnan(chamfer(dot, nothing))
    assert nearest(dot, nothing).tolist() == [FAR]
    assert len(cloud(line(0, 9000.0))) == MAX_POINTS


def test_the_mean_over_pairs(drawings: Drawings) -> None:
    clouds = [cloud(drawings.sketch(index)) for index in range(3)]
    pairs = [chamfer(clouds[one], clouds[other]) for one, other in ((0, 1), (0, 2), (1, 2))]
    assert mean_pairwise(clouds) == pytest.approx(np.mean(pairs), rel=1e-5)
    assert np.isnan(mean_pairwise(clouds[:1]))


def test_overlap_is_one_for_the_same_ink_and_counts_both_shares() -> None:
    sets = [cloud(line(0)), cloud(line(0, 200.0)), cloud(line(90.0)), cloud(line(0, 50.0))]
    starts = np.cumsum([0, *map(len, sets[:-1])])
    found = overlap_f1(sets[0], np.concatenate(sets), starts, 0.5)
    assert found == pytest.approx([1.0, 2 / 3, 0.0, 2 / 3], abs=0.02)


def test_ink() -> None:
    both = Ink([np.array([[0.0, 0.0], [100.0, 0.0]]), np.array([[5.0, 40.0]])])
    assert both.length == 102
    assert nearest(np.array([[50.0, 7.0], [1e6, 0.0]]), both.points).tolist() == [7.0, FAR]
    assert inside(both.points, [Box(0, 0, 10, 0)], 5).sum() == 16
    across = Ink([np.array([[50.0, -20.0], [50.0, 20.0]])])
    assert not covered(both, across, 14, 30).any(), "a line across covers nothing"
    along = Ink([np.array([[90.0, 2.0], [10.0, 2.0]])])
    assert covered(both, along, 2.5, 30).sum() == 83
    assert not covered(both, Ink([]), 14, 30).any()
    assert [retraced(along, both, 3, length) for length in (10, 70, 90)] == [1.0, 1.0, 0.0]
    assert retraced(across, both, 3, 10) == retraced(Ink([]), both, 3, 10) == 0.0
    assert Ink([np.array([[0.0, 0.0], [1e6, 0.0]])]).points.size < 100_000


def test_strokes_lead_from_one_point_to_another() -> None:
    def leads(*gaps: float) -> bool:
        x, strokes = 0.0, []
        for gap in gaps:
            strokes.append(np.array([[x + gap, 0.0], [x + gap + 30, 0.0]]))
            x += gap + 30
        return connected(Ink(strokes), np.zeros(2), np.array([x, 0.0]), 12)

    assert leads(0)
    assert leads(11, 11, 11)
    assert not leads(13, 0)
    assert not leads(0, 13)
    assert not connected(Ink([]), np.zeros(2), np.zeros(2), 12)


def test_points_lie_evenly_and_wider_apart_where_there_is_more_ink() -> None:
    strokes = [np.array([(0.0, 0.0), (40.0, 0.0)]), np.array([(0.0, 9.0), (0.0, 49.0)])]
    assert [len(each) for each in evenly(strokes, 4.0, 100)] == [11, 11]
    assert [len(each) for each in evenly(strokes, 4.0, 10)] == [6, 6]
    assert evenly([], 4.0, 100) == []
