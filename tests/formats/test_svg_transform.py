from __future__ import annotations

import numpy as np
import pytest

from sketchgen.formats.svg_transform import chained, fitted, inverse, length, mapped, origin, transform
from sketchgen.sketch.sketch import Box

AREA = (200.0, 100.0)


def at(matrix, x=1.0, y=2.0):
    return mapped(matrix, np.array([[x, y]], dtype=np.float64))[0].round(9).tolist()


@pytest.mark.parametrize(
    ("text", "css", "expected"),
    [
        ("translate(5)", False, [6, 2]),
        ("translate(5-1)scale(2)", False, [7, 3]),
        ("matrix(1 2 3 4 5 6)", False, [12, 16]),
        ("rotate(90)", False, [-2, 1]),
        ("rotate(90,1 1)", False, [0, 1]),
        ("skewX(45) , skewY(0)", False, [3, 2]),
        ("translate(5px, 10%)", True, [6, 12]),
        ("TranslateX(10%) scaleY(200%)", True, [21, 4]),
        ("rotate(.25turn)", True, [-2, 1]),
        ("rotate(100grad) translate(0, 0)", True, [-2, 1]),
        ("none", True, [1, 2]),
    ],
)
def test_transforms(text, css, expected):
    assert at(transform(text, AREA, css=css)) == expected


@pytest.mark.parametrize(
    ("text", "css"),
    [
        ("rotate(", False),
        ("rotate(1 2)", False),
        ("rotate(45deg)", False),
        ("Rotate(45)", False),
        ("matrix(1 2 3)", False),
        ("scale(1e999)", False),
        ("scale(1e200)scale(1e200)", False),
        ("scale()", False),
        ("rotate(rotate(1))", False),
        ("rotate(45)", True),
        ("translate(5)", True),
        ("rotate(" * 50_000, False),
        ("scale(1)" * 2000, False),
        ("a" * 100_000, False),
    ],
)
def test_transforms_that_are_none(text, css):
    with pytest.raises(ValueError):  # noqa: PT011 - it is caught where it is called
        transform(text, AREA, css=css)


def test_chains_and_inverses():
    one, two = (
        transform("rotate(30)", AREA, css=False),
        transform("translate(5 6)scale(2 3)", AREA, css=False),
    )
    both = chained(one, two)
    assert at(both) == at(one, *at(two))
    assert at(inverse(both), *at(both)) == [1, 2]


def test_origins():
    box = Box(10, 20, 100, 50)
    for text, expected in {
        "center": (60, 45),
        "0 0": (10, 20),
        "right 5px": (110, 25),
        "top left": (10, 20),
        "50% 100%": (60, 70),
        "bottom": (60, 70),
    }.items():
        assert origin(text, box) == expected
    with pytest.raises(ValueError, match="here"):
        origin("here", box)


def test_view_boxes():
    view = Box(10, 10, 100, 50)
    assert at(fitted(view, (200, 200), ""), 10, 10) == [0, 50]
    assert at(fitted(view, (200, 200), "xMinYMin"), 10, 10) == [0, 0]
    assert at(fitted(view, (200, 200), "xMaxYMid slice"), 110, 35) == [200, 100]
    assert at(fitted(view, (200, 200), "none"), 110, 60) == [200, 200]


def test_lengths():
    faults = []
    for text, expected in {
        "3": 3,
        "1in": 96,
        "25.4mm": 96,
        "10%": 20,
        "2em": 32,
        "1Q": 96 / 101.6,
        " 4px ": 4,
    }.items():
        assert length(text, 200, faults.append) == pytest.approx(expected)
    assert length(None, 200, faults.append, 7) == 7
    assert not faults
    assert length("3 mm", 200, faults.append, 7) == length("1e999", 200, faults.append, 7) == 7
    assert len(faults) == 2
