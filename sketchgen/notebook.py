"""The drawing pad in a notebook: the page's paper, tools and suggestions, as a widget of anywidget.

It stands above `sketchgen.web` since it is made of the page's scripts and answers its requests; gradio is not
loaded for it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from html import escape
from threading import Event
from typing import Any

import anywidget
import numpy as np
import traitlets

from sketchgen.completion.completer import Completer, default_model, load
from sketchgen.completion.guessing import AUTO
from sketchgen.errors import SketchgenError
from sketchgen.limits import PAGE_BEST_OF, PAGE_COUNT, PAGE_TEMPERATURE, check_whole
from sketchgen.sketch.sketch import Completion, Sketch, check_sketch
from sketchgen.web.assets import text_of, words
from sketchgen.web.exchange import PAGE, on_page
from sketchgen.web.request import Request, checked, checked_category, messages, points_of, within_limits

WIDTH, MIN_WIDTH, MAX_WIDTH = 480, 160, 2000
"""Width of the paper, px of the screen."""

SCRIPTS = (
    "words.js",
    "app.js",
    "strokes.js",
    "curves.js",
    "sketch.js",
    "thumbs.js",
    "suggestions.js",
    "view.js",
    "eraser.js",
    "gesture.js",
    "hand.js",
    "pad.js",
    "notebook.js",
)
"""Those of the page that make up the pad, in the order in which they are loaded and mounted."""

WORDS = ("app.", "paper.", "place.", "suggestions.", "tools.")
"""What the keys of their texts begin with."""

NO_WIDGETS = (
    "This notebook does not show widgets, so there is no pad to draw on: "
    "run pip install ipywidgets where Jupyter runs, and reload the page."
)


def script() -> str:
    """Return the pad as an ES module for anywidget. Each view of a pad runs the scripts for itself."""
    texts = {
        language: {key: text for key, text in found.items() if key.startswith(WORDS)}
        for language, found in words().items()
    }
    known = {
        "WORDS": texts,
        "HTML": text_of("app.html"),
        "CSS": [text_of("app.css"), text_of("notebook.css")],
        "SETTINGS": {"count": PAGE_COUNT, "temperature": PAGE_TEMPERATURE, "best_of": PAGE_BEST_OF},
    }
    told = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
    scripts = "\n".join(map(text_of, SCRIPTS))
    return f"""const known = {told};
