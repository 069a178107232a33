"""G-code from SVG files, through vpype and its plugin vpype-gcode."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from typing import Any

from sketchgen.errors import SettingError

PROFILE = "grbl"
"""Profile of `PROFILES` that is taken if none is named."""

_START, _LINE = "G21\nG17\nG90\nG94\n", "G1 X{x:.3f} Y{y:.3f} F{feed}\n"
_Z, _SERVO = "G0 Z{up}\n", "M3 S{up}\nG4 P{wait}\n"
_GRBL = {"unit": "mm", "vertical_flip": True, "segment": _LINE, "layer_join": "M0\n"}
PROFILES: dict[str, dict[str, Any]] = {
    "grbl": {
        **_GRBL,
        "document_start": _START + _Z,
        "segment_first": "G0 X{x:.3f} Y{y:.3f}\nG1 Z{down} F{plunge}\n",
        "line_end": _Z,
        "document_end": _Z + "G0 X0 Y0\nM2\n",
        "default_values": {"feed": 1500, "plunge": 600, "up": 5, "down": 0},
    },
    "grbl-servo": {
        **_GRBL,
        "document_start": _START + _SERVO,
        "segment_first": "G0 X{x:.3f} Y{y:.3f}\nM3 S{down}\nG4 P{wait}\n",
        "line_end": _SERVO,
        "document_end": _SERVO + "G0 X0 Y0\nM2\n",
        "default_values": {"feed": 1500, "wait": 0.2, "up": 300, "down": 700},
    },
}
"""Profiles for GRBL beside those of vpype-gcode: the pen is lifted by the Z axis, or by a servo.

Feeds are in mm/min, `up` and `down` in mm, or a servo's S value, `wait` in s. M0 waits between two pens. A
profile of the same name in `~/.vpype.toml` is taken instead."""

QUANTUM = "0.1mm"
"""Length of the lines that vpype cuts curves into; the pages of a plotter have no curves."""

MISSING = "G-code needs vpype and vpype-gcode; install them with: pip install 'sketchgen[plotter]'"

_EMPTY = '<svg xmlns="http://www.w3.org/2000/svg" width="9mm" height="9mm" viewBox="0 0 9 9"/>'
_RELATIVE = re.compile(r"\{_?i?d[xy]")


class _Named(io.StringIO):
    """A text with the name of a file, which profiles may write into their output."""

    name = "drawing.gcode"


def to_gcode(svg: str, profile: str = PROFILE) -> str:
    """Return an SVG file, best a page of a plot, as G-code, HPGL or whatever the profile says.

    Raises:
        SettingError: vpype or vpype-gcode is not installed, or there is no such profile, or it fails.
    """
    return _written(svg, profile, templates_of(profile))


class GcodeStream:
    """G-code of a page that comes in pieces, each of which begins and ends with the pen up.

    Attributes:
        start: to be sent first.
        next_pen: to be sent between two pens.
        end: to be sent last, also after an interruption: it lifts the pen.
    """

    def __init__(self, profile: str = PROFILE) -> None:
        """Take a profile; SettingError if there is none, or if it counts from the last point."""
        templates = templates_of(profile)
        if any(_RELATIVE.search(str(text)) for text in templates.values()):
            raise SettingError(f"the profile {profile!r} counts from the last point, and cannot be streamed")
        self._profile = profile
        self._templates = {**templates, "document_start": None, "document_end": None}
        self.start, self.next_pen, self.end = (
            _written(_EMPTY, profile, {**self._templates, "document_start": templates.get(key)})
            for key in ("document_start", "layer_join", "document_end")
        )

    def piece(self, svg: str) -> str:
        """Return the G-code of some of the page's strokes, as an SVG file of the whole page."""
        return _written(svg, self._profile, self._templates)


def templates_of(profile: str) -> Mapping[str, Any]:
    """Return the templates of a profile; see `to_gcode`."""
    try:
        import vpype
        import vpype_gcode.gwrite  # noqa: F401 - adds its profiles
    except ImportError as error:
        raise SettingError(MISSING) from error
    profiles = {**PROFILES, **vpype.config_manager.config["gwrite"]}
    profiles.pop("default_profile", None)
    if profile not in profiles:
        raise SettingError(f"no profile {profile[:40]!r} for G-code; there are {', '.join(profiles)}")
    return profiles[profile]


def _written(svg: str, profile: str, templates: Mapping[str, Any]) -> str:
    """Return what vpype-gcode writes by some templates."""
    import click
    import vpype
    import vpype_cli
    from vpype_gcode.gwrite import gwrite

    out, profiles, key = _Named(), vpype.config_manager.config["gwrite"], f"sketchgen {profile}"
    document = vpype.read_multilayer_svg(io.StringIO(svg), vpype.convert_length(QUANTUM))
    profiles[key] = templates
    write: Any = gwrite.callback
    try:
        # Some profiles print a message for the user, which belongs on a terminal and not in a batch.
        with contextlib.redirect_stderr(io.StringIO()):
            write(output=out, profile=key, default=())(vpype_cli.State(document))
    except (click.ClickException, KeyError, ValueError) as error:
        words = " ".join(str(error).split())[:160]
        raise SettingError(f"the profile {profile!r} cannot be written: {words}") from error
    finally:
        del profiles[key]
    return out.getvalue()
