"""The engine and its examples in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import numpy as np
import pytest

from sketchgen.completion.completer import load
from sketchgen.completion.portable import write_web_model
from sketchgen.formats.excalidraw import parse_scene
from sketchgen.resources import bundled

HOST = "http://localhost:9/some/where/"

P5 = """
const drawn = { lines: 0, points: 0 };
const silent = ["createCanvas", "frameRate", "background", "stroke", "strokeWeight"];
for (const name of silent) window[name] = () => {};
window.line = () => drawn.lines++;
window.point = () => drawn.points++;
window.addEventListener("load", () => (setup(), setInterval(() => draw(), 1)));
"""
"""The few functions of p5.js that its example calls."""

GENERATE = """async (settings) => {
    const { load } = await import("./engine/engine.js");
    return (await load("./model/")).generate(settings);
}"""

PASTE = """(text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
}"""

COPY = """() => {
    const event = new ClipboardEvent("copy", { clipboardData: new DataTransfer(), cancelable: true });
    document.dispatchEvent(event);
    return event.clipboardData.getData("text/plain");
}"""


@pytest.fixture(scope="module")
def page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A page of a host that has the engine and a model, and nothing else."""
    model = tmp_path_factory.mktemp("site") / "model"
    write_web_model("tiny", model)
    folders = {"engine": bundled("web", "engine"), "model": model}

    def answer(route: Any) -> None:
        folder, _, rest = urlparse(route.request.url).path.removeprefix("/some/where/").partition("/")
        file: Path | None = folders[folder] / rest if folder in folders else None
        if rest.endswith("p5.min.js"):
            route.fulfill(body=P5, content_type="text/javascript")
        elif file is None or not file.is_file():
            route.fulfill(body="<!doctype html>", content_type="text/html")
        else:
            route.fulfill(path=file)

    context = browser.new_context()
    context.route("**/*", answer)
    # A machine that runs other tests may take its time.
    context.set_default_timeout(120_000)
    opened, errors = context.new_page(), []
    opened.on("pageerror", lambda error: errors.append(error))
    yield opened
    context.close()
    assert not errors


def test_a_browser_draws_what_python_draws(page: Any) -> None:
    page.goto(HOST)
    asked = {"category": "cat", "count": 2, "seed": 3, "temperature": 0.5, "limit": 40}
    found = page.evaluate(GENERATE, asked)
    wanted = load("tiny").generate("cat", 2, seed=3, limit=40)
    for each, sketch in zip(found, wanted, strict=True):
        points = np.array([point for stroke in each["strokes"] for point in stroke])
        np.testing.assert_allclose(points, sketch.points, rtol=0, atol=0.05)


def test_the_canvas_example_goes_on_after_each_stroke(page: Any) -> None:
    page.goto(f"{HOST}engine/examples/canvas.html")
    page.wait_for_function("document.querySelector('p').textContent === 'Draw something.'")
    page.mouse.move(200, 200)
    page.mouse.down()
    for x, y in ((300, 150), (400, 200), (400, 300)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    page.wait_for_function("/[1-9]\\d* points added; draw on/.test(document.querySelector('p').textContent)")
    colours = page.evaluate(
        """() => {
            const canvas = document.querySelector("canvas");
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let red = 0;
            for (let i = 0; i < data.length; i += 4) if (data[i] > 200 && data[i + 3] > 200) red++;
            return red;
        }"""
    )
    assert colours > 20


def test_the_p5_example_draws_each_line(page: Any) -> None:
    page.goto(f"{HOST}engine/examples/p5.html?category=dog")
    page.wait_for_function("/^dog 1: \\d+ points$/.test(document.title)")
    drawn = page.evaluate("drawn")
    assert drawn["lines"] + drawn["points"] == int(page.title().split()[2])
    # A point where a line begins, and lines from there on.
    assert drawn["lines"] > drawn["points"] > 0


def test_the_excalidraw_example_gives_elements(page: Any) -> None:
    page.goto(f"{HOST}engine/examples/excalidraw.html")
    page.wait_for_function("document.querySelector('[role=status]').textContent === 'Paste a drawing.'")
    line = {"type": "line", "x": 500, "y": 400, "points": [[0, 0], [120, -80], [240, 0], [240, 100]]}
    page.evaluate(PASTE, json.dumps({"type": "excalidraw/clipboard", "elements": [line]}))
    page.wait_for_function("/lines added/.test(document.querySelector('[role=status]').textContent)")
    added = parse_scene(json.loads(page.evaluate(COPY)))
    assert not added.is_empty
    assert added.bounds is not None
    assert added.bounds.x > 300
    page.evaluate(PASTE, "no scene")
    page.wait_for_function("/cannot be finished/.test(document.querySelector('[role=status]').textContent)")
