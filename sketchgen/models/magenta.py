"""The networks that Google published for its Sketch-RNN demo, as our own.

An LSTM and a mixture of twenty components, one category or a few a file (Ha and Eck 2017): by itself
(`*.gen.json`), or with a latent vector and the bidirectional encoder that reads drawings for it
(`*.vae.json`). They were trained on drawings in a box of 1000 units, simplified with a tolerance of 2, whose
first point was left out: what they read first, after a start of zeros, is the offset of the second point.
The order of the tensors is that of `load_model` in Magenta's sketch_rnn.js.

All of it is weights of `sketchgen.models.stroke_model`, exactly:

- The LSTM reads offset and pen themselves. Ours reads silu of them and of their negatives, whose difference
  they are: silu(x) - silu(-x) = x.
- Before the first point ours takes one step more. In it, the only one that reads END, the input gates are
  shut, so that the state stays 0; a further unit fires, by which the head puts the first point where drawings
  begin. At the next step that unit is 0 again, and the published network starts.
- A latent vector is one more input, and cells and hidden state start at tanh of a product of it. The further
  step sets them: the cells as they are; the hidden state by as many units more, whose own state is so small
  that tanh leaves it alone. What is to be read at that step only passes units of the embedding that are far
  below 0 at all others.
- The encoder reads zeros of the first point. Backwards they come last, and units more keep what the hidden
  state was before them. Forwards they come first, and the input gates are shut.
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

DECODER_TENSORS, ALL_TENSORS = 5, 17
"""How many tensors a decoder has, and how many with the encoder, which comes first."""

MIN_VERSION = 6
"""Before it, a latent vector was passed through tanh in some places of the demo and not in others."""

FIRST_MEAN, FIRST_SIGMA = (-56.0, -60.0), (66.0, 61.0)
"""Where real drawings begin, px from the centre of the 255 box: the mean of 20,000, and the deviation."""

FURTHER = 8
"""Units that are added, of which one fires: rows of a multiple of eight numbers are faster."""

SHUT = 100.0
"""Logit at which a gate is open, and at minus which it is shut."""

BELOW = 32.0
"""By how much the input of silu is lowered for nothing to come out."""

TINY = 2.0**-10
"""What a state is multiplied by for tanh to leave it alone: to float32 the square of this is nothing."""

ENTER, FORGET, CANDIDATE, LEAVE = range(4)
"""Gates of an LSTM in torch's order."""

TENSORFLOW_ORDER = [0, 2, 1, 3]
"""Where these stand in TensorFlow's."""

START = INPUTS - 1
"""The number that is 1 before the first point only: the pen at END."""

_REMEDY = "get it again with sketchgen download magenta"

Tensor = Float[np.ndarray, "..."]


