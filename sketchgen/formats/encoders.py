"""The writer of each format, from the options to the bytes of a file, and the checks of the options.

Modules are imported when they are used: a command that writes JSON need not load Pillow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sketchgen.formats.render_options import RenderOptions
from sketchgen.sketch.sketch import Completion, Item, Sketch

SHEET_CELL = 192
"""Side of a cell of a contact sheet, px."""

MAX_SHEET_PIXELS = 24_000_000
"""The cells of a PNG sheet shrink to keep it below this size."""

NPZ_BOX = 255.0
"""Longer side of the drawings in an npz, as in Magenta's files."""


def _whole(item: Item) -> Sketch:
    return item.whole if isinstance(item, Completion) else item


def svg(item: Item, options: RenderOptions) -> bytes:
    """Return a drawing as SVG."""
    return item.to_svg(options.style).encode()


def svg_sheet(items: Sequence[Item], options: RenderOptions, columns: int) -> list[bytes]:
    """Return a contact sheet as SVG."""
    from sketchgen.formats.svg_writer import grid_to_svg

    return [grid_to_svg(items, columns, options.style, cell=SHEET_CELL).encode()]


def png(item: Item, options: RenderOptions) -> bytes:
    """Return a drawing as PNG."""
    from sketchgen.formats.raster import to_png

    return to_png(item, options.size, options.style)


def png_sheet(items: Sequence[Item], options: RenderOptions, columns: int) -> list[bytes]:
    """Return a contact sheet as PNG, with cells that shrink with their number."""
    from sketchgen.formats.raster import contact_sheet, image_png

    cell = min(SHEET_CELL, max(16, math.isqrt(MAX_SHEET_PIXELS // max(1, len(items)))))
    return [image_png(contact_sheet(items, columns, cell, style=options.style))]


def webp(item: Item, options: RenderOptions) -> bytes:
    """Return a drawing as a WebP that does not move."""
    from sketchgen.formats.raster import to_still_webp

    return to_still_webp(item, options.size, options.style)


def animated_svg(item: Item, options: RenderOptions) -> bytes:
    """Return an animation as SVG."""
    from sketchgen.formats.animation import to_animated_svg

    return to_animated_svg(item, options.style, options.motion).encode()


def gif(item: Item, options: RenderOptions) -> bytes:
    """Return an animation as GIF."""
    from sketchgen.formats.animation import to_gif

    return to_gif(item, options.style, options.motion, size=options.size)


def animated_webp(item: Item, options: RenderOptions) -> bytes:
    """Return an animation as WebP."""
    from sketchgen.formats.animation import to_webp

    return to_webp(item, options.style, options.motion, size=options.size)


def json(item: Item, _options: RenderOptions) -> bytes:
    """Return a drawing as sketchgen's JSON."""
    from sketchgen.formats.canvas_json import sketch_to_json

    return sketch_to_json(item).encode()


def ndjson(item: Item, _options: RenderOptions) -> bytes:
    """Return a drawing as a line of Quick, Draw!."""
    from sketchgen.formats.quickdraw import to_line

    return to_line(_whole(item)).encode()


def ndjson_lines(items: Sequence[Item], options: RenderOptions, _columns: int) -> list[bytes]:
    """Return drawings as lines of Quick, Draw!."""
    return [b"".join(ndjson(item, options) for item in items)]


def npz(items: Sequence[Item], _options: RenderOptions, _columns: int) -> list[bytes]:
    """Return drawings as the first split of a sketch-rnn file."""
    from sketchgen.formats.sketchrnn import npz_bytes

    return [npz_bytes([_whole(item) for item in items], box=NPZ_BOX)]


def plot(items: Sequence[Item], options: RenderOptions, _columns: int) -> list[bytes]:
    """Return the pages of a plot as SVG."""
    from sketchgen.formats.plotter import plot_pages

    return [page.encode() for page in plot_pages(items, options.paper, options.plan, options.style)]


def gcode(items: Sequence[Item], options: RenderOptions, columns: int) -> list[bytes]:
    """Return the pages of a plot as G-code."""
    from sketchgen.formats.gcode import PROFILE, to_gcode

    pages = plot(items, options, columns)
    return [to_gcode(page.decode(), options.profile or PROFILE).encode() for page in pages]


def poster_svg(items: Sequence[Item], options: RenderOptions, _columns: int) -> list[bytes]:
    """Return a poster as SVG."""
    from sketchgen.formats import poster

    return [poster.poster_svg(items, options.poster, options.style, _labels(items, options)).encode()]


def poster_png(items: Sequence[Item], options: RenderOptions, _columns: int) -> list[bytes]:
    """Return a poster as PNG."""
    from sketchgen.formats.poster import poster_image
    from sketchgen.formats.raster import image_png

    return [image_png(poster_image(items, options.poster, options.style, _labels(items, options)))]


def _labels(items: Sequence[Item], options: RenderOptions) -> list[str] | None:
    return [_whole(item).category or "" for item in items] if options.labels else None


# --- Checks ---------------------------------------------------------------------------------------------
# Each takes the options, the suffix and the number of drawings, and raises SettingError.


def check_nothing(_options: RenderOptions, _suffix: str, _total: int) -> None:
    """Check a format that takes no options."""


def check_svg(options: RenderOptions, _suffix: str, _total: int) -> None:
    """Check the style."""
    _ = options.style


def check_picture(options: RenderOptions, _suffix: str, _total: int) -> None:
    """Check size and colours, which Pillow must know."""
    from sketchgen.formats.raster import rgba
    from sketchgen.formats.svg_writer import Style

    if options.size is not None:
        Style(size=options.size)
    for colour in (options.style.background, options.style.given_colour, options.style.added_colour):
        rgba(colour)


def check_animated(options: RenderOptions, suffix: str, total: int) -> None:
    """Check style, pace and size of an animation."""
    _ = options.style, options.motion
    if suffix != ".svg":
        from sketchgen.formats.animation import check_size

        check_size("GIF" if suffix == ".gif" else "WebP", options.size)
        check_picture(options, suffix, total)


def check_plot(options: RenderOptions, _suffix: str, total: int) -> None:
    """Check that drawings fit on pages, and the pen, too."""
    from sketchgen.formats.plotter import plot_pages

    # Pages are laid out by the call, and drawn only when they are asked for.
    plot_pages([Sketch()] * total, options.paper, options.plan, options.style)


def check_gcode(options: RenderOptions, suffix: str, total: int) -> None:
    """Check a plot, and that vpype-gcode has the profile."""
    from sketchgen.formats.gcode import PROFILE, check_profile

    check_plot(options, suffix, total)
    check_profile(options.profile or PROFILE)


def check_poster(options: RenderOptions, suffix: str, total: int) -> None:
    """Check that drawings fit on a poster."""
    from sketchgen.formats import poster

    poster.check_poster(total, options.poster, picture=suffix == ".png")
    (check_picture if suffix == ".png" else check_svg)(options, suffix, total)
