"""Drawings as JSON: from a canvas, and in the exact form of sketchgen."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import orjson

from sketchgen.errors import FormatError, SketchError
from sketchgen.sketch.sketch import MAX_POINTS, Box, Completion, Item, Sketch, whole_of

FORMAT = "sketchgen"
"""Value of `format` in sketchgen's JSON."""

MAX_JSON = 16 * 2**20
"""Maximum size of a JSON text, bytes; to parse it takes eight times as much memory."""

MAX_STROKES = 20_000
"""Maximum number of strokes of a drawing in JSON; each takes about 10 microseconds."""

MAX_VALUES = 5 * MAX_POINTS + 100_000
"""Maximum number of values in a JSON text, brackets included: those of a drawing with time and pressure. In
memory each may take 150 bytes, whatever it takes in the text."""

MAX_KEYS = 500_000
"""Maximum number of keys in a JSON text; each takes up to 200 bytes."""

VERSION = 1
"""Version of sketchgen's JSON; others are refused."""


def load_json(text: str | bytes, name: str) -> Any:
    """Return the value of a JSON text, with or without a byte order mark; NaN and Infinity are not JSON."""
    if len(text) > MAX_JSON:
        raise FormatError(f"{name} is larger than {MAX_JSON // 2**20} MB; simplify the drawing")
    text = text.removeprefix("\ufeff") if isinstance(text, str) else text.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise FormatError(f"{name} is empty")
    brackets_and_commas = ("[", "{", ",") if isinstance(text, str) else (b"[", b"{", b",")
    if sum(map(text.count, brackets_and_commas)) > MAX_VALUES:  # pyright: ignore[reportArgumentType]
        raise FormatError(f"{name} has more than {MAX_VALUES} values; simplify the drawing or split it")
    if text.count(":" if isinstance(text, str) else b":") > MAX_KEYS:  # pyright: ignore[reportArgumentType]
        raise FormatError(f"{name} has more than {MAX_KEYS} keys; simplify the drawing or split it")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        fault = "UTF-8 text" if "UTF-8" in str(error) else f"JSON: {str(error)[:80]}"
        raise FormatError(f"{name} is not {fault}") from error


def parse_canvas(source: Any, name: str = "canvas") -> Sketch:
    """Return the drawing in a JSON text, or in a value that was parsed from one.

    The forms are: of a canvas, `{"strokes": [...], "width": 640, "height": 480}`, whose page begins at
    (0, 0); of sketchgen, `{"format": "sketchgen", "version": 1, "strokes": [...], "page": [x, y, w, h]}`; and
    a list of strokes. A stroke is a list of points `[x, y]`, `[x, y, t_ms]` or `[x, y, t_ms, pressure]`; time
    and pressure are checked and left out. Other keys are ignored.

    Raises:
        FormatError: not JSON, or not of one of these forms.
        SketchError: too many points, or a point that is not finite or too far away.
    """
    value = load_json(source, name) if isinstance(source, str | bytes) else source
    if isinstance(value, list):
        return named_sketch(name, _strokes(value, name))
    if not isinstance(value, dict):
        raise FormatError(
            f"{name} must be an object with 'strokes' or a list of strokes, not {kind_of_value(value)}"
        )
    if "strokes" not in value:
        raise FormatError(f"{name} has no 'strokes'")
    if "format" in value or "version" in value:
        _check_version(value, name)
    if "rev" in value and (not isinstance(value["rev"], int) or isinstance(value["rev"], bool)):
        raise FormatError(f"{name}: rev must be a whole number, not {kind_of_value(value['rev'])}")
    category = value.get("category")
    if category is not None and not isinstance(category, str):
        raise FormatError(f"{name}: category must be text, not {kind_of_value(category)}")
    strokes = _strokes(value["strokes"], name)
    given = value.get("given")
    if given is not None and (type(given) is not int or not 0 <= given <= len(strokes)):
        raise FormatError(f"{name}: given must be a number of strokes from 0 to {len(strokes)}")
    return named_sketch(name, strokes, page=to_page(value, name), category=category)


