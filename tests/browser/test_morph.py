"""Morph: what the page asks of the server, and the strokes between its drawings."""

from __future__ import annotations

from typing import Any

import pytest

SQUARE = [[[0, 0], [90, 0], [90, 90]], [[10, 10]]]
MOVED = [[[30, 0], [120, 0], [120, 90]]]


def test_a_tween_moves_what_is_near_and_fades_the_rest(paper: Any) -> None:
    script = "([first, last, share]) => Sketchgen.tween(first, last, 200)(share)"
    for share, drawing in ((0, SQUARE), (1, MOVED)):
        found = paper.tell(script, [SQUARE, MOVED, share])
        assert found == [{"points": points, "alpha": 1} for points in drawing]
    moving, going = paper.tell(script, [SQUARE, MOVED, 0.5])
    assert moving["alpha"] == 1
    assert moving["points"][0] == pytest.approx([15, 0])
    assert moving["points"][-1] == pytest.approx([105, 90])
    assert going == {"points": [[10, 10]], "alpha": 0.5}
    # Too far to move.
    far = [[[x + 150, y] for x, y in SQUARE[0]]]
    assert {each["alpha"] for each in paper.tell(script, [SQUARE[:1], far, 0.25])} == {0.75, 0.25}


def test_two_drawings_and_what_lies_between(paper: Any) -> None:
    page, asked = paper.page, []

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json)
        count = asked[-1]["count"]
        drawings = [[[[index, 0], [index + 50, 90]]] for index in range(count)]
        route.fulfill(json={"drawings": drawings})

    page.route("**/sketchgen/latent", answer)
    try:
        paper.tell("Sketchgen.sketch.load([{ points: [[10, 10, 0, 0.5], [90, 50, 9, 0.5]], added: false }])")
        page.get_by_role("link", name="Morph").click()
        page.wait_for_function("Sketchgen.morph.drawings.length === 9")
        assert "view=morph" in page.url
        # What was drawn is the first; of a category the server's drawing is shown.
        assert asked[0]["first"]["drawing"]["strokes"] == [[[10, 10], [90, 50]]]
        assert asked[0]["last"] == {"category": "pig"}
        assert paper.tell("Sketchgen.morph.papers[1].shown") == [[[8, 0], [58, 90]]]
        # A line that is drawn takes the place of the category, and the way is asked for anew.
        box = page.locator(".side.last canvas").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 5, box["y"] + 5)
        page.mouse.up()
        page.wait_for_function("Sketchgen.morph.drawings.length === 9")
        (line,) = asked[-1]["last"]["drawing"]["strokes"]
        assert line[0] == pytest.approx([320, 240], abs=3)
        page.get_by_role("button", name="Variations of it").first.click()
        page.get_by_role("button", name="Variation 2: take it to the paper").click()
        assert asked[-1]["strength"] == pytest.approx(0.4)
        assert paper.tell("Sketchgen.viewed") == "draw"
        assert paper.tell("Sketchgen.sketch.strokes.map((stroke) => stroke.points)") == [[[1, 0], [51, 90]]]
    finally:
        page.unroute("**/sketchgen/latent")
