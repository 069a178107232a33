from __future__ import annotations

import io
import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sketchgen.errors import SettingError
from sketchgen.formats.animation import (
    FRAME,
    HOLD,
    MAX_FRAMES,
    MAX_SECONDS,
    MAX_SIDE,
    Span,
    timeline,
    to_animated_svg,
    to_gif,
    to_webp,
)
from sketchgen.formats.raster import to_image
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.formats.svg_writer import Style, to_svg
from sketchgen.sketch.sketch import Completion, Sketch

NS = "{http://www.w3.org/2000/svg}"
PAGE = (0, 0, 255, 255)
SQUARE = [(50, 50), (150, 50), (150, 150), (50, 150), (50, 50)]
FIRST = Sketch.from_strokes([SQUARE], page=PAGE, category="cat")
DONE = Completion(FIRST, Sketch.from_strokes([[(50, 50), (100, 10), (150, 50)], [(100, 100)]], page=PAGE))
BEGUN = Completion(FIRST, Sketch(page=DONE.added.page))
coordinates = st.floats(-1e9, 1e9, allow_nan=False)
strokes = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6), max_size=5)
pages = st.sampled_from([None, (0, 0, 640, 480), (-3.25, 1e-7, 0.1, 1e8), (0, 0, 1e-300, 1e-300)])
speeds = st.floats(1, 1e5)


def frames(data, mode="RGB"):
    """Frames as whole numbers of light, their times in ms, and how often they are shown."""
    with Image.open(io.BytesIO(data)) as image:
        pictures, times = [], []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            pictures.append(np.asarray(image.convert(mode)).astype(int))
            times.append(image.info.get("duration", 0))
        return pictures, times, image.info.get("loop")


def still(item, size=360, style=None, mode="RGB"):
    return np.asarray(to_image(item, size, style).convert(mode)).astype(int)


def keyframes(text):
    """The shares of the period, in per cent, at which each stroke begins and ends; checked for their form."""
    rules = re.findall(r"@keyframes ([\w-]+)\{0%,([\d.]+)%\{([^}]*)\}([\d.]+)%,100%\{([^}]*)\}\}", text)
    for _, _, hidden, _, shown in rules:
        assert hidden == "stroke-dasharray:1;stroke-dashoffset:1;visibility:hidden"
        assert shown == "stroke-dasharray:1;stroke-dashoffset:0;visibility:visible"
    assert len(rules) == text.count("@keyframes")
    return {name: (float(begin), float(end)) for name, begin, _, end, _ in rules}


