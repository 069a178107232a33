"""The table of file formats: names, suffixes, readers, writers, and the options that each takes."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchgen.errors import FormatError, SettingError, SketchgenError
from sketchgen.formats.canvas_json import sketch_to_json
from sketchgen.formats.quickdraw import Entry, parse_json, read_binary, read_ndjson, to_line
from sketchgen.formats.render_options import RenderOptions
from sketchgen.formats.sketchrnn import npz_bytes, read_npz
from sketchgen.sketch.files import read_limited, shown
from sketchgen.sketch.sketch import Item, Sketch, whole_of

if TYPE_CHECKING:
    from sketchgen.formats.poster import Layout

Reader = Callable[[BufferedIOBase, str], Iterator[Entry | SketchgenError]]
"""Yields the drawings of an open file; the text is what errors call the file."""

Writer = Callable[[Sequence[Item], RenderOptions, int], list[bytes]]
"""Returns drawings as one file, or one file a page; the number is that of the columns of a contact sheet."""

MAX_SHEET = 5000
"""Maximum number of drawings of a contact sheet, a poster or a plot."""

MAX_ARRAYS = 1_000_000
"""Maximum number of drawings of an npz."""

_TEXT_SUFFIXES = (".svg", ".json", ".excalidraw", ".ndjson", ".gcode")

MAX_SHEET_PIXELS = 24_000_000
"""The cells of a PNG sheet shrink to keep it below this size."""


@dataclass(frozen=True)
class Format:
    """A row of the table.

    Attributes:
        name: what users call it.
        summary: a phrase for help texts.
        write: the writer by suffix; the first suffix is the default.
        options: the fields of `RenderOptions` that it takes.
        max_many: maximum number of drawings of a file, or of a plot.
        one_file: whether all drawings of a job go into one file, whatever their number.
        lines: whether the file of several drawings is that of each, one after the other.
    """

    name: str
    summary: str
    write: Mapping[str, Writer]
    options: frozenset[str]
    max_many: int = MAX_SHEET
    one_file: bool = False
    lines: bool = False

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes of its files, with the dot; the first is the default."""
        return tuple(self.write)


# --- The writers: modules are imported when they are used, for JSON needs no Pillow ---------------------


def _each(encode_one: Callable[[Item, RenderOptions], bytes]) -> Writer:
    return lambda items, options, _: [encode_one(item, options) for item in items]


def _svg(items: Sequence[Item], options: RenderOptions, columns: int) -> list[bytes]:
    from sketchgen.formats.poster import page_svg, sheet_layout

    if len(items) == 1:
        return [items[0].to_svg(options.style).encode()]
    return [page_svg(items, sheet_layout(len(items), columns), options.style).encode()]


def _picture(item: Item, options: RenderOptions) -> bytes:
    from sketchgen.formats.raster import image_bytes, to_image

    style = options.style
    image = to_image(item, round(style.size) if options.size is None else options.size, style)
    return image_bytes(image, suffix_of(options)[1:].upper())


def _png(items: Sequence[Item], options: RenderOptions, columns: int) -> list[bytes]:
    return [_picture(items[0], options) if len(items) == 1 else contact_sheet(items, options, columns)]


def _animation(item: Item, options: RenderOptions) -> bytes:
    from sketchgen.formats import animation

    speed, suffix = animation.SPEED if options.speed is None else options.speed, suffix_of(options)
    if suffix == ".svg":
        return animation.to_animated_svg(item, options.style, speed).encode()
    to_file = animation.to_gif if suffix == ".gif" else animation.to_webp
    return to_file(item, options.style, speed, size=options.size)


def _excalidraw(items: Sequence[Item], options: RenderOptions, columns: int) -> list[bytes]:
    from sketchgen.formats.excalidraw import to_scene

    return [to_scene(items, options.style, columns).encode()]


def _lines(items: Sequence[Item], _options: RenderOptions, _columns: int) -> list[bytes]:
    return ["".join(to_line(whole_of(item)) for item in items).encode()]


def _npz(items: Sequence[Item], _options: RenderOptions, _columns: int) -> list[bytes]:
    return [npz_bytes(map(whole_of, items))]


def _plot(items: Sequence[Item], options: RenderOptions, _columns: int) -> list[bytes]:
    return [page.encode() for page in _plot_pages(items, options)]


def _plot_pages(items: Sequence[Item], options: RenderOptions) -> Iterator[str]:
    from sketchgen.formats.plotter import page_and_pen, plot_pages

    page, pen = page_and_pen(items, options)
    how: dict[str, Any] = {"columns": options.columns, "crop": options.crop, "style": options.style}
    return plot_pages(items, page, pen=pen, **how)


