"""A real server in a process of its own, and real browsers that draw on its page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from paper import ALONE, Canvas
from serving import CHROMIUM, FLAGS, Server

HERE = Path(__file__).parent
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


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
def playwright() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Any) -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine; install Debian's package chromium")
    opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def firefox(playwright: Any) -> Iterator[Any]:
    """Debian's Firefox by WebDriver BiDi; Playwright's own is not needed."""
    if FIREFOX is None:
        pytest.skip("no Firefox on this machine; install Debian's package firefox-esr")
    opened = playwright.firefox.launch(executable_path=FIREFOX, channel="moz-firefox", timeout=120_000)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def visit_for(browser: Any) -> Callable[..., Canvas]:
    """Opens the page, of a server or of none, as a new person would, with settings of the browser."""

    def opened(server: Server | None = None, **settings: Any) -> Canvas:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})
        return Canvas(context.new_page(), server.url if server else ALONE)

    return opened


@pytest.fixture
def visit(visit_for: Callable[..., Canvas]) -> Iterator[Callable[..., Canvas]]:
    """`visit_for`, for one test; none of its pages may have raised an error."""
    opened: list[Canvas] = []

    def visited(server: Server | None = None, **settings: Any) -> Canvas:
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
    shared.renew()
    yield shared
    assert not shared.errors


@pytest.fixture(scope="session")
def shared_paper(visit_for: Callable[..., Canvas]) -> Canvas:
    return visit_for(viewport={"width": 1000, "height": 700}, has_touch=True)


@pytest.fixture
def paper(shared_paper: Canvas) -> Iterator[Canvas]:
    """Paper on which nobody has drawn; it needs no server."""
    shared_paper.renew()
    yield shared_paper
    assert not shared_paper.errors
