"""Recurrent cells in numpy, with the equations and the weights of torch's: LSTM, GRU and the tanh network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from sketchgen.generate.distribution import sigmoid
from sketchgen.model.pretrained import Weights

CellState = tuple[Float[np.ndarray, "b w"], ...]
"""Hidden and cell state for the LSTM, hidden state for the others."""

Values = Float[np.ndarray, "b g"]


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


class Cell:
    """A recurrent layer."""

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

    def project(self, inputs: Float[np.ndarray, "*b i"]) -> Float[np.ndarray, "*b g"]:
        """What the inputs of one step, or of many at once, add to the gates."""
        return inputs @ self._inputs + self._input_bias

    def step(self, projected: Values, state: CellState) -> CellState:
        """The state after a step whose inputs were projected; its first part is the layer's output."""
        return self._after(projected, state[0] @ self._recurrent + self._recurrent_bias, state)

    def run(
        self, inputs: Float[np.ndarray, "n b i"], state: CellState
    ) -> tuple[Float[np.ndarray, "n b w"], CellState]:
        """The outputs of n steps, and the state after them."""
        outputs = []
        for projected in self.project(inputs):
            state = self.step(projected, state)
            outputs.append(state[0])
        return np.stack(outputs), state
