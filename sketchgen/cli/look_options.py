"""How drawings look, as the subcommands that draw take it; see `sketchgen.cli.options`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Optional

from tyro.conf import arg

Form = Literal[
    "svg", "png", "webp", "gif", "animated", "json", "ndjson", "npz", "plot", "gcode", "poster"
]  # fmt: skip
"""The names of `sketchgen.formats.registry.FORMATS`."""

Number = Annotated[Optional[float], arg(metavar="FLOAT", help_behavior_hint="")]
Whole = Annotated[Optional[int], arg(metavar="INT", help_behavior_hint="")]
Text = Annotated[Optional[str], arg(metavar="TEXT", help_behavior_hint="")]
Colour = Annotated[Optional[str], arg(metavar="COLOUR", help_behavior_hint="")]
Length = Annotated[Optional[str], arg(metavar="LENGTH", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Looks:
    """How drawings look."""

    format: Form = "svg"
    """Form of the drawings. animated (as .svg, .gif or .webp) and gif draw themselves; plot and gcode are for
    plotters; poster (as .svg or .png) and npz (sketch-rnn's) are one file for all."""
    page: Annotated[Optional[str], arg(metavar="PAGE", help_behavior_hint="")] = None
    """Paper of a plotter or a poster: A4, "A3 landscape", letter, 210x297mm. With svg it means plot."""
    margin: Length = None
    """Left free on it: 10mm (the default), 1cm, 0.5in; or two or four lengths with commas."""
    pen_width: Length = None
    """Width of the plotter's pen, by default 0.3mm."""
    gcode: bool = False
    """The same as --format gcode: for vpype-gcode, which pip install 'sketchgen[plotter]' brings."""
    gcode_profile: Annotated[Optional[str], arg(metavar="NAME", help_behavior_hint="")] = None
    """Which of vpype-gcode's profiles, by default gcodemm."""
    columns: Whole = None
    """Drawings in a row of a sheet, a poster or a page."""
    title: Text = None
    """A line at the top of a poster."""
    labels: bool = False
    """Name each drawing of a poster."""
    crop: bool = False
    """Let a plotted drawing fill its cell, rather than the page that it was begun on."""
    width: Number = None
    """Width of the lines, in the drawing's own units."""
    colour: Colour = None
    """Of what was given, and of drawings from nothing: '#111111', navy."""
    added_colour: Colour = None
    """Of what was added."""
    background: Colour = None
    """Of the page; none for a transparent one."""
    smooth: Number = None
    """From 0, corners, to 1, curves through the points; they are the same strokes."""
    pressure: Number = None
    """From 0, lines of one width, to 1, as a hand presses."""
    size: Whole = None
    """Longer side of a PNG, GIF or WebP, in px."""
    speed: Number = None
    """Of a drawing that draws itself, px of a 255 box a second."""
