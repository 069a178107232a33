from __future__ import annotations

import math

import numpy as np
import pytest

from sketchgen.errors import SketchError
from sketchgen.formats import svg_path
from sketchgen.formats.svg_path import path_lines, read_numbers


def lines(text, tolerance=0.01):
    faults = []
    return [line.tolist() for line in path_lines(text, tolerance, faults.append)], faults


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M1,2 3 4", [[[1, 2], [3, 4]]]),
        ("m1-2.5.5 4", [[[1, -2.5], [1.5, 1.5]]]),
        ("M1e1.5e1L5-5.5e-1", [[[10, 5], [5, -0.55]]]),
        ("M0 0h5v5H0V9", [[[0, 0], [5, 0], [5, 5], [0, 5], [0, 9]]]),
        ("M0 0h9v9zl1 1", [[[0, 0], [9, 0], [9, 9], [0, 0]], [[0, 0], [1, 1]]]),
        ("M1 1zzzz", [[[1, 1]]]),
        ("M1 1M2 2 3 3", [[[2, 2], [3, 3]]]),
        ("M5 5h0", [[[5, 5]]]),
        ("", []),
        ("M0 0A5 0 0 0 1 9 9", [[[0, 0], [9, 9]]]),
    ],
)
def test_commands(text, expected):
    assert lines(text) == (expected, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M1 1L5 5 foo 9 9", [[[1, 1], [5, 5]]]),
        ("M1 1L5 5 9", [[[1, 1], [5, 5]]]),
        ("M1 1L5 5 9 NaN", [[[1, 1], [5, 5]]]),
        ("M1 1h3v", [[[1, 1], [4, 1]]]),
        ("M1 1h3 1e999", [[[1, 1], [4, 1]]]),
        ("L1 1 5 5", []),
        ("M", []),
        ("M1 1a5 5 0 2 0 9 9", []),
    ],
)
def test_a_path_is_drawn_up_to_its_first_error(text, expected):
    found, faults = lines(text)
    assert found == expected
    assert len(faults) == 1


def test_arcs():
    for text in ("M10 0A10 10 0 1 1 0-10", "m10 0a10 10 0 11-10-10", "M10 0A1 1 0 0 1-10 0"):
        (line,) = (np.array(each) for each in lines(text)[0])
        middle = (line[1:] + line[:-1]) / 2
        assert np.abs(np.hypot(*line.T) - 10).max() < 1e-4
        assert np.abs(np.hypot(*middle.T) - 10).max() < 0.011
    (line,) = (np.array(each) for each in lines("M0 0A20 10 90 0 0 20 0")[0])
    assert line[:, 1].max() == pytest.approx(20, abs=0.02)


def test_smooth_curves_mirror_the_control_point():
    assert lines("M0 0C0 9 9 9 9 0S18-9 18 0") == lines("M0 0C0 9 9 9 9 0C9-9 18-9 18 0")
    assert lines("M0 0Q5 9 9 0T18 0t9 0") == lines("M0 0Q5 9 9 0Q13-9 18 0Q23 9 27 0")
    assert lines("M0 0L9 0S18-9 18 0") == lines("M0 0L9 0C9 0 18-9 18 0")


def test_numbers():
    assert read_numbers("1 -2,.5e1-3.", 9) == ([1, -2, 5, -3], "")
    assert read_numbers("1 2x 3", 9) == ([1, 2], "x 3")
    assert read_numbers("1 2 3", 2) == ([1, 2], "")


@pytest.mark.parametrize(
    "text", ["M0 0" + "z" * 999, "M0 0" * 999, "M0 0" + "L1 2" * 999, "M0 0" + "a1 1 0 0 1 2 2" * 99]
)
def test_too_much(text, monkeypatch):
    monkeypatch.setattr(svg_path, "MAX_POINTS", 200)
    with pytest.raises(SketchError, match="more than 200 points"):
        path_lines(text, math.inf, lambda fault: None)
