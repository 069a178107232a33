"""A beginning that a person gave, as the network reads it, and what was added to it, back on the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sketchgen.completion.framing import Framed, framed, rounded
from sketchgen.completion.gap_closing import Closer
from sketchgen.completion.symmetry import Mirrored, mirrored
from sketchgen.models.numpy_stroke_model import Decoder, Prefix
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen, split_strokes

STOPPED_EARLY = 0.1
"""How much likelier a person stops to have a drawing finished where a stroke ends than within one."""


@dataclass(frozen=True)
class PartialSketch:
    """What a person gave.

    Attributes:
        sketch: the drawing, as it was given.
        shown: the same as the network reads it.
        closing: the largest gap that added lines are moved to close, px of the network's frame; 0 for none.
    """

    sketch: Sketch
    shown: Framed
    closing: float = 0.0

    @classmethod
    def of(cls, sketch: Sketch, closing: float = 0.0) -> PartialSketch:
        """Put a drawing into the network's frame."""
        return cls(sketch, framed(sketch), closing)

    @cached_property
    def closer(self) -> Closer | None:
        """What closes gaps; None where none are closed, as in drawings from nothing."""
        if not self.closing or self.sketch.is_empty:
            return None
        return Closer.of(self.shown.points, self.shown.pen, self.closing)

    @cached_property
    def mirrored(self) -> list[Mirrored]:
        """What it lacks to be symmetric, the most symmetric ways first; none of a dot or of nothing.

        Their strokes are px of the network's frame, counted from the last given point.
        """
        if self.shown.known:
            return []
        points, pen = self.shown.points, self.shown.pen
        return mirrored(split_strokes(points - points[-1], pen == Pen.LIFT))

    @property
    def origin(self) -> Points:
        """(2,) where on the page added points are counted from: the last given one, or the frame's centre."""
        strokes, frame = self.sketch.strokes, self.shown.frame
        return strokes[-1][-1] if strokes else np.array([frame.x, frame.y])

    def given(self, categories: NDArray[np.int64], going_on: NDArray[np.bool_]) -> Prefix:
        """The same beginning for each of some categories, (b,), as the network reads it."""
        offset = np.diff(self.shown.points, axis=0, prepend=0.0)
        return Prefix(offset, self.shown.pen, categories, self.shown.known, going_on)

    def done(self, decoder: Decoder, category: int, temperature: float = 1.0) -> float:
        """How probable it is that the last given stroke is meant to be whole; 1 of a dot or of nothing.

        By the odds of lifting the pen there. Bayes: of those who stop for help at a point where strokes are
        seldom lifted, most are within one.

        Args:
            decoder: what finds the odds.
            category: index, or the config's `any_category`.
            temperature: 0 or more; the odds are raised to 1/T. Unlike those of lifting and of ending, which
                are due once in many steps (`StepDistribution.samples`), this is decided once, and may be
                sharpened.
        """
        if len(self.shown.pen) < 2:
            return 1.0
        before, last = self.before(category)
        return self.done_at(float(decoder.prime(before)[0].lift_probability(last[None])[0]), temperature)

    def before(self, category: int) -> tuple[Prefix, Points]:
        """All given points but the last one, as the network reads them; and that one's offset (2,), px."""
        offset = np.diff(self.shown.points, axis=0, prepend=0.0)
        shown = Prefix(offset[:-1], self.shown.pen[:-1], np.array([category]), self.shown.known)
        return shown, offset[-1]

    @staticmethod
    def done_at(lifted: float, temperature: float) -> float:
        """`done` from how probable it is that the pen is lifted at the last given point."""
        return tempered(lifted / (lifted + (1.0 - lifted) * STOPPED_EARLY), temperature)

    def on_page(self, points: Points) -> Points:
        """Model px, counted from where the given part ends, as points on the page."""
        return rounded(points * self.shown.frame.scale + self.origin, self.shown.frame.scale)

    def added(
        self, offset: Points, pen: NDArray[np.int64], category: str | None, *, going_on: bool
    ) -> Sketch:
        """The (n, 2) sampled offsets and their (n,) pens as strokes on the page.

        Args:
            offset: px of the model's box.
            pen: after each point.
            category: of the drawing.
            going_on: whether the first of them goes on with the last given stroke, and begins at its end.
        """
        points = np.cumsum(offset, axis=0)
        if self.closer is not None:
            points = self.closer.closed(points, pen, going_on=going_on)
        strokes = split_strokes(self.on_page(points), pen == Pen.LIFT)
        if going_on and strokes:
            strokes[0] = np.concatenate([self.origin[None], strokes[0]])
        return Sketch.from_strokes(strokes, page=self.sketch.page, category=category)


def tempered(probability: float, temperature: float) -> float:
    """A probability whose odds are raised to 1/T; at temperature 0 it is 0 or 1, or a half if it was."""
    if temperature == 0:
        return 0.5 + 0.5 * float(np.sign(probability - 0.5))
    yes, no = (math.log(max(chance, 1e-12)) / temperature for chance in (probability, 1.0 - probability))
    return math.exp(yes - np.logaddexp(yes, no))
