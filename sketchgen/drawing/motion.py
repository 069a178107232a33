"""Drawings that draw themselves, as SVG and as GIF: stroke after stroke, at the pace of a hand."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as images
from PIL.Image import Dither, Image

from sketchgen.drawing.picture import Area, Raster, rgba
from sketchgen.drawing.sketch import Completion, Points, Sketch
from sketchgen.drawing.svg import Style, number, parts, svg_document, svg_text, visible_box
from sketchgen.errors import SettingError

Way = NDArray[np.float64]
"""(n,) lengths along a stroke, in the drawing's own units."""

BOX = 255.0
"""The longer side of what is shown, in the px that speeds are told in."""

MAX_SECONDS = 30.0
"""Longest time a drawing takes; a longer one is drawn faster."""

MAX_FRAMES = 400
"""Most frames of a GIF; a longer one has fewer a second."""

MAX_GIF = 1024
"""Longer side of the largest GIF, in px."""

_TOUCH = 0.04
"""Least seconds a stroke takes: a dot, too, is seen to come."""

_FARTHEST = 1e5
"""Longest way counted, in boxes, so that a page without size to speak of does not make an endless one."""

_MAX_PIXELS = 100_000_000
"""Most pixels over all frames of a GIF, to bound memory."""

_TONES = 16
"""Colours from the paper to an ink, both counted: enough for smooth edges."""

_UNITS = 10**8
"""Keyframes are told in whole units of a millionth of a per cent."""

_STILL = "@media print,(prefers-reduced-motion:reduce){polyline,path{animation:none!important}}"


@dataclass(frozen=True)
class Motion:
    """How a drawing draws itself.

    Attributes:
        speed: px a second along the ink, the longer side of what is shown being 255 px: a large page takes as
            long as a small one. A drawing that would take over `MAX_SECONDS` is drawn faster.
        travel: how many times faster the pen moves from one stroke to the next.
        hold: seconds the finished drawing stands before it begins anew.
        frames_per_second: of a GIF, which counts in hundredths of a second; at most `MAX_FRAMES` frames.
        loop: whether it begins anew, for ever.

    Raises:
        SettingError: a number outside its limits.
    """

    speed: float = 350.0
    travel: float = 3.0
    hold: float = 1.5
    frames_per_second: float = 20.0
    loop: bool = True

    def __post_init__(self) -> None:
        """Check the limits."""
        for name, value, low, high, unit in (
            ("speed", self.speed, 1, 100_000, " px a second"),
            ("travel", self.travel, 1, 1000, " times"),
            ("hold", self.hold, 0, 60, " seconds"),
            ("frames_per_second", self.frames_per_second, 1, 50, ""),
        ):
            if not low <= value <= high:
                raise SettingError(f"{name} is {value:g}{unit}; it must be from {low} to {high}")


class Span(NamedTuple):
    """When a stroke is drawn, in seconds from the first one's begin; `begin` < `end`."""

    begin: float
    end: float


def timeline(
    item: Sketch | Completion, style: Style | None = None, motion: Motion | None = None
) -> tuple[Span, ...]:
    """When each stroke that moves is drawn: the added ones of a completion, all those of a drawing.

    Strokes follow in order and never overlap; the first begins at 0, the last ends at `MAX_SECONDS` or
    before. There is no span where nothing moves.
    """
    motion = motion or Motion()
    box = visible_box(item, style or Style())

    def seconds(way: float) -> float:
        return min(way / box.longer, _FARTHEST) * BOX / motion.speed

    spans: list[Span] = []
    pen: Points | None = None
    for stroke in _moving(item).strokes:
        gap = 0.0 if pen is None else seconds(float(np.hypot(*(stroke[0] - pen)))) / motion.travel
        begin = gap + (spans[-1].end if spans else 0.0)
        spans.append(Span(begin, begin + max(_TOUCH, seconds(float(_steps(stroke).sum())))))
        pen = stroke[-1]
    if not spans or spans[-1].end <= MAX_SECONDS:
        return tuple(spans)
    pace = MAX_SECONDS / spans[-1].end
    return tuple(Span(begin * pace, min(end * pace, MAX_SECONDS)) for begin, end in spans)


def _moving(item: Sketch | Completion) -> Sketch:
    """The part of a drawing that is drawn before one's eyes."""
    given, added = parts(item)
    return given if added is None else added


def _steps(stroke: Points) -> Way:
    """The way from each point of a stroke to the next, (n - 1,)."""
    offsets = np.diff(stroke, axis=0)
    return np.hypot(offsets[:, 0], offsets[:, 1])


# --- SVG -------------------------------------------------------------------------------------------------


