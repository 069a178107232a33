"""The values of CSS properties: which are valid, and what paints show."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import tinycss2.color4

from sketchgen.formats.svg_path import NUMBER
from sketchgen.formats.svg_transform import transform

INHERITED = {
    "color": "black",
    "fill": "black",
    "fill-opacity": "1",
    "stroke": "none",
    "stroke-opacity": "1",
    "stroke-width": "1",
    "stroke-linecap": "butt",
    "visibility": "visible",
    "clip-rule": "nonzero",
}
"""The properties that children inherit, with their initial values."""

Style = Mapping[str, str]
"""Values by property."""

_URL = re.compile(r"url\(\s*[\"']?#([^\"')]*)[\"']?\s*\)\s*(.*)", re.IGNORECASE | re.DOTALL)


def is_valid(name: str, value: str) -> bool:
    """Return whether a value is valid; one that is not is ignored, as if it were not there."""
    value = value.strip().lower()
    check = _CHECKS.get(name)
    words = ("inherit", "initial", "unset", "revert")
    return bool(value) and (check is None or "var(" in value or value in words or check(value))


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
    "visibility": lambda value: value in ("visible", "hidden", "collapse"),
    "stroke-linecap": lambda value: value in ("butt", "round", "square"),
    "clip-rule": lambda value: value in ("nonzero", "evenodd"),
}


@lru_cache(maxsize=2000)
def _colour(text: str) -> Any:
    """Return a parsed colour: an object, "currentcolor", or None for an invalid one."""
    return tinycss2.color4.parse_color(text) if len(text) < 100 else None


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


def paint(style: Style, name: str, known: Callable[[str], bool]) -> tuple[float, str | None]:
    """Return how opaque a fill or a stroke is, from 0 to 1, and its colour as "#rrggbb".

    Args:
        style: the computed style.
        name: "fill" or "stroke".
        known: whether there is an element with an id; a paint that is not there is none.
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
    alpha, value = share(opacity), value.strip()
    if value.lower() in ("none", "context-fill", "context-stroke"):
        return 0.0, None
    colour = _colour(value.lower())
    if colour == "currentcolor":
        colour = _colour(current.strip().lower())
    if colour is None or isinstance(colour, str):
        return alpha, "#000000"
    red, green, blue = (
        round(255 * min(max(part or 0.0, 0.0), 1.0)) for part in colour.to("srgb").coordinates
    )
    return alpha * colour.alpha, f"#{red:02x}{green:02x}{blue:02x}"
