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
        canvas.page.locator("#sketchgen-pad select").select_option(form)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path.read_bytes()


@pytest.fixture
def finished(canvas: Any) -> Any:
    """A circle, and a completion of it that was accepted."""
    canvas.draw(*CIRCLE)
    canvas.finish()
    canvas.page.locator("#sketchgen-completions .alternative").first.click()
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
    canvas.page.locator("#sketchgen-pad select").select_option("svg")
    assert canvas.status.startswith("Nothing to save")
    canvas.draw(*CIRCLE)
    canvas.draw(*LINE)
    drawn = points(canvas.strokes)
    for form in ("svg", "json"):
        path = tmp_path / f"mine.{form}"
        path.write_bytes(saved(canvas, form, tmp_path))
        canvas.do("clear")
        canvas.page.locator("#sketchgen-pad input[type=file]").set_input_files(path)
        canvas.wait("Sketchgen.pad.strokes.length > 0")
        assert points(canvas.strokes) == drawn


def test_a_file_that_is_no_drawing_is_named(canvas: Any, tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.svg"
    path.write_text("<svg><script>alert(1)</script>")
    canvas.page.locator("#sketchgen-pad input[type=file]").set_input_files(path)
    canvas.wait("document.querySelector('#sketchgen-pad [role=status]').textContent.length > 0")
    assert "alert(1)" in canvas.status
    assert canvas.page.locator("#sketchgen-pad [role=status] img").count() == 0
    assert canvas.strokes == []


def test_the_picker_finds_a_category_and_a_starter_brings_its_own(
    visit: Callable[..., Any], server: Any
) -> None:
    canvas = visit(server)
    picker = canvas.page.get_by_label("What is it?")
    picker.click()
    canvas.wait("document.querySelectorAll('[role=listbox] [role=option]').length > 9")
    canvas.page.keyboard.type("lightho")
    options = canvas.page.locator("[role=listbox] [role=option]")
    canvas.wait("[1, 2, 3].includes(document.querySelectorAll('[role=listbox] [role=option]').length)")
    assert options.all_inner_texts()[0].strip().endswith("lighthouse")
    options.first.click()
    assert picker.input_value() == "lighthouse"
    canvas.page.locator("[data-starter=mona-lisa]").click()
    canvas.wait("Sketchgen.pad.strokes.length > 0")
    canvas.wait("Sketchgen.settings.category === 'The Mona Lisa'")
    assert picker.input_value() == "The Mona Lisa"


def test_new_drawings_and_going_on_with_one(canvas: Any) -> None:
    asked: list[dict[str, Any]] = []
    canvas.page.on(
        "request", lambda request: asked.append(request.post_data_json) if "draw" in request.url else None
    )
    canvas.page.get_by_role("tab", name="Generate").click()
    canvas.page.locator("#sketchgen-draw").click()
    canvas.wait("Sketchgen.gallery && Sketchgen.gallery.alternatives.length == 9 && Sketchgen.gallery.done")
    told = [asked[-1][name] for name in ("category", "count", "temperature", "guidance", "best_of")]
    assert told == ["auto", 9, 0.4, 2, 8]
    wanted = canvas.tell("Sketchgen.gallery.alternatives[3].strokes")
    canvas.page.locator("#sketchgen-gallery .alternative").nth(3).click()
    canvas.wait("Sketchgen.pad.strokes.length > 0")
    assert points(canvas.strokes) == wanted
    assert canvas.page.get_by_role("tab", name="Draw").get_attribute("aria-selected") == "true"


def test_the_drawing_is_played_back(finished: Any) -> None:
    finished.page.get_by_role("tab", name="Play back").click()
    finished.wait("Sketchgen.player && Sketchgen.player.growing.strokes.length > 0")
    player = finished.page.locator("#sketchgen-player")
    player.locator("select").select_option("0.5")
    player.locator("button").click()
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
    for tab in ("Generate", "Play back", "Draw"):
        canvas.page.get_by_role("tab", name=tab).click()
        canvas.page.wait_for_timeout(100)
    hosts = {url.split("/")[2] for url in canvas.requests if url.startswith(("http", "ws"))}
    assert hosts == {canvas.url.split("/")[2]}


def test_ink_stands_out_from_paper(canvas: Any, visit: Callable[..., Any], server: Any) -> None:
    for page, light in ((canvas, True), (visit(server, color_scheme="dark"), False)):
        page.draw(*LINE)
        picture = Image.open(io.BytesIO(page.page.locator("#sketchgen-pad canvas").screenshot()))
        grey = np.asarray(picture.convert("L"), dtype=float)
        paper = np.median(grey)
        assert (paper > 200) if light else (paper < 60)
        assert np.abs(grey - paper).max() > 150


def test_nothing_sticks_out_and_nothing_moves_after_load(visit: Callable[..., Any], server: Any) -> None:
    canvas = visit(server, viewport={"width": 390, "height": 844})
    for width in (390, 768, 1280, 1920):
        canvas.resize(width, 844)
        assert canvas.tell("document.documentElement.scrollWidth") <= width
        box = canvas.page.locator("#sketchgen-pad canvas").bounding_box()
        assert box["width"] / box["height"] == pytest.approx(4 / 3, abs=0.02)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        canvas.page.wait_for_timeout(300)
        assert canvas.page.locator("#sketchgen-pad canvas").bounding_box() == box
        for name in ("finish", "live", "undo", "erase", "clear", "open"):
            button = canvas.page.locator(f"[data-do={name}]").bounding_box()
            assert button["height"] >= 40
            assert button["x"] + button["width"] <= width


def test_a_finger_draws_and_the_page_does_not_scroll(visit: Callable[..., Any], server: Any) -> None:
    phone = {"viewport": {"width": 390, "height": 700}, "has_touch": True, "is_mobile": True}
    canvas = visit(server, **phone, device_scale_factor=3)
    canvas.tell("document.querySelector('#sketchgen-pad canvas').scrollIntoView({block: 'center'})")
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
    canvas.page.locator("#sketchgen-completions .alternative").first.tap()
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
        """[...document.querySelectorAll(`#sketchgen-pad button, #sketchgen-pad select, #sketchgen-pad input,
        #sketchgen-pad canvas, .alternative, #sketchgen-player input`)]
        .filter(e => !e.getAttribute('aria-label') && !(e.matches('button') && e.textContent.trim()))
        .map(e => e.outerHTML)"""
    )
    assert unnamed == []
    label = canvas.page.locator("#sketchgen-pad canvas").get_attribute("aria-label")
    assert label == "Drawing page, empty"
    canvas.draw(*LINE)
    canvas.page.locator("#sketchgen-pad canvas[aria-label='Drawing page, 1 stroke']").wait_for()
    assert canvas.page.locator("#sketchgen-pad [role=status]").get_attribute("aria-live") == "polite"
