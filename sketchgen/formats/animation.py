"""Drawings that draw themselves, stroke by stroke at the pace of a hand, as SVG, GIF and WebP."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as images
from PIL.Image import Dither, Image

from sketchgen.formats.curves import WidthLine
from sketchgen.formats.raster import Area, Raster, rgba, to_image
from sketchgen.formats.svg_writer import (
    Style,
    number,
    own_colours,
    parts,
    svg_document,
    svg_text,
    visible_box,
)
from sketchgen.limits import check_range
from sketchgen.sketch.geometry import BOX, steps
from sketchgen.sketch.sketch import Box, Completion, Item, Points, Sketch

SPEED = 350.0
"""Default px a second along the strokes.

The longer side of the picture is 255 px, so that a large page takes as long as a small one."""

HOLD = 1.5
"""Seconds that the finished drawing stays before the animation starts again."""

MAX_SECONDS = 30.0
"""Maximum duration of an animation; longer ones are sped up."""

TRAVEL = 3.0
"""Speed of the pen from one stroke to the next, as a multiple of that along the strokes."""

FRAME = 5
"""Duration of a frame of a GIF or WebP, hundredths of a second."""

MAX_FRAMES = 400
"""Maximum number of frames of a GIF or WebP; longer animations have fewer a second."""

FLIP, END_FLIP = 120, 800
"""Time that a drawing of a flipbook is shown, and that its first and last one are, ms."""

MAX_SIDE = 1024
"""Maximum longer side of a GIF or an animated WebP, px."""

SIZE = 360
"""Default longer side of a GIF or an animated WebP, px."""

_MAX_PIXELS = 100_000_000
"""Maximum number of pixels over all frames, to bound memory."""

_MIN_STROKE_SECONDS = 0.04
"""Minimum duration of a stroke, so that dots are seen to appear."""

_MAX_DISTANCE = 1e5
"""Maximum length counted, in boxes, so that a tiny page does not make an endless animation."""

_TONES = 16
"""Number of colours from the background to an ink: enough for smooth edges."""

_UNITS = 10**8
"""Keyframes are given in whole units of a millionth of a per cent."""

_STILL = "@media print,(prefers-reduced-motion:reduce){polyline,path{animation:none!important}}"


class Span(NamedTuple):
    """Start and end of a stroke in seconds, start < end."""

    start: float
    end: float


def timeline(item: Item, style: Style | None = None, speed: float = SPEED) -> tuple[Span, ...]:
    """Return the time span of each animated stroke: the added ones of a completion, all of a drawing.

    Strokes follow in order and never overlap; the first starts at 0, the last ends by `MAX_SECONDS`.
    """
    check_range("speed", speed, 1, 100_000, "px a second")
    box = visible_box(item, style or Style())

    def seconds(length: float) -> float:
        return min(length / box.longer, _MAX_DISTANCE) * BOX / speed

    spans: list[Span] = []
    pen: Points | None = None
    for stroke in _animated(item).strokes:
        gap = 0.0 if pen is None else seconds(float(np.hypot(*(stroke[0] - pen)))) / TRAVEL
        start = gap + (spans[-1].end if spans else 0.0)
        spans.append(Span(start, start + max(_MIN_STROKE_SECONDS, seconds(float(steps(stroke).sum())))))
        pen = stroke[-1]
    if not spans or spans[-1].end <= MAX_SECONDS:
        return tuple(spans)
    pace = MAX_SECONDS / spans[-1].end
    return tuple(Span(start * pace, min(end * pace, MAX_SECONDS)) for start, end in spans)


def _animated(item: Item) -> Sketch:
    """Return the part of a drawing that is animated."""
    given, added = parts(item)
    return given if added is None else added


def to_animated_svg(item: Item, style: Style | None = None, speed: float = SPEED) -> str:
    """Return the drawing as the text of an animated SVG, for browsers and `<img>` elements.

    It is the still file with CSS and without scripts: programs that do not know CSS animations, printers, and
    people who have asked for reduced motion see the finished drawing. The given strokes of a completion are
    there from the start. Every line has one width, whatever the pressure. Same arguments, same bytes.
    """
    # A growing dash can show a line of one width only.
    style = style or Style()
    style = replace(style, pressure=0.0, strokes=tuple(replace(own, widths=()) for own in style.strokes))
    drawing = svg_document(item, style)
    spans = timeline(item, style, speed)
    if spans:
        period = spans[-1].end + HOLD
        frames = [_keyframes(span, period) for span in spans]
        # Several drawings may be on one page, where the last of equal names wins: name them by content.
        name = f"ink-{zlib.crc32(''.join(frames).encode()):08x}"
        times = f"{number(round(period, 3))}s linear infinite"
        for index, element in enumerate(drawing.elements[-1].elements):
            element.attribs["pathLength"] = "1"
            element.attribs["style"] = f"animation:{name}-{index} {times}"
        rules = [f"@keyframes {name}-{index}{{{text}}}" for index, text in enumerate(frames)]
        drawing.defs.add(drawing.style("\n".join([*rules, _STILL])))
    return svg_text(drawing)


def _keyframes(span: Span, period: float) -> str:
    """Return the keyframes of a stroke within `period` seconds, in per cent.

    The stroke is hidden until it starts, because the round cap of an empty dash would show. The dash is set
    here only: a program without animations may not know `pathLength` either.
    """
    start = min(round(span.start / period * _UNITS), _UNITS - 1)
    end = max(round(span.end / period * _UNITS), start + 1)
    first, last = (f"{100 * units / _UNITS:.6f}" for units in (start, end))
    dash = "stroke-dasharray:1;stroke-dashoffset"
    return f"0%,{first}%{{{dash}:1;visibility:hidden}}{last}%,100%{{{dash}:0;visibility:visible}}"


def to_gif(item: Item, style: Style | None = None, speed: float = SPEED, *, size: int | None = None) -> bytes:
    """Return the drawing as the bytes of an animated GIF; same arguments, same bytes.

    The first frame shows the given strokes of a completion, or an empty page; the last one everything. A
    transparent page becomes white, because a GIF has no half-transparent edges.

    Args:
        item: a drawing or a completion.
        style: colours and pen; its `size` is not used.
        speed: px a second, see `SPEED`.
        size: longer side, px, from 1 to `MAX_SIDE`; by default `SIZE`.

    Raises:
        SettingError: a setting outside its limits, or a colour that Pillow does not know.
    """
    style = _opaque(style or Style())
    frames, durations = _frames(item, style, speed, check_size("GIF", size))
    return _saved_gif(frames, durations, _palette(style, both=isinstance(item, Completion)))


def to_webp(
    item: Item, style: Style | None = None, speed: float = SPEED, *, size: int | None = None
) -> bytes:
    """Return the drawing as the bytes of a lossless animated WebP, which may be transparent; see `to_gif`."""
    frames, durations = _frames(item, style or Style(), speed, check_size("WebP", size))
    return _saved(frames, durations, format="WEBP", lossless=True, background=(0, 0, 0, 0))


def to_flipbook(
    items: Sequence[Sketch], kind: str, style: Style | None = None, *, size: int | None = None
) -> bytes:
    """Return drawings one after the other, there and back, as the bytes of a "GIF" or a "WEBP".

    All are shown on one page, which has room for each; for style and size see `to_gif`.
    """
    style, size = style or Style(), check_size(kind, size)
    boxes = np.array([visible_box(item, style) for item in items])
    low, high = boxes[:, :2].min(0), (boxes[:, :2] + boxes[:, 2:]).max(0)
    page = Box(*low.tolist(), *(high - low).tolist())
    style = _opaque(style) if kind == "GIF" else style
    order = [*range(len(items)), *range(len(items) - 2, 0, -1)]
    frames = (to_image(items[index].replaced(page=page), size, style) for index in order)
    durations = [END_FLIP if index in (0, len(items) - 1) else FLIP for index in order]
    if kind == "WEBP":
        return _saved(frames, durations, format=kind, lossless=True, background=(0, 0, 0, 0))
    return _saved_gif(frames, durations, _palette(style, both=False))


def check_size(kind: str, size: int | None) -> int:
    """Return the checked longer side, px, of a GIF or WebP; `kind` is what the error calls it."""
    check_range(f"size of a {kind}", size, 1, MAX_SIDE, "px")
    return SIZE if size is None else size


def _saved(frames: Iterator[Image], durations: list[int], **options: Any) -> bytes:
    """Return all frames as one file that repeats for ever; Pillow takes them one at a time."""
    buffer = io.BytesIO()
    next(frames).save(buffer, save_all=True, append_images=frames, duration=durations, loop=0, **options)
    return buffer.getvalue()


def _saved_gif(frames: Iterator[Image], durations: list[int], palette: bytes) -> bytes:
    """Return all frames as one GIF of these colours; see `_saved`."""
    carrier = images.new("P", (1, 1))
    carrier.putpalette(palette)
    colours = (frame.convert("RGB").quantize(palette=carrier, dither=Dither.NONE) for frame in frames)
    return _saved(colours, durations, format="GIF", palette=palette)


def _opaque(style: Style) -> Style:
    """Return the style with opaque colours: the background over white, the inks over the background."""

    def over(colour: str | None, ground: tuple[int, ...]) -> tuple[int, ...]:
        *tones, alpha = rgba(colour)
        return tuple(
            round((tone * alpha + below * (255 - alpha)) / 255)
            for tone, below in zip(tones, ground, strict=True)
        )

    paper = over(style.background, (255, 255, 255))
    opaque = {"background": paper} | {
        name: over(getattr(style, name), paper) for name in ("given_colour", "added_colour")
    }
    strokes = tuple(
        replace(own, colour=f"#{bytes(over(own.colour, paper)).hex()}") if own.colour else own
        for own in style.strokes
    )
    shown: dict[str, Any] = {name: f"#{bytes(colour).hex()}" for name, colour in opaque.items()}
    return replace(style, **shown, strokes=strokes)


def _palette(style: Style, *, both: bool) -> bytes:
    """Return RGB tones between the background and the inks, and between the inks if there are two."""
    paper, given, added = (
        np.array(rgba(colour)[:3]) for colour in (style.background, style.given_colour, style.added_colour)
    )
    pairs = [(paper, given), (paper, added), (given, added)] if both else [(paper, given)]
    pairs += [(paper, np.array(rgba(colour)[:3])) for colour in own_colours(style)]
    shares = np.linspace(0, 1, _TONES)[:, None]
    tones = np.concatenate([np.rint(one + (other - one) * shares) for one, other in pairs])
    return np.unique(tones, axis=0).astype(np.uint8).tobytes()


def _frames(item: Item, style: Style, speed: float, size: int) -> tuple[Iterator[Image], list[int]]:
    """Return the frames of an animation, and their durations in ms; the last shows the finished drawing."""
    raster = Raster(item, size, style)
    spans = timeline(item, style, speed)
    end = spans[-1].end if spans else 0.0
    most = max(2, min(MAX_FRAMES, _MAX_PIXELS // math.prod(raster.size)))
    step = max(FRAME, math.ceil(100 * end / (most - 1)))
    times = [step * index / 100 for index in range(math.ceil(100 * end / step))]
    durations = [10 * step] * len(times) + [10 * max(step, round(100 * HOLD))]
    return _pictures(item, raster, style, spans, times), durations


def _pictures(
    item: Item, raster: Raster, style: Style, spans: Sequence[Span], times: Sequence[float]
) -> Iterator[Image]:
    """Yield the picture at each time and the finished one; only what has changed is drawn anew."""
    given, added = parts(item)
    colour, first = style.given_colour, 0
    if added is not None:
        for index, stroke in enumerate(given.strokes):
            raster.draw(*raster.ink_of(stroke, index, colour))
        colour, first = style.added_colour, len(given.strokes)
    page = raster.picture()
    inks = [
        raster.ink_of(stroke, index, colour) for index, stroke in enumerate(_animated(item).strokes, first)
    ]
    for pieces in _pieces([line for line, _ in inks], spans, [*times, math.inf]):
        drawn = (raster.draw(piece, inks[index][1]) for index, piece in pieces)
        areas = [area for area in drawn if area is not None]
        if areas:
            left, top, right, bottom = zip(*areas, strict=True)
            new: Area = min(left), min(top), max(right), max(bottom)
            page.paste(raster.picture(new), new[:2])
        yield page.copy()


def _pieces(
    lines: Sequence[WidthLine], spans: Sequence[Span], times: Iterable[float]
) -> Iterator[list[tuple[int, WidthLine]]]:
    """Yield, for each time in seconds, the pieces drawn since the time before, with the index of the line."""
    index, drawn = 0, 0.0
    distance: NDArray[np.float64] | None = None
    for time in times:
        pieces: list[tuple[int, WidthLine]] = []
        while index < len(spans) and spans[index].start < time:
            (start, end), line = spans[index], lines[index]
            distance = np.append(0.0, np.cumsum(steps(line[:, :2]))) if distance is None else distance
            share = min(1.0, (time - start) / (end - start))
            pieces.append((index, _piece(line, distance, drawn, share)))
            drawn = share
            if share < 1:
                break
            index, drawn, distance = index + 1, 0.0, None
        yield pieces


def _piece(line: WidthLine, distance: NDArray[np.float64], first: float, last: float) -> WidthLine:
    """Return the piece between two shares (0 to 1) of a line, given the distance along it of each point."""
    if distance[-1] == 0:
        return line
    ends = np.array([first, last]) * distance[-1]
    start, end = np.stack([np.interp(ends, distance, axis) for axis in line.T], axis=1)
    low, high = np.searchsorted(distance, ends[0], "right"), np.searchsorted(distance, ends[1], "left")
    return np.concatenate([start[None], line[low:high], end[None]])
