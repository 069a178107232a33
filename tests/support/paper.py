"""A page of the app in a browser, with a server or without one, and what a person does on it."""

from __future__ import annotations

import json
import time
from functools import cached_property
from typing import Any

ALONE = "http://paper.test/"
"""Address of the app without a server: nothing is guessed and nothing completed, but where a test answers."""

MODEL = {
    "categories": ["cat"],
    "guidance": None,
    "most_guidance": 4,
    "settings": {"count": 4, "temperature": 0.4, "best_of": 1},
    "latent": True,
    "starters": [{"name": "car", "category": "cat", "strokes": [[[100, 100], [200, 300], [300, 100]]]}],
}

READY = """(() => {
  if (!document.querySelector(".sg.ready")) return false;
  const box = JSON.stringify(Sketchgen.pad.canvas.getBoundingClientRect());
  window.still = box === window.last && Sketchgen.pad.canvas.clientWidth ? window.still + 1 : 0;
  window.last = box;
  return window.still > 5; })()"""
"""All parts are there, and the layout has stood for some frames."""

AS_NEW = """(() => {
  const { suggestions, pad, sketch, settings } = Sketchgen;
  suggestions.halt();
  suggestions.setLive(false);
  suggestions.timings.firstPoint = [];
  pad.setTool("pen");
  Object.assign(pad.ink, { color: null, width: 4 });
  sketch.fromJSON({});
  pad.look((view) => view.fit());
  settings.best_of = 1;
  Sketchgen.say("");
  localStorage.clear();
  Sketchgen.show("draw"); })()"""
"""Brings a page back to where it was when it was opened, but for the candidates of a run, which take long."""


def alone() -> str:
    """The app as one file."""
    from sketchgen.web.assets import head, style, text_of

    style = f"<style>{style()} body {{ margin: 0 }}</style>"
    body = f'<div class="gradio-container" id="app"><div class="sg">{text_of("app.html")}</div></div>'
    dark = "document.body.classList.toggle('dark', matchMedia('(prefers-color-scheme: dark)').matches);"
    mount = f"Sketchgen.mount(document.getElementById('app'), Sketchgen.remote, {json.dumps(MODEL)})"
    start = "<!doctype html><html lang=en><meta charset=utf-8><title>sketchgen</title>"
    return f"{start}{head()}{style}{body}<script>{dark}{mount}</script>"


class Canvas:
    """A page that was opened. Places are those of the 640 x 480 page, but where px of the paper are meant."""

    def __init__(self, page: Any, url: str = ALONE) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        if url.startswith(ALONE):
            html = alone()
            page.route("**/*", lambda route: route.fulfill(body=html, content_type="text/html"))
        self.url = url
        self.time = time.time()
        self.open()

    def open(self) -> None:
        """Load the page, for the first time or again."""
        self.page.goto(self.url)
        self.wait(READY)

    def resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})
        self.wait(f"innerWidth === {width} && innerHeight === {height}")
        self.tell("window.still = 0")
        self.wait(READY)

    def renew(self) -> None:
        """Bring it back to where it was when it was opened."""
        self.tell(AS_NEW)
        self.later(10)

    # --- what a person does -------------------------------------------------------------------------------

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the page stands in the window."""
        left, top = self.tell(f"Sketchgen.pad.toWindow({x}, {y})")
        return left, top

    def draw(self, *points: tuple[float, float]) -> None:
        """One stroke by mouse."""
        mouse = self.page.mouse
        mouse.move(*self.at(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(*point), steps=4)
        mouse.up()

    def drag(self, *places: tuple[float, float], button: str = "left") -> None:
        """The mouse, in px of the paper."""
        mouse, box = self.page.mouse, self.box
        mouse.move(box["x"] + places[0][0], box["y"] + places[0][1])
        mouse.down(button=button)
        for x, y in places[1:]:
            mouse.move(box["x"] + x, box["y"] + y, steps=3)
        mouse.up(button=button)

    def touch(self, kind: str, *places: tuple[float, float], first: int = 0) -> None:
        """Fingers with numbers from `first`, in px of the paper: "Start", "Move", "Cancel" or "End"."""
        box = self.box
        points = [
            {"x": box["x"] + x, "y": box["y"] + y, "id": number}
            for number, (x, y) in enumerate(places, first)
        ]
        told = {"type": f"touch{kind}", "touchPoints": points, "timestamp": self.later()}
        self.cdp.send("Input.dispatchTouchEvent", told)

    def pen(self, kind: str, x: float, y: float, force: float = 0.5) -> None:
        """A pen's event, in px of the paper: "Pressed", "Moved" or "Released"."""
        box = self.box
        told = {"type": f"mouse{kind}", "x": box["x"] + x, "y": box["y"] + y, "pointerType": "pen"}
        held = {"button": "left", "buttons": 0 if kind == "Released" else 1, "clickCount": 1, "force": force}
        self.cdp.send("Input.dispatchMouseEvent", told | held | {"timestamp": self.later()})

    def do(self, name: str) -> None:
        """Click a button."""
        self.page.locator(f"[data-do={name}]").click()

    def choose(self, menu: str, item: str) -> None:
        """Choose an item of a menu."""
        self.page.locator(f"[data-menu=sg-menu-{menu}]").click()
        self.page.locator(f"#sg-menu-{menu} [data-item={item}]").click()

    def show(self, view: str) -> None:
        self.page.locator(f"#sg-views [data-view={view}]").click()

    def finish(self) -> None:
        """Ask for suggestions and wait for them."""
        self.do("finish")
        self.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")

    # --- what is seen -------------------------------------------------------------------------------------

    def tell(self, script: str, value: Any = None) -> Any:
        return self.page.evaluate(script, value)

    def wait(self, script: str, value: Any = None) -> None:
        self.page.wait_for_function(script, arg=value, timeout=60_000)

    def frames(self) -> None:
        """Wait until what has changed is seen."""
        self.tell("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")

    def later(self, seconds: float = 0.016) -> float:
        """The time of the next event, which does not depend on how busy the machine is."""
        self.time += seconds
        return self.time

    @cached_property
    def cdp(self) -> Any:
        return self.page.context.new_cdp_session(self.page)

    @property
    def box(self) -> dict[str, float]:
        return self.paper.bounding_box()

    @property
    def strokes(self) -> list[list[list[float]]]:
        return self.tell("Sketchgen.sketch.strokes.map(s => s.points)")

    @property
    def added(self) -> list[bool]:
        return self.tell("Sketchgen.sketch.strokes.map(s => s.added)")

    @property
    def view(self) -> list[float]:
        """Scale and place of what is seen of the page."""
        return self.tell("[Sketchgen.pad.view.scale, Sketchgen.pad.view.x, Sketchgen.pad.view.y]")

    @property
    def status(self) -> str:
        return self.tell("document.querySelector('#sg-status').textContent")

    @property
    def paper(self) -> Any:
        return self.page.locator("#sg-paper > canvas")

    @property
    def suggestions(self) -> Any:
        """The buttons that keep a suggestion."""
        return self.page.locator("#sg-strip .thumb .take:visible")
