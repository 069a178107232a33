"""The recogniser as it reads, in numpy: `sketchgen.models.classifier` is the same network as it learns.

numpy loads in a tenth of torch's time, which is most of what it takes to recognise one drawing. Drawings of
about the same length are read together. The tests hold both forms equal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.checkpoint import Weights
from sketchgen.models.classifier_config import FIRST_SPAN, SECOND_SPAN, RecogniserConfig
from sketchgen.models.classifier_features import features
from sketchgen.models.numpy_layers import Lstm
from sketchgen.models.numpy_mixture import log_softmax

BATCH = 256
"""Drawings that are read together."""

Places = tuple[Float[np.ndarray, "_ 2"], Bool[np.ndarray, " _"]]
"""(n, 2) points of a drawing, px, and (n,) at which of them a stroke ends; one point at least."""

Steps = Float[np.ndarray, "n b f"]


def neighbours(values: Steps, span: int) -> Float[np.ndarray, "n b g"]:
    """Each point beside its neighbours, `span` of them in all, in their order; 0 beyond the ends."""
    count, side = len(values), span // 2
    wide = np.pad(values, ((side, side), (0, 0), (0, 0)))
    return np.concatenate([wide[shift : shift + count] for shift in range(span)], -1)


def in_pairs(values: Steps) -> Float[np.ndarray, "m b g"]:
    """Steps 0 and 1 side by side, then 2 and 3, and so on; 0 beside a last one that is alone."""
    even = np.pad(values, ((0, len(values) % 2), (0, 0), (0, 0)))
    return np.concatenate([even[0::2], even[1::2]], -1)


def reversed_within(values: Steps, length: Int[np.ndarray, " b"]) -> Steps:
    """Each drawing's own steps in reverse order; the padding behind them stays where it is."""
    index = np.arange(len(values))[:, None]
    back = length - 1 - index
    return np.take_along_axis(values, np.where(back >= 0, back, index)[..., None], 0)


def real(values: Steps, length: Int[np.ndarray, " b"]) -> Bool[np.ndarray, "n b 1"]:
    """Which steps are of the drawing and not of the padding."""
    return (np.arange(len(values))[:, None] < length)[..., None]


class Reader:
    """Reads drawings: the log probabilities of the categories, and what describes a drawing before them."""

    def __init__(self, config: RecogniserConfig, weights: Weights) -> None:
        """Make the network that `config` describes of `weights`, those of a checkpoint."""
        self.config = config
        self._weights = weights
        layers = range(len(config.widths))
        self._forwards = [Lstm(weights, f"forwards.{index}") for index in layers]
        self._backwards = [Lstm(weights, f"backwards.{index}") for index in layers]

    def weights(self) -> Weights:
        """The weights that it was made of."""
        return self._weights

    def read(self, drawings: Sequence[Places]) -> tuple[Float[np.ndarray, "n c"], Float[np.ndarray, "n d"]]:
        """Log probabilities, float64, and descriptions, float32, of n drawings."""
        log_prob = np.zeros((len(drawings), len(self.config.categories)))
        described = np.zeros((len(drawings), self.config.pooled), dtype=np.float32)
        order = np.argsort([len(points) for points, _ in drawings], kind="stable")
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            steps, length = _padded([drawings[row] for row in rows])
            described[rows] = self.described(steps, length)
            log_prob[rows] = log_softmax(self._dense("head", described[rows]).astype(np.float64))
        return log_prob, described

    def described(
        self, steps: Float[np.ndarray, "b n f"], length: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, "b d"]:
        """What drawings are described by before the last layer, given the features of their points."""
        hidden = np.ascontiguousarray(steps.transpose(1, 0, 2))
        hidden = np.maximum(self._dense("first", neighbours(hidden, FIRST_SPAN)), 0.0) * real(hidden, length)
        hidden = np.maximum(self._dense("second", neighbours(hidden, SECOND_SPAN)), 0.0)
        for index, (forwards, backwards) in enumerate(zip(self._forwards, self._backwards, strict=True)):
            if index:
                hidden = in_pairs(hidden * real(hidden, length))
                length = (length + 1) // 2
            ahead = forwards.run(hidden)[0]
            back = backwards.run(reversed_within(hidden, length))[0]
            hidden = np.concatenate([ahead, reversed_within(back, length)], -1)
        return np.maximum(self._dense("pool", self._pooled(hidden, real(hidden, length))), 0.0)

    def _dense(self, name: str, values: Float[np.ndarray, "*b i"]) -> Float[np.ndarray, "*b o"]:
        return values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _pooled(self, hidden: Steps, valid: Bool[np.ndarray, "n b 1"]) -> Float[np.ndarray, "b p"]:
        """Mean by attention, each head over its own part of the numbers, and maximum, over the steps."""
        score = np.where(valid, self._dense("attention", hidden), -np.inf)
        share = np.exp(score - score.max(0))
        share /= share.sum(0)
        count, batch, _ = hidden.shape
        parts = hidden.reshape(count, batch, self.config.heads, -1)
        mean = np.einsum("nbhw,nbh->bhw", parts, share).reshape(batch, -1)
        most = np.where(valid, hidden, np.float32(-np.inf)).max(0)
        return np.concatenate([mean, most], -1)


def _padded(
    drawings: Sequence[Places],
) -> tuple[Float[np.ndarray, "b n f"], Int[np.ndarray, " b"]]:
    """The features of drawings as one array, 0 in the padding, and their numbers of points."""
    length = np.array([len(points) for points, _ in drawings], dtype=np.int64)
    places = np.zeros((len(drawings), int(length.max()), 2))
    lift = np.zeros(places.shape[:2], dtype=bool)
    for row, (points, ends) in enumerate(drawings):
        places[row, : len(points)] = points
        lift[row, : len(ends)] = ends
    return features(places, lift, length), length
