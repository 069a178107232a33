from __future__ import annotations

import contextlib
import time
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sketchgen.errors import FormatError, FormatNote, FormatWarning, SketchgenError
from sketchgen.formats import svg_css
from sketchgen.formats.svg_reader import AS_DRAWN, parse_svg
from sketchgen.sketch.sketch import Box, Layer

INK = 'stroke="black" stroke-linecap="round"'


def svg(body, attributes='viewBox="0 0 100 100"', ink=INK):
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" {ink} {attributes}>{body}</svg>'
    )


def lists(text):
    return [stroke.tolist() for stroke in parse_svg(text).strokes]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<polyline points="1,2 3,4 5.5,-6e-1"/>', [[[1, 2], [3, 4], [5.5, -0.6]]]),
        ('<polyline points="1-2.5.5 4 7"/>', [[[1, -2.5], [0.5, 4]]]),
        ('<polygon points="0,0 5,0 5,5"/>', [[[0, 0], [5, 0], [5, 5], [0, 0]]]),
        ('<line x1="1" y1="2" x2="50%" y2="1in" stroke="red"/>', [[[1, 2], [50, 96]]]),
        ('<rect x="1" y="2" width="3" height="4"/>', [[[1, 2], [4, 2], [4, 6], [1, 6], [1, 2]]]),
        (
            '<path d="M0,0L10,10h5v5zm1,1l1,1"/>',
            [[[0, 0], [10, 10], [15, 10], [15, 15], [0, 0]], [[1, 1], [2, 2]]],
        ),
        ('<path d="M1,1 2,2 M9,9"/>', [[[1, 1], [2, 2]]]),
        ('<path d="M5,5h0M6,6z"/>', [[[5, 5]], [[6, 6]]]),
        (
            '<g transform="translate(10,20)"><g transform="scale(2)"><polyline points="1,1 2,2"/></g></g>',
            [[[12, 22], [14, 24]]],
        ),
        (
            '<defs><g id="a"><polyline points="1,1 2,2"/></g></defs><use xlink:href="#a" x="5"/>'
            '<use href="#a"/>',
            [[[6, 1], [7, 2]], [[1, 1], [2, 2]]],
        ),
        (
            '<symbol id="s" viewBox="0 0 10 10"><polyline points="1,1 2,2"/></symbol>'
            '<use href="#s" width="20" height="20"/>',
            [[[2, 2], [4, 4]]],
        ),
        (
            '<svg x="10" width="50" height="50" viewBox="0 0 100 100"><polyline points="2,2 4,4"/></svg>',
            [[[11, 1], [12, 2]]],
        ),
        ('<a><switch><polyline points="1,1 2,2"/></switch></a>', [[[1, 1], [2, 2]]]),
    ],
)
def test_shapes(body, expected):
    np.testing.assert_allclose(np.concatenate(lists(svg(body))), np.concatenate(expected), atol=1e-12)
    assert [len(stroke) for stroke in lists(svg(body))] == [len(stroke) for stroke in expected]


@pytest.mark.parametrize(
    "body",
    [
        '<circle cx="50" cy="50" r="40"/>',
        '<ellipse cx="50" cy="50" rx="40" ry="40"/>',
        '<path d="M90,50A40,40 0 0 1 10,50A40,40 0 0 1 90,50"/>',
        '<rect x="10" y="10" width="80" height="80" rx="40"/>',
        '<g transform="translate(50,50) scale(4)"><circle r="10"/></g>',
    ],
)
def test_curves_stay_within_the_tolerance(body):
    (stroke,) = parse_svg(svg(body)).strokes
    middles = (stroke[1:] + stroke[:-1]) / 2
    for points in (stroke, middles):
        assert np.abs(np.hypot(*(points - 50).T) - 40).max() < 0.06
    assert 20 < len(stroke) < 300
    np.testing.assert_allclose(stroke[0], stroke[-1], atol=1e-9)


