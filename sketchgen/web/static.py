"""The page without a server: a folder of static files with the model in it, for any host and any path."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import re
import tempfile
import webbrowser
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from sketchgen.completion.completer import Completer, load
from sketchgen.completion.portable import check_precision, write_web_model
from sketchgen.errors import OutputError
from sketchgen.formats.raster import image_bytes, to_image
from sketchgen.formats.svg_reader import parse_styled_svg
from sketchgen.formats.svg_writer import Style
from sketchgen.limits import MAX_PORT, check_range
from sketchgen.models.checkpoint import CARD, CLASSIFIER, STROKE_MODEL, find_checkpoint
from sketchgen.resources import bundled, names
from sketchgen.sketch.files import check_replaceable, reason, whole_folder
from sketchgen.sketch.sketch import Box
from sketchgen.web.assets import ABOUT, SCRIPTS, facts, script, style, text_of
from sketchgen.web.listening import announced, listening

PAGE, WORKER = "index.html", "service.js"
"""The page, and the worker that keeps all files in the browser, by which such a folder is known."""

LOCAL_SCRIPTS = ("static/local.js", "static/open.js", "static/save.js")
"""What takes the place of a server; loaded after the scripts of the page."""

ICONS = {"icon-180.png": 180, "icon-192.png": 192, "icon-512.png": 512}
"""Pictures of the logo, px; the first one is for Apple's devices."""

BEST_OF = 2
"""Candidates for each alternative, unless a visitor wants more: ranking takes a browser most of the time."""

POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'"
"""What browsers enforce: the page asks no other host for anything."""

SOURCES = """sketchgen draws what you see here, in your browser. Nothing that you draw leaves it.

The program is under the Apache License 2.0, see LICENSE. The models are under CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/). They were trained on drawings of "Quick, Draw!" by Google
(https://github.com/googlecreativelab/quickdraw-dataset), CC BY 4.0. What follows tells how, and by which
other models, as the model cards do.
"""

WriteModel = Callable[[Path], None]
"""Writes `model.json` and `model.bin` into a new folder."""


def export_page(
    checkpoint: str | None, folder: Path, *, precision: str = "float16", force: bool = False
) -> int:
    """Write the page with a model into a folder, which is replaced as a whole.

    Args:
        checkpoint: the name of a bundled checkpoint, or the path of one; None for the bundled default.
        folder: the new folder.
        precision: of the weights, see `write_web_model`.
        force: replace a folder that holds such a page.

    Returns:
        The size of all files, bytes.

    Raises:
        SettingError: there is no such precision.
        CheckpointError: no such checkpoint.
        OutputError: the folder exists, or cannot be written.
    """
    check_precision(precision)
    found = find_checkpoint(checkpoint, STROKE_MODEL), find_checkpoint(None, CLASSIFIER)
    cards = [each.path / CARD for each in found]
    told = [card.read_text(encoding="utf-8").split("---\n", 2)[-1] for card in cards if card.is_file()]
    write = functools.partial(write_web_model, checkpoint, precision=precision)
    return write_page(load(checkpoint), folder, write, "\n".join([SOURCES, *told]), force=force)


def write_page(
    completer: Completer,
    folder: Path,
    write_model: WriteModel,
    credits_: str = SOURCES,
    *,
    force: bool = False,
) -> int:
    """Write the page around a model, of which `write_model` writes the weights; see `export_page`."""
    check_replaceable(folder, WORKER, "a page of sketchgen", force=force)
    files = {**_page(completer), **_icons(), "LICENSE": _license(), "credits.txt": credits_.encode()}
    try:
        with whole_folder(folder) as work:
            for name, content in files.items():
                (work / name).parent.mkdir(parents=True, exist_ok=True)
                (work / name).write_bytes(content)
            write_model(work / "model")
            (work / WORKER).write_text(_service_worker(work), encoding="utf-8")
            return sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {reason(error)}") from error


def _page(completer: Completer) -> dict[str, bytes]:
    """Return the page, its scripts and its styles."""
    known, model = names(), facts(completer)
    model["settings"]["best_of"] = BEST_OF
    scripts = script(
        [*SCRIPTS, *LOCAL_SCRIPTS, "static/start.js"],
        MODEL=model,
        NAMES={category: known.get(category, {}) for category in completer.categories},
    )
    files = {
        PAGE: _html(),
        "app.js": scripts,
        "app.css": style() + "\nbody { margin: 0; }\n",
        "worker.js": text_of("static/worker.js"),
        "manifest.webmanifest": _manifest(),
        "icon.svg": text_of("logo.svg"),
    }
    files |= {f"engine/{name}": text for name, text in engine().items()}
    return {name: text.encode() for name, text in files.items()}