function load(Sketchgen) {{
{scripts}
return Sketchgen;
}}
export default {{ render: (context) => load({{ ...known }}).embed(context) }};
"""


def to_json(sketch: Sketch, _: Any = None) -> list[list[list[float]]]:
    """Return the points of each stroke: [x, y], or [x, y, ms, pressure] where both are known."""
    if sketch.times is None or sketch.pressure is None:
        return [stroke.tolist() for stroke in sketch.strokes]
    columns = zip(sketch.strokes, sketch.times, sketch.pressure, strict=True)
    whole = [np.column_stack(each) for each in columns]
    return [stroke[:, : 4 if np.isfinite(stroke).all() else 2].tolist() for stroke in whole]


def from_json(strokes: Sequence[Sequence[Sequence[float]]], _: Any = None) -> Sketch:
    """Return the drawing on the pad from the points of its strokes."""
    known = [np.array(stroke, dtype=np.float64) for stroke in strokes]
    whole = [
        stroke if stroke.shape[1] == 4 else np.column_stack([stroke, np.full(stroke.shape, np.nan)])
        for stroke in known
    ]
    times, pressure = ([stroke[:, column] for stroke in whole] for column in (2, 3))
    return Sketch.from_strokes([stroke[:, :2] for stroke in whole], page=PAGE, times=times, pressure=pressure)


class Pad(anywidget.AnyWidget):
    """A pad to draw on in a notebook, on which the model shows how the drawing could be finished.

        pad = sketchgen.Pad()
        pad                             # the last line of a cell shows it
        pad.sketch                      # what is on it
        pad.finish(count=4)             # alternatives, in the pad and as a list
        pad.observe(print, "sketch")    # called after each stroke

    Attributes:
        sketch: the drawing, on a page of 640 x 480. One that is set is placed on that page. Lines that a
            person drew have times, in ms from the first point on, and pressure; those that the model added
            have none.
        category: what it is to show: "auto" for a guess, None for no category, or a name.
        completer: the model.
    """

    _esm = script()
    sketch = traitlets.Any(help="the drawing").tag(sync=True, to_json=to_json, from_json=from_json)
    category = traitlets.Any(help="what it is to show")
    width = traitlets.Int(WIDTH).tag(sync=True)

    def __init__(
        self,
        sketch: Sketch | None = None,
        category: str | None = AUTO,
        *,
        width: int = WIDTH,
        model: Completer | str | os.PathLike[str] | None = None,
    ) -> None:
        """Make a pad.

        Args:
            sketch: what is on it at first.
            category: see `Completer.complete`.
            width: of the paper, px of the screen.
            model: a `Completer`, or what `sketchgen.load` takes; the bundled default model without one.

        Raises:
            SketchgenError: the sketch, the category, the width or the model is none.
        """
        check_whole("width", width, MIN_WIDTH, MAX_WIDTH)
        self.completer = model if isinstance(model, Completer) else load(model) if model else default_model()
        self._stops: dict[int, Event] = {}
        # One after the other: a newer request is asked for when an older one has been stopped.
        self._runs = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sketchgen-pad")
        super().__init__(sketch=Sketch() if sketch is None else sketch, category=category, width=width)
        self.on_msg(Pad._heard)

    @traitlets.validate("sketch")
    def _on_page(self, proposal: Any) -> Sketch:
        check_sketch(proposal["value"])
        within_limits(len(proposal["value"].strokes), proposal["value"].point_count, "drawing")
        return on_page(proposal["value"])

    @traitlets.validate("category")
    def _known(self, proposal: Any) -> str | None:
        return None if proposal["value"] is None else checked_category(self.completer, proposal["value"])

    def finish(
        self,
        count: int = PAGE_COUNT,
        temperature: float = PAGE_TEMPERATURE,
        seed: int = 0,
        *,
        best_of: int = PAGE_BEST_OF,
        **settings: Any,
    ) -> list[Completion]:
        """Complete the drawing in `count` ways, show them in the pad, and return them.

        A person can keep one of them in the pad, whole or in parts, which changes `sketch`. See
        `Completer.complete` for the settings and the errors.
        """
        found = self.completer.complete(
            self.sketch, self.category, count, temperature, seed, best_of=best_of, **settings
        )
        message = {
            "alts": [points_of(each.added) for each in found],
            "categories": [each.category for each in found],
            "done": True,
        }
        self.send({"strokes": to_json(self.sketch), "message": message})
        return found

    def _heard(self, content: Any, _: Any) -> None:
        """Begin or stop what a view of the pad asks for."""
        if stop := self._stops.get(content.get("stop")):
            stop.set()
        if "run" in content:
            self._stops[content["run"]] = Event()
            self._runs.submit(self._answer, content["run"], content["question"])

    def _answer(self, run: int, question: dict[str, Any]) -> None:
        """Send the messages of a request, as the page's server does."""
        stop = self._stops[run]
        try:
            for message in () if stop.is_set() else messages(self.completer, self._request(question)):
                self.send({"run": run, "message": message})
                if stop.is_set():
                    break
        except SketchgenError as error:
            self.send({"run": run, "message": {"error": str(error)}})
        finally:
            del self._stops[run]

    def _request(self, question: dict[str, Any]) -> Request:
        """Return the checked request; where the view names no category, the pad's own counts."""
        category = question["category"]
        if category == AUTO:
            category = "none" if self.category is None else self.category
        names = ("count", "temperature", "seed")
        settings = {name: question[name] for name in (*names, "best_of")}
        return checked(self.completer, question["drawing"], category, **settings)

    def __repr__(self) -> str:
        """Return a short line: what is on the pad."""
        return f"Pad({self.sketch!r})"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Show the pad; its drawing and a line that helps where a notebook does not show widgets."""
        found = super()._repr_mimebundle_(**kwargs)
        if found is None:
            return None
        data, metadata = found
        data["text/html"] = f"{self.sketch.to_svg()}<p>{escape(NO_WIDGETS)}</p>"
        return data, metadata