def test_bezier_curves():
    cubic, quadratic = parse_svg(svg('<path d="M0,0C0,60 60,60 60,0M0,0Q30,80 60,0"/>')).strokes
    assert cubic[[0, -1]].tolist() == [[0, 0], [60, 0]]
    assert cubic[:, 1].max() == pytest.approx(45, abs=0.1)
    assert quadratic[:, 1].max() == pytest.approx(40, abs=0.1)
    (straight,) = parse_svg(svg('<path d="M0,0C10,10 20,20 30,30"/>')).strokes
    assert len(straight) == 2


@pytest.mark.parametrize(
    "body",
    [
        '<g display="none"><path d="M0,0h9"/></g>',
        '<path style="display:none" d="M0,0h9"/>',
        '<g visibility="hidden"><path d="M0,0h9"/></g>',
        '<path fill="none" d="M0,0h9"/>',
        '<style>/* x */ .a, #b { fill: none }</style><path class="z a" d="M0,0h9"/><path id="b" d="M0,0h9"/>',
        '<defs><path d="M0,0h9"/></defs>',
        '<clipPath><path d="M0,0h9"/></clipPath><mask><path d="M0,0h9"/></mask>',
        '<marker><path d="M0,0h9"/></marker>',
        "<script>alert(1)</script>",
        '<rect width="100" height="100" fill="white"/>',
        '<path d="M0 0h100v100H0z" fill="white"/>',
        '<circle cx="50" cy="50" r="80" fill="#eee"/>',
        '<polygon points="0,0 100,0 100,100 0,100" fill="#eee"/>',
        '<rect width="100" height="100" rx="12"/>',
        '<path d="M0,0h9v9" opacity="0"/>',
        '<g opacity="0.0"><path d="M0,0h9v9" opacity="1"/></g>',
        '<g opacity=".04"><path d="M0,0h9v9" fill-opacity=".04"/></g>',
        '<path d="M0,0h9v9" fill-opacity="0%"/>',
        '<path d="M0,0h9v9" fill="none" stroke="red" stroke-width="0px"/>',
        '<path d="M0,0h9v9" fill="none" stroke="red" stroke-opacity="0"/>',
        '<path d="M0,0h9v9" fill="rgba(0,0,0,0)" stroke="#ff000000"/>',
        '<path d="M0,0h9v9" fill="url(#nothing)"/>',
        '<path d="M5,5h0" stroke="red" fill="none"/>',
        '<line x1="1" y1="1" x2="50" y2="60"/>',
        '<path d="M-50,0h9v9"/>',
        '<path d="M50,101h9v9" stroke="red"/>',
        '<clipPath id="c"/><path clip-path="url(#c)" d="M0,0h9v9"/>',
        '<symbol id="s"><path d="M0,0h9v9"/></symbol>',
        '<path requiredExtensions="" d="M0,0h9v9"/>',
        '<path xmlns="" d="M0,0h9v9"/>',
        '<rect class="background" width="5" height="5"/>',
        "",
    ],
)
def test_what_does_not_show_is_no_stroke(body):
    assert parse_svg(svg(body, ink="")).is_empty


def test_what_shows_despite_its_parents():
    for body in (
        '<g fill="none"><path stroke="red" d="M0,0h9"/></g>',
        '<g visibility="hidden"><path visibility="visible" d="M0,0h9v9"/></g>',
        '<rect width="100" height="100" fill="none" stroke="red"/>',
        '<path stroke="red" stroke-linecap="round" d="M5,5z"/>',
    ):
        assert len(lists(svg(body, ink=""))) == 1


