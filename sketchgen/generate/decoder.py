"""The network as it draws, a step at a time, in numpy.

`sketchgen.model.strokemodel` is the same network as it learns: all steps at once, with gradients, in torch.
Drawing needs neither, and a step of a few rows is too small for a framework to be of use: numpy loads in a
tenth of the time and takes less of it a step. The tests hold both forms equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from sketchgen.drawing.strokes import Pen
from sketchgen.generate.cells import Cell, CellState
from sketchgen.generate.distribution import NextStep, sigmoid
from sketchgen.model.config import ModelConfig
from sketchgen.model.pretrained import Weights
from sketchgen.model.units import FEATURES, NEAR, POSITION_SCALE


@dataclass(frozen=True)
class Given:
    """A given part, and the categories in which it is to be finished, one for each of b drawings.

    Attributes:
        offset: px; the first is counted from the frame's centre.
        pen: the pen after each point; DRAW at the last one where its stroke is to go on.
        category: index, or the config's `any_category`.
        known: whether the frame is that of the whole drawing (255 box), not the given part's own.
    """

    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    category: Int[np.ndarray, " b"]
    known: bool


@dataclass(frozen=True)
class Trace:
    """Where the pen is after a step, of each of b drawings; fields as of `recurrent.Trace`."""

    offset: Float[np.ndarray, "b 2"]
    position: Float[np.ndarray, "b 2"]
    stroke_start: Float[np.ndarray, "b 2"]
    pen: Int[np.ndarray, " b"]

    @classmethod
    def begin(cls, batch: int) -> Trace:
        """Before the first point: at the frame's centre, nothing drawn."""
        zero = np.zeros((batch, 2))
        return cls(zero, zero, zero, np.full(batch, int(Pen.END)))

    def advanced(self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]) -> Trace:
        """The traces after one more step."""
        position = self.position + offset
        begins = (self.pen != Pen.DRAW)[:, None]
        return Trace(offset, position, np.where(begins, position, self.stroke_start), pen)

    def taken(self, rows: Int[np.ndarray, " c"]) -> Trace:
        """The traces of some rows."""
        return Trace(*(value[rows] for value in vars(self).values()))

    def features(self, known: bool, offset_scale: float) -> Float[np.ndarray, "b 11"]:
        """What the network reads; see `sketchgen.model.recurrent.Trace.features`."""
        found = np.zeros((len(self.pen), FEATURES), dtype=np.float32)
        way = self.position - self.stroke_start
        found[:, 0:2] = self.offset / offset_scale
        found[:, 2:4] = self.position / POSITION_SCALE
        found[:, 4:6] = way / POSITION_SCALE
        found[:, 6] = np.exp(-(way**2).sum(-1) / NEAR)
        found[np.arange(len(self.pen)), 7 + self.pen] = 1.0
        found[:, 10] = known
        return found


@dataclass(frozen=True)
class State:
    """Everything that `advance` needs to go on with b drawings.

    Attributes:
        layers: the recurrent layers' states.
        trace: where the pens are.
        bias: what category and code add to the decoder's input at every step.
        known: see `Given`.
    """

    layers: tuple[CellState, ...]
    trace: Trace
    bias: Float[np.ndarray, "b e"]
    known: bool


class Decoder:
    """Reads a given part, and goes on from it."""

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        """Make the network that `config` describes of `weights`, those of a checkpoint."""
        self.config = config
        self._weights = weights
        self._nothing = weights["encoder.nothing"]
        self._forwards = Cell(config.cell, weights, "encoder.forwards")
        self._backwards = Cell(config.cell, weights, "encoder.backwards")
        self._layers = [Cell(config.cell, weights, f"stack.layers.{n}") for n in range(config.layers)]
        self._head = np.ascontiguousarray(weights["head.weight"].T)

    def weights(self) -> Weights:
        """The weights that it was made of."""
        return self._weights

    def prime(self, given: Given) -> tuple[NextStep, State]:
        """Read the given part; returns the distribution of the first added step, and the state."""
        # Rows differ in nothing but their category: each is read once, however many drawings it is for.
        category, rows = np.unique(given.category, return_inverse=True)
        bias, trace = self._weights["category.weight"][category], Trace.begin(len(category))
        layers = tuple(cell.begin(len(category)) for cell in self._layers)
        code = self._nothing
        if len(given.pen):
            features, trace = self._read(given, len(category))
            code = self._code(features[1:])
            layers = self._replay(features[:-1], bias + self._nothing)
        layers = tuple(tuple(part[rows] for part in state) for state in layers)
        return self._next(layers, trace.taken(rows), (bias + code)[rows], given.known)

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: State
    ) -> tuple[NextStep, State]:
        """Take one step (px, pen); returns the distribution of the one after it, and the new state."""
        return self._next(state.layers, state.trace.advanced(offset, pen), state.bias, state.known)

    def _read(self, given: Given, batch: int) -> tuple[Float[np.ndarray, "m 11"], Trace]:
        """Features before the given part and after each of its n points, m = n + 1; and the last traces."""
        trace = Trace.begin(1)
        features = [trace.features(given.known, self.config.offset_scale)]
        for step in range(len(given.pen)):
            trace = trace.advanced(given.offset[step : step + 1], given.pen[step : step + 1])
            features.append(trace.features(given.known, self.config.offset_scale))
        return np.concatenate(features), trace.taken(np.zeros(batch, dtype=np.int64))

    def _code(self, features: Float[np.ndarray, "n 11"]) -> Float[np.ndarray, " e"]:
        """The code of a given part that is not empty."""
        ends = [
            cell.run(steps[:, None], cell.begin(1))[1][0]
            for cell, steps in ((self._forwards, features), (self._backwards, features[::-1]))
        ]
        projected = np.concatenate(ends, -1) @ self._weights["encoder.project.weight"].T
        return projected[0] + self._weights["encoder.project.bias"]

    def _replay(
        self, features: Float[np.ndarray, "n 11"], bias: Float[np.ndarray, "b e"]
    ) -> tuple[CellState, ...]:
        """The layers' states after the given steps but the last."""
        hidden, states = self._enter(features[:, None], bias), []
        for cell in self._layers:
            hidden, state = cell.run(hidden, cell.begin(len(bias)))
            states.append(state)
        return tuple(states)

    def _enter(
        self, features: Float[np.ndarray, "*b 11"], bias: Float[np.ndarray, "*c e"]
    ) -> Float[np.ndarray, "*d e"]:
        entered = features @ self._weights["read.weight"].T + self._weights["read.bias"] + bias
        return entered * sigmoid(entered)

    def _next(
        self,
        layers: tuple[CellState, ...],
        trace: Trace,
        bias: Float[np.ndarray, "b e"],
        known: bool,
    ) -> tuple[NextStep, State]:
        hidden = self._enter(trace.features(known, self.config.offset_scale), bias)
        after, outputs = [], []
        for cell, before in zip(self._layers, layers, strict=True):
            state = cell.step(cell.project(hidden), before)
            hidden = state[0]
            after.append(state)
            outputs.append(hidden)
        values = np.concatenate(outputs, -1) @ self._head + self._weights["head.bias"]
        # A drawing ends only with the pen up; before the first point `pen` is END, and it may not end either.
        found = NextStep.from_parameters(values, trace.pen == Pen.LIFT, self.config.offset_scale)
        return found, State(tuple(after), trace, bias, known)
