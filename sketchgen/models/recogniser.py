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
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from sketchgen.errors import SettingError, SketchError
from sketchgen.models.checkpoint import CLASSIFIER, Pretrained, Weights, read_checkpoint
from sketchgen.models.config import NetworkConfig
from sketchgen.models.numpy_classifier import NumpyClassifier
from sketchgen.sketch.sketch import Sketch


@dataclass(frozen=True)
class Guess:
    """A category that a drawing may be of.

    Attributes:
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


@runtime_checkable
class ClassifierNetwork(Protocol):
    """A classifier, of strokes in numpy or of pictures in torch."""

    @property
    def config(self) -> NetworkConfig:
        """The network's shape and categories."""
        ...

    def weights(self) -> Weights:
        """Return all weights, float32."""
        ...

    def classify(
        self, sketches: Sequence[Sketch]
    ) -> tuple[Float[np.ndarray, "n c"], Float[np.ndarray, "n d"]]:
        """Return log probabilities and representations of n drawings that are not empty; see `Reading`."""
        ...


@dataclass(frozen=True)
class Recogniser(Pretrained):
    """Recognises drawings; make one with `load_recogniser`.

    Attributes:
        name: the checkpoint's name or path.
        sees: what it reads of a drawing, in a word.
    """

    network: ClassifierNetwork
    name: str
    summary: dict[str, Any]
    sees: str = "strokes"

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that it knows."""
        return self.network.config.categories

    @functools.cached_property
    def log_prior(self) -> Float[np.ndarray, " c"]:
        """What belief takes off the log probabilities of the categories, nats; 0 without a calibration.

        Of some categories there are many thousands of training drawings, of others few, and the network has
        learned how many. People draw what comes to their mind: more evenly, and a cat sooner than a power
        outlet. `benchmarks/calibration.py` makes the numbers.
        """
        prior = self.summary.get("calibration", {}).get("log_prior", {})
        return np.array([float(prior.get(name, 0.0)) for name in self.categories])

    def belief(self, sketch: Sketch) -> Float[np.ndarray, " c"]:
        """Return the probability that a partial drawing becomes one of each category, if a person drew it.

        All are as likely for an empty drawing.
        """
        if sketch.is_empty:
            return np.full(len(self.categories), 1.0 / len(self.categories))
        log_prob = self.read([sketch]).log_prob[0] - self.log_prior
        share = np.exp(log_prob - log_prob.max())
        return share / share.sum()

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
        """Return log probabilities and representations of many drawings, in their order."""
        check_not_empty(sketches, "recognise")
        return Reading(*self.network.classify(sketches))


def check_not_empty(sketches: Sequence[Sketch], purpose: str) -> None:
    """Check that every drawing has a point, which is needed to do what `purpose`, a verb, says.

    Raises:
        SketchError: a drawing is empty; the message says which.
    """
    for number, sketch in enumerate(sketches):
        if sketch.is_empty:
            which = f"drawing {number} (from 0)" if len(sketches) > 1 else "the drawing"
            raise SketchError(f"{which} is empty; there must be a point to {purpose}")


def load_recogniser(name_or_path: str | os.PathLike[str] | None = None) -> Recogniser:
    """Load a recogniser from a folder, else from the bundled checkpoint of a name, or from hf://user/name.

    Raises:
        CheckpointError: there is none, or it is of another kind or damaged.
    """
    checkpoint = read_checkpoint(name_or_path, CLASSIFIER)
    return Recogniser(
        NumpyClassifier(checkpoint.config, checkpoint.weights), checkpoint.name, checkpoint.summary
    )


@functools.cache
def default_recogniser() -> Recogniser:
    """Return the bundled recogniser, which is loaded once."""
    return load_recogniser()


def recognise(sketch: Sketch, top: int = 5) -> list[Guess]:
    """Return the likeliest categories by the bundled recogniser; see `Recogniser.recognise`."""
    return default_recogniser().recognise(sketch, top)
