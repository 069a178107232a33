"""The address at which the page asks what a drawing may become, after each stroke, and the names to show."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.to_thread import run_sync
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sketchgen.completion.completer import Completer
from sketchgen.errors import FormatError, SketchgenError
from sketchgen.resources import names
from sketchgen.web.drawing import COMPUTING, WAITING, posting
from sketchgen.web.request import checked_sketch

PATH = "/sketchgen/guess"

NAMES_PATH = "/sketchgen/names"

COUNT = 5
"""Guesses of an answer."""


def guesses(completer: Completer, question: Any) -> dict[str, Any]:
    """Return the likeliest categories of the drawing in a question, [category, probability] each.

    Raises:
        SketchgenError: it is no drawing, or too large.
    """
    if not isinstance(question, dict) or question.get("drawing") is None:
        raise FormatError("no drawing came with the request")
    found = completer.guess(checked_sketch(question["drawing"]), COUNT)
    return {"guesses": [[each.category, round(each.probability, 4)] for each in found]}


def guess_route(completer: Completer) -> Route:
    """Return the route of live guesses: `{drawing}` in, `guesses` out."""
    computing = anyio.CapacityLimiter(COMPUTING)

    async def guess(asked: HttpRequest, question: Any) -> Response:
        if computing.statistics().tasks_waiting >= WAITING:
            return JSONResponse({"detail": "too many people are drawing; try again in a minute"}, 503)
        async with computing:
            # Whoever has drawn on meanwhile has asked anew.
            if await asked.is_disconnected():
                return Response(status_code=204)
            try:
                return JSONResponse(await run_sync(guesses, completer, question))
            except SketchgenError as error:
                return JSONResponse({"detail": str(error)}, 400)

    return posting(PATH, guess)


def names_route(completer: Completer) -> Route:
    """Return the route of what `sketchgen.resources.names` tells of the model's categories."""

    async def tell(asked: HttpRequest) -> Response:
        known = {category: names().get(category, {}) for category in completer.categories}
        return JSONResponse(known, headers={"cache-control": "max-age=3600"})

    return Route(NAMES_PATH, tell)
