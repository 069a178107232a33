from __future__ import annotations

import os
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.errors import SketchError
from sketchgen.formats.quickdraw import parse_json
from sketchgen.sketch.geometry import (
    BOX,
    Frame,
    box_frame,
    in_frame,
    moved,
    rdp,
    resample,
    simplify,
    simplify_as_quickdraw,
)
from sketchgen.sketch.sketch import Box, Sketch

numbers = st.floats(-1e4, 1e4, allow_nan=False)
polylines = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30).map(
    lambda values: np.array(values, dtype=np.float64)
)


def to_line(points, start, end):
    """Distance of points to the infinite line, by another formula than the code's: areas of triangles."""
    base = np.linalg.norm(end - start)
    if base == 0:
        return np.linalg.norm(points - start, axis=1)
    square = np.array([np.linalg.det(np.array([end - start, point - start])) for point in points])
    return np.abs(square) / base


@settings(deadline=None, max_examples=60)
@given(polylines, st.floats(0.1, 50))
def test_rdp_keeps_ends_order_and_bound(points, epsilon):
    kept = rdp(points, epsilon)
    assert np.array_equal(kept[[0, -1]], points[[0, -1]])
    at, places = 0, []
    for point in kept:
        while not np.array_equal(points[at], point):
            at += 1
        places.append(at)
    if len(set(map(tuple, points.tolist()))) == len(points):
        for first, last in pairwise(places):
            inner = points[first + 1 : last]
            if len(inner):
                assert to_line(inner, points[first], points[last]).max() <= epsilon + 1e-6


def test_rdp_by_hand():
    points = np.array([[0.0, 0], [5, 1.9], [10, 0], [10, 10]])
    assert rdp(points, 2.0).tolist() == [[0, 0], [10, 0], [10, 10]]
    assert rdp(points, 1.0).tolist() == points.tolist()
    assert rdp(np.zeros((5, 2))).tolist() == [[0, 0], [0, 0]]


def test_rdp_does_not_exhaust_the_stack():
    t = np.linspace(0, 60, 20_000)
    spiral = np.column_stack([t * np.cos(t), t * np.sin(t)])
    assert 100 < len(rdp(spiral, 0.01)) < 20_000


def zigzag(count, high):
    at = np.arange(count)
    return np.column_stack([at * 255 / count, (at % 2) * high])


@pytest.mark.parametrize("high", [6.0, 255.0])
def test_rdp_bounds_its_effort(high):
    # Halved at the worst point, always the first tooth, this takes 5,000,000,000 distances: a minute.
    points = zigzag(100_000, high)
    points[:, 1] += np.random.default_rng(0).uniform(0, 1e-3, len(points))
    start = time.process_time()
    kept = rdp(points)
    assert time.process_time() - start < 15
    places = np.searchsorted(points[:, 0], kept[:, 0])
    assert np.array_equal(points[places], kept)
    for first, last in pairwise(places.tolist()):
        if last - first > 1:
            assert to_line(points[first + 1 : last], points[first], points[last]).max() <= 2.0 + 1e-6


def test_rdp_of_what_resembles_a_drawing_is_exact(monkeypatch):
    walk = np.cumsum(np.random.default_rng(0).normal(size=(20_000, 2)), axis=0)
    strokes = [zigzag(6_000, 255.0), walk]
    bounded = [rdp(stroke) for stroke in strokes]
    monkeypatch.setattr("sketchgen.sketch.geometry.RDP_EFFORT", 10**12)
    assert all(np.array_equal(rdp(stroke), one) for stroke, one in zip(strokes, bounded, strict=True))


def test_long_scribbles_are_simplified_or_refused():
    start = time.process_time()
    assert simplify_as_quickdraw(Sketch.from_strokes([zigzag(200_000, 6.0)])).point_count < 20_000
    teeth = zigzag(11_000, 255.0)
    for simplified in (simplify, simplify_as_quickdraw):
        with pytest.raises(SketchError, match=r"a drawing .* long takes over 5000000 points"):
            simplified(Sketch.from_strokes([teeth, teeth]))
    assert time.process_time() - start < 30


@settings(deadline=None, max_examples=60)
@given(polylines, st.floats(0.5, 100))
def test_resample_spacing_and_ends(points, spacing):
    result = resample(points, spacing)
    assert np.array_equal(result[0], points[0])
    if len(result) > 1:
        assert np.array_equal(result[-1], points[-1])
        assert np.hypot(*np.diff(result, axis=0).T).max() <= spacing + 1e-6


