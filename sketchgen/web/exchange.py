"""Opening and saving the page's drawing in memory; nothing that a person draws is written to disk."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sketchgen import example
from sketchgen.errors import FormatError, SketchError
from sketchgen.formats.animation import to_animated_svg, to_gif
from sketchgen.formats.canvas_json import load_json
from sketchgen.formats.excalidraw import is_scene, parse_styled_scene, to_scene
from sketchgen.formats.raster import image_bytes, to_image
from sketchgen.formats.read_write import nothing_visible, read
from sketchgen.formats.registry import encode
from sketchgen.formats.render_options import RenderOptions
from sketchgen.formats.svg_reader import parse_styled_svg
from sketchgen.formats.svg_writer import PLAIN, StrokeStyle, Style
from sketchgen.sketch.geometry import moved, simplify
from sketchgen.sketch.sketch import Box, Completion, Item, Sketch
from sketchgen.web.request import MAX_POINTS, MAX_STROKES, checked_sketch, within_limits
from sketchgen.web.stroke_styles import (
    ADDED,
    INK,
    PEN,
    json_styles,
    page_style,
    stroke_styles,
    with_styles,
)

PAGE = Box(0.0, 0.0, 640.0, 480.0)
"""The page in the browser, in its own units."""

FILL = 0.8
"""Share of the page that an opened drawing without a page of its own fills."""

EDGE = 0.02
"""Room around ink that lies beyond the page, as a share of the page's longer side."""

MAX_TEXT = 2 * 1024 * 1024
"""Longest file opened, characters."""

STARTERS = {
    "half-a-cat": "cat",
    "face": "face",
    "car": "car",
    "bicycle": "bicycle",
    "pineapple": "pineapple",
    "mona-lisa": "The Mona Lisa",
}
"""The bundled partial drawings that the page offers, and their categories."""

TYPES = {
    "svg": ("drawing.svg", "image/svg+xml"),
    "animated": ("drawing-animated.svg", "image/svg+xml"),
    "png": ("drawing.png", "image/png"),
    "gif": ("drawing.gif", "image/gif"),
    "json": ("drawing.json", "application/json"),
    "excalidraw": ("drawing.excalidraw", "application/vnd.excalidraw+json"),
    "ndjson": ("drawing.ndjson", "application/x-ndjson"),
}
"""File name and media type of each format that the page saves."""


def _marked(payload: Any, index: int) -> bool:
    """Return whether the page says that a stroke was added."""
    marks = payload.get("added") if isinstance(payload, dict) else None
    return isinstance(marks, list) and index < len(marks) and marks[index] is True


def split(sketch: Sketch, added: list[bool]) -> Completion:
    """Return a drawing as given and added strokes."""
    given, more = (
        tuple(stroke for stroke, flag in zip(sketch.strokes, added, strict=True) if flag is wanted)
        for wanted in (False, True)
    )
    page, category = sketch.page, sketch.category
    return Completion(Sketch(given, page, category), Sketch(more, page, category))


PICTURES: dict[str, Callable[[Item, Style], bytes]] = {
    "svg": lambda item, style: item.to_svg(style).encode(),
    "png": lambda item, style: image_bytes(to_image(item, round(style.size), style)),
    "animated": lambda item, style: to_animated_svg(item, style).encode(),
    "gif": lambda item, style: to_gif(item, style),
    "excalidraw": lambda item, style: to_scene([item], style).encode(),
}
"""What shows a drawing as a person sees it: with the colour and the pen of each stroke."""


def exported(payload: Any, form: Any, smooth: Any = True) -> tuple[str, str, bytes]:
    """File name, media type and content of the page's drawing in one of the formats of `TYPES`.

    All lines are curves, as they are on the page, unless `smooth` is False. The lines of pictures have the
    colours and widths that `payload` tells; see `stroke_styles`.

    Raises:
        FormatError: no such format, or no drawing.
        SketchError: too large a drawing, or nothing drawn.
    """
    if not isinstance(form, str) or form not in TYPES:
        raise FormatError(f"no format {str(form)[:20]!r}; there are {', '.join(TYPES)}")
    name, kind = TYPES[form]
    sketch = checked_sketch(payload)
    if sketch.is_empty:
        raise SketchError("the page is empty; draw something first")
    added = [_marked(payload, index) for index in range(len(sketch.strokes))]
    styles = stroke_styles(payload)
    item: Item = sketch
    if form in ("animated", "gif"):
        # What plays back is played as it was drawn, by whomever.
        styles = [
            replace(own, colour=own.colour or ADDED) if flag else own
            for own, flag in zip(styles, added, strict=True)
        ]
    elif any(added):
        item, order = split(sketch, added), sorted(range(len(added)), key=added.__getitem__)
        styles = [styles[index] for index in order]
    if form not in PICTURES:
        content = encode(item, RenderOptions(form))
        return name, kind, with_styles(content, styles) if form == "json" else content
    strokes = () if all(own == PLAIN for own in styles) else tuple(styles)
    style = Style(PEN, INK, ADDED, smooth="off" if smooth is False else "on", strokes=strokes)
    # Excalidraw has no page; what is kept for opening the file again is the drawing's own.
    item = item if form == "excalidraw" else _on_shown_page(item, sketch)
    return name, kind, PICTURES[form](item, style)