def named_sketch(name: str, strokes: Iterable[Any], **more: Any) -> Sketch:
    """Return `Sketch.from_strokes` of up to `MAX_STROKES`, with the name of the drawing in its errors."""
    found = list(itertools.islice(strokes, MAX_STROKES + 1))
    _check_count(len(found), name)
    try:
        return Sketch.from_strokes(found, **more)
    except SketchError as error:
        raise SketchError(f"{name}: {error}") from error


def _check_count(strokes: int, name: str) -> None:
    if strokes > MAX_STROKES:
        raise SketchError(f"{name}: more than {MAX_STROKES} strokes in one drawing; simplify it or split it")


def sketch_to_json(item: Item) -> str:
    """Return a drawing as one line of sketchgen's JSON; every float reads back as the same float64.

    For a completion, `given` is the number of given strokes, which come first.
    """
    whole = whole_of(item)
    value: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "strokes": [stroke.tolist() for stroke in whole.strokes],
        "page": None if whole.page is None else list(whole.page),
        "category": whole.category,
    }
    if isinstance(item, Completion):
        value["given"] = len(item.given.strokes)
    return orjson.dumps(value).decode() + "\n"


def kind_of_value(value: object) -> str:
    """Return the kind of a JSON value, in words."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)


def _check_version(value: dict[str, Any], name: str) -> None:
    if value.get("format") != FORMAT:
        raise FormatError(f"{name}: format is {str(value.get('format'))[:40]!r}, not {FORMAT!r}")
    if type(value.get("version")) is not int or value["version"] != VERSION:
        raise FormatError(
            f"{name}: version is {str(value.get('version'))[:20]}; this program reads {VERSION}"
        )


def to_number(value: object, what: str) -> float:
    """Return a coordinate as a float; booleans and text are not numbers."""
    if type(value) is not float and type(value) is not int:
        raise FormatError(f"{what} must be a number, not {kind_of_value(value)}")
    return float(max(min(value, 10**300), -(10**300)) if isinstance(value, int) else value)


def to_page(value: dict[str, Any], name: str) -> Box | None:
    """Return the page of an object: `page`, or `width` and `height`; None if it has neither."""
    page = value.get("page")
    if page is not None:
        if not isinstance(page, list) or len(page) != 4:
            raise FormatError(f"{name}: page must be [x, y, width, height]")
        box = Box(*(to_number(side, f"{name}: page[{index}]") for index, side in enumerate(page)))
    elif value.get("width") is None and value.get("height") is None:
        return None
    else:
        sides = [to_number(value.get(key), f"{name}: {key}") for key in ("width", "height")]
        box = Box(0.0, 0.0, *sides)
    if box.width <= 0 or box.height <= 0:
        raise FormatError(f"{name}: width and height must be above 0, not {box.width:g} x {box.height:g}")
    return box


def _strokes(value: object, name: str) -> list[list[tuple[float, float]]]:
    """Return checked strokes; sizes are checked first, so that a flood of points is refused at once."""
    if not isinstance(value, list):
        raise FormatError(f"{name}: strokes must be a list, not {kind_of_value(value)}")
    _check_count(len(value), name)
    total = 0
    for index, stroke in enumerate(value):
        if not isinstance(stroke, list):
            raise FormatError(f"{name}: stroke {index} must be a list of points, not {kind_of_value(stroke)}")
        if not stroke:
            raise FormatError(f"{name}: stroke {index} has no points; leave it out")
        total += len(stroke)
        if total > MAX_POINTS:
            raise SketchError(
                f"{name}: more than {MAX_POINTS} points in one drawing; simplify it or split it"
            )
    return [
        [_point(point, name, index, at) for at, point in enumerate(stroke)]
        for index, stroke in enumerate(value)
    ]


def _point(value: object, name: str, stroke: int, at: int) -> tuple[float, float]:
    """Return x and y of a point; time and pressure may be null."""
    if not isinstance(value, list) or not 2 <= len(value) <= 4:
        raise FormatError(
            f"{name}: stroke {stroke}, point {at} must be [x, y] with time and pressure at most"
        )
    where = f"{name}: stroke {stroke}, point {at}"
    for extra in value[2:]:
        # Time is often in milliseconds since 1970, far beyond the limit of a coordinate.
        if extra is not None and (type(extra) not in (int, float) or not -1e18 < extra < 1e18):
            raise FormatError(f"{where}: time and pressure must be finite numbers or null")
    return to_number(value[0], where), to_number(value[1], where)
