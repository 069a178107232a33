"""Serving the page: on this machine only, unless told otherwise, and asking no other machine for anything."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import Collection

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.themes import Base
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse

from sketchgen.completion.completer import Completer, load
from sketchgen.limits import MAX_PORT, check_range
from sketchgen.models.recogniser import default_recogniser
from sketchgen.resources import bundled
from sketchgen.web.assets import head, style
from sketchgen.web.drawing import route
from sketchgen.web.files import file_routes
from sketchgen.web.guard import Connection, Guard
from sketchgen.web.guess import guess_route, names_route
from sketchgen.web.latent import latent_routes
from sketchgen.web.listening import MAX_CONNECTIONS, announced, listening
from sketchgen.web.page import build
from sketchgen.web.think import think_route

CLOSING_SECONDS = 2
"""Time that requests have to end when the server is stopped."""

MISTAKES = (LookupError, TypeError, ValueError, AttributeError)
"""What Gradio raises on requests that its own page would not send."""

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO = ("ui-monospace", "monospace")


def theme() -> Base:
    """Return a theme of greys with one blue, in the fonts of the system."""
    return Base(primary_hue="blue", neutral_hue="zinc", font=FONTS, font_mono=MONO)


def launch(
    checkpoint: str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    browser: bool = False,
    names: Collection[str] = (),
) -> None:
    """Load a model and serve the page until the server is stopped.

    Args:
        checkpoint: the name of a bundled checkpoint, or the path of one; None for the bundled default.
        host: the address to listen on; 0.0.0.0 for all of the machine's.
        port: the port to listen on; 0 for any free one.
        browser: open a browser.
        names: names under which the page is asked for, besides local ones and addresses, such as that of a
            proxy before it.

    Raises:
        CheckpointError: no such checkpoint.
        SettingError: the port is taken or is none.
    """
    check_range("port", port, 0, MAX_PORT)
    # Gradio counts its users unless told not to, by the page and by this.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    with listening(host, port) as socket_:
        completer = load(checkpoint)
        # It guesses before the first point, so that nobody waits for it to be loaded.
        default_recogniser()
        config = uvicorn.Config(
            application(completer, names),
            http=Connection,
            ws="none",
            log_level="error",
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=CLOSING_SECONDS,
        )
        url = announced(host, socket_)
        if browser:
            webbrowser.open(url)
        uvicorn.Server(config).run([socket_])


async def _mistaken(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "this server does not understand the request"}, 400)


def application(completer: Completer, names: Collection[str] = ()) -> FastAPI:
    """Return the app: the page's own addresses, Gradio's behind them, and the guard before both."""
    app = FastAPI(
        routes=[
            route(completer),
            guess_route(completer),
            names_route(completer),
            think_route(completer),
            *latent_routes(completer),
            *file_routes(),
        ],
        middleware=[Middleware(Guard, names=names)],
        openapi_url=None,
    )
    return gr.mount_gradio_app(
        app,
        build(completer),
        "/",
        app_kwargs={"exception_handlers": dict.fromkeys(MISTAKES, _mistaken)},
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        favicon_path=str(bundled("web", "logo.svg")),
        theme=theme(),
        css=style(),
        head=head(),
        mcp_server=has_mcp(),
        ssr_mode=False,
    )


def has_mcp() -> bool:
    """Return whether the MCP server's requirements are installed: `pip install 'sketchgen[mcp]'`."""
    import importlib.util

    return importlib.util.find_spec("mcp") is not None
