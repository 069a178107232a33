"""Completions as a stream of small messages for the browser: new points only, the first one at once."""

from __future__ import annotations

import functools
import time
from collections.abc import Generator
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer, Growth
from sketchgen.models.recogniser import load_recogniser
from sketchgen.models.reward_model import load_reward_model
from sketchgen.ranking.ranker import Ranker
from sketchgen.sketch.sketch import Completion, Sketch
from sketchgen.sketch.strokes import Pen, split_strokes
from sketchgen.web.request import Request

FLUSH = 1 / 60
"""Seconds between messages: a screen shows no more."""

Message = dict[str, Any]
"""`{alts, done}`: a list of new points [x, y, pen] for each alternative, the pen being 0 where the line goes
on and 1 where it is lifted; the last one with `anew`, which alternatives begin again with these points; or
`{waiting}`: how many must be served before; or `{error}`: a text, the end."""


def messages(completer: Completer, request: Request) -> Generator[Message, None, None]:
    """The messages of a run. Whoever stops asking stops the model within a step.

    As many candidates as are asked for are shown as they grow; when all are drawn, they give way to the best.
    """
    stream = request.drawn_by(completer).stream(
        request.sketch,
        request.category,
        request.count * request.candidates,
        request.temperature,
        request.seed,
    )
    drawn: list[list[list[float]]] = [[] for _ in range(request.count * request.candidates)]
    shown = range(0, len(drawn), request.candidates)
    sent, flushed = [0] * request.count, -1.0
    growth: Growth | None = None
    for growth in stream:
        _collect(drawn, growth)
        # Between any two steps there may be a message, at which a run can be stopped.
        if (now := time.monotonic()) - flushed >= FLUSH:
            yield {
                "alts": [drawn[row][start:] for row, start in zip(shown, sent, strict=True)],
                "done": False,
            }
            sent, flushed = [len(drawn[row]) for row in shown], now
    rows = _best(drawn, growth, request)
    anew = [alternative for alternative, row in enumerate(rows) if row != shown[alternative]]
    starts = [0 if alternative in anew else start for alternative, start in enumerate(sent)]
    left = [drawn[row][start:] for row, start in zip(rows, starts, strict=True)]
    yield {"alts": left, "anew": anew, "done": True}


def _best(drawn: list[list[list[float]]], last: Growth | None, request: Request) -> list[int]:
    """Which of the candidates are taken, the best first."""
    if request.candidates == 1 or last is None:
        return list(range(request.count))
    each = zip(drawn, last.ended.tolist(), last.symmetry.tolist(), strict=True)
    found = [
        Completion(request.sketch, _added(points), end, symmetry=symmetry) for points, end, symmetry in each
    ]
    return chooser().several_rows(found, request.category, request.count)


@functools.cache
def chooser() -> Ranker:
    """Who chooses; loaded once, when it is first needed."""
    return Ranker(load_recogniser(), load_reward_model())


def _added(points: list[list[float]]) -> Sketch:
    """The points that were added, [x, y, pen], as strokes."""
    places, pen = np.array(points).reshape(-1, 3)[:, :2], np.array(points).reshape(-1, 3)[:, 2]
    return Sketch.from_strokes(split_strokes(places, pen == Pen.LIFT))


def _collect(drawn: list[list[list[float]]], growth: Growth) -> None:
    for row in np.flatnonzero(growth.drawn):
        x, y = growth.points[row].tolist()
        drawn[row].append([x, y, int(growth.pen[row])])
