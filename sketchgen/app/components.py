"""The page's own parts as Gradio components: static HTML from web/, brought to life by the scripts there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from sketchgen.resources import bundled

SCRIPTS = ("strokes.js", "hand.js", "pad.js", "completions.js", "player.js")
"""In the order in which they are loaded."""


def text_of(name: str) -> str:
    """A file of web/."""
    return bundled("web", name).read_text(encoding="utf-8")


def head() -> str:
    """What goes into the page's head: all scripts, so that the page asks nobody else for anything."""
    script = "\n".join(text_of(name) for name in SCRIPTS)
    viewport = '<meta name="color-scheme" content="light dark">'
    return f"{viewport}\n<script>\n{script}\n</script>"


class _Part(gr.HTML):
    """Static HTML with a value that only its script reads and writes."""

    def __init__(self, elem_id: str, template: str, script: str, **settings: Any) -> None:
        super().__init__(
            html_template=template, js_on_load=script, elem_id=elem_id, apply_default_css=False, **settings
        )

    def preprocess(self, payload: Any) -> Any:
        """Hand on what the browser sent; it is checked where it is used."""
        return payload

    def postprocess(self, value: Any) -> Any:
        """Hand on what is to be sent to the browser."""
        return value

    def api_info(self) -> dict[str, Any]:
        """Any JSON; what it must be is said where it is checked."""
        return {"type": "object"}

    def example_payload(self) -> Any:
        """A small drawing."""
        return {"strokes": [[[10, 10], [90, 40]]], "width": 640, "height": 480, "rev": 0}

    def example_value(self) -> Any:
        """As `example_payload`."""
        return self.example_payload()


class Pad(_Part):
    """The page to draw on, with its tools.

    Its value is the drawing: `{strokes: [[[x, y, ms, pressure], ...], ...], added: [...], width, height, rev,
    seed, category}`. Events: `finish` (complete what is there), `halt` (stop completing: somebody draws or
    edits), `started` (a drawing with a category was opened).
    """

    def __init__(self, server_functions: list[Callable[..., Any]]) -> None:
        super().__init__(
            "sketchgen-pad",
            text_of("pad.html"),
            "Sketchgen.mountPad(element, props, trigger, server, ['finish', 'halt', 'started']);",
            server_functions=server_functions,
        )


class Alternatives(_Part):
    """Drawings side by side that grow as their stream comes in; its value is the stream's last message."""

    def __init__(self, elem_id: str, nothing: str, *, gallery: bool = False) -> None:
        cells = "\n".join(
            f'<button type="button" class="alternative" hidden aria-label="Alternative {number}">'
            f'<canvas width="160" height="120"></canvas><kbd aria-hidden="true">{number}</kbd></button>'
            for number in range(1, 10)
        )
        super().__init__(
            elem_id,
            text_of("alternatives.html").replace("@cells", cells).replace("@nothing", nothing),
            f"Sketchgen.mountAlternatives(element, props, watch, {str(gallery).lower()});",
        )


class Player(_Part):
    """Plays the pad's drawing back."""

    def __init__(self) -> None:
        super().__init__(
            "sketchgen-player",
            text_of("player.html"),
            "Sketchgen.mountPlayer(element);",
        )
