"""Drawings as pictures, antialiased, with the style of the SVG writer."""

from __future__ import annotations

import io
import math
import os

import numpy as np
from PIL import Image as images
from PIL import ImageColor, ImageDraw, ImageFont
from PIL.Image import Image

from sketchgen.errors import SettingError
from sketchgen.formats.curves import WidthLine
from sketchgen.formats.svg_writer import (
    Style,
    curve_px,
    parts,
    pen_width,
    pixel_size,
    visible_box,
    width_line,
)
from sketchgen.sketch.files import write_atomic
from sketchgen.sketch.sketch import Item, Points

_SUPERSAMPLING = 4
"""Factor by which pictures are drawn larger and then averaged down, for smooth edges."""

_MIN_WIDTH = 1.75
"""Minimum width of a line, px: thinner ones, and dots above all, would fade on a thumbnail."""

_LARGE = 2048
"""Pictures with a longer side above this are not supersampled, to bound memory."""

Area = tuple[int, int, int, int]
"""A part of a picture, px: left, top, right, bottom, the last two exclusive."""


def to_image(item: Item, size: int = 256, style: Style | None = None) -> Image:
    """Return the drawing as an RGBA picture.

    Args:
        item: a drawing or a completion; given and added strokes have the style's two colours.
        size: longer side, px, from 1; the shorter one follows the page.
        style: colours and pen; its `size` is not used.

    Raises:
        SettingError: `size` outside its limits, or a colour that Pillow does not know.
    """
    style = style or Style()
    raster = Raster(item, size, style)
    given, added = parts(item)
    for index, stroke in enumerate(given.strokes):
        raster.draw(*raster.ink_of(stroke, index, style.given_colour))
    for index, stroke in enumerate(() if added is None else added.strokes, len(given.strokes)):
        raster.draw(*raster.ink_of(stroke, index, style.added_colour))
    return raster.picture()


def image_bytes(image: Image, kind: str = "PNG") -> bytes:
    """Return a picture as the bytes of a PNG or a lossless WebP; same picture, same bytes."""
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **({"lossless": True} if kind == "WEBP" else {"optimize": False}))
    return buffer.getvalue()


def save_png(image: Image, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a picture to `path` as PNG; see `write_atomic`."""
    write_atomic(path, image_bytes(image), force=force)


def rgba(value: str | None) -> tuple[int, ...]:
    """Return a CSS colour as RGBA; None is transparent."""
    if value is None:
        return 255, 255, 255, 0
    try:
        return ImageColor.getcolor(value, "RGBA")  # pyright: ignore[reportReturnType]
    except ValueError as error:
        raise SettingError(f"{value!r} is no colour that a PNG can show; write one as '#2563eb'") from error


class Raster:
    """A picture that is drawn stroke by stroke, supersampled, and averaged down on request."""

    def __init__(self, item: Item, size: int, style: Style) -> None:
        """Create an empty page for `item` with a longer side of `size` px."""
        Style(size=size)
        self._box = box = visible_box(item, style)
        width, height = (max(1, round(side)) for side in pixel_size(box, size))
        self._fine = _SUPERSAMPLING if max(width, height) <= _LARGE else 1
        self._scale = size / box.longer
        self._style = style
        self._px = curve_px(item, style)
        self._width = max(pen_width(box, style) * self._scale, _MIN_WIDTH) * self._fine
        # Under pressure thin parts must show, too, though not as wide as a line without.
        self._least = 1.0 if style.pressure == 0 else 0.5
        self.size = width, height
        paper = rgba(style.background)
        self._canvas = images.new("RGBA", (width * self._fine, height * self._fine), paper)
        self._pen = ImageDraw.Draw(self._canvas)

    def ink_of(self, stroke: Points, index: int, colour: str) -> tuple[WidthLine, tuple[int, ...]]:
        """Return a stroke in the style: its curves as short lines with the width at each point; its colour.

        Strokes are counted over given and added ones; the colour is for one that has none of its own.
        """
        own = self._style.of_stroke(index)
        return width_line(stroke, self._box, self._px, self._style, own), rgba(own.colour or colour)

    def draw(self, line: WidthLine, colour: tuple[int, ...]) -> Area | None:
        """Draw a line with round ends and joins: discs at the points, bars between them.

        Returns:
            The part of the picture that has changed at most; None if the line is off the picture.
        """
        fine = self._fine
        # Pillow counts to the middle of a pixel; points far off the picture would overflow its integers.
        points = (line[:, :2] - (self._box.x, self._box.y)) * (self._scale * fine) - 0.5
        points = np.clip(points, -1e6, 1e6)
        radii = np.maximum(self._width * line[:, 2], _MIN_WIDTH * fine * self._least) / 2
        if (radii == radii[0]).all():
            self._bar(points, 2 * float(radii[0]), colour)
        else:
            for index in range(len(points) - 1):
                self._bar(points[index : index + 2], float(radii[index] + radii[index + 1]), colour)
        for (x, y), radius in zip(points.tolist(), radii.tolist(), strict=True):
            self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        # One px more on each side, because Pillow rounds lines and discs outwards.
        widest = float(radii.max())
        left, top = (max(0, math.floor(low)) for low in (points.min(axis=0) - widest) / fine - 1)
        ends = zip(self.size, (points.max(axis=0) + widest) / fine + 2, strict=True)
        right, bottom = (min(side, math.ceil(high)) for side, high in ends)
        return (left, top, right, bottom) if left < right and top < bottom else None

    def _bar(self, points: Points, width: float, colour: tuple[int, ...]) -> None:
        """Draw a line of one width without caps, in px of the supersampled picture."""
        if len(points) > 1:
            path = [tuple(corner) for corner in points.tolist()]
            self._pen.line(path, fill=colour, width=max(1, round(width)))

    def picture(self, area: Area | None = None) -> Image:
        """Return the picture, RGBA, or a part of it."""
        fine = self._fine
        area = area or (0, 0, *self.size)
        return self._canvas.reduce(fine, (area[0] * fine, area[1] * fine, area[2] * fine, area[3] * fine))


def write_line(sheet: Image, text: str, place: tuple[int, int, int, int], style: Style) -> None:
    """Write a line of text, cut if it is too long, into a strip: left, top, width, height, px."""
    left, top, width, height = place
    font = ImageFont.load_default(size=max(8.0, height * 0.7))
    pen = ImageDraw.Draw(sheet)
    text = " ".join(text.split())
    while len(text) > 1 and pen.textlength(text, font=font) > width - 4:
        text = text[:-2] + "…"
    pen.text(
        (left + width / 2, top + height / 2), text, font=font, fill=rgba(style.given_colour), anchor="mm"
    )
