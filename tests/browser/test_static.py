"""The page without a server: from a sub-path, in both browsers, without a network, on a phone, broken."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from paper import READY, Canvas
from playwright.sync_api import Error

from sketchgen.completion.completer import load
from sketchgen.formats.read_write import read
from sketchgen.web import exchange, static

CIRCLE = [(400, 240), (360, 320), (280, 320), (240, 240), (280, 160), (360, 160), (400, 240)]
STUB = Path(__file__).with_name("stub_engine.js")
SIZE = 1000


class Static(Canvas):
    """A page that was opened; its policy forbids what Playwright waits with."""

    def open(self) -> None:
        self.page.goto(self.url, timeout=120_000)
        self.wait(READY)

    def wait(self, script: str, value: Any = None) -> None:
        for _ in range(6000):
            # A page that loads itself anew cannot be asked meanwhile.
            with contextlib.suppress(Error):
                if self.page.evaluate(script, value):
                    return
            self.page.wait_for_timeout(10)
        raise AssertionError(f"never true: {script}")

    def says(self, words: str) -> None:
        self.wait("(words) => document.querySelector('#sg-status').textContent.includes(words)", words)


class Host:
    """A plain server of files; the page stands below its root."""

    def __init__(self, root: Path) -> None:
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=str(root))
        )
        self.url = f"http://127.0.0.1:{self.server.server_port}/some/where/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def made(folder: Path, engine: str = STUB.read_text(), size: int = SIZE, version: int = 1) -> Path:
    """The page around a stub of the engine."""

    def model(target: Path) -> None:
        target.mkdir()
        (target / "model.bin").write_bytes(bytes(size))
        about = {"version": version, "bytes": SIZE, "categories": ["cat"]}
        (target / "model.json").write_text(json.dumps(about))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(static, "engine", lambda: {"engine.js": engine})
        static.write_page(load("tiny"), folder, model, force=True)
    return folder


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made(tmp_path / "some" / "where")
    started = Host(tmp_path)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def shared_static(browser: Any, tmp_path_factory: Any) -> Iterator[Static]:
    root = tmp_path_factory.mktemp("static")
    made(root / "some" / "where")
    started = Host(root)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Static(context.new_page(), started.url)
    context.close()
    started.stop()


@pytest.fixture
def static_page(shared_static: Static) -> Iterator[Static]:
    shared_static.renew()
    yield shared_static
    assert not shared_static.errors


@pytest.mark.parametrize("kind", ["browser", "firefox"])
def test_drawings_are_finished_with_and_without_a_network(request: Any, host: Host, kind: str) -> None:
    context = request.getfixturevalue(kind).new_context(viewport={"width": 1280, "height": 800})
    page = Static(context.new_page(), host.url)
    page.draw(*CIRCLE)
    page.wait("document.querySelector('#sg-chips .chip[data-category=cat]:not([hidden])')")
    page.finish()
    page.suggestions.first.click()
    kept = page.strokes
    assert page.added[:2] == [False, True]
    # All files are kept when the worker is there.
    page.tell("navigator.serviceWorker.ready.then(() => true)")
    assert {url.split("/")[2] for url in page.requests if url.startswith("http")} == {host.url.split("/")[2]}
    host.stop()
    page.open()
    assert page.strokes == kept
    page.finish()
    assert len(page.tell("Sketchgen.suggestions.items.map((each) => each.arrived)")) == 4
    context.close()
    assert not page.errors


def test_a_new_version_takes_over_at_the_next_visit(browser: Any, tmp_path: Path) -> None:
    folder = made(tmp_path / "some" / "where")
    host = Host(tmp_path)
    context = browser.new_context()
    page = Static(context.new_page(), host.url)
    page.draw(*CIRCLE)
    page.tell("navigator.serviceWorker.ready.then(() => true)")
    made(folder, STUB.read_text().replace("probability: 0.9", "probability: 0.3"))
    page.open()
    page.says("new version")
    page.open()
    page.wait("document.querySelector('#sg-chips').textContent.includes('30%')")
    assert len(page.strokes) == 1
    assert len(page.tell("caches.keys()")) == 1
    # A half-finished upload changes nothing: the files of one version are kept, or none of them.
    made(folder, STUB.read_text().replace("probability: 0.9", "probability: 0.1"))
    (folder / "engine" / "engine.js").write_text("export const load = null;")
    page.open()
    page.open()
    page.wait("document.querySelector('#sg-chips').textContent.includes('30%')")
    context.close()
    host.stop()
    assert not page.errors


def test_a_phone_has_it_all_within_reach(browser: Any, host: Host) -> None:
    phone = {"viewport": {"width": 390, "height": 700}, "has_touch": True, "is_mobile": True}
    context = browser.new_context(**phone, device_scale_factor=2)
    page = Static(context.new_page(), host.url)
    page.tell("(strokes) => Sketchgen.sketch.change(Sketchgen.asStrokes([strokes], false))", CIRCLE)
    page.page.locator("[data-do=finish]").tap()
    page.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")
    page.suggestions.first.tap()
    assert page.added[0] is False
    assert any(page.added)
    assert page.tell("document.documentElement.scrollWidth") <= 390
    context.close()
    assert not page.errors


def broken(root: Path, fault: str) -> str:
    """A script that breaks the browser, for a page that may be broken itself."""
    made(
        root / "some" / "where",
        engine="export const load = 1 +" if fault == "engine" else STUB.read_text(),
        size=SIZE - 1 if fault == "cut" else SIZE,
        version=2 if fault == "version" else 1,
    )
    forbid = "Object.defineProperty(window, '{}', {{ get() {{ throw new DOMException('no'); }} }});"
    return {
        "no workers": "delete window.Worker;",
        "no storage": "".join(map(forbid.format, ("localStorage", "sessionStorage", "caches")))
        + "delete Navigator.prototype.serviceWorker;",
    }.get(fault, "")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("cut", "999 bytes of 1000"),
        ("version", "has version 2"),
        ("engine", "does not let the page run"),
        ("no workers", "does not let the page run"),
        ("no storage", "does not keep drawings"),
    ],
)
def test_what_is_wrong_is_told_and_the_drawing_is_kept(
    browser: Any, tmp_path: Path, fault: str, words: str
) -> None:
    context = browser.new_context()
    context.add_init_script(broken(tmp_path, fault))
    host = Host(tmp_path)
    page = Static(context.new_page(), host.url)
    if fault != "no storage":
        page.says(words)
    page.draw(*CIRCLE)
    if fault != "no storage":
        page.do("finish")
    page.says(words)
    assert len(page.strokes) == 1
    assert page.tell("Sketchgen.suggestions.running") is False
    assert page.tell("Sketchgen.exported('svg').then(({ blob }) => blob.size)") > 100
    context.close()
    host.stop()
    assert not page.errors


def test_a_worker_that_is_gone_after_a_sleep_is_told_and_started_again(static_page: Static) -> None:
    static_page.draw(*CIRCLE)
    static_page.tell(
        """(() => { const { prototype } = Worker; window.post = prototype.postMessage;
        prototype.postMessage = () => {}; Sketchgen.local.patience = 20; })()"""
    )
    static_page.do("finish")
    # As when the tab is seen again.
    static_page.tell("document.dispatchEvent(new Event('visibilitychange'))")
    static_page.says("has stopped the model")
    static_page.tell("void (Worker.prototype.postMessage = window.post)")
    assert len(static_page.strokes) == 1
    static_page.finish()


def test_what_is_not_there_is_not_offered(static_page: Static) -> None:
    items = "[...document.querySelectorAll('#sg-menu-save [data-item]')].map((each) => each.dataset.item)"
    assert static_page.tell(items) == ["svg", "png", "animated", "excalidraw", "json", "ndjson"]
    assert static_page.page.locator("[data-option=think]").count() == 0


SVG = """<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 viewBox="0 0 320 240"><style>.red { stroke: #dc2f45; fill: none } .away { display: none }</style>
<script>document.title = "run"</script><image href="http://example.org/x.png" onload="alert(1)"/>
<rect width="320" height="240" fill="#eee"/>
<g transform="translate(10 20) scale(2)" fill="none" stroke="black">
<path id="a" d="m10 10l20 0 0,20H10zM50 50 q10-10 20 0t20 0"/><line class="away" x2="50" y2="9"/></g>
<use xlink:href="#a" x="5" class="red"/><circle class="red" cx="200" cy="100" r="40"/>
<path fill="none" stroke="blue" d="M100 200a20 20 0 0120 20C130 230 140 230 150 200S170 190 180 200"/>
</svg>"""


def opened(page: Static, text: str, name: str) -> Any:
    return page.tell(
        "async ([text, name]) => { await Sketchgen.openText(text, name); return Sketchgen.sketch.strokes; }",
        [text, name],
    )


def dense(points: Any) -> Any:
    """The points of a line, and others between them."""
    at = np.linspace(0, len(points) - 1, 16 * len(points))
    return np.stack([np.interp(at, np.arange(len(points)), axis) for axis in np.transpose(points)], 1)


def test_an_svg_of_any_program_is_read_as_the_server_reads_it(static_page: Static) -> None:
    found = opened(static_page, SVG, "some.svg")
    sketch, _ = exchange.opened(SVG, "some.svg")
    assert len(found) == len(sketch.strokes) == 6
    for stroke, wanted in zip(found, sketch.strokes, strict=True):
        far = np.hypot(*(dense([point[:2] for point in stroke["points"]])[:, None] - dense(wanted)).T)
        assert max(far.min(0).max(), far.min(1).max()) < 2
    assert [stroke.get("color") for stroke in found] == [
        None,
        None,
        "#dc2f45",
        "#dc2f45",
        "#dc2f45",
        "#0000ff",
    ]
    assert static_page.tell("document.title") == "sketchgen"
    assert not any("example.org" in url for url in static_page.requests)


def test_what_is_saved_is_read_by_python_and_opened_again(static_page: Static, tmp_path: Path) -> None:
    strokes = [
        {"points": [[float(x), y + 0.25] for x, y in CIRCLE], "added": False, "color": "#2f7fd6", "width": 8},
        {"points": [[100, 100], [200, 300], [320, 80]], "added": False, "corners": True},
        {"points": [[50, 60]], "added": False},
        {"points": [[9, 9, 0, 0.2], [9, 60, 0, 0.75], [40, 60, 0, 0.5]], "added": False, "width": 8},
        {"points": [[300, 300], [310, 330], [350, 340], [380, 320]], "added": True},
    ]
    lists = [[point[:2] for point in stroke["points"]] for stroke in strokes]
    for form in ("svg", "animated", "excalidraw", "json", "ndjson"):
        static_page.tell("(strokes) => Sketchgen.sketch.load(strokes)", strokes)
        name, text = static_page.tell(
            "(form) => Sketchgen.exported(form).then(async ({ name, blob }) => [name, await blob.text()])",
            form,
        )
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert [stroke.tolist() for stroke in read(path).strokes] == lists, form
        static_page.tell("Sketchgen.sketch.fromJSON({})")
        again = opened(static_page, text, name)
        found = [[point[:2] for point in stroke["points"]] for stroke in again]
        if form == "ndjson":
            assert [len(stroke) for stroke in found] == [len(stroke) for stroke in lists]
            continue
        assert found == lists, form
        assert [stroke["added"] for stroke in again] == [False, False, False, False, True], form
        if form != "animated":
            pressed = [(point[3], again[3]["width"]) for point in again[3]["points"]]
            assert pressed == [(pytest.approx(each, abs=0.002), 8) for each in (0.2, 0.75, 0.5)], form
        assert [again[0]["color"], again[0]["width"], again[1]["corners"]] == ["#2f7fd6", 8, True], form


@pytest.mark.parametrize(
    "text",
    [
        "<svg",
        "<html></html>",
        "{}",
        '{"strokes": [[["a", 1]]]}',
        "[",
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_what_is_no_drawing_is_told(static_page: Static, text: str) -> None:
    assert opened(static_page, text, "thing") == []
    static_page.says("thing cannot be opened")