# --- the timeline ----------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=50)
@given(strokes, strokes, pages, speeds)
def test_strokes_follow_one_another_in_time_and_in_keyframes(first, second, page, speed):
    added = Sketch.from_strokes(second, page=page)
    item = Completion(Sketch.from_strokes(first, page=page), added)
    spans = timeline(item, None, speed)
    assert spans == timeline(added if page else item, None, speed), "only added strokes take time"
    assert len(spans) == len(added.strokes)
    assert all(start < end for start, end in spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    if spans:
        assert spans[0].start == 0
        assert spans[-1].end <= MAX_SECONDS
    shares = list(keyframes(to_animated_svg(item, speed=speed)).values())
    assert len(shares) == len(spans)
    assert all(0 <= begin < end <= 100 for begin, end in shares)
    assert shares == sorted(shares)


def test_times_of_a_square_by_hand():
    assert timeline(FIRST, None, 100) == (Span(0, 4),)
    again = Sketch.from_strokes([SQUARE, [(50, 140), (150, 140)]], page=PAGE)
    # 90 px from the square's last point, three times as fast as along the strokes.
    assert timeline(again, None, 100)[1] == pytest.approx((4.3, 5.3))
    assert timeline(again, None, 200)[1] == pytest.approx((2.15, 2.65))
    # A page ten times as large takes as long.
    large = Sketch.from_strokes([np.array(stroke) * 10 for stroke in again.strokes], page=(0, 0, 2550, 2550))
    np.testing.assert_allclose(timeline(large), timeline(again), rtol=1e-6)


def test_a_long_drawing_is_drawn_faster():
    generator = np.random.default_rng(1)
    long = Sketch.from_strokes([*generator.uniform(0, 255, (20, 500, 2)), [(3, 3)]], page=PAGE)
    spans = timeline(long)
    assert spans[-1].end == pytest.approx(MAX_SECONDS)
    # Still in proportion: the first half of the strokes takes about half the time.
    assert spans[9].end == pytest.approx(MAX_SECONDS / 2, rel=0.1)
    np.testing.assert_allclose(timeline(long, None, 2), timeline(long, None, 1), atol=0.001)


# --- SVG -------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(strokes, strokes, pages.filter(lambda page: page is None or page[2] > 1e-9))
def test_what_moves_is_read_bit_for_bit(first, second, page):
    sketch = Sketch.from_strokes(first, page=page, category="cat & <dog>")
    item = Completion(sketch, Sketch.from_strokes(second, page=page))
    result = parse_svg(to_animated_svg(item))
    assert [stroke.tobytes() for stroke in result.strokes] == [
        stroke.tobytes() for stroke in item.whole.strokes
    ]
    assert (result.category, result.page) == (sketch.category, parse_svg(to_svg(item)).page)


@pytest.mark.parametrize("item", [DONE, FIRST, Sketch(), BEGUN])
def test_without_its_motion_it_is_the_still_file(item):
    text = re.sub(r"<defs>.*</defs>", "<defs />", to_animated_svg(item), flags=re.DOTALL)
    text = re.sub(r' (pathLength="1"|style="animation:[^"]*")', "", text)
    assert text == to_svg(item)
    # Outside the keyframes nothing may hide or dash a stroke.
    rest = re.sub(r"@keyframes[^\n]*\n", "", to_animated_svg(item))
    assert not re.search("dash|visibility|opacity|script|<animate", rest)


def test_only_the_added_group_moves_for_who_wants_motion():
    text = to_animated_svg(DONE)
    root = ElementTree.fromstring(text)
    groups = {group.get("id"): group for group in root.iter(f"{NS}g")}
    assert list(groups) == ["given", "added"]
    assert not [child for child in groups["given"] if child.get("style") or child.get("pathLength")]
    assert [child.get("pathLength") for child in groups["added"]] == ["1", "1"]
    styles = [child.get("style") or "" for child in groups["added"]]
    period = timeline(DONE)[-1].end + HOLD
    shown = keyframes(root.findtext(f".//{NS}style") or "")
    assert [style.split(":")[1].split()[0] for style in styles] == list(shown)
    assert all(style.endswith("s linear infinite") for style in styles)
    assert float(styles[0].split()[1][:-1]) == pytest.approx(period, abs=0.001)
    for span, shares in zip(timeline(DONE), shown.values(), strict=True):
        assert np.array(shares) / 100 * period == pytest.approx(span, abs=1e-6)
    rule = re.search(r"@media [^{]*\(prefers-reduced-motion:reduce\)\{([^{]*)\{([^}]*)\}\}", text)
    assert rule is not None
    tags = {child.tag for child in root.iter() if "animation" in (child.get("style") or "")}
    assert tags == {f"{NS}{tag}" for tag in rule[1].split(",")}
    assert rule[2] == "animation:none!important"


def test_drawings_on_one_page_do_not_share_names():
    one, other = (to_animated_svg(Sketch.from_strokes([[(0, 0), (9, y)], [(1, 1)]])) for y in (2, 7))
    assert keyframes(one).keys().isdisjoint(keyframes(other))


# --- GIF and WebP ----------------------------------------------------------------------------------------


def test_a_gif_begins_with_what_is_given_and_ends_whole():
    pictures, _, loop = frames(to_gif(DONE))
    assert loop == 0
    assert np.abs(pictures[0] - still(BEGUN)).max() < 20
    assert np.abs(pictures[-1] - still(DONE)).mean() < 0.2
    assert (np.abs(pictures[-1] - still(DONE)).max(axis=2) > 40).mean() < 1e-3
    assert np.abs(pictures[-1] - still(FIRST)).mean() > 0.2, "the tolerance can fail"
    for empty in (Sketch(), BEGUN):
        (picture,), _, _ = frames(to_gif(empty, size=64))
        assert np.abs(picture - still(empty, 64)).max() < 20


def test_ink_grows_at_the_pace_of_the_hand():
    pictures, times, _ = frames(to_gif(FIRST, speed=200, size=200))
    assert pictures[0].min() == 255
    ink = [(255 - picture).sum() for picture in pictures]
    assert len(ink) > 10
    assert all(one < other for one, other in itertools.pairwise(ink))
    assert ink[len(ink) // 2] / ink[-1] == pytest.approx(0.5, abs=0.1)
    # Frames without anything new are merged, so that times are whole numbers of steps.
    step, end = 10 * FRAME, 1000 * timeline(FIRST, None, 200)[-1].end
    assert {time % step for time in times[:-1]} == {0}
    assert len(pictures) <= end / step + 2
    assert 0 <= sum(times) - end - 1000 * HOLD < step + 10


def test_frames_are_bounded():
    generator = np.random.default_rng(1)
    long = Sketch.from_strokes(np.cumsum(generator.normal(size=(4, 3000, 2)), axis=1))
    wild = Sketch.from_strokes([[(-1e9, 5), (1e9, 5)], [(900, 900)]], page=PAGE)
    pictures, times, _ = frames(to_gif(long, size=40))
    assert 50 < len(pictures) <= MAX_FRAMES
    assert sum(times) == pytest.approx(1000 * (MAX_SECONDS + HOLD), abs=100)
    pictures, _, _ = frames(to_gif(wild, size=32))
    assert len(pictures) <= MAX_FRAMES
    assert np.abs(pictures[-1] - still(wild, 32)).mean() < 2


def test_a_dot_comes_at_its_time():
    pictures, _, _ = frames(to_gif(Sketch.from_strokes([[(50, 25)]], page=(0, 0, 100, 50)), size=100))
    assert [picture.shape for picture in pictures] == [(50, 100, 3)] * 2
    assert pictures[0].min() == 255
    rows, columns, _ = np.nonzero(pictures[1] < 200)
    assert (rows.mean(), columns.mean()) == pytest.approx((24.5, 49.5), abs=1)
    text = to_animated_svg(Sketch.from_strokes([SQUARE, [(7, 7)]], page=PAGE))
    (_, end), (begin, _) = keyframes(text).values()
    assert 0 < end < begin


@pytest.mark.parametrize(
    ("background", "paper"),
    [(None, [255, 255, 255]), ("#202020", [32, 32, 32]), ("#ff000080", [255, 127, 127])],
)
def test_colours(background, paper):
    style = Style(background=background, given_colour="#00ff00", added_colour="#0000ff", stroke_width=9)
    picture = frames(to_gif(DONE, style, size=255))[0][-1]
    assert picture[5, 5].tolist() == pytest.approx(paper, abs=2)
    assert picture[150, 100].tolist() == [0, 255, 0]
    assert picture[100, 100].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"size": 0}, "size of a GIF must be a number from 1 to 1024 px, not 0"),
        ({"size": MAX_SIDE + 1}, "px, not 1025"),
        ({"speed": 0}, "speed must be a number from 1 to 100000 px a second, not 0"),
        ({"speed": float("nan")}, "speed must be .* not nan"),
        ({"style": Style(background="nocolour")}, "nocolour"),
        ({"style": Style(added_colour="nocolour")}, "nocolour"),
    ],
)
def test_bad_settings(settings_, words):
    with pytest.raises(SettingError, match=words):
        to_gif(Sketch(), **settings_)


