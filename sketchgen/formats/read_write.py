"""Drawings in files: the suffix picks the format."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from sketchgen.errors import FormatError
from sketchgen.formats.canvas_json import load_json, parse_canvas, sketch_to_json
from sketchgen.formats.quickdraw import sketch_of, to_line
from sketchgen.sketch.files import check_target, reason, shown, write_atomic
from sketchgen.sketch.sketch import Completion, Sketch

MAX_BYTES = 32 * 1024 * 1024
"""Largest file, or line of an ndjson file, that is read as one drawing."""

SUFFIXES = (".svg", ".png", ".json", ".ndjson")
"""The formats that can be written; all but .png can be read."""


@runtime_checkable
class Readable(Protocol):
    """An open file, binary or text; only its `read` is asked for."""

    def read(self, size: int = -1, /) -> Any:
        """At most `size` bytes or characters."""


Source = str | os.PathLike[str] | Readable
"""A path, "-" for standard input, or anything with `read`."""


def read(source: Source) -> Sketch:
    """Read one drawing.

    Args:
        source: a path (.svg, .json, .ndjson; any other suffix is judged by its content), "-" for standard
            input, or an open file. Of an ndjson file the first drawing counts.

    Raises:
        FormatError: no such file, a folder, empty, not text, or not a drawing of a known format.
        SketchError: too many points, or a point that is not finite or too far away.
    """
    data, name, suffix = _load(source)
    if suffix == ".ndjson":
        data = next((line for line in data.splitlines() if line.strip()), b"")
        if not data:
            raise FormatError(f"{name} holds no drawing")
    return _parse(data, name, suffix)


def read_all(source: Source) -> Iterator[Sketch]:
    """Read every drawing of an ndjson file, one at a time; other formats hold one.

    Raises:
        FormatError: as `read`; it names the line. Raised when the iteration gets there.
        SketchError: as `read`.
    """
    if isinstance(source, str | os.PathLike) and _suffix(source) == ".ndjson" and os.fspath(source) != "-":
        yield from _read_lines(source)
        return
    data, name, suffix = _load(source)
    lines = [line for line in data.splitlines() if line.strip()]
    if suffix == ".ndjson" or (len(lines) > 1 and _is_line(lines[0])):
        for number, line in enumerate(lines, 1):
            yield _parse(line, f"{name}, drawing {number}", ".ndjson")
        return
    yield _parse(data, name, suffix)


def write(item: Sketch | Completion, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a drawing; the suffix picks the format (.svg, .png, .json, .ndjson).

    SVG, PNG and JSON tell given from added strokes; ndjson (one line, Quick, Draw!'s form) cannot.

    Raises:
        OutputError: the file exists and `force` is false, or it cannot be written.
        FormatError: no writer for that suffix.
    """
    suffix = _suffix(path)
    if suffix not in SUFFIXES:
        raise FormatError(
            f"{shown(path)}: no writer for {suffix or 'a name without suffix'!r}; use {_known()}"
        )
    check_target(Path(path), force)
    write_atomic(path, encode(item, suffix), force=force)


def encode(item: Sketch | Completion, suffix: str) -> bytes:
    """The bytes of a file of that suffix, one of `SUFFIXES`."""
    if suffix == ".png":
        from sketchgen.formats.raster import to_png

        return to_png(item)
    if suffix == ".svg":
        return item.to_svg().encode()
    if suffix == ".json":
        return sketch_to_json(item).encode()
    return to_line(item.whole if isinstance(item, Completion) else item).encode()


def _known() -> str:
    """The suffixes in words."""
    return ", ".join(SUFFIXES[:-1]) + " or " + SUFFIXES[-1]


def _suffix(path: str | os.PathLike[str]) -> str:
    """The suffix in lower case, with its dot; "" without one."""
    return Path(path).suffix.lower()


def _load(source: Source) -> tuple[bytes, str, str]:
    """Content, name for errors, and suffix ("" where only the content can tell)."""
    if not isinstance(source, str | os.PathLike):
        name = getattr(source, "name", None)
        name = name if isinstance(name, str) else "the input"
        return _limited(source, name), shown(name), ""
    if os.fspath(source) == "-":
        return _limited(sys.stdin.buffer, "standard input"), "standard input", ""
    name = shown(source)
    try:
        with open(source, "rb") as file:
            if _suffix(source) == ".ndjson":
                return _first_line(file, name), name, ".ndjson"
            return _limited(file, name), name, _suffix(source)
    except (OSError, ValueError) as error:
        raise FormatError(f"{name} cannot be read: {reason(error)}") from error


def _limited(file: Any, name: str) -> bytes:
    """All of an open file as bytes, up to the limit."""
    try:
        data = file.read(MAX_BYTES + 1)
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is not UTF-8 text") from error
    except OSError as error:
        raise FormatError(f"{name} cannot be read: {reason(error)}") from error
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data or b"")
    if len(data) > MAX_BYTES:
        raise FormatError(f"{name} is larger than {MAX_BYTES // 2**20} MB; simplify or split it")
    if not data.strip():
        raise FormatError(f"{name} is empty")
    return data


def numbered_lines(file: BufferedIOBase, name: str) -> Iterator[tuple[int, bytes]]:
    """(number from 1, line) of every line that is not blank.

    Raises:
        FormatError: a line is longer than `MAX_BYTES`.
    """
    number = 0
    while line := file.readline(MAX_BYTES + 1):
        number += 1
        if len(line) > MAX_BYTES:
            raise FormatError(f"{name}, line {number} is larger than {MAX_BYTES // 2**20} MB")
        if line.strip():
            yield number, line


def _first_line(file: BufferedIOBase, name: str) -> bytes:
    """The first line that is not blank; a whole ndjson file may be gigabytes."""
    for _, line in numbered_lines(file, name):
        return line
    raise FormatError(f"{name} is empty")


def _read_lines(path: str | os.PathLike[str]) -> Iterator[Sketch]:
    """Every drawing of an ndjson file."""
    name = shown(path)
    try:
        with open(path, "rb") as file:
            number = 0
            for number, line in numbered_lines(file, name):
                yield _parse(line, f"{name}, line {number}", ".ndjson")
            if number == 0:
                raise FormatError(f"{name} is empty")
    except (OSError, ValueError) as error:
        raise FormatError(f"{name} cannot be read: {reason(error)}") from error


def _is_line(data: bytes) -> bool:
    """Whether a text is one line of ndjson by itself."""
    try:
        return isinstance(load_json(data, "line"), dict)
    except FormatError:
        return False


def _parse(data: bytes, name: str, suffix: str) -> Sketch:
    """One drawing from the bytes of a file or of a line."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    first = data.lstrip()[:1]
    if suffix == ".svg" or (suffix not in (".json", ".ndjson") and first == b"<"):
        from sketchgen.formats.svg_reader import parse_svg

        return parse_svg(data, name)
    if suffix not in (".json", ".ndjson") and first not in (b"{", b"["):
        raise FormatError(f"{name} is neither SVG nor JSON; drawings are read from .svg, .json and .ndjson")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is not UTF-8 text") from error
    if not suffix:
        lines = [line for line in data.splitlines() if line.strip()]
        data = lines[0] if len(lines) > 1 and _is_line(lines[0]) else data
    value = load_json(data, name)
    if isinstance(value, dict) and "drawing" in value:
        return sketch_of(value, name)
    return parse_canvas(value, name)
