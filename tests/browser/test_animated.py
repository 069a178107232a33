"""A drawing that draws itself, seen moving in a real browser."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sketchgen.formats.animation import HOLD, timeline, to_animated_svg
from sketchgen.formats.svg_writer import Style
from sketchgen.sketch.sketch import Completion, Sketch

GIVEN = Sketch.from_strokes([[(10, 10), (240, 10)]], page=(0, 0, 255, 255))
ADDED = Sketch.from_strokes([[(20, 60), (230, 60)], [(20, 120), (230, 120)], [(20, 200), (230, 200)]])
SLOW = 300.0


def ink(page: Any) -> tuple[int, int]:
    """How many px are black, and how many are coloured, in a picture of the page."""
    picture = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)
    dark = picture.sum(-1) < 600
    coloured = dark & (picture.max(-1) - picture.min(-1) > 60)
    return int((dark & ~coloured).sum()), int(coloured.sum())


def test_it_draws_itself_over_and_over(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "moving.svg"
    path.write_text(to_animated_svg(Completion(GIVEN, ADDED), speed=SLOW))
    page = browser.new_page(viewport={"width": 600, "height": 600})
    page.goto(path.as_uri())
    assert page.evaluate("document.getAnimations().map((each) => each.playState)") == ["running"] * 3

    def ink_at(seconds: float) -> tuple[int, int]:
        page.evaluate(
            "(at) => document.getAnimations().forEach((each) => { each.pause(); each.currentTime = at; })",
            1000 * seconds,
        )
        return ink(page)

    end = timeline(Completion(GIVEN, ADDED), Style(), SLOW)[-1].end
    seen = [ink_at(share * end) for share in (0.0, 0.1, 0.5, 0.9, 1.0)]
    # Whole while it stands, and begun anew.
    assert ink_at(end + 0.9 * HOLD) == seen[-1]
    assert ink_at(end + HOLD + 0.1 * end) == pytest.approx(seen[1], rel=0.02)
    page.close()
    black, coloured = zip(*seen, strict=True)
    assert min(black) > 300  # What was given stands all the time.
    assert coloured[-1] > 1000
    shares = [each / coloured[-1] for each in coloured]
    assert shares == sorted(shares)
    assert shares[0] < 0.02 < shares[1] < 0.3 < shares[2] < 0.7 < shares[3] < 0.98


def test_who_wants_no_motion_sees_it_whole(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "still.svg"
    path.write_text(to_animated_svg(Completion(GIVEN, ADDED), speed=SLOW))
    page = browser.new_page(viewport={"width": 600, "height": 600}, reduced_motion="reduce")
    page.goto(path.as_uri())
    assert page.evaluate("document.getAnimations().length") == 0
    assert ink(page)[1] > 1000
    page.close()
