from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.errors import SettingError
from sketchgen.formats.curves import (
    BULGE,
    _bends,
    control_points,
    flatten,
    is_smooth,
    min_width,
    outline,
    outline_path,
    with_pressure,
)
from sketchgen.formats.raster import to_image
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.formats.svg_writer import MARK, NODES, SHOW, SMOOTH, Style, to_svg
from sketchgen.sketch.geometry import rdp, resample
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


def same_bits(one, other):
    assert len(one.strokes) == len(other.strokes)
    for a, b in zip(one.strokes, other.strokes, strict=True):
        assert a.tobytes() == b.tobytes()


def curve(points, px=1.0):
    return flatten(np.array(points, dtype=float), px, 0.005)


def off(line, points):
    """Return the distance of each point of a line from the polyline through `points`."""
    starts, chords = points[:-1], np.diff(points, axis=0)
    length = np.maximum((chords**2).sum(axis=1), 1e-12)
    share = (((line[:, None] - starts) * chords).sum(axis=2) / length).clip(0, 1)
    return np.hypot(*np.moveaxis(line[:, None] - starts - share[..., None] * chords, 2, 0)).min(axis=1)


def walk(seed, count=12):
    generator = np.random.default_rng(seed)
    return np.cumsum(generator.normal(size=(count, 2)) * generator.choice([3, 12, 40]), axis=0)


# --- curves ----------------------------------------------------------------------------------------------


def test_a_coarse_circle_becomes_round():
    for count, most in ((5, 3.0), (8, 0.6), (12, 0.1)):
        for radius in (10.0, 100.0):
            line = flatten(circle(count, radius), 1.0, 0.001)
            assert len(line) > 4 * count
            assert np.abs(np.hypot(*line.T) - radius).max() < most * radius / 100
    assert np.abs(np.hypot(*circle(8)[:2].mean(axis=0)) - 100) > 7


def test_the_seam_of_a_closed_line_is_smooth():
    inner = control_points(circle(8), 1.0)
    begin, end = inner[0, 0] - circle(8)[0], circle(8)[-1] - inner[-1, 1]
    assert begin == pytest.approx(end)
    # A gap below a px is none: it is under the pen.
    inner = control_points(circle(8) + np.append(np.zeros((8, 2)), [[0.5, 0.5]], axis=0), 1.0)
    begin, end = inner[0, 0] - circle(8)[0], circle(8)[-1] + 0.5 - inner[-1, 1]
    assert begin / np.hypot(*begin) == pytest.approx(end / np.hypot(*end))
    open_line = circle(8)[:-1]
    assert not np.allclose(control_points(open_line, 1.0)[0, 0], inner[0, 0])


def star(radius=100.0):
    angles = np.arange(11) * 2 * np.pi / 5 * 2
    return radius * np.column_stack([np.sin(angles), -np.cos(angles)])[:6]


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param([(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)], id="square"),
        pytest.param([(0, 100), (0, 0), (50, -60), (100, 0), (100, 100)], id="house"),
        pytest.param([(0, 0), (60, 0), (30, -50), (0, 0)], id="triangle"),
        pytest.param([(0, 0), (10, 15), (20, 0), (30, 15), (40, 0), (50, 15)], id="zigzag"),
        pytest.param([(0, 0), (40, 0), (70, 30)], id="bend"),
        pytest.param(star(), id="star"),
        pytest.param([(0, 0), (20, 0), (20, 20), (0, 20), (0, 0)], id="window"),
    ],
)
def test_corners_between_long_lines_stay(shape):
    assert curve(shape).tolist() == np.array(shape, dtype=float).tolist()


def test_only_the_corners_of_a_mixed_line_stay():
    # A mug's side: down, round the bottom, and up, with a corner where the rim begins.
    side = [(0, 0), (0, 60), (6, 74), (20, 80), (40, 80), (54, 74), (60, 60), (60, 0), (0, 0)]
    corner, _ = _bends(np.diff(np.array(side, dtype=float), axis=0), 1.0, closed=True)
    assert np.flatnonzero(corner).tolist() == [0, 7, 8]
    assert len(curve(side)) > 3 * len(side)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=8), st.sampled_from([0, 0.01, 1, 9])
)
def test_every_point_lies_on_the_curve_bit_for_bit(values, px):
    points = np.array(values, dtype=float)
    line = flatten(points, px, max(float(np.ptp(points)) / 4000, 1e-9))
    assert np.isfinite(line).all()
    rows = iter(line.tolist())
    assert all(any(row == point for row in rows) for point in points.tolist())


@pytest.mark.parametrize("seed", range(12))
def test_a_curve_keeps_near_its_line(seed):
    points = walk(seed)
    corner, even = _bends(np.diff(points, axis=0), 1.0, closed=False)
    free = (corner | even)[:-1] & (corner | even)[1:]
    chords = np.hypot(*np.diff(points, axis=0).T)
    for index, controls in enumerate(control_points(points, 1.0)):
        ends = points[index : index + 2]
        curved = flatten_one(ends[0], controls, ends[1])
        # A third of the chord is what an arc with a turn of 120 degrees needs.
        assert off(curved, ends).max() <= (chords[index] / 3 if free[index] else BULGE) + 1e-9
    assert off(curve(points), points).max() > 0.3


