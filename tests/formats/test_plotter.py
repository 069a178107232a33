"""What is said of a plotter's page is what vpype finds in it, and vpype reads whatever SVG is written."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import vpype

from sketchgen.errors import SettingError
from sketchgen.formats.page import Page
from sketchgen.formats.plotter import plot_pages
from sketchgen.formats.read_write import read_all
from sketchgen.formats.registry import encode, encode_many
from sketchgen.formats.render_options import RenderOptions
from sketchgen.formats.svg_reader import parse_svg
from sketchgen.formats.svg_writer import Style
from sketchgen.sketch.sketch import Completion, Layer, Sheet, Sketch

MM = 25.4 / 96
NEAR = 1e-4
"""vpype's px are 3.7795 to the mm, a millionth off."""


def seen(svg, quantum=0.1):
    """The document that vpype reads."""
    return vpype.read_multilayer_svg(io.StringIO(svg), quantum, crop=False)


def finished():
    first = Sketch.from_strokes(
        [[(0, 0), (50, 0), (50, 50)], [(10, 80)]], page=(0, 0, 100, 100), category="cat"
    )
    second = Sketch.from_strokes([[(50, 50), (0, 50)], [(90, 90), (0, 50)]], page=(0, 0, 100, 100))
    return Completion(first, second)


@pytest.fixture(scope="module")
def drawings(sample_dir):
    paths = sorted(sample_dir.glob("*.ndjson"))
    return [sketch for path in paths for sketch in itertools.islice(read_all(path), 2)]


def test_vpype_finds_what_we_say(drawings):
    page = Page.parse("a3 landscape", "15mm")
    items = [finished(), *drawings]
    (plot,) = plot_pages(items, page, pen=0.5)
    document = seen(plot)
    assert np.array(document.page_size) * MM == pytest.approx((420, 297), rel=NEAR)
    assert [layer.metadata["vp_name"] for layer in document.layers.values()] == ["1 given", "2 added"]
    assert list(document.layers) == [1, 2]
    for layer, colour in zip(document.layers.values(), ("#111111", "#2563eb"), strict=True):
        assert layer.metadata["vp_pen_width"] * MM == pytest.approx(0.5, rel=NEAR)
        assert layer.metadata["vp_color"].as_hex() == colour
    x0, y0, x1, y1 = (side * MM for side in document.bounds() or ())
    assert min(x0, y0) >= 15 - 0.01
    assert (x1, y1) <= (405.01, 282.01)


def test_order_shortens_the_travel(drawings):
    (plot,), (plain,) = plot_pages(drawings), plot_pages(drawings, ordered=False)
    assert seen(plot).pen_up_length() < 0.6 * seen(plain).pen_up_length()


def test_order_and_joints_change_no_point(drawings):
    (plot,), (plain,) = plot_pages(drawings), plot_pages(drawings, ordered=False)
    points = [
        sorted({tuple(row) for stroke in parse_svg(one).strokes for row in stroke.tolist()})
        for one in (plot, plain)
    ]
    assert points[0] == points[1]
    assert len(points[0]) > 500


def test_layers_as_inkscape_has_them():
    (plot,) = plot_pages([finished()])
    root = ElementTree.fromstring(plot)
    space = "{http://www.inkscape.org/namespaces/inkscape}"
    layers = root.findall("{http://www.w3.org/2000/svg}g")
    assert [layer.get(f"{space}groupmode") for layer in layers] == ["layer", "layer"]
    assert [layer.get(f"{space}label") for layer in layers] == ["1 given", "2 added"]
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("210mm", "297mm", "0 0 210 297")
    assert "rect" not in plot
    (alone,) = plot_pages([finished().given])
    assert 'label="1 drawing"' in alone
    assert parse_svg(alone).category == "cat"


def test_layers_of_the_file_that_is_completed():
    done = finished()
    layers = Layer("2 red", ("#ff0000",)), Layer("5 blue", ("#0000ff",))
    done = replace(done, given=replace(done.given, sheet=Sheet(("210mm", "297mm"), layers, 0.5)))
    (plot,) = plot_pages([done])
    document = seen(plot)
    assert list(document.layers) == [2, 5, 6]
    assert [layer.metadata["vp_name"] for layer in document.layers.values()] == ["2 red", "5 blue", "6 added"]
    colours = [layer.metadata["vp_color"].as_hex() for layer in document.layers.values()]
    assert colours == ["#ff0000", "#0000ff", "#2563eb"]
    (navy,) = plot_pages([done], style=Style(given_colour="navy"))
    assert 'stroke="navy"' in navy
    assert "#ff0000" not in navy


def test_ends_are_joined_within_a_layer_only():
    (plot,) = plot_pages([finished()])
    document = seen(plot)
    assert [len(layer) for layer in document.layers.values()] == [2, 1]


