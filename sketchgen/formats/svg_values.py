"""The values of CSS properties: which are valid, and what paints show."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

import tinycss2.color5

from sketchgen.formats.svg_path import NUMBER
from sketchgen.formats.svg_transform import transform
from sketchgen.formats.svg_xml import href, local_tag

INHERITED = {
    "color": "black",
    "fill": "black",
    "fill-opacity": "1",
    "stroke": "none",
    "stroke-opacity": "1",
    "stroke-width": "1",
    "stroke-linecap": "butt",
    "stroke-dasharray": "none",
    "stroke-dashoffset": "0",
    "font-size": "16",
    "visibility": "visible",
    "clip-rule": "nonzero",
}
"""The properties that children inherit, with their initial values."""

OWN = {
    "display": "inline",
    "opacity": "1",
    "overflow": "hidden",
    "clip-path": "none",
    "transform": "none",
    "transform-origin": "0 0",
    "transform-box": "view-box",
    "translate": "none",
    "rotate": "none",
    "scale": "none",
    "animation": "none",
}
GEOMETRY = frozenset({"d", "x", "y", "width", "height", "cx", "cy", "r", "rx", "ry"})
"""Attributes that a style may set."""

KNOWN = frozenset({*INHERITED, *OWN, *GEOMETRY})
"""The properties that matter here."""

FONT_SIZES = {
    "xx-small": "9",
    "x-small": "10",
    "small": "13",
    "medium": "16",
    "large": "18",
    "x-large": "24",
    "xx-large": "32",
    "smaller": "83.3%",
    "larger": "120%",
}

CSS_WIDE = frozenset({"inherit", "initial", "unset", "revert", "revert-layer"})
"""Values that all properties have."""

Style = Mapping[str, str]
"""Values by property."""

_URL = re.compile(r"url\(\s*[\"']?#([^\"')]*)[\"']?\s*\)\s*(.*)", re.IGNORECASE | re.DOTALL)


def is_valid(name: str, value: str) -> bool:
    """Return whether a value is valid; one that is not is ignored, as if it were not there."""
    value = value.strip().lower()
    check = _CHECKS.get(name)
    return bool(value) and (check is None or "var(" in value or value in CSS_WIDE or check(value))


def _is_paint(value: str) -> bool:
    return (
        value in ("none", "context-fill", "context-stroke")
        or bool(_URL.fullmatch(value))
        or _colour(value) is not None
    )


def _is_transform(value: str) -> bool:
    try:
        transform(value, (1.0, 1.0), css=True)
    except ValueError:
        return False
    return True


def _is_share(value: str) -> bool:
    return bool(NUMBER.fullmatch(value.removesuffix("%")))


_WIDTH = re.compile(rf"({NUMBER.pattern})([a-z]*|%)")
_CHECKS: dict[str, Callable[[str], bool]] = {
    "fill": _is_paint,
    "stroke": _is_paint,
    "color": lambda value: _colour(value) is not None,
    "transform": _is_transform,
    "opacity": _is_share,
    "fill-opacity": _is_share,
    "stroke-opacity": _is_share,
    "stroke-width": lambda value: bool(_WIDTH.fullmatch(value)) and value[0] != "-",
    "font-size": lambda value: value in FONT_SIZES or (bool(_WIDTH.fullmatch(value)) and value[0] != "-"),
    "visibility": lambda value: value in ("visible", "hidden", "collapse"),
    "stroke-linecap": lambda value: value in ("butt", "round", "square"),
    "clip-rule": lambda value: value in ("nonzero", "evenodd"),
}


_HEX = re.compile("#[0-9a-f]{6}")
_TO_LINEAR = {
    "xyz-d50": ((3.13386, -1.61687, -0.49061), (-0.97877, 1.91614, 0.03345), (0.07195, -0.22899, 1.40524)),
    "xyz-d65": ((3.24097, -1.53738, -0.49861), (-0.96924, 1.87597, 0.04156), (0.05563, -0.20398, 1.05697)),
}
"""Linear red, green and blue of a colour in XYZ, by its white point."""

_SPACES = {"lab": "xyz-d50", "lch": "xyz-d50", "oklab": "xyz-d65", "oklch": "xyz-d65", "xyz": "xyz-d65"}


def _colour(text: str) -> tuple[float, str] | str | None:
    """Return the opacity of a colour and "#rrggbb", "currentcolor", or None for an invalid one."""
    return (1.0, text) if _HEX.fullmatch(text) else _other_colour(text)


@lru_cache(maxsize=2000)
def _other_colour(text: str) -> tuple[float, str] | str | None:
    try:
        colour: Any = tinycss2.color5.parse_color(text) if len(text) < 100 else None
    except (ValueError, TypeError, AttributeError, AssertionError):
        # What the library stumbles over, such as "color()", is none.
        return None
    if colour is None or isinstance(colour, str):
        return colour
    if colour.space == "device-cmyk":
        return None
    space = _SPACES.get(colour.space, "srgb" if colour.space in ("hsl", "hwb") else colour.space)
    parts = [each or 0.0 for each in colour.to(space).coordinates]
    if rows := _TO_LINEAR.get(space):
        parts = [sum(map(operator.mul, row, parts)) for row in rows]
    if rows or space == "srgb-linear":
        parts = [12.92 * each if each <= 0.0031308 else 1.055 * each ** (1 / 2.4) - 0.055 for each in parts]
    # Wider spaces are read as if they were sRGB.
    red, green, blue = (round(255 * min(max(each, 0.0), 1.0)) for each in parts)
    return colour.alpha, f"#{red:02x}{green:02x}{blue:02x}"


@lru_cache(maxsize=1000)
def share(text: str) -> float:
    """Return an opacity, from 0 to 1."""
    text = text.strip()
    value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    return min(max(value, 0.0), 1.0)


def reference(text: str) -> tuple[str | None, str]:
    """Return the id that a value such as "url(#a) none" refers to, and what follows it."""
    match = _URL.fullmatch(text.strip())
    return (match[1], match[2].strip()) if match else (None, text.strip())


def is_server(elements: Mapping[str, Element], name: str) -> bool:
    """Return whether an id is that of a pattern, or of a gradient with stops: its own or another's."""
    for _ in range(8):
        target = elements.get(name)
        if target is None or not local_tag(target).endswith("Gradient"):
            return target is not None and local_tag(target) == "pattern"
        if any(local_tag(child) == "stop" for child in target):
            return True
        name = href(target)
    return False


def paint(style: Style, name: str, known: Callable[[str], bool]) -> tuple[float, str | None]:
    """Return how opaque a fill or a stroke is, from 0 to 1, and its colour as "#rrggbb".

    Args:
        style: the computed style.
        name: "fill" or "stroke".
        known: whether an id is that of a paint; one that is not there is none.
    """
    value = style[name]
    target, rest = reference(value) if "(" in value else (None, value)
    if target is not None:
        if known(target):
            return share(style[f"{name}-opacity"]), None
        value = rest or "none"
    return _painted(value, style[f"{name}-opacity"], style["color"])


@lru_cache(maxsize=1000)
def _painted(value: str, opacity: str, current: str) -> tuple[float, str | None]:
    """Return how opaque a colour is, and which; `current` is that of the text."""
    alpha, value = share(opacity), value.strip().lower()
    if value in ("none", "context-fill", "context-stroke"):
        return 0.0, None
    colour = _colour(value)
    if colour == "currentcolor":
        colour = _colour(current.strip().lower())
    if colour is None or isinstance(colour, str):
        return alpha, "#000000"
    return alpha * colour[0], colour[1]
