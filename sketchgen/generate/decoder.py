"""The network as it draws, a step at a time, in numpy.

`sketchgen.model.strokemodel` is the same network as it learns: all steps at once, with gradients, in torch.
Drawing needs neither, and a step of a few rows is too small for a framework to be of use: numpy loads in a
tenth of the time and takes less of it a step. The tests hold both forms equal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.drawing.geometry import CENTRE
from sketchgen.drawing.strokes import Pen
from sketchgen.generate.cells import Cell, CellState
from sketchgen.generate.distribution import NextStep, sigmoid
from sketchgen.generate.past import Linear, Past, Pointer, Recall
from sketchgen.generate.trees import stacked, taken
from sketchgen.model.config import ModelConfig
from sketchgen.model.pretrained import Weights
from sketchgen.model.units import FEATURES, INPUTS, LENGTH_SCALE, NEAR, POSITION_SCALE


@dataclass(frozen=True)
class Given:
    """A given part, and the categories in which it is to be finished, one for each of b drawings.

    Attributes:
        offset: px; the first is counted from the frame's centre.
        pen: the pen after each point; DRAW at the last one where its stroke is to go on.
        category: index, or the config's `any_category`.
        known: whether the frame is that of the whole drawing (255 box), not the given part's own.
        going_on: which of the b drawings go on with the last stroke, whatever its pen; None for none.
    """

    offset: Float[np.ndarray, "n 2"]
    pen: Int[np.ndarray, " n"]
    category: Int[np.ndarray, " b"]
    known: bool
    going_on: Bool[np.ndarray, " b"] | None = None

    def parted(self) -> list[tuple[Int[np.ndarray, " c"], Given]]:
        """Rows whose last stroke goes on and those whose doesn't, each with a pen that says so."""
        if self.going_on is None or not len(self.pen) or not self.going_on.any():
            return [(np.arange(len(self.category)), replace(self, going_on=None))]
        parts = []
        for rows, pen in ((np.flatnonzero(self.going_on), Pen.DRAW), (np.flatnonzero(~self.going_on), None)):
            pens = self.pen.copy()
            pens[-1] = self.pen[-1] if pen is None else int(pen)
            if len(rows):
                parts.append((rows, Given(self.offset, pens, self.category[rows], self.known)))
        return parts


@dataclass(frozen=True)
class Trace:
    """Where the pen is after a step, of each of b drawings; fields as of `recurrent.Trace`."""

    offset: Float[np.ndarray, "b 2"]
    position: Float[np.ndarray, "b 2"]
    stroke_start: Float[np.ndarray, "b 2"]
    pen: Int[np.ndarray, " b"]
    low: Float[np.ndarray, "b 2"]
    high: Float[np.ndarray, "b 2"]

    @classmethod
    def begin(cls, batch: int) -> Trace:
        """Before the first point: at the frame's centre, nothing drawn."""
        zero = np.zeros((batch, 2))
        return cls(zero, zero, zero, np.full(batch, int(Pen.END)), zero, zero)

    def advanced(self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]) -> Trace:
        """The traces after one more step."""
        position = self.position + offset
        begins = (self.pen != Pen.DRAW)[:, None]
        # Before the first point the pen is at the frame's centre, which is no part of the drawing.
        first = (self.pen == Pen.END)[:, None]
        low = np.where(first, position, np.minimum(self.low, position))
        high = np.where(first, position, np.maximum(self.high, position))
        return Trace(offset, position, np.where(begins, position, self.stroke_start), pen, low, high)

    def direction(self) -> Float[np.ndarray, "b 2"]:
        """The way that the pen came, of length 1; to the right where it did not move at all."""
        length = np.sqrt((self.offset**2).sum(-1, keepdims=True))
        return np.where(length > 0, self.offset / np.maximum(length, 1e-9), np.array([1.0, 0.0]))

    def features(
        self, known: bool | Bool[np.ndarray, " b"], offset_scale: float
    ) -> Float[np.ndarray, "b 18"]:
        """What the network reads; see `sketchgen.model.recurrent.Trace.features`."""
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


