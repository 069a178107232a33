"""Take pictures of the drawing page: `python benchmarks/screenshots.py [FOLDER] [--all]`.

Needs Debian's chromium, and its package fonts-noto-color-emoji. Starts `sketchgen web` by itself. Writes the
pictures of the docs: canvas.png, canvas-dark.png (while suggestions stream in), canvas-phone.png,
canvas-generate.png, and film.webp (a drawing from the first line to the suggestion that is kept). With --all,
also empty, drawing and finished at every size, light and dark, as SIZE-COLOURS-STATE.png.
"""

from __future__ import annotations

import argparse
import io
import itertools
import math
import time
from pathlib import Path
from typing import Any

from canvas import PAGE, Server, drawing_page
from PIL import Image

import sketchgen
from sketchgen.formats.read_write import read
from sketchgen.web.exchange import on_page

SIZES = {
    "desktop": (1920, 1080),
    "laptop": (1366, 768),
    "tablet": (1024, 768),
    "phone": (390, 844),
    "across": (844, 390),
}
HANDHELD = {"has_touch": True, "is_mobile": True}


def window(size: str, **settings: Any) -> dict[str, Any]:
    """Return the browser's settings for a size."""
    width, height = SIZES[size]
    handheld = HANDHELD if min(width, height) < 400 else {}
    return {"viewport": {"width": width, "height": height}, **handheld, **settings}


def begin(page: Any, starter: str) -> None:
    """Open a starter, which is finished at once, and wait until something of it is seen."""
    page.locator(f"[data-starter={starter}]").click()
    # However slow the machine is, something is seen of one, and none is done.
    page.wait_for_function("Sketchgen.suggestions.items.some(a => a.at[0] || a.at[1] > 5)")


def settle(page: Any) -> None:
    """Wait until every suggestion stands there whole."""
    page.wait_for_function("Sketchgen.suggestions.settled", timeout=120_000)
    page.wait_for_timeout(500)


def for_docs(url: str, folder: Path) -> None:
    """Take the pictures of the docs."""
    with drawing_page(url, **window("laptop")) as (page, _):
        begin(page, "half-a-cat")
        settle(page)
        page.screenshot(path=folder / "canvas.png")
        page.locator("[data-view=generate]").click()
        page.wait_for_timeout(1000)
        page.screenshot(path=folder / "canvas-generate.png")
    with drawing_page(url, **window("laptop", color_scheme="dark")) as (page, _):
        begin(page, "face")
        page.screenshot(path=folder / "canvas-dark.png")
    with drawing_page(url, **window("phone", device_scale_factor=2)) as (page, _):
        begin(page, "car")
        settle(page)
        page.screenshot(path=folder / "canvas-phone.png")


FRAME = 80
"""Milliseconds of the page's clock for each frame of the film."""

PACE = 26.0
"""Way of the hand in a frame, in px of the window."""

HAND = """(() => { const hand = document.createElement("div");
  hand.innerHTML = `<svg width="26" height="26" viewBox="0 0 24 24" fill="#1b1b1f" stroke="#fff"
    stroke-width="1.6" stroke-linejoin="round"><path d="M5 3l13 10-6 1-3 6z" /></svg>`;
  hand.style.cssText = "position: fixed; z-index: 99; pointer-events: none; margin: -3px 0 0 -5px";
  document.querySelector(".sg").append(hand);
  window.hand = (x, y) => Object.assign(hand.style, { left: `${x}px`, top: `${y}px` }); })()"""
"""A pointer that is seen; those of the system are in no screenshot."""

Place = tuple[float, float]


