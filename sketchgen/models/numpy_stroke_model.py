"""The network as it draws, a step at a time, in numpy.

`sketchgen.models.stroke_model` is the same network as it learns: all steps at once, with gradients, in torch.
Drawing needs neither, and a step of a few rows is too small for a framework to be of use: numpy loads in a
tenth of the time and takes less of it a step. The tests hold both forms equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.checkpoint import Weights
from sketchgen.models.config import ModelConfig
from sketchgen.models.numpy_attention import Linear, Past, Pointer, SelfAttention
from sketchgen.models.numpy_head import Found, as_mixture, next_step
from sketchgen.models.numpy_layers import CellState, make_cell
from sketchgen.models.numpy_mixture import sigmoid
from sketchgen.models.numpy_pen_state import PenState
from sketchgen.models.trees import stacked, taken
from sketchgen.sketch.strokes import Pen


@dataclass(frozen=True)
class Prefix:
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

    def parted(self) -> list[tuple[Int[np.ndarray, " c"], Prefix]]:
        """Rows whose last stroke goes on and those whose doesn't, each with a pen that says so."""
        if self.going_on is None or not len(self.pen) or not self.going_on.any():
            return [(np.arange(len(self.category)), replace(self, going_on=None))]
        parts = []
        for rows, pen in ((np.flatnonzero(self.going_on), Pen.DRAW), (np.flatnonzero(~self.going_on), None)):
            pens = self.pen.copy()
            pens[-1] = self.pen[-1] if pen is None else int(pen)
            if len(rows):
                parts.append((rows, Prefix(self.offset, pens, self.category[rows], self.known)))
        return parts


