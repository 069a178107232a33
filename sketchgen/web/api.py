"""The endpoint for programs (`gradio_client`, HTTP) and the tool for agents (MCP): completions as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Literal

import gradio as gr
from anyio import CapacityLimiter, from_thread

from sketchgen.completion.completer import Completer
from sketchgen.completion.guessing import AUTO
from sketchgen.errors import FormatError, SketchgenError
from sketchgen.formats.canvas_json import sketch_to_json
from sketchgen.limits import shortened
from sketchgen.web.drawing import COMPUTING
from sketchgen.web.exchange import parsed
from sketchgen.web.files import in_time
from sketchgen.web.request import checked


def endpoint(completer: Completer) -> Callable[..., str]:
    """Return the endpoint for programs, which is the tool for agents, too."""
    reading = CapacityLimiter(COMPUTING)

    def complete(
        drawing: str,
        category: str = AUTO,
        count: int = 3,
        temperature: float = 0.4,
        seed: int = 0,
        form: Literal["svg", "json"] = "svg",
        guidance: float | None = None,
        best_of: int = 1,
    ) -> str:
        """Complete a partial drawing in several alternative ways, as pen strokes.

        Args:
            drawing: the partial drawing as the text of an SVG file, or as JSON
                {"strokes": [[[x, y], ...], ...], "width": 640, "height": 480}, y downwards. An empty list of
                strokes draws from nothing.
            category: what it is to show, such as "cat", one of Quick, Draw!'s 345 names. "auto" guesses it
                from the strokes, and "none" names nothing.
            count: number of alternatives, 1 to 9.
            temperature: from 0 (the likeliest line) to 2 (wild).
            seed: the same request with the same seed has the same result.
            form: "svg" for the text of an SVG file each, "json" for strokes.
            guidance: how much it is to look like its category, from 0 (as the network draws) to 10; left
                out, the model's own: 2, or 0 for one that cannot be guided. "none" ignores it.
            best_of: candidates drawn for each alternative, 1 to 16. Of all candidates a diverse set is
                chosen, best first, by how well each continues the drawing and shows the category. From
                nothing, "none" ignores it.

        Returns:
            A JSON object {"guesses": [{"category": "cat", "probability": 0.9}, ...], "completions":
            [{"category": "cat", "ended": true, "log_likelihood": ..., "svg": "..."}, ...]}. The guesses are
            empty where a category was named; that of a completion is the one under which it was drawn. In
            the form "json" each has "drawing" instead of "svg", whose first "given" strokes are the given
            ones.
        """
        try:
            if form not in ("svg", "json"):
                raise FormatError(f"no form {shortened(form)}; there are 'svg' and 'json'")
            sketch = from_thread.run(in_time, reading, parsed, drawing)
            request = checked(completer, sketch, category, count, temperature, seed, guidance, best_of)
        except SketchgenError as error:
            raise gr.Error(str(error), print_exception=False) from None
        found = request.complete(completer)
        shown = [
            {"category": each.category, "ended": each.ended, "log_likelihood": each.log_likelihood}
            | ({"svg": each.to_svg()} if form == "svg" else {"drawing": json.loads(sketch_to_json(each))})
            for each in found.completions or ()
        ]
        return json.dumps({"guesses": [asdict(guess) for guess in found.guesses], "completions": shown})

    return complete
