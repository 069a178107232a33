"""Completions as a stream of small messages for the browser: new points only, the first one at once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator
from typing import Any

import numpy as np

from sketchgen.app.request import Request
from sketchgen.generate.completer import Completer, Growth

FLUSH = 1 / 60
"""Seconds between messages: a screen shows no more, and the queue carries no more with ease."""

Message = dict[str, Any]
"""`{run, rev, seq, n, alts, done}`: `alts` is a list of new points [x, y, pen] for each alternative; the pen
is 0 where the line goes on and 1 where it is lifted. With `error`, a text, the run is over."""


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
