"""See the network think: the heat map and the odds that the page makes of the server's answer."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

STEP = {
    "at": [320, 240],
    "end": 0.1,
    "components": [
        [0.7, 300, 200, 900, 200, 400, 0.2],
        [0.2, 400, 300, 100, -20, 64, 0.9],
        [0.1, 250, 260, 2500, 0, 2500, 0.5],
    ],
}
TEMPERED = "([step, temperature]) => Sketchgen.tempered(step, temperature)"


def test_temperature_sharpens_and_blurs(paper: Any) -> None:
    asis = paper.tell(TEMPERED, [STEP, 1])
    assert [pytest.approx(component) for component in asis["components"]] == STEP["components"]
    lifted = 0.9 * (0.7 * 0.2 + 0.2 * 0.9 + 0.1 * 0.5)
    assert asis["odds"] == pytest.approx({"on": 0.9 - lifted, "lift": lifted, "end": 0.1})
    for temperature in (0, 0.4, 2):
        found = paper.tell(TEMPERED, [STEP, temperature])
        weights = [component[0] for component in found["components"]]
        assert sum(weights) == pytest.approx(1)
        assert sum(found["odds"].values()) == pytest.approx(1)
        if temperature:
            # Ha and Eck 2017: weights to the power of 1/T, variances times T.
            powers = [component[0] ** (1 / temperature) for component in STEP["components"]]
            assert weights == pytest.approx([power / sum(powers) for power in powers])
            assert found["components"][0][3] == pytest.approx(900 * temperature)
        else:
            assert weights[0] > 0.999


def test_the_heat_map_is_the_density(paper: Any) -> None:
    box = {"x": 0, "y": 0, "width": 640, "height": 480}
    script = "([components, box]) => [...Sketchgen.heat(components, box, 128, 96)]"
    cells = paper.tell(script, [STEP["components"], box])
    assert sum(cells) * 25 == pytest.approx(1, abs=0.02)
    # The density in the middle of a cell, of components that a cell widens.
    x, y = 302.5, 202.5
    wanted = 0.0
    for weight, mx, my, xx, xy, yy, _ in STEP["components"]:
        a, c = xx + 25 / 3, yy + 25 / 3
        free = a * c - xy * xy
        u, v = x - mx, y - my
        power = -0.5 * (c * u * u - 2 * xy * u * v + a * v * v) / free
        wanted += weight * math.exp(power) / (2 * math.pi * math.sqrt(free))
    assert cells[40 * 128 + 60] == pytest.approx(wanted, rel=1e-3)


def test_thoughts_follow_the_pen_along_a_suggestion(paper: Any) -> None:
    page, asked = paper.page, []
    points = [[100, 100], [200, 120], [300, 90], [320, 300]]
    line = {"alts": [[[x, y, int(i in (1, 3))] for i, (x, y) in enumerate(points)]], "categories": ["cat"]}
    steps = [{**STEP, "at": at, "end": index / 10} for index, at in enumerate([[50, 50], *points])]

    def think(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json={"category": "cat", "steps": steps})

    page.route(
        "**/sketchgen/draw", lambda route: route.fulfill(body=json.dumps({**line, "done": True}) + "\n")
    )
    page.route("**/sketchgen/think", think)
    try:
        paper.tell(
            "Sketchgen.sketch.change([{ points: [[10, 10, 0, 0.5], [50, 50, 9, 0.5]], added: false }])"
        )
        paper.tell("Sketchgen.think.turn(true)")
        assert page.locator("#sg-think .note").inner_text()
        assert page.locator("#sg-think meter").first.is_hidden()
        paper.tell("Sketchgen.settings.count = 1; Sketchgen.suggestions.finish()")
        page.wait_for_function("Sketchgen.think.steps !== null")
        assert asked[0]["category"] == "cat"
        assert asked[0]["added"] == [points[:2], points[2:]]
        assert asked[0]["drawing"]["strokes"] == [[[10, 10, 0, 0.5], [50, 50, 9, 0.5]]]
        # It plays, point after point, up to the last one.
        page.wait_for_function("Sketchgen.think.step === 4 && !Sketchgen.think.playing")
        assert paper.tell("Sketchgen.pad.played.map((stroke) => stroke.points.length)") == [2, 2]
        page.get_by_role("slider", name="Point of the suggestion").fill("2")
        assert paper.tell("Sketchgen.pad.played.map((stroke) => stroke.points)") == [points[:2]]
        before = page.get_by_role("meter", name="is finished").evaluate("meter => meter.value")
        assert before == pytest.approx(0.2)
        # Drawing on ends the thought; so does turning it off.
        paper.drag((300, 300), (350, 350))
        page.wait_for_function("Sketchgen.think.steps === null && Sketchgen.pad.played === null")
    finally:
        paper.tell("Sketchgen.think.turn(false)")
        page.unroute("**/sketchgen/draw")
        page.unroute("**/sketchgen/think")
    assert page.locator("#sg-think").is_hidden()
