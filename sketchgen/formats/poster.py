"""Many drawings on one page, posters and contact sheets, as SVG and as pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image as images
from PIL.Image import Image

from sketchgen.errors import SettingError
from sketchgen.formats.page import Grid, Page, page_grid
from sketchgen.formats.raster import rgba, to_image, write_line
from sketchgen.formats.svg_writer import (
    MAX_SIZE,
    Style,
    add_drawing,
    new_document,
    number,
    view_box,
    visible_box,
    xml_text,
)
from sketchgen.sketch.sketch import Box, Item

MAX_PIXELS = 100_000_000
"""Maximum size of a page as a picture."""

CELL = 192
"""Side of a cell, px; on paper, cells are as large as fit."""

DPI = 150.0
"""Resolution on paper of a PNG."""

LABEL = 0.12
"""Height of a label, as a share of its cell."""

TITLE = 0.04
"""Height of the title, as a share of the page's longer side."""

_ASPECT = 1.4
"""Width over height of a poster, if its columns are not given."""


@dataclass(frozen=True)
class Layout:
    """Measures of a page of drawings.

    Attributes:
        width, height: of the page.
        unit: of all lengths: "mm", or "px" or "" for px.
        grid: the cells, each with a label at its bottom.
        inset: space around a drawing in its cell in a picture.
    """

    width: float
    height: float
    unit: str
    grid: Grid
    title: Box
    label: float = 0.0
    inset: float = 0.0

    @property
    def scale(self) -> float:
        """Pixels of a picture for one unit of the page."""
        return DPI / 25.4 if self.unit == "mm" else 1.0

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of a picture."""
        width, height = (max(1, round(side * self.scale)) for side in (self.width, self.height))
        if width * height > MAX_PIXELS:
            raise SettingError(
                f"a page of {width} x {height} px; it must have at most {MAX_PIXELS // 10**6} million: "
                "choose a smaller page, smaller cells, or fewer drawings"
            )
        return width, height

    def split(self, index: int) -> tuple[Box, Box]:
        """Return the places of a drawing and of its label."""
        cell = self.grid.place(index)
        picture = Box(cell.x, cell.y, cell.width, cell.height - self.label)
        return picture, Box(cell.x, cell.y + picture.height, cell.width, self.label)


def sheet_layout(count: int, columns: int, cell: int = CELL, *, labelled: bool = False) -> Layout:
    """Return the layout of a contact sheet: square cells in rows, and strips for labels below them."""
    if columns < 1 or not 1 <= cell <= MAX_SIZE:
        raise SettingError(f"a sheet of {columns} columns of {cell} px; both must be 1 or more")
    columns = max(1, min(columns, count))
    rows = max(1, math.ceil(count / columns))
    strip = max(14, round(cell * LABEL)) if labelled else 0
    grid = Grid(columns, rows, cell, cell + strip)
    title = Box(0.0, 0.0, 0.0, 0.0)
    return Layout(columns * cell, rows * (cell + strip), "", grid, title, strip, max(1, cell // 32))


def poster_layout(
    count: int,
    page: Page | None = None,
    columns: int | None = None,
    *,
    titled: bool = False,
    labelled: bool = False,
) -> Layout:
    """Return the layout of a poster: on paper, mm, or on a page as large as its cells, px.

    There are about `_ASPECT` times as many columns as rows, unless their number is given.
    """
    if columns is not None and columns < 1:
        raise SettingError(f"a poster of {columns} columns; there must be 1 or more")
    count = max(1, count)
    if page is None:
        columns = min(columns or math.ceil(math.sqrt(count * _ASPECT)), count)
        rows = math.ceil(count / columns)
        across, down = float(columns * CELL), float(rows * CELL)
        strip = max(across, down) * TITLE if titled else 0.0
        grid = Grid(columns, rows, CELL, CELL, 0.0, 0.0, strip)
        width, height, unit, title = across, down + strip, "px", Box(0.0, 0.0, across, strip)
    else:
        top, right, bottom, left = page.margins
        strip = max(page.width, page.height) * TITLE if titled else 0.0
        rest = Page(page.width, page.height, (top + strip, right, bottom, left))
        grid = page_grid(rest, count, columns=columns, gap=0.0, least=0.0)
        if grid.room < count:
            raise SettingError(
                f"{count} drawings do not fit on {page.width:g} x {page.height:g} mm; name more columns or "
                "a larger page"
            )
        width, height, unit, title = page.width, page.height, "mm", Box(left, top, page.room_width, strip)
    return Layout(width, height, unit, grid, title, grid.height * LABEL if labelled else 0.0)


def page_svg(
    items: Sequence[Item],
    layout: Layout,
    style: Style | None = None,
    *,
    title: str | None = None,
    labels: Sequence[str] | None = None,
) -> str:
    """Return many drawings on one page, row by row, as the text of an SVG file, with a title at the top.

    Each drawing has a label under it if there are `labels`; the style's `size` is not used.
    """
    style = style or Style()
    _check_labels(items, labels)
    size = f"{number(layout.width)}{layout.unit}", f"{number(layout.height)}{layout.unit}"
    drawing = new_document(size, f"0 0 {number(layout.width)} {number(layout.height)}")
    if style.background is not None:
        drawing.add(drawing.rect(size=("100%", "100%"), fill=style.background, class_="background"))
    if title:
        drawing.add(_text(drawing, title, layout.title, style))
    head, end = drawing.tostring().rsplit("</svg>", 1)
    pieces = [head, "\n" if layout.unit else ""]
    # Cell by cell, since the elements of thousands of drawings take much more memory than their text.
    for index, item in enumerate(items):
        place, line = layout.split(index)
        x, y, width, height = (number(round(side, 4)) for side in place)
        view = view_box(visible_box(item, style))
        cell = drawing.svg(insert=(x, y), size=(width, height), viewBox=view)
        add_drawing(drawing, cell, item, style)
        pieces.append(cell.tostring())
        if labels is not None:
            pieces.append(_text(drawing, labels[index], line, style).tostring())
    return "".join([*pieces, "</svg>", end, "\n"])


def _check_labels(items: Sequence[Item], labels: Sequence[str] | None) -> None:
    if labels is not None and len(labels) != len(items):
        raise SettingError(f"{len(labels)} labels for {len(items)} drawings; give one a drawing")


def _text(drawing: Any, text: str, place: Box, style: Style) -> Any:
    """Return the element of a line of text in the middle of a box."""
    x, y, size = place.centre[0], place.y + place.height * 0.7, place.height * 0.7
    x, y, size = (number(round(value, 3)) for value in (x, y, size))
    font = {"font_size": size, "font_family": "sans-serif", "text_anchor": "middle"}
    return drawing.text(xml_text(text), insert=(x, y), fill=style.given_colour, **font)


def page_image(
    items: Sequence[Item],
    layout: Layout,
    style: Style | None = None,
    *,
    title: str | None = None,
    labels: Sequence[str] | None = None,
) -> Image:
    """Return many drawings on one page as an RGBA picture; see `page_svg`.

    Raises:
        SettingError: as `page_svg`; more than `MAX_PIXELS`; a colour that Pillow does not know.
    """
    style, scale = style or Style(), layout.scale
    _check_labels(items, labels)
    picture = images.new("RGBA", layout.pixels, rgba(style.background))
    if title:
        write_line(picture, title, _scaled(layout.title, scale), style)
    for index, item in enumerate(items):
        place, line = layout.split(index)
        left, top, across, down = _scaled(place, scale)
        box, inset = visible_box(item, style), 2 * layout.inset
        # Rounding must not cost a px where the drawing fills its cell.
        longer = box.longer * min((across - inset) / box.width, (down - inset) / box.height) + 1e-9
        drawn = to_image(item, max(1, math.floor(longer)), style)
        picture.paste(drawn, (left + (across - drawn.width) // 2, top + (down - drawn.height) // 2))
        if labels is not None:
            write_line(picture, labels[index], _scaled(line, scale), style)
    return picture


def _scaled(box: Box, scale: float) -> tuple[int, int, int, int]:
    """Return a place in whole px: left, top, width, height."""
    left, top = round(box.x * scale), round(box.y * scale)
    right, bottom = round((box.x + box.width) * scale), round((box.y + box.height) * scale)
    return left, top, max(1, right - left), max(1, bottom - top)


def contact_sheet(
    cells: Sequence[Item],
    columns: int = 8,
    cell: int = CELL,
    labels: Sequence[str] | None = None,
    style: Style | None = None,
) -> Image:
    """Return drawings as an RGBA picture, row by row, with a line of text under each."""
    layout = sheet_layout(len(cells), columns, cell, labelled=labels is not None)
    return page_image(cells, layout, style, labels=labels)
