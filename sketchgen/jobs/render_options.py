"""How the drawings of a job are written: the one place that knows the forms.

A look is told in plain numbers and texts, as people write them, for it stands in the manifest; the details
are worked out by whoever writes a drawing.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sketchgen.errors import SettingError
from sketchgen.formats.read_write import encode
from sketchgen.jobs.serialized import Item

FORMS = {
    "svg": ".svg",
    "animated": ".svg",
    "plot": ".svg",
    "poster": ".svg",
    "png": ".png",
    "poster-png": ".png",
    "gif": ".gif",
    "webp": ".webp",
    "still-webp": ".webp",
    "json": ".json",
    "ndjson": ".ndjson",
    "npz": ".npz",
    "gcode": ".gcode",
}
"""The forms in which drawings are written, and their suffixes, each of which asks for the first one that has
it."""

BY_SUFFIX = {suffix: form for form, suffix in reversed(FORMS.items())}
"""The form that a file's suffix asks for."""

TOGETHER = {"svg": 5000, "png": 5000, "poster": 5000, "poster-png": 5000, "plot": 5000, "gcode": 5000}
TOGETHER |= {"npz": 1_000_000}
"""Forms of which one file holds or shows several drawings, and how many."""

ONE_FILE = ("poster", "poster-png", "npz")
"""Forms of which there is only one file, whatever the number of drawings."""

BINARY = ("png", "poster-png", "gif", "webp", "still-webp", "npz")
"""Forms that are no text."""

CELL = 192
"""Side of a cell of a sheet, in px, where there are few."""

NPZ_BOX = 255.0
"""Longer side of a drawing in an npz, as in Magenta's files."""

_SHEET_PIXELS = 24_000_000
"""Sheets of many drawings get smaller cells, so as not to grow beyond this."""


