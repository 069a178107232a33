"""A partial sketch in the model's frame, and what is added to it, back on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.completion.framing import frame_of, model_points, page_frames, rounded
from sketchgen.completion.gap_closing import Closer
from sketchgen.completion.like_parts import made_alike
from sketchgen.completion.sampler import Edges
from sketchgen.completion.symmetry import Mirrored, mirrored
from sketchgen.models.numpy_stroke_model import Decoder, EncodedPrefix, Prefix
from sketchgen.ranking.flaws import GivenInk
from sketchgen.sketch.geometry import EPSILON, Frame
from sketchgen.sketch.sketch import Points, Sketch
from sketchgen.sketch.strokes import Pen, split_strokes

CROPPED = 0.05
"""Ink that comes this near to all four sides, as a share of the longer one, fills a page."""

REDRAWN = 0.9
"""Share of an added stroke that runs along given lines from which on it adds nothing, and is left out."""

STOPPED_EARLY = 0.1
"""Odds of a person asking for a completion within a stroke, against at its end."""


@dataclass(frozen=True)
class PartialSketch:
    """A sketch to be completed, in the model's frame.

    Attributes:
        sketch: the given sketch.
        frame: maps px of the model, counted from the frame's centre, to the page.
        known: whether the frame is that of the whole drawing (255 box), not of the given part.
        points: (n, 2) its simplified points, px from the frame's centre.
        pen: (n,) after each point.
        closing: the largest gap that added lines are moved to close, px of the frame; 0 for none.
        epsilon: tolerance, px, with which it was simplified.
    """

    sketch: Sketch
    frame: Frame
    known: bool
    points: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    closing: float = 0.0
    epsilon: float = EPSILON

    @classmethod
    def of(cls, sketch: Sketch, closing: float = 0.0, epsilon: float = EPSILON) -> PartialSketch:
        """Bring a sketch into the model's frame."""
        frame, known = frame_of(sketch)
        return cls(sketch, frame, known, *model_points(sketch, frame, epsilon), closing, epsilon)

    def on_page_frames(self) -> list[PartialSketch]:
        """Return the sketch in frames of whole drawings that stay on the page; none if its own is one."""
        sketch, epsilon = self.sketch, self.epsilon
        frames = [] if self.known else page_frames(sketch)
        return [
            PartialSketch(sketch, frame, True, *model_points(sketch, frame, epsilon), self.closing, epsilon)
            for frame in frames
        ]

    @cached_property
    def closer(self) -> Closer | None:
        """What closes gaps; None where none are closed, as in drawings from nothing."""
        if not self.closing or self.sketch.is_empty:
            return None
        return Closer.of(self.points, self.pen, self.closing)

    @cached_property
    def edges(self) -> Edges | None:
        """What added points stay in: the page and the given part; None where there is no page.

        A page that the given part fills to all sides is none, but a file that was cropped to its ink.
        """
        page, ink = self.sketch.page, self.sketch.bounds
        if page is None:
            return None
        low, high = np.array(page[:2]), np.array(page[:2]) + page[2:]
        if ink is not None:
            margin = CROPPED * page.longer
            least, most = np.array(ink[:2]), np.array(ink[:2]) + ink[2:]
            if (least - low < margin).all() and (high - most < margin).all():
                return None
            low, high = np.minimum(low, least), np.maximum(high, most)
        return (low - self.origin) / self.frame.scale, (high - self.origin) / self.frame.scale

    @cached_property
    def mirrored(self) -> list[Mirrored]:
        """What it lacks to be symmetric, the most symmetric mirror first, px from the last given point.

        Empty for a dot and for nothing.
        """
        if self.known:
            return []
        found = mirrored(self._strokes)
        low, high = self.edges or (-np.inf, np.inf)
        return [
            image
            for image in found
            if all((low <= stroke).all() and (stroke <= high).all() for stroke in image.strokes)
        ]

    @property
    def origin(self) -> Points:
        """(2,) on the page: where added points are counted from, the last given one or the frame's centre."""
        strokes, frame = self.sketch.strokes, self.frame
        return strokes[-1][-1] if strokes else np.array([frame.x, frame.y])

    def prefix(
        self,
        categories: Int[np.ndarray, " b"],
        going_on: Bool[np.ndarray, " b"],
        reading: EncodedPrefix | None = None,
    ) -> Prefix:
        """Return the network's input for b completions.

        Args:
            categories: index of the category of each.
            going_on: whether each continues the last given stroke.
            reading: see `Prefix`.
        """
        offset = np.diff(self.points, axis=0, prepend=0.0)
        return Prefix(offset, self.pen, categories, self.known, going_on, reading=reading)

    def read(self, decoder: Decoder, categories: Int[np.ndarray, " b"]) -> EncodedPrefix:
        """Return what the network makes of the given part under some categories."""
        return decoder.read(self.prefix(categories, np.zeros(len(categories), dtype=bool)))

    def before(self, category: int) -> tuple[Prefix, Points]:
        """Return the network's input without the last given point, and that point's offset (2,), px."""
        offset = np.diff(self.points, axis=0, prepend=0.0)
        return Prefix(offset[:-1], self.pen[:-1], np.array([category]), self.known), offset[-1]

    def done(
        self, decoder: Decoder, category: int, temperature: float = 1.0, reading: EncodedPrefix | None = None
    ) -> float:
        """Return the probability that the last given stroke is whole; 1 for a dot and for nothing.

        It follows from the model's probability of lifting the pen there by Bayes' rule: most people who stop
        where strokes are seldom lifted have stopped within one.

        Args:
            decoder: the network.
            category: index, or the config's `any_category`.
            temperature: 0 or more; the odds are raised to 1/T. Unlike the pen of an added point
                (`StepDistribution.samples`), this is decided once in a drawing.
            reading: of the given part by the decoder, under this category among others; None to read it.
        """
        if len(self.pen) < 2:
            return 1.0
        reading = reading or self.read(decoder, np.array([category]))
        last = self.points[-1:] - self.points[-2:-1]
        lifted = decoder.last_point(reading, category).lift_probability(last)
        return self.done_at(float(lifted[0]), temperature)

    @staticmethod
    def done_at(lifted: float, temperature: float) -> float:
        """Return `done` from the probability that the pen is lifted at the last given point."""
        return tempered(lifted / (lifted + (1.0 - lifted) * STOPPED_EARLY), temperature)

    def on_page(self, points: Points) -> Points:
        """Return points on the page from model px, counted from the end of the given part."""
        return rounded(points * self.frame.scale + self.origin, self.frame.scale)

    def added(
        self, offset: Points, pen: Int[np.ndarray, " n"], category: str | None, *, going_on: bool
    ) -> Sketch:
        """Return sampled steps as strokes on the page.

        Args:
            offset: (n, 2) px of the frame.
            pen: after each point.
            category: of the drawing.
            going_on: whether the first stroke continues the last given one, and begins at its end.
        """
        points = np.cumsum(offset, axis=0)
        if self.closer is not None:
            points = self.closer.closed(points, pen, going_on=going_on)
        lines = split_strokes(points, pen == Pen.LIFT)
        if self._strokes:
            own = int(going_on)
            lines[own:] = made_alike(lines[own:], self._strokes)
        strokes = [self.on_page(line) for line in lines]
        if going_on and lines:
            strokes[0] = np.concatenate([self.origin[None], strokes[0]])
        strokes = [stroke for stroke, again in zip(strokes, self._redrawn(lines), strict=True) if not again]
        return Sketch.from_strokes(strokes, page=self.sketch.page, category=category)

    @cached_property
    def _strokes(self) -> list[Points]:
        """The given strokes, px from the last given point."""
        return split_strokes(self.points - self.points[-1:], self.pen == Pen.LIFT)

    @cached_property
    def _ink(self) -> GivenInk | None:
        """The ink of the given strokes; None where there is nothing that could be redrawn."""
        if self.known or self.sketch.is_empty:
            return None
        return GivenInk(self._strokes)

    def _redrawn(self, lines: Sequence[Points]) -> Bool[np.ndarray, " k"]:
        """Return which added strokes only draw given lines again; none if all do."""
        if self._ink is None or not lines:
            return np.zeros(len(lines), dtype=bool)
        again = self._ink.shares_along(lines) >= REDRAWN
        return again & ~again.all()


def tempered(probability: float, temperature: float) -> float:
    """Return a probability with its odds raised to 1/T; at temperature 0 it is 0, 1, or a half if it was."""
    if temperature == 0:
        return 0.5 + 0.5 * float(np.sign(probability - 0.5))
    yes, no = (math.log(max(chance, 1e-12)) / temperature for chance in (probability, 1.0 - probability))
    return math.exp(yes - np.logaddexp(yes, no))
