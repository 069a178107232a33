from __future__ import annotations

import numpy as np
import pytest

from sketchgen.formats.svg_brush import middle_line, without_doubles

T = np.linspace(0, 1, 60)
ANGLES = np.linspace(0, 2 * np.pi, 40)
LINES = {
    "bend": np.column_stack([np.cos(4.5 * T), np.sin(4.5 * T)]) * 30,
    "loop": np.column_stack([60 * T - 20 * np.sin(6.3 * T), 20 * np.cos(6.3 * T)]),
    "wave": np.column_stack([80 * T, 10 * np.sin(12 * T)]),
    "straight": np.column_stack([80 * T, 3 * T]),
}
SHAPES = {
    "circle": np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]) * 30,
    "ellipse": np.column_stack([np.cos(ANGLES) * 30, np.sin(ANGLES) * 10]),
    "star": np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]) * (20 + 10 * np.cos(5 * ANGLES))[:, None],
    "bar": np.array([[0.0, 0], [90, 0], [90, 2], [0, 2], [0, 0]]),
    "dot": np.zeros((9, 2)),
}


def outline(line, width):
    """Return the outline of a brush stroke along a line."""
    along = np.gradient(line, axis=0)
    across = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(*along.T)[:, None] * width[:, None] / 2
    return np.concatenate([line + across, (line - across)[::-1]])


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("width", [np.full(60, 2.0), 0.5 + 3 * np.sin(np.pi * T)], ids=["even", "pressed"])
def test_the_middle_of_a_brush_stroke(line, width):
    found = middle_line(outline(line, width))
    assert found is not None
    distance = np.linalg.norm(found[:, None] - line, axis=2)
    # The ends may be short by the width of the brush.
    assert distance.min(axis=1).max() < 1.8
    assert distance.min(axis=0).max() < 2


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_other_shapes_stay(shape):
    assert middle_line(shape) is None


def test_lines_that_are_drawn_twice():
    generator = np.random.default_rng(1)
    twice = [LINES["wave"] + generator.normal(0, 0.5, (60, 2)) for _ in range(2)]
    again = [LINES["bend"] + generator.normal(0, 0.5, (60, 2)) for _ in range(2)]
    found = without_doubles([*twice, *again])
    assert len(found) == 2
    assert found[0] is twice[0]
    assert found[1] is again[0]
    for kept in ([twice[0], again[0]], [*twice, again[0]], [*twice, again[0], twice[1]]):
        assert len(without_doubles(kept)) == len(kept)
    straight = [np.array([[0.0, y], [90.0, y]]) for y in (0.0, 1.0)]
    assert without_doubles(straight) == straight
    assert without_doubles([]) == []
