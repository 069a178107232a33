"""What the network keeps of earlier steps as it draws: to recall them, and to point at their points.

`sketchgen.models.layers.SelfAttention` and `sketchgen.models.stroke_model.Pointer` in numpy, a step at a
time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float

from sketchgen.models.checkpoint import Weights
from sketchgen.models.features import IMPOSSIBLE, RECALL_HEADS
from sketchgen.models.numpy_mixture import PAD, NextStep, log_softmax


@dataclass(frozen=True)
class Past:
    """The t steps up to now of each of b drawings.

    A network without recall keeps no keys and values (r is 0, else t), one without pointers no keys of points
    (q is 0, else t); while a step is taken t is one ahead of them.

    Attributes:
        key, value: what is recalled by, and what is recalled.
        pointer: keys of the points.
        point: where the pen was before each step, px; before the first at the frame's centre.
        drawn: whether a point of the drawing stands there, which can be pointed at.
        there: False for what only fills up the rows of a batch whose drawings have fewer steps.
    """

    key: Float[np.ndarray, "b r a"] = field(metadata={PAD: 0.0})
    value: Float[np.ndarray, "b r a"] = field(metadata={PAD: 0.0})
    pointer: Float[np.ndarray, "b q p"] = field(metadata={PAD: 0.0})
    point: Float[np.ndarray, "b t 2"] = field(metadata={PAD: 0.0})
    drawn: Bool[np.ndarray, "b t"] = field(metadata={PAD: False})
    there: Bool[np.ndarray, "b t"] = field(metadata={PAD: False})

    @classmethod
    def nothing(cls, batch: int, recall: int, pointers: int) -> Past:
        """Before the first step."""
        key, pointer = (np.zeros((batch, 0, width), dtype=np.float32) for width in (recall, pointers))
        flags = np.zeros((batch, 0), dtype=bool)
        return cls(key, key, pointer, np.zeros((batch, 0, 2)), flags, flags)

    def and_then(self, **steps: np.ndarray) -> Past:
        """The same with further steps, (b, s, ...), of the fields that are named."""
        return replace(
            self, **{name: np.concatenate([getattr(self, name), new], 1) for name, new in steps.items()}
        )


class Linear:
    """A linear layer of a checkpoint."""

    def __init__(self, weights: Weights, name: str) -> None:
        """Take the layer of this name out of a checkpoint's weights."""
        self._weight = np.ascontiguousarray(weights[f"{name}.weight"].T)
        self._bias = weights[f"{name}.bias"]

    def __call__(self, values: Float[np.ndarray, "*b i"]) -> Float[np.ndarray, "*b o"]:
        """Its outputs."""
        return values @ self._weight + self._bias


def _heads(values: Float[np.ndarray, "b t a"]) -> Float[np.ndarray, "b h t d"]:
    return values.reshape(*values.shape[:2], RECALL_HEADS, -1).transpose(0, 2, 1, 3)


class SelfAttention:
    """Attention of each step to itself and all earlier ones."""

    def __init__(self, weights: Weights) -> None:
        """Take the attention out of a checkpoint's weights."""
        parts = (Linear(weights, f"stack.recall.{name}") for name in ("query", "key", "value", "out"))
        self._query, self._key, self._value, self._out = parts

    def __call__(
        self, outputs: Float[np.ndarray, "b s w"], past: Past
    ) -> tuple[Float[np.ndarray, "b s w"], Past]:
        """What each of s further steps recalls, and the past with them; `there` is to hold them already."""
        past = past.and_then(key=self._key(outputs), value=self._value(outputs))
        query, key, value = _heads(self._query(outputs)), _heads(past.key), _heads(past.value)
        score = query @ key.swapaxes(-1, -2) / np.float32(np.sqrt(query.shape[-1]))
        steps, count = score.shape[-2:]
        seen = np.tril(np.ones((steps, count), dtype=bool), count - steps) & past.there[:, None, None]
        share = np.exp(log_softmax(np.where(seen, score, np.float32(IMPOSSIBLE))))
        found = (share @ value).transpose(0, 2, 1, 3)
        return self._out(found.reshape(*outputs.shape[:2], -1)), past


class Pointer:
    """Points at the points that are drawn already."""

    def __init__(self, weights: Weights) -> None:
        """Take the pointers out of a checkpoint's weights."""
        parts = (Linear(weights, f"pointer.{name}") for name in ("query", "key", "shape"))
        self._query, self._key, self._shape = parts

    def keys(self, outputs: Float[np.ndarray, "*b w"]) -> Float[np.ndarray, "*b p"]:
        """The keys of points, from the outputs of the steps that led to them."""
        return self._key(outputs)

    def __call__(self, outputs: Float[np.ndarray, "b w"], past: Past, found: NextStep) -> NextStep:
        """`found` with the points up to now, the newest included, as further components."""
        query = self._query(outputs)
        score = np.einsum("bp,btp->bt", query, past.pointer).astype(np.float64) / np.sqrt(query.shape[-1])
        gate, x, y, lift = self._shape(outputs).astype(np.float64).T
        return found.pointing(
            gate,
            np.where(past.drawn & past.there, score, -np.inf),
            past.point - past.point[:, -1:],
            np.stack([x, y], -1),
            lift,
        )
