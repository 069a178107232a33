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
    MAX_FRAMES,
    MAX_SECONDS,
    MAX_SIDE,
    Motion,
    Span,
    timeline,
    to_animated_svg,
    to_gif,
    to_webp,
)
from sketchgen.formats.raster import to_image
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.formats.svg_writer import Style, to_svg
from sketchgen.sketch.sketch import Box, Completion, Sketch

NS = "{http://www.w3.org/2000/svg}"
PAGE = (0, 0, 255, 255)
SQUARE = [(50, 50), (150, 50), (150, 150), (50, 150), (50, 50)]
coordinates = st.floats(-1e9, 1e9, allow_nan=False)
strokes = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6), max_size=5)
pages = st.sampled_from([None, (0, 0, 640, 480), (-3.25, 1e-7, 0.1, 1e8), (0, 0, 1e-300, 1e-300)])
motions = st.builds(Motion, speed=st.floats(1, 1e5), hold=st.floats(0, 60))


def same_bits(one, other):
    assert len(one.strokes) == len(other.strokes)
    for a, b in zip(one.strokes, other.strokes, strict=True):
        assert a.tobytes() == b.tobytes()


def two_parts():
    first = Sketch.from_strokes([SQUARE], page=PAGE, category="cat")
    second = Sketch.from_strokes([[(50, 50), (100, 10), (150, 50)], [(100, 100)]], page=PAGE)
    return Completion(first, second)


def frames(data):
    """Frames as whole numbers of light, and their times in ms."""
    with Image.open(io.BytesIO(data)) as image:
        pictures, times = [], []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            pictures.append(np.asarray(image.convert("RGB")).astype(int))
            times.append(image.info.get("duration", 0))
    return pictures, times


def still(item, size=360, style=None):
    return np.asarray(to_image(item, size, style).convert("RGB")).astype(int)


def keyframes(text):
    """The shares of the period, in per cent, at which each stroke begins and ends; checked for their form."""
    rules = re.findall(r"@keyframes ([\w-]+)\{0%,([\d.]+)%\{([^}]*)\}([\d.]+)%,100%\{([^}]*)\}\}", text)
    for _, _, hidden, _, shown in rules:
        assert hidden == "stroke-dasharray:1;stroke-dashoffset:1;visibility:hidden"
        assert shown == "stroke-dasharray:1;stroke-dashoffset:0;visibility:visible"
    assert len(rules) == text.count("@keyframes")
    return {name: (float(begin), float(end)) for name, begin, _, end, _ in rules}


