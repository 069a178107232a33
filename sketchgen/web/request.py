"""What the page and the API may ask for: limits that keep one person from slowing down the others."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from sketchgen.completion.completer import MAX_TEMPERATURE, Completer
from sketchgen.completion.guidance import MAX_GUIDANCE
from sketchgen.errors import FormatError, SettingError, SketchError
from sketchgen.formats.canvas_json import parse_canvas
from sketchgen.resources import categories
from sketchgen.sketch.sketch import Sketch

MAX_STROKES, MAX_POINTS = 500, 20_000
"""Limits of a drawing that the page or the API takes."""

MAX_COUNT = 9
"""Most alternatives of one request."""

MAX_BEST_OF = 16
"""Most candidates of an alternative."""

MAX_NAME = 100
"""Longest text taken as a category's name."""


@dataclass(frozen=True)
class Request:
    """A checked request for completions.

    Attributes:
        sketch: what is given.
        category: a name that the model knows, or None for any.
        count: alternatives.
        temperature: see `Completer.complete`.
        seed: see `Completer.complete`.
        guidance: see `Completer.guided`; None for the model's own.
        best_of: candidates of each alternative, of which one is chosen.
    """

    sketch: Sketch
    category: str | None
    count: int
    temperature: float
    seed: int
    guidance: float | None = None
    best_of: int = 1

    @property
    def candidates(self) -> int:
        """Candidates of each alternative: one where there is nothing to choose by.

        That is where nothing is given with which it could go on well, and no category is named that is known.
        """
        told = not self.sketch.is_empty or self.category in recognised()
        return self.best_of if told else 1

    def drawn_by(self, completer: Completer) -> Completer:
        """The model under the guidance that was asked for, with images in a mirror where one may choose."""
        guided = completer if self.guidance is None else completer.guided(self.guidance)
        return guided.mirroring() if self.candidates > 1 else guided


@functools.cache
def recognised() -> frozenset[str]:
    """The categories that the bundled recogniser knows."""
    return frozenset(categories())


def within_limits(strokes: int, points: int, name: str) -> None:
    """Refuse a drawing of too many strokes or points.

    Raises:
        SketchError: more than `MAX_STROKES` strokes or `MAX_POINTS` points.
    """
    if strokes > MAX_STROKES:
        raise SketchError(f"{name}: {strokes} strokes; at most {MAX_STROKES} are taken here")
    if points > MAX_POINTS:
        raise SketchError(f"{name}: {points} points; at most {MAX_POINTS} are taken here, simplify it")


def checked_sketch(drawing: Any, name: str = "drawing") -> Sketch:
    """A drawing from the JSON of the canvas, within the limits.

    Raises:
        FormatError: it is none.
        SketchError: more than `MAX_STROKES` strokes or `MAX_POINTS` points, or a point that is no point.
    """
    strokes = drawing.get("strokes") if isinstance(drawing, dict) else drawing
    if isinstance(strokes, list):
        # Counted before any point is looked at, so that a flood costs nothing.
        points = sum(len(stroke) for stroke in strokes if isinstance(stroke, list))
        within_limits(len(strokes), points, name)
    return parse_canvas(drawing, name)


def whole_number(value: Any, name: str, low: int, high: int) -> int:
    """A whole number within limits; 3.0 is one, "3" and true are not.

    Raises:
        SettingError: it is none, or outside.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # The limits come first: int() refuses what is not finite, and no float holds 10**400.
    if not number or not low <= value <= high or value != int(value):
        raise SettingError(f"{name} must be a whole number from {low} to {high}, not {shortened(value)}")
    return int(value)


def shortened(value: Any) -> str:
    """A value for an error, at most 40 characters."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


def checked_category(completer: Completer, category: Any) -> str | None:
    """The category's own spelling, or None for any.

    Raises:
        SettingError: it is no text, or too long for a name.
        CategoryError: the model does not know it.
    """
    if category is None or category == "":
        return None
    if not isinstance(category, str) or len(category) > MAX_NAME:
        raise SettingError(f"category must be a name, not {shortened(category)}")
    index = completer.category_index(category)
    return completer.categories[index] if index < len(completer.categories) else None


def checked_guidance(completer: Completer, guidance: Any) -> float | None:
    """A guidance that the model can be under, or None for its own.

    Raises:
        SettingError: it is no number, outside its limits, or the model cannot be guided.
    """
    if guidance is None:
        return None
    number = isinstance(guidance, int | float) and not isinstance(guidance, bool)
    if not number or not 0 <= guidance <= MAX_GUIDANCE:
        limit = f"a number from 0 to {MAX_GUIDANCE:g}"
        raise SettingError(f"guidance must be {limit}, not {shortened(guidance)}")
    return completer.guided(guidance).guidance


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
    """Check everything that came from outside.

    Raises:
        SketchgenError: something is not what it should be; the message is one line for a person.
    """
    number = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    if not number or not 0 <= temperature <= MAX_TEMPERATURE:
        limit = f"a number from 0 to {MAX_TEMPERATURE:g}"
        raise SettingError(f"temperature must be {limit}, not {shortened(temperature)}")
    if drawing is None:
        raise FormatError("no drawing came with the request")
    return Request(
        sketch=checked_sketch(drawing),
        category=checked_category(completer, category),
        count=whole_number(count, "count", 1, MAX_COUNT),
        temperature=float(temperature),
        seed=whole_number(seed, "seed", 0, 2**53),
        guidance=checked_guidance(completer, guidance),
        best_of=1 if best_of is None else whole_number(best_of, "best_of", 1, MAX_BEST_OF),
    )
