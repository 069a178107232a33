"""Lengths, transforms and view boxes of SVG, in user units."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sketchgen.formats.svg_path import NUMBER, Report, read_numbers
from sketchgen.sketch.sketch import Box, Points

Matrix = NDArray[np.float64] | None
"""A map [[a, c, e], [b, d, f]], or None for the identity."""

Area = tuple[float, float]
"""Width and height that percentages refer to."""

Font = tuple[float, float]
"""Font sizes, px: of an element and of the root."""

FONT: Font = (16.0, 16.0)

_Six = tuple[float, float, float, float, float, float]
"""The numbers of `matrix()`: columns of a map."""

_UNIT: _Six = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_ANY: Area = (1.0, 1.0)

MAX_FUNCTIONS = 1000
"""Maximum number of functions of one transform."""

UNITS = {
    "": 1.0,
    "px": 1.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 9.6 / 2.54,
    "q": 2.4 / 2.54,
    "pt": 4 / 3,
    "pc": 16.0,
}
"""Px of each unit of length."""

_LENGTHS = {**UNITS, "em": 16.0, "rem": 16.0, "ex": 8.0, "ch": 8.0}
_NONE = {"": 1.0}
_TURNS = {"": 1.0, "deg": 1.0, "rad": 180 / math.pi, "grad": 0.9, "turn": 360.0}
_PLACES = {"left": "0%", "top": "0%", "center": "50%", "right": "100%", "bottom": "100%"}


def length(text: str | None, whole: float, report: Report, default: float = 0.0, font: Font = FONT) -> float:
    """Return an SVG length ("3mm", "10%", "7") in user units.

    Args:
        text: the length; None or "auto" for the default.
        whole: what percentages refer to.
        report: called if it is none; it is then the default.
        default: of the attribute.
        font: the font sizes that "em" and "rem" refer to, px.
    """
    if text is None or text.strip() in ("", "auto"):
        return default
    size, rem = font
    units = _LENGTHS if font == FONT else {**UNITS, "em": size, "rem": rem, "ex": size / 2, "ch": size / 2}
    value = _measured(text.strip(), units, whole)
    if value is None:
        report(f"{text[:40]!r} is not a length")
        return default
    return value


def _measured(text: str, units: Mapping[str, float], whole: float = 1.0) -> float | None:
    """Return a number with a unit or in percent; None if it is none, or not finite."""
    match = NUMBER.match(text)
    word = text[match.end() :].lower() if match else ""
    unit = whole / 100 if word == "%" else units.get(word)
    value = float(match.group()) * unit if match and unit is not None else math.inf
    return value if math.isfinite(value) else None


def chained(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the composition of two maps, `inner` first."""
    if outer is None or inner is None:
        return inner if outer is None else outer
    found = outer[:, :2] @ inner
    found[:, 2] += outer[:, 2]
    return found


def about(matrix: Matrix, x: float, y: float) -> Matrix:
    """Return a map about another origin."""
    return chained(chained(shift(x, y), matrix), shift(-x, -y)) if matrix is not None else None


def stretch(matrix: Matrix) -> tuple[float, float]:
    """Return by how much a map stretches lengths at most, and on average: the root of its determinant."""
    if matrix is None:
        return 1.0, 1.0
    (a, c, _), (b, d, _) = matrix.tolist()
    # The larger singular value: half the sum of the norms of the two parts that keep and that flip turns.
    return (math.hypot(a + d, b - c) + math.hypot(a - d, b + c)) / 2, math.sqrt(abs(a * d - b * c))


def mapped(matrix: Matrix, points: Points) -> Points:
    """Return points under a map."""
    return points if matrix is None else points @ matrix[:, :2].T + matrix[:, 2]


