"""Drawings that draw themselves, stroke after stroke, at the pace of a hand; here their times, and as SVG."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sketchgen.errors import SettingError
from sketchgen.formats.svg_writer import Style, number, parts, svg_document, svg_text, visible_box
from sketchgen.sketch.sketch import Completion, Points, Sketch

Way = NDArray[np.float64]
"""(n,) lengths along a stroke, in the drawing's own units."""

BOX = 255.0
"""The longer side of what is shown, in the px that speeds are told in."""

MAX_SECONDS = 30.0
"""Longest time a drawing takes; a longer one is drawn faster."""

_TOUCH = 0.04
"""Least seconds a stroke takes: a dot, too, is seen to come."""

_FARTHEST = 1e5
"""Longest way counted, in boxes, so that a page without size to speak of does not make an endless one."""

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
        frames_per_second: of a GIF or WebP, in whole hundredths of a second from one to the next.
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
    for stroke in moving(item).strokes:
        gap = 0.0 if pen is None else seconds(float(np.hypot(*(stroke[0] - pen)))) / motion.travel
        begin = gap + (spans[-1].end if spans else 0.0)
        spans.append(Span(begin, begin + max(_TOUCH, seconds(float(steps(stroke).sum())))))
        pen = stroke[-1]
    if not spans or spans[-1].end <= MAX_SECONDS:
        return tuple(spans)
    pace = MAX_SECONDS / spans[-1].end
    return tuple(Span(begin * pace, min(end * pace, MAX_SECONDS)) for begin, end in spans)


def moving(item: Sketch | Completion) -> Sketch:
    """The part of a drawing that is drawn before one's eyes."""
    given, added = parts(item)
    return given if added is None else added


def steps(stroke: Points) -> Way:
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
    completion stand from the start. Every line is even, whatever the style's pressure. Same drawing, style
    and motion, same bytes.
    """
    motion = motion or Motion()
    # A dash that grows can show a line of one width only.
    style = replace(style or Style(), pressure=0.0)
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
