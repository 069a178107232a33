"""From the options to the look of a job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketchgen.cli.look_options import Looks
from sketchgen.errors import SettingError

if TYPE_CHECKING:
    from sketchgen.formats.render_options import RenderOptions


def look_of(options: Looks, out: Path | None) -> RenderOptions:
    """The look that is asked for; a file's suffix goes before the form.

    Raises:
        SettingError: options that have no meaning for that form.
    """
    from sketchgen.formats.render_options import RenderOptions
    from sketchgen.jobs.opening import look_for

    form = "plot" if options.format == "svg" and options.page is not None else options.format
    form = "gcode" if options.gcode else form
    names = ("page", "margin", "columns", "title", "labels", "crop", "width", "colour", "added_colour")
    names += ("background", "smooth", "pressure", "size", "speed")
    told: dict[str, Any] = {name: getattr(options, name) for name in names}
    look = look_for(out, RenderOptions(form, pen=options.pen_width, profile=options.gcode_profile, **told))
    _check(look, options)
    return look


def _check(look: RenderOptions, options: Looks) -> None:
    """Refuse what would be asked for in vain."""
    form = look.format.partition(".")[0]
    poster = form == "poster"
    plotted = form in ("plot", "gcode")
    wanted = [
        ("--page", look.page is not None, poster or plotted, "--format plot, gcode or poster"),
        ("--margin", look.margin is not None, look.page is not None or plotted, "--page"),
        ("--pen-width", look.pen is not None, plotted, "--format plot or gcode"),
        ("--gcode", options.gcode, form == "gcode", "-o FOLDER or a name such as cats.gcode"),
        ("--gcode-profile", look.profile is not None, form == "gcode", "--gcode"),
        ("--crop", look.crop, plotted, "--format plot or gcode"),
        ("--title", look.title is not None, poster, "--format poster"),
        ("--labels", look.labels, poster, "--format poster"),
        (
            "--speed",
            look.speed is not None,
            form in ("animated", "gif"),
            "--format animated or gif",
        ),
    ]
    for name, given, fits, needs in wanted:
        if given and not fits:
            raise SettingError(f"{name} has no meaning for {form}; it goes with {needs}")
