"""Drawings in every form that can be asked for, by the form's name: one at a time, or many on a sheet."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sketchgen.errors import SettingError
from sketchgen.formats.animation import SIZE, check_moving, to_gif, to_still_webp, to_webp
from sketchgen.formats.gcode import PROFILE, check_profile, to_gcode
from sketchgen.formats.motion import Motion, to_animated_svg
from sketchgen.formats.plotter import Plan, plot_pages
from sketchgen.formats.poster import Poster, check_poster, poster_image, poster_pieces
from sketchgen.formats.raster import image_png, rgba, to_png
from sketchgen.formats.read_write import encode
from sketchgen.formats.svg_writer import Style
from sketchgen.formats.units import Page
from sketchgen.sketch.sketch import Completion, Sketch

Item = Sketch | Completion


@dataclass(frozen=True)
class Look:
    """How drawings look, in whatever form.

    Attributes:
        style: colours, pen, curves, pressure.
        motion: pace of a drawing that draws itself.
        size: longer side of a picture, in px; None for the style's, and `SIZE` where it moves.
        page: paper of a plotter.
        plan: pen, grid and order of a plotter.
        profile: of vpype-gcode, for G-code.
        poster: page, grid and title of a sheet that is no plotter's.
    """

    style: Style = field(default_factory=Style)
    motion: Motion = field(default_factory=Motion)
    size: int | None = None
    page: Page = field(default_factory=Page)
    plan: Plan = field(default_factory=Plan)
    profile: str = PROFILE
    poster: Poster = field(default_factory=Poster)


def _moving_size(look: Look) -> int:
    return SIZE if look.size is None else look.size


def _plotted(item: Item, look: Look) -> str:
    return next(iter(plot_pages([item], look.page, look.plan, look.style))).svg


_ENCODERS: dict[str, Callable[[Item, Look], bytes]] = {
    "svg": lambda item, look: item.to_svg(look.style).encode(),
    "animated": lambda item, look: to_animated_svg(item, look.style, look.motion).encode(),
    "png": lambda item, look: to_png(item, look.size, look.style),
    "gif": lambda item, look: to_gif(item, look.style, look.motion, size=_moving_size(look)),
    "webp": lambda item, look: to_webp(item, look.style, look.motion, size=_moving_size(look)),
    "still-webp": lambda item, look: to_still_webp(item, look.style, size=look.size),
    "json": lambda item, _look: encode(item, ".json"),
    "ndjson": lambda item, _look: encode(item, ".ndjson"),
    "plot": lambda item, look: _plotted(item, look).encode(),
    "gcode": lambda item, look: to_gcode(_plotted(item, look), look.profile).encode(),
}

SUFFIXES = {name: f".{name}" for name in ("svg", "png", "gif", "webp", "json", "ndjson", "gcode")} | {
    "animated": ".animated.svg",
    "still-webp": ".still.webp",
    "plot": ".plot.svg",
}
"""How a file of each form ends; no two forms share it, so that one folder can hold all of them."""

FORMS = tuple(_ENCODERS)
"""The forms of a drawing: still and self-drawing SVG, pictures, self-drawing pictures, strokes, and plots."""

SHEETS = ("svg", "png", "plot", "gcode")
"""The forms of a sheet of many drawings."""

_MOVING = {"gif": "GIF", "webp": "WebP"}


def check_form(form: str, look: Look | None = None, *, sheet: bool = False) -> None:
    """Check all that can be checked of a form and its look before there is a drawing.

    Args:
        form: one of `FORMS`, or of `SHEETS`.
        look: how it is to look.
        sheet: whether many drawings are to stand on a sheet.

    Raises:
        SettingError: no such form, a size outside its limits, a colour that a picture cannot show, a pen that
            does not fit the page, or G-code without what makes it.
    """
    look = look or Look()
    known = SHEETS if sheet else FORMS
    if form not in known:
        near = difflib.get_close_matches(form, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise SettingError(f"no form {form[:40]!r}{' of a sheet' if sheet else ''}; {hint}")
    if form in _MOVING:
        check_moving(_MOVING[form], _moving_size(look))
    elif form in ("png", "still-webp") and look.size is not None:
        Style(size=look.size)
    if form in ("png", "gif", "webp", "still-webp"):
        for colour in (look.style.background, look.style.given_colour, look.style.added_colour):
            rgba(colour)
    if form in ("plot", "gcode"):
        plot_pages([], look.page, look.plan, look.style)
    if form == "gcode":
        check_profile(look.profile)


def encode_as(item: Item, form: str, look: Look | None = None) -> bytes:
    """A drawing or a completion as the bytes of a file; same arguments, same bytes.

    Args:
        item: what is drawn.
        form: one of `FORMS`; `SUFFIXES` says how its file is called.
        look: how it looks.

    Raises:
        SettingError: as `check_form`.
    """
    look = look or Look()
    check_form(form, look)
    return _ENCODERS[form](item, look)


def check_sheet_of(count: int, form: str, look: Look | None = None) -> None:
    """Check that a sheet of that many drawings can be made.

    Raises:
        SettingError: as `check_form`; or they do not fit on the paper, or are too large a picture.
    """
    look = look or Look()
    check_form(form, look, sheet=True)
    if form in ("svg", "png"):
        check_poster(count, look.poster, picture=form == "png")
    else:
        # Pages are laid out by the call, and drawn only when they are asked for.
        plot_pages([Sketch()] * count, look.page, look.plan, look.style)


def sheet_as(
    items: Sequence[Item], form: str, look: Look | None = None, labels: Sequence[str] | None = None
) -> Iterator[bytes]:
    """Many drawings on a sheet: a poster as "svg" or "png", or a plotter's pages as "plot" or "gcode".

    Args:
        items: what is drawn.
        form: one of `SHEETS`.
        look: how it looks.
        labels: a line of text under each drawing of a poster; a plotter draws none.

    Returns:
        The files, one after another as they are made: one poster, or as many pages as it takes.

    Raises:
        SettingError: as `check_sheet_of`, from the call itself.
    """
    look = look or Look()
    check_sheet_of(len(items), form, look)
    return _sheets(items, form, look, labels)


def _sheets(items: Sequence[Item], form: str, look: Look, labels: Sequence[str] | None) -> Iterator[bytes]:
    if form == "svg":
        pieces = poster_pieces(items, len(items), look.poster, look.style, labels)
        yield b"".join(piece.encode() for piece in pieces)
    elif form == "png":
        yield image_png(poster_image(items, len(items), look.poster, look.style, labels))
    else:
        for plot in plot_pages(items, look.page, look.plan, look.style):
            yield (plot.svg if form == "plot" else to_gcode(plot.svg, look.profile)).encode()
