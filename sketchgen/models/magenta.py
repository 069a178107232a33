"""The decoders that Google published for its Sketch-RNN demo (`*.gen.json`), as they draw.

One LSTM and a mixture of twenty components, a category a file, without any conditioning (Ha and Eck 2017).
They were trained on drawings in a box of 1000 units, simplified with a tolerance of 2, whose first points
were left out; their first offset is therefore one of the second point. Here they draw in px of the 255 box.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from jaxtyping import Float, Int

from sketchgen.errors import CheckpointError
from sketchgen.models.numpy_head import HeadStep
from sketchgen.models.numpy_layers import Cell, CellState
from sketchgen.models.numpy_pen_state import DRAW, LIFT
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.sketch.files import reason, shown
from sketchgen.sketch.geometry import BOX

MAX_BYTES = 64 * 2**20
"""Largest file that is read."""

SIDE = 1000.0
"""Side of the box, in their units, that the drawings filled from which they learned."""

LARGEST = 10.0
"""What the greatest of the whole numbers in a file stands for."""

INPUTS, PENS, KINDS = 5, 3, 6
"""Numbers that are read (offset and pen); logits of the pen; parameters of a component."""


@dataclass(frozen=True)
class MagentaState:
    """Everything that `advance` needs to go on with b drawings.

    Attributes:
        layer: the LSTM's state.
        points: how many points each drawing has.
    """

    layer: CellState
    points: Int[np.ndarray, " b"]


class MagentaDecoder:
    """A published decoder; it can be asked for whatever the sampler asks of a model.

    Attributes:
        name: the category that it draws.
        offset_scale: px of the 255 box that one unit of its offsets stands for.
        ways: rows of noise that a step of a drawing takes.
    """

    ways = 1

    def __init__(self, info: dict[str, Any], tensors: Sequence[Float[np.ndarray, ...]]) -> None:
        """Make it of a file's information and tensors; see `read_magenta`."""
        head, bias, inputs, recurrent, gates = (np.asarray(part, dtype=np.float32) for part in tensors)
        width = len(recurrent)
        self.name = str(info.get("name", "drawing"))
        self.offset_scale = float(info["scale_factor"]) * BOX / SIDE
        # TensorFlow's order of the gates is in, candidate, forget, out, and its forget gate stands open by 1.
        order = np.arange(4 * width).reshape(4, width)[[0, 2, 1, 3]].ravel()
        opened = np.zeros(4 * width, dtype=np.float32)
        opened[width : 2 * width] = 1.0
        weights = {
            "weight_ih_l0": inputs[:, order].T,
            "weight_hh_l0": recurrent[:, order].T,
            "bias_ih_l0": gates[order] + opened,
            "bias_hh_l0": np.zeros(4 * width, dtype=np.float32),
        }
        self._cell = Cell("lstm", {f"lstm.{name}": value for name, value in weights.items()}, "lstm")
        self._components = (len(bias) - PENS) // KINDS
        self._head, self._bias = np.ascontiguousarray(head), bias

    def prime(self, given: Prefix) -> tuple[HeadStep, MagentaState]:
        """Replay the given part; the distribution of the first added step, and the state.

        Its categories are not looked at. Its first point says nothing, as the network never saw one.
        """
        count = len(given.category)
        state = MagentaState(self._cell.begin(count), np.zeros(count, dtype=np.int64))
        # Not "pen down" as in the paper: with this start real drawings are the likelier.
        found, state = self._next(np.zeros((count, INPUTS), dtype=np.float32), state)
        found = replace(found, can_end=np.zeros(count, dtype=bool))
        for step in range(1, len(given.pen)):
            pen = np.full(count, given.pen[step])
            if step == len(given.pen) - 1 and given.going_on is not None:
                pen[given.going_on] = DRAW
            found, state = self.advance(np.tile(given.offset[step], (count, 1)), pen, state)
        return found, state

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: MagentaState
    ) -> tuple[HeadStep, MagentaState]:
        """Take one step (px, pen); returns the distribution of the one after it, and the new state."""
        read = np.zeros((len(pen), INPUTS), dtype=np.float32)
        read[:, :2] = offset / self.offset_scale
        read[np.arange(len(pen)), 2 + pen] = 1.0
        found, after = self._next(read, MagentaState(state.layer, state.points + 1))
        return replace(found, can_end=pen == LIFT), after

    def _next(self, read: Float[np.ndarray, "b 5"], state: MagentaState) -> tuple[HeadStep, MagentaState]:
        output, layer = self._cell.step(read, state.layer)
        told = output @ self._head + self._bias
        down, up, end = told[:, :1], told[:, 1:2], told[:, 2:PENS]
        # One choice of three as two of two: whether it ends, and if not, whether the pen is lifted.
        values = np.concatenate([end - np.logaddexp(down, up), told[:, PENS:], up - down], 1)
        points = state.points
        step = HeadStep(values, np.ones(len(points), dtype=bool), self._components, self.offset_scale, points)
        return step, MagentaState(layer, points)


def read_magenta(path: str | os.PathLike[str]) -> MagentaDecoder:
    """Read a published decoder.

    Raises:
        CheckpointError: no such file, too large, or none of these decoders.
    """
    try:
        if Path(path).stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{shown(path)} is larger than {MAX_BYTES // 2**20} MB; no decoder is")
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{shown(path)} cannot be read: {reason(error)}") from error
    try:
        info, shapes, texts = orjson.loads(content)
        tensors = [_tensor(text, shape) for text, shape in zip(texts, shapes, strict=True)]
        _check(info, [part.shape for part in tensors])
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        why = str(error).splitlines()[0][:120]
        raise CheckpointError(f"{shown(path)} is no decoder of Magenta's (*.gen.json): {why}") from error
    return MagentaDecoder(info, tensors)


def _tensor(text: str, shape: list[int]) -> Float[np.ndarray, ...]:
    """Whole numbers of two bytes in base64, as what they stand for."""
    numbers = np.frombuffer(base64.b64decode(text, validate=True), dtype="<i2")
    return (numbers.astype(np.float32) * np.float32(LARGEST / 32767)).reshape(shape)


def _check(info: Any, shapes: list[tuple[int, ...]]) -> None:
    """Check that tensors belong together.

    Raises:
        ValueError: they don't.
        KeyError, TypeError: something is missing.
    """
    head, bias, inputs, recurrent, gates = shapes
    width, told = head
    wanted = [(told,), (INPUTS, 4 * width), (width, 4 * width), (4 * width,)]
    if [bias, inputs, recurrent, gates] != wanted or (told - PENS) % KINDS or told <= PENS:
        raise ValueError(f"tensors of shapes {', '.join(map(str, shapes))} make no network")
    if not float(info["scale_factor"]) > 0:
        raise ValueError(f"scale_factor is {info['scale_factor']}")