@dataclass(frozen=True)
class State:
    """Everything that `advance` needs to go on with b drawings.

    Attributes:
        layers: the recurrent layers' states.
        trace: where the pens are.
        bias: what category and code add to the decoder's input at every step.
        known: see `Prefix`; one for all of them, or one for each.
        past: what is kept of earlier steps.
    """

    layers: tuple[CellState, ...]
    trace: PenState
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
        self._encoder = [make_cell(config.cell, weights, f"encoder.{way}") for way in ways]
        self._layers = [make_cell(config.cell, weights, f"stack.layers.{n}") for n in range(config.layers)]
        self._head = np.ascontiguousarray(weights["head.weight"].T)
        self._recall = SelfAttention(weights) if config.self_attention else None
        self._border = Linear(weights, "border") if config.box_components else None
        self._pointer = Pointer(weights) if config.pointers else None
        self._remembers = bool(config.self_attention or config.pointers)

    def weights(self) -> Weights:
        """The weights that it was made of."""
        return self._weights

    def prime(self, given: Prefix) -> tuple[Found, State]:
        """Read the given part; returns the distribution of the first added step, and the state."""
        parts = given.parted()
        if len(parts) == 1:
            return self._prime(parts[0][1])
        found, states = zip(*(self._prime(part) for _, part in parts), strict=True)
        back = np.argsort(np.concatenate([rows for rows, _ in parts]))
        return taken(stacked(found), back), taken(stacked(states), back)

    def _prime(self, given: Prefix) -> tuple[Found, State]:
        """`prime` of a part with the same pens for all."""
        # Rows differ in nothing but their category: each is read once, however many drawings it is for.
        category, rows = np.unique(given.category, return_inverse=True)
        bias, traces = self._weights["category.weight"][category], self._traces(given)
        layers = tuple(cell.begin(len(category)) for cell in self._layers)
        past = Past.nothing(len(category), self.config.self_attention, self.config.pointers)
        code = self._nothing
        if len(given.pen):
            features = np.concatenate([self._features(trace, given.known) for trace in traces])
            code = self._code(features[1:])
            points = np.concatenate([trace.position for trace in traces[:-1]])
            points = np.broadcast_to(points, (len(category), *points.shape))
            layers, past = self._replay(features[:-1, None], points, bias + self._nothing, past)
        layers = tuple(tuple(part[rows] for part in state) for state in layers)
        last = taken(traces[-1], np.zeros(len(rows), dtype=np.int64))
        return self._next(State(layers, last, (bias + code)[rows], given.known, taken(past, rows)))

    def prime_all(self, given: Sequence[Prefix]) -> tuple[Found, State]:
        """Read several given parts at once, each for one drawing and in one category: a row for each.

        Says what `prime` says of each, but for the last bits, many times faster.

        Args:
            given: what is given, a point at least; of known or of unknown scale, not both.
        """
        given = [part for each in given for _, part in each.parted()]
        length = np.array([len(each.pen) for each in given])
        known, index, rows = given[0].known, np.arange(length.max()), np.arange(len(given))
        offset = np.zeros((len(given), length.max(), 2))
        pen = np.full(offset.shape[:2], int(Pen.DRAW))
        for row, each in enumerate(given):
            offset[row, : length[row]], pen[row, : length[row]] = each.offset, each.pen
        traces = [PenState.begin(len(given))]
        for step in index:
            traces.append(traces[-1].advanced(offset[:, step], pen[:, step]))
        features = np.stack([self._features(trace, known) for trace in traces])
        points = np.stack([trace.position for trace in traces[:-1]], 1)
        bias = self._weights["category.weight"][np.concatenate([each.category for each in given])]
        past = Past.nothing(len(given), self.config.self_attention, self.config.pointers)
        layers, past = self._replay(features[:-1], points, bias + self._nothing, past, length)
        last = PenState(
            **{
                item.name: np.stack([getattr(trace, item.name) for trace in traces])[length, rows]
                for item in fields(PenState)
            }
        )
        return self._next(State(layers, last, bias + self._codes(features[1:], length), known, past))

    def advance(
        self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"], state: State
    ) -> tuple[Found, State]:
        """Take one step (px, pen); returns the distribution of the one after it, and the new state."""
        trace = state.trace.advanced(offset, pen)
        return self._next(State(state.layers, trace, state.bias, state.known, state.past))

    def _features(self, trace: PenState, known: bool | Bool[np.ndarray, " b"]) -> Float[np.ndarray, "b f"]:
        return trace.read(self.config.inputs, known, self.config.offset_scale)

    def _traces(self, given: Prefix) -> list[PenState]:
        """Before the given part and after each of its n points."""
        traces = [PenState.begin(1)]
        for step in range(len(given.pen)):
            at = slice(step, step + 1)
            traces.append(traces[-1].advanced(given.offset[at], given.pen[at]))
        return traces

    def _code(self, features: Float[np.ndarray, "n f"]) -> Float[np.ndarray, " e"]:
        """The code of a given part that is not empty."""
        if not self._encoder:
            return self._nothing
        ends = [
            cell.run(steps[:, None], cell.begin(1))[0][-1]
            for cell, steps in zip(self._encoder, (features, features[::-1]), strict=True)
        ]
        projected = np.concatenate(ends, -1) @ self._weights["encoder.project.weight"].T
        return projected[0] + self._weights["encoder.project.bias"]

    def _codes(
        self, features: Float[np.ndarray, "n b f"], length: Int[np.ndarray, " b"]
    ) -> Float[np.ndarray, "b e"]:
        """`_code` of each of b given parts, of 1 to n points."""
        if not self._encoder:
            return np.tile(self._nothing, (len(length), 1))
        rows = np.arange(len(length))
        back = np.maximum(length - 1 - np.arange(len(features))[:, None], 0)
        ends = [
            cell.run(steps, cell.begin(len(length)))[0][length - 1, rows]
            for cell, steps in zip(self._encoder, (features, features[back, rows]), strict=True)
        ]
        projected = np.concatenate(ends, -1) @ self._weights["encoder.project.weight"].T
        return projected + self._weights["encoder.project.bias"]

    def _replay(
        self,
        features: Float[np.ndarray, "n c f"],
        points: Float[np.ndarray, "b n 2"],
        bias: Float[np.ndarray, "b e"],
        past: Past,
        length: Int[np.ndarray, " b"] | None = None,
    ) -> tuple[tuple[CellState, ...], Past]:
        """The layers' states after the given steps but the last, and what is kept of them.

        Args:
            features: of all drawings alike (c is 1), or of each.
            points: where the pen was before each step.
            bias: see `State`.
            past: of nothing.
            length: steps of each drawing, where they differ.
        """
        hidden, states, outputs = self._enter(features, bias), [], []
        if self._remembers:
            past = _passed(past, points, length)
        for cell in self._layers:
            hidden, state = cell.run(hidden, cell.begin(len(bias)), length)
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
        entered *= sigmoid(entered)
        return entered

    def _next(self, state: State) -> tuple[Found, State]:
        """Take the step whose trace stands in `state`."""
        trace, past = state.trace, state.past
        if self._remembers:
            past = _passed(past, trace.position[:, None])
        hidden = self._enter(self._features(trace, state.known), state.bias)
        after, outputs = [], []
        for cell, before in zip(self._layers, state.layers, strict=True):
            hidden, reached = cell.step(hidden, before)
            after.append(reached)
            outputs.append(hidden)
            if self._recall is not None and len(outputs) == 1:
                found, past = self._recall(hidden[:, None], past)
                hidden = hidden + found[:, 0]
        joined = np.concatenate(outputs, -1) if len(outputs) > 1 else hidden
        values = joined @ self._head
        values += self._weights["head.bias"]
        border = None if self._border is None else self._border(joined)
        step = next_step(self.config, values, trace, state.known, border)
        if self._pointer is not None:
            past = past.and_then(pointer=self._pointer.keys(joined)[:, None])
            step = self._pointer(joined, past, as_mixture(step))
        return step, State(tuple(after), trace, state.bias, state.known, past)


def _passed(
    past: Past, points: Float[np.ndarray, "b s 2"], length: Int[np.ndarray, " b"] | None = None
) -> Past:
    """The past with s further steps, from where the pen was before each; the very first has no point.

    Of drawings of different `length` what is longer only fills up.
    """
    there = np.ones(points.shape[:2], dtype=bool)
    if length is not None:
        there = np.arange(points.shape[1]) < length[:, None]
    drawn = there.copy()
    if not past.there.shape[1]:
        drawn[:, 0] = False
    return past.and_then(point=points, there=there, drawn=drawn)
