"""Lengths with units, and pages of paper, in millimetres."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sketchgen.errors import SettingError

UNITS = {
    "mm": 1.0,
    "cm": 10.0,
    "m": 1000.0,
    "in": 25.4,
    "inch": 25.4,
    '"': 25.4,
    "pt": 25.4 / 72,
    "pc": 25.4 / 6,
    "px": 25.4 / 96,
}
"""Millimetres in each unit; px are those of CSS, 96 in an inch, as in Inkscape and vpype."""

PAGES = {
    "a0": (841.0, 1189.0),
    "a1": (594.0, 841.0),
    "a2": (420.0, 594.0),
    "a3": (297.0, 420.0),
    "a4": (210.0, 297.0),
    "a5": (148.0, 210.0),
    "a6": (105.0, 148.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
}
"""Width and height of pages by name, upright, in mm."""

MAX_PAGE = 20_000.0
"""Longest side of a page, in mm; no plotter's is longer."""

_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-z\"]*)\s*", re.IGNORECASE)
_TURNS = ("landscape", "portrait")


def length_mm(text: str | float, name: str = "length") -> float:
    """A length such as "10mm", "0.4 mm", "8.5in", "12pt" or "96px" in millimetres; bare numbers are mm.

    Args:
        text: the length; a number is taken as millimetres.
        name: what errors call it.

    Raises:
        SettingError: it is no length, or of an unknown unit.
    """
    found = _LENGTH.fullmatch(str(text)[:60])
    if found is None:
        raise SettingError(f"{name} is {str(text)[:40]!r}, no length; write one as '10mm'")
    value, unit = float(found[1]), found[2].lower() or "mm"
    if unit not in UNITS:
        raise SettingError(f"{name} is {str(text)[:40]!r}; no unit {unit!r}, there are {', '.join(UNITS)}")
    return value * UNITS[unit]


@dataclass(frozen=True)
class Page:
    """A sheet of paper.

    Attributes:
        width, height: of the paper, in mm.
        margin: left free at each side, in mm: one for all, or top, right, bottom, left.

    Raises:
        SettingError: a side or a margin outside its limits, or margins that leave no room.
    """

    width: float = 210.0
    height: float = 297.0
    margin: float | tuple[float, float, float, float] = 10.0

    def __post_init__(self) -> None:
        """Check the limits."""
        for side in (self.width, self.height):
            if not 1 <= side <= MAX_PAGE:
                raise SettingError(f"a page's side is {side:g} mm; it must be from 1 to {MAX_PAGE:g} mm")
        if not all(0 <= margin < math.inf for margin in self.margins):
            raise SettingError(f"margin is {self.margin} mm; it must be 0 or more")
        if self.room_width <= 0 or self.room_height <= 0:
            raise SettingError(
                f"margins of {self.margin} mm leave no room on {self.width:g} x {self.height:g} mm; "
                "make them smaller"
            )

    @classmethod
    def parse(cls, text: str, margin: str | float = 10.0) -> Page:
        """A page by its name or its sides.

        Args:
            text: "A4", "letter landscape", "a3-landscape", "210x297mm", "8.5in x 11in"; bare numbers are mm.
            margin: one length for all sides, or two (upright, across) or four (top, right, bottom, left)
                with commas or spaces between.

        Raises:
            SettingError: no such page, or measures outside their limits.
        """
        words = re.sub(r"[-_,\s]+", " ", text.strip().lower()[:80]).split(" ")
        turns = [word for word in words if word in _TURNS]
        rest = "".join(word for word in words if word not in _TURNS)
        if len(turns) > 1:
            raise SettingError(f"page {text[:40]!r} is both {' and '.join(turns)}; name one of them")
        sides = PAGES.get(rest) or _sides(rest, text)
        if turns:
            sides = sorted(sides, reverse=turns[0] == "landscape")
        return cls(sides[0], sides[1], _margins(margin))

    @property
    def margins(self) -> tuple[float, float, float, float]:
        """Top, right, bottom and left margin, in mm."""
        every = self.margin
        return every if isinstance(every, tuple) else (every, every, every, every)

    @property
    def room_width(self) -> float:
        """Width between the margins, in mm."""
        return self.width - self.margins[1] - self.margins[3]

    @property
    def room_height(self) -> float:
        """Height between the margins, in mm."""
        return self.height - self.margins[0] - self.margins[2]

    def check_pen(self, pen: float) -> None:
        """Check that a pen of that width, in mm, can draw on the page.

        Raises:
            SettingError: it has no width, or is wider than the room between the margins.
        """
        most = min(self.room_width, self.room_height)
        if not 0 < pen <= most:
            raise SettingError(f"the pen is {pen:g} mm wide; it must be above 0 and at most {most:g} mm here")


def _sides(rest: str, text: str) -> tuple[float, float]:
    """Two lengths with an x between them; a unit that stands at one of them only counts for both."""
    found = re.fullmatch(r"([\d.]+)([a-z\"]*)[x×*]([\d.]+)([a-z\"]*)", rest)
    if found is None:
        known = ", ".join(name.upper() if len(name) == 2 else name for name in PAGES)
        raise SettingError(f"no page {text[:40]!r}; write one as '210x297mm', or name one of {known}")
    first, second = found[2] or found[4], found[4] or found[2]
    return length_mm(found[1] + first, "a page's width"), length_mm(found[3] + second, "a page's height")


def _margins(margin: str | float) -> float | tuple[float, float, float, float]:
    """One, two or four lengths, as in CSS."""
    if isinstance(margin, str):
        # A space may also stand between a number and its unit.
        joined = re.sub(r"(?<=[\d.])\s+(?=[a-zA-Z\"])", "", margin.strip())
        values = [length_mm(part, "margin") for part in re.split(r"[,\s]+", joined)]
    else:
        values = [length_mm(margin, "margin")]
    if len(values) not in (1, 2, 4):
        raise SettingError(f"margin is {margin!r}; give one length, two (upright, across) or four")
    if len(values) == 1:
        return values[0]
    top, right, bottom, left = values * 2 if len(values) == 2 else values
    return top, right, bottom, left
