"""Quick, Draw!'s files: lines of JSON, raw or simplified, and binary records."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

import numpy as np
import orjson

from sketchgen.errors import FormatError, SketchgenError
from sketchgen.formats.canvas_json import load_json, named_sketch, parse_canvas
from sketchgen.formats.excalidraw import is_scene, parse_scene
from sketchgen.sketch.files import MAX_BYTES
from sketchgen.sketch.sketch import MAX_POINTS, Points, Sketch

HEAD = struct.Struct("<Q2sbIH")
"""Head of a binary record: key, country, whether recognised, seconds since 1970, number of strokes."""

_COUNT = struct.Struct("<H")

MAX_BLANK = 100_000
"""Maximum number of blank lines of a file."""


@dataclass(frozen=True)
class Entry:
    """A drawing of a file.

    Attributes:
        sketch: the drawing, with its category if the file names one.
        place: where it stands, for messages: the file, and the line or the number in it.
        recognised: whether Quick, Draw!'s game recognised it; True where the file does not say.
    """

    sketch: Sketch
    place: str
    recognised: bool = True


def parse_json(data: str | bytes, name: str = "line") -> Sketch:
    """Return the drawing of a JSON text: a form of `parse_canvas`, Excalidraw's, or a line of Quick, Draw!.

    A line is `{"word": "cat", "drawing": [[xs, ys], ...]}`; raw files have `[xs, ys, times]` for a stroke,
    and times are left out. The drawing has the coordinates of the line, no page, and the category `word`.

    Args:
        data: the text, UTF-8, with or without a byte order mark.
        name: what errors call it, such as "cat.ndjson, line 7".

    Raises:
        FormatError: not JSON, or not a drawing of one of these forms.
        SketchError: too many points, or a point that is not finite or too far away.
    """
    value = load_json(data, name)
    if isinstance(value, dict) and "drawing" in value:
        return _sketch_of(value, name)
    return parse_scene(value, name) if is_scene(value) else parse_canvas(value, name)


def _sketch_of(value: Any, name: str) -> Sketch:
    """Return the drawing of a parsed line of Quick, Draw!."""
    if not isinstance(value, dict) or not isinstance(value.get("drawing"), list):
        raise FormatError(f"{name} holds no 'drawing' list; is it a Quick, Draw! file?")
    word = value.get("word")
    if word is not None and not isinstance(word, str):
        raise FormatError(f"{name}: word must be text")
    # Strokes without points are left out, unless there are no others.
    drawn = [each for each in value["drawing"] if not _is_blank(each)] or value["drawing"]
    strokes = (_stroke(stroke, index, name) for index, stroke in enumerate(drawn))
    return named_sketch(name, strokes, category=word)


def _is_blank(stroke: object) -> bool:
    """Return whether a stroke is well-formed, but has no points."""
    return isinstance(stroke, list) and len(stroke) >= 2 and stroke[0] == stroke[1] == []


def _stroke(value: object, index: int, name: str) -> Points:
    """Return one stroke, (n, 2), from its xs and ys."""
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


def line_entry(line: bytes, place: str) -> Entry | SketchgenError:
    """Return the drawing of a line of ndjson, or the error that says why it has none; see `lines_of`."""
    if not line:
        return FormatError(f"{place} is larger than {MAX_BYTES // 2**20} MB")
    try:
        value = load_json(line, place)
        if isinstance(value, dict) and "strokes" not in value:
            return Entry(_sketch_of(value, place), place, value.get("recognized", True) is not False)
        return Entry(parse_canvas(value, place), place)
    except SketchgenError as error:
        return error


def read_ndjson(stream: BufferedIOBase, name: str = "file") -> Iterator[Entry | SketchgenError]:
    """Yield the drawing of every line that is not blank, or its error; reading goes on after an error."""
    blank = 0
    for number, line in enumerate(lines_of(stream), 1):
        blank += line.isspace()
        if blank > MAX_BLANK:
            raise FormatError(f"{name} has more than {MAX_BLANK} blank lines; is it a Quick, Draw! file?")
        if not line.isspace():
            yield line_entry(line, f"{name}, line {number}")


def lines_of(stream: BufferedIOBase) -> Iterator[bytes]:
    """Yield the lines of a file, each with its newline; an empty one for each of over `MAX_BYTES`."""
    while line := stream.readline(MAX_BYTES + 1):
        yield line if len(line) <= MAX_BYTES else b""
        while len(line) > MAX_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_BYTES + 1)


def to_line(sketch: Sketch) -> str:
    """Return the drawing as a line in the form of Google's simplified files, newline included.

    Whole coordinates are written as integers; others as the shortest float that reads back the same.
    """
    drawing = [[_short(axis) for axis in stroke.T] for stroke in sketch.strokes]
    value = {"drawing": drawing} if sketch.category is None else {"word": sketch.category, "drawing": drawing}
    return orjson.dumps(value).decode() + "\n"


def _short(values: Any) -> list[int | float]:
    """Return one axis of a stroke; -0.0 stays a float, because an integer would lose its sign."""
    return [int(v) if v.is_integer() and (v or str(v) == "0.0") else v for v in values.tolist()]


def read_binary(stream: BufferedIOBase, name: str = "file") -> Iterator[Entry | SketchgenError]:
    """Yield the drawings of a binary file, which have no category in it."""

    def exactly(size: int) -> bytes:
        data = stream.read(size)
        if len(data) < size:
            raise FormatError(f"{name} ends in the middle of drawing {number}; get it again")
        return data

    number = 0
    while first := stream.read(1):
        number += 1
        _, _, recognised, _, count = HEAD.unpack(first + exactly(HEAD.size - 1))
        strokes, total = [], 0
        for _ in range(count):
            (points,) = _COUNT.unpack(exactly(_COUNT.size))
            total += points
            if total > MAX_POINTS:
                raise FormatError(f"{name}, drawing {number} has more than {MAX_POINTS} points; get it again")
            axes = np.frombuffer(exactly(2 * points), dtype=np.uint8).reshape(2, points)
            if points:
                strokes.append(axes.T.astype(np.float64))
        if not strokes:
            yield FormatError(f"{name}, drawing {number} has no points")
            continue
        sketch = Sketch.from_strokes(strokes)
        yield Entry(sketch, f"{name}, drawing {number}", bool(recognised))
