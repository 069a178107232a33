"""Pictures of drawings: only the ink counts, wherever and however large it was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sketchgen.models import picture_features as module
from sketchgen.models.picture_features import ACROSS, MARGIN, REACH, SIDE, WIDTH, pictures, pictures_of
from sketchgen.sketch.sketch import Sketch

coordinates = st.integers(0, 255).map(float)
strokes = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6)
drawings = st.lists(strokes, min_size=1, max_size=4)


def sketch(*lines: list[tuple[float, float]]) -> Sketch:
    return Sketch.from_strokes([np.array(line, dtype=np.float64) for line in lines])


def picture(*lines: list[tuple[float, float]]) -> np.ndarray:
    return pictures_of([sketch(*lines)])[0]


def exact(points: np.ndarray, lift: np.ndarray) -> np.ndarray:
    """One drawing that is fitted already, every pixel by its distance from every piece."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    found = np.zeros((SIDE, SIDE))
    begins = np.concatenate([[True], lift[:-1]])
    for index, point in enumerate(points):
        last = points[index if lift[index] else index + 1]
        if lift[index] and not begins[index]:
            continue
        way = last - point
        square = max(float(way @ way), 1e-12)
        part = np.clip(((columns - point[0]) * way[0] + (rows - point[1]) * way[1]) / square, 0.0, 1.0)
        far = np.hypot(columns - point[0] - part * way[0], rows - point[1] - part * way[1])
        found = np.maximum(found, np.clip(REACH - far, 0.0, 1.0))
    return found


@given(drawings, st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0.01, 100.0))
def test_size_and_place_change_nothing(
    lines: list[list[tuple[float, float]]], right: float, down: float, scale: float
) -> None:
    other = [[(x * scale + right, y * scale + down) for x, y in line] for line in lines]
    np.testing.assert_allclose(picture(*other), picture(*lines), atol=2e-3)


@given(drawings)
def test_every_pixel_is_as_dark_as_its_distance_from_the_lines_says(
    lines: list[list[tuple[float, float]]],
) -> None:
    flat = np.concatenate([np.array(line) for line in lines])
    lift = np.concatenate([np.arange(len(line)) == len(line) - 1 for line in lines])
    low, high = flat.min(0), flat.max(0)
    longer = float((high - low).max())
    scale = (SIDE - 2 * MARGIN) / longer if longer else 1.0
    placed = (flat - (low + high) / 2) * scale + (SIDE - 1) / 2
    np.testing.assert_allclose(picture(*lines), exact(placed, lift), atol=2e-3)


@given(st.lists(drawings, min_size=1, max_size=5))
def test_each_picture_is_of_its_own_drawing(many: list[list[list[tuple[float, float]]]]) -> None:
    together = pictures_of([sketch(*lines) for lines in many])
    for found, lines in zip(together, many, strict=True):
        np.testing.assert_array_equal(found, picture(*lines))


def test_a_horizontal_line_is_two_rows_in_the_middle():
    found = picture([(10.0, 7.0), (200.0, 7.0)])
    inked = np.flatnonzero(found.max(1) > 0.0)
    # Its middle lies between two rows of pixels, half a pixel from each: each has half of the thickness.
    assert inked.tolist() == [SIDE // 2 - 1, SIDE // 2]
    inside = slice(int(MARGIN) + 1, SIDE - int(MARGIN) - 1)
    np.testing.assert_allclose(found[inked][:, inside], WIDTH / 2, atol=1e-5)
    np.testing.assert_allclose(found.sum(0)[inside], WIDTH, atol=1e-5)
    # Round ends, and nothing behind them.
    assert (found[:, 0] == 0.0).all()
    assert (found[:, -1] == 0.0).all()


def test_nothing_is_outside_or_over_1():
    random = np.random.default_rng(0)
    found = pictures_of([Sketch.from_strokes([random.random((300, 2)) * 9.0]) for _ in range(20)])
    assert found.dtype == np.float32
    assert found.min() == 0.0
    assert found.max() <= 1.0
    assert pictures_of([]).shape == (0, SIDE, SIDE)


def test_parts_are_drawn_like_the_whole(monkeypatch: pytest.MonkeyPatch):
    random = np.random.default_rng(0)
    points, lift = random.random((400, 2)), random.random(400) < 0.1
    start = np.array([0, 100, 101, 250, 400])
    whole = pictures(points, lift, start)
    monkeypatch.setattr(module, "COLUMNS", 50)
    np.testing.assert_array_equal(pictures(points, lift, start), whole)


def test_the_last_point_of_a_drawing_ends_a_stroke_whatever_is_said():
    points, start = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0], [5.0, 9.0]]), np.array([0, 2, 4])
    said, unsaid = np.array([False, True, False, True]), np.zeros(4, dtype=bool)
    np.testing.assert_array_equal(pictures(points, unsaid, start), pictures(points, said, start))


def test_no_line_is_wider_than_the_pixels_that_are_looked_at():
    assert ACROSS > 2.0 * REACH * np.sqrt(2.0) > ACROSS - 1
