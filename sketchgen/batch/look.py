"""How the drawings of a job are written: the one place that knows the forms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sketchgen.batch.kept import Item
from sketchgen.drawing.files import encode

FORMS = {
    "svg": ".svg",
    "png": ".png",
    "json": ".json",
    "ndjson": ".ndjson",
    "animated": ".svg",
    "gif": ".gif",
}
"""The forms in which a drawing is written, and the suffix of each."""

BY_SUFFIX = {".svg": "svg", ".png": "png", ".json": "json", ".ndjson": "ndjson", ".gif": "gif"}
"""The form that a file's suffix asks for."""

SHEETS = ("svg", "png")
"""The forms that show several drawings on one sheet."""

CELL = 192
"""Side of a cell of a sheet, in px, where there are few."""

_SHEET_PIXELS = 24_000_000
"""Sheets of many drawings get smaller cells, so as not to grow beyond this."""


@dataclass(frozen=True)
class Look:
    """How a drawing looks as a file.

    Attributes:
        form: one of `FORMS`.
    """

    form: str = "svg"

    @property
    def suffix(self) -> str:
        """The suffix of its files, with the dot."""
        return FORMS[self.form]

    @property
    def lines(self) -> bool:
        """Whether several drawings in one file are just one after the other."""
        return self.form == "ndjson"

    def encoded(self, item: Item) -> bytes:
        """The bytes of a file of one drawing."""
        if self.form == "gif":
            from sketchgen.drawing.motion import to_gif

            return to_gif(item)
        if self.form == "animated":
            from sketchgen.drawing.motion import to_animated_svg

            return to_animated_svg(item).encode()
        data = encode(item, self.suffix)
        return data.rstrip(b"\n") + b"\n" if self.lines else data

    def together(self, items: Sequence[Item], columns: int) -> bytes:
        """The bytes of one file of several drawings: a sheet, or lines; of one drawing, its own."""
        if len(items) == 1:
            return self.encoded(items[0])
        if self.lines:
            return b"".join(self.encoded(item) for item in items)
        return sheet(items, self.suffix, columns)


def sheet(items: Sequence[Item], suffix: str, columns: int) -> bytes:
    """A contact sheet, as SVG or PNG."""
    if suffix == ".svg":
        from sketchgen.drawing.svg import grid_to_svg

        return grid_to_svg(items, columns, cell=CELL).encode()
    from sketchgen.drawing.picture import contact_sheet, image_png

    cell = min(CELL, max(16, math.isqrt(_SHEET_PIXELS // max(1, len(items)))))
    return image_png(contact_sheet(items, columns, cell))
