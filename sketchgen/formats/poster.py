"""Posters: many drawings on one page, as SVG and as PNG."""

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
"""Maximum size of a poster as a picture."""

CELL = 192.0
"""Side of a cell with its label, px; on paper, cells are as large as fit."""

DPI = 150.0
"""Resolution on paper of a PNG."""

LABEL = 0.12
"""Height of a label, as a share of its cell."""

TITLE = 0.04
"""Height of the title, as a share of the page's longer side."""

_ASPECT = 1.4
"""Width over height of a poster, if its columns are not given."""


@dataclass(frozen=True)
class Poster:
    """Page, grid and title of a poster.

    Attributes:
        page: the paper, mm; None for a page as large as its cells, px.
        columns: cells in a row; None for about `_ASPECT`.
        title: a line at the top.

    Raises:
        SettingError: fewer than one column.
    """

    page: Page | None = None
    columns: int | None = None
    title: str | None = None

    def __post_init__(self) -> None:
        """Check the limits."""
        if self.columns is not None and self.columns < 1:
            raise SettingError(f"a poster of {self.columns} columns; there must be 1 or more")

    @property
    def scale(self) -> float:
        """Pixels of a picture for one unit of the page."""
        return 1.0 if self.page is None else DPI / 25.4


@dataclass(frozen=True)
class _Layout:
    """Measures of a poster, in its unit."""

    width: float
    height: float
    unit: str
    grid: Grid
    title: Box


def _layout(poster: Poster, count: int, labels: Sequence[str] | None = None) -> _Layout:
    """Return the measures of a poster of `count` drawings.

    Raises:
        SettingError: they do not fit on its paper, or there is not one label for each.
    """
    if labels is not None and len(labels) != count:
        raise SettingError(f"{len(labels)} labels for {count} drawings; give one a drawing")
    page, count = poster.page, max(1, count)
    if page is None:
        columns = min(poster.columns or math.ceil(math.sqrt(count * _ASPECT)), count)
        rows = math.ceil(count / columns)
        across, down = columns * CELL, rows * CELL
        strip = max(across, down) * TITLE if poster.title else 0.0
        grid = Grid(columns, rows, CELL, CELL, 0.0, 0.0, strip)
        return _Layout(across, down + strip, "px", grid, Box(0.0, 0.0, across, strip))
    top, right, bottom, left = page.margins
    strip = max(page.width, page.height) * TITLE if poster.title else 0.0
    rest = Page(page.width, page.height, (top + strip, right, bottom, left))
    grid = page_grid(rest, count, columns=poster.columns, gap=0.0, least=0.0)
    if grid.room < count:
        raise SettingError(
            f"{count} drawings do not fit on {page.width:g} x {page.height:g} mm; name more columns or a "
            "larger page"
        )
    return _Layout(page.width, page.height, "mm", grid, Box(left, top, page.room_width, strip))


def _split_cell(cell: Box, labelled: bool) -> tuple[Box, Box]:
    """Return the places of the drawing and of the label in a cell."""
    strip = cell.height * LABEL if labelled else 0.0
    picture = Box(cell.x, cell.y, cell.width, cell.height - strip)
    return picture, Box(cell.x, cell.y + picture.height, cell.width, strip)