CLIP = '<clipPath id="c" {}>{}</clipPath>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            CLIP.format("", '<rect x="2" y="0" width="6" height="9"/>')
            + '<path clip-path="url(#c)" d="M0 5H10"/>',
            [[[2, 5], [8, 5]]],
        ),
        (
            CLIP.format("", '<rect width="3" height="9"/><rect x="6" width="2" height="9"/>')
            + '<g transform="translate(10)" style="clip-path:url(#c)"><path d="M0 5H10"/></g>',
            [[[10, 5], [13, 5]], [[16, 5], [18, 5]]],
        ),
        (
            CLIP.format('clipPathUnits="objectBoundingBox"', '<rect width=".5" height="1"/>')
            + '<path clip-path="url(#c)" d="M10 5H30V15"/>',
            [[[10, 5], [20, 5]]],
        ),
        (
            '<clipPath id="d"><rect width="5" height="9"/></clipPath>'
            + CLIP.format('clip-path="url(#d)"', '<rect x="2" width="9" height="9"/>')
            + '<path clip-path="url(#c)" d="M0 5H10"/>',
            [[[2, 5], [5, 5]]],
        ),
        ('<path clip-path="url(#none)" d="M0 5H10"/>', [[[0, 5], [10, 5]]]),
        ('<svg width="5" height="9"><path d="M0 5H10"/></svg>', [[[0, 5], [5, 5]]]),
        ('<svg width="5" height="9" overflow="visible"><path d="M0 5H10"/></svg>', [[[0, 5], [10, 5]]]),
        (
            '<path style="transform:translate(1px,2px)" transform="scale(9)" d="M0 5H10"/>',
            [[[1, 7], [11, 7]]],
        ),
        ('<path style="rotate:90deg;transform-origin:5px 5px" d="M0 5H10"/>', [[[5, 0], [5, 10]]]),
        (
            '<path style="transform:scale(2);transform-box:fill-box;transform-origin:50%" d="M10 10h10v10"/>',
            [[[5, 5], [25, 5], [25, 25]]],
        ),
        (
            '<switch><path systemLanguage="xx" d="M0 1H5"/><path d="M0 2H5"/><path d="M0 3H5"/></switch>',
            [[[0, 2], [5, 2]]],
        ),
        (
            '<style>.k path{stroke:none}</style><g class="k"><path id="p" d="M0 5H5"/></g><use href="#p"/>',
            [[[0, 5], [5, 5]]],
        ),
        ('<style>path{d:path("M1 1h5")}</style><path d="M0 0h3"/>', [[[1, 1], [6, 1]]]),
        (
            '<g style="font:bold 4px/2 serif"><line x1="1em" x2="2em" y2="1rem"/><path font-size="50%" '
            'style="transform:translate(3em)" d="M1 1h5"/></g>',
            [[[4, 0], [8, 16]], [[7, 1], [12, 1]]],
        ),
        ('<path stroke-dasharray="30 70" d="M0 5H99"/>', [[[0, 5], [30, 5]]]),
        (
            '<path pathLength="4" stroke-dasharray="1 3" stroke-dashoffset="-2" d="M0 5H8"/>',
            [[[4, 5], [6, 5]]],
        ),
        ('<path stroke-dasharray="2 3" d="M0 5H99"/>', [[[0, 5], [99, 5]]]),
        (
            '<path stroke-dasharray="99 99" stroke-dashoffset="99" d="M0 5H9"/><path d="M0 6H9"/>',
            [[[0, 6], [9, 6]]],
        ),
        (
            '<path stroke-dasharray="9" stroke-dashoffset="9" style="animation:a 1s" d="M0 5H9"/>',
            [[[0, 5], [9, 5]]],
        ),
        ('<symbol id="s" x="5" y="2"><path d="M0 0H9"/></symbol><use href="#s"/>', [[[5, 2], [14, 2]]]),
        ('<path style="transform:translate3d(5px,2px,0)" d="M0 0H9"/>', [[[5, 2], [14, 2]]]),
        (
            '<linearGradient id="g"/><path fill="none" stroke="url(#g)" d="M0 0L9 9"/><path d="M0 6H9"/>',
            [[[0, 6], [9, 6]]],
        ),
    ],
)
def test_clips_and_styles(body, expected):
    found = [np.round(stroke, 9).tolist() for stroke in lists(svg(body))]
    assert found == expected


