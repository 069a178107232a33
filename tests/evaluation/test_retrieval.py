"""Blurred bitmaps, and the nearest training drawings that are found by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sketchgen.data.drawings import Drawings
from sketchgen.data.prepare import read_drawings
from sketchgen.data.splitting import cut_after
from sketchgen.evaluation.bitmaps import Lines, bitmaps
from sketchgen.evaluation.held_out import SCALES, Scale, held_out
from sketchgen.evaluation.retrieval import copying, most_similar, nearest_drawings, retrieve
from sketchgen.sketch.distance import chamfer, cloud
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Sketch


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    everything, _ = read_drawings(sample_dir)
    return everything.take(np.arange(0, len(everything), 10))


def test_bitmaps_have_norm_one_and_find_their_drawing(drawings: Drawings) -> None:
    images = bitmaps(Lines.of_drawings(drawings))
    assert np.allclose(np.linalg.norm(images, axis=1), 1.0, atol=1e-5)
    sketches = [drawings.sketch(index) for index in range(len(drawings))]
    assert np.array_equal(images, bitmaps(Lines.of_sketches(sketches)))
    similarity = images[:40] @ images.T
    found = np.take_along_axis(similarity, most_similar(images[:40], drawings, 3), 1)
    assert (found[:, 0] > 0.9999).all()
    assert np.allclose(found, np.sort(similarity, axis=1)[:, ::-1][:, :3], atol=1e-5)


def test_the_first_points_as_lines_are_those_of_cut_sketches(drawings: Drawings) -> None:
    shown = np.maximum(2, drawings.lengths // 3)
    found = Lines.of_drawings(drawings, shown)
    cut = [cut_after(drawings.sketch(index), int(count)).given for index, count in enumerate(shown)]
    wanted = Lines.of_sketches(cut)
    for name in ("start", "points", "lift"):
        assert np.array_equal(getattr(found, name), getattr(wanted, name))


def test_fitted_lines_fill_the_box() -> None:
    lines = [[[(0, 50), (100, 50)]], [[(5, 5)]], [[(-40, 2), (-30, 2)]]]
    found = Lines.of_sketches([Sketch.from_strokes(strokes) for strokes in lines]).fitted()
    assert np.allclose(found.points, [[0, 0], [255, 0], [0, 0], [0, 0], [255, 0]])
    assert Lines.of_sketches([]).fitted().points.shape == (0, 2)


def test_a_copy_is_found_whatever_its_size(drawings: Drawings) -> None:
    copies = [moved(drawings.sketch(index), 0.3, 100.0, 20.0) for index in (3, 17, 40)]
    distance, index = nearest_drawings(copies, drawings)
    assert distance == pytest.approx(np.zeros(3), abs=1.0)
    assert index.tolist() == [3, 17, 40]


def test_copies_lie_below_the_tail_and_others_do_not() -> None:
    real, like_real = (np.random.default_rng(seed).normal(20.0, 3.0, 400) for seed in (0, 1))
    assert copying(like_real, real)["share_below"]["value"] < 0.04
    found = copying(like_real - 15.0, real)
    assert found["share_below"]["value"] > 0.9
    values = list(found["held_out"].values())
    assert values == sorted(values)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("share", [0.25, 0.5])
def test_the_drawing_itself_is_retrieved_where_it_is_among_them(
    drawings: Drawings, scale: Scale, share: float
) -> None:
    long = np.flatnonzero(drawings.lengths > 8)[:6]
    items = [held_out(drawings.sketch(int(index)), share) for index in long]
    for item, found in zip(items, retrieve(drawings, items, share, scale, 4), strict=True):
        assert len(found) == 4
        assert chamfer(cloud(found[0].completion.added), cloud(item.rest)) == pytest.approx(0.0, abs=0.05)
        assert np.array_equal(found[0].completion.given.points, item.given.points)


def test_what_is_retrieved_starts_at_the_last_given_point(drawings: Drawings) -> None:
    others = drawings.take(np.arange(20, len(drawings)))
    items = [held_out(drawings.sketch(index), 0.5) for index in range(10)]
    found = [row[0] for row in retrieve(others, items, 0.5, "scale known") if row]
    assert any(each.going_on for each in found)
    for each in found:
        assert each.completion.added.category == each.completion.given.category
        if each.going_on:
            assert np.array_equal(each.completion.added.points[0], each.completion.given.points[-1])


def test_nothing_is_retrieved_for_a_category_without_training_drawings(drawings: Drawings) -> None:
    stranger = drawings.sketch(0).replaced(category="no such thing")
    assert retrieve(drawings, [held_out(stranger, 0.5)], 0.5, "scale known") == [[]]