# --- the timeline ----------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=80)
@given(strokes, strokes, pages, motions)
def test_strokes_follow_one_another(first, second, page, motion):
    added = Sketch.from_strokes(second, page=page)
    spans = timeline(Completion(Sketch.from_strokes(first, page=page), added), None, motion)
    assert len(spans) == len(added.strokes)
    assert all(start < end for start, end in spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    if spans:
        assert spans[0].start == 0
        assert spans[-1].end <= MAX_SECONDS


def test_times_of_a_square_by_hand():
    motion = Motion(speed=100)
    square = Sketch.from_strokes([SQUARE], page=PAGE)
    assert timeline(square, None, motion) == (Span(0, 4),)
    again = Sketch.from_strokes([SQUARE, [(50, 140), (150, 140)]], page=PAGE)
    # 90 px from the square's last point, three times as fast as along the strokes.
    assert timeline(again, None, motion)[1] == pytest.approx((4.3, 5.3))
    assert timeline(again, None, Motion(speed=200))[1] == pytest.approx((2.15, 2.65))


def test_only_the_added_strokes_take_time():
    item = two_parts()
    assert timeline(item) == timeline(item.added)
    assert timeline(Completion(item.given, Sketch(page=Box(*PAGE)))) == ()
    assert timeline(Sketch()) == ()


@settings(deadline=None, max_examples=40)
@given(strokes.filter(bool), st.booleans())
def test_a_page_ten_times_as_large_takes_as_long(values, with_page):
    def spans(scale):
        page = (0, 0, 1e6 * scale, 1e6 * scale) if with_page else None
        return timeline(Sketch.from_strokes([np.array(line) / 1e3 * scale for line in values], page=page))

    np.testing.assert_allclose(spans(10), spans(1), rtol=1e-6)


def test_a_long_drawing_is_drawn_faster():
    generator = np.random.default_rng(1)
    lines = [*generator.uniform(0, 255, (20, 500, 2)), [(3, 3)]]
    long = Sketch.from_strokes(lines, page=PAGE)
    spans = timeline(long)
    assert spans[-1].end == pytest.approx(MAX_SECONDS)
    assert all(start < end for start, end in spans)
    # Still in proportion: the first half of the strokes takes about half the time.
    assert spans[9].end == pytest.approx(MAX_SECONDS / 2, rel=0.1)
    slow, slower = (timeline(long, None, Motion(speed=speed)) for speed in (2, 1))
    np.testing.assert_allclose(slow, slower, atol=0.001)


# --- SVG -------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(strokes, strokes, pages.filter(lambda page: page is None or page[2] > 1e-9), st.booleans())
def test_what_moves_is_read_bit_for_bit(first, second, page, loop):
    motion = Motion(loop=loop, hold=0)
    sketch = Sketch.from_strokes(first, page=page, category="cat & <dog>")
    same_bits(sketch, parse_svg(to_animated_svg(sketch, motion=motion)))
    completion = Completion(sketch, Sketch.from_strokes(second, page=page))
    result = parse_svg(to_animated_svg(completion, motion=motion))
    same_bits(result, completion.whole)
    assert result.category == sketch.category
    assert result.page == parse_svg(to_svg(completion)).page


def test_without_its_motion_it_is_the_still_file():
    item = two_parts()
    for moving, quiet in (
        (to_animated_svg(item), to_svg(item)),
        (to_animated_svg(item.given), to_svg(item.given)),
    ):
        text = re.sub(r"<defs>.*</defs>", "<defs />", moving, flags=re.DOTALL)
        text = re.sub(r' (pathLength="1"|style="animation:[^"]*")', "", text)
        assert text == quiet
        # Outside the keyframes nothing may hide or dash a stroke.
        rest = re.sub(r"@keyframes[^\n]*\n", "", moving)
        assert not re.search("dash|visibility|opacity|script|<animate", rest)


def test_only_the_added_group_moves():
    item = two_parts()
    root = ElementTree.fromstring(to_animated_svg(item, motion=Motion(hold=1)))
    groups = {group.get("id"): group for group in root.iter(f"{NS}g")}
    assert list(groups) == ["given", "added"]
    assert not [child for child in groups["given"] if child.get("style") or child.get("pathLength")]
    assert [child.get("pathLength") for child in groups["added"]] == ["1", "1"]
    styles = [child.get("style") or "" for child in groups["added"]]
    period = timeline(item)[-1].end + 1
    frames_ = keyframes(root.findtext(f".//{NS}style") or "")
    assert [style.split(":")[1].split()[0] for style in styles] == list(frames_)
    assert all(style.endswith("s linear infinite") for style in styles)
    assert float(styles[0].split()[1][:-1]) == pytest.approx(period, abs=0.001)
    for span, shares in zip(timeline(item), frames_.values(), strict=True):
        assert np.array(shares) / 100 * period == pytest.approx(span, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(strokes.filter(bool), pages, motions)
def test_keyframes_never_fall_together(values, page, motion):
    text = to_animated_svg(Sketch.from_strokes(values, page=page or (0, 0, 255, 255)), motion=motion)
    shares = list(keyframes(text).values())
    assert len(shares) == len(values)
    assert all(0 <= begin < end <= 100 for begin, end in shares)
    assert shares == sorted(shares)


def test_reduced_motion_shows_the_finished_drawing():
    text = to_animated_svg(two_parts())
    rule = re.search(r"@media [^{]*\(prefers-reduced-motion:reduce\)\{([^{]*)\{([^}]*)\}\}", text)
    assert rule is not None
    assert {child.tag for child in ElementTree.fromstring(text).iter() if child.get("style")} == {
        f"{NS}{tag}" for tag in rule[1].split(",")
    }
    assert rule[2] == "animation:none!important"


def test_drawings_on_one_page_do_not_share_names():
    one, other = (to_animated_svg(Sketch.from_strokes([[(0, 0), (9, y)], [(1, 1)]])) for y in (2, 7))
    assert keyframes(one).keys().isdisjoint(keyframes(other))


def test_an_empty_drawing_stands_still():
    for empty in (Sketch(), Completion(two_parts().given, Sketch())):
        assert "animation" not in to_animated_svg(empty)
        (picture,), _ = frames(to_gif(empty, size=64))
        assert np.abs(picture - still(empty, 64)).max() < 20


# --- GIF -------------------------------------------------------------------------------------------------


def test_first_and_last_frame():
    item = two_parts()
    pictures, _ = frames(to_gif(item))
    begin = Completion(item.given, Sketch(page=item.added.page))
    assert np.abs(pictures[0] - still(begin)).max() < 20
    assert np.abs(pictures[-1] - still(item)).mean() < 0.2
    assert (np.abs(pictures[-1] - still(item)).max(axis=2) > 40).mean() < 1e-3
    pictures, _ = frames(to_gif(item.given))
    assert pictures[0].min() == 255
    assert np.abs(pictures[-1] - still(item.given)).mean() < 0.2


def test_the_tolerance_can_fail():
    item = two_parts()
    pictures, _ = frames(to_gif(item.given))
    assert np.abs(pictures[-1] - still(item)).mean() > 0.2


@pytest.mark.parametrize("motion", [Motion(), Motion(speed=60, hold=0.2)])
def test_frames_and_their_times(motion):
    item = two_parts()
    pictures, times = frames(to_gif(item, motion=motion, size=120))
    step = 10 * FRAME
    # Frames without anything new are merged, so that times are whole numbers of steps.
    assert {time % step for time in times[:-1]} == {0}
    end = 1000 * timeline(item, None, motion)[-1].end
    assert len(pictures) <= end / step + 2
    assert 0 <= sum(times) - end - 1000 * motion.hold < step + 10


def test_ink_grows():
    pictures, _ = frames(to_gif(two_parts().given, size=200))
    ink = [(255 - picture).sum() for picture in pictures]
    assert len(ink) > 10
    assert all(one < other for one, other in itertools.pairwise(ink))
    # The hand keeps its pace: in the middle of the time, half of the ink is there.
    assert ink[len(ink) // 2] / ink[-1] == pytest.approx(0.5, abs=0.1)


def test_frames_are_bounded():
    generator = np.random.default_rng(1)
    long = Sketch.from_strokes(np.cumsum(generator.normal(size=(4, 3000, 2)), axis=1))
    pictures, times = frames(to_gif(long, motion=Motion(hold=2), size=40))
    assert 50 < len(pictures) <= MAX_FRAMES
    assert sum(times) == pytest.approx(1000 * (MAX_SECONDS + 2), abs=100)


def test_it_loops():
    def info(loop):
        with Image.open(io.BytesIO(to_gif(two_parts(), motion=Motion(loop=loop), size=64))) as image:
            return image.info.get("loop")

    assert info(True) == 0
    assert info(False) is None


def test_a_dot_comes_at_its_time():
    pictures, _ = frames(to_gif(Sketch.from_strokes([[(50, 25)]], page=(0, 0, 100, 50)), size=100))
    assert [picture.shape for picture in pictures] == [(50, 100, 3)] * 2
    assert pictures[0].min() == 255
    assert pictures[1].min() < 130
    rows, columns, _ = np.nonzero(pictures[1] < 200)
    assert (rows.mean(), columns.mean()) == pytest.approx((24.5, 49.5), abs=1)
    text = to_animated_svg(Sketch.from_strokes([SQUARE, [(7, 7)]], page=PAGE))
    (_, end), (begin, _) = keyframes(text).values()
    assert 0 < end < begin


@pytest.mark.parametrize("background", [None, "#202020", "#ff000080"])
def test_colours(background):
    style = Style(background=background, given_colour="#00ff00", added_colour="#0000ff", stroke_width=9)
    picture = frames(to_gif(two_parts(), style, size=255))[0][-1]
    expected = {None: [255, 255, 255], "#202020": [32, 32, 32]}.get(background, [255, 127, 127])
    assert picture[5, 5].tolist() == pytest.approx(expected, abs=2)
    assert picture[150, 100].tolist() == [0, 255, 0]
    assert picture[100, 100].tolist() == [0, 0, 255]


def test_strokes_off_the_page():
    wild = Sketch.from_strokes([[(-1e9, 5), (1e9, 5)], [(900, 900)]], page=PAGE)
    pictures, _ = frames(to_gif(wild, size=32))
    assert len(pictures) <= MAX_FRAMES
    assert np.abs(pictures[-1] - still(wild, 32)).mean() < 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("speed", 0),
        ("speed", float("nan")),
        ("hold", -1),
        ("hold", 61),
    ],
)
def test_limits(name, value):
    with pytest.raises(SettingError, match=rf"{name} is {value:g}.*must be from"):
        Motion(**{name: value})


def test_bad_settings_of_a_gif():
    for call in (
        lambda: to_gif(Sketch(), size=0),
        lambda: to_gif(Sketch(), size=MAX_SIDE + 1),
        lambda: to_gif(Sketch(), Style(background="nocolour")),
        lambda: to_gif(Sketch(), Style(added_colour="nocolour")),
    ):
        with pytest.raises(SettingError):
            call()


# --- WebP ------------------------------------------------------------------------------------------------


def webp_frames(data):
    with Image.open(io.BytesIO(data)) as image:
        pictures, times = [], []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            pictures.append(np.asarray(image.convert("RGBA")).astype(int))
            times.append(image.info.get("duration", 0))
        return pictures, times, image.info.get("loop"), image.format


@pytest.mark.parametrize("style", [Style(background=None), Style(smooth="on", pressure=1)])
def test_a_webp_is_animated_and_loses_nothing(style):
    item = two_parts()
    pictures, times, loop, kind = webp_frames(to_webp(item, style, size=90))
    assert (kind, loop) == ("WEBP", 0)
    assert len(pictures) >= 8
    finished = np.asarray(to_image(item, 90, style)).astype(int)

    def apart(one, other):
        # What cannot be seen at all may have any colour.
        return np.abs(one * one[..., 3:] - other * other[..., 3:]) / 255

    # A line drawn piece by piece is rounded a little differently at the seams.
    assert apart(pictures[-1], finished).mean() < 0.5
    assert apart(pictures[1], finished).mean() > 0.5
    start = np.asarray(to_image(Completion(item.given, Sketch(page=item.added.page)), 90, style)).astype(int)
    assert apart(pictures[0], start).max() == 0
    assert sum(times) == pytest.approx(1000 * (timeline(item)[-1].end + Motion().hold), abs=60)
    assert webp_frames(to_webp(item, motion=Motion(loop=False), size=40))[2] == 1


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