def engine() -> dict[str, str]:
    """Return the files of the engine by their names: modules, types and examples."""
    folder = bundled("web", "engine")
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in (".js", ".ts", ".html")]
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _html() -> str:
    """Return the page, whose addresses are all relative."""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<title>sketchgen</title>
<meta name="description" content="{ABOUT}">
<meta property="og:title" content="sketchgen">
<meta property="og:description" content="{ABOUT}">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#f5f4f0" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#161618" media="(prefers-color-scheme: dark)">
<link rel="manifest" href="manifest.webmanifest">
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="apple-touch-icon" href="icon-180.png">
<link rel="stylesheet" href="app.css">
<noscript>This page draws with JavaScript, which is switched off.</noscript>
<div class="gradio-container" id="app"><div class="sg">{text_of("app.html")}</div></div>
<script src="app.js"></script>
"""


def _manifest() -> str:
    """Return what a browser must know to install the page."""
    icons = [
        {"src": name, "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
        for name, side in list(ICONS.items())[1:]
        for purpose in ("any", "maskable")
    ]
    value = {
        "name": "sketchgen",
        "short_name": "sketchgen",
        "description": ABOUT,
        "start_url": "./",
        "scope": "./",
        "id": "./",
        "display": "standalone",
        "background_color": "#f5f4f0",
        "theme_color": "#f5f4f0",
        "icons": [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}, *icons],
    }
    return json.dumps(value, indent=1)


def _icons() -> dict[str, bytes]:
    """Return pictures of the logo, with so much room around it that it may be cut to a circle."""
    logo, strokes = parse_styled_svg(bundled("web", "logo.svg").read_bytes())
    framed = logo.replaced(page=Box(-4.0, -4.0, 32.0, 32.0))
    style = Style(smooth="off", strokes=tuple(strokes))
    return {name: image_bytes(to_image(framed, side, style)) for name, side in ICONS.items()}


def _license() -> bytes:
    """Return the licence of the program, of a checkout or of what is installed."""
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").is_file():
        return (checkout / "LICENSE").read_bytes()
    try:
        text = distribution("sketchgen").read_text("licenses/LICENSE")
    except PackageNotFoundError:
        text = None
    return (text or "https://www.apache.org/licenses/LICENSE-2.0\n").encode()


def _service_worker(folder: Path) -> str:
    """Return the worker that keeps the files of the folder, with their checksums."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }
    return re.sub(
        r"FILES = \{\};.*", lambda _: f"FILES = {json.dumps(sums, indent=1)};", text_of("static/service.js")
    )


class _Files(http.server.SimpleHTTPRequestHandler):
    """Serves files; browsers ask each time whether one has changed, so that an update is seen at once."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        # Not what the machine's own table says, which may be anything.
        ".js": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".webmanifest": "application/manifest+json",
    }

    def end_headers(self) -> None:
        """Add the header that asks to be asked."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of requests."""


def launch_static(
    source: str | None, *, host: str = "127.0.0.1", port: int = 7860, browser: bool = False
) -> None:
    """Serve the page as static files until the server is stopped.

    Args:
        source: a folder that `export_page` wrote, or a checkpoint of which one is made for this.
        host: the address to listen on.
        port: the port to listen on; 0 for any free one.
        browser: open a browser.
    """
    if source is not None and (Path(source) / PAGE).is_file():
        serve(Path(source), host=host, port=port, browser=browser)
        return
    with tempfile.TemporaryDirectory() as folder:
        export_page(source, Path(folder) / "page")
        serve(Path(folder) / "page", host=host, port=port, browser=browser)


def serve(folder: Path, *, host: str = "127.0.0.1", port: int = 7860, browser: bool = False) -> None:
    """Serve a folder of static files until the server is stopped.

    Raises:
        SettingError: the port is taken or is none.
    """
    check_range("port", port, 0, MAX_PORT)
    with listening(host, port) as socket_:
        handler = functools.partial(_Files, directory=str(folder))
        server = http.server.ThreadingHTTPServer(socket_.getsockname()[:2], handler, bind_and_activate=False)
        server.socket.close()
        server.socket = socket_
        url = announced(host, socket_)
        if browser:
            webbrowser.open(url)
        server.serve_forever()
