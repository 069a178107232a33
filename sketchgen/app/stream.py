"""Completions as a stream of small messages for the browser: new points only, the first one at once."""

from __future__ import annotations

import functools
import time
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np

from sketchgen.app.request import Request
from sketchgen.drawing.sketch import Completion, Sketch
from sketchgen.drawing.strokes import Pen, split_strokes
from sketchgen.generate.completer import Completer, Growth
from sketchgen.recognition.choosing import Chooser
from sketchgen.recognition.critic import load_critic
from sketchgen.recognition.recogniser import load_recogniser

FLUSH = 1 / 60
"""Seconds between messages: a screen shows no more."""

Message = dict[str, Any]
"""`{alts, done}`: a list of new points [x, y, pen] for each alternative, the pen being 0 where the line goes
on and 1 where it is lifted; or `{waiting}`: how many must be served before; or `{error}`: a text, the end."""


def messages(completer: Completer, request: Request) -> Generator[Message, None, None]:
    """The messages of a run. Whoever stops asking stops the model within a step."""
    stream = request.drawn_by(completer).stream(
        request.sketch,
        request.category,
        request.count * request.candidates,
        request.temperature,
        request.seed,
    )
    found = _growing(stream, request.count) if request.candidates == 1 else _chosen(stream, request)
    yield from found


def _growing(stream: Iterator[Growth], count: int) -> Generator[Message, None, None]:
    """The messages of alternatives that are shown as they grow."""
    waiting: list[list[list[float]]] = [[] for _ in range(count)]
    flushed = -1.0
    for growth in stream:
        _collect(waiting, growth)
        now = time.monotonic()
        if now - flushed >= FLUSH and any(waiting):
            yield {"alts": waiting, "done": False}
            flushed = now
            waiting = [[] for _ in range(count)]
    yield {"alts": waiting, "done": True}


def _chosen(stream: Iterator[Growth], request: Request) -> Generator[Message, None, None]:
    """The messages of alternatives that are the best of several: nothing but that they are drawn, then all.

    Between any two steps there may be a message, so that a run can be stopped as the others can.
    """
    drawn: list[list[list[float]]] = [[] for _ in range(request.count * request.candidates)]
    ended = np.zeros(len(drawn), dtype=bool)
    told = time.monotonic()
    for growth in stream:
        _collect(drawn, growth)
        ended = growth.ended
        if (now := time.monotonic()) - told >= FLUSH:
            yield {"alts": [[] for _ in range(request.count)], "done": False}
            told = now
    pairs = zip(drawn, ended, strict=True)
    found = [Completion(request.sketch, _added(points), bool(end)) for points, end in pairs]
    rows = chooser().best_rows(found, request.category, request.candidates)
    yield {"alts": [drawn[row] for row in rows], "done": True}


@functools.cache
def chooser() -> Chooser:
    """Who chooses; loaded once, when it is first needed."""
    return Chooser(load_recogniser(), load_critic())


def _added(points: list[list[float]]) -> Sketch:
    """The points that were added, [x, y, pen], as strokes."""
    places, pen = np.array(points).reshape(-1, 3)[:, :2], np.array(points).reshape(-1, 3)[:, 2]
    return Sketch.from_strokes(split_strokes(places, pen == Pen.LIFT))


def _collect(waiting: list[list[list[float]]], growth: Growth) -> None:
    for row in np.flatnonzero(growth.drawn):
        x, y = growth.points[row].tolist()
        waiting[row].append([x, y, int(growth.pen[row])])
