"""The decoders that Google published for its Sketch-RNN demo (`*.gen.json`), as our own network.

An LSTM and a mixture of twenty components, one category or a few a file, no conditioning (Ha and Eck 2017).
They were trained on drawings in a box of 1000 units, simplified with a tolerance of 2, whose first point was
left out: what they read first, after a start of zeros, is the offset of the second point.

All of it is weights of `sketchgen.models.stroke_model`, exactly:

- The LSTM reads offset and pen themselves. Ours reads silu of them and of their negatives, whose difference
  they are: silu(x) - silu(-x) = x.
- Before the first point ours takes one step more. In it, the only one that reads END, the input gates are
  shut, so that the state stays 0; a further unit fires, by which the head puts the first point where drawings
  begin. At the next step that unit is 0 again, and the published network starts.
"""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from jaxtyping import Float

from sketchgen.errors import CheckpointError, FormatError, SettingError
from sketchgen.models.checkpoint import Checkpoint, Weights
from sketchgen.models.config import ModelConfig
from sketchgen.resources import categories
from sketchgen.sketch.files import read_limited, reason, shown
from sketchgen.sketch.geometry import BOX

SUFFIX, VAE_SUFFIX = ".gen.json", ".vae.json"

SIDE = 1000.0
"""Side of the box, in their units, that the training drawings filled."""

LARGEST = 10.0
"""What the greatest of the whole numbers in a file stands for."""

INPUTS, PENS, KINDS = 5, 3, 6
"""Numbers that are read (offset and pen); logits of the pen; parameters of a component."""

VAE_TENSORS = 17

FIRST_MEAN, FIRST_SIGMA = (-56.0, -60.0), (66.0, 61.0)
"""Where real drawings begin, px from the centre of the 255 box: the mean of 20,000, and the deviation."""

FURTHER = 8
"""Units that are added, of which one fires: rows of a multiple of eight numbers are faster."""

SHUT = 100.0
"""Logit at which a gate is open, and at minus which it is shut."""

ENTER, FORGET, CANDIDATE, LEAVE = range(4)
"""Gates of an LSTM in torch's order."""

TENSORFLOW_ORDER = [0, 2, 1, 3]
"""Where these stand in TensorFlow's."""

START = INPUTS - 1
"""The number that is 1 before the first point only: the pen at END."""

_REMEDY = "get it again with sketchgen download magenta"

Tensor = Float[np.ndarray, "..."]


def read_magenta(path: str | os.PathLike[str]) -> Checkpoint[ModelConfig]:
    """Read a published decoder as a checkpoint of one category.

    Raises:
        CheckpointError: no such file, or none of these decoders; the message says what is wrong.
    """
    try:
        with Path(path).open("rb") as file:
            data = orjson.loads(read_limited(file, str(path)))
        info, tensors = _content(data)
        config = _config(info, tensors)
    except (OSError, ValueError, TypeError, FormatError, SettingError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise CheckpointError(f"{shown(path)} is no decoder of Magenta's (*{SUFFIX}): {why}") from error
    summary = {
        "imported_from": Path(path).name,
        "trained_by": "Google, as a decoder for its Sketch-RNN demo (Ha and Eck 2017)",
        "license": "unknown",
    }
    return Checkpoint(os.fspath(path), config, _weights(config, tensors), summary)


def _content(data: Any) -> tuple[dict[str, Any], list[Tensor]]:
    """Return information and tensors of a file: output, its bias, input, recurrence and their bias."""
    if not (isinstance(data, list) and len(data) == 3 and isinstance(data[0], dict)):
        raise ValueError("it must hold information, shapes and weights")
    info, shapes, texts = data
    if not (isinstance(shapes, list) and isinstance(texts, list) and len(shapes) == len(texts)):
        raise ValueError("it must have as many shapes as weights")
    if len(shapes) == VAE_TENSORS:
        raise ValueError(f"it has an encoder, too (*{VAE_SUFFIX}); import the {SUFFIX} of the same name")
    width, outputs = _sizes(shapes)
    expected = [[width, outputs], [outputs], [INPUTS, 4 * width], [width, 4 * width], [4 * width]]
    if shapes != expected:
        raise ValueError(f"its shapes are {str(shapes)[:80]}, not {expected}")
    return info, [_tensor(*each) for each in zip(texts, shapes, strict=True)]


def _sizes(shapes: list[Any]) -> tuple[int, int]:
    """Return the width of the LSTM and the number of outputs that the first shape tells."""
    first = shapes[0] if shapes else None
    if not (isinstance(first, list) and len(first) == 2 and all(type(size) is int for size in first)):
        raise ValueError(f"its first shape is {str(first)[:40]}, not units x outputs")
    if (first[1] - PENS) % KINDS:
        raise ValueError(f"it has {first[1]} outputs, not {PENS} and {KINDS} for each component")
    return first[0], first[1]


def _tensor(text: Any, shape: Sequence[int]) -> Tensor:
    """Decode a tensor of two-byte whole numbers in base64."""
    data = base64.b64decode(text, validate=True)
    if len(data) != 2 * math.prod(shape):
        raise ValueError(f"weights of shape {list(shape)} have {len(data)} bytes; {_REMEDY}")
    numbers = np.frombuffer(data, dtype="<i2").astype(np.float32)
    return (numbers * np.float32(LARGEST / 32767)).reshape(shape)


def _config(info: dict[str, Any], tensors: Sequence[Tensor]) -> ModelConfig:
    """Return the configuration of a network of ours that is the same."""
    scale, name = info.get("scale_factor"), info.get("name")
    if not isinstance(scale, int | float):
        raise ValueError(f"its scale_factor is {str(scale)[:40]!r}, not a number")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"its name is {str(name)[:40]!r}, not that of a category")
    own = name.replace("_", " ").strip()
    known = {each.lower(): each for each in categories()}
    return ModelConfig(
        (known.get(own.lower(), own),),
        layers=1,
        width=len(tensors[3]) + FURTHER,
        components=(len(tensors[1]) - PENS) // KINDS,
        embedding=2 * INPUTS,
        encoder_width=0,
        dropout=0.0,
        offset_scale=float(scale) * BOX / SIDE,
        inputs="moves",
        pen="softmax",
    )


