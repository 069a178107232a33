"""Curves as the page draws them are those of the files that it saves; no server is needed for that."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sketchgen import example
from sketchgen.formats.curves import control_points
from sketchgen.formats.read_write import read
from sketchgen.formats.svg_writer import Style, curve_px
from sketchgen.sketch.sketch import Sketch
from sketchgen.web.exchange import PAGE, exported, on_page

TURN = np.linspace(0, 2 * np.pi, 10)
ROUND = np.column_stack([320 + 90 * np.cos(TURN), 240 + 90 * np.sin(TURN)]).tolist()
HOUSE = [[100, 400], [100, 250], [180, 170], [260, 250], [260, 400], [100, 400]]


def lines() -> list[np.ndarray]:
    """Lines of every kind: of drawings, at random, closed, with points that coincide."""
    found = [*on_page(read(example("face"))).strokes, *on_page(read(example("half-a-cat"))).strokes]
    found += [np.array(ROUND), np.array([*ROUND[:-1], ROUND[0]]), np.array(HOUSE, dtype=float)]
    generator = np.random.default_rng(2)
    for index in range(60):
        points = np.cumsum(generator.normal(size=(2 + index % 11, 2)) * generator.choice([2, 10, 60]), axis=0)
        points = np.rint(points) if index % 3 == 0 else points
        points = np.concatenate([points, points[:1]]) if index % 4 == 0 else points
        found.append(np.repeat(points, 2, axis=0) if index % 5 == 0 else points)
    return found


@pytest.fixture
def pad(visit: Callable[..., Any]) -> Any:
    """The app without a server, whose paper is as large as the page."""
    paper = visit(viewport={"width": 1000, "height": 700})
    paper.page.add_style_tag(content="#sg-paper > canvas { width: 640px; height: 480px }")
    paper.tell("Sketchgen.pad.look((view) => view.fit())")
    return paper.page


def ink(pad: Any) -> np.ndarray:
    """How much ink there is at each pixel of the paper, from 0 to 1."""
    url = pad.evaluate("(Sketchgen.pad.draw(), Sketchgen.pad.canvas.toDataURL())")
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as picture:
        assert picture.size == (640, 480)
        return np.asarray(picture)[..., 3] / 255


def saved_ink(payload: Any, smooth: bool) -> np.ndarray:
    with Image.open(io.BytesIO(exported(payload, "png", smooth)[2])) as picture:
        colours = np.asarray(picture.convert("RGB").resize((640, 480))) / 255
    # The darkest that blue ink has is its red.
    return 1 - colours.min(axis=2)


def test_the_script_has_the_curves_of_the_files(pad: Any) -> None:
    px = curve_px(Sketch.from_strokes(lines(), page=PAGE), Style(smooth="on"))
    found = pad.evaluate("lists => lists.map(Sketchgen.controlPoints)", [line.tolist() for line in lines()])
    for line, controls in zip(lines(), found, strict=True):
        assert np.array(controls) == pytest.approx(control_points(line, px), abs=1e-9)


def test_a_line_that_grows_has_new_curves(pad: Any) -> None:
    script = """points => { const grown = points.slice(0, 4); Sketchgen.controlPoints(grown);
        grown.push(...points.slice(4)); return Sketchgen.controlPoints(grown); }"""
    assert pad.evaluate(script, ROUND) == pad.evaluate("points => Sketchgen.controlPoints(points)", ROUND)


def test_what_is_seen_is_what_is_saved(pad: Any) -> None:
    strokes = [{"points": ROUND, "added": True}, {"points": HOUSE, "added": False}]
    pad.evaluate("strokes => Sketchgen.sketch.load(strokes)", strokes)
    half_way = np.radians(20)
    x, y = round(320 + 90 * np.cos(half_way)), round(240 + 90 * np.sin(half_way))
    for smooth in (True, False):
        assert pad.evaluate("Sketchgen.smooth()") == smooth
        seen, payload = ink(pad), pad.evaluate("Sketchgen.sketch.payload()")
        apart = [np.abs(saved_ink(payload, each) - seen).mean() for each in (smooth, not smooth)]
        assert apart[0] < 0.4 * apart[1]
        # Between two points of the circle, on it; and the corners of the house.
        assert (seen[y, x] > 0.4) == smooth
        assert all(seen[corner_y, corner_x] > 0.4 for corner_x, corner_y in HOUSE)
        pad.evaluate("document.querySelector('[data-option=smooth]').click()")
    # Twice clicked, it is as it was; once more, and it is kept.
    assert pad.evaluate("Sketchgen.smooth()")
    pad.evaluate("document.querySelector('[data-option=smooth]').click()")
    pad.reload()
    assert not pad.evaluate("document.querySelector('[data-option=smooth]').checked")
    assert not pad.evaluate("Sketchgen.smooth()")


def test_a_growing_line_is_revealed_along_its_curve(pad: Any) -> None:
    pad.evaluate("strokes => Sketchgen.sketch.load(strokes)", [{"points": ROUND, "added": True}])
    whole, before = ink(pad), 0.0
    for up_to in (0, 1.3, 2.5, 5, 8.99):
        pad.evaluate(
            "upTo => { Sketchgen.sketch.strokes = [{ ...Sketchgen.sketch.strokes[0], upTo }]; }", up_to
        )
        part = ink(pad)
        assert before < part.sum() < whole.sum() + 1
        before = part.sum()
        # Nothing is drawn that the whole line does not cover, but for the rounding of its edge.
        assert ((part > 0.6) & (whole < 0.2)).sum() == 0