def read_magenta(path: str | os.PathLike[str]) -> Checkpoint[ModelConfig]:
    """Read a published network as a checkpoint of one category.

    Raises:
        CheckpointError: no such file, or none of these networks; the message says what is wrong.
    """
    try:
        with Path(path).open("rb") as file:
            data = orjson.loads(read_limited(file, str(path)))
        info, tensors = _content(data)
        config = _config(info, tensors)
    except (OSError, ValueError, TypeError, FormatError, SettingError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        kinds = f"*{SUFFIX}, *{VAE_SUFFIX}"
        raise CheckpointError(f"{shown(path)} is no Sketch-RNN of Magenta's ({kinds}): {why}") from error
    kind = "the autoencoder" if config.latent else "a decoder"
    summary = {
        "imported_from": Path(path).name,
        "trained_by": f"Google, as {kind} for its Sketch-RNN demo (Ha and Eck 2017)",
        "license": "unknown",
    }
    return Checkpoint(os.fspath(path), config, _weights(config, tensors), summary)


def _content(data: Any) -> tuple[dict[str, Any], list[Tensor]]:
    """Return information and tensors of a file, in its order."""
    if not (isinstance(data, list) and len(data) == 3 and isinstance(data[0], dict)):
        raise ValueError("it must hold information, shapes and weights")
    info, shapes, texts = data
    if not (isinstance(shapes, list) and isinstance(texts, list) and len(shapes) == len(texts)):
        raise ValueError("it must have as many shapes as weights")
    if len(shapes) == ALL_TENSORS and not (info.get("version") or 0) >= MIN_VERSION:
        raise ValueError(f"its version is {str(info.get('version'))[:40]}, not {MIN_VERSION} or later")
    expected = _shapes(shapes)
    if shapes != expected:
        raise ValueError(f"its shapes are {str(shapes)[:80]}, not {expected}")
    return info, [_tensor(*each) for each in zip(texts, shapes, strict=True)]


def _shapes(shapes: list[Any]) -> list[list[int]]:
    """Return the shapes that the sizes in a file's shapes demand."""
    if len(shapes) not in (DECODER_TENSORS, ALL_TENSORS):
        raise ValueError(f"it has {len(shapes)} tensors, not {DECODER_TENSORS} or {ALL_TENSORS}")
    width, outputs = _pair(shapes, -DECODER_TENSORS, "units x outputs")
    if (outputs - PENS) % KINDS:
        raise ValueError(f"it has {outputs} outputs, not {PENS} and {KINDS} for each component")
    latent, encoder = 0, []
    if len(shapes) == ALL_TENSORS:
        both, latent = _pair(shapes, 6, "units in both directions x latent numbers")
        each = both // 2
        cell = [[INPUTS, 4 * each], [each, 4 * each], [4 * each]]
        encoder = [*cell, *cell, *[[2 * each, latent], [latent]] * 2, [latent, 2 * width], [2 * width]]
    decoder = [[INPUTS + latent, 4 * width], [width, 4 * width], [4 * width]]
    return [*encoder, [width, outputs], [outputs], *decoder]


def _pair(shapes: list[Any], index: int, what: str) -> tuple[int, int]:
    """Return the two sizes of a shape."""
    shape = shapes[index]
    if not (isinstance(shape, list) and len(shape) == 2 and all(type(size) is int for size in shape)):
        raise ValueError(f"shape {index % len(shapes)} is {str(shape)[:40]}, not {what}")
    return shape[0], shape[1]


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
    *encoder, _, head_bias, inputs, recurrent, _ = tensors
    latent = len(inputs) - INPUTS
    return ModelConfig(
        (known.get(own.lower(), own),),
        layers=1,
        width=(2 if latent else 1) * len(recurrent) + FURTHER,
        components=(len(head_bias) - PENS) // KINDS,
        embedding=2 * (INPUTS + 2 * latent),
        encoder_width=0,
        dropout=0.0,
        offset_scale=float(scale) * BOX / SIDE,
        inputs="moves",
        pen="softmax",
        latent=latent,
        latent_encoder=2 * len(encoder[1]) if latent else ModelConfig.latent_encoder,
    )


class _Layer:
    """Weights of a layer of torch that holds a published LSTM as its first units."""

    def __init__(self, tensors: Sequence[Tensor], wide: int, reads: int) -> None:
        inputs, recurrent, gate_bias = tensors
        self.own = slice(len(recurrent))
        self.read = np.zeros((4, wide, reads), np.float32)
        self.back = np.zeros((4, wide, wide), np.float32)
        self.bias = np.zeros((4, wide), np.float32)
        width = len(recurrent)
        self.read[:, self.own, : len(inputs)] = inputs.T.reshape(4, width, -1)[TENSORFLOW_ORDER]
        self.back[:, self.own, self.own] = recurrent.T.reshape(4, width, width)[TENSORFLOW_ORDER]
        self.bias[:, self.own] = gate_bias.reshape(4, width)[TENSORFLOW_ORDER]
        # TensorFlow adds it at every step.
        self.bias[FORGET, self.own] += 1.0

    def weights(self, name: str) -> Weights:
        """Return them by name."""
        joined = self.bias.size
        return {
            f"{name}.weight_ih_l0": self.read.reshape(joined, -1),
            f"{name}.weight_hh_l0": self.back.reshape(joined, -1),
            f"{name}.bias_ih_l0": self.bias.ravel(),
            f"{name}.bias_hh_l0": np.zeros(joined, np.float32),
        }


def _weights(config: ModelConfig, tensors: Sequence[Tensor]) -> Weights:
    """Return the weights of a network of ours that is the same."""
    *encoder, head, head_bias, inputs, recurrent, gate_bias = tensors
    latent, fires = config.latent, config.width - FURTHER
    layer = _Layer((inputs, recurrent, gate_bias), config.width, INPUTS + 2 * latent)
    layer.read[:, :, START] = 0.0
    if latent:
        _begin_by_latent(layer, latent, *encoder[-2:])
    else:
        layer.read[ENTER, layer.own, START] = -SHUT
    layer.bias[[ENTER, FORGET, LEAVE], fires] = -SHUT
    layer.read[[ENTER, LEAVE], fires, START] = 2.0 * SHUT
    layer.read[CANDIDATE, fires, START] = SHUT
    layer.read = np.concatenate([layer.read, -layer.read], -1)
    out = np.zeros((len(head_bias) - 1, config.width), np.float32)
    out[:, layer.own], out_bias = _against_drawing(head.T), _against_drawing(head_bias)
    out[:, fires] = (_first_point(config) - out_bias) / math.tanh(1.0)
    # What the layer reads: the step, the vector, and the vector once more, before the first point only.
    once = np.arange(config.embedding // 2) >= INPUTS + latent
    step = np.eye(len(once), INPUTS, dtype=np.float32)
    step, negative = step.copy(), -step
    step[once, START] = negative[once, START] = BELOW
    nothing = np.zeros(config.embedding, np.float32)
    found = {
        "read.weight": np.concatenate([step, negative]),
        "read.bias": np.tile(np.where(once, np.float32(-BELOW), np.float32(0.0)), 2),
        "encoder.nothing": nothing,
        "category.weight": np.zeros((2, config.embedding), np.float32),
        **layer.weights("stack.layers.0"),
        "head.weight": out,
        "head.bias": out_bias,
    }
    return found | _latent(config, encoder) if latent else found


def _begin_by_latent(layer: _Layer, latent: int, start: Tensor, start_bias: Tensor) -> None:
    """Let the step before the first point set cells and hidden state by the latent vector."""
    width, own = len(start_bias) // 2, layer.own
    held = slice(width, 2 * width)
    always, once = slice(INPUTS, INPUTS + latent), slice(INPUTS + latent, None)
    cell, hidden = np.split(start.T, 2)
    cell_bias, hidden_bias = np.split(start_bias, 2)
    layer.read[ENTER, own, START], layer.read[LEAVE, own, START] = SHUT, -SHUT
    layer.read[CANDIDATE, own, START] = cell_bias - layer.bias[CANDIDATE, own]
    layer.read[CANDIDATE, own, once] = cell - layer.read[CANDIDATE, own, always]
    layer.bias[[ENTER, FORGET], held], layer.bias[LEAVE, held] = -SHUT, SHUT
    layer.read[ENTER, held, START] = SHUT + math.log(TINY / (1.0 - TINY))
    layer.read[CANDIDATE, held, always], layer.bias[CANDIDATE, held] = hidden, hidden_bias
    layer.back[:, own, held] = layer.back[:, own, own] / TINY


def _latent(config: ModelConfig, tensors: Sequence[Tensor]) -> Weights:
    """Return the weights around the latent vector, whose prior is the standard normal distribution."""
    found: Weights = {}
    wide, latent = config.latent_encoder, config.latent
    units = wide // 2
    for way, at in (("forwards", 0), ("backwards", 3)):
        layer = _Layer(tensors[at : at + 3], wide, INPUTS)
        layer.read[ENTER, layer.own, -PENS:] += SHUT
        layer.bias[ENTER, layer.own] -= SHUT
        layer.bias[[ENTER, LEAVE], units:], layer.bias[FORGET, units:] = SHUT, -SHUT
        layer.back[CANDIDATE, units:, layer.own] = TINY * np.eye(units)
        found |= layer.weights(f"latent.posterior.{way}")
    mean, mean_bias, log_variance, log_variance_bias = tensors[6:10]
    project = np.zeros((2 * latent, 4, units), np.float32)
    rows = np.concatenate([mean.T, log_variance.T / 2.0])
    project[:, 0], project[:, 3] = rows[:, :units], rows[:, units:] / TINY
    shapes = config.weight_shapes()
    zeros = {
        name: np.zeros(shape, np.float32) for name, shape in shapes.items() if name.startswith("latent.")
    }
    enter = np.tile(np.eye(latent, dtype=np.float32), (2, 1))
    nothing = np.zeros((INPUTS, latent), np.float32)
    return (
        zeros
        | found
        | {
            "latent.posterior.project.weight": project.reshape(2 * latent, -1),
            "latent.posterior.project.bias": np.concatenate([mean_bias, log_variance_bias / 2.0]),
            "latent.enter.weight": np.concatenate([nothing, enter, nothing, -enter]),
        }
    )


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
