"""Lengths with units, pages of paper in millimetres, and grids of cells on them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sketchgen.errors import SettingError
from sketchgen.limits import check_range
from sketchgen.sketch.sketch import Box

UNITS = {
    "mm": 1.0,
    "cm": 10.0,
    "q": 0.25,
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
"""Width and height of pages by name, portrait, mm."""

MAX_PAGE = 20_000.0
"""Maximum side of a page, mm."""

MIN_CELL = 15.0
"""Minimum side of a cell, mm, if none is given; smaller cells go onto further pages instead."""

GAP = 5.0
"""Space between cells, mm."""

_MIN_GIVEN_CELL = 1.0
"""Minimum side of a cell, mm, that can be given."""

_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-z\"]*)\s*", re.IGNORECASE)
_TURNS = ("landscape", "portrait")


def length_mm(text: str | float, name: str = "length") -> float:
    """Return a length such as "10mm", "0.4 mm", "8.5in", "12pt" or "96px" in mm; bare numbers are mm.

    Raises:
        SettingError: it is not a length, or of an unknown unit; errors call it `name`.
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
        width, height: of the paper, mm.
        margin: on each side, mm: one for all, or top, right, bottom, left.
    """

    width: float = 210.0
    height: float = 297.0
    margin: float | tuple[float, float, float, float] = 10.0

    def __post_init__(self) -> None:
        for side in (self.width, self.height):
            check_range("a page's side", side, 1, MAX_PAGE, "mm")
        for margin in self.margins:
            check_range("margin", margin, 0, unit="mm")
        if self.room_width <= 0 or self.room_height <= 0:
            raise SettingError(
                f"margins of {self.margin} mm leave no room on {self.width:g} x {self.height:g} mm; "
                "make them smaller"
            )

    @classmethod
    def parse(cls, text: str, margin: str | float = 10.0) -> Page:
        """Return a page by its name or its sides.

        Args:
            text: "A4", "letter landscape", "a3-landscape", "210x297mm", "8.5in x 11in"; bare numbers are mm.
            margin: one length for all sides, or two (vertical, horizontal) or four (top, right, bottom,
                left), separated by commas or spaces.

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
        """Top, right, bottom and left margin, mm."""
        every = self.margin
        return every if isinstance(every, tuple) else (every, every, every, every)

    @property
    def room_width(self) -> float:
        """Width between the margins, mm."""
        return self.width - self.margins[1] - self.margins[3]

    @property
    def room_height(self) -> float:
        """Height between the margins, mm."""
        return self.height - self.margins[0] - self.margins[2]


def _sides(rest: str, text: str) -> tuple[float, float]:
    """Return two lengths with an x between them; a unit after one of them holds for both."""
    found = re.fullmatch(r"([\d.]+)([a-z\"]*)[x×*]([\d.]+)([a-z\"]*)", rest)
    if found is None:
        known = ", ".join(name.upper() if len(name) == 2 else name for name in PAGES)
        raise SettingError(f"no page {text[:40]!r}; write one as '210x297mm', or name one of {known}")
    first, second = found[2] or found[4], found[4] or found[2]
    return length_mm(found[1] + first, "a page's width"), length_mm(found[3] + second, "a page's height")


def _margins(margin: str | float) -> float | tuple[float, float, float, float]:
    """Return one, two or four lengths, as in CSS."""
    # A space may also stand between a number and its unit.
    joined = re.sub(r"(?<=[\d.])\s+(?=[a-zA-Z\"])", "", str(margin).strip())
    values = [length_mm(part, "margin") for part in re.split(r"[,\s]+", joined)]
    if len(values) not in (1, 2, 4):
        raise SettingError(f"margin is {margin!r}; give one length, two (vertical, horizontal) or four")
    if len(values) == 1:
        return values[0]
    top, right, bottom, left = values * 2 if len(values) == 2 else values
    return top, right, bottom, left


@dataclass(frozen=True)
class Grid:
    """Equal cells in rows, from the top left.

    Attributes:
        columns, rows: number of cells of a page, horizontally and vertically.
        width, height: of a cell, in the page's unit.
        gap: between cells, in the page's unit.
        left, top: corner of the first cell.
    """

    columns: int
    rows: int
    width: float
    height: float
    gap: float = 0.0
    left: float = 0.0
    top: float = 0.0

    @property
    def room(self) -> int:
        """Number of cells of a page."""
        return self.columns * self.rows

    def place(self, index: int) -> Box:
        """Return the cell of a drawing, counted from 0 on its page, row by row."""
        row, column = divmod(index, self.columns)
        x, y = self.left + column * (self.width + self.gap), self.top + row * (self.height + self.gap)
        return Box(x, y, self.width, self.height)


def page_grid(
    page: Page,
    count: int,
    *,
    columns: int | None = None,
    cell: float | None = None,
    gap: float = GAP,
    least: float = MIN_CELL,
) -> Grid:
    """Return the grid for drawings on pages of paper, centred horizontally, from the top.

    One drawing fills the page between its margins. Several have square cells, of a side in mm if `cell` says
    so: else the largest with which all fit on one page, unless that is under `least`.
    """
    width, height, (top, _, _, left) = page.room_width, page.room_height, page.margins
    if columns is not None and columns < 1:
        raise SettingError(f"a grid of {columns} columns; there must be 1 or more")
    if count <= 1 and columns in (None, 1) and cell is None:
        return Grid(1, 1, width, height, gap, left, top)
    check_range("a cell's side", cell, _MIN_GIVEN_CELL, min(width, height) + 1e-9, "mm")
    if cell is not None:
        side = cell
    elif columns is not None:
        side = min((width - gap * (columns - 1)) / columns, height)
    else:
        side = _largest(width, height, count, gap, least)
    fitting = 0 if side < _MIN_GIVEN_CELL else _fitting(width, side, gap)
    if columns is not None and columns > fitting:
        raise SettingError(
            f"{columns} columns do not fit into {width:g} mm with gaps of {gap:g} mm; ask for fewer"
        )
    across = min(columns or fitting, max(1, count))
    spare = width - across * side - gap * (across - 1)
    return Grid(across, _fitting(height, side, gap), side, side, gap, left + max(0.0, spare / 2), top)


def _fitting(room: float, cell: float, gap: float) -> int:
    """Return how many cells fit side by side."""
    return int((room + gap) / (cell + gap) + 1e-9)


def _largest(width: float, height: float, count: int, gap: float, least: float) -> float:
    """Return the side of the largest square cells of which `count` fit on one page, at least `least`."""
    most = min(width, height)
    best = min(max(least, _MIN_GIVEN_CELL), most)
    for columns in range(1, min(count, _fitting(width, best, gap)) + 1):
        rows = math.ceil(count / columns)
        across, down = (width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows
        best = max(best, min(across, down))
    return min(best, most)
