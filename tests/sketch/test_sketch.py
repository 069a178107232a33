from __future__ import annotations

import numpy as np
import pytest

from sketchgen.errors import SketchError, SketchgenError
from sketchgen.sketch.sketch import MAX_COORDINATE, MAX_POINTS, Box, Completion, Sketch


def test_strokes_are_copied_and_read_only():
    source = np.array([[1.0, 2.0], [3.0, 4.0]])
    sketch = Sketch.from_strokes([source])
    source[0, 0] = 99.0
    assert sketch.strokes[0][0, 0] == 1.0
    for array in (sketch.strokes[0], sketch.points):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 5.0


def test_counts_bounds_and_points():
    sketch = Sketch.from_strokes([[(0, 5), (10, 5)], [(2, 25)]], page=(0, 0, 30, 40), category="cat")
    assert sketch.point_count == 3
    assert sketch.bounds == Box(0, 5, 10, 20)
    assert Box(0, 5, 10, 20).longer == 20
    assert Box(0, 5, 10, 20).centre == (5, 15)
    assert sketch.points.tolist() == [[0, 5], [10, 5], [2, 25]]
    assert repr(sketch) == "Sketch(2 strokes, 3 points, page 30 x 40, 'cat')"


def test_empty_drawing():
    empty = Sketch()
    assert empty.is_empty
    assert empty.bounds is None
    assert empty.points.shape == (0, 2)
    assert Sketch.from_strokes([]) == empty


def test_a_dot_is_a_stroke():
    dot = Sketch.from_strokes([[(3, 4)]])
    assert dot.point_count == 1
    assert dot.bounds == Box(3, 4, 0, 0)


def test_equality_and_hash():
    first, second = Sketch.from_strokes([[(0, 1)]]), Sketch.from_strokes([[(-0.0, 1)]])
    assert first == second
    assert hash(first) == hash(second)
    assert first != Sketch.from_strokes([[(0, 1)]], category="x")
    assert first != Sketch.from_strokes([[(0, 1)]], page=(0, 0, 1, 1))
    assert first != Sketch.from_strokes([[(0, 2)]])
    assert first != "something else"


def test_replaced_keeps_the_arrays():
    sketch = Sketch.from_strokes([[(0, 1), (2, 3)]], category="cat")
    other = sketch.replaced(page=Box(0, 0, 9, 9))
    assert other.strokes[0] is sketch.strokes[0]
    assert (other.page, other.category) == (Box(0, 0, 9, 9), "cat")


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([[(0, 1)], []], r"stroke 1 must be one or more"),
        ([[(0, 1, 2)]], r"\(1, 3\)"),
        ([[0, 1]], r"stroke 0 must be"),
        ([["ab"]], r"stroke 0 is not a list"),
        ([[(0, 1), (2,)]], r"stroke 0 is not a list"),
        ([[(float("nan"), 12.0)]], r"not finite: \(nan, 12\.0\)"),
        ([[(0, 1)], [(0, float("inf"))]], r"stroke 1 has a point that is not finite"),
        ([[(1e308, 0)]], r"beyond 1e\+09"),
        ([[(10**400, 0)]], r"stroke 0 is not a list"),
    ],
)
def test_bad_strokes_are_named(strokes, message):
    with pytest.raises(SketchError, match=message) as caught:
        Sketch.from_strokes(strokes)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, ValueError)
    assert isinstance(caught.value, SketchgenError)


def test_limits_are_inclusive():
    assert Sketch.from_strokes([[(MAX_COORDINATE, -MAX_COORDINATE)]]).point_count == 1
    assert Sketch.from_strokes([np.zeros((MAX_POINTS, 2))]).point_count == MAX_POINTS
    with pytest.raises(SketchError, match="more than 200000 points"):
        Sketch.from_strokes([np.zeros((MAX_POINTS, 2)), [(0, 0)]])


@pytest.mark.parametrize(
    "page",
    [
        (0, 0, 0, 5),
        (0, 0, 5, -1),
        (0, 0, float("nan"), 1),
        (0, 0, 1),
        (0, 0, 1, 1, 1),
        (0, 0, 1e300, 1),
        (1e12, 0, 1, 1),
    ],
)
def test_bad_pages(page):
    with pytest.raises(SketchError, match="page"):
        Sketch.from_strokes([[(0, 0)]], page=page)


def test_a_category_that_no_file_can_hold_is_refused():
    with pytest.raises(SketchError, match="half a character") as caught:
        Sketch.from_strokes([[[0, 0]]], category="a cat\ud800\n")
    assert "\n" not in str(caught.value)
    assert Sketch.from_strokes([[[0, 0]]], category="猫 🐱").category == "猫 🐱"


def test_a_completion_keeps_the_given_object():
    given = Sketch.from_strokes([[(0, 0), (1, 1)]], page=(0, 0, 9, 9), category="cat")
    added = Sketch.from_strokes([[(1, 1), (2, 2)]], page=(0, 0, 9, 9), category="cat")
    completion = Completion(given, added)
    assert completion.given is given
    assert completion.whole.strokes[0] is given.strokes[0]
    assert completion.whole.point_count == 4
    assert completion.whole.category == "cat"
    assert "<svg" in completion._repr_svg_()
    assert given._repr_svg_() == given.to_svg()
