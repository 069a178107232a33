"""A drawing that draws itself, seen moving in a real browser."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sketchgen.formats.animation import to_animated_svg
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
    try:
        page.goto(path.as_uri())
        seen, began = [], time.monotonic()
        # Two seconds and a half to draw, one and a half to stand: two rounds.
        while time.monotonic() - began < 8.0:
            seen.append(ink(page))
            time.sleep(0.1)
        most = max(coloured for _, coloured in seen)
        assert most > 1000
        assert min(black for black, _ in seen) > 300  # What was given stands all the time.
        shares = [coloured / most for _, coloured in seen]
        assert any(share < 0.3 for share in shares)
        assert any(0.3 < share < 0.9 for share in shares)
        # Whole, begun anew, and whole again.
        whole = [at for at, share in enumerate(shares) if share > 0.98]
        assert any(shares[at] < 0.5 for at in range(whole[0], whole[-1]))
    finally:
        page.close()


def test_who_wants_no_motion_sees_it_whole(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "still.svg"
    path.write_text(to_animated_svg(Completion(GIVEN, ADDED), speed=SLOW))
    context = browser.new_context(viewport={"width": 600, "height": 600}, reduced_motion="reduce")
    try:
        page = context.new_page()
        page.goto(path.as_uri())
        first = ink(page)
        time.sleep(0.7)
        assert ink(page) == first
        assert first[1] > 1000
    finally:
        context.close()
