"""How drawings look and where they go: the options, and the render options that they ask for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sketchgen.cli.command import joined, option, options
from sketchgen.errors import SettingError

if TYPE_CHECKING:
    from sketchgen.formats.render_options import RenderOptions

FORMATS = (
    "svg",
    "animated",
    "plot",
    "poster",
    "png",
    "gif",
    "webp",
    "json",
    "excalidraw",
    "ndjson",
    "npz",
    "gcode",
)
"""The formats by name; those of `sketchgen.formats.registry.FORMATS`."""

FORMAT = option("-f --format FORMAT", FORMATS, f"Format of the drawings: {joined(FORMATS)}.  [default: svg]")
FORCE = option("--force", False, "Replace files, and write into a folder that is not empty.")

_LOOK, PAPER = "Appearance", "Plotter and poster"

APPEARANCE = options(
    option("--width", float, "Width of the lines, in the drawing's units.", _LOOK),
    option("--colour", str, "Colour of the given lines, such as '#111111' or navy.", _LOOK),
    option("--added-colour COLOUR", str, "Colour of the added lines.", _LOOK),
    option("--background COLOUR", str, "Colour of the page; none is transparent.", _LOOK),
    option("--smooth", str, "Curves through the points: on, off, auto (as given) [auto].", _LOOK),
    option("--pressure", float, "0 draws even lines, 1 varies them like a pen.", _LOOK),
    option("--size PX", int, "Longer side of a PNG, GIF or WebP.", _LOOK),
    option("--speed", float, "Pen speed of an animation, px of a 255 box a second.", _LOOK),
    option("--columns", int, "Drawings in a row of a sheet, poster or page.", PAPER),
    option("--page", str, "Paper: A4, 'A3 landscape', letter, 210x297mm. Implies plot.", PAPER),
    option("--margin LENGTH", str, "Free border, such as 10mm; or 2 or 4 lengths.", PAPER),
    option("--pen-width pen LENGTH", str, "Width of the pen, such as 0.3mm.", PAPER),
    option("--gcode-profile profile NAME", str, "grbl (Z axis), grbl-servo, or vpype-gcode's.", PAPER),
    option("--title", str, "Title of a poster.", PAPER),
    option("--labels", False, "Name each drawing of a poster.", PAPER),
    option("--crop", False, "Scale each plotted drawing to fill its cell.", PAPER),
)
"""The options of appearance; their names are those of the render options."""


def output_path(text: str | None) -> Path | None:
    """Return the path of an output, whose suffix can be written; None for standard output."""
    if text is None or text == "-":
        return None
    from sketchgen.formats.registry import known_suffix

    if not text.endswith(("/", "\\")):
        known_suffix(text)
    return Path(text)


def render_options(asked: SimpleNamespace, out: Path | None) -> RenderOptions:
    """Return the render options that are asked for; a file's suffix sets the format."""
    from sketchgen.formats import registry
    from sketchgen.formats.render_options import RenderOptions
    from sketchgen.jobs.output import render_options_for

    name = asked.format or ("svg" if asked.page is None else "plot")
    given: dict[str, Any] = {key: value for key, value in vars(asked).items() if key in vars(RenderOptions())}
    given["format"] = name
    options = render_options_for(out, RenderOptions(**given))
    chosen = registry.format_of(options)
    if asked.format and chosen.name != name:
        raise SettingError(f"{out} is no file of format {name}; leave out --format, or change the suffix")
    for field in registry.unused_options(options):
        takers = [each.name for each in registry.FORMATS.values() if field in each.options]
        option = {"pen": "pen-width", "profile": "gcode-profile"}.get(field, field.replace("_", "-"))
        raise SettingError(f"--{option} has no meaning for {chosen.name}; it goes with {joined(takers)}")
    return options
