"""Serving the page: on this machine only, unless told otherwise, and asking no other machine for anything."""

from __future__ import annotations

import os
from typing import Any

import gradio as gr
from gradio.themes import Base
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sketchgen.completion.completer import load
from sketchgen.errors import SettingError
from sketchgen.limits import MAX_PORT, check_range
from sketchgen.models.recogniser import default_recogniser
from sketchgen.resources import bundled
from sketchgen.web.drawing import route
from sketchgen.web.guess import guess_route, names_route
from sketchgen.web.page import build, head, text_of
from sketchgen.web.think import think_route

MAX_BODY = 4 * 1024 * 1024
"""Largest request taken, bytes."""

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO = ("ui-monospace", "monospace")


class _TooLargeError(Exception):
    """A request went on beyond the limit."""


class BodyLimit:
    """Refuse requests of more than `MAX_BODY` bytes before they are read into memory."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        try:
            length = int(headers.get(b"content-length", b"0"))
        except ValueError:
            length = MAX_BODY + 1
        if length > MAX_BODY:
            await self._refuse(send)
            return
        seen, started = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BODY:
                raise _TooLargeError
            return message

        async def sent(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, sent)
        except _TooLargeError:
            if not started:
                await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        words = b'{"detail": "request larger than 4 MB; simplify the drawing"}'
        kind = [(b"content-type", b"application/json"), (b"content-length", str(len(words)).encode())]
        await send({"type": "http.response.start", "status": 413, "headers": kind})
        await send({"type": "http.response.body", "body": words})


def theme() -> Base:
    """Return a theme of greys with one blue, in the fonts of the system."""
    return Base(primary_hue="blue", neutral_hue="zinc", font=FONTS, font_mono=MONO)


def launch(
    checkpoint: str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    browser: bool = False,
    block: bool = True,
    **settings: Any,
) -> gr.Blocks:
    """Load a model and serve the page.

    Args:
        checkpoint: the name of a bundled checkpoint, or the path of one; None for the bundled default.
        host: the address to listen on; 0.0.0.0 for all of the machine's.
        port: the port to listen on; 0 for any free one.
        browser: open a browser.
        block: return only when the server is stopped.
        settings: passed on to `gradio.Blocks.launch`.

    Raises:
        CheckpointError: no such checkpoint.
        SettingError: the port is taken or is none.
    """
    check_range("port", port, 0, MAX_PORT)
    # Gradio counts its users unless told not to, by the page and by this.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    completer = load(checkpoint)
    # It guesses before the first point, so that nobody waits for it to be loaded.
    default_recogniser()
    page = build(completer)
    routes = [route(completer), guess_route(completer), names_route(completer), think_route(completer)]
    options: dict[str, Any] = {
        "server_name": host,
        "server_port": port or None,
        "inbrowser": browser,
        "share": False,
        "quiet": True,
        "favicon_path": bundled("web", "logo.svg"),
        "footer_links": [],
        "theme": theme(),
        "css": text_of("app.css"),
        "head": head(),
        "app_kwargs": {"middleware": [Middleware(BodyLimit)], "routes": routes},
        "prevent_thread_lock": True,
        "mcp_server": has_mcp(),
        "ssr_mode": False,
    }
    try:
        _, url, _ = page.launch(**options | settings)
    except OSError as error:
        remedy = "choose another by --port, or 0 for any free one"
        raise SettingError(f"port {port} of {host} cannot be used; {remedy}") from error
    print(f"sketchgen draws at {url} (stop it by Ctrl-C)", flush=True)
    if block:
        page.block_thread()
    return page


def has_mcp() -> bool:
    """Return whether the MCP server's requirements are installed: `pip install 'sketchgen[mcp]'`."""
    import importlib.util

    return importlib.util.find_spec("mcp") is not None
