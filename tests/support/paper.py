"""The app of the page without a server, and pointers of every kind on its paper."""

from __future__ import annotations

import time
from typing import Any

MODEL = {
    "categories": ["cat"],
    "guidance": None,
    "most_guidance": 4,
    "settings": {"count": 4, "temperature": 0.4, "best_of": 1},
    "starters": [],
}


class Paper:
    """The app on a page of its own, and pointers of every kind on it."""

    def __init__(self, browser: Any, **settings: Any) -> None:
        from sketchgen.web.page import head, text_of

        style = f"<style>{text_of('app.css')} body {{ margin: 0 }}</style>"
        body = f'<div class="gradio-container" id="app"><div class="sg">{text_of("app.html")}</div></div>'
        html = f"<!doctype html><meta charset=utf-8>{head()}{style}{body}"
        context = browser.new_context(
            **{"viewport": {"width": 1000, "height": 700}, "has_touch": True, **settings}
        )
        self.page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.route("**/*", lambda route: route.fulfill(body=html, content_type="text/html"))
        self.page.goto("http://paper.test/")
        self.page.evaluate("model => Sketchgen.mount(document.getElementById('app'), {}, model)", MODEL)
        self.page.wait_for_function("Sketchgen.pad && Sketchgen.pad.canvas.clientWidth > 0")
        self.cdp = context.new_cdp_session(self.page)
        self.time = time.time()
        self.box = self.page.locator("#sg-paper > canvas").bounding_box()

    def tell(self, script: str, value: Any = None) -> Any:
        return self.page.evaluate(script, value)

    @property
    def strokes(self) -> list[list[list[float]]]:
        return self.tell("Sketchgen.sketch.strokes.map((stroke) => stroke.points)")

    @property
    def view(self) -> list[float]:
        return self.tell("[Sketchgen.pad.view.scale, Sketchgen.pad.view.x, Sketchgen.pad.view.y]")

    def fresh(self) -> None:
        self.tell(
            """(() => { const { sketch, pad } = Sketchgen; sketch.fromJSON(null); pad.setTool("pen");
            pad.ink.color = null; pad.ink.width = 4; pad.look((view) => view.fit()); })()"""
        )
        self.later(10)

    def touch(self, kind: str, *places: tuple[float, float], first: int = 0) -> None:
        """A touch event: "Start", "Move" or "Cancel" of fingers with numbers from `first`, or their "End"."""
        points = [
            {"x": self.box["x"] + x, "y": self.box["y"] + y, "id": number}
            for number, (x, y) in enumerate(places, first)
        ]
        told = {"type": f"touch{kind}", "touchPoints": points, "timestamp": self.later()}
        self.cdp.send("Input.dispatchTouchEvent", told)

    def pen(self, kind: str, x: float, y: float, force: float = 0.5) -> None:
        """A pen's event: "Pressed", "Moved" or "Released"."""
        told = {"type": f"mouse{kind}", "x": self.box["x"] + x, "y": self.box["y"] + y, "pointerType": "pen"}
        held = {"button": "left", "buttons": 0 if kind == "Released" else 1, "clickCount": 1, "force": force}
        self.cdp.send("Input.dispatchMouseEvent", told | held | {"timestamp": self.later()})

    def later(self, seconds: float = 0.016) -> float:
        """The time of the next event, which does not depend on how busy the machine is."""
        self.time += seconds
        return self.time

    def mouse(self, *places: tuple[float, float], button: str = "left") -> None:
        mouse = self.page.mouse
        mouse.move(self.box["x"] + places[0][0], self.box["y"] + places[0][1])
        mouse.down(button=button)
        for x, y in places[1:]:
            mouse.move(self.box["x"] + x, self.box["y"] + y, steps=3)
        mouse.up(button=button)

    def frames(self) -> None:
        self.tell("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")
