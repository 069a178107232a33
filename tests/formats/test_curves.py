from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.formats.curves import control_points, flatten, min_width, outline, outline_path, with_pressure
from sketchgen.formats.raster import to_image
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.formats.svg_writer import MARK, NODES, SHOW, Style, to_svg
from sketchgen.sketch.sketch import Completion, Sketch

NS = "{http://www.w3.org/2000/svg}"
coordinates = st.one_of(st.floats(-1e9, 1e9, allow_nan=False), st.integers(-3, 3).map(float))
strokes = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=7), max_size=4)
shares = st.sampled_from([0.0, 0.3, 1.0])


def circle(count, radius=100.0):
    angles = np.linspace(0, 2 * np.pi, count + 1)
    points = radius * np.column_stack([np.cos(angles), np.sin(angles)])
    points[-1] = points[0]
    return points


# --- curves ----------------------------------------------------------------------------------------------


def test_a_coarse_circle_becomes_round():
    for count, most in ((8, 1.0), (16, 0.1)):
        line = flatten(circle(count), 1.0, 0.01)
        assert len(line) > 4 * count
        assert np.abs(np.hypot(*line.T) - 100).max() < most
    assert np.abs(np.hypot(*circle(8)[:2].mean(axis=0)) - 100) > 7


def test_the_seam_of_a_closed_line_is_smooth():
    inner = control_points(circle(8))
    begin, end = inner[0, 0] - circle(8)[0], circle(8)[-1] - inner[-1, 1]
    assert begin == pytest.approx(end)
    open_line = circle(8)[:-1]
    assert not np.allclose(control_points(open_line)[0, 0], inner[0, 0])


def test_corners_stay():
    square = np.array([(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)], dtype=float)
    assert np.ptp(flatten(square, 1.0, 0.01), axis=0).tolist() == [100, 100]
    for start, pair, end in zip(square[:-1], control_points(square), square[1:], strict=True):
        assert pair == pytest.approx(np.array([start + (end - start) / 3, end - (end - start) / 3]))
    # 60 degrees: a corner between straights, but none on a small circle that turns so at every point.
    bend = np.array([(0, 0), (50, 0), (100, 0), (125, 43.3), (150, 86.6)])
    assert control_points(bend)[1, 1] == pytest.approx(bend[1] + (bend[2] - bend[1]) * 2 / 3, abs=1)
    hexagon = flatten(circle(6), 1.0, 0.01)
    assert np.abs(np.hypot(*hexagon.T) - 100).max() < 3


@settings(max_examples=60)
@given(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=8), shares)
def test_every_point_lies_on_the_curve_bit_for_bit(values, strength):
    points = np.array(values, dtype=float)
    line = flatten(points, strength, max(float(np.ptp(points)) / 4000, 1e-9))
    assert np.isfinite(line).all()
    rows = iter(line.tolist())
    assert all(any(row == point for row in rows) for point in points.tolist())
    # No loops and no wild swings: the curve keeps near its points.
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.5 * float(np.ptp(points, axis=0).max()) + 1e-9
    assert ((line >= low - room) & (line <= high + room)).all()


def test_strength_leads_from_straight_to_flatten():
    points = circle(8)
    radii = [float(np.hypot(*flatten(points, share, 0.01).T).mean()) for share in (0.0, 0.5, 1.0)]
    assert radii[0] == pytest.approx(100)
    straight = control_points(points, 0.0)
    assert straight[0, 0] == pytest.approx(points[0] + (points[1] - points[0]) / 3)
    assert control_points(points, 0.5) == pytest.approx((straight + control_points(points, 1.0)) / 2)


# --- pressure --------------------------------------------------------------------------------------------


def test_pressure_is_least_at_the_ends_and_most_in_bends():
    points = np.array([(0, 0), (100, 0), (100, 100)], dtype=float)
    line = with_pressure(points, 2.0, 1.0)
    way = np.append(0, np.cumsum(np.hypot(*np.diff(line[:, :2], axis=0).T)))
    width = line[:, 2]
    assert width[0] == pytest.approx(min_width(1.0))
    assert width[-1] == pytest.approx(min_width(1.0))
    bend, straight = (width[np.argmin(np.abs(way - at))] for at in (100, 55))
    assert bend == pytest.approx(1.25, abs=0.08)
    assert straight == pytest.approx(0.75, abs=0.02)
    assert np.abs(np.diff(width)).max() < 0.5


