"""The page itself: one static element from web/ with its scripts, and what the server does for them."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
from gradio.events import api

from sketchgen.completion.completer import Completer
from sketchgen.limits import PAGE_BEST_OF, PAGE_COUNT, PAGE_TEMPERATURE
from sketchgen.resources import bundled
from sketchgen.web import exchange
from sketchgen.web.api import endpoint

PROGRAMS, PROGRAMS_WAITING = 4, 200
"""Requests of programs that are served at the same time, and that may wait."""

MAX_LIKE = 4.0
"""Strongest guidance on the page; more has not been measured."""

TITLE = "sketchgen"

SCRIPTS = (
    "words.js",
    "app.js",
    "menu.js",
    "strokes.js",
    "curves.js",
    "run.js",
    "sketch.js",
    "categories.js",
    "search.js",
    "thumbs.js",
    "link.js",
    "suggestions.js",
    "view.js",
    "eraser.js",
    "gesture.js",
    "hand.js",
    "pad.js",
    "pens.js",
    "demo.js",
    "guess.js",
    "files.js",
    "storage.js",
    "share.js",
    "options.js",
    "think.js",
    "generate.js",
    "player.js",
    "views.js",
)
"""In the order in which they are loaded and mounted."""


def build(completer: Completer) -> gr.Blocks:
    """Return the app around a model; `sketchgen.web.launch` serves it."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        # One static element; all that happens in it is done by the scripts of web/.
        gr.HTML(
            html_template=f'<div class="sg">{text_of("app.html")}</div>',
            js_on_load=f"Sketchgen.mount(element, Sketchgen.server, {json.dumps(facts(completer))});",
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


def facts(completer: Completer) -> dict[str, Any]:
    """Return what the scripts must know of the model, and the starters."""
    starters = []
    for name in exchange.STARTERS:
        sketch, category = exchange.starter(name)
        strokes = [stroke.round(2).tolist() for stroke in sketch.strokes]
        starters.append({"name": name, "category": category, "strokes": strokes})
    return {
        "categories": list(completer.categories),
        # A model that cannot be guided has no slider for it.
        "guidance": min(completer.guidance, MAX_LIKE) if completer.guidable else None,
        "most_guidance": MAX_LIKE,
        "settings": {"count": PAGE_COUNT, "temperature": PAGE_TEMPERATURE, "best_of": PAGE_BEST_OF},
        "starters": starters,
    }


def text_of(name: str) -> str:
    """Return the text of a file of web/."""
    return bundled("web", name).read_text(encoding="utf-8")


def words() -> dict[str, dict[str, str]]:
    """Return the texts of the page in each of its languages."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(bundled("web", "words").glob("*.json"))
    }


def head() -> str:
    """Return the page's head with all scripts, so that it fetches nothing from elsewhere."""
    known = {"WORDS": words(), "DRAWINGS": json.loads(text_of("drawings.json"))}
    told = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    script = "\n".join([f"window.Sketchgen = {told};", *map(text_of, SCRIPTS)])
    about = '<meta name="description" content="Draw a few lines, and see your drawing finished.">'
    return f'<meta name="color-scheme" content="light dark">\n{about}\n<script>\n{script}\n</script>'