@dataclass(frozen=True)
class State:
    """Everything that `advance` needs to go on with b drawings.

    Attributes:
        layers: the recurrent layers' states.
        trace: where the pens are.
        bias: what category and code add to the decoder's input at every step.
        known: see `Given`; one for all of them, or one for each.
        past: what is kept of earlier steps.
    """

    layers: tuple[CellState, ...]
    trace: Trace
    bias: Float[np.ndarray, "b e"]
    known: bool | Bool[np.ndarray, " b"]
    past: Past


class Decoder:
    """Reads a given part, and goes on from it.

    Attributes:
        ways: rows of noise that a step of a drawing takes.
    """

    ways = 1

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        """Make the network that `config` describes of `weights`, those of a checkpoint."""
        self.config = config
        self._weights = weights
        self._nothing = weights["encoder.nothing"]
        ways = ("forwards", "backwards") if config.encoder_width else ()
        self._encoder = [Cell(config.cell, weights, f"encoder.{way}") for way in ways]
        self._layers = [Cell(config.cell, weights, f"stack.layers.{n}") for n in range(config.layers)]
        self._head = np.ascontiguousarray(weights["head.weight"].T)
        self._recall = Recall(weights) if config.recall else None
        self._border = Linear(weights, "border") if config.borders else None
        self._pointer = Pointer(weights) if config.pointers else None

    def weights(self) -> Weights:
        """The weights that it was made of."""
        return self._weights

    def prime(self, given: Given) -> tuple[NextStep, State]:
        """Read the given part; returns the distribution of the first added step, and the state."""
        parts = given.parted()
        if len(parts) == 1:
            return self._prime(parts[0][1])
        found, states = zip(*(self._prime(part) for _, part in parts), strict=True)
        back = np.argsort(np.concatenate([rows for rows, _ in parts]))
        return taken(stacked(found), back), taken(stacked(states), back)

    def _prime(self, given: Given) -> tuple[NextStep, State]:
        """`prime` of a part with the same pens for all."""
        # Rows differ in nothing but their category: each is read once, however many drawings it is for.
        category, rows = np.unique(given.category, return_inverse=True)
        bias, traces = self._weights["category.weight"][category], self._traces(given)
        layers = tuple(cell.begin(len(category)) for cell in self._layers)
        past = Past.nothing(len(category), self.config.recall, self.config.pointers)
        code = self._nothing
        if len(given.pen):
            features = np.concatenate([self._features(trace, given.known) for trace in traces])
            code = self._code(features[1:])
            points = np.concatenate([trace.position for trace in traces[:-1]])
            layers, past = self._replay(features[:-1], points, bias + self._nothing, past)
        layers = tuple(tuple(part[rows] for part in state) for state in layers)
        last = taken(traces[-1], np.zeros(len(rows), dtype=np.int64))
        return self._next(State(layers, last, (bias + code)[rows], given.known, taken(past, rows)))

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: State
    ) -> tuple[NextStep, State]:
        """Take one step (px, pen); returns the distribution of the one after it, and the new state."""
        return self._next(replace(state, trace=state.trace.advanced(offset, pen)))

    def _features(self, trace: Trace, known: bool | Bool[np.ndarray, " b"]) -> Float[np.ndarray, "b f"]:
        found = trace.features(known, self.config.offset_scale)
        return found[:, INPUTS[self.config.inputs]]

    def _traces(self, given: Given) -> list[Trace]:
        """Before the given part and after each of its n points."""
        traces = [Trace.begin(1)]
        for step in range(len(given.pen)):
            at = slice(step, step + 1)
            traces.append(traces[-1].advanced(given.offset[at], given.pen[at]))
        return traces

    def _code(self, features: Float[np.ndarray, "n f"]) -> Float[np.ndarray, " e"]:
        """The code of a given part that is not empty."""
        if not self._encoder:
            return self._nothing
        ends = [
            cell.run(steps[:, None], cell.begin(1))[1][0]
            for cell, steps in zip(self._encoder, (features, features[::-1]), strict=True)
        ]
        projected = np.concatenate(ends, -1) @ self._weights["encoder.project.weight"].T
        return projected[0] + self._weights["encoder.project.bias"]

    def _replay(
        self,
        features: Float[np.ndarray, "n f"],
        points: Float[np.ndarray, "n 2"],
        bias: Float[np.ndarray, "b e"],
        past: Past,
    ) -> tuple[tuple[CellState, ...], Past]:
        """The layers' states after the given steps but the last, and what is kept of them."""
        hidden, states, outputs = self._enter(features[:, None], bias), [], []
        past = _passed(past, np.broadcast_to(points, (len(bias), *points.shape)))
        for cell in self._layers:
            hidden, state = cell.run(hidden, cell.begin(len(bias)))
            states.append(state)
            outputs.append(hidden)
            if self._recall is not None and len(outputs) == 1:
                found, past = self._recall(hidden.swapaxes(0, 1), past)
                hidden = hidden + found.swapaxes(0, 1)
        if self._pointer is not None:
            keys = self._pointer.keys(np.concatenate(outputs, -1)).swapaxes(0, 1)
            past = past.and_then(pointer=keys)
        return tuple(states), past

    def _enter(
        self, features: Float[np.ndarray, "*b f"], bias: Float[np.ndarray, "*c e"]
    ) -> Float[np.ndarray, "*d e"]:
        entered = features @ self._weights["read.weight"].T + self._weights["read.bias"] + bias
        return entered * sigmoid(entered)

    def _next(self, state: State) -> tuple[NextStep, State]:
        """Take the step whose trace stands in `state`."""
        trace, past = state.trace, _passed(state.past, state.trace.position[:, None])
        hidden = self._enter(self._features(trace, state.known), state.bias)
        after, outputs = [], []
        for cell, before in zip(self._layers, state.layers, strict=True):
            reached = cell.step(cell.project(hidden), before)
            hidden = reached[0]
            after.append(reached)
            outputs.append(hidden)
            if self._recall is not None and len(outputs) == 1:
                found, past = self._recall(hidden[:, None], past)
                hidden = hidden + found[:, 0]
        joined = np.concatenate(outputs, -1)
        values = self._per_component(joined @ self._head + self._weights["head.bias"])
        # A drawing ends only with the pen up; before the first point `pen` is END, and it may not end either.
        step = NextStep.from_parameters(values, trace.pen == Pen.LIFT, self.config.offset_scale)
        step = replace(step.turned(trace.direction(), self.config.turned), points=past.there.sum(1) - 1)
        if self._border is not None:
            known = np.broadcast_to(state.known, len(joined))
            step = step.bordered(self._border(joined), trace.position, known, self.config.offset_scale)
        if self._pointer is not None:
            past = past.and_then(pointer=self._pointer.keys(joined)[:, None])
            step = self._pointer(joined, past, step)
        return step, replace(state, layers=tuple(after), past=past)

    def _per_component(self, values: Float[np.ndarray, "b h"]) -> Float[np.ndarray, "b p"]:
        """The head's numbers with a lift for each component, also where they share one."""
        if self.config.pen == "component":
            return values
        return np.concatenate([values, np.repeat(values[:, -1:], self.config.components - 1, 1)], -1)


def _passed(past: Past, points: Float[np.ndarray, "b s 2"]) -> Past:
    """The past with s further steps, from where the pen was before each; the very first has no point."""
    there = np.ones(points.shape[:2], dtype=bool)
    drawn = there.copy()
    if not past.there.shape[1]:
        drawn[:, 0] = False
    return past.and_then(point=points, there=there, drawn=drawn)