class Film:
    """Frames of a page whose clock stands still between them, so that they are even on a busy machine."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.place: Place = (480.0, 560.0)
        page.evaluate(HAND)
        page.clock.install(time=time.time())
        page.clock.pause_at(time.time() + 60)

    def take(self, count: int = 1) -> None:
        """Let time pass for some frames."""
        for _ in range(count):
            self.page.evaluate("([x, y]) => hand(x, y)", self.place)
            self.page.clock.run_for(FRAME)
            self.frames.append(Image.open(io.BytesIO(self.page.screenshot())).convert("RGB"))

    def go(self, place: Place, pace: float = PACE) -> None:
        """Move the hand along a straight line, a frame for each step."""
        (x, y), (ex, ey) = self.place, place
        steps = math.ceil(math.dist((x, y), (ex, ey)) / pace)
        for step in range(1, steps + 1):
            self.place = x + step / steps * (ex - x), y + step / steps * (ey - y)
            self.page.mouse.move(*self.place)
            self.take()

    def draw(self, points: list[Place]) -> None:
        """Draw a line."""
        self.go(points[0], 3 * PACE)
        self.page.mouse.down()
        gone = 0.0
        for before, point in itertools.pairwise(points):
            self.page.mouse.move(*point, steps=3)
            self.place = point
            gone += math.dist(before, point)
            if gone > PACE:
                gone = 0.0
                self.take()
        self.page.mouse.up()
        self.until("Sketchgen.guess.guesses.length > 0")
        self.take(4)

    def press(self, selector: str) -> None:
        """Go to the middle of an element and press it."""
        box = self.page.locator(selector).first.bounding_box()
        self.go((box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), 2.5 * PACE)
        self.take(3)
        self.page.mouse.click(*self.place)

    def until(self, condition: str) -> None:
        """Wait for the server while the page's clock stands."""
        while not self.page.evaluate(f"Boolean({condition})"):
            time.sleep(0.1)

    def save(self, path: Path) -> None:
        """Write an animated WebP; frames that are alike become one."""
        kept, durations = [self.frames[0]], [FRAME]
        for frame in self.frames[1:]:
            if frame.tobytes() == kept[-1].tobytes():
                durations[-1] += FRAME
            else:
                kept.append(frame)
                durations.append(FRAME)
        durations[-1] += 2000
        options: dict[str, Any] = {"lossless": True, "method": 2, "loop": 0}
        kept[0].save(path, save_all=True, append_images=kept[1:], duration=durations, **options)


def film(url: str, path: Path, starter: str = "car", luck: float = 0.5) -> None:
    """Film how a person's lines are guessed, finished and kept."""
    lines = on_page(read(sketchgen.example(starter))).strokes
    with drawing_page(url, viewport={"width": 960, "height": 600}) as (page, _):
        page.evaluate(f"Math.random = () => {luck}")
        made = Film(page)
        made.take(6)
        for line in lines:
            made.draw(
                [
                    tuple(page.evaluate("([x, y]) => Sketchgen.pad.toWindow(x, y)", point))
                    for point in line.tolist()
                ]
            )
        made.press("[data-do=finish]")
        made.until("!Sketchgen.suggestions.running")
        while not page.evaluate("Sketchgen.suggestions.settled"):
            made.take()
        made.take(8)
        made.press("#sg-strip .take")
        made.go((480, 570), 2 * PACE)
        made.take(6)
        made.save(path)


def everywhere(url: str, folder: Path) -> None:
    """Take pictures of the page empty, drawing and finished, at every size, light and dark."""
    for size in SIZES:
        for colours in ("light", "dark"):
            with drawing_page(url, **window(size, color_scheme=colours)) as (page, _):
                page.screenshot(path=folder / f"{size}-{colours}-empty.png")
                begin(page, "half-a-cat")
                page.screenshot(path=folder / f"{size}-{colours}-drawing.png")
                settle(page)
                page.locator("#sg-strip .take").first.click()
                page.wait_for_timeout(500)
                page.screenshot(path=folder / f"{size}-{colours}-finished.png")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("--all", action="store_true", help="every size, light and dark, too")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    server = Server(*PAGE)
    try:
        for_docs(server.url, options.folder)
        film(server.url, options.folder / "film.webp")
        if options.all:
            everywhere(server.url, options.folder)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
