"""Drawings that draw themselves as pictures that move: GIF and WebP; and a still WebP."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from PIL import Image as images
from PIL.Image import Dither, Image

from sketchgen.errors import SettingError
from sketchgen.formats.curves import Traced
from sketchgen.formats.motion import Motion, Span, Way, moving, steps, timeline
from sketchgen.formats.raster import Area, Raster, rgba, to_image
from sketchgen.formats.svg_writer import Style, parts
from sketchgen.sketch.sketch import Completion, Sketch

MAX_FRAMES = 400
"""Most frames of a moving picture; a longer one has fewer a second."""

MAX_GIF = 1024
"""Longer side of the largest moving picture, GIF or WebP, in px."""

SIZE = 360
"""Longer side of a moving picture, in px, where nothing else is asked for."""

_MAX_PIXELS = 100_000_000
"""Most pixels over all frames of a moving picture, to bound memory."""

_TONES = 16
"""Colours from the paper to an ink, both counted: enough for smooth edges."""


class _Reel(NamedTuple):
    """When the frames of a moving picture come, in hundredths of a second."""

    step: int
    times: list[float]
    hold: int

    @property
    def durations(self) -> list[int]:
        """How long each frame stands, in ms."""
        return [10 * self.step] * len(self.times) + [10 * max(self.step, self.hold)]


def _reel(spans: Sequence[Span], size: tuple[int, int], motion: Motion) -> _Reel:
    """The frames of a picture of `size` px: one at each step, and the finished drawing."""
    end = spans[-1].end if spans else 0.0
    most = max(2, min(MAX_FRAMES, _MAX_PIXELS // math.prod(size)))
    # Hundredths of a second from one frame to the next.
    step = max(round(100 / motion.frames_per_second), math.ceil(100 * end / (most - 1)))
    times = [step * index / 100 for index in range(math.ceil(100 * end / step))]
    return _Reel(step, times, round(100 * motion.hold))


def to_gif(
    item: Sketch | Completion,
    style: Style | None = None,
    motion: Motion | None = None,
    *,
    size: int = SIZE,
) -> bytes:
    """The drawing as the bytes of a GIF that draws itself; same arguments, same bytes.

    The first frame shows the given strokes of a completion, or an empty page; the last one all. A page
    without background is white, since a GIF knows no half-transparent edges.

    Args:
        item: a drawing or a completion.
        style: colours and pen; its own `size` is not used.
        motion: pace, hold, frames a second.
        size: longer side in px, from 1 to `MAX_GIF`.

    Raises:
        SettingError: `size` outside its limits, or a colour that Pillow does not know.
    """
    check_moving("GIF", size)
    motion, style = motion or Motion(), _opaque(style or Style())
    raster = Raster(item, size, style)
    reel = _reel(spans := timeline(item, style, motion), raster.size, motion)
    palette = _palette(style, both=isinstance(item, Completion))
    carrier = images.new("P", (1, 1))
    carrier.putpalette(palette)
    frames = (
        frame.convert("RGB").quantize(palette=carrier, dither=Dither.NONE)
        for frame in _frames(item, raster, style, spans, reel)
    )
    return _saved(frames, reel, motion, format="GIF", palette=palette)


def to_webp(
    item: Sketch | Completion,
    style: Style | None = None,
    motion: Motion | None = None,
    *,
    size: int = SIZE,
) -> bytes:
    """The drawing as the bytes of a WebP that draws itself; see `to_gif`.

    It has all colours, a page without background is transparent, and nothing is lost.

    Raises:
        SettingError: `size` outside its limits, or a colour that Pillow does not know.
    """
    check_moving("WebP", size)
    motion, style = motion or Motion(), style or Style()
    raster = Raster(item, size, style)
    reel = _reel(spans := timeline(item, style, motion), raster.size, motion)
    frames = _frames(item, raster, style, spans, reel)
    return _saved(frames, reel, motion, format="WEBP", lossless=True, background=(0, 0, 0, 0))


def to_still_webp(item: Sketch | Completion, style: Style | None = None, *, size: int | None = None) -> bytes:
    """The drawing as the bytes of a WebP that stands still and has lost nothing.

    Args:
        item: a drawing or a completion.
        style: colours and pen.
        size: longer side in px; by default the style's.

    Raises:
        SettingError: `size` outside its limits, or a colour that Pillow does not know.
    """
    style = style or Style()
    buffer = io.BytesIO()
    picture = to_image(item, round(style.size) if size is None else size, style)
    picture.save(buffer, format="WEBP", lossless=True)
    return buffer.getvalue()


def check_moving(kind: str, size: int) -> None:
    """Check the longer side, in px, of a moving picture; `kind` is what the error calls it.

    Raises:
        SettingError: it is outside its limits.
    """
    if not 1 <= size <= MAX_GIF:
        raise SettingError(f"size of a {kind} is {size} px; it must be from 1 to {MAX_GIF}")


def _saved(frames: Iterator[Image], reel: _Reel, motion: Motion, **how: Any) -> bytes:
    """All frames as one file; Pillow takes them one at a time."""
    loop = 0 if motion.loop else 1
    if how["format"] == "WEBP" or motion.loop:
        how["loop"] = loop
    buffer = io.BytesIO()
    next(frames).save(buffer, save_all=True, append_images=frames, duration=reel.durations, **how)
    return buffer.getvalue()


def _opaque(style: Style) -> Style:
    """The style with colours as a GIF can show them: the paper over white, the inks over the paper."""

    def over(colour: str | None, ground: tuple[int, ...]) -> tuple[int, ...]:
        *tones, alpha = rgba(colour)
        return tuple(
            round((tone * alpha + below * (255 - alpha)) / 255)
            for tone, below in zip(tones, ground, strict=True)
        )

    paper = over(style.background, (255, 255, 255))
    given, added = over(style.given_colour, paper), over(style.added_colour, paper)
    shown = (f"#{bytes(colour).hex()}" for colour in (paper, given, added))
    return replace(style, **dict(zip(("background", "given_colour", "added_colour"), shown, strict=True)))


def _palette(style: Style, *, both: bool) -> bytes:
    """RGB tones between paper and inks, and between both inks where there are two."""
    paper, given, added = (
        np.array(rgba(colour)[:3]) for colour in (style.background, style.given_colour, style.added_colour)
    )
    pairs = [(paper, given), (paper, added), (given, added)] if both else [(paper, given)]
    shares = np.linspace(0, 1, _TONES)[:, None]
    tones = np.concatenate([np.rint(one + (other - one) * shares) for one, other in pairs])
    return np.unique(tones, axis=0).astype(np.uint8).tobytes()


def _frames(
    item: Sketch | Completion, raster: Raster, style: Style, spans: Sequence[Span], reel: _Reel
) -> Iterator[Image]:
    """The picture at each time of the reel and when all is drawn, made anew only where something is new."""
    given, added = parts(item)
    colour = rgba(style.given_colour)
    if added is not None:
        for stroke in given.strokes:
            raster.ink(raster.traced(stroke), colour)
        colour = rgba(style.added_colour)
    page = raster.picture()
    lines = [raster.traced(stroke) for stroke in moving(item).strokes]
    for pieces in _pieces(lines, spans, [*reel.times, math.inf]):
        areas = [area for piece in pieces if (area := raster.ink(piece, colour)) is not None]
        if areas:
            left, top, right, bottom = zip(*areas, strict=True)
            new: Area = min(left), min(top), max(right), max(bottom)
            page.paste(raster.picture(new), new[:2])
        yield page.copy()


def _pieces(lines: Sequence[Traced], spans: Sequence[Span], times: Iterable[float]) -> Iterator[list[Traced]]:
    """For each time, in seconds, the pieces of lines drawn since the time before."""
    index, drawn = 0, 0.0
    way: Way | None = None
    for time in times:
        pieces: list[Traced] = []
        while index < len(spans) and spans[index].begin < time:
            (begin, end), line = spans[index], lines[index]
            way = np.append(0.0, np.cumsum(steps(line))) if way is None else way
            share = min(1.0, (time - begin) / (end - begin))
            pieces.append(_piece(line, way, drawn, share))
            drawn = share
            if share < 1:
                break
            index, drawn, way = index + 1, 0.0, None
        yield pieces


def _piece(line: Traced, way: Way, first: float, last: float) -> Traced:
    """What lies between two shares (0 to 1) of a line; `way` leads to each of its points."""
    if way[-1] == 0:
        return line
    ends = np.array([first, last]) * way[-1]
    begin, end = np.stack([np.interp(ends, way, axis) for axis in line.T], axis=1)
    low, high = np.searchsorted(way, ends[0], "right"), np.searchsorted(way, ends[1], "left")
    return np.concatenate([begin[None], line[low:high], end[None]])
