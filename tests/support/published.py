"""Networks in the form in which Google published its own, tiny and with random weights; and what they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

Numbers = Float[np.ndarray, "..."]


def content(
    name: str = "sheep", width: int = 16, components: int = 20, seed: int = 0, latent: int = 0
) -> list[Any]:
    """The JSON of a decoder; with a latent vector, of an autoencoder with 6 units in each direction."""
    outputs, units = 3 + 6 * components, 6
    shapes = [[width, outputs], [outputs], [5 + latent, 4 * width], [width, 4 * width], [4 * width]]
    if latent:
        cell = [[5, 4 * units], [units, 4 * units], [4 * units]]
        numbers = [[2 * units, latent], [latent]]
        shapes = [*cell, *cell, *numbers, *numbers, [latent, 2 * width], [2 * width], *shapes]
    random = np.random.default_rng(seed)
    numbers = [random.normal(0.0, 1500.0, shape).astype("<i2") for shape in shapes]
    texts = [base64.b64encode(each.tobytes()).decode() for each in numbers]
    mode = 0 if latent else 2
    info = {"mode": mode, "version": 6, "name": name, "scale_factor": 63.1, "max_seq_len": 156}
    return [info, shapes, texts]


def published(folder: Path, name: str = "sheep", **sizes: int) -> Path:
    """The path of a file with such a network."""
    path = folder / f"{name}.{'vae' if sizes.get('latent') else 'gen'}.json"
    path.write_text(json.dumps(content(name, **sizes), separators=(",", ":")))
    return path


class Published:
    """What a file means, as Magenta's demo reads it: TensorFlow's LSTM, and the densities of section 3.2.

    Attributes:
        scale: units of the 1000 box for one of its own.
    """

    def __init__(self, path: Path) -> None:
        info, shapes, texts = json.loads(path.read_text())
        self.scale = info["scale_factor"]
        raw = (np.frombuffer(base64.b64decode(text), "<i2").astype(float) for text in texts)
        tensors = [10.0 * each.reshape(shape) / 32767 for each, shape in zip(raw, shapes, strict=True)]
        self._encoder, self._tensors = tensors[:-5], tensors[-5:]

    def encode(self, steps: Sequence[tuple[float, float, int]]) -> tuple[Numbers, Numbers]:
        """Return mean and deviation of the latent vector of steps (offset in units of the 1000 box, pen)."""
        read = [self._read(step) for step in steps]
        last = []
        for cell, sequence in ((self._encoder[:3], read), (self._encoder[3:6], read[::-1])):
            hidden = state = np.zeros(len(cell[1]))
            for values in sequence:
                hidden, state = _lstm(values, hidden, state, *cell)
            last.append(hidden)
        mean, mean_bias, log_variance, bias = self._encoder[6:10]
        joined = np.concatenate(last)
        return joined @ mean + mean_bias, np.sqrt(np.exp(joined @ log_variance + bias))

    def read(
        self, steps: Sequence[tuple[float, float, int]], latent: Numbers | None = None
    ) -> list[dict[str, Float[np.ndarray, ...]]]:
        """Return the distributions before each step (offset in units of the 1000 box, pen) and after all."""
        hidden = cell = np.zeros(len(self._tensors[3]))
        vector = np.zeros(0)
        if latent is not None:
            vector = latent
            cell, hidden = np.split(np.tanh(latent @ self._encoder[10] + self._encoder[11]), 2)
        read, found = np.zeros(5), []
        for step in [*steps, None]:
            hidden, cell = _lstm(np.concatenate([read, vector]), hidden, cell, *self._tensors[2:])
            found.append(self._distribution(hidden))
            if step is not None:
                read = self._read(step)
        return found

    def _read(self, step: tuple[float, float, int]) -> Numbers:
        return np.array([step[0] / self.scale, step[1] / self.scale, *np.eye(3)[step[2]]])

    def _distribution(self, hidden: Float[np.ndarray, " w"]) -> dict[str, Float[np.ndarray, ...]]:
        out = hidden @ self._tensors[0] + self._tensors[1]
        weight, x, y, log_x, log_y, correlation = np.split(out[3:], 6)
        return {
            "pen": _softmax(out[:3]),
            "weight": _softmax(weight),
            "mean": np.stack([x, y], -1) * self.scale,
            "sigma": np.exp(np.stack([log_x, log_y], -1)) * self.scale,
            "rho": np.tanh(correlation),
        }


def _lstm(
    read: Numbers, hidden: Numbers, cell: Numbers, inputs: Numbers, recurrent: Numbers, bias: Numbers
) -> tuple[Numbers, Numbers]:
    """Return hidden state and cells after one step."""
    enter, candidate, forget, leave = np.split(read @ inputs + hidden @ recurrent + bias, 4)
    cell = cell * _sigmoid(forget + 1.0) + _sigmoid(enter) * np.tanh(candidate)
    return _sigmoid(leave) * np.tanh(cell), cell


def _sigmoid(values: Float[np.ndarray, " w"]) -> Float[np.ndarray, " w"]:
    return 1.0 / (1.0 + np.exp(-values))


def _softmax(values: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    shares = np.exp(values - values.max())
    return shares / shares.sum()
