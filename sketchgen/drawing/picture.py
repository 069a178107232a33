"""Drawings as pixels: one picture or a sheet of many, smooth, with the look of the SVG writer."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image as images
from PIL import ImageColor, ImageDraw, ImageFont
from PIL.Image import Image

from sketchgen.drawing.output import write_atomic
from sketchgen.drawing.sketch import Box, Completion, Sketch
from sketchgen.drawing.svg import Style, check_sheet, parts, pen_width, pixel_size, visible_box
from sketchgen.errors import SettingError

_FINE = 4
"""Each side is drawn this many times larger and averaged down, which smooths the edges."""

_THINNEST = 1.75
"""Least width of a line, in px: thinner ones, and dots above all, would fade out on a thumbnail."""

_LARGE = 2048
"""Pictures with a longer side above this are drawn less fine, to bound memory."""

_MAX_PIXELS = 100_000_000
"""Largest contact sheet."""


def to_image(item: Sketch | Completion, size: int = 256, style: Style | None = None) -> Image:
    """The drawing as an RGBA picture.

    Args:
        item: a drawing or a completion; given and added strokes get the style's two colours.
        size: longer side in px, from 1; the shorter one follows the page.
        style: colours and pen; its own `size` is not used.

    Raises:
        SettingError: `size` outside its limits, or a colour that Pillow does not know.
    """
    style = style or Style()
    Style(size=size)
    box = visible_box(item, style)
    width, height = (max(1, round(side)) for side in pixel_size(box, size))
    return _render(item, box, (width, height), size / box.longer, style)


def contact_sheet(
    cells: Sequence[Sketch | Completion],
    columns: int = 8,
    cell: int = 192,
    labels: Sequence[str] | None = None,
    style: Style | None = None,
) -> Image:
    """Many drawings on one RGBA picture, each fitted into a cell of its own, row by row.

    Args:
        cells: what to show; none gives an empty sheet of one cell.
        columns: cells in a row; fewer where there are fewer cells.
        cell: side of a cell, in px.
        labels: a line of text under each cell, cut where it is too long.
        style: colours and pen; its `size` is not used.

    Raises:
        SettingError: `columns` or `cell` below 1, not one label a cell, or a sheet too large.
    """
    style = style or Style()
    check_sheet(len(cells), columns, cell, labels)
    columns = max(1, min(columns, len(cells)))
    strip = max(14, round(cell * 0.12)) if labels is not None else 0
    rows = max(1, math.ceil(len(cells) / columns))
    if columns * cell * rows * (cell + strip) > _MAX_PIXELS:
        raise SettingError(
            f"a sheet of {columns} x {rows} cells of {cell} px is too large; make cells smaller"
        )
    sheet = images.new("RGBA", (columns * cell, rows * (cell + strip)), _colour(style.background))
    inset = max(1, cell // 32)
    for index, item in enumerate(cells):
        row, column = divmod(index, columns)
        left, top = column * cell, row * (cell + strip)
        picture = to_image(item, max(1, cell - 2 * inset), style)
        at = (left + (cell - picture.width) // 2, top + (cell - picture.height) // 2)
        sheet.paste(picture, at)
        if labels is not None:
            _label(sheet, labels[index], (left, top + cell, cell, strip), style)
    return sheet


def to_png(item: Sketch | Completion, size: int | None = None, style: Style | None = None) -> bytes:
    """The drawing as the bytes of a PNG file; `size` is the longer side in px, by default the style's."""
    style = style or Style()
    return image_png(to_image(item, round(style.size) if size is None else size, style))


def image_png(image: Image) -> bytes:
    """A picture as the bytes of a PNG file; same picture, same bytes."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()


def save_png(image: Image, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a picture to `path` as PNG.

    Raises:
        OutputError: the file exists and `force` is false, or it cannot be written.
    """
    write_atomic(path, image_png(image), force=force)


def _colour(value: str | None) -> tuple[int, ...]:
    """A CSS colour as RGBA; None is transparent."""
    if value is None:
        return 255, 255, 255, 0
    try:
        return ImageColor.getcolor(value, "RGBA")  # pyright: ignore[reportReturnType]
    except ValueError as error:
        raise SettingError(f"{value!r} is no colour that a PNG can show; write one as '#2563eb'") from error


def _render(item: Sketch | Completion, box: Box, size: tuple[int, int], scale: float, style: Style) -> Image:
    """Draw `item` large and average it down to `size`."""
    fine = _FINE if max(size) <= _LARGE else 1
    canvas = images.new("RGBA", (size[0] * fine, size[1] * fine), _colour(style.background))
    pen = ImageDraw.Draw(canvas)
    width = max(pen_width(box, style) * scale, _THINNEST) * fine
    given, added = parts(item)
    _ink(pen, given, box, scale * fine, width, _colour(style.given_colour))
    if added is not None:
        _ink(pen, added, box, scale * fine, width, _colour(style.added_colour))
    return canvas.reduce(fine) if fine > 1 else canvas


def _ink(pen: Any, sketch: Sketch, box: Box, scale: float, width: float, colour: tuple[int, ...]) -> None:
    """Draw every stroke with round ends and joins: a disc at each point, lines between them."""
    radius = width / 2
    for stroke in sketch.strokes:
        # Pillow counts to the middle of a pixel; points far off the picture would overflow its integers.
        points = np.clip((stroke - (box.x, box.y)) * scale - 0.5, -1e6, 1e6)
        corners = points.tolist()
        if len(corners) > 1:
            pen.line([tuple(corner) for corner in corners], fill=colour, width=max(1, round(width)))
        for x, y in corners:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _label(sheet: Image, text: str, place: tuple[int, int, int, int], style: Style) -> None:
    """Write one line into the strip at left, top, width, height, in its middle."""
    left, top, width, height = place
    font = ImageFont.load_default(size=max(8.0, height * 0.7))
    pen = ImageDraw.Draw(sheet)
    text = " ".join(text.split())
    while len(text) > 1 and pen.textlength(text, font=font) > width - 4:
        text = text[:-2] + "…"
    pen.text(
        (left + width / 2, top + height / 2), text, font=font, fill=_colour(style.given_colour), anchor="mm"
    )