def test_strokes_beyond_the_page():
    across = '<path d="M-50 50H50"/>'
    assert lists(svg(across + '<path d="M-50 5v9"/>')) == [[[-50, 50], [50, 50]]]
    assert len(lists(svg('<path d="M-50 5v9"/>', 'viewBox="0 0 9 9" data-sketchgen="whole"'))) == 1


@pytest.mark.parametrize(
    ("body", "fault", "left"),
    [
        ('<path d="M1 1L5 5 L 9 foo"/>', "the path 'M1 1L5 5 L 9 foo' is drawn up to", 1),
        ('<polyline points="1,1 2,2 x"/>', "'x' stands where numbers should", 0),
        ('<circle r="x"/>', "'x' is not a length", 0),
        ('<rect x="x" width="5" height="5"/>', "'x' is not a length", 1),
        ('<path transform="rotate(" d="M1 1h5"/>', "the transform 'rotate\\(' cannot be read", 1),
        ('<path clip-path="blob(9)" d="M1 1h5"/>', "the clip-path 'blob\\(9\\)'", 1),
        ('<svg viewBox="1 2 3"><path d="M1 1h5"/></svg>', "the viewBox '1 2 3'", 0),
    ],
)
def test_a_broken_element_is_a_warning(body, fault, left):
    text = svg(body + '<path d="M5 50h9"/>')
    with pytest.warns(FormatWarning, match=f"x.svg: {fault}"):
        sketch = parse_svg(text, "x.svg")
    assert len(sketch.strokes) == left + 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", FormatWarning)
        with pytest.raises(FormatError, match=fault):
            parse_svg(text, "x.svg")


def test_what_is_drawn_as_two_is_read_as_one():
    brush = '<path d="M0 9Q50 0 99 9 99 11 99 12 50 3 0 11z"/>'
    double = '<path stroke="red" fill="none" d="M5 50C30 52 60 49 90 50M5 51C30 49 60 52 91 51"/>'
    with pytest.warns(FormatNote, match="2 lines that are drawn as two"):
        single = parse_svg(svg(brush + double, ink=""))
    assert len(single.strokes) == 2
    assert np.abs(np.diff(single.strokes[0][[0, -1], 0])) > 90
    token = AS_DRAWN.set(True)
    try:
        assert len(lists(svg(brush + double, ink=""))) == 3
    finally:
        AS_DRAWN.reset(token)


LAYERS = (
    '<g inkscape:groupmode="layer" inkscape:label="2 red" stroke="red"><path d="M1 1h5"/></g>'
    '<g inkscape:groupmode="layer" inkscape:label="5 blue"><path d="M1 2h5" stroke="#00F"/>'
    '<path d="M1 3h5" stroke="lime"/></g><path d="M1 4h5"/>'
)


def test_the_sheet_of_a_file():
    sheet = parse_svg(svg(LAYERS, 'width="210mm" height="297mm" viewBox="0 0 210 297"')).sheet
    assert sheet is not None
    assert (sheet.size, sheet.pen) == (("210mm", "297mm"), 1)
    expected = (
        Layer("2 red", ("#ff0000",)),
        Layer("5 blue", ("#0000ff", "#00ff00")),
        Layer(None, ("#000000",)),
    )
    assert sheet.layers == expected
    assert parse_svg(svg('<path d="M1 1h5"/>', 'width="210" height="297px"')).sheet is None
    pixels = parse_svg(svg(LAYERS)).sheet
    assert pixels is not None
    assert pixels.size is None


def test_pages():
    body = '<polyline points="1,2 3,4"/>'
    assert parse_svg(svg(body, 'viewBox="-5 -6.5 10 20" width="100mm" height="7"')).page == Box(
        -5, -6.5, 10, 20
    )
    assert parse_svg(svg(body, 'width="1in" height="48px"')).page == Box(0, 0, 96, 48)
    assert parse_svg(svg(body, 'width="100%" height="48px"')).page is None
    assert lists(svg(body, 'viewBox="-5 -5 10 20" width="100mm" height="7"')) == [[[1, 2], [3, 4]]]


