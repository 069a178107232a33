"""Read and write drawings; the suffix, or else the content, tells the format."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import sys
import warnings
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from sketchgen.errors import FormatError, FormatWarning, SketchgenError
from sketchgen.formats.canvas_json import load_json
from sketchgen.formats.compressed import inflated
from sketchgen.formats.quickdraw import Entry
from sketchgen.formats.registry import READERS, encode, options_for
from sketchgen.sketch.files import check_target, read_limited, reason, shown, write_atomic
from sketchgen.sketch.sketch import Item, Sketch

MAX_FAULTS = 10_000
"""Number of unreadable drawings of a file, beside as many as could be read, after which it is left."""

MAX_TOLD = 20
"""Number of empty drawings of a file, the first ones, that are told."""

_GZIP, _ZIP, _BOM = b"\x1f\x8b", b"PK", b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
"""How text in UTF-16 begins; of the formats only SVG may be in it."""


@runtime_checkable
class Readable(Protocol):
    """An open file, binary or text; only its `read` is called."""

    def read(self, size: int = -1, /) -> Any:
        """Return at most `size` bytes or characters."""


Source = str | os.PathLike[str] | Readable
"""A path, "-" for standard input, or an open file."""


def read(source: Source) -> Sketch:
    """Read a drawing; of a file of several, the first one, with a warning.

    Args:
        source: a path, "-" for standard input, or an open file. SVG, JSON (of a canvas, of
            sketchgen or of Excalidraw), Quick, Draw!'s ndjson (simplified or raw) and binary files, and
            sketch-rnn's npz are read, each also compressed by gzip. Of other suffixes, the content tells the
            format.

    Raises:
        FormatError: no such file, a folder, empty, or not a drawing of a known format.
        SketchError: too many points, or a point that is not finite or too far away.
    """
    found = read_all(source)
    first = next(found)
    with contextlib.suppress(SketchgenError):
        if next(found, None) is not None:
            words = f"{_name_of(source)} holds several drawings, and this is the first; read_all yields all"
            warnings.warn(words, stacklevel=2)
    return first


def read_all(source: Source) -> Iterator[Sketch]:
    """Yield every drawing of a file, one at a time; errors of `read` come when the iteration gets there."""
    for found in entries(source):
        if isinstance(found, SketchgenError):
            raise found
        yield found.sketch


def entries(source: Source, name: str | None = None) -> Iterator[Entry | SketchgenError]:
    """Yield every drawing of a file, or an error in the place of one that cannot be read.

    Reading goes on after a line of ndjson or an array of an npz that is no drawing; in the other formats an
    error is the last item. It stops where most is no drawing. Errors call the file `name`, or by its path.

    Raises:
        FormatError: the file cannot be opened, or is damaged.

    Warns:
        FormatWarning: nothing is visible in a drawing, which is yielded as an empty one.
    """
    label, path = name or _name_of(source), _path_of(source)
    named = path if path is not None else getattr(source, "name", None)
    kind = kind_of(Path(named)) if isinstance(named, str | Path) else ""
    reader = READERS.get(kind, _read_unknown)
    with readable(label), _opened(source, label) as stream:
        drawings = faults = empty = 0
        try:
            for found in reader(stream, label):
                drawings, faults = drawings + isinstance(found, Entry), faults + isinstance(found, Exception)
                if isinstance(found, Entry) and found.sketch.is_empty and (empty := empty + 1) <= MAX_TOLD:
                    warnings.warn(FormatWarning(nothing_visible(found.place)), stacklevel=2)
                yield found
                check_faults(faults, drawings, label)
        except SketchgenError as error:
            yield error
        else:
            if not drawings and not faults:
                yield FormatError(f"{label} is empty")


def nothing_visible(name: str) -> str:
    """Return what is said of an empty drawing."""
    return f"nothing visible in {name}: it has no line, or none that is shown on its page"


def check_faults(faults: int, drawings: int, name: object) -> None:
    """Check that not most of a file that has been read so far is unreadable."""
    if faults > drawings + MAX_FAULTS:
        raise FormatError(
            f"{shown(name)} is read no further: {faults} of {faults + drawings} are no drawings; is it "
            "a file of drawings?"
        )


def write(item: Item, path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Write a drawing; the suffix tells the format.

    Most formats tell given from added strokes; ndjson and npz cannot.

    Raises:
        OutputError: the file exists and `force` is false, or it cannot be written.
        FormatError: no format has that suffix.
    """
    options = options_for(path)
    check_target(Path(path), force)
    write_atomic(path, encode(item, options), force=force)


@contextlib.contextmanager
def readable(name: object) -> Iterator[None]:
    """Turn what the system, or damaged compression, says while a file is read into a `FormatError`."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{shown(name)} cannot be read: it is damaged or cut off") from error
    except (OSError, ValueError) as error:
        raise FormatError(f"{shown(name)} cannot be read: {reason(error)}") from error


def is_gzip(path: Path) -> bool:
    """Return whether a file's name says that it is compressed by gzip."""
    return path.suffix.lower() in (".gz", ".svgz")


def kind_of(path: Path) -> str:
    """Return the suffix of a file in lower case, without that of gzip."""
    suffix = path.suffix.lower()
    return path.with_suffix("").suffix.lower() if suffix == ".gz" else ".svg" if suffix == ".svgz" else suffix


def _path_of(source: Source) -> Path | None:
    """Return the path of a file; None for a stream."""
    return Path(source) if isinstance(source, str | os.PathLike) and os.fspath(source) != "-" else None


def _name_of(source: Source) -> str:
    if isinstance(source, str | os.PathLike):
        return "standard input" if os.fspath(source) == "-" else shown(source)
    name = getattr(source, "name", None)
    return shown(name) if isinstance(name, str) else "the input"


@contextlib.contextmanager
def _opened(source: Source, name: str) -> Iterator[BufferedIOBase]:
    """Open a source as an uncompressed stream."""
    if path := _path_of(source):
        with path.open("rb") as file:
            compressed = is_gzip(path) or file.peek(2)[:2] == _GZIP
            yield inflated(file, name) if compressed else file
        return
    data = read_limited(source if isinstance(source, Readable) else sys.stdin.buffer, name)
    yield inflated(io.BytesIO(data), name) if data[:2] == _GZIP else io.BytesIO(data)


def _read_unknown(stream: BufferedIOBase, name: str) -> Iterator[Entry | SketchgenError]:
    """Read a file of which only the content tells the format."""
    data = read_limited(stream, name)
    text = data.removeprefix(_BOM).lstrip()
    kind = {b"<": ".svg", b"{": ".json", b"[": ".json"}.get(text[:1], "")
    if data[:2] in _UTF16:
        kind = ".svg"
    if data.startswith(_ZIP):
        kind = ".npz"
    if kind == ".json" and len(lines := text.splitlines()) > 1 and _is_object(lines[0]):
        kind = ".ndjson"
    if not kind:
        raise FormatError(
            f"{name} is neither SVG nor JSON; drawings are read from {', '.join(sorted(READERS))}"
        )
    yield from READERS[kind](io.BytesIO(data), name)


def _is_object(line: bytes) -> bool:
    """Return whether a line by itself is a JSON object."""
    try:
        return isinstance(load_json(line, "line"), dict)
    except FormatError:
        return False
