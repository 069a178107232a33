"""Recurrent layers in numpy: LSTM, GRU and tanh network as torch has them, and the gated linear recurrence.

Equations and weights are those that were learned with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.models.checkpoint import Weights
from sketchgen.models.features import GATES
from sketchgen.models.numpy_mixture import sigmoid

CellState = tuple[Float[np.ndarray, "b _"], ...]
"""What a layer's next step needs: hidden and cell state for the LSTM, hidden state for the GRU and the tanh
network, state and last inputs (as wide as the layer's inputs) for the gated recurrence."""

Values = Float[np.ndarray, "b g"]
Lengths = Int[np.ndarray, " b"]


def _where(going: Bool[np.ndarray, " b"], after: CellState, before: CellState) -> CellState:
    """The states of drawings of which some go on."""
    return tuple(np.where(going[:, None], new, old) for new, old in zip(after, before, strict=True))


def _lstm(inputs: Values, recurrent: Values, state: CellState) -> CellState:
    """Hochreiter and Schmidhuber 1997 with Gers's forget gate; torch's order: in, forget, candidate, out."""
    width = state[0].shape[-1]
    gates = inputs + recurrent
    opened = sigmoid(gates[:, : 2 * width])
    candidate = np.tanh(gates[:, 2 * width : 3 * width])
    cell = opened[:, width:] * state[1] + opened[:, :width] * candidate
    return sigmoid(gates[:, 3 * width :]) * np.tanh(cell), cell


def _gru(inputs: Values, recurrent: Values, state: CellState) -> CellState:
    """Cho et al. 2014 as torch computes it: the reset gate acts on the candidate's recurrent part."""
    (hidden,) = state
    width = hidden.shape[-1]
    opened = sigmoid(inputs[:, : 2 * width] + recurrent[:, : 2 * width])
    reset, keep = opened[:, :width], opened[:, width:]
    candidate = np.tanh(inputs[:, 2 * width :] + reset * recurrent[:, 2 * width :])
    return ((1.0 - keep) * candidate + keep * hidden,)


def _rnn(inputs: Values, recurrent: Values, state: CellState) -> CellState:
    """Elman 1990."""
    return (np.tanh(inputs + recurrent),)


_KINDS: dict[str, Callable[[Values, Values, CellState], CellState]] = {
    "lstm": _lstm,
    "gru": _gru,
    "rnn": _rnn,
}


@runtime_checkable
class Layer(Protocol):
    """A recurrent layer."""

    def begin(self, batch: int) -> CellState:
        """The state before the first step of `batch` drawings."""
        ...

    def step(
        self, inputs: Float[np.ndarray, "b i"], state: CellState
    ) -> tuple[Float[np.ndarray, "b w"], CellState]:
        """The output of a step, and the state after it."""
        ...

    def run(
        self, inputs: Float[np.ndarray, "n b i"], state: CellState, length: Lengths | None = None
    ) -> tuple[Float[np.ndarray, "n b w"], CellState]:
        """The outputs of n steps, and the state after them, or after `length` steps of each drawing."""
        ...


class Cell:
    """A recurrent layer of torch's; see `Layer`."""

    def __init__(self, kind: str, weights: Weights, name: str) -> None:
        """Take the layer called `name` from a checkpoint's weights."""
        self._after = _KINDS[kind]
        self._parts = 2 if kind == "lstm" else 1
        # Transposed once: the products of a step read them in this order.
        self._inputs = np.ascontiguousarray(weights[f"{name}.weight_ih_l0"].T)
        self._recurrent = np.ascontiguousarray(weights[f"{name}.weight_hh_l0"].T)
        self._input_bias = weights[f"{name}.bias_ih_l0"]
        self._recurrent_bias = weights[f"{name}.bias_hh_l0"]

    def begin(self, batch: int) -> CellState:
        """The state before the first step."""
        zero = np.zeros((batch, len(self._recurrent)), dtype=np.float32)
        return (zero,) * self._parts

    def step(
        self, inputs: Float[np.ndarray, "b i"], state: CellState
    ) -> tuple[Float[np.ndarray, "b w"], CellState]:
        """The output of a step, and the state after it."""
        state = self._next(self._project(inputs), state)
        return state[0], state

    def run(
        self, inputs: Float[np.ndarray, "n b i"], state: CellState, length: Lengths | None = None
    ) -> tuple[Float[np.ndarray, "n b w"], CellState]:
        """The outputs of n steps, and the state after them, or after `length` steps of each drawing."""
        outputs = []
        for step, projected in enumerate(self._project(inputs)):
            after = self._next(projected, state)
            state = after if length is None else _where(step < length, after, state)
            outputs.append(after[0])
        return np.stack(outputs), state

    def _project(self, inputs: Float[np.ndarray, "*b i"]) -> Float[np.ndarray, "*b g"]:
        """What the inputs of one step, or of many at once, add to the gates."""
        return inputs @ self._inputs + self._input_bias

    def _next(self, projected: Values, state: CellState) -> CellState:
        """The state after a step whose inputs were projected; its first part is the layer's output."""
        return self._after(projected, state[0] @ self._recurrent + self._recurrent_bias, state)


class GatedCell:
    """A gated linear recurrence; see `Layer`, and `sketchgen.models.layers.Gated` for what it is."""

    def __init__(self, weights: Weights, name: str) -> None:
        """Take the layer called `name` from a checkpoint's weights."""
        self._look_back = weights[f"{name}.look_back"]
        self._gates = np.ascontiguousarray(weights[f"{name}.gates.weight"].T)
        self._bias = weights[f"{name}.gates.bias"]
        self._width = len(self._bias) // GATES["gated"]

    def begin(self, batch: int) -> CellState:
        """The state before the first step: nothing remembered, nothing read."""
        return tuple(np.zeros((batch, size), np.float32) for size in (self._width, len(self._look_back)))

    def step(
        self, inputs: Float[np.ndarray, "b i"], state: CellState
    ) -> tuple[Float[np.ndarray, "b w"], CellState]:
        """The output of a step, and the state after it."""
        outputs, state = self.run(inputs[None], state)
        return outputs[0], state

    def run(
        self, inputs: Float[np.ndarray, "n b i"], state: CellState, length: Lengths | None = None
    ) -> tuple[Float[np.ndarray, "n b w"], CellState]:
        """The outputs of n steps, and the state after them, or after `length` steps of each drawing."""
        hidden, before = state
        befores = np.concatenate([before[None], inputs[:-1]])
        gates = (inputs + self._look_back * befores) @ self._gates + self._bias
        enter, leave, candidate = np.split(gates, GATES["gated"], -1)
        enter, outputs = sigmoid(enter), leave * sigmoid(leave)
        state = hidden, before
        for step, output in enumerate(outputs):
            after = hidden + enter[step] * (candidate[step] - hidden), inputs[step]
            state = after if length is None else _where(step < length, after, state)
            hidden = after[0]
            output *= hidden
        if inputs.shape[-1] == self._width:
            outputs += inputs
        return outputs, state


def make_cell(kind: str, weights: Weights, name: str) -> Layer:
    """The recurrent layer called `name` of a checkpoint; `kind` is one of `sketchgen.models.config.CELLS`."""
    return GatedCell(weights, name) if kind == "gated" else Cell(kind, weights, name)
