"""Where the pen is after a step, and what the network reads of it: `recurrent.PenState` in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.features import FEATURES, INPUTS, LENGTH_SCALE, NEAR, POSITION_SCALE
from sketchgen.sketch.geometry import CENTRE
from sketchgen.sketch.strokes import Pen

DRAW, LIFT, END = (int(pen) for pen in (Pen.DRAW, Pen.LIFT, Pen.END))
"""The pens as plain numbers: looking up a name in an enum takes as long as a step's arithmetic."""


@dataclass(frozen=True)
class PenState:
    """Where the pen is after a step, of each of b drawings; fields as of `recurrent.PenState`.

    Attributes:
        points: how many points each drawing has.
    """

    offset: Float[np.ndarray, "b 2"]
    position: Float[np.ndarray, "b 2"]
    stroke_start: Float[np.ndarray, "b 2"]
    pen: Int[np.ndarray, " b"]
    low: Float[np.ndarray, "b 2"]
    high: Float[np.ndarray, "b 2"]
    points: Int[np.ndarray, " b"]

    @classmethod
    def begin(cls, batch: int) -> PenState:
        """Before the first point: at the frame's centre, nothing drawn."""
        zero = np.zeros((batch, 2))
        return cls(
            zero, zero, zero, np.full(batch, int(Pen.END)), zero, zero, np.zeros(batch, dtype=np.int64)
        )

    def advanced(self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]) -> PenState:
        """The traces after one more step."""
        position = self.position + offset
        start = np.where((self.pen != DRAW)[:, None], position, self.stroke_start)
        low, high = np.minimum(self.low, position), np.maximum(self.high, position)
        # Before the first point the pen is at the frame's centre, which is no part of the drawing.
        first = self.pen == END
        if first.any():
            low[first] = high[first] = position[first]
        return PenState(offset, position, start, pen, low, high, self.points + 1)

    def direction(self) -> Float[np.ndarray, "b 2"]:
        """The way that the pen came, of length 1; to the right where it did not move at all."""
        length = np.sqrt((self.offset**2).sum(-1, keepdims=True))
        return np.where(length > 0, self.offset / np.maximum(length, 1e-9), np.array([1.0, 0.0]))

    def read(
        self, inputs: str, known: bool | Bool[np.ndarray, " b"], offset_scale: float
    ) -> Float[np.ndarray, "b f"]:
        """Those of the features that a network of these inputs reads; see `ModelConfig.inputs`."""
        if inputs != "offsets":
            return self.features(known, offset_scale)[:, INPUTS[inputs]]
        # Nearly all of the others are of no use to Sketch-RNN, and take longer than these.
        found = np.zeros((len(self.pen), 5), dtype=np.float32)
        found[:, 0:2] = self.offset / offset_scale
        found[np.arange(len(self.pen)), 2 + self.pen] = 1.0
        return found

    def features(
        self, known: bool | Bool[np.ndarray, " b"], offset_scale: float
    ) -> Float[np.ndarray, "b 18"]:
        """What the network reads; see `sketchgen.models.layers.PenState.features`."""
        found = np.zeros((len(self.pen), FEATURES), dtype=np.float32)
        way = self.position - self.stroke_start
        found[:, 0:2] = self.offset / offset_scale
        found[:, 2:4] = self.position / POSITION_SCALE
        found[:, 4:6] = way / POSITION_SCALE
        found[:, 6] = np.exp(-(way**2).sum(-1) / NEAR)
        found[np.arange(len(self.pen)), 7 + self.pen] = 1.0
        found[:, 10] = known
        found[:, 11:13] = self.direction()
        found[:, 13] = np.log1p((self.offset**2).sum(-1)) / LENGTH_SCALE
        found[:, 14:16] = (self.low + CENTRE) / POSITION_SCALE
        found[:, 16:18] = (CENTRE - self.high) / POSITION_SCALE
        return found