@settings(max_examples=40)
@given(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6), shares)
def test_points_stay_under_pressure(values, pressure):
    # Two points nearer to each other than the length of the line can tell would be one place on it.
    points = np.array([[round(x, 3), round(y, 3)] for x, y in values])
    width = max(float(np.ptp(points)), 1.0) / 130
    line = with_pressure(points, width, pressure)
    assert np.isfinite(line).all()
    assert line[:, 2].min() >= min_width(pressure) - 1e-9
    assert line[:, 2].max() <= 1 + 0.25 * pressure + 1e-9
    assert set(map(tuple, points.tolist())) <= set(map(tuple, line[:, :2].tolist()))
    if pressure == 0:
        assert line[:, :2].tolist() == points.tolist()
        assert set(line[:, 2]) == {1.0}


def signed_area(points):
    x, y = points.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def test_all_outlines_turn_the_same_way():
    generator = np.random.default_rng(3)
    walk = np.zeros((0, 2))
    for _ in range(30):
        walk = np.cumsum(generator.normal(size=(12, 2)) * 20, axis=0)
        polygons, discs = outline(with_pressure(flatten(walk, 1.0, 0.05), 4.0, 1.0), 4.0)
        assert len(discs) == len(polygons) + 1
        # Discs are drawn against the clock (y down), which by this formula is below 0.
        assert all(signed_area(polygon) < 0 for polygon in polygons)
    path = outline_path(with_pressure(walk, 4.0, 1.0), 4.0)
    assert set(re.findall(r"0 1 (\d) ", path)) == {"0"}


def test_an_outline_is_as_wide_as_the_line():
    line = with_pressure(np.array([(0.0, 0.0), (50.0, 0.0)]), 2.0, 0.0)
    ((one,), discs) = outline(line, 2.0)
    assert one.min(axis=0).tolist() == [0, -1]
    assert one.max(axis=0).tolist() == [50, 1]
    assert discs.tolist() == [[0, 0, 1], [50, 0, 1]]
    assert (
        outline_path(with_pressure(np.array([(3.0, 4.0)]), 2.0, 0.0), 2.0)
        == "M2,4a1,1 0 1 0 2,0a1,1 0 1 0 -2,0z"
    )


# --- in files and pictures -------------------------------------------------------------------------------


@settings(max_examples=12)
@given(strokes, shares, shares, st.sampled_from([None, (0, 0, 640, 480)]))
def test_strokes_come_back_whatever_the_style(values, smooth, pressure, page):
    sketch = Sketch.from_strokes(values, page=page, category="cat")
    style = Style(smooth=smooth, pressure=pressure)
    result = parse_svg(to_svg(sketch, style))
    assert [s.tobytes() for s in result.strokes] == [s.tobytes() for s in sketch.strokes]
    completion = Completion(sketch, Sketch.from_strokes([[(0, 0), (4, 1), (8, 0)]], page=page))
    assert [s.tobytes() for s in parse_svg(to_svg(completion, style)).strokes] == [
        s.tobytes() for s in completion.whole.strokes
    ]


def test_what_is_drawn_for_show_is_marked():
    sketch = Sketch.from_strokes([circle(8), [(0, 0)], [(0, 0), (9, 9)]])
    root = ElementTree.fromstring(to_svg(sketch, Style(smooth=1.0, pressure=0.5)))
    strokes_, show = root.findall(f"{NS}g")
    assert [child.get(MARK) for child in strokes_] == [NODES, None, None]
    assert "C" in (strokes_[0].get("d") or "")
    assert show.get(MARK) == SHOW
    assert len(show) == 3
    assert float(strokes_.get("stroke-width") or 0) == pytest.approx(
        float(ElementTree.fromstring(to_svg(sketch)).find(f"{NS}g").get("stroke-width"))  # pyright: ignore
        * min_width(0.5)
    )


def test_a_foreign_curve_is_still_flattened():
    text = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0C0 9 9 9 9 0"{}/></svg>'
    assert len(parse_svg(text.format("")).strokes[0]) > 8
    assert len(parse_svg(text.format(f' {MARK}="{NODES}"')).strokes[0]) == 2


def test_pictures_follow():
    page = (-130, -130, 260, 260)
    sketch = Sketch.from_strokes([circle(6)], page=page)

    def inked(**how):
        light = np.asarray(to_image(sketch, 260, Style(stroke_width=6, **how)).convert("L")).astype(int)
        return 255 - light

    assert inked()[130, 230] > 0
    # Between two points of the hexagon: outside of its side, on the circle.
    x, y = (round(130 + 99 * part) for part in (np.cos(np.pi / 6), np.sin(np.pi / 6)))
    assert inked()[y, x] == 0
    assert inked(smooth=1.0)[y, x] > 100
    assert inked(pressure=1.0).sum() != inked().sum()


def test_styles_change_no_byte_of_a_plain_file():
    sketch = Sketch.from_strokes([circle(6)])
    assert to_svg(sketch, Style(smooth=0, pressure=0)) == to_svg(sketch)
    assert to_svg(sketch, Style(smooth=True)) == to_svg(sketch, Style(smooth=1))
