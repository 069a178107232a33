"""The page around the pad: saving, opening, the other tabs, its look, and whom it asks for things."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sketchgen
from sketchgen.formats.quickdraw import parse_json
from sketchgen.formats.svg_reader import parse_svg

CIRCLE = [(400, 240), (360, 320), (280, 320), (240, 240), (280, 160), (360, 160), (400, 240)]
LINE = [(120, 200), (300, 160), (420, 260)]


def saved(canvas: Any, form: str, folder: Path) -> bytes:
    with canvas.page.expect_download() as download:
        canvas.choose("save", form)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path.read_bytes()


@pytest.fixture
def finished(canvas: Any) -> Any:
    """A circle, and a completion of it that was accepted."""
    canvas.draw(*CIRCLE)
    canvas.finish()
    canvas.suggestions.first.click()
    return canvas


def points(strokes: Any) -> list[list[list[float]]]:
    return [[list(point[:2]) for point in stroke] for stroke in strokes]


def test_every_format_is_saved_and_reads_back(finished: Any, tmp_path: Path) -> None:
    drawn = points(finished.strokes)
    svg = saved(finished, "svg", tmp_path)
    assert svg.count(b"<g ") == 2
    assert [stroke.tolist() for stroke in parse_svg(svg, "saved").strokes] == drawn
    animated = saved(finished, "animated", tmp_path)
    assert [stroke.tolist() for stroke in parse_svg(animated, "animated").strokes] == drawn
    for form in ("json", "ndjson"):
        path = tmp_path / f"again.{form}"
        path.write_bytes(saved(finished, form, tmp_path))
        assert [stroke.tolist() for stroke in sketchgen.read(path).strokes] == drawn
    assert json.loads((tmp_path / "again.json").read_text())["given"] == 1
    assert len(parse_json((tmp_path / "again.ndjson").read_text()).strokes) == len(drawn)
    picture = Image.open(io.BytesIO(saved(finished, "png", tmp_path)))
    assert picture.format == "PNG"
    assert np.asarray(picture.convert("L")).min() < 100
    gif = Image.open(io.BytesIO(saved(finished, "gif", tmp_path)))
    assert getattr(gif, "n_frames", 1) > 3


def test_a_saved_drawing_is_opened_again(canvas: Any, tmp_path: Path) -> None:
    canvas.choose("save", "svg")
    assert canvas.status.startswith("Nothing to save")
    canvas.draw(*CIRCLE)
    canvas.draw(*LINE)
    drawn = points(canvas.strokes)
    for form in ("svg", "json"):
        path = tmp_path / f"mine.{form}"
        path.write_bytes(saved(canvas, form, tmp_path))
        canvas.do("clear")
        canvas.page.locator("#sg-file").set_input_files(path)
        canvas.wait("Sketchgen.sketch.strokes.length > 0")
        assert points(canvas.strokes) == drawn


def test_a_file_that_is_no_drawing_is_named(canvas: Any, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.svg"
    path.write_text("<svg><script>alert(1)</script>")
    canvas.page.locator("#sg-file").set_input_files(path)
    canvas.wait("/alert/.test(document.querySelector('#sg-status').textContent)")
    assert "alert(1)" in canvas.status
    assert canvas.page.locator("#sg-status img").count() == 0
    assert canvas.strokes == []


def test_a_starter_brings_its_category_and_is_finished(canvas: Any) -> None:
    starters = canvas.page.locator("#sg-strip [data-starter]")
    canvas.page.locator("#sg-strip[data-state=blank]").wait_for()
    assert starters.count() == 6
    canvas.page.locator("[data-starter=mona-lisa]").click()
    assert canvas.tell("Sketchgen.sketch.category") == "The Mona Lisa"
    canvas.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")
    assert not canvas.page.locator("#sg-hint").evaluate("e => Number(getComputedStyle(e).opacity)")
    canvas.do("clear")
    canvas.page.locator("#sg-strip[data-state=blank]").wait_for()
    canvas.wait("document.querySelector('.sg').classList.contains('empty')")


def test_new_drawings_are_there_at_once_and_come_without_end(canvas: Any) -> None:
    asked: list[dict[str, Any]] = []
    canvas.page.on(
        "request", lambda request: asked.append(request.post_data_json) if "draw" in request.url else None
    )
    canvas.show("generate")
    ready = canvas.tell("Sketchgen.DRAWINGS.new.length")
    assert (
        canvas.tell("Sketchgen.gallery.cells.filter(cell => cell.complete && cell.arrived).length") >= ready
    )
    canvas.tell("Sketchgen.gallery.view.scrollTop = 1e6")
    canvas.wait(f"Sketchgen.gallery.cells.length > {ready}")
    told = [asked[-1][name] for name in ("category", "count", "temperature", "guidance", "best_of")]
    assert told == ["auto", 9, 0.4, 2, 1]
    wanted = canvas.tell("Sketchgen.gallery.cells[3].strokes")
    canvas.page.locator("#sg-generate .take").nth(3).click()
    assert points(canvas.strokes) == wanted
    assert canvas.page.locator("#sg-stage").is_visible()


def test_views_stand_in_the_browser_s_history(canvas: Any) -> None:
    seen = """[...document.querySelectorAll("#sg-stage, #sg-generate, #sg-play")]
        .filter(e => e.checkVisibility()).map(e => e.id)"""
    canvas.show("play")
    assert canvas.tell(seen) == ["sg-play"]
    canvas.show("generate")
    canvas.page.go_back()
    assert canvas.tell(seen) == ["sg-play"]
    assert "view=play" in canvas.page.url
    assert canvas.page.locator("#sg-views [aria-current=page]").inner_text() == "Play back"
    canvas.page.go_back()
    assert canvas.tell(seen) == ["sg-stage"]


def test_the_drawing_is_played_back(finished: Any) -> None:
    finished.show("play")
    player = finished.page.locator("#sg-play")
    finished.wait("0 < Sketchgen.player.share() && Sketchgen.player.share() < 1")
    player.locator("button").click()
    still = finished.tell("Sketchgen.player.share()")
    finished.page.wait_for_timeout(100)
    assert finished.tell("Sketchgen.player.share()") == still
    player.locator("select").select_option("10")
    player.locator("button").click()
    finished.wait("Sketchgen.player.growing.complete")
    assert player.locator("button").inner_text() == "Play"


def test_no_other_host_is_asked_for_anything(visit: Callable[..., Any], server: Any) -> None:
    canvas = visit(server)
    canvas.draw(*CIRCLE)
    canvas.tell("Sketchgen.settings.best_of = 1")
    canvas.finish()
    for view in ("generate", "play", "draw"):
        canvas.show(view)
        canvas.page.wait_for_timeout(100)
    hosts = {url.split("/")[2] for url in canvas.requests if url.startswith(("http", "ws"))}
    assert hosts == {canvas.url.split("/")[2]}


def test_ink_stands_out_from_paper(canvas: Any, visit: Callable[..., Any], server: Any) -> None:
    for page, light in ((canvas, True), (visit(server, color_scheme="dark"), False)):
        page.draw(*LINE)
        picture = Image.open(io.BytesIO(page.paper.screenshot()))
        grey = np.asarray(picture.convert("L"), dtype=float)
        paper = np.median(grey)
        assert (paper > 200) if light else (paper < 60)
        assert np.abs(grey - paper).max() > 150


SIZES = [(1366, 768), (1280, 720), (1920, 1080), (1024, 768), (390, 844), (844, 390), (320, 480)]


def test_everything_has_its_place_at_every_size(visit: Callable[..., Any], server: Any) -> None:
    canvas = visit(server)
    canvas.draw(*CIRCLE)
    for width, height in SIZES:
        canvas.resize(width, height)
        scrolled = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        wide, high = canvas.tell(scrolled)
        assert wide <= width
        assert high <= height
        box = canvas.paper.bounding_box()
        # At least a third of the window is paper, and the whole page is seen on it.
        assert box["width"] * box["height"] > width * height / 3
        for x, y in ((0, 0), (640, 480)):
            left, top = canvas.at(x, y)
            assert box["x"] - 1 <= left <= box["x"] + box["width"] + 1
            assert box["y"] - 1 <= top <= box["y"] + box["height"] + 1
        # Guesses may be more than fit beside each other.
        for button in canvas.page.locator(".sg button:visible:not(.seen .chip)").all():
            found = button.bounding_box()
            assert min(found["width"], found["height"]) >= 36, button.get_attribute("aria-label")
            inside = -1 <= found["x"] <= width - found["width"] + 1
            assert inside, button.get_attribute("aria-label")
            assert found["y"] + found["height"] <= height + 1, button.get_attribute("aria-label")


def test_a_finger_draws_and_the_page_does_not_scroll(visit: Callable[..., Any], server: Any) -> None:
    phone = {"viewport": {"width": 390, "height": 700}, "has_touch": True, "is_mobile": True}
    canvas = visit(server, **phone, device_scale_factor=3)
    before = canvas.tell("[scrollX, scrollY]")
    session = canvas.page.context.new_cdp_session(canvas.page)

    def touch(kind: str, *where: float) -> None:
        places = [{"x": canvas.at(*where)[0], "y": canvas.at(*where)[1]}] if where else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", 320, 60)
    for step in range(1, 21):
        touch("touchMove", 320 + step, 60 + 18 * step)
    touch("touchEnd")
    (stroke,) = canvas.strokes
    assert stroke[0][:2] == pytest.approx([320, 60], abs=3)
    assert stroke[-1][:2] == pytest.approx([340, 420], abs=3)
    assert canvas.tell("[scrollX, scrollY]") == before
    canvas.tell("Sketchgen.settings.best_of = 1")
    canvas.finish()
    canvas.suggestions.first.tap()
    assert len(canvas.strokes) > 1


def test_a_pen_s_pressure_is_kept(canvas: Any) -> None:
    canvas.tell(
        """(() => { const c = Sketchgen.pad.canvas; const b = c.getBoundingClientRect();
        const send = (kind, x, pressure) => c.dispatchEvent(new PointerEvent(kind, {pointerId: 7, pressure,
          pointerType: 'pen', clientX: b.left + x, clientY: b.top + 50, bubbles: true, cancelable: true}));
        send('pointerdown', 50, 0.2); send('pointermove', 80, 0.6); send('pointermove', 120, 0.9);
        send('pointerup', 120, 0); })()"""
    )
    (stroke,) = canvas.strokes
    assert [point[3] for point in stroke] == [0.2, 0.6, 0.9]
    canvas.finish()


def test_everything_has_a_name_for_a_screen_reader(canvas: Any) -> None:
    unnamed = canvas.tell(
        """[...document.querySelectorAll(".sg button, .sg select, .sg input, .sg a, #sg-paper > canvas")]
        .filter(e => !e.getAttribute("aria-label") && !(e.labels && e.labels.length)
          && !(e.matches("button, a") && e.textContent.trim()) && !e.hidden)
        .map(e => e.outerHTML)"""
    )
    assert unnamed == []
    # No text is missing from the words of the page.
    assert canvas.tell("document.querySelector('.sg').innerHTML.match(/>[a-z_]+\\.[a-z_.]+</g)") is None
    canvas.page.locator("#sg-paper > canvas[aria-label='Drawing paper, empty']").wait_for()
    canvas.draw(*LINE)
    canvas.page.locator("#sg-paper > canvas[aria-label='Drawing paper, 1 stroke']").wait_for()
    assert canvas.page.locator("#sg-status[role=status]").get_attribute("aria-live") == "polite"


def test_nothing_of_gradio_is_seen(canvas: Any) -> None:
    text = canvas.tell("document.body.innerText")
    assert "Gradio" not in text
    assert "API" not in text
