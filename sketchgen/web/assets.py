"""The files of web/ as the parts of a page, and what its scripts must know of a model; needs no gradio."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sketchgen.completion.completer import Completer
from sketchgen.completion.latent import latent_beside
from sketchgen.limits import PAGE_BEST_OF, PAGE_COUNT, PAGE_TEMPERATURE
from sketchgen.resources import bundled
from sketchgen.web import exchange

MAX_LIKE = 4.0
"""Strongest guidance on the page; more has not been measured."""

SCRIPTS = (
    "words.js",
    "app.js",
    "menu.js",
    "strokes.js",
    "curves.js",
    "transport.js",
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
    "tween.js",
    "morph.js",
    "player.js",
    "views.js",
)
"""In the order in which they are loaded and mounted."""


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
        # Without a model that can mix drawings there is no view for it.
        "latent": latent_beside(completer) is not None,
    }


def text_of(name: str) -> str:
    """Return the text of a file of web/."""
    return bundled("web", name).read_text(encoding="utf-8")


def style() -> str:
    """Return the look of the page, in small windows, too."""
    return text_of("app.css") + text_of("small.css")


def words() -> dict[str, dict[str, str]]:
    """Return the texts of the page in each of its languages."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(bundled("web", "words").glob("*.json"))
    }


ABOUT = "Draw a few lines, and see your drawing finished."
"""What the page is, for those who find it."""


def script(names: Iterable[str] = SCRIPTS, **more: Any) -> str:
    """Return scripts of web/ as one, with all texts and `more` in the object that they share."""
    known = {"WORDS": words(), "DRAWINGS": json.loads(text_of("drawings.json")), **more}
    told = json.dumps(known, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return "\n".join([f"window.Sketchgen = {told};", *map(text_of, names)])


def head() -> str:
    """Return the page's head with all scripts, so that it fetches nothing from elsewhere."""
    about = f'<meta name="description" content="{ABOUT}">'
    return f'<meta name="color-scheme" content="light dark">\n{about}\n<script>\n{script()}\n</script>'
