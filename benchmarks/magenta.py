"""The decoders that Google published for its Sketch-RNN demo (`*.gen.json`).

One LSTM and a mixture of twenty components, a category a file, without any conditioning (Ha and Eck 2017).
They were trained on drawings in a box of 1000 units, simplified with a tolerance of 2, whose first points
were left out; their first offset is therefore one of the second point. Here they draw in px of the 255 box.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from jaxtyping import Bool, Float, Int

from sketchgen.errors import CheckpointError
from sketchgen.models.numpy_layers import DRAW, LayerState, Linear, Lstm, Rows
from sketchgen.models.numpy_mixture import LIFT, StepDistribution
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.sketch.geometry import BOX

SIDE = 1000.0
"""Side of the box, in their units, that the training drawings filled."""

LARGEST = 10.0
"""What the greatest of the whole numbers in a file stands for."""

INPUTS, PENS, KINDS = 5, 3, 6
"""Numbers that are read (offset and pen); logits of the pen; parameters of a component."""


@dataclass(frozen=True)
class MagentaState:
    """What `MagentaDecoder.advance` goes on from.

    Attributes:
        layer: state of the LSTM.
        points: number of points that each drawing has.
    """

    layer: LayerState
    points: Int[np.ndarray, " b"]

    def take(self, rows: Rows) -> MagentaState:
        """Return some rows, in that order."""
        return MagentaState(tuple(part[rows] for part in self.layer), self.points[rows])


class MagentaDecoder:
    """A published decoder, with the methods that the sampler calls.

    Attributes:
        candidates: rows of noise that a step of a drawing takes.
        name: the category that it draws.
        offset_scale: px of the 255 box that one unit of its offsets stands for.
    """

    candidates = 1

    def __init__(self, info: dict[str, Any], tensors: Sequence[Float[np.ndarray, ...]]) -> None:
        """Build it from a file's information and tensors; see `read_magenta`."""
        head, bias, inputs, recurrent, gates = (np.asarray(part, dtype=np.float32) for part in tensors)
        width = len(recurrent)
        self.name = str(info.get("name", "drawing"))
        self.offset_scale = float(info["scale_factor"]) * BOX / SIDE
        # TensorFlow's order of the gates is in, candidate, forget, out, and its forget gate stands open by 1.
        order = np.arange(4 * width).reshape(4, width)[[0, 2, 1, 3]].ravel()
        opened = np.zeros(4 * width, dtype=np.float32)
        opened[width : 2 * width] = 1.0
        weights = {
            "lstm.weight_ih_l0": inputs[:, order].T,
            "lstm.weight_hh_l0": recurrent[:, order].T,
            "lstm.bias_ih_l0": gates[order] + opened,
            "lstm.bias_hh_l0": np.zeros(4 * width, dtype=np.float32),
        }
        self._layer = Lstm(weights, "lstm")
        self._components = (len(bias) - PENS) // KINDS
        self._head = Linear(head.T, bias)

    def prime(self, given: Prefix) -> tuple[StepDistribution, MagentaState]:
        """Replay the given part; see `sketchgen.models.numpy_stroke_model.Decoder.prime`.

        Its categories have no effect, nor has its first point, as the network never saw one.
        """
        count = len(given.category)
        state = MagentaState(self._layer.begin(count), np.zeros(count, dtype=np.int64))
        # Not "pen down" as in the paper: with this start real drawings are the likelier.
        found, state = self._next(
            np.zeros((count, INPUTS), dtype=np.float32), np.zeros(count, dtype=bool), state
        )
        for step in range(1, len(given.pen)):
            pen = np.full(count, given.pen[step])
            if step == len(given.pen) - 1 and given.going_on is not None:
                pen[given.going_on] = DRAW
            found, state = self.advance(np.tile(given.offset[step], (count, 1)), pen, state)
        return found, state

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: MagentaState
    ) -> tuple[StepDistribution, MagentaState]:
        """Take one step (px, pen); returns the distribution of the step after it, and the new state."""
        read = np.zeros((len(pen), INPUTS), dtype=np.float32)
        read[:, :2] = offset / self.offset_scale
        read[np.arange(len(pen)), 2 + pen] = 1.0
        return self._next(read, pen == LIFT, MagentaState(state.layer, state.points + 1))

    def _next(
        self, read: Float[np.ndarray, "b 5"], can_end: Bool[np.ndarray, " b"], state: MagentaState
    ) -> tuple[StepDistribution, MagentaState]:
        output, layer = self._layer.step(read, state.layer)
        out = self._head(output)
        down, up, end = out[:, :1], out[:, 1:2], out[:, 2:PENS]
        # One choice of three as two of two: whether it ends, and if not, whether the pen is lifted.
        values = np.concatenate([end - np.logaddexp(down, up), out[:, PENS:], up - down], 1)
        step = StepDistribution.from_parameters(
            values, can_end, self.offset_scale, state.points, self._components
        )
        return step, MagentaState(layer, state.points)


def read_magenta(path: str | os.PathLike[str]) -> MagentaDecoder:
    """Read a published decoder.

    Raises:
        CheckpointError: no such file, or none of these decoders.
    """
    try:
        info, shapes, texts = orjson.loads(Path(path).read_bytes())
        tensors = [_tensor(text, shape) for text, shape in zip(texts, shapes, strict=True)]
        return MagentaDecoder(info, tensors)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path} is no decoder of Magenta's (*.gen.json): {error}") from error


def _tensor(text: str, shape: list[int]) -> Float[np.ndarray, ...]:
    """Decode a tensor of two-byte whole numbers in base64."""
    numbers = np.frombuffer(base64.b64decode(text, validate=True), dtype="<i2")
    return (numbers.astype(np.float32) * np.float32(LARGEST / 32767)).reshape(shape)