def flatten_one(start, inner, end):
    t = np.linspace(0, 1, 30)[:, None]
    return (1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * inner[0] + 3 * (1 - t) * t**2 * inner[1] + t**3 * end


@pytest.mark.parametrize("points", [*map(walk, range(6)), circle(8), circle(5, 9.0), star()])
def test_a_curve_of_a_curve_is_the_same(points):
    once = curve(points)
    twice = curve(once)
    assert max(off(twice, once).max(), off(once, twice).max()) < 0.25


@pytest.mark.parametrize("factor", [0.001, 40.0])
def test_curves_scale(factor):
    points = walk(3)
    assert control_points(points * factor, factor) == pytest.approx(control_points(points, 1.0) * factor)


def test_a_curve_is_nearer_to_what_a_hand_drew_than_its_simplification_is():
    # An egg, a spiral and a wave as drawn: dense, and shaken a little.
    t = np.linspace(0, 2 * np.pi, 400)
    egg = np.column_stack([80 * np.cos(t), 60 * np.sin(t) + 12 * np.cos(2 * t)])
    spiral = np.column_stack([t * 15 * np.cos(2 * t), t * 15 * np.sin(2 * t)])
    wave = np.column_stack([t * 30, 25 * np.sin(2 * t)])
    for drawn in (egg, spiral, wave):
        few = rdp(resample(drawn))
        assert len(few) < 40
        assert off(drawn, curve(few)).mean() < 0.7 * off(drawn, few).mean()


# --- how smooth ------------------------------------------------------------------------------------------


def drawn_house():
    corners = np.array([(20, 200), (22, 100), (90, 30), (160, 104), (158, 198), (20, 200)], dtype=float)
    points = resample(corners, 3.0)
    return np.round(points + np.random.default_rng(1).normal(size=points.shape) * 0.3, 1)


def test_a_hand_is_smooth_and_a_polyline_is_not():
    dense = np.round(circle(90), 1)
    assert is_smooth([dense], 1.0)
    assert is_smooth([drawn_house()], 1.0)
    for few in (rdp(dense), circle(8), star(), walk(1), np.array([(0.0, 0.0), (9.0, 9.0)])):
        assert not is_smooth([few], 1.0)
    # A dense stroke among few lines says what the drawing is; points that a program put on a line do not.
    assert is_smooth([dense, rdp(dense), star()], 1.0)
    square = np.array([(0, 0), (80, 0), (80, 80), (0, 80)], dtype=float)
    assert not is_smooth([np.concatenate([np.linspace(*side, 40) for side in pairwise(square)])], 1.0)
    assert not is_smooth([], 1.0)
    # Neither does size.
    assert is_smooth([dense * 1e-3], 1e-3)
    assert not is_smooth([rdp(dense) * 1e3], 1e3)


def styles(item):
    return [to_svg(item, Style(smooth=smooth)) for smooth in ("auto", "on", "off")]


@pytest.mark.parametrize("page", [None, (-300.0, -300.0, 640.0, 480.0)])
def test_added_strokes_are_as_smooth_as_the_given(page):
    added = Sketch.from_strokes([circle(8, 60.0), star(30.0)], page=page)
    by_hand = Sketch.from_strokes([np.round(circle(200), 1)], page=page)
    auto, on, off_ = styles(Completion(by_hand, added))
    assert auto == on != off_
    # Only what is seen to be round is a curve: the hand's points are dense, and a star is pointed.
    assert auto.count(f'{MARK}="{NODES}"') == 1
    polyline = Sketch.from_strokes([circle(8)], page=page)
    auto, on, off_ = styles(Completion(polyline, added))
    assert auto == off_ != on
    # Without two parts, the drawing tells of itself.
    auto, on, off_ = styles(Completion(by_hand, added).whole)
    assert auto == on
    auto, on, off_ = styles(added)
    assert auto == off_


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
    points = np.zeros((0, 2))
    for _ in range(30):
        points = np.cumsum(generator.normal(size=(12, 2)) * 20, axis=0)
        polygons, discs = outline(with_pressure(flatten(points, 1.0, 0.05), 4.0, 1.0), 4.0)
        assert len(discs) == len(polygons) + 1
        # Discs are drawn against the clock (y down), which by this formula is below 0.
        assert all(signed_area(polygon) < 0 for polygon in polygons)
    path = outline_path(with_pressure(points, 4.0, 1.0), 4.0)
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
@given(strokes, st.sampled_from(SMOOTH), shares, st.sampled_from([None, (0, 0, 640, 480)]))
def test_strokes_come_back_whatever_the_style(values, smooth, pressure, page):
    sketch = Sketch.from_strokes(values, page=page, category="cat")
    style = Style(smooth=smooth, pressure=pressure)
    result = parse_svg(to_svg(sketch, style))
    same_bits(sketch, result)
    completion = Completion(sketch, Sketch.from_strokes([[(0, 0), (4, 1), (8, 0)]], page=page))
    same_bits(parse_svg(to_svg(completion, style)), completion.whole)


def test_what_is_drawn_for_show_is_marked():
    sketch = Sketch.from_strokes([circle(8), [(0, 0)], [(0, 0), (9, 9)]])
    root = ElementTree.fromstring(to_svg(sketch, Style(smooth="on", pressure=0.5)))
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
    path = '<path d="M0 0C0 9 9 9 9 0"{} stroke="red"/>'
    text = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{path}</svg>'
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
    assert inked(smooth="on")[y, x] > 100
    assert inked(pressure=1.0).sum() != inked().sum()


def test_styles_change_no_byte_of_a_plain_file():
    sketch = Sketch.from_strokes([circle(6)])
    assert to_svg(sketch, Style(smooth="off", pressure=0)) == to_svg(sketch)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_limits(value):
    with pytest.raises(SettingError, match=f"pressure must be a number from 0 to 1, not {value}"):
        Style(pressure=value)
    with pytest.raises(SettingError, match="smooth is 'round'; it must be auto, on or off"):
        Style(smooth="round")
