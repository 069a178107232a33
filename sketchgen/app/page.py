"""The page itself: which parts it has and what happens when something is clicked."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.events import api

from sketchgen.app import exchange
from sketchgen.app.api import endpoint
from sketchgen.app.components import Alternatives, Pad, Player
from sketchgen.app.request import MOST_COUNT, checked
from sketchgen.app.stream import Halted, Message, failure, messages
from sketchgen.errors import SketchgenError
from sketchgen.generate.completer import ANY, MOST_TEMPERATURE, Completer

CAPACITY = 16
"""Requests that the model serves at the same time; more wait their turn."""

WAITING = 200
"""Requests that may wait; beyond, they are refused with a message."""

TITLE = "sketchgen"
MODEL = "model"


def build(completer: Completer) -> gr.Blocks:
    """The app around a model; see `sketchgen.app.launch` to serve it."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.HTML(
            "<h1>sketchgen</h1><p>Draw something, and let the model finish it with you.</p>",
            elem_id="sketchgen-title",
        )
        with gr.Tabs(elem_id="sketchgen-tabs"):
            with gr.Tab("Draw"):
                _draw_tab(completer)
            with gr.Tab("Generate", render_children=True):
                _generate_tab(completer)
            with gr.Tab("Play back", render_children=True):
                Player()
        api(
            endpoint(completer),
            api_name="complete",
            concurrency_id=MODEL,
            concurrency_limit=CAPACITY,
            queue=True,
        )
    page.queue(max_size=WAITING, default_concurrency_limit=CAPACITY)
    return page


def _settings(completer: Completer, count: int) -> list[gr.Dropdown | gr.Slider]:
    """Category, number of drawings and temperature."""
    choices = [("anything", ANY), *[(name, name) for name in sorted(completer.categories, key=str.lower)]]
    category = gr.Dropdown(choices, value=ANY, label="What is it?", num_choices_shown=400)
    with gr.Row():
        number = gr.Slider(1, MOST_COUNT, value=count, step=1, label="How many", min_width=140)
        daring = gr.Slider(0, MOST_TEMPERATURE / 2, value=0.4, step=0.05, label="How daring", min_width=140)
    return [category, number, daring]


def _draw_tab(completer: Completer) -> None:
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=320):
            pad = Pad([_starter, _open, _export])
        with gr.Column(scale=2, min_width=320):
            settings = _settings(completer, 4)
            nothing = "Finished drawings appear here as they grow."
            found = Alternatives("sketchgen-completions", nothing)
            queue = gr.HTML("", elem_id="sketchgen-queue", min_height=24)
    halted = Halted()

    def halt(drawing: Any, request: gr.Request) -> None:
        halted.halt(request.session_hash, _number(drawing, "over", -1))

    run = pad.finish(
        _answers(completer, halted),
        [pad, *settings],
        found,
        show_progress="minimal",
        show_progress_on=queue,
        trigger_mode="multiple",
        concurrency_id=MODEL,
        concurrency_limit=CAPACITY,
        api_visibility="private",
    )
    pad.halt(halt, pad, None, cancels=[run], queue=False, trigger_mode="multiple", api_visibility="private")
    pad.started(_category_of, pad, settings[0], show_progress="hidden", api_visibility="private")


def _generate_tab(completer: Completer) -> None:
    settings = _settings(completer, MOST_COUNT)
    button = gr.Button("Draw", variant="primary", elem_id="sketchgen-draw")
    found = Alternatives("sketchgen-gallery", "Press Draw for new drawings from nothing.", gallery=True)

    def fresh(category: Any, count: Any, temperature: Any) -> Iterator[Message]:
        page = {"strokes": [], "width": exchange.PAGE.width, "height": exchange.PAGE.height}
        page["seed"] = secrets.randbelow(2**31)
        yield from _answer(completer, page, category, count, temperature)

    button.click(
        fresh,
        settings,
        found,
        show_progress="hidden",
        concurrency_id=MODEL,
        concurrency_limit=CAPACITY,
        api_visibility="private",
    )


def _number(drawing: Any, name: str, otherwise: int) -> int:
    """A whole number in a payload of the pad, such as `rev`: which state of the drawing it is about."""
    value = drawing.get(name) if isinstance(drawing, dict) else None
    return value if type(value) is int else otherwise


def _answer(
    completer: Completer, drawing: Any, category: Any, count: Any, temperature: Any
) -> Iterator[Message]:
    """The messages for what the page asks; an error is a message, too."""
    seed, rev = drawing.get("seed", 0) if isinstance(drawing, dict) else 0, _number(drawing, "rev", 0)
    try:
        request = checked(completer, drawing, category, count, temperature, seed, rev)
    except SketchgenError as error:
        yield failure(str(error), rev)
        return
    yield from messages(completer, request)


def _answers(completer: Completer, halted: Halted) -> Callable[..., Iterator[Message]]:
    """The stream of messages for the pad, until its drawing has changed."""

    def answers(
        drawing: Any, category: Any, count: Any, temperature: Any, request: gr.Request
    ) -> Iterator[Message]:
        session, rev = request.session_hash, _number(drawing, "rev", 0)
        halted.halt(session, rev - 1)
        for message in _answer(completer, drawing, category, count, temperature):
            if halted.over(session, rev):
                return
            yield message

    return answers


def _category_of(drawing: Any) -> Any:
    """The category that an opened drawing names, for the picker."""
    name = drawing.get("category") if isinstance(drawing, dict) else None
    return name if isinstance(name, str) and len(name) < 100 else gr.skip()


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