def _weights(config: ModelConfig, tensors: Sequence[Tensor]) -> Weights:
    """Return the weights of a network of ours that is the same."""
    head, head_bias, inputs, recurrent, gate_bias = tensors
    wide, width = config.width, len(recurrent)
    read = np.zeros((4, wide, INPUTS), np.float32)
    back = np.zeros((4, wide, wide), np.float32)
    bias = np.zeros((4, wide), np.float32)
    read[:, :width] = inputs.T.reshape(4, width, INPUTS)[TENSORFLOW_ORDER]
    back[:, :width, :width] = recurrent.T.reshape(4, width, width)[TENSORFLOW_ORDER]
    bias[:, :width] = gate_bias.reshape(4, width)[TENSORFLOW_ORDER]
    # TensorFlow adds it at every step.
    bias[FORGET, :width] += 1.0
    read[:, :, START] = 0.0
    read[ENTER, :width, START] = -SHUT
    fires = width
    bias[[ENTER, FORGET, LEAVE], fires] = -SHUT
    read[[ENTER, LEAVE], fires, START] = 2.0 * SHUT
    read[CANDIDATE, fires, START] = SHUT
    joined = read.reshape(4 * wide, INPUTS)
    out = np.zeros((len(head_bias) - 1, wide), np.float32)
    out[:, :width], out_bias = _against_drawing(head.T), _against_drawing(head_bias)
    out[:, fires] = (_first_point(config) - out_bias) / math.tanh(1.0)
    one = np.eye(INPUTS, dtype=np.float32)
    nothing = np.zeros(config.embedding, np.float32)
    return {
        "read.weight": np.concatenate([one, -one]),
        "read.bias": nothing,
        "encoder.nothing": nothing,
        "category.weight": np.zeros((2, config.embedding), np.float32),
        "stack.layers.0.weight_ih_l0": np.concatenate([joined, -joined], 1),
        "stack.layers.0.weight_hh_l0": back.reshape(4 * wide, wide),
        "stack.layers.0.bias_ih_l0": bias.ravel(),
        "stack.layers.0.bias_hh_l0": np.zeros(4 * wide, np.float32),
        "head.weight": out,
        "head.bias": out_bias,
    }


def _against_drawing(rows: Tensor) -> Tensor:
    """Return outputs in our order: the logits of ending and of lifting are those against drawing on."""
    down, up, end = rows[:1], rows[1:2], rows[2:PENS]
    return np.concatenate([end - down, rows[PENS:], up - down])


def _first_point(config: ModelConfig) -> Float[np.ndarray, " p"]:
    """Return outputs for the place of the first point, with the pen down."""
    scale = config.offset_scale
    mean = (each / scale for each in FIRST_MEAN)
    sigma = (math.log(each / scale) for each in FIRST_SIGMA)
    kinds = np.repeat([0.0, *mean, *sigma, 0.0], config.components)
    return np.concatenate([[0.0], kinds, [-SHUT]]).astype(np.float32)