def _gcode(items: Sequence[Item], options: RenderOptions, _columns: int) -> list[bytes]:
    from sketchgen.formats.gcode import PROFILE, to_gcode

    return [to_gcode(page, options.profile or PROFILE).encode() for page in _plot_pages(items, options)]


def _poster(items: Sequence[Item], options: RenderOptions, _columns: int) -> list[bytes]:
    from sketchgen.formats.poster import page_image, page_svg
    from sketchgen.formats.raster import image_bytes

    labels = [whole_of(item).category or "" for item in items] if options.labels else None
    how: dict[str, Any] = {"title": options.title, "labels": labels}
    layout = _poster_layout(len(items), options)
    if suffix_of(options) == ".svg":
        return [page_svg(items, layout, options.style, **how).encode()]
    return [image_bytes(page_image(items, layout, options.style, **how))]


def _poster_layout(count: int, options: RenderOptions) -> Layout:
    from sketchgen.formats.poster import poster_layout

    page, titled = options.paper if options.page else None, bool(options.title)
    return poster_layout(count, page, options.columns, titled=titled, labelled=options.labels)


def _check(row: Format, suffix: str, options: RenderOptions, total: int) -> None:
    """Check the options of a format for a number of drawings, before any is made."""
    style = options.style if row.options else None
    if row.name == "poster":
        layout = _poster_layout(total, options)
        _ = layout.pixels if suffix == ".png" else None
    if "pen" in row.options:
        # Pages are laid out by the call, and drawn only when they are asked for.
        _plot_pages([Sketch()] * total, options)
    if "profile" in row.options:
        from sketchgen.formats.gcode import PROFILE, templates_of

        templates_of(options.profile or PROFILE)
    if "speed" in row.options:
        from sketchgen.formats.animation import SPEED, check_size, timeline

        timeline(Sketch(), style, SPEED if options.speed is None else options.speed)
        if suffix != ".svg":
            check_size("GIF" if suffix == ".gif" else "WebP", options.size)
    if style is not None and suffix in (".png", ".gif", ".webp"):
        from sketchgen.formats.raster import rgba

        if options.size is not None:
            replace(style, size=options.size)
        for colour in (style.background, style.given_colour, style.added_colour):
            rgba(colour)


# --- The table -------------------------------------------------------------------------------------------


def _rows() -> Iterator[Format]:
    line = frozenset({"width", "colour", "added_colour", "background", "smooth", "pressure"})
    picture, paper = line | {"size"}, frozenset({"page", "margin", "columns"})
    scene = line - {"pressure"} | {"columns"}
    moving, none = picture | {"speed"}, frozenset[str]()
    plot = paper | {"pen", "crop", "colour", "added_colour", "smooth"}
    poster, posters = line | paper | {"title", "labels"}, {".svg": _poster, ".png": _poster}
    still, animation = _each(_picture), _each(_animation)
    json = _each(lambda item, _: sketch_to_json(item).encode())
    animations = {".svg": animation, ".gif": animation, ".webp": animation}

    yield Format("svg", "SVG", {".svg": _svg}, line | {"columns"})
    yield Format("png", "picture", {".png": _png}, picture | {"columns"})
    yield Format("webp", "picture", {".webp": still}, picture, 1)
    yield Format("gif", "animation", {".gif": animation}, moving, 1)
    yield Format("animated", "animation", animations, moving, 1)
    yield Format("json", "exact strokes", {".json": json}, none, 1)
    yield Format("excalidraw", "Excalidraw's free lines", {".excalidraw": _excalidraw}, scene)
    yield Format("ndjson", "Quick, Draw!'s lines", {".ndjson": _lines}, none, lines=True)
    yield Format("npz", "sketch-rnn's arrays", {".npz": _npz}, none, MAX_ARRAYS, one_file=True)
    yield Format("plot", "pages for a plotter", {".svg": _plot}, plot)
    yield Format("gcode", "plot as G-code", {".gcode": _gcode}, plot | {"profile"})
    yield Format("poster", "all on one page", posters, poster, one_file=True)


FORMATS = {row.name: row for row in _rows()}
"""Every format that is written, by name."""

SUFFIXES: dict[str, str] = {}
for _row in FORMATS.values():
    for _suffix in _row.suffixes:
        SUFFIXES.setdefault(_suffix, _row.name)
"""The format that each suffix stands for, if no other is asked for: that of the first row that has it."""


def _read_svg(stream: BufferedIOBase, name: str) -> Iterator[Entry]:
    from sketchgen.formats.svg_reader import parse_svg

    yield Entry(parse_svg(read_limited(stream, name), name), name)


def _read_json(stream: BufferedIOBase, name: str) -> Iterator[Entry]:
    yield Entry(parse_json(read_limited(stream, name), name), name)


