"""Types in which exported weights are stored."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int8

from sketchgen.errors import SettingError
from sketchgen.models.checkpoint import Weights

PRECISIONS = ("float32", "float16", "int8")
"""Types in which weights are stored. With int8 each row of a matrix has a scale, and vectors are float16."""


def check_precision(precision: str) -> None:
    """Raise a SettingError for an unknown precision."""
    if precision not in PRECISIONS:
        raise SettingError(f"no precision {precision!r}; there are {', '.join(PRECISIONS)}")


def quantised(value: Float[np.ndarray, "o i"]) -> tuple[Int8[np.ndarray, "o i"], Float[np.ndarray, " o"]]:
    """Return a matrix as whole numbers from -127 to 127, and the float32 scale of each row."""
    scale = np.maximum(np.abs(value).max(1), 1e-12).astype(np.float32) / np.float32(127.0)
    return np.rint(value / scale[:, None]).astype(np.int8), scale


def rounded(weights: Weights, precision: str) -> Weights:
    """Return weights as they are read back from a file in this precision."""
    check_precision(precision)
    found: Weights = {}
    for name, value in weights.items():
        if precision == "int8" and value.ndim == 2:
            whole, scale = quantised(value)
            found[name] = whole * scale[:, None]
        else:
            found[name] = value if precision == "float32" else value.astype(np.float16).astype(np.float32)
    return found
