"""The address at which the page requests completions; the answer is streamed while the model draws.

It is no event of Gradio's: those take a request into the queue and another for its messages, and the first
point waits for both. Here closing the connection stops the model.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import anyio
from anyio.to_thread import run_sync
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sketchgen.completion.completer import Completer
from sketchgen.errors import SketchgenError
from sketchgen.web.request import checked
from sketchgen.web.stream import Message, messages
from sketchgen.web.turns import Turns

PATH = "/sketchgen/draw"

CAPACITY = 16
"""Requests that are served at the same time; more wait their turn."""

WAITING = 200
"""Requests that may wait; more are refused with a message."""

COMPUTING = os.cpu_count() or 1
"""Requests that compute at the same moment: more would only be in each other's way."""

HEADERS = [
    (b"content-type", b"application/x-ndjson"),
    (b"cache-control", b"no-store"),
    # Else a proxy such as nginx would collect the lines before it passes them on.
    (b"x-accel-buffering", b"no"),
]


class Lines(Response):
    """Messages as lines of JSON, each sent at once; none is computed after the reader has left."""

    def __init__(self, found: AsyncGenerator[Message, None]) -> None:
        super().__init__()
        self.found = found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all messages, or stop when the reader leaves."""
        start = {"type": "http.response.start", "status": 200, "headers": HEADERS}
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(watch)
            try:
                await send(start)
                async for message in self.found:
                    body = json.dumps(message, separators=(",", ":")).encode() + b"\n"
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            finally:
                with anyio.CancelScope(shield=True):
                    await self.found.aclose()
            group.cancel_scope.cancel()


async def answers(
    completer: Completer, turns: Turns, computing: anyio.CapacityLimiter, question: Any
) -> AsyncGenerator[Message, None]:
    """Yield the messages of one request: how many are ahead, then points; or what is wrong with it."""
    question = question if isinstance(question, dict) else {}
    names = ("drawing", "category", "count", "temperature", "seed", "guidance", "best_of")
    check = partial(checked, completer, **{name: question.get(name) for name in names})
    try:
        request = await run_sync(check)
        person = turns.join()
    except SketchgenError as error:
        yield {"error": str(error)}
        return
    try:
        async for ahead in turns.wait(person):
            yield {"waiting": ahead}
        run = messages(completer, request)
        try:
            # Fair by message: a first point does not wait for all that others still draw.
            while (message := await run_sync(next, run, None, limiter=computing)) is not None:
                yield message
        finally:
            run.close()
    finally:
        turns.leave(person)


def route(completer: Completer) -> Route:
    """Return the route of the page's requests; see `answers`."""
    turns, computing = Turns(CAPACITY, WAITING), anyio.CapacityLimiter(COMPUTING)

    async def draw(asked: HttpRequest) -> Response:
        # Other sites' pages may send plain text to any address, but no JSON without asking first.
        if asked.headers.get("content-type", "").split(";")[0] != "application/json":
            return JSONResponse({"detail": "the request must be application/json"}, 415)
        try:
            question = await asked.json()
        except (ValueError, RecursionError):
            return JSONResponse({"detail": "the request is not JSON"}, 400)
        return Lines(answers(completer, turns, computing, question))

    return Route(PATH, draw, methods=["POST"])
