from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from sketchgen.formats.svg_brush import middle_lines, without_doubles
from sketchgen.formats.svg_reader import parse_styled_svg, parse_svg

ANGLES = np.linspace(0, 2 * np.pi, 40)
U = np.linspace(0, 1, 100)
LINES = {
    "straight": np.column_stack([U * 100, U * 3]),
    "wave": np.column_stack([U * 300, 40 * np.sin(U * 9)]),
    "loop": np.column_stack([100 * np.cos(U * 9) * (0.4 + U), 100 * np.sin(U * 9) * (0.4 + U)]),
    "eight": np.column_stack([100 * np.sin(U * 6.28), 60 * np.sin(U * 12.56)]),
    "nearly closed": np.column_stack([80 * np.cos(U * 6.1), 80 * np.sin(U * 6.1)]),
}

SHAPES = {
    "circle": np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]) * 30,
    "ellipse": np.column_stack([np.cos(ANGLES) * 30, np.sin(ANGLES) * 10]),
    "star": np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]) * (20 + 10 * np.cos(5 * ANGLES))[:, None],
    "bar": np.array([[0.0, 0], [90, 0], [90, 2], [0, 2], [0, 0]]),
    "dot": np.zeros((9, 2)),
}


def cap(centre: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Half a circle from a point, counterclockwise on paper."""
    x, y = start - centre
    angles = math.atan2(y, x) - np.linspace(0, np.pi, 8)[1:-1]
    return centre + np.column_stack([np.cos(angles), np.sin(angles)]) * math.hypot(x, y)


def outline(line: np.ndarray, width: float, taper: float = 0.0) -> np.ndarray:
    """The outline of a line of a pen, thinner at its ends by a share."""
    along = np.gradient(line, axis=0)
    along /= np.hypot(*along.T)[:, None]
    radius = width / 2 * (1 - taper + taper * np.sin(np.linspace(0.2, 3, len(line))))[:, None]
    side = along[:, ::-1] * (-1, 1) * radius
    left, right = line + side, (line - side)[::-1]
    found = np.concatenate([left, cap(line[-1], left[-1]), right, cap(line[0], right[-1])])
    found = np.roll(found, 31, axis=0)
    return np.concatenate([found, found[:1]])


def distance(points: np.ndarray, line: np.ndarray) -> float:
    """The largest distance of points from a line."""
    pieces = [np.linspace(a, b, 40) for a, b in pairwise(line)]
    there = np.concatenate([line[:1], *pieces])
    return float(np.hypot(*np.moveaxis(points[:, None] - there, 2, 0)).min(axis=1).max())


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize(("width", "taper"), [(2, 0.0), (3.5, 0.5), (10, 0.0)])
def test_the_line_that_was_drawn_is_found(name: str, width: float, taper: float):
    line = LINES[name]
    (found,), measured = middle_lines([outline(line, width, taper)])
    assert measured == pytest.approx(width * (1 - 0.35 * taper), rel=0.1)
    assert distance(found, line) < 0.1 * width + 0.3
    # What is missing is at the ends.
    assert distance(line, found) < 1.3 * width
    assert len(found) <= len(line) + 20


def test_pieces_that_meet_are_one_line():
    wave = LINES["wave"]
    pieces = [outline(wave[:40], 4), outline(wave[39:], 4)]
    (found,), _ = middle_lines(pieces)
    assert distance(wave, found) < 5
    apart, _ = middle_lines([outline(wave[:30], 4), outline(wave[60:], 4)])
    assert len(apart) == 2


def test_a_dot_is_a_point_and_a_wide_shape_stays():
    angles = np.linspace(0, 2 * np.pi, 40)
    circle = np.column_stack([np.cos(angles), np.sin(angles)]) * 3 + (50, 60)
    (dot,), measured = middle_lines([circle])
    assert measured == pytest.approx(6, rel=0.01)
    assert dot.tolist() == [[pytest.approx(50), pytest.approx(60)]]
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], dtype=float)
    for shape in (square, square[:1].repeat(4, 0), np.array([[0.0, 0], [9, 9], [0, 0]])):
        (same,), measured = middle_lines([shape])
        assert measured == 0
        assert same is shape


def svg(paths: str, root: str = "") -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-150 -150 500 300" {root}>{paths}</svg>'


def data(points: np.ndarray) -> str:
    return "M" + " ".join(f"{x:.2f},{y:.2f}" for x, y in points) + "Z"


def test_lines_of_tldraw_and_excalidraw_are_read_and_other_shapes_are_outlines():
    path = f'<path d="{data(outline(LINES["wave"], 4))}" fill="#1d1d1d"'
    for text in (
        svg(f'{path} stroke-linecap="round"/>'),
        svg(f"{path}/>", 'stroke-linecap="round" fill="none"'),
        svg(f'<g stroke-linecap="round"><g>{path} stroke="none"/></g></g>'),
    ):
        sketch, (style,) = parse_styled_svg(text)
        assert (style.colour, style.width, style.corners) == ("#1d1d1d", pytest.approx(4, rel=0.05), False)
        (line,) = sketch.strokes
        assert distance(line, LINES["wave"]) < 0.5
        assert len(line) < 100
    (stroked,) = parse_svg(svg(f'{path} stroke="red" stroke-linecap="round"/>')).strokes
    assert len(stroked) > 200


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_other_shapes_stay(shape: np.ndarray):
    found, width = middle_lines([shape], dots=False)
    assert (len(found), width) == (1, 0.0)
    assert found[0] is shape


def test_lines_that_are_drawn_twice():
    turn = np.linspace(0, 1, 60)
    wave = np.column_stack([80 * turn, 10 * np.sin(12 * turn)])
    bend = np.column_stack([np.cos(4.5 * turn), np.sin(4.5 * turn)]) * 30
    generator = np.random.default_rng(1)
    twice = [wave + generator.normal(0, 0.5, (60, 2)) for _ in range(2)]
    again = [bend + generator.normal(0, 0.5, (60, 2)) for _ in range(2)]
    found = without_doubles([*twice, *again])
    assert len(found) == 2
    assert found[0] is twice[0]
    assert found[1] is again[0]
    for kept in ([twice[0], again[0]], [*twice, again[0]], [*twice, again[0], twice[1]]):
        assert len(without_doubles(kept)) == len(kept)
    straight = [np.array([[0.0, y], [90.0, y]]) for y in (0.0, 1.0)]
    assert without_doubles(straight) == straight
    assert without_doubles([]) == []
