"""A real server in a process of its own, and a real Chromium that draws on its page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paper import Paper
from serving import CHROMIUM, FLAGS, Server

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The page as `sketchgen web` serves it."""
    made = Server("-m", "sketchgen", "web", "--port", "0")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def slow_server() -> Iterator[Server]:
    """The slow model, which serves one person at a time."""
    made = Server(str(HERE / "slow_server.py"))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine; install Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


READY = """(() => {
  if (!document.querySelector(".sg.ready")) return false;
  const box = JSON.stringify(Sketchgen.pad.canvas.getBoundingClientRect());
  window.still = box === window.last ? window.still + 1 : 0;
  window.last = box;
  return window.still > 15; })()"""
"""All parts are there, and the layout has stood for some frames."""

AS_NEW = """(() => {
  const { suggestions, pad, sketch, settings } = Sketchgen;
  suggestions.halt();
  suggestions.setLive(false);
  suggestions.timings.firstPoint = [];
  pad.setTool("pen");
  sketch.fromJSON({});
  settings.best_of = 1;
  Sketchgen.say("");
  localStorage.clear();
  Sketchgen.show("draw"); })()"""
"""Brings a page back to where it was when it was opened, but for the candidates of a run, which take long."""


class Canvas:
    """A page that was opened, and what a person does on it."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.url = url
        self.open()

    def open(self) -> None:
        self.page.goto(self.url)
        self.wait(READY)

    def resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})
        self.tell("window.still = 0")
        self.wait(READY)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point of the 640 x 480 page stands in the window."""
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

    def do(self, name: str) -> None:
        """Click a button."""
        self.page.locator(f"[data-do={name}]").click()

    def choose(self, menu: str, item: str) -> None:
        """Choose an item of a menu."""
        self.page.locator(f"[data-menu=sg-menu-{menu}]").click()
        self.page.locator(f"#sg-menu-{menu} [data-item={item}]").click()

    def view(self, name: str) -> None:
        self.page.locator(f"#sg-views [data-view={name}]").click()

    def tell(self, script: str) -> Any:
        return self.page.evaluate(script)

    @property
    def strokes(self) -> list[list[list[float]]]:
        return self.tell("Sketchgen.sketch.strokes.map(s => s.points)")

    @property
    def added(self) -> list[bool]:
        return self.tell("Sketchgen.sketch.strokes.map(s => s.added)")

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

    def wait(self, script: str, seconds: float = 60) -> None:
        self.page.wait_for_function(script, timeout=seconds * 1000)

    def wait_done(self) -> None:
        """Until a run has come to its end."""
        self.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")

    def finish(self) -> None:
        self.do("finish")
        self.wait_done()


@pytest.fixture(scope="session")
def visit_for(browser: Any) -> Callable[..., Canvas]:
    """Opens the page of a server as a new person would, with settings of the browser's context."""

    def opened(server: Server, **settings: Any) -> Canvas:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        return Canvas(context.new_page(), server.url)

    return opened


@pytest.fixture
def visit(visit_for: Callable[..., Canvas]) -> Iterator[Callable[..., Canvas]]:
    """`visit_for`, for one test; none of its pages may have raised an error."""
    opened: list[Canvas] = []

    def visited(server: Server, **settings: Any) -> Canvas:
        opened.append(visit_for(server, **settings))
        return opened[-1]

    yield visited
    errors = [error for canvas in opened for error in canvas.errors]
    for canvas in opened:
        canvas.page.context.close()
    assert not errors


@pytest.fixture(scope="session")
def shared(visit_for: Callable[..., Canvas], server: Server) -> Canvas:
    return visit_for(server)


@pytest.fixture
def canvas(shared: Canvas) -> Iterator[Canvas]:
    """A page that nobody has drawn on; who changes its settings or its functions must `visit` one instead."""
    shared.tell(AS_NEW)
    yield shared
    assert not shared.errors


@pytest.fixture(scope="session")
def shared_paper(browser: Any) -> Iterator[Paper]:
    paper = Paper(browser)
    yield paper
    paper.page.context.close()


@pytest.fixture
def paper(shared_paper: Paper) -> Iterator[Paper]:
    """Paper on which nobody has drawn; it needs no server."""
    shared_paper.fresh()
    yield shared_paper
    assert not shared_paper.errors
