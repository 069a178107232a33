"""The files of drawings that `prepare` reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sketchgen.errors import FormatError, SketchgenError
from sketchgen.formats import read_write
from sketchgen.formats.quickdraw import Entry
from sketchgen.formats.read_write import kind_of
from sketchgen.formats.registry import READERS

Found = Entry | SketchgenError
"""A drawing, or the error that says why it cannot be read; the error names the file and the place in it."""


def source_files(sources: Sequence[Path]) -> list[Path]:
    """Return the given files, and the files of drawings in the given folders and theirs, sorted by path."""
    known = f"{', '.join(READERS)} are read, also with .gz"
    files: list[Path] = []
    for source in sources:
        if not source.exists():
            raise FormatError(f"{source} does not exist; name files or folders of drawings")
        found = [source]
        if source.is_dir():
            found = sorted(path for path in source.rglob("*") if kind_of(path) in READERS)
        if not found:
            raise FormatError(f"{source} holds no drawing; {known}")
        if kind_of(found[0]) not in READERS:
            raise FormatError(f"{source} is of no known kind; {known}")
        files += found
    return files


def entries(file: Path) -> Iterator[Found]:
    """Yield every drawing of a file, or an error in the place of one that cannot be read.

    Drawings without a category have that of the file's name in the manner of Quick, Draw! (`cat.full.npz` is
    "cat"), or, in an SVG or JSON file, the name of its folder. Lines must name theirs.
    """
    kind = kind_of(file)
    default = file.resolve().parent.name if kind in (".svg", ".json") else file.name.split(".")[0]
    for found in read_write.entries(file, file.name):
        if isinstance(found, Entry) and kind != ".ndjson" and not found.sketch.category:
            yield replace(found, sketch=found.sketch.replaced(category=default))
        else:
            yield found


def has_lines(file: Path) -> bool:
    """Return whether a file is read line by line."""
    return kind_of(file) == ".ndjson"
