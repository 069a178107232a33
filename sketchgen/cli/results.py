"""Where drawings go: a folder with a file each and a sheet of all, one file, or standard output."""

from __future__ import annotations

import contextlib
import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sketchgen.drawing.files import SUFFIXES, encode
from sketchgen.drawing.output import prepare_output_folder, write_atomic
from sketchgen.drawing.picture import contact_sheet, image_png
from sketchgen.drawing.sketch import Completion, Sketch
from sketchgen.drawing.svg import grid_to_svg
from sketchgen.errors import OutputError, SettingError

SHEET = "sheet.png"
"""Name of the contact sheet in a folder."""

CELL = 192
"""Side of a cell of a sheet, in px, where there are few."""

_SHEET_PIXELS = 24_000_000
"""Sheets of many drawings get smaller cells, so as not to grow beyond this."""

Item = Sketch | Completion


@dataclass(frozen=True)
class Group:
    """The drawings that belong together: all completions of one drawing.

    Attributes:
        name: the beginning of their file names.
        items: the drawings.
    """

    name: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Results:
    """A place for drawings that is known to be good before the work begins; `opened` makes one.

    Attributes:
        folder: where a file each goes, or None.
        file: the one file, or None; neither is standard output.
        suffix: the format, one of `SUFFIXES`.
        force: replace what is there.
    """

    folder: Path | None
    file: Path | None
    suffix: str
    force: bool

    def write(self, groups: Sequence[Group], columns: int) -> None:
        """Write all drawings, and print the paths of what was written.

        Args:
            groups: the drawings, group by group.
            columns: cells in a row of a sheet.

        Raises:
            OutputError: a file cannot be written.
            SettingError: several drawings in a format that holds one.
        """
        items = [item for group in groups for item in group.items]
        if self.folder is not None:
            for group in groups:
                for number, item in enumerate(group.items, 1):
                    path = self.folder / f"{group.name}-{number}{self.suffix}"
                    self._put(path, encode(item, self.suffix))
            self._put(self.folder / SHEET, _sheet(items, ".png", columns))
            return
        data = _together(items, self.suffix, columns)
        if self.file is not None:
            self._put(self.file, data)
            return
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def _put(self, path: Path, data: bytes) -> None:
        """Write one file and say so."""
        write_atomic(path, data, force=self.force)
        sys.stdout.write(f"{path}\n")


@contextlib.contextmanager
def opened(out: Path | None, form: str, total: int, *, force: bool) -> Iterator[Results]:
    """Check where the drawings go before any is made; a folder that stays empty is taken away again.

    Args:
        out: a folder, a file (told by its suffix), or None or "-" for standard output.
        form: the format, without its dot; a file's suffix goes before it.
        total: how many drawings there will be.
        force: allow a folder that is not empty, and files that exist.

    Raises:
        OutputError: the folder or file is there and `force` is false, or cannot be written.
        SettingError: more than one drawing for a format that holds one.
    """
    if out is None or str(out) == "-":
        _check_single(f".{form}", total)
        if form == "png" and sys.stdout.isatty():
            raise SettingError("a PNG is no text for a terminal; write it to a file with -o picture.png")
        yield Results(None, None, f".{form}", force)
    elif out.suffix.lower() in SUFFIXES and not out.is_dir():
        _check_single(out.suffix.lower(), total)
        if out.exists() and not force:
            raise OutputError(f"{out} exists; choose another name or pass --force")
        yield Results(None, out, out.suffix.lower(), force)
    else:
        new = not out.exists()
        folder = prepare_output_folder(out, force=force)
        try:
            yield Results(folder, None, f".{form}", force)
        finally:
            if new:
                with contextlib.suppress(OSError):
                    folder.rmdir()  # Refused by the system where something is in it.


def file_name(text: str) -> str:
    """A text as the beginning of a file name that every system takes."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:80] or "drawing"


def _check_single(suffix: str, total: int) -> None:
    """Refuse several drawings in a format that can neither hold nor show them."""
    if suffix == ".json" and total > 1:
        raise SettingError(
            f"{total} drawings for one JSON, which holds 1; pass --count 1, --format ndjson, or -o FOLDER"
        )


def _together(items: Sequence[Item], suffix: str, columns: int) -> bytes:
    """All drawings as one text or picture; several are shown on a sheet."""
    if len(items) == 1:
        return encode(items[0], suffix)
    if suffix in (".svg", ".png"):
        return _sheet(items, suffix, columns)
    return b"".join(encode(item, suffix).rstrip(b"\n") + b"\n" for item in items)


def _sheet(items: Sequence[Item], suffix: str, columns: int) -> bytes:
    """A contact sheet, as SVG or PNG."""
    if suffix == ".svg":
        return grid_to_svg(items, columns, cell=CELL).encode()
    cell = min(CELL, max(16, math.isqrt(_SHEET_PIXELS // max(1, len(items)))))
    return image_png(contact_sheet(items, columns, cell))
