"""The table of file formats: names, suffixes, readers, writers, and the options that each takes."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from sketchgen.errors import FormatError, SettingError, SketchgenError
from sketchgen.formats import encoders
from sketchgen.formats.quickdraw import Entry, parse_json, read_binary, read_ndjson
from sketchgen.formats.render_options import RenderOptions
from sketchgen.sketch.files import read_limited, shown
from sketchgen.sketch.sketch import Item

Reader = Callable[[BufferedIOBase, str], Iterator[Entry | SketchgenError]]
"""Yields the drawings of an open file; the text is what errors call the file."""

Writer = Callable[[Item, RenderOptions], bytes]
"""Returns the file of one drawing."""

ManyWriter = Callable[[Sequence[Item], RenderOptions, int], list[bytes]]
"""Returns the file of several drawings, or one file a page; the number is that of the columns."""

MAX_SHEET = 5000
"""Maximum number of drawings of a contact sheet, a poster or a plot."""

MAX_ARRAYS = 1_000_000
"""Maximum number of drawings of an npz."""

_TEXT_SUFFIXES = (".svg", ".json", ".ndjson", ".gcode")


@dataclass(frozen=True)
class Format:
    """A row of the table.

    Attributes:
        name: what users call it.
        summary: a phrase for help texts.
        write: the writer of one drawing, by suffix; the first suffix is the default.
        write_many: the writer of several drawings into one file, or onto pages, by suffix; empty if a file
            holds one drawing.
        options: the fields of `RenderOptions` that it takes.
        check: checks the options for a number of drawings, before any is made.
        max_many: maximum number of drawings of a file.
        one_file: whether all drawings of a job go into one file, whatever their number.
        lines: whether the file of several drawings is that of each, one after the other.
        animated: whether the drawing draws itself.
    """

    name: str
    summary: str
    write: Mapping[str, Writer]
    write_many: Mapping[str, ManyWriter]
    options: frozenset[str]
    check: Callable[[RenderOptions, str, int], None]
    max_many: int = MAX_SHEET
    one_file: bool = False
    lines: bool = False
    animated: bool = False

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes of its files, with the dot; the first is the default."""
        return tuple(self.write)


def _single(write: ManyWriter) -> Writer:
    return lambda item, options: write([item], options, 1)[0]


def _rows() -> Iterator[Format]:
    """Yield the rows of the table."""
    e = encoders
    lines = frozenset({"width", "colour", "added_colour", "background", "smooth", "pressure"})
    picture, paper = lines | {"size"}, frozenset({"page", "margin", "columns"})
    plot = paper | {"pen", "crop", "colour", "added_colour", "smooth"}
    posters = {".svg": e.poster_svg, ".png": e.poster_png}
    animations = {".svg": e.animated_svg, ".gif": e.gif, ".webp": e.animated_webp}

    def row(name: str, summary: str, write: Any, many: Any, options: Any, check: Any, **more: Any) -> Format:
        write = {suffix: _single(writer) for suffix, writer in many.items()} if write is None else write
        return Format(name, summary, write, many, frozenset(options), check, **more)

    yield row("svg", "SVG", {".svg": e.svg}, {".svg": e.svg_sheet}, lines | {"columns"}, e.check_svg)
    yield row(
        "png", "picture", {".png": e.png}, {".png": e.png_sheet}, picture | {"columns"}, e.check_picture
    )
    yield row("webp", "picture", {".webp": e.webp}, {}, picture, e.check_picture)
    yield row("gif", "animation", {".gif": e.gif}, {}, picture | {"speed"}, e.check_animated, animated=True)
    yield row("animated", "animation", animations, {}, picture | {"speed"}, e.check_animated, animated=True)
    yield row("json", "exact strokes", {".json": e.json}, {}, (), e.check_nothing)
    ndjson = {".ndjson": e.ndjson}, {".ndjson": e.ndjson_lines}
    yield row("ndjson", "Quick, Draw!'s lines", *ndjson, (), e.check_nothing, lines=True)
    npz = {"max_many": MAX_ARRAYS, "one_file": True}
    yield row("npz", "sketch-rnn's arrays", None, {".npz": e.npz}, (), e.check_nothing, **npz)
    yield row("plot", "pages for a plotter", None, {".svg": e.plot}, plot, e.check_plot)
    yield row("gcode", "plot as G-code", None, {".gcode": e.gcode}, plot | {"profile"}, e.check_gcode)
    poster = lines | paper | {"title", "labels"}
    yield row("poster", "all on one page", None, posters, poster, e.check_poster, one_file=True)


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


