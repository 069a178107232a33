"""Layers of the network in numpy: pen state, linear and recurrent layers, self-attention and its cache.

The same equations and weights as `sketchgen.models.layers`, a step of b drawings at a time. A step of few
rows is bound by reading the weights from memory and by the number of calls, so products come in few large
pieces and states are plain arrays. Sequences are right-aligned: a shorter one begins at a later column
(`start`), and all end at the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ContextDecorator
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from threading import Lock

import numpy as np
from jaxtyping import Float, Int
from threadpoolctl import ThreadpoolController

from sketchgen.errors import SettingError
from sketchgen.models.checkpoint import Weights
from sketchgen.models.features import (
    FEATURES,
    GATES,
    IMPOSSIBLE,
    INPUTS,
    LENGTH_SCALE,
    NEAR,
    POSITION_SCALE,
    RECALL_HEADS,
)
from sketchgen.sketch.geometry import CENTRE
from sketchgen.sketch.strokes import Pen

DRAW, END = int(Pen.DRAW), int(Pen.END)
"""Plain numbers: looking up a member of an enum takes as long as a step's arithmetic."""

CELLS = ("lstm", "gated")
"""Recurrent cells that exist in numpy; torch alone computes the others, to train them."""

TILE = 16
"""Rows of a product with weights are a multiple of this: a BLAS adds in another order where there are few."""

SMALL = 1_000_000
"""Multiplications of a tile up to which each tile of rows is a product of its own: OpenBLAS has a kernel for
products of fewer than 100 to the third, which adds in another order."""

CAPACITY = 64
"""Steps for which a new cache has room. It doubles when it is full."""

Rows = Int[np.ndarray, " c"] | slice
Start = Int[np.ndarray, " b"] | None
"""First column of each row of a right-aligned batch; None where all rows are equally long."""