def poster_svg(
    items: Sequence[Item],
    poster: Poster | None = None,
    style: Style | None = None,
    labels: Sequence[str] | None = None,
) -> str:
    """Return many drawings on one page as the text of an SVG file.

    Args:
        items: the drawings, row by row.
        poster: page, grid and title.
        style: colours and pen; its `size` is not used.
        labels: a line of text under each drawing.

    Raises:
        SettingError: the drawings do not fit on the paper, or there is not one label for each.
    """
    poster, style = poster or Poster(), style or Style()
    layout = _layout(poster, len(items), labels)
    size = f"{number(layout.width)}{layout.unit}", f"{number(layout.height)}{layout.unit}"
    drawing = new_document(size, f"0 0 {number(layout.width)} {number(layout.height)}")
    if style.background is not None:
        drawing.add(drawing.rect(size=("100%", "100%"), fill=style.background, class_="background"))
    if poster.title:
        drawing.add(_text(drawing, poster.title, layout.title, style))
    head, end = drawing.tostring().rsplit("</svg>", 1)
    pieces = [head, "\n"]
    # Cell by cell, since the elements of thousands of drawings take much more memory than their text.
    for index, item in enumerate(items):
        picture, line = _split_cell(layout.grid.place(index), labels is not None)
        pieces.append(_cell(drawing, item, picture, style).tostring())
        if labels is not None:
            pieces.append(_text(drawing, labels[index], line, style).tostring())
    return "".join([*pieces, "</svg>", end, "\n"])


def _cell(drawing: Any, item: Item, place: Box, style: Style) -> Any:
    """Return the element of one drawing."""
    x, y, width, height = (number(round(side, 4)) for side in place)
    view = view_box(visible_box(item, style))
    inner = drawing.svg(insert=(x, y), size=(width, height), viewBox=view)
    add_drawing(drawing, inner, item, style)
    return inner


def _text(drawing: Any, text: str, place: Box, style: Style) -> Any:
    """Return the element of a line of text in the middle of a box."""
    x, y, size = place.centre[0], place.y + place.height * 0.7, place.height * 0.7
    x, y, size = (number(round(value, 3)) for value in (x, y, size))
    font = {"font_size": size, "font_family": "sans-serif", "text_anchor": "middle"}
    return drawing.text(xml_text(text), insert=(x, y), fill=style.given_colour, **font)


def poster_image(
    items: Sequence[Item],
    poster: Poster | None = None,
    style: Style | None = None,
    labels: Sequence[str] | None = None,
) -> Image:
    """Return many drawings on one page as an RGBA picture: in px, or on paper at `DPI`.

    Raises:
        SettingError: as `poster_svg`; more than `MAX_PIXELS`; a colour that Pillow does not know.
    """
    poster, style = poster or Poster(), style or Style()
    layout, scale = _layout(poster, len(items), labels), poster.scale
    picture = images.new("RGBA", _pixels(layout, scale), rgba(style.background))
    if poster.title:
        write_line(picture, poster.title, _scaled(layout.title, scale), style)
    for index, item in enumerate(items):
        place, line = _split_cell(layout.grid.place(index), labels is not None)
        left, top, across, down = _scaled(place, scale)
        box = visible_box(item, style)
        longer = box.longer * min(across / box.width, down / box.height)
        drawn = to_image(item, max(1, math.floor(longer)), style)
        picture.paste(drawn, (left + (across - drawn.width) // 2, top + (down - drawn.height) // 2))
        if labels is not None:
            write_line(picture, labels[index], _scaled(line, scale), style)
    return picture


def check_poster(count: int, poster: Poster, *, picture: bool = False) -> None:
    """Check that a poster of `count` drawings can be made, as SVG or as a picture.

    Raises:
        SettingError: they do not fit on its paper, or there would be more than `MAX_PIXELS`.
    """
    layout = _layout(poster, count)
    if picture:
        _pixels(layout, poster.scale)


def _pixels(layout: _Layout, scale: float) -> tuple[int, int]:
    """Return width and height of the picture."""
    width, height = (max(1, round(side * scale)) for side in (layout.width, layout.height))
    if width * height > MAX_PIXELS:
        raise SettingError(
            f"a poster of {width} x {height} px; it must have at most {MAX_PIXELS // 10**6} million: "
            "choose a smaller page, or fewer drawings"
        )
    return width, height


def _scaled(box: Box, scale: float) -> tuple[int, int, int, int]:
    """Return a place in whole px: left, top, width, height."""
    left, top = round(box.x * scale), round(box.y * scale)
    right, bottom = round((box.x + box.width) * scale), round((box.y + box.height) * scale)
    return left, top, max(1, right - left), max(1, bottom - top)