def _read_npz(stream: BufferedIOBase, name: str) -> Iterator[Entry]:
    from sketchgen.formats.sketchrnn import read_npz

    for number, sketch in enumerate(read_npz(stream, name), 1):
        yield Entry(sketch, f"{name}, drawing {number}")


READERS: dict[str, Reader] = {
    ".svg": _read_svg,
    ".json": _read_json,
    ".ndjson": read_ndjson,
    ".npz": _read_npz,
    ".bin": read_binary,
}
"""The readers, by suffix; Quick, Draw!'s binary files (.bin) are only read."""


def find_format(name: str) -> tuple[Format, str]:
    """Return a format and its suffix, by a name such as "poster" or "poster.png".

    Raises:
        SettingError: there is no such format; the message names the nearest, or all.
    """
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
    """Return the format of the options."""
    return find_format(options.format)[0]


def suffix_of(options: RenderOptions) -> str:
    """Return the suffix of the files, with the dot."""
    return find_format(options.format)[1]


def is_binary(options: RenderOptions) -> bool:
    """Return whether the files are not text."""
    return suffix_of(options) not in _TEXT_SUFFIXES


def known_suffix(path: str | os.PathLike[str]) -> str | None:
    """Return the suffix of a file that is to be written, in lower case; None for the name of a folder.

    Raises:
        FormatError: the name ends like that of a file in a format that cannot be written.
    """
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

    Raises:
        FormatError: no format has that suffix.
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
    """Check, before anything is drawn, that drawings can be written.

    Args:
        options: how they are rendered.
        total: number of drawings.
        one_file: whether they go into one file, rather than a file each.

    Raises:
        SettingError: they cannot; the message says what to change.
    """
    row, suffix = find_format(options.format)
    if row.one_file and not one_file:
        raise SettingError(f"{row.name} is one file for all drawings; name it, as -o all{suffix}")
    if one_file and total > 1 and not row.lines:
        if suffix not in row.write_many:
            raise SettingError(
                f"{total} drawings for one {suffix[1:].upper()}, which holds 1; "
                "pass --count 1, --format ndjson, or -o FOLDER"
            )
        if total > row.max_many:
            raise SettingError(
                f"{total} drawings for one file, which takes {row.max_many} at most; "
                "pass --format ndjson or -o FOLDER"
            )
    row.check(options, suffix, total if one_file else 1)


def encode(item: Item, options: RenderOptions | None = None) -> bytes:
    """Return a drawing as the bytes of a file; same arguments, same bytes.

    Raises:
        SettingError: an option outside its limits.
    """
    options = options or RenderOptions()
    row, suffix = find_format(options.format)
    return row.write[suffix](item, options)


def encode_many(items: Sequence[Item], options: RenderOptions, columns: int = 4) -> list[bytes]:
    """Return several drawings as the bytes of one file, or of one file a page.

    Args:
        items: the drawings; a single one is written as `encode` writes it.
        options: how they are rendered.
        columns: drawings in a row of a contact sheet, unless the options say so.

    Raises:
        SettingError: an option outside its limits, or drawings that do not fit.
    """
    row, suffix = find_format(options.format)
    if len(items) == 1 or suffix not in row.write_many:
        return [encode(item, options) for item in items]
    return row.write_many[suffix](items, options, options.columns or columns)


def contact_sheet(items: Sequence[Item], options: RenderOptions, columns: int) -> bytes:
    """Return drawings, also a single one, as a contact sheet in PNG, whatever the format."""
    return encoders.png_sheet(items, options, options.columns or columns)[0]
