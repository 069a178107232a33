"""Completions as a stream of small messages for the browser: new points only, the first one at once."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import numpy as np

from sketchgen.app.request import Request
from sketchgen.generate.completer import Completer, Growth

FLUSH = 1 / 60
"""Seconds between messages: a screen shows no more."""

Message = dict[str, Any]
"""`{alts, done}`: a list of new points [x, y, pen] for each alternative, the pen being 0 where the line goes
on and 1 where it is lifted; or `{waiting}`: how many must be served before; or `{error}`: a text, the end."""


def messages(completer: Completer, request: Request) -> Generator[Message, None, None]:
    """The messages of a run. Whoever stops asking stops the model within a step."""
    waiting: list[list[list[float]]] = [[] for _ in range(request.count)]
    flushed = -1.0
    stream = request.drawn_by(completer).stream(
        request.sketch, request.category, request.count, request.temperature, request.seed
    )
    for growth in stream:
        _collect(waiting, growth)
        now = time.monotonic()
        if now - flushed >= FLUSH and any(waiting):
            yield {"alts": waiting, "done": False}
            flushed = now
            waiting = [[] for _ in range(request.count)]
    yield {"alts": waiting, "done": True}


def _collect(waiting: list[list[list[float]]], growth: Growth) -> None:
    for row in np.flatnonzero(growth.drawn):
        x, y = growth.points[row].tolist()
        waiting[row].append([x, y, int(growth.pen[row])])
