"""The page itself: its parts, static HTML from web/ with scripts, and what happens when they are clicked."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.events import api

from sketchgen.completion.completer import Completer
from sketchgen.completion.guessing import AUTO
from sketchgen.errors import SketchgenError
from sketchgen.limits import MAX_TEMPERATURE, PAGE_BEST_OF, PAGE_COUNT, PAGE_TEMPERATURE
from sketchgen.resources import bundled
from sketchgen.web import exchange
from sketchgen.web.api import endpoint
from sketchgen.web.request import MAX_BEST_OF, MAX_COUNT

PROGRAMS, PROGRAMS_WAITING = 4, 200
"""Requests of programs that are served at the same time, and that may wait."""

MAX_LIKE = 4.0
"""Strongest guidance on the page; more has not been measured."""

TITLE = "sketchgen"


SCRIPTS = ("strokes.js", "curves.js", "run.js", "hand.js", "pad.js", "completions.js", "player.js")
"""In the order in which they are loaded."""


def build(completer: Completer) -> gr.Blocks:
    """Return the app around a model; `sketchgen.web.launch` serves it."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.HTML(
            "<h1>sketchgen</h1><p>Draw something, and let the model finish it with you.</p>",
            elem_id="sketchgen-title",
        )
        with gr.Tabs(elem_id="sketchgen-tabs"):
            with gr.Tab("Draw"):
                _draw_tab(page, completer)
            with gr.Tab("Generate", render_children=True):
                _generate_tab(completer)
            with gr.Tab("Play back", render_children=True):
                player()
        api(
            endpoint(completer),
            api_name="complete",
            concurrency_limit=PROGRAMS,
            queue=True,
        )
    page.queue(max_size=PROGRAMS_WAITING, default_concurrency_limit=PROGRAMS)
    return page


def _settings(completer: Completer, count: int, auto: str) -> list[gr.Dropdown | gr.Slider]:
    """Return inputs for category, count, temperature, candidates and, where it is possible, guidance.

    Args:
        completer: the model.
        count: alternatives by default.
        auto: what a person calls the category "auto".
    """
    names = [(name, name) for name in sorted(completer.categories, key=str.lower)]
    choices = [(auto, AUTO), ("anything", "none"), *names]
    category = gr.Dropdown(choices, value=AUTO, label="What is it?", num_choices_shown=400)
    with gr.Row():
        number = gr.Slider(1, MAX_COUNT, value=count, step=1, label="How many", min_width=140)
        daring = gr.Slider(
            0, MAX_TEMPERATURE / 2, value=PAGE_TEMPERATURE, step=0.05, label="How daring", min_width=140
        )
    best = gr.Slider(1, MAX_BEST_OF, value=PAGE_BEST_OF, step=1, label="Best of how many")
    if not completer.guidable:
        return [category, number, daring, best]
    own = min(completer.guidance, MAX_LIKE)
    like = gr.Slider(0, MAX_LIKE, value=own, step=0.5, label="How much like its category")
    return [category, number, daring, best, like]


def _draw_tab(page: gr.Blocks, completer: Completer) -> None:
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            paper = pad([_starter, _open, _export])
        with gr.Column(scale=2, min_width=320):
            settings = _settings(completer, PAGE_COUNT, "guess it")
            alternatives("sketchgen-completions", "Finished drawings appear here as they grow.")
    # All in the browser: the pad requests completions by itself, with these settings.
    told = "(...values) => Sketchgen.set(...values)"
    for setting in settings:
        setting.change(None, settings, None, js=told, api_visibility="private")
    page.load(None, settings, None, js=told, api_visibility="private")
    paper.started(None, None, settings[0], js="() => Sketchgen.pad.category", api_visibility="private")


def _generate_tab(completer: Completer) -> None:
    settings = _settings(completer, MAX_COUNT, "something")
    button = gr.Button("Draw", variant="primary", elem_id="sketchgen-draw")
    alternatives("sketchgen-gallery", "Press Draw for new drawings from nothing.", gallery=True)
    asked = "(...values) => Sketchgen.gallery.ask(...values)"
    button.click(None, settings, None, js=asked, api_visibility="private")


def _safely(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Return the error as the answer where there is one; the browser shows it."""

    def safe(question: Any) -> dict[str, Any]:
        # One argument comes as it is or as a list of one, depending on the version.
        question = question[0] if isinstance(question, list) and len(question) == 1 else question
        try:
            return answer(question if isinstance(question, dict) else {})
        except SketchgenError as error:
            return {"error": str(error)}

    safe.__name__ = answer.__name__.strip("_")
    return safe


@_safely
def _starter(question: dict[str, Any]) -> dict[str, Any]:
    sketch, category = exchange.starter(question.get("name"))
    return {"strokes": [stroke.tolist() for stroke in sketch.strokes], "category": category}


@_safely
def _open(question: dict[str, Any]) -> dict[str, Any]:
    sketch = exchange.opened(question.get("text"), question.get("name"))
    return {"strokes": [stroke.tolist() for stroke in sketch.strokes], "category": sketch.category}


@_safely
def _export(question: dict[str, Any]) -> dict[str, Any]:
    drawing, form, smooth = (question.get(key) for key in ("drawing", "format", "smooth"))
    name, kind, content = exchange.exported(drawing, form, smooth)
    return {"name": name, "type": kind, "base64": base64.b64encode(content).decode()}


def text_of(name: str) -> str:
    """Return the text of a file of web/."""
    return bundled("web", name).read_text(encoding="utf-8")


def head() -> str:
    """Return the page's head with all scripts, so that it fetches nothing from elsewhere."""
    script = "\n".join(text_of(name) for name in SCRIPTS)
    viewport = '<meta name="color-scheme" content="light dark">'
    return f"{viewport}\n<script>\n{script}\n</script>"


def _part(elem_id: str, template: str, script: str, **settings: Any) -> gr.HTML:
    """Return static HTML with its script."""
    return gr.HTML(
        html_template=template, js_on_load=script, elem_id=elem_id, apply_default_css=False, **settings
    )


def pad(server_functions: list[Callable[..., Any]]) -> gr.HTML:
    """Return the pad to draw on, with its tools. Event: `started` (a drawing with a category was opened)."""
    script = "Sketchgen.mountPad(element, trigger, server, ['started']);"
    return _part("sketchgen-pad", text_of("pad.html"), script, server_functions=server_functions)


def alternatives(elem_id: str, nothing: str, *, gallery: bool = False) -> gr.HTML:
    """Return drawings side by side that grow as they are streamed; `nothing` is the text before that."""
    cells = "\n".join(
        f'<button type="button" class="alternative" hidden aria-label="Alternative {number}">'
        f'<canvas width="160" height="120"></canvas><kbd aria-hidden="true">{number}</kbd>'
        '<span class="name"></span></button>'
        for number in range(1, 10)
    )
    template = text_of("alternatives.html").replace("@cells", cells).replace("@nothing", nothing)
    return _part(elem_id, template, f"Sketchgen.mountAlternatives(element, {str(gallery).lower()});")


def player() -> gr.HTML:
    """Return the player of the pad's drawing."""
    return _part("sketchgen-player", text_of("player.html"), "Sketchgen.mountPlayer(element);")
