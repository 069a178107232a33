"""The page itself: which parts it has and what happens when something is clicked."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.events import api

from sketchgen.completion.completer import ANY, MAX_TEMPERATURE, Completer
from sketchgen.errors import SketchgenError
from sketchgen.web import exchange
from sketchgen.web.api import endpoint
from sketchgen.web.components import alternatives, pad, player
from sketchgen.web.request import MAX_BEST_OF, MAX_COUNT

PROGRAMS, PROGRAMS_WAITING = 4, 200
"""Requests of programs that are served at the same time, and that may wait."""

MAX_LIKE = 4.0
"""Strongest guidance on the page: as far as docs/lab.md has measured it."""

BEST_OF = 8
"""Candidates of each drawing on the page, where it is told what is drawn, unless it is told otherwise."""

TITLE = "sketchgen"


def build(completer: Completer) -> gr.Blocks:
    """The app around a model; see `sketchgen.web.launch` to serve it."""
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


def _settings(completer: Completer, count: int) -> list[gr.Dropdown | gr.Slider]:
    """Category, number, temperature and candidates; and guidance, if the model can be guided."""
    choices = [("anything", ANY), *[(name, name) for name in sorted(completer.categories, key=str.lower)]]
    category = gr.Dropdown(choices, value=ANY, label="What is it?", num_choices_shown=400)
    with gr.Row():
        number = gr.Slider(1, MAX_COUNT, value=count, step=1, label="How many", min_width=140)
        daring = gr.Slider(0, MAX_TEMPERATURE / 2, value=0.4, step=0.05, label="How daring", min_width=140)
    best = gr.Slider(1, MAX_BEST_OF, value=BEST_OF, step=1, label="Best of how many")
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
            settings = _settings(completer, 4)
            alternatives("sketchgen-completions", "Finished drawings appear here as they grow.")
    # All in the browser: the pad asks for completions by itself, and must know what is set here.
    told = "(...values) => Sketchgen.set(...values)"
    for setting in settings:
        setting.change(None, settings, None, js=told, api_visibility="private")
    page.load(None, settings, None, js=told, api_visibility="private")
    paper.started(None, None, settings[0], js="() => Sketchgen.pad.category", api_visibility="private")


def _generate_tab(completer: Completer) -> None:
    settings = _settings(completer, MAX_COUNT)
    button = gr.Button("Draw", variant="primary", elem_id="sketchgen-draw")
    alternatives("sketchgen-gallery", "Press Draw for new drawings from nothing.", gallery=True)
    asked = "(...values) => Sketchgen.gallery.ask(...values)"
    button.click(None, settings, None, js=asked, api_visibility="private")


def _safely(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Answers with the error's words where it cannot answer; the browser shows them."""

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
    name, kind, content = exchange.exported(question.get("drawing"), question.get("format"))
    return {"name": name, "type": kind, "base64": base64.b64encode(content).decode()}