def test_a_drawing_with_paper_of_its_own_keeps_size_and_place():
    done = finished()
    done = replace(done, given=replace(done.given, sheet=Sheet(("8in", "20cm"))))
    plot = encode(done, RenderOptions("plot")).decode()
    assert 'viewBox="0 0 203.2 200"' in plot
    assert max(stroke.max() for stroke in parse_svg(plot).strokes) > 180
    root = ElementTree.fromstring(encode(done, RenderOptions("plot", page="A4")).decode())
    assert root.get("width") == "210mm"
    with_margin = parse_svg(encode(done, RenderOptions("plot", margin="30mm")).decode())
    assert min(stroke.min() for stroke in with_margin.strokes) >= 30


def test_a_dot_is_put_down():
    (plot,) = plot_pages([Sketch.from_strokes([[(5, 5)]])])
    (line,) = seen(plot).layers[1]
    assert len(line) == 2
    assert line[0] == line[1]
    assert line[0] * MM == pytest.approx(105 + 148.5j, rel=NEAR)


def test_a_drawing_stands_where_it_stood_on_its_page():
    page = Page(120, 120, 10)
    (plot,) = plot_pages([finished()], page, ordered=False)
    assert parse_svg(plot).strokes[0].tolist() == [[10, 10], [60, 10], [60, 60]]
    (cropped,) = plot_pages([finished()], page, ordered=False, crop=True)
    assert parse_svg(cropped).bounds == pytest.approx((10, 10, 100, 100))
    beyond = Sketch.from_strokes([[(0, 0), (200, 100)]], page=(0, 0, 100, 100))
    (wide,) = plot_pages([beyond], page)
    bounds = parse_svg(wide).bounds
    assert bounds is not None
    assert (bounds.x, bounds.width) == pytest.approx((10, 100))


def test_many_drawings_take_several_pages(drawings):
    plots = list(plot_pages(drawings, Page(), columns=3))
    plain = list(plot_pages(drawings, Page(), columns=3, ordered=False))
    strokes = [len(sketch.strokes) for sketch in drawings]
    assert [len(parse_svg(page).strokes) for page in plain] == [
        sum(strokes[:12]),
        sum(strokes[12:24]),
        sum(strokes[24:]),
    ]
    assert len(plots) == 3
    (empty,) = plot_pages([])
    assert parse_svg(empty).is_empty


def test_smooth_lines_hold_their_points():
    wave = Sketch.from_strokes(
        [[(0, 30), (10, 12), (30, 0), (50, 12), (60, 30)], [(0, 50), (30, 60), (60, 50)]]
    )
    (straight,) = plot_pages([wave], ordered=False)
    (smooth,) = plot_pages([wave], ordered=False, style=Style(smooth="on"))
    for coarse, fine in zip(parse_svg(straight).strokes, parse_svg(smooth).strokes, strict=True):
        assert {tuple(row) for row in coarse.tolist()} <= {tuple(row) for row in fine.tolist()}
        assert len(fine) >= len(coarse)
    assert seen(smooth).length() > seen(straight).length()


@pytest.mark.parametrize("form", ["svg", "animated", "plot"])
@pytest.mark.parametrize(
    "style", [{}, {"smooth": "on"}, {"pressure": 1}, {"smooth": "on", "pressure": 0.5, "background": "none"}]
)
def test_vpype_reads_every_svg(form, style):
    item = finished()
    svg = encode(item, RenderOptions(form, **style)).decode()
    layers = seen(svg).layers
    assert len(layers) >= 2
    ends = {
        complex(round(z.real, 2), round(z.imag, 2))
        for layer in layers.values()
        for line in layer
        for z in line
    }
    if form != "plot":
        for stroke in item.whole.strokes:
            if len(stroke) > 1:
                assert {complex(*(stroke[at] * 5.12).round(2)) for at in (0, -1)} <= ends


def test_vpype_reads_sheets(drawings):
    for svg in (
        encode_many(drawings[:3], RenderOptions("svg"))[0].decode(),
        encode_many(drawings[:3], RenderOptions("poster"))[0].decode(),
        encode_many(drawings[:3], RenderOptions("poster", labels=True))[0].decode(),
    ):
        lines = sum(len(layer) for layer in seen(svg).layers.values())
        assert lines >= sum(len(sketch.strokes) for sketch in drawings[:3])


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ({"pen": 0}, "the pen is 0 mm wide; it must be above 0"),
        ({"pen": 500}, "at most 190 mm"),
        ({"pen": float("nan")}, "the pen is nan"),
        ({"columns": 0}, "0 columns"),
    ],
)
def test_bad_plans(plan, words):
    with pytest.raises(SettingError, match=words):
        plot_pages([Sketch()], **plan)