def shift(x: float, y: float) -> Matrix:
    """Return a translation."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y]]) if x or y else None


def inverse(matrix: Matrix) -> Matrix:
    """Return the inverse of a map; the identity for one that has none."""
    if matrix is None or not abs(np.linalg.det(matrix[:, :2])) > 0:
        return None
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]]).astype(np.float64)


def transform(text: str, area: Area, *, css: bool) -> Matrix:
    """Return the map of a `transform`, from its property or its attribute.

    The property needs units; the attribute has none, and knows a centre of `rotate`.

    Raises:
        ValueError: it is not valid; browsers then ignore all of it.
    """
    # Only percentages depend on the area.
    return (_read if len(text) < 200 else _read.__wrapped__)(text.strip(), area if "%" in text else _ANY, css)


@lru_cache(maxsize=500)
def _read(text: str, area: Area, css: bool) -> Matrix:
    if not text or text.lower() == "none":
        return None
    *parts, rest = text.split(")", MAX_FUNCTIONS)
    if rest.strip() or not parts:
        raise ValueError(text)
    result = _UNIT
    for part in parts:
        name, bracket, arguments = part.strip(" \t\r\n,").partition("(")
        if not bracket or "(" in arguments:
            raise ValueError(text)
        name = name.strip()
        result = _product(result, _function(name.lower() if css else name, arguments, area, css))
    # The functions may be finite one by one only.
    if not all(map(math.isfinite, result)):
        raise ValueError(text)
    if result == _UNIT:
        return None
    a, b, c, d, e, f = result
    found = np.array([[a, c, e], [b, d, f]], dtype=np.float64)
    found.flags.writeable = False
    return found


def _product(outer: _Six, inner: _Six) -> _Six:
    """Return the composition of two maps, `inner` first."""
    a, b, c, d, e, f = outer
    g, h, i, j, k, l = inner  # noqa: E741
    return a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f


def _function(name: str, text: str, area: Area, css: bool) -> _Six:
    """Return the map of one function of a transform."""
    kinds, least, make = _FUNCTIONS.get(name.lower(), ("", 1, None))
    if css:
        texts = text.replace(",", " ").split()
        values = [_css_value(each, kind, area) for each, kind in zip(texts, kinds, strict=False)]
        valid = len(values) == len(texts)
    else:
        values, rest = read_numbers(text, len(kinds) + 3)
        valid = not rest and name in ("matrix", "translate", "scale", "rotate", "skewX", "skewY")
        if name == "rotate" and len(values) == 3:
            angle, x, y = values
            return _product(_product((1, 0, 0, 1, x, y), _turned(angle)), (1, 0, 0, 1, -x, -y))
    if make is None or not valid or not least <= len(values) <= len(kinds):
        raise ValueError(name)
    return make(*values)


def _css_value(text: str, kind: str, area: Area) -> float:
    """Return an argument: a number "n", a length "x" or "y", or an angle "a" in degrees."""
    units = {"n": _NONE, "a": _TURNS}.get(kind, _LENGTHS)
    whole = {"x": area[0], "y": area[1], "n": 1.0}.get(kind, math.inf)
    value = _measured(text, units, whole)
    # Only 0 needs no unit.
    if value is None or (value != 0 and kind != "n" and NUMBER.fullmatch(text)):
        raise ValueError(text)
    return value


def _turned(angle: float) -> _Six:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return cos, sin, -sin, cos, 0.0, 0.0


def _skewed(x: float, y: float) -> _Six:
    return 1.0, math.tan(math.radians(y)), math.tan(math.radians(x)), 1.0, 0.0, 0.0


_FUNCTIONS: dict[str, tuple[str, int, Callable[..., _Six]]] = {
    "matrix": ("nnnnnn", 6, lambda *values: values),
    "translate": ("xy", 1, lambda x, y=0.0: (1, 0, 0, 1, x, y)),
    "translatex": ("x", 1, lambda x: (1, 0, 0, 1, x, 0)),
    "translatey": ("y", 1, lambda y: (1, 0, 0, 1, 0, y)),
    "scale": ("nn", 1, lambda x, y=None: (x, 0, 0, x if y is None else y, 0, 0)),
    "translate3d": ("xyx", 3, lambda x, y, _z: (1, 0, 0, 1, x, y)),
    "translatez": ("x", 1, lambda _z: (1, 0, 0, 1, 0, 0)),
    "scale3d": ("nnn", 3, lambda x, y, _z: (x, 0, 0, y, 0, 0)),
    "scalez": ("n", 1, lambda _z: (1, 0, 0, 1, 0, 0)),
    "scalex": ("n", 1, lambda x: (x, 0, 0, 1, 0, 0)),
    "scaley": ("n", 1, lambda y: (1, 0, 0, y, 0, 0)),
    "rotate": ("a", 1, _turned),
    "rotatez": ("a", 1, _turned),
    "skew": ("aa", 1, lambda x, y=0.0: _skewed(x, y)),
    "skewx": ("a", 1, lambda x: _skewed(x, 0.0)),
    "skewy": ("a", 1, lambda y: _skewed(0.0, y)),
}
"""The kinds of the arguments of each function, how many are needed, and its map."""


def origin(text: str, box: Box) -> tuple[float, float]:
    """Return a `transform-origin`: keywords, lengths and percentages of a reference box.

    Raises:
        ValueError: it is not valid.
    """
    words = text.lower().split()[:2]
    if (words and words[0] in ("top", "bottom")) or (len(words) == 2 and words[1] in ("left", "right")):
        words = [*words, "center"][1::-1]
    words = [*words, "center"][:2]
    found = []
    for word, start, side in zip(words, box[:2], box[2:], strict=True):
        place = _PLACES.get(word, word)
        value = _measured(place, _LENGTHS, side)
        if value is None:
            raise ValueError(text)
        found.append(start + value)
    return found[0], found[1]


def fitted(view: Box, area: Area, fit: str) -> Matrix:
    """Return the map of a view box into an area at the origin, by its `preserveAspectRatio`."""
    align, _, how = (fit.strip().removeprefix("defer").strip() or "xMidYMid").partition(" ")
    scales = area[0] / view.width, area[1] / view.height
    if align != "none":
        scales = ((max if how.strip() == "slice" else min)(scales),) * 2
    spare = area[0] - scales[0] * view.width, area[1] - scales[1] * view.height
    places = {"Min": 0.0, "Max": 1.0}
    x, y = places.get(align[1:4], 0.5) * spare[0], places.get(align[5:8], 0.5) * spare[1]
    if align == "none":
        x = y = 0.0
    return np.array([[scales[0], 0, x - scales[0] * view.x], [0, scales[1], y - scales[1] * view.y]])
