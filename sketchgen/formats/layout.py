"""Where drawings stand on a page: in a grid, as many pages as it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sketchgen.errors import SettingError
from sketchgen.formats.units import Page
from sketchgen.sketch.sketch import Box

MIN_CELL = 15.0
"""Side of the smallest cell, in mm, that is chosen where none is asked for; then there are more pages."""

SMALLEST_CELL = 1.0
"""Side of the smallest cell, in mm, that can be asked for."""


@dataclass(frozen=True)
class Grid:
    """Equal cells in rows, from the top left.

    Attributes:
        columns, rows: cells beside and below each other, on one page.
        width, height: of a cell, in the page's unit.
        gap: between cells, in the page's unit.
        left, top: the first cell's corner.
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
        """How many drawings go on one page."""
        return self.columns * self.rows

    def place(self, index: int) -> Box:
        """The cell of a drawing, counted from 0 on its page, row by row."""
        row, column = divmod(index, self.columns)
        x, y = self.left + column * (self.width + self.gap), self.top + row * (self.height + self.gap)
        return Box(x, y, self.width, self.height)

    def pages(self, count: int) -> int:
        """How many pages that many drawings take; one for none."""
        return max(1, math.ceil(count / self.room))


def grid_on(
    page: Page,
    count: int,
    *,
    columns: int | None = None,
    cell: float | None = None,
    gap: float = 5.0,
    least: float = MIN_CELL,
) -> Grid:
    """The grid for drawings on pages of paper.

    One drawing has the whole page between its margins. Several have square cells: as large as lets all of
    them stand on one page, unless that is under `least`.

    Args:
        page: the paper and its margins.
        count: how many drawings there are.
        columns: cells in a row; as many as fit where left out.
        cell: side of a cell, in mm.
        gap: between cells, in mm.
        least: side of the smallest cell that is chosen where none is asked for, in mm.

    Raises:
        SettingError: a number outside its limits, or cells that are too large for the page.
    """
    if not 0 <= gap < math.inf:
        raise SettingError(f"gap is {gap:g} mm; it must be 0 or more")
    if columns is not None and columns < 1:
        raise SettingError(f"a grid of {columns} columns; there must be 1 or more")
    if count <= 1 and columns in (None, 1) and cell is None:
        return _centred(page, 1, 1, page.room_width, page.room_height, gap)
    if cell is None:
        cell = _side(page, columns, gap) if columns is not None else _largest(page, count, gap, least)
    most = min(page.room_width, page.room_height)
    if not SMALLEST_CELL <= cell <= most + 1e-9:
        raise SettingError(f"a cell of {cell:g} mm; it must be from {SMALLEST_CELL:g} to {most:g} mm here")
    fitting = _fitting(page.room_width, cell, gap)
    if columns is not None and columns > fitting:
        raise SettingError(f"{columns} columns of {cell:g} mm; only {fitting} fit, make cells or gap smaller")
    across = min(columns or fitting, max(1, count))
    return _centred(page, across, _fitting(page.room_height, cell, gap), cell, cell, gap)


def _fitting(room: float, cell: float, gap: float) -> int:
    """How many cells stand side by side in a room."""
    return int((room + gap) / (cell + gap) + 1e-9)


def _side(page: Page, columns: int, gap: float) -> float:
    """The side of a cell where that many stand in a row."""
    side = (page.room_width - gap * (columns - 1)) / columns
    if side < SMALLEST_CELL:
        raise SettingError(
            f"{columns} columns do not fit into {page.room_width:g} mm with gaps of {gap:g} mm; ask for fewer"
        )
    return min(side, page.room_height)


def _largest(page: Page, count: int, gap: float, least: float) -> float:
    """The side of the largest square cells of which `count` go on one page, or the least that is chosen."""
    most = min(page.room_width, page.room_height)
    best = min(max(least, SMALLEST_CELL), most)
    for columns in range(1, min(count, _fitting(page.room_width, best, gap)) + 1):
        rows = math.ceil(count / columns)
        across = (page.room_width - gap * (columns - 1)) / columns
        best = max(best, min(across, (page.room_height - gap * (rows - 1)) / rows))
    return min(best, most)


def _centred(page: Page, columns: int, rows: int, width: float, height: float, gap: float) -> Grid:
    """The grid between the margins, in the middle across, from the top."""
    top, _, _, left = page.margins
    spare = page.room_width - columns * width - gap * (columns - 1)
    return Grid(columns, rows, width, height, gap, left + max(0.0, spare / 2), top)
