"""Requests of the page, the endpoint and the pad, checked, and what is told of them while the model draws.

Limits keep one person from slowing down the others.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer
from sketchgen.completion.guessing import AUTO, is_auto
from sketchgen.completion.run import NextPoints
from sketchgen.errors import FormatError, SettingError, SketchError
from sketchgen.formats.canvas_json import parse_canvas
from sketchgen.limits import MAX_GUIDANCE, MAX_TEMPERATURE, check_number, check_whole, shortened
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import pens

MAX_STROKES, MAX_POINTS = 500, 20_000
"""Limits of a drawing."""

MAX_COUNT = 9
"""Most alternatives of one request."""

MAX_BEST_OF = 16
"""Most candidates for each alternative."""

MAX_NAME = 100
"""Longest text taken as the name of a category."""

FLUSH = 1 / 60
"""Seconds between messages: a screen shows no more."""

Message = dict[str, Any]
"""`{alts, done}`: a list of new points [x, y, pen] for each alternative, the pen being 0 where the line goes
on and 1 where it is lifted. The first one has `guesses`, [category, probability] each, where no category was
named. The last one has `anew`, the alternatives that begin again with these points, and `categories`, under
which each was drawn.
Or `{waiting}`: how many must be served before; or `{error}`: a text, the end."""


@dataclass(frozen=True)
class Request:
    """A checked request for completions; see `Completer.complete` for the settings.

    Attributes:
        sketch: the given sketch.
        category: a name that the model knows, "auto" for a guess, or None for none.
        count: alternatives.
        temperature: of sampling.
        seed: of the random numbers.
        guidance: see `Completer.guided`; None for the model's own.
        best_of: candidates for each alternative.
    """

    sketch: Sketch
    category: str | None
    count: int
    temperature: float
    seed: int
    guidance: float | None = None
    best_of: int = 1

    def stream(self, completer: Completer) -> Iterator[NextPoints]:
        """Return the stream of the completions."""
        return self._guided(completer).stream(*self._settings, best_of=self.best_of)

    def complete(self, completer: Completer) -> NextPoints:
        """Return the last item of the stream, which holds the completions and the guesses."""
        *_, last = self.stream(completer)
        return last

    @property
    def _settings(self) -> tuple[Sketch, str | None, int, float, int]:
        return self.sketch, self.category, self.count, self.temperature, self.seed

    def _guided(self, completer: Completer) -> Completer:
        return completer if self.guidance is None else completer.guided(self.guidance)


def within_limits(strokes: int, points: int, name: str) -> None:
    """Refuse a drawing with too many strokes or points.

    Raises:
        SketchError: more than `MAX_STROKES` strokes or `MAX_POINTS` points.
    """
    if strokes > MAX_STROKES:
        raise SketchError(f"{name}: {strokes} strokes; at most {MAX_STROKES} are taken here")
    if points > MAX_POINTS:
        raise SketchError(f"{name}: {points} points; at most {MAX_POINTS} are taken here, simplify it")


def checked_sketch(drawing: Any, name: str = "drawing") -> Sketch:
    """Return a drawing from the JSON of the canvas, within the limits.

    Raises:
        FormatError: it is none.
        SketchError: more than `MAX_STROKES` strokes or `MAX_POINTS` points, or a point that is no point.
    """
    strokes = drawing.get("strokes") if isinstance(drawing, dict) else drawing
    if isinstance(strokes, list):
        # Counted before any point is looked at, so that a flood of points costs nothing.
        points = sum(len(stroke) for stroke in strokes if isinstance(stroke, list))
        within_limits(len(strokes), points, name)
    return parse_canvas(drawing, name)


def whole(name: str, value: Any, low: int, high: int) -> int:
    """Check a whole number from JSON, where 3.0 is one, too."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return check_whole(name, whole, low, high)


def checked_category(completer: Completer, category: Any) -> str | None:
    """Return the category in its own spelling, "auto" where nothing is said, or None for "none".

    Raises:
        SettingError: it is not a text, or too long for a name.
        CategoryError: the model does not know it.
    """
    if category is None or category == "" or is_auto(category):
        return AUTO
    if not isinstance(category, str) or len(category) > MAX_NAME:
        raise SettingError(f"category must be a name, not {shortened(category)}")
    index = completer.category_index(category)
    return completer.categories[index] if index < len(completer.categories) else None


def checked(
    completer: Completer,
    drawing: Any,
    category: Any,
    count: Any,
    temperature: Any,
    seed: Any = 0,
    guidance: Any = None,
    best_of: Any = None,
) -> Request:
    """Check everything that came from outside; a drawing that is a `Sketch` already is taken as it is.

    Raises:
        SketchgenError: something is not what it should be; the message is one line for a person.
    """
    check_number("temperature", temperature, 0, MAX_TEMPERATURE)
    if drawing is None:
        raise FormatError("no drawing came with the request")
    if guidance is not None:
        guidance = completer.guided(check_number("guidance", guidance, 0, MAX_GUIDANCE)).guidance
    return Request(
        sketch=drawing if isinstance(drawing, Sketch) else checked_sketch(drawing),
        category=checked_category(completer, category),
        count=whole("count", count, 1, MAX_COUNT),
        temperature=float(temperature),
        seed=whole("seed", seed, 0, 2**53),
        guidance=guidance,
        best_of=1 if best_of is None else whole("best_of", best_of, 1, MAX_BEST_OF),
    )


def messages(completer: Completer, request: Request) -> Generator[Message, None, None]:
    """Yield the messages of a request; closing the generator stops the model within a step."""
    drawn: list[list[list[float]]] = [[] for _ in range(request.count)]
    sent, flushed = [0] * request.count, -1.0
    replaced: tuple[int, ...] = ()
    categories: list[str | None] = []
    for step in request.stream(completer):
        for row in np.flatnonzero(step.drawn):
            drawn[row].append([*step.points[row].tolist(), int(step.pen[row])])
        if step.completions is not None:
            replaced, categories = step.replaced, [each.category for each in step.completions]
            for row in replaced:
                drawn[row], sent[row] = points_of(step.completions[row].added), 0
        # Between any two steps there may be a message, at which a run can be stopped.
        elif (now := time.monotonic()) - flushed >= FLUSH:
            first = step.guesses if flushed < 0 else ()
            guesses = {"guesses": [[each.category, each.probability] for each in first]} if first else {}
            yield {"alts": _unsent(drawn, sent), "done": False, **guesses}
            sent, flushed = [len(points) for points in drawn], now
    yield {"alts": _unsent(drawn, sent), "anew": list(replaced), "categories": categories, "done": True}


def _unsent(drawn: list[list[list[float]]], sent: list[int]) -> list[list[list[float]]]:
    return [points[start:] for points, start in zip(drawn, sent, strict=True)]


def points_of(added: Sketch) -> list[list[float]]:
    """Return added strokes as points [x, y, pen]."""
    return [[*point, pen] for point, pen in zip(added.points.tolist(), pens(added).tolist(), strict=True)]