def test_other_encodings_and_prefixes():
    head = '<?xml version="1.0" encoding="UTF-16"?>'
    text = head + '<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:path stroke="red" d="M0,0h9"/></s:svg>'
    assert lists(text.encode("utf-16")) == [[[0, 0], [9, 0]]]
    assert lists("\ufeff" + svg('<path d="M0,0h9"/>')) == [[[0, 0], [9, 0]]]
    assert lists("<svg><path d='M0,0h9' stroke='red'/></svg>") == [[[0, 0], [9, 0]]]


W3C = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
REFUSED = "declares entities or a DTD of its own in its DOCTYPE, which is refused; save it without$"


@pytest.mark.parametrize("doctype", [W3C, "<!DOCTYPE svg>", '<!DOCTYPE svg SYSTEM "file:///etc/passwd">'])
def test_a_doctype_that_only_names_a_dtd_is_passed_over(doctype, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("reached out")

    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{doctype}\n' + svg('<path d="M0,0h9"/>')
    with monkeypatch.context() as patch:
        patch.setattr("socket.socket", refuse)
        patch.setattr("builtins.open", refuse)
        sketch = parse_svg(text.encode())
    assert [stroke.tolist() for stroke in sketch.strokes] == [[[0, 0], [9, 0]]]
    assert lists(text) == [[[0, 0], [9, 0]]]


BOMB = '<!DOCTYPE svg [<!ENTITY a "aaaa">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
)
USES = '<defs><g id="a0"><path d="M0,0h5"/></g>' + "".join(
    f'<g id="a{i}">' + f'<use href="#a{i - 1}"/>' * 10 + "</g>" for i in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.svg is empty"),
        (b" \n", "is empty"),
        ("hello", "x.svg is not SVG"),
        ("<html></html>", "root element is <html>"),
        (b"\xff\xfe\x00\x01", "is not SVG"),
        (svg("<path"), "is not SVG"),
        ('<!DOCTYPE svg [<!ENTITY x "a">]>' + svg("<text>&x;</text>"), REFUSED),
        ('<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + svg("<text>&x;</text>"), REFUSED),
        (W3C[:-1] + ' [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>' + svg("<text>&x;</text>"), REFUSED),
        ('<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]>' + svg(""), REFUSED),
        ("<!DOCTYPE svg [<!ENTITY % x \"<!ENTITY y 'a'>\"> %x;]>" + svg("<text>&y;</text>"), REFUSED),
        ('<!DOCTYPE svg [<!ATTLIST path d CDATA "M0,0h5">]>' + svg("<path/>"), REFUSED),
        (BOMB + "]>" + svg("<text>&j;</text>"), REFUSED),
        (W3C + svg("<text>&nbsp;</text>"), "undefined entity"),
        (svg("<text>cat</text>"), "no strokes to read, only text"),
        (svg('<image href="http://x/y.png"/>'), "only image"),
        (svg('<use href="#nothing"/>'), "not in the file"),
        (svg('<path d="M0,0L1"/>'), "path 'M0,0L1' is drawn up to 'L1'"),
        (svg('<path d="M0,0LNaN,1"/>'), "cannot be read"),
        (svg('<polyline points="NaN,3"/>'), "'NaN,3' stands where numbers should"),
        (svg('<circle r="abc"/>'), "'abc' is not a length"),
        (svg("", 'viewBox="0 0 0 5"'), "viewBox"),
        (svg("<g>" * 100 + "</g>" * 100), "nested"),
        (svg('<g id="a"><use href="#a"/></g>'), "nested or used"),
        (svg(USES + '</defs><use href="#a11"/>'), "more than 10000 elements"),
        (svg("<!--" + " " * (32 * 2**20) + "-->"), "larger than 32 MB"),
    ],
)
def test_bad_files(text, message):
    begun = time.process_time()
    with pytest.raises(FormatError, match=message) as caught:
        parse_svg(text, "x.svg")
    assert "x.svg" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.process_time() - begun < 30


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<polyline points="1e308,2 3,4"/>', "beyond 1e\\+09"),
        ('<polyline points="' + "1,2 " * 1_000_000 + '"/>', "more than 200000 points"),
        ('<path d="M0,0' + "L1,2" * 1_000_000 + '"/>', "too long"),
        (
            '<g transform="scale(1e8)"><path d="M0,0' + "c10,20 30,40 50,60" * 5_000 + '"/></g>',
            "more than 200000",
        ),
    ],
)
def test_too_much(body, message):
    begun = time.process_time()
    with pytest.raises(SketchgenError, match=message):
        parse_svg(svg(body))
    assert time.process_time() - begun < 30


