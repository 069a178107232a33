"""The page itself: one static element from web/, and the endpoint for programs."""

from __future__ import annotations

import json

import gradio as gr
from gradio.events import api

from sketchgen.completion.completer import Completer
from sketchgen.web.api import endpoint
from sketchgen.web.assets import facts, text_of

PROGRAMS, PROGRAMS_WAITING = 4, 200
"""Requests of programs that are served at the same time, and that may wait."""

TITLE = "sketchgen"


def build(completer: Completer) -> gr.Blocks:
    """Return the app around a model; `sketchgen.web.launch` serves it."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        # One static element; all that happens in it is done by the scripts of web/.
        gr.HTML(
            html_template=f'<div class="sg">{text_of("app.html")}</div>',
            js_on_load=f"Sketchgen.mount(element, Sketchgen.remote, {json.dumps(facts(completer))});",
            elem_id="sketchgen",
            apply_default_css=False,
        )
        api(
            endpoint(completer),
            api_name="complete",
            concurrency_limit=PROGRAMS,
            queue=True,
        )
    page.queue(max_size=PROGRAMS_WAITING, default_concurrency_limit=PROGRAMS)
    # Answers that nobody fetches are kept for so many programs, not for 2000.
    page._queue.pending_messages_per_session.max_size = PROGRAMS + PROGRAMS_WAITING
    return page
