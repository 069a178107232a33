"""The address at which the page asks for drawings between two, and for variations of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import anyio
from anyio.to_thread import run_sync
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sketchgen.completion.completer import Completer
from sketchgen.completion.latent import Item, LatentSpace, latent_beside
from sketchgen.errors import FormatError, SketchgenError
from sketchgen.sketch.sketch import Sketch
from sketchgen.web.drawing import WAITING, posting
from sketchgen.web.request import checked_category, checked_sketch, whole

PATH = "/sketchgen/latent"

MAX_DRAWINGS = 17
"""Most drawings of an answer."""

BEST_OF = 4
"""Candidates for each drawing of an answer."""

COMPUTING = 1
"""Requests that compute at the same moment: a slider must not slow down who draws."""


def drawings(space: LatentSpace, question: Any) -> list[Sketch]:
    """Return the drawings that a question asks for.

    Args:
        space: the model.
        question: `{first, last, count, seed}` for those between two, each `{drawing}` or `{category}`; or
            `{first, strength, count, seed}` for variations of a drawing.

    Raises:
        SketchgenError: something in it is not what it should be.
    """
    question = question if isinstance(question, dict) else {}
    count = whole("count", question.get("count"), 1, MAX_DRAWINGS)
    seed = whole("seed", question.get("seed", 0), 0, 2**53)
    first = _item(space, question.get("first"), "first")
    if "strength" not in question:
        return space.interpolate(first, _item(space, question.get("last"), "last"), count, seed=seed)
    if isinstance(first, str):
        raise FormatError(f"first: variations are of a drawing, not of a category such as {first!r}")
    return space.vary(first, question["strength"], count, seed=seed)


def _item(space: LatentSpace, told: Any, name: str) -> Item:
    """Return a drawing, or the name of a category."""
    told = told if isinstance(told, Mapping) else {}
    if told.get("drawing") is not None:
        return checked_sketch(told["drawing"], name)
    category = checked_category(space.model, told.get("category"))
    if category not in space.model.categories:
        raise FormatError(f"{name}: neither a drawing nor a category came with the request")
    return category


def _answer(space: LatentSpace, question: Any) -> dict[str, Any]:
    found = drawings(space, question)
    return {"drawings": [[stroke.round(1).tolist() for stroke in each.strokes] for each in found]}


def latent_routes(completer: Completer) -> list[Route]:
    """Return the route: a question to `{drawings}`, lists of strokes, or to `{error}`.

    There is none without a model that can answer.
    """
    beside = latent_beside(completer)
    if beside is None:
        return []
    space = replace(beside, best_of=BEST_OF)
    computing = anyio.CapacityLimiter(COMPUTING)

    async def draw(asked: HttpRequest, question: Any) -> Response:
        if computing.statistics().tasks_waiting >= WAITING:
            return JSONResponse({"error": "too many people are drawing; try again in a minute"})
        async with computing:
            # Whoever has changed a drawing meanwhile has asked anew.
            if await asked.is_disconnected():
                return Response(status_code=204)
            try:
                return JSONResponse(await run_sync(_answer, space, question))
            except SketchgenError as error:
                return JSONResponse({"error": str(error)})

    return [posting(PATH, draw)]