@pytest.mark.parametrize("style", [Style(background=None), Style(smooth="on", pressure=1)])
def test_a_webp_is_animated_and_loses_nothing(style):
    pictures, times, loop = frames(to_webp(DONE, style, size=90), "RGBA")
    assert loop == 0
    assert len(pictures) >= 8

    def apart(one, other):
        # What cannot be seen at all may have any colour.
        return np.abs(one * one[..., 3:] - other * other[..., 3:]) / 255

    # A line drawn piece by piece is rounded a little differently at the seams.
    finished = still(DONE, 90, style, "RGBA")
    assert apart(pictures[-1], finished).mean() < 0.5
    assert apart(pictures[1], finished).mean() > 0.5
    assert apart(pictures[0], still(BEGUN, 90, style, "RGBA")).max() == 0
    assert sum(times) == pytest.approx(1000 * (timeline(DONE)[-1].end + HOLD), abs=60)


def test_animations_follow_curves_and_pressure():
    wave = Sketch.from_strokes([[(10, 10), (20, 26), (50, 40), (80, 26), (90, 10)]], page=(0, 0, 100, 100))
    text = to_animated_svg(wave, Style(smooth="on", pressure=1))
    # Curves are drawn by the same dash, and pressure leaves the line even.
    assert 'data-sketchgen="nodes"' in text
    assert 'data-sketchgen="show"' not in text
    for style in (Style(smooth="on"), Style(pressure=1)):
        last = frames(to_gif(wave, style, size=120))[0][-1]
        assert np.abs(last - still(wave, 120, style)).mean() < 0.3
        assert np.abs(last - still(wave, 120)).mean() > 0.5
