"""Completions as a stream of small messages for the browser: new points only, the first one at once."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import pens
from sketchgen.web.request import Request

FLUSH = 1 / 60
"""Seconds between messages: a screen shows no more."""

Message = dict[str, Any]
"""`{alts, done}`: a list of new points [x, y, pen] for each alternative, the pen being 0 where the line goes
on and 1 where it is lifted. The last one has `anew`, the alternatives that begin again with these points.
Or `{waiting}`: how many must be served before; or `{error}`: a text, the end."""


def messages(completer: Completer, request: Request) -> Generator[Message, None, None]:
    """Yield the messages of a request; closing the generator stops the model within a step."""
    drawn: list[list[list[float]]] = [[] for _ in range(request.count)]
    sent, flushed = [0] * request.count, -1.0
    replaced: tuple[int, ...] = ()
    for step in request.stream(completer):
        for row in np.flatnonzero(step.drawn):
            drawn[row].append([*step.points[row].tolist(), int(step.pen[row])])
        if step.completions is not None:
            replaced = step.replaced
            for row in replaced:
                drawn[row], sent[row] = _points(step.completions[row].added), 0
        # Between any two steps there may be a message, at which a run can be stopped.
        elif (now := time.monotonic()) - flushed >= FLUSH:
            yield {"alts": _unsent(drawn, sent), "done": False}
            sent, flushed = [len(points) for points in drawn], now
    yield {"alts": _unsent(drawn, sent), "anew": list(replaced), "done": True}


def _unsent(drawn: list[list[list[float]]], sent: list[int]) -> list[list[list[float]]]:
    return [points[start:] for points, start in zip(drawn, sent, strict=True)]


def _points(added: Sketch) -> list[list[float]]:
    """Return added strokes as points [x, y, pen]."""
    return [[*point, pen] for point, pen in zip(added.points.tolist(), pens(added).tolist(), strict=True)]
