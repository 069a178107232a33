"""What the loop of `training.classifier_run` can teach: to name strokes or pictures, and to choose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings
from sketchgen.evaluation.recognition import Judge
from sketchgen.models.checkpoint import CLASSIFIER, PICTURE_CLASSIFIER, REWARD_MODEL, Kind, Weights
from sketchgen.models.classifier import Classifier, RewardNetwork
from sketchgen.models.config import ClassifierConfig, PictureConfig, RewardConfig
from sketchgen.models.numpy_classifier import NumpyClassifier
from sketchgen.models.picture_classifier import PictureClassifier, PictureRecogniser
from sketchgen.models.recogniser import Recogniser
from sketchgen.training.classifier_batches import Changes, Strokes
from sketchgen.training.picture_batches import Pictures

Config = ClassifierConfig | PictureConfig | RewardConfig
"""The shape of a network that can be taught."""

Learner = Classifier | PictureClassifier | RewardNetwork
"""A network that can be taught."""


@runtime_checkable
class Batch(Protocol):
    """A batch that is learned from."""

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        """What the network is called with, a row a drawing."""
        ...

    @property
    def answer(self) -> NDArray[np.int64] | NDArray[np.float32]:
        """(b,) which answer is right, of each row of what the network says, or (b, k) how likely each is."""
        ...


B_co = TypeVar("B_co", bound=Batch, covariant=True)


@runtime_checkable
class Matter(Protocol[B_co]):
    """How drawings are made into batches."""

    def cuts(self, drawings: Drawings, random: np.random.Generator) -> NDArray[np.int64]:
        """(n,) how many points of each drawing are shown; drawings of about as many stand together."""
        ...

    def lesson(self, drawings: Drawings, cut: NDArray[np.int64], random: np.random.Generator) -> B_co:
        """The first `cut` (b,) points of each of b drawings as a batch."""
        ...


@dataclass(frozen=True)
class Subject:
    """What is taught.

    Attributes:
        kind: what checkpoints it leaves.
        network: builds one that learns.
    """

    kind: Kind[Any]
    network: Callable[[Any], Learner]


@dataclass(frozen=True)
class Naming(Subject):
    """To name drawings.

    Attributes:
        matter: what makes batches for it, given how drawings are changed.
        namer: one that reads, of a shape and weights.
        fractions: shares of the points that are shown when it is measured.
    """

    matter: Callable[[Changes], Matter[Batch]]
    namer: Callable[[Any, Weights], Judge]
    fractions: tuple[float, ...]


STROKES = Naming(
    CLASSIFIER,
    Classifier,
    Strokes,
    lambda config, weights: Recogniser(NumpyClassifier(config, weights), "", {}),
    (1.0, 0.75, 0.5, 0.25),
)
"""The recogniser, which reads strokes, whole drawings and beginnings."""

SEEN = Naming(
    PICTURE_CLASSIFIER,
    PictureClassifier,
    Pictures,
    lambda config, weights: PictureRecogniser(PictureClassifier.from_weights(config, weights), "", {}),
    (1.0,),
)
"""The judge of pictures, which sees whole drawings."""

CHOOSING = Subject(REWARD_MODEL, RewardNetwork)
"""The critic, which tells good ways to finish a drawing."""


def naming_of(config: Config) -> Naming:
    """The subject of a network of this shape, which names drawings."""
    return SEEN if isinstance(config, PictureConfig) else STROKES


def subject_of(config: Config) -> Subject:
    """The subject of a network of this shape."""
    return CHOOSING if isinstance(config, RewardConfig) else naming_of(config)