def _on_shown_page(item: Item, sketch: Sketch) -> Item:
    """Return a drawing, or given and added strokes, on the part of the page that is shown."""
    page = _shown(sketch)
    if isinstance(item, Sketch):
        return item.replaced(page=page)
    return Completion(item.given.replaced(page=page), item.added.replaced(page=page))


def _shown(sketch: Sketch) -> Box:
    """The page, or more of it where ink lies beyond: a picture cuts nothing off that was drawn."""
    page, ink = sketch.page or PAGE, sketch.bounds or PAGE
    margin = EDGE * page.longer
    left, top = min(page.x, ink.x - margin), min(page.y, ink.y - margin)
    right = max(page.x + page.width, ink.x + ink.width + margin)
    bottom = max(page.y + page.height, ink.y + ink.height + margin)
    inside = ink.x >= page.x and ink.y >= page.y
    inside = (
        inside and ink.x + ink.width <= page.x + page.width and ink.y + ink.height <= page.y + page.height
    )
    return page if inside else Box(left, top, right - left, bottom - top)


def opened(text: Any, name: Any) -> tuple[Sketch, list[StrokeStyle]]:
    """A drawing from the text of an SVG, Excalidraw, JSON or ndjson file, on the page, and strokes' styles.

    Raises:
        SketchgenError: it is none, or too large.
    """
    if not isinstance(text, str) or not isinstance(name, str):
        raise FormatError("a file is opened by its text and its name")
    if len(text) > MAX_TEXT:
        raise FormatError(f"{name[:60]} is larger than {MAX_TEXT // 2**20} MB; simplify the drawing")
    if text.removeprefix("\ufeff").lstrip().startswith("<"):
        found, styles = parse_styled_svg(text.encode("utf-8", "surrogatepass"), name[:60])
    elif is_scene(value := _json(text)):
        found, styles = parse_styled_scene(value, name[:60])
    else:
        stream = io.BytesIO(text.encode("utf-8", "surrogatepass"))
        stream.name = name[:60]
        found = read(stream)
        styles = json_styles(value, len(found.strokes))
    sketch = on_page(found)
    if found.bounds is None or sketch.bounds is None:
        raise SketchError(nothing_visible(name[:60]))
    scale = sketch.bounds.longer / found.bounds.longer if found.bounds.longer > 0 else 1.0
    if sketch.point_count > MAX_POINTS and len(sketch.strokes) <= MAX_STROKES:
        sketch = simplify(sketch, epsilon=0.5)
        # Which points are left is not known.
        styles = [replace(own, widths=()) for own in styles]
    within_limits(len(sketch.strokes), sketch.point_count, name[:60])
    return sketch, [page_style(own, scale) for own in styles]


def parsed(drawing: Any) -> Sketch:
    """Return the drawing that a program sent as the text of an SVG file, or as JSON.

    Raises:
        SketchgenError: it is none, or too large.
    """
    if not isinstance(drawing, str):
        raise FormatError("the drawing must be a text: an SVG file's, or JSON")
    if len(drawing) > MAX_TEXT:
        raise FormatError(f"the drawing is longer than {MAX_TEXT // 2**20} MB; simplify it")
    sketch = read(io.BytesIO(drawing.encode("utf-8", "surrogatepass")))
    within_limits(len(sketch.strokes), sketch.point_count, "drawing")
    return sketch


def _json(text: str) -> Any:
    """Return the value of a JSON text; None if it is none, such as lines of ndjson."""
    with contextlib.suppress(FormatError):
        return load_json(text, "")
    return None


def on_page(sketch: Sketch) -> Sketch:
    """Return a drawing moved and scaled onto `PAGE`: its own page onto it, or its ink into the middle."""
    box, share = sketch.page, 1.0
    if box is None:
        box, share = sketch.bounds, FILL
    if box is None or box == PAGE:
        return sketch.replaced(page=PAGE)
    scale = share * min(PAGE.width / max(box.width, 1e-9), PAGE.height / max(box.height, 1e-9))
    # A dot has no size to go by.
    scale = scale if box.longer > 1e-6 else 1.0
    (x, y), (px, py) = box.centre, PAGE.centre
    placed = moved(sketch, scale, px - x * scale, py - y * scale)
    return placed.replaced(page=PAGE)


def starter(name: Any) -> tuple[Sketch, str]:
    """Return a bundled partial drawing on the page, and its category.

    Raises:
        FormatError: there is none of that name.
    """
    if not isinstance(name, str) or name not in STARTERS:
        raise FormatError(f"no starter {str(name)[:20]!r}; there are {', '.join(STARTERS)}")
    return on_page(read(example(name))), STARTERS[name]