@dataclass(frozen=True)
class Look:
    """How drawings look as files. What is None is left to `sketchgen.formats.registry`.

    Attributes:
        form: one of `FORMS`.
        width: of the lines, in the drawing's own units.
        colour: of what was given, and of drawings from nothing.
        added_colour: of what was added.
        background: of the page; "none" for a transparent one.
        smooth: from 0 (corners) to 1 (curves through the points).
        pressure: from 0 (lines of one width) to 1 (as a hand presses).
        size: longer side of a picture, in px.
        speed: of a drawing that draws itself, px of a 255 box a second.
        page: of a plotter or a poster, such as "A4 landscape".
        margin: left free on it.
        pen: width of the plotter's pen.
        profile: of vpype-gcode.
        columns: drawings in a row.
        title: of a poster.
        labels: whether a poster names each drawing.
        crop: whether a plotted drawing fills its cell, rather than the page that it was begun on.
    """

    form: str = "svg"
    width: float | None = None
    colour: str | None = None
    added_colour: str | None = None
    background: str | None = None
    smooth: float | None = None
    pressure: float | None = None
    size: int | None = None
    speed: float | None = None
    page: str | None = None
    margin: str | None = None
    pen: str | None = None
    profile: str | None = None
    columns: int | None = None
    title: str | None = None
    labels: bool = False
    crop: bool = False

    @property
    def suffix(self) -> str:
        """The suffix of its files, with the dot."""
        return FORMS[self.form]

    @property
    def lines(self) -> bool:
        """Whether several drawings in one file are just one after the other."""
        return self.form == "ndjson"

    @property
    def plain(self) -> bool:
        """Whether nothing but a simple form is asked for: then the other forms need not be loaded."""
        return self == Look(self.form) and self.form in ("svg", "png", "json", "ndjson")

    def check(self, total: int, *, one_file: bool) -> None:
        """Check before anything is drawn that so many drawings can be written in this way.

        Raises:
            SettingError: they cannot be.
        """
        if self.form in ONE_FILE and not one_file:
            raise SettingError(f"{self.form} is one file for all drawings; name it, as -o all{self.suffix}")
        if not self.plain:
            _check_details(self)
        if not one_file or total == 1 or self.lines:
            return
        most = TOGETHER.get(self.form)
        if most is None:
            raise SettingError(
                f"{total} drawings for one {self.form.upper()}, which holds 1; "
                "pass --count 1, --format ndjson, or -o FOLDER"
            )
        if total > most:
            raise SettingError(
                f"{total} drawings for one {'file' if self.form == 'npz' else 'sheet'}, which takes {most} "
                "at most; pass --format ndjson or -o FOLDER"
            )
        if self.form in _SHEETS:
            from sketchgen.formats.registry import check_sheet_of

            check_sheet_of(total, _SHEETS[self.form], _details(self))

    def encoded(self, item: Item) -> bytes:
        """The bytes of a file of one drawing."""
        if self.form in ONE_FILE:
            return self.together([item], 1)[0]
        if self.plain:
            data = encode(item, self.suffix)
        else:
            from sketchgen.formats.registry import encode_as

            data = encode_as(item, self.form, _details(self))
        return data.rstrip(b"\n") + b"\n" if self.lines else data

    def together(self, items: Sequence[Item], columns: int) -> list[bytes]:
        """The bytes of one file of several drawings, or of each of its pages; of one drawing, its own."""
        if self.form == "npz":
            from sketchgen.formats.sketchrnn_writer import npz_bytes

            return [npz_bytes([_whole(item) for item in items], box=NPZ_BOX)]
        if self.form in _SHEETS and (len(items) > 1 or self.form in ONE_FILE):
            from sketchgen.formats.registry import sheet_as

            labels = [_whole(item).category or "" for item in items] if self.labels else None
            return list(sheet_as(items, _SHEETS[self.form], _details(self), labels))
        if len(items) == 1:
            return [self.encoded(items[0])]
        if self.lines:
            return [b"".join(self.encoded(item) for item in items)]
        return [self.sheet(items, self.suffix, columns)]

    def sheet(self, items: Sequence[Item], suffix: str, columns: int) -> bytes:
        """A contact sheet, as .svg or .png."""
        style, columns = None if self.plain else _details(self).style, self.columns or columns
        if suffix == ".svg":
            from sketchgen.formats.svg_writer import grid_to_svg

            return grid_to_svg(items, columns, style, cell=CELL).encode()
        from sketchgen.formats.raster import contact_sheet, image_png

        cell = min(CELL, max(16, math.isqrt(_SHEET_PIXELS // max(1, len(items)))))
        return image_png(contact_sheet(items, columns, cell, style=style))


_SHEETS = {"poster": "svg", "poster-png": "png", "plot": "plot", "gcode": "gcode"}
"""What a sheet of each form is called in `sketchgen.formats.registry`."""


def _check_details(look: Look) -> None:
    """Check numbers, colours and pages before anything is drawn.

    Raises:
        SettingError: one of them cannot be used.
    """
    from sketchgen.formats import registry as forms

    details = _details(look)
    if look.form in forms.FORMS:
        forms.check_form(look.form, details)


@functools.lru_cache(maxsize=8)
def _details(look: Look) -> Any:
    """The look as `sketchgen.formats.registry` takes it.

    Raises:
        SettingError: a number, a colour or a page that is none.
    """
    from sketchgen.formats.motion import Motion
    from sketchgen.formats.plotter import Plan
    from sketchgen.formats.poster import Poster
    from sketchgen.formats.registry import Look as Details
    from sketchgen.formats.svg_writer import Style
    from sketchgen.formats.units import Page, length_mm

    told = {"stroke_width": look.width, "given_colour": look.colour, "added_colour": look.added_colour}
    told |= {"background": look.background, "smooth": look.smooth, "pressure": look.pressure}
    style: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    if look.background == "none":
        style["background"] = None
    page = Page.parse(look.page or "A4", "10mm" if look.margin is None else look.margin)
    pen: dict[str, Any] = {} if look.pen is None else {"pen": length_mm(look.pen, "pen-width")}
    gcode: dict[str, Any] = {} if look.profile is None else {"profile": look.profile}
    poster = Poster(page=page if look.page else None, columns=look.columns, title=look.title)
    return Details(
        style=Style(**style),
        motion=Motion() if look.speed is None else Motion(speed=look.speed),
        size=look.size,
        page=page,
        plan=Plan(**pen, columns=look.columns, crop=look.crop),
        poster=poster,
        **gcode,
    )


def _whole(item: Item) -> Any:
    """The drawing, given and added strokes together."""
    from sketchgen.sketch.sketch import Completion

    return item.whole if isinstance(item, Completion) else item
