"""Decoders in the form in which Google published its own, tiny and with random weights; and what they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

Tensors = list[Float[np.ndarray, "..."]]


def content(name: str = "sheep", width: int = 16, components: int = 20, seed: int = 0) -> list[Any]:
    """The JSON of a decoder."""
    outputs = 3 + 6 * components
    shapes = [[width, outputs], [outputs], [5, 4 * width], [width, 4 * width], [4 * width]]
    random = np.random.default_rng(seed)
    numbers = [random.normal(0.0, 1500.0, shape).astype("<i2") for shape in shapes]
    texts = [base64.b64encode(each.tobytes()).decode() for each in numbers]
    return [{"mode": 2, "version": 6, "name": name, "scale_factor": 63.1, "max_seq_len": 156}, shapes, texts]


def published(folder: Path, name: str = "sheep", **sizes: int) -> Path:
    """The path of a file with such a decoder."""
    path = folder / f"{name}.gen.json"
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
        self._tensors = [10.0 * each.reshape(shape) / 32767 for each, shape in zip(raw, shapes, strict=True)]

    def read(self, steps: Sequence[tuple[float, float, int]]) -> list[dict[str, Float[np.ndarray, ...]]]:
        """Return the distributions before each step (offset in units of the 1000 box, pen) and after all."""
        _, _, inputs, recurrent, bias = self._tensors
        hidden = cell = np.zeros(len(recurrent))
        read, found = np.zeros(5), []
        for step in [*steps, None]:
            gates = read @ inputs + hidden @ recurrent + bias
            enter, candidate, forget, leave = np.split(gates, 4)
            cell = cell * _sigmoid(forget + 1.0) + _sigmoid(enter) * np.tanh(candidate)
            hidden = _sigmoid(leave) * np.tanh(cell)
            found.append(self._distribution(hidden))
            if step is not None:
                read = np.array([step[0] / self.scale, step[1] / self.scale, *np.eye(3)[step[2]]])
        return found

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


def _sigmoid(values: Float[np.ndarray, " w"]) -> Float[np.ndarray, " w"]:
    return 1.0 / (1.0 + np.exp(-values))


def _softmax(values: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    shares = np.exp(values - values.max())
    return shares / shares.sum()
