"""Many drawings on one page, as SVG and PNG: cell by cell, so that thousands take no more memory than one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image as images
from PIL.Image import Image

from sketchgen.errors import SettingError
from sketchgen.formats.layout import Grid, grid_on
from sketchgen.formats.raster import rgba, to_image, write_line
from sketchgen.formats.svg_writer import MAX_SIZE, Style, fill_with, number, plain, visible_box
from sketchgen.formats.units import Page
from sketchgen.sketch.sketch import Box, Completion, Sketch

MAX_PIXELS = 100_000_000
"""Largest picture of a poster."""

LABEL = 0.12
"""Height of a label's line, as a share of its cell."""

TITLE = 0.04
"""Height of the title's line, as a share of the page's longer side."""

_WIDE = 1.4
"""Width over height of a poster whose columns are not named."""


@dataclass(frozen=True)
class Poster:
    """How many drawings stand on one page.

    Attributes:
        page: the paper, in mm; None for a page as large as its cells, in px.
        columns: cells in a row; None for as many as look well.
        cell: side of a cell, with its label, in px; on paper cells are as large as fit.
        gap: between cells, in mm or px.
        title: a line at the top.
        dpi: px in an inch of paper, of a PNG.

    Raises:
        SettingError: a number outside its limits.
    """

    page: Page | None = None
    columns: int | None = None
    cell: float = 192.0
    gap: float = 0.0
    title: str | None = None
    dpi: float = 150.0

    def __post_init__(self) -> None:
        """Check what can be checked without drawings."""
        if not 1 <= self.cell <= MAX_SIZE:
            raise SettingError(f"cell is {self.cell:g} px; it must be from 1 to {MAX_SIZE}")
        if not 1 <= self.dpi <= 2400:
            raise SettingError(f"dpi is {self.dpi:g}; it must be from 1 to 2400")
        if not 0 <= self.gap < math.inf:
            raise SettingError(f"gap is {self.gap:g}; it must be 0 or more")
        if self.columns is not None and self.columns < 1:
            raise SettingError(f"a poster of {self.columns} columns; there must be 1 or more")


@dataclass(frozen=True)
class _Sheet:
    """A poster's measures, in its unit."""

    width: float
    height: float
    unit: str
    grid: Grid
    title: Box


def _sheet(poster: Poster, count: int) -> _Sheet:
    """The measures of a poster of that many drawings.

    Raises:
        SettingError: they do not fit on its paper.
    """
    page, count = poster.page, max(1, count)
    if page is None:
        columns = min(poster.columns or math.ceil(math.sqrt(count * _WIDE)), count)
        rows = math.ceil(count / columns)
        across = columns * (poster.cell + poster.gap) - poster.gap
        down = rows * (poster.cell + poster.gap) - poster.gap
        strip = max(across, down) * TITLE if poster.title else 0.0
        grid = Grid(columns, rows, poster.cell, poster.cell, poster.gap, 0.0, strip)
        return _Sheet(across, down + strip, "px", grid, Box(0.0, 0.0, across, strip))
    top, right, bottom, left = page.margins
    strip = max(page.width, page.height) * TITLE if poster.title else 0.0
    rest = Page(page.width, page.height, (top + strip, right, bottom, left))
    grid = grid_on(rest, count, columns=poster.columns, gap=poster.gap, least=0.0)
    if grid.room < count:
        raise SettingError(
            f"{count} drawings do not fit on {page.width:g} x {page.height:g} mm; name more columns or a "
            "larger page"
        )
    return _Sheet(page.width, page.height, "mm", grid, Box(left, top, page.room_width, strip))


def poster_svg(
    items: Sequence[Sketch | Completion],
    poster: Poster | None = None,
    style: Style | None = None,
    labels: Sequence[str] | None = None,
) -> str:
    """Many drawings on one page as the text of an SVG; see `poster_pieces`."""
    return "".join(poster_pieces(items, len(items), poster, style, labels))


def poster_pieces(
    items: Iterable[Sketch | Completion],
    count: int,
    poster: Poster | None = None,
    style: Style | None = None,
    labels: Iterable[str] | None = None,
) -> Iterator[str]:
    """The same, piece by piece as it is written: a head, each cell, an end.

    Args:
        items: the drawings, taken one at a time; each is fitted into a cell, row by row.
        count: how many there are.
        poster: page, grid and title.
        style: colours and pen, shared by all; its `size` is not used.
        labels: a line of text under each drawing.

    Raises:
        SettingError: the drawings do not fit on the paper, from the call itself; or, while they are taken,
            there are more or fewer than was said.
    """
    poster, style = poster or Poster(), style or Style()
    return _pieces(items, count, poster.title, style, labels, _sheet(poster, count))


def _pieces(
    items: Iterable[Sketch | Completion],
    count: int,
    title: str | None,
    style: Style,
    labels: Iterable[str] | None,
    sheet: _Sheet,
) -> Iterator[str]:
    drawing = _page(sheet, title, style)
    head, end = drawing.tostring().rsplit("</svg>", 1)
    yield head + "\n"
    for index, (item, label) in enumerate(_labelled(items, labels, count)):
        yield "".join(part.tostring() for part in _cell(drawing, item, label, sheet.grid.place(index), style))
    yield f"</svg>{end}\n"


