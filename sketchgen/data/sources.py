"""Where drawings come from: the files that `prepare` reads, and what each of them holds."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

from sketchgen.errors import FormatError, SketchgenError
from sketchgen.formats.canvas_json import load_json
from sketchgen.formats.quickdraw import sketch_of
from sketchgen.formats.quickdraw_binary import read_binary
from sketchgen.formats.read_write import MAX_BYTES, read
from sketchgen.formats.sketchrnn_reader import read_npz
from sketchgen.sketch.sketch import Sketch

BLOCK_BYTES = 128 * 1024
"""Bytes that are read at a time: few enough that what is made of them stays in the processor's cache."""


@dataclass(frozen=True)
class Entry:
    """A drawing of a source.

    Attributes:
        sketch: the drawing, with its category if there is one.
        place: where it stands, for people: the file, and the line or the number in it.
        recognised: whether Quick, Draw!'s game recognised it; True where nothing is said of that.
    """

    sketch: Sketch
    place: str
    recognised: bool = True


Found = Entry | SketchgenError
"""A drawing, or why there is none; the error names the file and the place in it."""


def source_files(sources: Sequence[Path]) -> list[Path]:
    """The files that are named, or stand in the folders that are named and in theirs, sorted by path.

    Raises:
        FormatError: a source that does not exist or is of no known kind, or a folder without any.
    """
    files: list[Path] = []
    for source in sources:
        if not source.exists():
            raise FormatError(f"{source} does not exist; name files or folders of drawings")
        found = sorted(path for path in source.rglob("*") if _reader(path)) if source.is_dir() else [source]
        if not found:
            raise FormatError(f"{source} holds no drawing; {_known()} are read")
        if _reader(found[0]) is None:
            raise FormatError(f"{source} is of no known kind; {_known()} are read")
        files += found
    return files


def entries(file: Path) -> Iterator[Found]:
    """Every drawing of a file; what cannot be read is told in its place, and reading goes on if it can.

    Raises:
        FormatError: the file cannot be opened.
    """
    reader = _reader(file)
    assert reader is not None, file
    with readable(file):
        try:
            yield from reader(file)
        except SketchgenError as error:
            yield error


@contextmanager
def readable(file: Path) -> Iterator[None]:
    """Reading of a file: what the system or a damaged packing stops is a `FormatError` that names it."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is damaged or cut off"
        raise FormatError(f"{file} cannot be read: {reason}") from error


def has_lines(file: Path) -> bool:
    """Whether a file is read line by line."""
    return _reader(file) is _from_lines


def opened(file: Path) -> BufferedIOBase:
    """A file of lines, open for reading, unpacked if it is packed by gzip."""
    return gzip.open(file, "rb") if file.suffix.lower() == ".gz" else file.open("rb")


def category_of(file: Path) -> str:
    """The category that a file's name stands for, in the manner of Quick, Draw!: `cat.full.npz` is "cat"."""
    return file.name.split(".")[0]


def line_blocks(
    stream: BufferedIOBase, size: int, most: int = MAX_BYTES, block: int = BLOCK_BYTES
) -> Iterator[bytes]:
    """Blocks of whole lines, each with its newline, from the next `size` bytes of a file.

    A line of over `most` bytes, its newline counted, is left out; an empty block stands for it.
    """
    rest, skipping = b"", False
    while size and (data := stream.read(min(block, size))):
        size -= len(data)
        cut = data.rfind(b"\n") + 1
        if skipping and cut:
            # The tail of a line that was too long.
            data, skipping = data[data.find(b"\n") + 1 :], False
            yield b""
            cut = data.rfind(b"\n") + 1
        if skipping:
            continue
        if cut:
            yield from _without_long(rest + data[:cut], most)
            rest = data[cut:]
        else:
            rest += data
        if len(rest) > most:
            rest, skipping = b"", True
    if skipping:
        yield b""
    elif rest:
        yield from _without_long(rest + b"\n", most)


def _without_long(lines: bytes, most: int) -> Iterator[bytes]:
    """Whole lines as one block, but for those that are too long."""
    if len(lines) <= most:
        yield lines
        return
    for line in lines.split(b"\n")[:-1]:
        yield line + b"\n" if len(line) < most else b""


def line_entry(line: bytes, place: str) -> Found:
    """The drawing of one line of ndjson."""
    try:
        value = load_json(line, place)
        sketch = sketch_of(value, place)
    except SketchgenError as error:
        return error
    return Entry(sketch, place, value.get("recognized", True) is not False)


def too_long(place: str) -> FormatError:
    """The fault of a line that is longer than `MAX_BYTES`."""
    return FormatError(f"{place} is larger than {MAX_BYTES // 2**20} MB")


def _from_lines(file: Path) -> Iterator[Found]:
    """ndjson, plain or packed by gzip; behind a line that cannot be read, the next one may be."""
    number = 0
    with opened(file) as stream:
        for block in line_blocks(stream, sys.maxsize):
            if not block:
                number += 1
                yield too_long(f"{file.name}, line {number}")
            for line in block.split(b"\n")[:-1]:
                number += 1
                if line.strip():
                    yield line_entry(line, f"{file.name}, line {number}")


def _from_binary(file: Path) -> Iterator[Found]:
    with file.open("rb") as stream:
        for number, (sketch, recognised) in enumerate(read_binary(stream, file.name), 1):
            named = sketch.replaced(category=category_of(file))
            yield Entry(named, f"{file.name}, drawing {number}", recognised)


def _from_npz(file: Path) -> Iterator[Found]:
    for number, sketch in enumerate(read_npz(file), 1):
        yield Entry(sketch.replaced(category=category_of(file)), f"{file.name}, drawing {number}")


def _from_picture(file: Path) -> Iterator[Found]:
    """One SVG or JSON; the folder that it stands in is its category, unless it names one itself."""
    sketch = read(file)
    named = sketch if sketch.category else sketch.replaced(category=file.resolve().parent.name)
    yield Entry(named, file.name)


_READERS: dict[str, Callable[[Path], Iterator[Found]]] = {
    ".ndjson": _from_lines,
    ".ndjson.gz": _from_lines,
    ".bin": _from_binary,
    ".npz": _from_npz,
    ".svg": _from_picture,
    ".json": _from_picture,
}


def _reader(file: Path) -> Callable[[Path], Iterator[Found]] | None:
    """What reads a file, by the end of its name."""
    name = file.name.lower()
    return next((reader for end, reader in _READERS.items() if name.endswith(end)), None)


def _known() -> str:
    return ", ".join(list(_READERS)[:-1]) + " and " + list(_READERS)[-1]
