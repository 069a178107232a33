"""The page's own parts as Gradio components: static HTML from web/, brought to life by the scripts there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from sketchgen.resources import bundled

SCRIPTS = ("strokes.js", "run.js", "hand.js", "pad.js", "completions.js", "player.js")
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
    """Static HTML, brought to life by its script."""

    def __init__(self, elem_id: str, template: str, script: str, **settings: Any) -> None:
        super().__init__(
            html_template=template, js_on_load=script, elem_id=elem_id, apply_default_css=False, **settings
        )


class Pad(_Part):
    """The page to draw on, with its tools. Event: `started` (a drawing with a category was opened)."""

    def __init__(self, server_functions: list[Callable[..., Any]]) -> None:
        super().__init__(
            "sketchgen-pad",
            text_of("pad.html"),
            "Sketchgen.mountPad(element, trigger, server, ['started']);",
            server_functions=server_functions,
        )


class Alternatives(_Part):
    """Drawings side by side that grow as their stream comes in."""

    def __init__(self, elem_id: str, nothing: str, *, gallery: bool = False) -> None:
        cells = "\n".join(
            f'<button type="button" class="alternative" hidden aria-label="Alternative {number}">'
            f'<canvas width="160" height="120"></canvas><kbd aria-hidden="true">{number}</kbd></button>'
            for number in range(1, 10)
        )
        super().__init__(
            elem_id,
            text_of("alternatives.html").replace("@cells", cells).replace("@nothing", nothing),
            f"Sketchgen.mountAlternatives(element, {str(gallery).lower()});",
        )


class Player(_Part):
    """Plays the pad's drawing back."""

    def __init__(self) -> None:
        super().__init__(
            "sketchgen-player",
            text_of("player.html"),
            "Sketchgen.mountPlayer(element);",
        )
