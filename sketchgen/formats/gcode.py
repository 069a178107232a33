"""G-code from an SVG file, through vpype and its plugin vpype-gcode."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from sketchgen.errors import SettingError

PROFILE = "gcodemm"
"""Profile of vpype-gcode in mm: G0 with the pen up, G1 with the pen down."""

QUANTUM = "0.1mm"
"""Length of the lines that vpype cuts curves into; the pages of a plotter have no curves."""

MISSING = "G-code needs vpype and vpype-gcode; install them with: pip install 'sketchgen[plotter]'"


class _Named(io.StringIO):
    """A text with the name of a file, which profiles may write into their output."""

    name = "drawing.gcode"


def to_gcode(svg: str, profile: str = PROFILE) -> str:
    """Return an SVG file as G-code, or as HPGL and others that vpype-gcode has a profile for.

    Args:
        svg: the text of the file, best a page of a plot: in real units, without a background.
        profile: one of vpype-gcode's, or of the user's `~/.vpype.toml`.

    Raises:
        SettingError: vpype or vpype-gcode is not installed, or there is no such profile, or it fails.
    """
    vpype, cli, gwrite = _tools(profile)
    import click

    out = _Named()
    document = vpype.read_multilayer_svg(io.StringIO(svg), vpype.convert_length(QUANTUM))
    try:
        # Some profiles print a message for the user, which belongs on a terminal and not in a batch.
        with contextlib.redirect_stderr(io.StringIO()):
            gwrite.callback(output=out, profile=profile, default=())(cli.State(document))
    except (click.ClickException, KeyError, ValueError) as error:
        words = " ".join(str(error).split())[:160]
        raise SettingError(f"the profile {profile!r} cannot be written: {words}") from error
    return out.getvalue()


def check_profile(profile: str) -> None:
    """Check that G-code can be written with a profile; see `to_gcode`."""
    _tools(profile)


def _tools(profile: str) -> tuple[Any, Any, Any]:
    """Return vpype, its command line, and the writer of vpype-gcode, which has the profile."""
    try:
        import vpype
        import vpype_cli
        from vpype_gcode.gwrite import gwrite
    except ImportError as error:
        raise SettingError(MISSING) from error
    known = [name for name in vpype.config_manager.config["gwrite"] if name != "default_profile"]
    if profile not in known:
        raise SettingError(f"no profile {profile[:40]!r} for G-code; there are {', '.join(known)}")
    return vpype, vpype_cli, gwrite
