"""A drawing that a plotter begins while the rest of it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from sketchgen.completion.run import NextPoints
from sketchgen.errors import SettingError
from sketchgen.formats.gcode import PROFILE, GcodeStream
from sketchgen.formats.plotter import page_and_pen, stroke_pages
from sketchgen.formats.render_options import RenderOptions
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen


def stream_gcode(
    given: Sketch, drawn: Iterable[NextPoints], options: RenderOptions, write: Callable[[str], None]
) -> None:
    """Write the given strokes as G-code, then each added one as soon as the pen is lifted.

    Added strokes come in the order in which they are drawn, see `Completer.stream`. Each ends with the pen
    up, and so does the whole, also where an error or Ctrl-C ends it.

    Raises:
        SettingError: the drawing has no page, or the profile cannot be streamed.
    """
    if given.page is None:
        raise SettingError(
            "only a drawing that knows its page, such as an SVG with a viewBox, can be streamed"
        )
    code = GcodeStream(options.profile or PROFILE)
    pages = stroke_pages(given, _strokes(drawn), *page_and_pen([given], options), options.style)
    write(code.start)
    try:
        write(code.piece(next(pages)) + code.next_pen)
        for svg in pages:
            write(code.piece(svg))
    finally:
        write(code.end)


def _strokes(drawn: Iterable[NextPoints]) -> Iterator[Points]:
    """Yield the strokes of a streamed completion, each as soon as it is finished."""
    points: list[np.ndarray] = []
    for step in drawn:
        if step.drawn.any():
            points.append(step.points[0])
        if points and (step.completions is not None or step.pen[0] != Pen.DRAW):
            yield np.array(points)
            points = []
