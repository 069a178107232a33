"""The options with which drawings are rendered."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketchgen.formats.page import Page
    from sketchgen.formats.svg_writer import Style


@dataclass(frozen=True)
class RenderOptions:
    """How drawings are rendered, in plain numbers and texts, so that a manifest can hold them.

    None stands for the default of the format; options that a format does not take have no effect on it.

    Attributes:
        format: a name in `sketchgen.formats.registry.FORMATS`; a suffix chooses among those of the format, as
            in "animated.webp".
        width: of the lines, in the drawing's own units.
        colour: of the given strokes, and of drawings without two parts.
        added_colour: of the added strokes.
        background: of the page; "none" for a transparent one.
        smooth: "auto", "on" (curves through the points, whose corners stay) or "off"; see `Style`.
        pressure: from 0 (lines of one width) to 1 (as pressed by a hand).
        size: longer side of a picture, px.
        speed: of an animation, px of a 255 px box a second.
        page: paper of a plot or a poster, such as "A4 landscape".
        margin: of the paper, such as "10mm".
        pen: width of a plotter's pen.
        profile: of vpype-gcode.
        columns: drawings in a row.
        title: of a poster.
        labels: whether a poster shows the category of each drawing.
        crop: whether a plotted drawing fills its cell, rather than the page that it was drawn on.
    """

    format: str = "svg"
    width: float | None = None
    colour: str | None = None
    added_colour: str | None = None
    background: str | None = None
    smooth: str | None = None
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

    @functools.cached_property
    def style(self) -> Style:
        """Colours and pen."""
        from sketchgen.formats.svg_writer import Style

        chosen: dict[str, Any] = {
            "stroke_width": self.width,
            "given_colour": self.colour,
            "added_colour": self.added_colour,
            "background": self.background,
            "smooth": self.smooth,
            "pressure": self.pressure,
        }
        chosen = {name: value for name, value in chosen.items() if value is not None}
        if self.background == "none":
            chosen["background"] = None
        return Style(**chosen)

    @property
    def paper(self) -> Page:
        """Paper of a plot or a poster."""
        from sketchgen.formats.page import Page

        return Page.parse(self.page or "A4", "10mm" if self.margin is None else self.margin)
