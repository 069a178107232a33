"""The recogniser: what a drawing is of, the likeliest category first.

    from sketchgen.models.recogniser import load_recogniser

    for guess in load_recogniser().recognise(sketch):
        print(guess.category, guess.probability)

Drawings of any size and place, with any number of points, are brought into their own box and simplified as
Quick, Draw! does it. Beginnings are read as whole drawings are: the recogniser has learned from both.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from sketchgen.errors import SettingError, SketchError
from sketchgen.models.checkpoint import name_of
from sketchgen.models.classifier_checkpoint import DEFAULT_RECOGNISER, read_recogniser
from sketchgen.models.classifier_config import MAX_POINTS, RecogniserConfig
from sketchgen.models.numpy_classifier import Places, Reader
from sketchgen.sketch.geometry import EPSILON, box_frame, in_frame, simplify, simplify_as_quickdraw
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen, pens

GRID = 64.0
"""Coordinates are rounded to 1/64 px before all else, so that float noise of a page's scale is not read."""

COARSEST = 16.0
"""Tolerance in px up to which a drawing of too many points is thinned; then its end is cut off."""


@dataclass(frozen=True)
class Guess:
    """A category that a drawing may be of.

    Attributes:
        category: its name.
        probability: 0 to 1; over all categories they sum to 1.
    """

    category: str
    probability: float


@dataclass(frozen=True)
class Reading:
    """What was read of n drawings.

    Attributes:
        log_prob: (n, c) float64, nats; a column for each of the recogniser's categories.
        features: (n, d) float32, what the last layer reads: drawings that are alike are near each other.
    """

    log_prob: Float[np.ndarray, "n c"]
    features: Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class Recogniser:
    """Tells what drawings are of; make one with `load_recogniser`.

    Attributes:
        reader: the network.
        name: the checkpoint's name or path.
        summary: how it was trained.
        sees: what it reads of a drawing, in a word.
    """

    reader: Reader
    name: str
    summary: dict[str, Any]
    sees: str = "strokes"

    @property
    def config(self) -> RecogniserConfig:
        """The network's shape and categories."""
        return self.reader.config

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that it tells apart."""
        return self.config.categories

    def recognise(self, sketch: Sketch, top: int = 5) -> list[Guess]:
        """The likeliest categories of a drawing, whole or begun, the likeliest first.

        Args:
            sketch: at least one point, at any size and place.
            top: how many categories; all of them where there are fewer.

        Raises:
            SettingError: `top` is under 1.
            SketchError: the drawing is empty.
        """
        if top < 1:
            raise SettingError(f"top is {top}; it must be 1 or more")
        return self.ranked(self.read([sketch]).log_prob[0], top)

    def ranked(self, log_prob: Float[np.ndarray, " c"], top: int = 5) -> list[Guess]:
        """The `top` likeliest categories of a drawing from its row of a `Reading`."""
        order = np.argsort(-log_prob, kind="stable")[:top]
        return [Guess(self.categories[index], float(np.exp(log_prob[index]))) for index in order]

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        """Log probabilities and descriptions of many drawings, in their order.

        Raises:
            SketchError: a drawing is empty; the message says which.
        """
        check_drawn(sketches, "recognise")
        return Reading(*self.reader.read([seen(sketch) for sketch in sketches]))


def check_drawn(sketches: Sequence[Sketch], purpose: str) -> None:
    """Refuse drawings among which one has no point.

    Args:
        sketches: the drawings.
        purpose: what a point is needed for, a verb.

    Raises:
        SketchError: a drawing is empty; the message says which.
    """
    for number, sketch in enumerate(sketches):
        if sketch.is_empty:
            which = f"drawing {number} (from 0)" if len(sketches) > 1 else "the drawing"
            raise SketchError(f"{which} is empty; there must be a point to {purpose}")


def seen(sketch: Sketch) -> Places:
    """The points of a drawing as the recogniser reads them, px, and at which of them a stroke ends.

    Raises:
        SketchError: it would take more than `geometry.MAX_RESAMPLED` points on the way.
    """
    placed = in_frame(sketch, box_frame(sketch))
    strokes = [np.rint(stroke * GRID) / GRID for stroke in placed.strokes]
    thin = simplify_as_quickdraw(Sketch.from_strokes(strokes))
    epsilon = EPSILON
    while thin.point_count > MAX_POINTS and epsilon < COARSEST:
        epsilon *= 1.5
        thin = simplify(thin, epsilon=epsilon)
    return thin.points[:MAX_POINTS], (pens(thin) == Pen.LIFT)[:MAX_POINTS]


def load_recogniser(name_or_path: str | os.PathLike[str] | None = None) -> Recogniser:
    """Load a recogniser by its bundled name or by the path of its folder; the bundled one without either.

    Raises:
        CheckpointError: none there, one of a model that draws, or damaged.
    """
    checkpoint = read_recogniser(name_or_path)
    name = name_of(name_or_path, DEFAULT_RECOGNISER)
    return Recogniser(Reader(checkpoint.config, checkpoint.weights), name, checkpoint.summary)


@functools.cache
def _default() -> Recogniser:
    return load_recogniser()


def recognise(sketch: Sketch, top: int = 5) -> list[Guess]:
    """What a drawing is of by the bundled recogniser, which is loaded once; see `Recogniser.recognise`."""
    return _default().recognise(sketch, top)
