"""Recognition: the likeliest categories of a drawing.

    from sketchgen import load_recogniser

    for guess in load_recogniser().recognise(sketch):
        print(guess.category, guess.probability)

Drawings of any size, place and number of points are brought into their own box and simplified as Quick, Draw!
does it. The classifier is trained on whole and on partial drawings.
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
from sketchgen.models.checkpoint import CLASSIFIER, read_checkpoint
from sketchgen.models.config import ClassifierConfig
from sketchgen.models.numpy_classifier import NumpyClassifier, PointSequence
from sketchgen.sketch.geometry import EPSILON, box_frame, in_frame, simplify, simplify_as_quickdraw
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen, pens

MAX_POINTS = 400
"""Most points that are read; the longest drawings of Quick, Draw! have about 250."""

GRID = 64.0
"""Coordinates are first rounded to 1/64 px, so that rounding errors of a page's scale do not matter."""

MAX_EPSILON = 16.0
"""Tolerance in px up to which a drawing with too many points is simplified; then it is cut off."""


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
    """What a classifier says of n drawings.

    Attributes:
        log_prob: (n, c) float64, nats; a column for each category.
        features: (n, d) float32, the representation that the last layer reads; close for similar drawings.
    """

    log_prob: Float[np.ndarray, "n c"]
    features: Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class Recogniser:
    """Recognises drawings by their strokes; make one with `load_recogniser`.

    Attributes:
        network: the classifier.
        name: the checkpoint's name or path.
        summary: how it was trained.
        sees: what it reads of a drawing, in a word.
    """

    network: NumpyClassifier
    name: str
    summary: dict[str, Any]
    sees: str = "strokes"

    @property
    def config(self) -> ClassifierConfig:
        """The network's shape and categories."""
        return self.network.config

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that it knows."""
        return self.config.categories

    def recognise(self, sketch: Sketch, top: int = 5) -> list[Guess]:
        """Return the likeliest categories of a whole or partial drawing, the likeliest first.

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
        """Return the `top` likeliest categories of a drawing from its row of a `Reading`."""
        order = np.argsort(-log_prob, kind="stable")[:top]
        return [Guess(self.categories[index], float(np.exp(log_prob[index]))) for index in order]

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        """Return log probabilities and representations of many drawings, in their order.

        Raises:
            SketchError: a drawing is empty; the message says which.
        """
        check_not_empty(sketches, "recognise")
        return Reading(*self.network.classify([point_sequence(sketch) for sketch in sketches]))


def check_not_empty(sketches: Sequence[Sketch], purpose: str) -> None:
    """Check that every drawing has a point.

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


def point_sequence(sketch: Sketch) -> PointSequence:
    """Return the simplified points of a drawing in its own box, px, and at which of them a stroke ends.

    Raises:
        SketchError: resampling would take more than `geometry.MAX_RESAMPLED` points.
    """
    placed = in_frame(sketch, box_frame(sketch))
    strokes = [np.rint(stroke * GRID) / GRID for stroke in placed.strokes]
    thin = simplify_as_quickdraw(Sketch.from_strokes(strokes))
    epsilon = EPSILON
    while thin.point_count > MAX_POINTS and epsilon < MAX_EPSILON:
        epsilon *= 1.5
        thin = simplify(thin, epsilon=epsilon)
    return thin.points[:MAX_POINTS], (pens(thin) == Pen.LIFT)[:MAX_POINTS]


def load_recogniser(name_or_path: str | os.PathLike[str] | None = None) -> Recogniser:
    """Load a recogniser.

    Args:
        name_or_path: a folder, or else the name of a bundled checkpoint; None for the bundled classifier.

    Raises:
        CheckpointError: there is none, or it is of another kind or damaged.
    """
    checkpoint = read_checkpoint(name_or_path, CLASSIFIER)
    network = NumpyClassifier(checkpoint.config, checkpoint.weights)
    return Recogniser(network, checkpoint.name, checkpoint.summary)


@functools.cache
def _default() -> Recogniser:
    return load_recogniser()


def recognise(sketch: Sketch, top: int = 5) -> list[Guess]:
    """Return the likeliest categories by the bundled recogniser; see `Recogniser.recognise`."""
    return _default().recognise(sketch, top)
