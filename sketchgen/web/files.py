"""The addresses at which the page opens files and saves its drawing, in processes that can be stopped."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

import anyio
from anyio.to_process import run_sync
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sketchgen.errors import FormatError, SketchgenError
from sketchgen.web import exchange
from sketchgen.web.drawing import COMPUTING, posting
from sketchgen.web.stroke_styles import told

SECONDS = 20.0
"""Time that a file may take."""

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")


async def in_time(
    limiter: anyio.CapacityLimiter,
    function: Callable[[*_Arguments], _Result],
    *arguments: *_Arguments,
) -> _Result:
    """Return what a function returns in another process, which is ended after `SECONDS`.

    A thread cannot be ended, and holds up all others while it parses.

    Raises:
        FormatError: the time is over.
    """
    try:
        async with limiter:
            # A new process imports first, which is none of the work and may take long where much else runs.
            await run_sync(_ready)
            with anyio.fail_after(SECONDS):
                return await run_sync(function, *arguments, cancellable=True)
    except TimeoutError:
        raise FormatError(f"this takes longer than {SECONDS:g} s; simplify the drawing") from None


def _ready() -> None:
    """Do nothing; whoever can do it has imported this module."""


def opened(question: Any) -> dict[str, Any]:
    """Return the drawing of a file `{text, name}` as `{strokes, styles, category}`; see `exchange.opened`."""
    sketch, styles = exchange.opened(question.get("text"), question.get("name"))
    strokes = [stroke.tolist() for stroke in sketch.strokes]
    return {"strokes": strokes, "styles": [told(own) for own in styles], "category": sketch.category}


def saved(question: Any) -> dict[str, Any]:
    """Return the file of a `{drawing, format, smooth}` as `{name, type, base64}`; see `exchange.exported`."""
    drawing, form, smooth = (question.get(key) for key in ("drawing", "format", "smooth"))
    name, kind, content = exchange.exported(drawing, form, smooth)
    return {"name": name, "type": kind, "base64": base64.b64encode(content).decode()}


def file_routes() -> list[Route]:
    """Return the routes of both; an error is answered as `{error}`, which the browser shows."""
    limiter = anyio.CapacityLimiter(COMPUTING)

    async def answer(function: Callable[[Any], dict[str, Any]], _: HttpRequest, question: Any) -> Response:
        question = question if isinstance(question, dict) else {}
        try:
            return JSONResponse(await in_time(limiter, function, question))
        except SketchgenError as error:
            return JSONResponse({"error": str(error)})

    functions = {"open": opened, "export": saved}
    return [posting(f"/sketchgen/{name}", partial(answer, each)) for name, each in functions.items()]