def test_resample_by_hand():
    assert resample(np.array([[0.0, 0], [2.5, 0]])).tolist() == [[0, 0], [1, 0], [2, 0], [2.5, 0]]
    assert resample(np.array([[3.0, 4], [3, 4]])).tolist() == [[3, 4]]
    with pytest.raises(SketchError, match="scale it down"):
        resample(np.array([[0.0, 0], [1e9, 0]]))


@settings(deadline=None, max_examples=60)
@given(polylines)
def test_box_frame_fits_the_box(points):
    sketch = Sketch.from_strokes([points])
    frame = box_frame(sketch)
    assert frame.scale > 0
    bounds = in_frame(sketch, frame).bounds
    assert bounds is not None
    assert abs(bounds.x) < 1e-6
    assert abs(bounds.y) < 1e-6
    if frame.scale != 1.0:
        assert bounds.longer == pytest.approx(BOX)


def test_frames_without_extent():
    assert box_frame(Sketch()) == Frame(1.0, 0.0, 0.0)
    assert box_frame(Sketch.from_strokes([[(7, 8)]])) == Frame(1.0, 7.0, 8.0)
    tiny = Sketch.from_strokes([[(0, 0), (5e-324, 0)]])
    assert box_frame(tiny).scale == 1.0


def test_moved_takes_the_page_along():
    sketch = Sketch.from_strokes([[(1, 2), (3, 4)]], page=(0, 1, 10, 20), category="cat")
    result = moved(sketch, 2.0, 5.0, -1.0)
    assert result.strokes[0].tolist() == [[7, 3], [11, 7]]
    assert result.page == Box(5, 1, 20, 40)
    assert result.category == "cat"
    assert moved(Sketch(), 3.0).is_empty


def test_simplify_keeps_page_and_strokes():
    sketch = Sketch.from_strokes(
        [[(0, 0), (50, 0.5), (100, 0)], [(5, 5)]], page=(0, 0, 200, 200), category="a"
    )
    thin = simplify(sketch)
    assert [stroke.tolist() for stroke in thin.strokes] == [[[0, 0], [100, 0]], [[5, 5]]]
    assert (thin.page, thin.category) == (sketch.page, "a")


def test_quickdraw_form():
    raw = Sketch.from_strokes([[(100, 50), (100, 50)], [(100, 50), (300, 250)], [(200, 60), (200.1, 60)]])
    result = simplify_as_quickdraw(raw)
    assert [stroke.tolist() for stroke in result.strokes] == [
        [[0, 0], [0, 0]],
        [[0, 0], [255, 255]],
        [[128, 13]],
    ]
    assert simplify_as_quickdraw(Sketch()).is_empty


RAW_CATEGORIES = ("The Mona Lisa", "bicycle", "hedgehog", "pineapple", "umbrella")


def _loose_distance(one, other):
    """Mean distance between the ends of the strokes of two drawings; infinite if they differ in number."""
    if len(one.strokes) != len(other.strokes):
        return np.inf
    pairs = zip(one.strokes, other.strokes, strict=True)
    return np.mean([np.abs(a[[0, -1]] - b[[0, -1]]).sum() for a, b in pairs])


@pytest.mark.skipif("SKETCHGEN_DATA" not in os.environ, reason="needs the Quick, Draw! files")
def test_simplification_is_googles():
    root, same, twins = Path(os.environ["SKETCHGEN_DATA"]), 0, 0
    for category in RAW_CATEGORIES:
        known = [
            parse_json(line)
            for line in (root / "quickdraw_simplified" / f"{category}.ndjson").read_bytes().splitlines()
        ]
        for line in (root / "quickdraw_raw" / f"{category}.ndjson").read_bytes().splitlines():
            ours = simplify_as_quickdraw(parse_json(line))
            nearest = min(known, key=lambda other: _loose_distance(ours, other))
            # Not every raw drawing has its simplified twin in the folder; strangers are tens of px apart.
            if _loose_distance(ours, nearest) < 5:
                twins += 1
                same += ours == nearest
    print(f"{same} of {twins} drawings are simplified exactly as Google did")
    assert twins >= 90
    assert same / twins >= 0.93
