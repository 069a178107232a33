"""How a person sees the strokes of the page's drawing: colour, width and pressure, which no model reads."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson

from sketchgen.errors import FormatError, SettingError
from sketchgen.formats.raster import rgba
from sketchgen.formats.svg_writer import PLAIN, StrokeStyle

PEN = 4.0
"""Width of the page's lines, in its units."""

INK, ADDED = "#1b1b1f", "#d8480f"
"""Colours of a person's lines and of the model's, as on the light page."""

MAX_PEN = 64.0
"""Widest pen that the page has, in its units."""

OPENED_PEN = 1.0, 24.0
"""Widths to which those of an opened file are confined, in units of the page."""

GREY = 40
"""Largest difference between the tones of a colour, of 255, that is no colour but ink."""

SWING = 0.4, 1.2
"""Width of a line under a pressure of 0, as a multiple of the pen's, and how much it grows up to 1."""


def stroke_styles(payload: Any) -> list[StrokeStyle]:
    """Return how a person sees each stroke of the page's drawing, which has been checked: its `styles`.

    A style is `{color: "#rrggbb", width: px, corners: true, pressure: [...]}`, each key optional, or null.
    Without `pressure`, a number for each point, that of a pen comes from the points.

    Raises:
        FormatError: no colour, no width that the page has, or no pressure.
    """
    strokes, styles = payload, None
    if isinstance(payload, dict):
        strokes, styles = payload["strokes"], payload.get("styles")
    known = styles if isinstance(styles, list) else []
    return [
        _stroke_style(points, known[index] if index < len(known) else None)
        for index, points in enumerate(strokes)
    ]


def _stroke_style(points: list[list[float]], own: Any) -> StrokeStyle:
    """Return the style of a stroke with these points [x, y, ms, pressure]."""
    own = {} if own is None else own
    if not isinstance(own, dict):
        raise FormatError(f"the style of a stroke is {str(own)[:20]!r}; it must be an object or null")
    colour, width = own.get("color"), own.get("width")
    if colour is not None and not (isinstance(colour, str) and re.fullmatch("#[0-9a-fA-F]{6}", colour)):
        raise FormatError(f"the colour of a stroke is {str(colour)[:20]!r}; write one as '#2563eb'")
    if width is not None and not (type(width) in (int, float) and 0 < width <= MAX_PEN):
        raise FormatError(f"the width of a stroke is {str(width)[:20]}; at most {MAX_PEN:g} are taken")
    pressed = own.get("pressure")
    if pressed is None:
        pressed = [point[3] if len(point) > 3 and point[3] is not None else 0.5 for point in points]
    elif not _is_pressure(pressed, len(points)):
        raise FormatError(f"the pressure of a stroke is {str(pressed)[:20]}; write a number for each point")
    # Half is what a browser says of a mouse; of a pen that feels nothing it says 0.
    by_pen = len(points) > 1 and any(pressure > 0 and pressure != 0.5 for pressure in pressed)
    widths = tuple(SWING[0] + SWING[1] * min(max(each, 0.0), 1.0) for each in pressed) if by_pen else ()
    return StrokeStyle(colour, width, own.get("corners") is True, widths)


def _is_pressure(value: Any, count: int) -> bool:
    """Return whether a value is a list of so many numbers."""
    return (
        isinstance(value, list) and len(value) == count and all(type(each) in (int, float) for each in value)
    )


def page_style(own: StrokeStyle, scale: float) -> StrokeStyle:
    """Return the style that a stroke of an opened file has on the page, where `scale` is a unit of the file.

    Black, white and greys are the page's own ink, which is the opposite of its paper.
    """
    try:
        tones = rgba(own.colour)[:3] if own.colour else (0, 0, 0)
    except SettingError:
        tones = 0, 0, 0
    colour = f"#{bytes(tones).hex()}" if max(tones) - min(tones) > GREY else None
    low, high = OPENED_PEN
    width = None if own.width is None else round(min(max(own.width * scale, low), high), 2)
    return StrokeStyle(colour, None if width == PEN else width, own.corners, own.widths)


def told(own: StrokeStyle) -> dict[str, Any]:
    """Return a stroke's fields on the page besides its points; what has the model's colour was added."""
    added = own.colour == ADDED
    return {"added": added} | _fields(replace(own, colour=None) if added else own)


def _fields(own: StrokeStyle) -> dict[str, Any]:
    """Return what a style says as the page writes it; nothing for a plain one."""
    low, range_ = SWING
    pressure = [round((width - low) / range_, 3) for width in own.widths]
    fields = {
        "color": own.colour,
        "width": own.width,
        "corners": own.corners or None,
        "pressure": pressure or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def with_styles(content: bytes, styles: list[StrokeStyle]) -> bytes:
    """Return a drawing in sketchgen's JSON with its `styles`, a key that other readers ignore, if any."""
    told = [_fields(own) or None for own in styles]
    return orjson.dumps(orjson.loads(content) | {"styles": told}) + b"\n" if any(told) else content


def json_styles(value: Any, count: int) -> list[StrokeStyle]:
    """Return the styles of a drawing of `count` strokes from its parsed JSON; plain where there are none.

    Raises:
        FormatError: no colour, or no width that the page has.
    """
    value = value if isinstance(value, dict) else {}
    strokes = value.get("strokes")
    if not isinstance(strokes, list) or len(strokes) != count:
        return [PLAIN] * count
    given = value.get("given")
    first = given if isinstance(given, int) else count
    return [
        replace(own, colour=own.colour or ADDED) if index >= first else own
        for index, own in enumerate(stroke_styles(value))
    ]