CLIPPED = (
    '<clipPath id="c"><circle r="{0}"/></clipPath><g clip-path="url(#c)"><path d="M0 0L{0} {0}L9 {0}"/></g>'
)


@pytest.mark.filterwarnings("ignore::sketchgen.errors.FormatWarning", "error::RuntimeWarning")
@pytest.mark.parametrize("number", ["1e300", "-1e308", "1e200", "1e155", "1e-300", "1e-320"])
@pytest.mark.parametrize(
    "body",
    [
        CLIPPED,
        '<g transform="scale({0})"><path transform="rotate(30 {0} 1) scale({0} 2)" d="M1 2L3 4"/></g>',
        '<path d="M0 0C{0} 1 2 {0} 3 3A{0} 2 0 1 0 5 5"/>',
        '<path fill="#000" stroke="none" d="M0 0 L {0} 1 L {0} 2 L 0 1 L 0 {0} Z"/>',
        '<svg x="{0}" width="{0}" height="5" viewBox="0 0 {0} 1"><rect width="{0}" height="3"/></svg>',
    ],
)
def test_numbers_that_overflow_are_no_error_of_arithmetic(body, number):
    with contextlib.suppress(SketchgenError):
        assert np.isfinite(parse_svg(svg(body.format(number))).points).all()


pieces = st.sampled_from(
    [
        *"MLHVCSQTAZmlhvcsqtaz ,-.",
        *["0", "1", "-7.5", "1e9", "1e400", "nan", "%", "mm", "rotate(", "5)", "matrix(1"],
    ]
)
junk = st.lists(pieces, max_size=12).map("".join) | st.text("0123456789.eE+-, MLCAz", max_size=20)


@pytest.mark.filterwarnings("ignore::sketchgen.errors.FormatWarning")
@settings(deadline=None, max_examples=250)
@given(junk, junk, junk)
@example("M0 0A0 0 0 0 0 0 0", "1,", "")
@example("M0 0A1e-320 1 0 0 0 5 5", "1e-5", "scale(0)")
def test_junk_gives_a_drawing_or_an_error_of_ours(d, other, transform):
    body = (
        f'<g transform="{transform}"><path d="{d}"/></g><polygon points="{other}"/>'
        f'<rect width="{other}" height="9" rx="{d}"/><circle r="{other}" cx="{transform}"/>'
    )
    for attributes in ('viewBox="0 0 100 100"', f'viewBox="{other}"', f'width="{other}" height="{d}"'):
        # Whatever else is raised fails the test.
        with contextlib.suppress(SketchgenError):
            assert np.isfinite(parse_svg(svg(body, attributes)).points).all()


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ("circle(20px at 30px 40px)", (10, 20, 50, 60)),
        ("circle(10% at left 50px top 50px)", None),
        ("circle()", (0, 0, 100, 100)),
        ("ellipse(20px farthest-side at 40px 50%)", (20, 0, 60, 100)),
        ("inset(10px 20% 30px)", (20, 10, 80, 70)),
        ("INSET(10px round 5px)", (10, 10, 90, 90)),
        ("polygon(nonzero, 10% 10px, 90px 10px, 50% 90px)", (10, 10, 90, 90)),
        ("path(evenodd, 'M10 20H80V70H10z')", (10, 20, 80, 70)),
        ("inset(10px) fill-box", (10, 10, 90, 90)),
        ("blob(10px)", None),
        ("polygon(10 x)", None),
    ],
)
def test_shapes_of_css_clip(shape, box):
    hatches = "".join(f"M{at} 0V100M0 {at}H100" for at in range(0, 101, 5))
    text = svg(f'<path style="clip-path:{shape}" d="{hatches}"/>', ink='stroke="black" stroke-width="1e-9"')
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        points = np.concatenate(parse_svg(text).strokes)
    assert bool(told) == (box is None)
    expected = [*(box or (0, 0, 100, 100))]
    np.testing.assert_allclose([*points.min(axis=0), *points.max(axis=0)], expected, atol=5.01)