def to_animated_svg(
    item: Sketch | Completion, style: Style | None = None, motion: Motion | None = None
) -> str:
    """The drawing as the text of an SVG file that draws itself, in a browser and within an `<img>`.

    It is the still file (same groups, same coordinates) with CSS that names no script: whoever knows no CSS
    animation, prints, or has asked for reduced motion sees the finished drawing. The given strokes of a
    completion stand from the start. Same drawing, style and motion, same bytes.
    """
    motion = motion or Motion()
    drawing = svg_document(item, style)
    spans = timeline(item, style, motion)
    if spans:
        period = spans[-1].end + motion.hold
        frames = [_keyframes(span, period) for span in spans]
        # Names of their own, since several drawings may stand on one page, where the last of a name counts.
        name = f"ink-{zlib.crc32(''.join(frames).encode()):08x}"
        times = f"{number(round(period, 3))}s linear {'infinite' if motion.loop else '1'}"
        for index, element in enumerate(drawing.elements[-1].elements):
            element.attribs["pathLength"] = "1"
            element.attribs["style"] = f"animation:{name}-{index} {times}"
        rules = [f"@keyframes {name}-{index}{{{text}}}" for index, text in enumerate(frames)]
        drawing.defs.add(drawing.style("\n".join([*rules, _STILL])))
    return svg_text(drawing)


def _keyframes(span: Span, period: float) -> str:
    """How one stroke appears and stays within the `period` in seconds, told from 0 to 100 %.

    Hidden, too, until it begins, or the round cap of a dash without length would show. What makes a dash
    stands in here alone: a program that knows no animation may not know a path's own unit of length either.
    """
    begin = min(round(span.begin / period * _UNITS), _UNITS - 1)
    end = max(round(span.end / period * _UNITS), begin + 1)
    first, last = (f"{100 * units / _UNITS:.6f}" for units in (begin, end))
    dash = "stroke-dasharray:1;stroke-dashoffset"
    return f"0%,{first}%{{{dash}:1;visibility:hidden}}{last}%,100%{{{dash}:0;visibility:visible}}"


# --- GIF -------------------------------------------------------------------------------------------------


def to_gif(
    item: Sketch | Completion,
    style: Style | None = None,
    motion: Motion | None = None,
    *,
    size: int = 360,
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
    if not 1 <= size <= MAX_GIF:
        raise SettingError(f"size of a GIF is {size} px; it must be from 1 to {MAX_GIF}")
    motion, style = motion or Motion(), _opaque(style or Style())
    raster = Raster(item, size, style)
    spans = timeline(item, style, motion)
    end = spans[-1].end if spans else 0.0
    most = max(2, min(MAX_FRAMES, _MAX_PIXELS // math.prod(raster.size)))
    # Hundredths of a second from one frame to the next.
    step = max(round(100 / motion.frames_per_second), math.ceil(100 * end / (most - 1)))
    times = [step * index / 100 for index in range(math.ceil(100 * end / step))]
    palette = _palette(style, both=isinstance(item, Completion))
    frames = _frames(item, raster, style, palette, _pieces(_moving(item), spans, [*times, math.inf]))
    buffer = io.BytesIO()
    next(frames).save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=frames,
        duration=[10 * step] * len(times) + [10 * max(step, round(100 * motion.hold))],
        palette=palette,
        **({"loop": 0} if motion.loop else {}),
    )
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
    item: Sketch | Completion, raster: Raster, style: Style, palette: bytes, steps: Iterable[list[Points]]
) -> Iterator[Image]:
    """The picture after each step's pieces are drawn; only where something is new it is made anew."""
    given, added = parts(item)
    colour = rgba(style.given_colour)
    if added is not None:
        for stroke in given.strokes:
            raster.ink(stroke, colour)
        colour = rgba(style.added_colour)
    carrier = images.new("P", (1, 1))
    carrier.putpalette(palette)

    def indexed(area: Area | None) -> Image:
        return raster.picture(area).convert("RGB").quantize(palette=carrier, dither=Dither.NONE)

    page = indexed(None)
    for pieces in steps:
        areas = [area for piece in pieces if (area := raster.ink(piece, colour)) is not None]
        if areas:
            left, top, right, bottom = zip(*areas, strict=True)
            area = min(left), min(top), max(right), max(bottom)
            page.paste(indexed(area), area[:2])
        yield page.copy()


def _pieces(sketch: Sketch, spans: Sequence[Span], times: Iterable[float]) -> Iterator[list[Points]]:
    """For each time, in seconds, the pieces of strokes drawn since the time before."""
    index, drawn = 0, 0.0
    way: Way | None = None
    for time in times:
        pieces: list[Points] = []
        while index < len(spans) and spans[index].begin < time:
            (begin, end), stroke = spans[index], sketch.strokes[index]
            way = np.append(0.0, np.cumsum(_steps(stroke))) if way is None else way
            share = min(1.0, (time - begin) / (end - begin))
            pieces.append(_piece(stroke, way, drawn, share))
            drawn = share
            if share < 1:
                break
            index, drawn, way = index + 1, 0.0, None
        yield pieces


def _piece(stroke: Points, way: Way, first: float, last: float) -> Points:
    """What lies between two shares (0 to 1) of a stroke; `way` leads to each of its points."""
    if way[-1] == 0:
        return stroke
    ends = np.array([first, last]) * way[-1]
    begin, end = np.stack([np.interp(ends, way, axis) for axis in stroke.T], axis=1)
    low, high = np.searchsorted(way, ends[0], "right"), np.searchsorted(way, ends[1], "left")
    return np.concatenate([begin[None], stroke[low:high], end[None]])
