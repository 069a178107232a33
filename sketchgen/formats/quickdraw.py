"""One line of a Quick, Draw! ndjson file, raw or simplified, as a `Sketch`, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from sketchgen.errors import FormatError, SketchError
from sketchgen.formats.canvas_json import load_json
from sketchgen.sketch.sketch import MAX_POINTS, Points, Sketch


def parse_line(line: str | bytes, name: str = "line") -> Sketch:
    """Read one drawing: `{"word": "cat", "drawing": [[xs, ys], ...]}`; raw files add `ts` to a stroke.

    Args:
        line: one line of ndjson.
        name: what errors call it, such as "cat.ndjson, line 7".

    Returns:
        The drawing in the coordinates that stand there, without a page; its category is `word`, if given.
        Times are left out.

    Raises:
        FormatError: the line is not JSON, or holds no drawing of this form.
        SketchError: too many points, or a point that is not finite or too far away.
    """
    return sketch_of(load_json(line, name), name)


def sketch_of(value: Any, name: str = "line") -> Sketch:
    """The drawing in an object that was parsed from a line; see `parse_line`."""
    if not isinstance(value, dict) or not isinstance(value.get("drawing"), list):
        raise FormatError(f"{name} holds no 'drawing' list; is it a Quick, Draw! file?")
    word = value.get("word")
    if word is not None and not isinstance(word, str):
        raise FormatError(f"{name}: word must be text")
    strokes: list[Points] = []
    total = 0
    for index, stroke in enumerate(value["drawing"]):
        strokes.append(_stroke(stroke, index, name))
        total += len(strokes[-1])
        if total > MAX_POINTS:
            raise SketchError(
                f"{name}: more than {MAX_POINTS} points in one drawing; simplify it or split it"
            )
    try:
        return Sketch.from_strokes(strokes, category=word)
    except SketchError as error:
        raise SketchError(f"{name}: {error}") from error


def to_line(sketch: Sketch) -> str:
    """The drawing as one line in the form of Google's simplified files, newline included.

    Whole coordinates are written as integers; others as the shortest float that reads back the same.
    """
    drawing = [[_short(axis) for axis in stroke.T] for stroke in sketch.strokes]
    value = {"drawing": drawing} if sketch.category is None else {"word": sketch.category, "drawing": drawing}
    return orjson.dumps(value).decode() + "\n"


def _short(values: Any) -> list[int | float]:
    """One axis of a stroke; -0.0 stays a float, for an integer would lose its sign."""
    return [int(v) if v.is_integer() and (v or str(v) == "0.0") else v for v in values.tolist()]


def _stroke(value: object, index: int, name: str) -> Points:
    """One stroke, (n, 2), of xs and ys of one length."""
    if not isinstance(value, list) or len(value) < 2:
        raise FormatError(f"{name}: stroke {index} must be [xs, ys]")
    xs, ys = value[0], value[1]
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys) or not xs:
        raise FormatError(f"{name}: stroke {index} needs as many ys as xs, and at least one")
    try:
        # NumPy would read "12" as 12: only an array that is numeric by itself passes.
        points = np.array([xs, ys])
    except ValueError:
        points = np.array(None)
    if points.ndim != 2 or points.dtype.kind not in "iuf":
        raise FormatError(f"{name}: stroke {index} holds something that is not a number")
    return points.T.astype(np.float64)