def _page(sheet: _Sheet, title: str | None, style: Style) -> Any:
    """The poster without its drawings."""
    import svgwrite

    size = f"{number(sheet.width)}{sheet.unit}", f"{number(sheet.height)}{sheet.unit}"
    view = f"0 0 {number(sheet.width)} {number(sheet.height)}"
    drawing = svgwrite.Drawing(size=size, viewBox=view, debug=False)
    if style.background is not None:
        drawing.add(drawing.rect(size=("100%", "100%"), fill=style.background, class_="background"))
    if title:
        drawing.add(_text(drawing, title, sheet.title, style))
    return drawing


def _text(drawing: Any, text: str, place: Box, style: Style) -> Any:
    """A line of text in the middle of its place."""
    at = number(round(place.centre[0], 3)), number(round(place.y + place.height * 0.7, 3))
    font = {"font_size": number(round(place.height * 0.7, 3)), "font_family": "sans-serif"}
    return drawing.text(plain(text), insert=at, fill=style.given_colour, text_anchor="middle", **font)


def _labelled(
    items: Iterable[Sketch | Completion], labels: Iterable[str] | None, count: int
) -> Iterator[tuple[Sketch | Completion, str | None]]:
    """Each drawing with its label.

    Raises:
        SettingError: there are not `count` of each.
    """
    words = None if labels is None else iter(labels)
    found = 0
    for item in items:
        label = None if words is None else next(words, None)
        if found == count or (words is not None and label is None):
            raise SettingError(f"a poster of {count} drawings was given more of them, or fewer labels")
        found += 1
        yield item, label
    if found < count or (words is not None and next(words, None) is not None):
        raise SettingError(f"a poster of {count} drawings was given {found}, or more labels")


def _parts_of(cell: Box, label: str | None) -> tuple[Box, Box]:
    """Where in a cell the drawing stands, and where its label."""
    strip = 0.0 if label is None else cell.height * LABEL
    picture = Box(cell.x, cell.y, cell.width, cell.height - strip)
    return picture, Box(cell.x, cell.y + picture.height, cell.width, strip)


def _cell(drawing: Any, item: Sketch | Completion, label: str | None, cell: Box, style: Style) -> list[Any]:
    """The elements of one cell."""
    picture, line = _parts_of(cell, label)
    view = " ".join(number(side) for side in visible_box(item, style))
    corner, sides = ((number(round(side, 4)) for side in pair) for pair in (picture[:2], picture[2:]))
    inner = drawing.svg(insert=tuple(corner), size=tuple(sides), viewBox=view)
    fill_with(drawing, inner, item, style)
    return [inner] if label is None else [inner, _text(drawing, label, line, style)]


def poster_image(
    items: Iterable[Sketch | Completion],
    count: int,
    poster: Poster | None = None,
    style: Style | None = None,
    labels: Iterable[str] | None = None,
) -> Image:
    """The same as an RGBA picture: in px, or on paper at its `dpi`.

    Raises:
        SettingError: as `poster_pieces`; more than `MAX_PIXELS`; a colour that Pillow does not know.
    """
    poster, style = poster or Poster(), style or Style()
    sheet = _sheet(poster, count)
    scale = 1.0 if poster.page is None else poster.dpi / 25.4
    picture = images.new("RGBA", _pixels(sheet, scale), rgba(style.background))
    if poster.title:
        write_line(picture, poster.title, _scaled(sheet.title, scale), style)
    for index, (item, label) in enumerate(_labelled(items, labels, count)):
        place, line = _parts_of(sheet.grid.place(index), label)
        left, top, across, down = _scaled(place, scale)
        box = visible_box(item, style)
        longer = box.longer * min(across / box.width, down / box.height)
        drawn = to_image(item, max(1, math.floor(longer)), style)
        picture.paste(drawn, (left + (across - drawn.width) // 2, top + (down - drawn.height) // 2))
        if label is not None:
            write_line(picture, label, _scaled(line, scale), style)
    return picture


def check_poster(count: int, poster: Poster, *, picture: bool = False) -> None:
    """Check that a poster of that many drawings can be made, as SVG or as a `picture`.

    Raises:
        SettingError: they do not fit on its paper, or there would be more than `MAX_PIXELS`.
    """
    sheet = _sheet(poster, count)
    if picture:
        _pixels(sheet, 1.0 if poster.page is None else poster.dpi / 25.4)


def _pixels(sheet: _Sheet, scale: float) -> tuple[int, int]:
    """Width and height of the picture."""
    width, height = (max(1, round(side * scale)) for side in (sheet.width, sheet.height))
    if width * height > MAX_PIXELS:
        raise SettingError(
            f"a poster of {width} x {height} px; it must have at most {MAX_PIXELS // 10**6} million: "
            "make cells or dpi smaller"
        )
    return width, height


def _scaled(box: Box, scale: float) -> tuple[int, int, int, int]:
    """A place in whole px: left, top, width, height."""
    left, top = round(box.x * scale), round(box.y * scale)
    right, bottom = round((box.x + box.width) * scale), round((box.y + box.height) * scale)
    return left, top, max(1, right - left), max(1, bottom - top)
