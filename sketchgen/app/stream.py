"""Completions as a stream of small messages for the browser: new points only, the first one at once."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Generator
from threading import Lock
from typing import Any

import numpy as np

from sketchgen.app.request import Request
from sketchgen.generate.completer import Completer, Growth

FLUSH = 1 / 60
"""Seconds between messages: a screen shows no more, and the queue carries no more with ease."""

MOST_SESSIONS = 10_000

Message = dict[str, Any]
"""`{run, rev, seq, n, alts, done}`: `alts` is a list of new points [x, y, pen] for each alternative; the pen
is 0 where the line goes on and 1 where it is lifted. With `error`, a text, the run is over."""


class Halted:
    """Which runs are over because somebody drew on, by the session of the browser.

    Gradio stops a run whose number the browser still knows; when runs follow each other closely it may have
    forgotten it. Of the sessions, the `MOST_SESSIONS` last ones are remembered.
    """

    def __init__(self) -> None:
        """Nobody has halted anything."""
        self._until: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def halt(self, session: str | None, rev: int) -> None:
        """End a session's runs about `rev` and about every state of the drawing before it."""
        if session is None:
            return
        with self._lock:
            self._until[session] = max(rev, self._until.pop(session, -1))
            while len(self._until) > MOST_SESSIONS:
                self._until.popitem(last=False)

    def over(self, session: str | None, rev: int) -> bool:
        """Whether a run is to end."""
        return session is not None and rev <= self._until.get(session, -1)


def messages(completer: Completer, request: Request) -> Generator[Message, None, None]:
    """The messages of a run. Whoever stops asking stops the model within a step."""
    run, sequence = secrets.token_hex(6), 0
    waiting: list[list[list[float]]] = [[] for _ in range(request.count)]
    flushed = -1.0

    def message(*, done: bool) -> Message:
        return {
            "run": run,
            "rev": request.rev,
            "seq": sequence,
            "n": request.count,
            "alts": waiting,
            "done": done,
        }

    stream = completer.stream(
        request.sketch, request.category, request.count, request.temperature, request.seed
    )
    for growth in stream:
        _collect(waiting, growth)
        now = time.monotonic()
        if now - flushed >= FLUSH and any(waiting):
            yield message(done=False)
            sequence, flushed = sequence + 1, now
            waiting = [[] for _ in range(request.count)]
    yield message(done=True)


def _collect(waiting: list[list[list[float]]], growth: Growth) -> None:
    for row in np.flatnonzero(growth.drawn):
        x, y = growth.points[row].tolist()
        waiting[row].append([x, y, int(growth.pen[row])])


def failure(words: str, rev: int = 0) -> Message:
    """The message that ends a run with an error."""
    return {
        "run": secrets.token_hex(6),
        "rev": rev,
        "seq": 0,
        "n": 0,
        "alts": [],
        "done": True,
        "error": words,
    }
