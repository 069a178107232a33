"""The address at which the page requests completions; the answer is streamed while the model draws.

It is no event of Gradio's: those take a request into the queue and another for its messages, and the first
point waits for both. Here closing the connection stops the model.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import anyio
import orjson
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sketchgen.completion.completer import Completer
from sketchgen.errors import SketchgenError
from sketchgen.models.memory import give_back_freed_memory
from sketchgen.web.request import Message, checked, messages

PATH = "/sketchgen/draw"

CAPACITY = 16
"""Requests that are served at the same time; more wait their turn."""

WAITING = 200
"""Requests that may wait; more are refused with a message."""

COMPUTING = os.cpu_count() or 1
"""Requests that compute at the same moment: more would only be in each other's way."""

RUN_SECONDS = 60.0
"""Time of a processor after which a request is given up."""

HEADERS = [
    (b"content-type", b"application/x-ndjson"),
    (b"cache-control", b"no-store"),
    # Else a proxy such as nginx would collect the lines before it passes them on.
    (b"x-accel-buffering", b"no"),
]


class BusyError(SketchgenError):
    """More people want to wait than may."""


class Turns:
    """A queue of people: the first `capacity` are served, the others wait in the order of their arrival.

    All methods belong to one event loop.
    """

    def __init__(self, capacity: int, waiting: int) -> None:
        """Serve `capacity` at a time while at most `waiting` others wait."""
        self.capacity, self.waiting = capacity, waiting
        self._queue: list[asyncio.Event] = []

    def join(self) -> asyncio.Event:
        """Join the queue; whoever does must `leave`, served or not.

        Raises:
            BusyError: too many wait already.
        """
        if len(self._queue) >= self.capacity + self.waiting:
            raise BusyError(f"{self.waiting} people are waiting already; try again in a minute")
        person = asyncio.Event()
        self._queue.append(person)
        return person

    def leave(self, person: asyncio.Event) -> None:
        """Make room for the next."""
        self._queue.remove(person)
        for each in self._queue:
            each.set()

    def ahead(self, person: asyncio.Event) -> int:
        """Return how many must leave before it is this person's turn."""
        return max(0, self._queue.index(person) - self.capacity + 1)

    async def wait(self, person: asyncio.Event) -> AsyncIterator[int]:
        """Yield how many are ahead, now and whenever that changes, until it is this person's turn."""
        before = 0
        while True:
            # First of all: whoever leaves while the loop is suspended must wake it up.
            person.clear()
            ahead = self.ahead(person)
            if not ahead:
                return
            if ahead != before:
                before = ahead
                yield ahead
            await person.wait()


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
    # Of what came only the request is kept.
    del question
    try:
        request = await run_sync(check)
        person = turns.join()
    except SketchgenError as error:
        yield {"error": str(error)}
        return
    finally:
        del check
    try:
        async for ahead in turns.wait(person):
            yield {"waiting": ahead}
        run = messages(completer, request)
        try:
            # Fair by message: a first point does not wait for all that others still draw.
            spent = 0.0
            while True:
                message, seconds = await run_sync(_timed, run, limiter=computing)
                if message is None:
                    break
                yield message
                spent += seconds
                if spent > RUN_SECONDS:
                    yield {"error": f"this takes longer than {RUN_SECONDS:g} s; ask for fewer alternatives"}
                    return
        finally:
            run.close()
    finally:
        turns.leave(person)


def _timed(run: Iterator[Message]) -> tuple[Message | None, float]:
    """Return the next message, None at the end, and the seconds that it took of a processor."""
    begun = time.thread_time()
    message = next(run, None)
    if message is None:
        # Else the allocator keeps for each thread what it has freed, in pieces.
        give_back_freed_memory()
    return message, time.thread_time() - begun


def route(completer: Completer) -> Route:
    """Return the route of the page's requests; see `answers`."""
    turns, computing = Turns(CAPACITY, WAITING), anyio.CapacityLimiter(COMPUTING)

    async def draw(_: HttpRequest, question: Any) -> Response:
        return Lines(answers(completer, turns, computing, question))

    return posting(PATH, draw)


def posting(path: str, answer: Callable[[HttpRequest, Any], Awaitable[Response]]) -> Route:
    """Return a route to which the page posts questions in JSON."""

    async def posted(asked: HttpRequest) -> Response:
        try:
            # Unlike `asked.json()` it leaves nothing of the request behind while the answer is on its way.
            question = orjson.loads(b"".join([part async for part in asked.stream()]))
        except orjson.JSONDecodeError:
            return JSONResponse({"detail": "the request is not JSON"}, 400)
        except ClientDisconnect:
            return Response(status_code=204)
        return await answer(asked, question)

    return Route(path, posted, methods=["POST"])
