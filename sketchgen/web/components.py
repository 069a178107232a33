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


def _part(elem_id: str, template: str, script: str, **settings: Any) -> gr.HTML:
    """Static HTML, brought to life by its script."""
    return gr.HTML(
        html_template=template, js_on_load=script, elem_id=elem_id, apply_default_css=False, **settings
    )


def pad(server_functions: list[Callable[..., Any]]) -> gr.HTML:
    """The page to draw on, with its tools. Event: `started` (a drawing with a category was opened)."""
    script = "Sketchgen.mountPad(element, trigger, server, ['started']);"
    return _part("sketchgen-pad", text_of("pad.html"), script, server_functions=server_functions)


def alternatives(elem_id: str, nothing: str, *, gallery: bool = False) -> gr.HTML:
    """Drawings side by side that grow as their stream comes in; `nothing` stands there before any do."""
    cells = "\n".join(
        f'<button type="button" class="alternative" hidden aria-label="Alternative {number}">'
        f'<canvas width="160" height="120"></canvas><kbd aria-hidden="true">{number}</kbd></button>'
        for number in range(1, 10)
    )
    template = text_of("alternatives.html").replace("@cells", cells).replace("@nothing", nothing)
    return _part(elem_id, template, f"Sketchgen.mountAlternatives(element, {str(gallery).lower()});")


def player() -> gr.HTML:
    """Plays the pad's drawing back."""
    return _part("sketchgen-player", text_of("player.html"), "Sketchgen.mountPlayer(element);")
