"""Laws of the Chamfer distance, of blurred bitmaps, and of what is searched by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sketchgen.data.prepare import read_drawings
from sketchgen.data.store import Drawings
from sketchgen.evaluation.bitmaps import Lines, bitmaps, shortlist
from sketchgen.evaluation.copying import copying, neighbours
from sketchgen.evaluation.held_out import SCALES, Scale, begin
from sketchgen.evaluation.retrieval import Retrieval
from sketchgen.sketch.distance import MAX_POINTS, best, chamfer, cloud, mean_pairwise, quantiles
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Sketch


def line(y: float, length: float = 100.0) -> Sketch:
    return Sketch.from_strokes([[(0, y), (length, y)]])


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    everything, _ = read_drawings(sample_dir)
    return everything.take(np.arange(0, len(everything), 5))


def test_it_is_symmetric_and_zero_for_the_same_drawing(drawings: Drawings) -> None:
    clouds = [cloud(drawings.sketch(index)) for index in range(20)]
    for index, one in enumerate(clouds):
        assert chamfer(one, one) == pytest.approx(0.0, abs=1e-2)
        other = clouds[index - 1]
        assert chamfer(one, other) == pytest.approx(chamfer(other, one), rel=1e-5)
        assert chamfer(one, other) > 0.5


def test_parallel_lines_lie_as_far_apart_as_they_are() -> None:
    assert chamfer(cloud(line(0)), cloud(line(7))) == pytest.approx(7.0, rel=1e-5)
    # Twice as long: half of its points are beyond the other's end, by 50 px on average.
    longer = chamfer(cloud(line(0)), cloud(line(0, 200.0)))
    assert longer == pytest.approx((0 + 25.0) / 2, rel=0.03)


def test_it_moves_with_the_drawings_and_grows_with_them(drawings: Drawings) -> None:
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
    assert len(cloud(line(0, 9000.0))) == MAX_POINTS


def test_best_and_apart(drawings: Drawings) -> None:
    clouds = [cloud(drawings.sketch(index)) for index in range(5)]
    truth = cloud(drawings.sketch(7))
    assert best(clouds, truth) == min(chamfer(item, truth) for item in clouds)
    assert best([*clouds, truth], truth) == pytest.approx(0.0, abs=1e-2)
    assert mean_pairwise(clouds[:2]) == pytest.approx(chamfer(clouds[0], clouds[1]), rel=1e-5)
    assert mean_pairwise([clouds[0]] * 3) == pytest.approx(0.0, abs=1e-2)
    assert np.isnan(mean_pairwise(clouds[:1]))


def test_quantiles_are_in_order() -> None:
    found = list(quantiles(np.random.default_rng(0).random(1000)).values())
    assert found == sorted(found)


def test_bitmaps_are_of_length_one_and_know_their_drawing(drawings: Drawings) -> None:
    images = bitmaps(Lines.of_drawings(drawings))
    assert np.allclose(np.linalg.norm(images, axis=1), 1.0, atol=1e-5)
    sketches = [drawings.sketch(index) for index in range(len(drawings))]
    assert np.array_equal(images, bitmaps(Lines.of_sketches(sketches)))
    near = shortlist(images[:40], drawings, 3)
    assert (np.take_along_axis(images[:40] @ images.T, near, 1)[:, 0] > 0.9999).all()
    brute = np.sort(images[:40] @ images.T, axis=1)[:, ::-1][:, :3]
    assert np.allclose(np.take_along_axis(images[:40] @ images.T, near, 1), brute, atol=1e-5)


def test_beginnings_as_lines_are_those_of_cut_sketches(drawings: Drawings) -> None:
    shown = np.maximum(2, drawings.lengths // 3)
    found = Lines.of_drawings(drawings, shown)
    cut = []
    for index in range(len(drawings)):
        left, strokes = int(shown[index]), []
        for stroke in drawings.sketch(index).strokes:
            strokes.append(stroke[:left])
            left -= len(stroke)
            if left <= 0:
                break
        cut.append(Sketch.from_strokes(strokes))
    wanted = Lines.of_sketches(cut)
    for name in ("start", "points", "lift"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name))


def test_fitted_lines_fill_the_box() -> None:
    sketches = [line(50), Sketch.from_strokes([[(5, 5)]]), moved(line(3), 0.1, -40, 2)]
    found = Lines.of_sketches(sketches).fitted()
    assert np.allclose(found.points, [[0, 0], [255, 0], [0, 0], [0, 0], [255, 0]])
    assert len(Lines.of_sketches([])) == 0
    assert Lines.of_sketches([]).fitted().points.shape == (0, 2)


def test_a_copy_is_found_whatever_its_size(drawings: Drawings) -> None:
    copies = [moved(drawings.sketch(index), 0.3, 100.0, 20.0) for index in (3, 17, 40)]
    distance, index = neighbours(copies, drawings)
    assert distance == pytest.approx(np.zeros(3), abs=0.5)
    assert index.tolist() == [3, 17, 40]


def test_copies_lie_below_the_tail_and_others_do_not() -> None:
    real = np.random.default_rng(0).normal(20.0, 3.0, 400)
    like_real = np.random.default_rng(1).normal(20.0, 3.0, 400)
    assert copying(like_real, real)["share_below"]["value"] < 0.04
    assert copying(like_real - 15.0, real)["share_below"]["value"] > 0.9


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("share", [0.25, 0.5])
def test_the_drawing_itself_is_retrieved_where_it_is_among_them(
    drawings: Drawings, scale: Scale, share: float
) -> None:
    long = np.flatnonzero(drawings.lengths > 8)[:12]
    items = [begin(drawings.sketch(int(index)), share, 0, 0) for index in long]
    found = Retrieval(drawings).finish(items, share, scale, 4)
    for item, ways in zip(items, found, strict=True):
        assert len(ways) == 4
        assert chamfer(cloud(ways[0].completion.added), cloud(item.rest)) == pytest.approx(0.0, abs=0.05)
        assert np.array_equal(ways[0].completion.given.points, item.given.points)


def test_what_is_retrieved_goes_on_from_the_last_given_point(drawings: Drawings) -> None:
    others = drawings.take(np.arange(40, len(drawings)))
    items = [begin(drawings.sketch(index), 0.5, 0, 0) for index in range(12)]
    for item, (way,) in zip(items, Retrieval(others).finish(items, 0.5, "scale known"), strict=True):
        assert way.completion.added.category == item.given.category
        if way.going_on:
            assert np.array_equal(way.completion.added.points[0], item.given.points[-1])


def test_nothing_is_retrieved_for_a_category_that_was_never_drawn(drawings: Drawings) -> None:
    stranger = Sketch(drawings.sketch(0).strokes, None, "no such thing")
    assert Retrieval(drawings).finish([begin(stranger, 0.5, 0, 0)], 0.5, "scale known") == [[]]