class _OneThread(ContextDecorator):
    """Keeps products of matrices on one thread: sums on several round differently, and are no faster here.

    The number of threads is the whole process's. It is set back when no thread of the program is inside.
    """

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0

    def __enter__(self) -> None:
        """Set one thread, which takes some 20 us."""
        with self._lock:
            if not self._inside:
                self._limit = _blas().limit(limits=1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        """Leave."""
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.restore_original_limits()


@lru_cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


one_thread = _OneThread()
"""Context and decorator of what computes with the networks."""


@dataclass
class PenState:
    """Where the pen is after a step, of each of b drawings; see `sketchgen.models.layers.PenState`.

    Attributes:
        points: number of points drawn.
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
        """Return the state before the first point: at the frame's centre, nothing drawn."""
        zero = np.zeros((batch, 2))
        return cls(zero, zero, zero, np.full(batch, END), zero, zero, np.zeros(batch, dtype=np.int64))

    def advanced(self, offset: Float[np.ndarray, "b 2"], pen: Int[np.ndarray, " b"]) -> PenState:
        """Return the state after one more step; one with pen END before the first point changes nothing."""
        position = self.position + offset
        start = np.where((self.pen != DRAW)[:, None], position, self.stroke_start)
        low, high = np.minimum(self.low, position), np.maximum(self.high, position)
        # Before the first point the pen is at the frame's centre, which is no part of the drawing.
        first = self.pen == END
        if first.any():
            low[first] = high[first] = position[first]
        return PenState(offset, position, start, pen, low, high, self.points + (pen != END))

    def take(self, rows: Rows) -> PenState:
        """Return some rows, in that order."""
        return PenState(*(getattr(self, item.name)[rows] for item in fields(PenState)))

    @staticmethod
    def join(states: Sequence[PenState]) -> PenState:
        """Return the rows of several states one after the other."""
        return PenState(
            *(np.concatenate([getattr(state, item.name) for state in states]) for item in fields(PenState))
        )

    @cached_property
    def direction(self) -> Float[np.ndarray, "b 2"]:
        """Direction of the last offset, of length 1; to the right where the pen did not move."""
        length = np.sqrt((self.offset * self.offset).sum(-1, keepdims=True))
        return np.where(length > 0, self.offset / np.maximum(length, 1e-9), _RIGHT)

    def features(
        self, inputs: str, known: bool | np.ndarray, offset_scale: float
    ) -> Float[np.ndarray, "b f"]:
        """Return what the network reads; see `sketchgen.models.layers.PenState.features`."""
        found = np.empty((len(self.pen), FEATURES), dtype=np.float32)
        found[:, 0:2] = self.offset / offset_scale
        found[:, 7:10] = self.pen[:, None] == _PENS
        if inputs in ("offsets", "moves"):
            if inputs == "moves":
                found[(self.low == self.high).all(-1) & (self.pen != END)] = 0.0
            return found[:, INPUTS[inputs]]
        way = self.position - self.stroke_start
        found[:, 2:4] = self.position / POSITION_SCALE
        found[:, 4:6] = way / POSITION_SCALE
        found[:, 6] = np.exp((way * way).sum(-1) / -NEAR)
        found[:, 10] = known
        count = len(INPUTS[inputs])
        if count > 11:
            found[:, 11:13] = self.direction
            found[:, 13] = np.log1p((self.offset * self.offset).sum(-1)) / LENGTH_SCALE
            found[:, 14:16] = (self.low + CENTRE) / POSITION_SCALE
            found[:, 16:18] = (CENTRE - self.high) / POSITION_SCALE
        return found[:, :count]


_RIGHT = np.array([1.0, 0.0])
_PENS = np.array([int(pen) for pen in (Pen.DRAW, Pen.LIFT, Pen.END)])


class Linear:
    """A linear layer."""

    def __init__(self, weight: Float[np.ndarray, "o i"], bias: Float[np.ndarray, " o"] | None = None) -> None:
        self._weight, self._bias = np.ascontiguousarray(weight, dtype=np.float32), bias

    @classmethod
    def of(cls, weights: Weights, *names: str) -> Linear:
        """Take one or several layers of these names, which read the same, as one."""
        parts = ([weights[f"{name}.{part}"] for name in names] for part in ("weight", "bias"))
        return cls(*(np.concatenate(part) for part in parts))

    def __call__(self, values: Float[np.ndarray, "b i"]) -> Float[np.ndarray, "b o"]:
        """Return the outputs, in a new array; a row does not depend on how many there are."""
        rows, (outputs, inputs) = len(values), self._weight.shape
        whole = -(-rows // TILE) * TILE
        values = np.asarray(values, np.float32)
        if whole > rows:
            values = np.concatenate([values, np.zeros((whole - rows, inputs), np.float32)])
        if outputs * inputs * TILE > SMALL:
            found = np.matmul(self._weight, values.T).T[:rows]
        else:
            tiles = values.reshape(-1, TILE, inputs).transpose(0, 2, 1)
            found = np.matmul(self._weight, tiles).transpose(0, 2, 1).reshape(whole, outputs)[:rows]
        if self._bias is not None:
            found += self._bias
        return found


LayerState = tuple[Float[np.ndarray, "b _"], ...]
"""What a layer's next step needs: hidden state and cell of an LSTM; state and last inputs of a gated one."""


class Lstm:
    """Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000."""

    def __init__(self, weights: Weights, name: str) -> None:
        inputs, recurrent, bias = lstm_weights(weights, name)
        self._width = recurrent.shape[1]
        self._inputs, self._recurrent = Linear(inputs, bias), Linear(recurrent)

    def begin(self, batch: int) -> LayerState:
        """Return the state before the first step."""
        zero = np.zeros((batch, self._width), dtype=np.float32)
        return zero, zero

    def step(
        self, inputs: Float[np.ndarray, "b i"], state: LayerState
    ) -> tuple[Float[np.ndarray, "b w"], LayerState]:
        """Return the output of a step, and the state after it."""
        state = self._next(self._inputs(inputs), state)
        return state[0], state

    def run(
        self, inputs: Float[np.ndarray, "n b i"], start: Start = None
    ) -> tuple[Float[np.ndarray, "n b w"], LayerState, LayerState]:
        """Return the outputs of n steps from the beginning, and the states before the last and after it."""
        steps, batch = inputs.shape[:2]
        projected = np.ascontiguousarray(self._inputs(inputs.reshape(steps * batch, -1)))
        before = state = self.begin(batch)
        outputs = np.empty((steps, batch, self._width), dtype=np.float32)
        for step, gates in enumerate(projected.reshape(steps, batch, -1)):
            before, state = state, self._next(gates, state)
            if start is not None:
                begun = (step >= start)[:, None]
                state = state[0] * begun, state[1] * begun
            outputs[step] = state[0]
        return outputs, before, state

    def _next(self, projected: Float[np.ndarray, "b g"], state: LayerState) -> LayerState:
        """Return hidden state and cell after a step whose inputs were projected."""
        gates = self._recurrent(state[0])
        gates += projected
        return lstm_step(gates, state[1])


def lstm_weights(weights: Weights, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weights of inputs and states and the bias of a layer of torch's, for `lstm_step`."""
    inputs, recurrent = (weights[f"{name}.weight_{part}_l0"] for part in ("ih", "hh"))
    bias = weights[f"{name}.bias_ih_l0"] + weights[f"{name}.bias_hh_l0"]
    width = recurrent.shape[1]
    # From torch's order (in, forget, candidate, out) to one with the gates side by side. As
    # sigmoid(x) = 1/2 + 1/2 tanh(x/2), half of their inputs makes one tanh do for all.
    order = np.arange(4 * width).reshape(4, width)[[0, 1, 3, 2]].ravel()
    half = np.repeat(np.array([0.5, 1.0], dtype=np.float32), [3 * width, width])
    return inputs[order] * half[:, None], recurrent[order] * half[:, None], bias[order] * half


def lstm_step(
    gates: Float[np.ndarray, "*b g"], cell: Float[np.ndarray, "*b w"]
) -> tuple[Float[np.ndarray, "*b w"], Float[np.ndarray, "*b w"]]:
    """Return hidden state and cell after a step, from the inputs of its gates, which are overwritten."""
    width = cell.shape[-1]
    np.tanh(gates, out=gates)
    opened = gates[..., : 3 * width]
    opened *= 0.5
    opened += 0.5
    enter, after, leave, candidate = (gates[..., n * width : (n + 1) * width] for n in range(4))
    after *= cell
    candidate *= enter
    after += candidate
    hidden = np.tanh(after)
    hidden *= leave
    return hidden, after


class GatedRecurrence:
    """A gated linear recurrence; see `sketchgen.models.layers.Gated`."""

    def __init__(self, weights: Weights, name: str) -> None:
        self._look_back = weights[f"{name}.look_back"]
        self._gates = Linear.of(weights, f"{name}.gates")
        self._width = len(weights[f"{name}.gates.bias"]) // GATES["gated"]
        self._adds = self._width == len(self._look_back)

    def begin(self, batch: int) -> LayerState:
        """Return the state before the first step."""
        return tuple(np.zeros((batch, size), np.float32) for size in (self._width, len(self._look_back)))

    def step(
        self, inputs: Float[np.ndarray, "b i"], state: LayerState
    ) -> tuple[Float[np.ndarray, "b w"], LayerState]:
        """Return the output of a step, and the state after it."""
        enter, output, candidate = self._read(inputs, state[1])
        candidate -= state[0]
        candidate *= enter
        candidate += state[0]
        output *= candidate
        if self._adds:
            output += inputs
        return output, (candidate, inputs)

    def run(
        self, inputs: Float[np.ndarray, "n b i"], start: Start = None
    ) -> tuple[Float[np.ndarray, "n b w"], LayerState, LayerState]:
        """Return the outputs of n steps from the beginning, and the states before the last and after it."""
        steps, batch = inputs.shape[:2]
        hidden, zero = self.begin(batch)
        begun = np.ones((steps, batch, 1), np.float32)
        if start is not None:
            begun[:, :, 0] = np.arange(steps)[:, None] >= start
        last = np.concatenate([zero[None], (inputs * begun)[:-1]])
        before = hidden
        flat = (part.reshape(steps * batch, -1) for part in (inputs, last))
        enter, outputs, candidate = (part.reshape(steps, batch, -1) for part in self._read(*flat))
        for step in range(steps):
            before = hidden
            hidden = (hidden + enter[step] * (candidate[step] - hidden)) * begun[step]
            outputs[step] *= hidden
        if self._adds:
            outputs += inputs
        return outputs, (before, last[-1]), (hidden, inputs[-1] * begun[-1])

    def _read(
        self, inputs: Float[np.ndarray, "b i"], before: Float[np.ndarray, "b i"]
    ) -> tuple[Float[np.ndarray, "b w"], Float[np.ndarray, "b w"], Float[np.ndarray, "b w"]]:
        """Return how much enters the state, how much leaves it, and the candidate."""
        gates = self._gates(inputs + self._look_back * before)
        enter, leave, candidate = (gates[:, n * self._width : (n + 1) * self._width] for n in range(3))
        return sigmoid(enter), leave * sigmoid(leave), candidate


Layer = Lstm | GatedRecurrence


def make_layer(cell: str, weights: Weights, name: str) -> Layer:
    """Return the recurrent layer called `name` of a checkpoint; SettingError for cells of torch alone."""
    if cell == "lstm":
        return Lstm(weights, name)
    if cell == "gated":
        return GatedRecurrence(weights, name)
    known = " or ".join(CELLS)
    raise SettingError(
        f"networks of {cell} cells can only be trained; use a checkpoint of {known} cells, or train one"
    )


def sigmoid(logit: Float[np.ndarray, "*b"]) -> Float[np.ndarray, "*b"]:
    """Return the probability of a logit, without overflow."""
    return 0.5 + 0.5 * np.tanh(0.5 * logit)


class Cache:
    """What is kept of the steps so far of b drawings, to attend to and to point at.

    Attributes:
        count: t, steps that are kept; of the columns of the arrays the first ones.
        start: first column of each drawing.
        arrays: (b, capacity, _) each; `key` and `value` of the self-attention, `pointer`, the keys of the
            points, and `point`, px from the frame's centre, where the pen was before each step.
    """

    def __init__(self, count: int, start: Start, arrays: dict[str, np.ndarray]) -> None:
        self.count, self.start, self.arrays = count, start, arrays

    @classmethod
    def empty(cls, batch: int, attention: int, pointers: int, start: Start = None) -> Cache:
        """Return the cache before the first step, for keys of these widths."""
        widths = {"key": attention, "value": attention, "pointer": pointers}
        arrays = {name: np.zeros((batch, CAPACITY, width), np.float32) for name, width in widths.items()}
        return cls(0, start, arrays | {"point": np.zeros((batch, CAPACITY, 2))})

    def reserve(self, steps: int) -> None:
        """Make room for so many further steps."""
        capacity = self.arrays["point"].shape[1]
        if self.count + steps > capacity:
            more = max(capacity, self.count + steps - capacity)
            for name, array in self.arrays.items():
                self.arrays[name] = np.pad(array, ((0, 0), (0, more), (0, 0)))

    def take(self, rows: Rows) -> Cache:
        """Return copies of some rows, in that order."""
        start = None if self.start is None else self.start[rows]
        return Cache(self.count, start, {name: array[rows] for name, array in self.arrays.items()})

    @staticmethod
    def join(caches: Sequence[Cache]) -> Cache:
        """Return the rows of several caches one after the other, right-aligned."""
        count = max(cache.count for cache in caches)
        starts, parts = [], []
        for cache in caches:
            moved = count - cache.count
            starts.append(np.full(len(cache.arrays["point"]), moved))
            if cache.start is not None:
                starts[-1] += cache.start
            pad = ((0, 0), (moved, CAPACITY), (0, 0))
            parts.append({name: np.pad(each[:, : cache.count], pad) for name, each in cache.arrays.items()})
        start = np.concatenate(starts)
        arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return Cache(count, start if start.any() else None, arrays)


class SelfAttention:
    """Attention of each step to itself and all earlier ones; see `sketchgen.models.layers.SelfAttention`."""

    def __init__(self, weights: Weights) -> None:
        self._asked = Linear.of(weights, *(f"stack.recall.{name}" for name in ("query", "key", "value")))
        self._out = Linear.of(weights, "stack.recall.out")
        self._inner = len(weights["stack.recall.query.bias"])
        self._scale = np.float32(1.0 / np.sqrt(self._inner // RECALL_HEADS))

    def step(self, outputs: Float[np.ndarray, "b w"], cache: Cache) -> Float[np.ndarray, "b w"]:
        """Return what a step attends to; its key and value are put into the cache, at `count`."""
        batch, width, count = len(outputs), self._inner, cache.count + 1
        asked = self._asked(outputs)
        cache.arrays["key"][:, cache.count] = asked[:, width : 2 * width]
        cache.arrays["value"][:, cache.count] = asked[:, 2 * width :]
        query = (asked[:, :width] * self._scale).reshape(batch, RECALL_HEADS, 1, -1)
        key, value = (
            cache.arrays[name][:, :count].reshape(batch, count, RECALL_HEADS, -1) for name in ("key", "value")
        )
        score = query @ key.transpose(0, 2, 3, 1)
        if cache.start is not None:
            score += np.where(np.arange(count) < cache.start[:, None], _IMPOSSIBLE, _ZERO)[:, None, None]
        _softmax(score)
        return self._out((score @ value.transpose(0, 2, 1, 3)).reshape(batch, -1))

    def run(self, outputs: Float[np.ndarray, "n b w"], cache: Cache) -> Float[np.ndarray, "n b w"]:
        """Return what each of the first n steps attends to; their keys and values are put into the cache."""
        steps, batch = outputs.shape[:2]
        asked = self._asked(outputs.reshape(steps * batch, -1))
        asked = asked.reshape(steps, batch, 3, RECALL_HEADS, -1).transpose(2, 1, 3, 0, 4)
        for name, part in zip(("key", "value"), asked[1:], strict=True):
            cache.arrays[name][:, :steps] = part.transpose(0, 2, 1, 3).reshape(batch, steps, -1)
        query, key, value = asked
        score = (query * self._scale) @ key.swapaxes(-1, -2)
        score += np.triu(np.full((steps, steps), _IMPOSSIBLE), 1)
        if cache.start is not None:
            score += np.where(np.arange(steps) < cache.start[:, None], _IMPOSSIBLE, _ZERO)[:, None, None]
        _softmax(score)
        found = (score @ value).transpose(2, 0, 1, 3).reshape(steps * batch, -1)
        return self._out(found).reshape(steps, batch, -1)


_IMPOSSIBLE, _ZERO = np.float32(IMPOSSIBLE), np.float32(0.0)


def _softmax(score: Float[np.ndarray, "*b t"]) -> None:
    """Replace scores by shares that sum to 1 over the last axis."""
    score -= score.max(-1, keepdims=True)
    np.exp(score, out=score)
    score /= score.sum(-1, keepdims=True)