READERS: dict[str, Reader] = {
    ".svg": _read_svg,
    ".svgz": _read_svg,
    ".json": _read_json,
    ".excalidraw": _read_json,
    ".ndjson": read_ndjson,
    ".npz": read_npz,
    ".bin": read_binary,
}
"""The readers, by suffix; Quick, Draw!'s binary files (.bin) are only read."""


def find_format(name: str) -> tuple[Format, str]:
    """Return a format and its suffix, by a name such as "poster" or "poster.png"."""
    base, dot, end = name.partition(".")
    row = FORMATS.get(base)
    if row is None:
        near = difflib.get_close_matches(base, FORMATS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(FORMATS)}"
        raise SettingError(f"no format {name[:40]!r}; {hint}")
    if dot and dot + end not in row.suffixes:
        raise SettingError(f"{base} is not written as {(dot + end)[:20]}, only as {', '.join(row.suffixes)}")
    return row, dot + end if dot else row.suffixes[0]


def format_of(options: RenderOptions) -> Format:
    """Return the format that the options name."""
    return find_format(options.format)[0]


def suffix_of(options: RenderOptions) -> str:
    """Return the suffix of the files, with the dot."""
    return find_format(options.format)[1]


def is_binary(options: RenderOptions) -> bool:
    """Return whether the files are not text."""
    return suffix_of(options) not in _TEXT_SUFFIXES


def known_suffix(path: str | os.PathLike[str]) -> str | None:
    """Return the suffix of a file that is to be written, in lower case; None for the name of a folder."""
    suffix = Path(path).suffix.lower()
    if suffix in SUFFIXES and not Path(path).is_dir():
        return suffix
    # "run.1" and "v0.2-b" are names of folders; "cat.jpg" is not.
    if re.fullmatch(r"\.[a-z][a-z0-9]{1,4}", suffix) and not Path(path).is_dir():
        raise FormatError(f"{shown(path)}: no writer for {suffix!r}; use {', '.join(SUFFIXES)}")
    return None


def options_for(path: str | os.PathLike[str], options: RenderOptions | None = None) -> RenderOptions:
    """Return options with the format that the suffix of a file asks for.

    The format of the options is kept if its files may have that suffix.
    """
    options = options or RenderOptions()
    suffix = known_suffix(path)
    if suffix is None:
        raise FormatError(f"{shown(path)} has no suffix of a format; use {', '.join(SUFFIXES)}")
    row = format_of(options)
    if suffix not in row.suffixes:
        return replace(options, format=SUFFIXES[suffix])
    return replace(options, format=row.name + (suffix if suffix != row.suffixes[0] else ""))


def unused_options(options: RenderOptions) -> list[str]:
    """Return the names of the options that are set, but have no effect on the format."""
    taken, default = format_of(options).options | {"format"}, RenderOptions()
    names = [field.name for field in fields(options) if field.name not in taken]
    return [name for name in names if getattr(options, name) != getattr(default, name)]


def check_options(options: RenderOptions, total: int = 1, *, one_file: bool = True) -> None:
    """Check, before anything is drawn, that so many drawings can be written into one file, or a file each.

    Raises:
        SettingError: they cannot; the message says what to change.
    """
    row, suffix = find_format(options.format)
    if row.one_file and not one_file:
        raise SettingError(f"{row.name} is one file for all drawings; name it, as -o all{suffix}")
    if one_file and total > 1 and not row.lines:
        if row.max_many == 1:
            raise SettingError(
                f"{total} drawings for one {suffix[1:].upper()}, which holds 1; "
                "pass --count 1, --format ndjson, or -o FOLDER"
            )
        if total > row.max_many:
            raise SettingError(
                f"{total} drawings for one file, which takes {row.max_many} at most; "
                "pass --format ndjson or -o FOLDER"
            )
    _check(row, suffix, options, total if one_file else 1)


def encode(item: Item, options: RenderOptions | None = None) -> bytes:
    """Return a drawing as the bytes of a file; same arguments, same bytes."""
    return encode_many([item], options or RenderOptions())[0]


def encode_many(items: Sequence[Item], options: RenderOptions, columns: int = 4) -> list[bytes]:
    """Return drawings as the bytes of one file, or of one file a page, or of one each.

    A single drawing is written as `encode` writes it. `columns` are those of a contact sheet by default.
    """
    row, suffix = find_format(options.format)
    return row.write[suffix](items, options, options.columns or columns)


def contact_sheet(items: Sequence[Item], options: RenderOptions, columns: int) -> bytes:
    """Return drawings, also a single one, as a contact sheet in PNG, whatever the format."""
    from sketchgen.formats.poster import CELL, contact_sheet
    from sketchgen.formats.raster import image_bytes

    cell = min(CELL, max(16, math.isqrt(MAX_SHEET_PIXELS // max(1, len(items)))))
    return image_bytes(contact_sheet(items, options.columns or columns, cell, style=options.style))
