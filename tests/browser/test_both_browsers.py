"""What matters most, in Chromium and in Firefox: draw, guess, finish, keep, undo, reload, save, share."""

from __future__ import annotations

from typing import Any

import pytest
from paper import Canvas


@pytest.mark.parametrize("kind", ["browser", "firefox"])
def test_a_drawing_from_the_first_line_to_the_file(request: Any, server: Any, kind: str) -> None:
    context = request.getfixturevalue(kind).new_context(viewport={"width": 1280, "height": 800})
    canvas = Canvas(context.new_page(), server.url)
    canvas.tell("Sketchgen.settings.best_of = 1")
    canvas.draw((400, 240), (360, 320), (280, 320), (240, 240), (280, 160), (360, 160), (400, 240))
    canvas.wait("document.querySelector('#sg-chips .chip[data-category]:not([hidden])')")
    canvas.finish()
    canvas.suggestions.first.click()
    kept = canvas.strokes
    assert len(kept) > 1
    assert canvas.added == [False, *[True] * (len(kept) - 1)]
    canvas.page.keyboard.press("Control+z")
    assert len(canvas.strokes) == 1
    canvas.page.keyboard.press("Control+y")
    assert canvas.strokes == kept
    canvas.open()
    assert canvas.strokes == kept
    # What would be downloaded, read where it is: drivers tell of downloads differently.
    canvas.tell(
        "() => { Sketchgen.download = async (blob, name) => (window.saved = [name, await blob.text()]); }"
    )
    canvas.choose("save", "svg")
    canvas.wait("window.saved")
    name, text = canvas.tell("window.saved")
    assert name == "drawing.svg"
    assert text.startswith("<svg")
    canvas.show("generate")
    canvas.page.locator("#sg-generate .take").first.click()
    canvas.wait("Sketchgen.viewed === 'draw' && Sketchgen.sketch.strokes.every((stroke) => stroke.added)")
    canvas.page.go_back()
    canvas.wait("Sketchgen.viewed === 'generate'")
    context.close()
    assert not canvas.errors