@pytest.mark.parametrize("data", ["M10 10H90V90", "M10 10H90V90m0 0", "M10 10H90V90z"])
def test_a_fill_ends_where_it_begins(data):
    found = lists(svg(f'<path d="{data}" fill="red" stroke="none"/>'))
    assert found[0] == [[10, 10], [90, 10], [90, 90], [10, 10]]


def test_what_is_left_out_is_told():
    line = '<path marker-end="url(#m)" mask="none" d="M0,0h9"/>'
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        parse_svg(svg(f'<text>a</text><image/><g mask="url(#n)">{line}</g><mask id="n"/>{line}'), "a.svg")
    words = ["left out: image, text", "mask is left out", "marker-end is left out"]
    assert sorted(str(each.message) for each in told) == sorted(f"a.svg: {each}" for each in words)


@pytest.mark.parametrize(
    "body",
    [
        '<path d="M0 0h1"/>' * 200,
        '<path d="M0 0' + "h1" * 2_000 + '"/>',
        '<path d="M0 0h1" transform="' + "rotate(1)" * 999 + '"/>',
        '<path fill="none" d="' + "M1 2l3 4 5 6" * 200 + '"/>',
        f'<path fill="red" stroke="none" d="M0 0{"h9 " * 20}v5{"h-9 " * 20}z"/>' * 12,
        "<svg>" * 30 + '<path d="M0 0h1"/>' * 30 + "</svg>" * 30,
        '<path d="M0 0' + "a1 1 0 0 0 2 2" * 400 + '"/>',
        "<style>path{"
        + "".join(f"--a{at}:1;" for at in range(400))
        + "}</style>"
        + '<path d="M0 0h1"/>' * 90,
        # Few segments, but as many places to test as edges.
        f'<clipPath id="c"><path d="M0 0{"l1 9l1-9" * 300}z"/></clipPath>'
        '<g clip-path="url(#c)"><path d="M0 5h9000"/><path d="M0 4h9000"/></g>',
        '<g clip-path="circle(5px)">' + '<path d="M0 0h9"/>' * 40 + "</g>",
        '<g style="transform-box:fill-box;transform-origin:1px 1px">' * 50
        + '<path d="M0 0h1"/>' * 9
        + "</g>" * 50,
        "".join(f'<path d="M0 0h1" stroke="hsl({hue} 9% 9%)"/>' for hue in range(90)),
        "".join(f'<path d="M0 0h1" style="fill:none;{"a:b;" * 90}x:{at}"/>' for at in range(60)),
        '<g style="' + "".join(f"--a{at}:1;" for at in range(400)) + '">' + "<g/>" * 200 + "</g>",
    ],
)
def test_costly_work_is_counted_before_it_takes_long(body, monkeypatch):
    monkeypatch.setattr(svg_css, "MAX_WORK", 3_000)
    with pytest.raises(FormatError, match="too long to read"):
        parse_svg(svg(body))
    parse_svg(svg('<path d="M0 0h1"/>' * 20))
