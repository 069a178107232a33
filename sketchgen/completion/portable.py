"""The model for programs without Python: `model.json`, all that is needed to use it, and the weights.

`web/engine/` draws from such a folder; docs/javascript.md describes both files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sketchgen.completion import framing, guidance
from sketchgen.completion.completer import Completer, load
from sketchgen.completion.partial_sketch import REDRAWN, STOPPED_EARLY
from sketchgen.completion.sampler import NOISE_STEPS
from sketchgen.limits import LIMIT, TEMPERATURE
from sketchgen.models import features
from sketchgen.models.checkpoint import Weights
from sketchgen.models.config import ModelConfig
from sketchgen.models.quantising import check_precision, quantised
from sketchgen.models.recogniser import Recogniser, default_recogniser
from sketchgen.ranking.usual_ink import usual_ink
from sketchgen.sketch.files import check_replaceable, whole_folder
from sketchgen.sketch.geometry import BOX, CENTRE, GIVEN_SIDE

FORMAT, VERSION = "sketchgen-web-model", 1
MODEL, WEIGHTS = "model.json", "model.bin"

ALIGNMENT = 4
"""Bytes of which the offset of each tensor is a multiple."""


def description(completer: Completer) -> dict[str, Any]:
    """Return all that is needed to draw with a model's network, plain JSON values.

    Lengths are px: of the 255 box where the frame is known, of the given part's own frame otherwise.
    A latent vector is left out: without one the network draws as one that has none.
    """
    config = completer.config
    left_out = ("categories", "dropout", "latent", "latent_encoder")
    network = {name: value for name, value in config.to_dict().items() if name not in left_out}
    return {
        "name": Path(completer.name).name,
        "categories": list(completer.categories),
        "any_category": config.any_category,
        "network": network,
        "frame": {
            "box": BOX,
            "centre": CENTRE,
            "given_side": GIVEN_SIDE,
            "epsilon": config.epsilon,
            "max_given": framing.MAX_GIVEN,
            "grid": framing.GRID,
            "page_share": framing.PAGE_SHARE,
            "first_point": list(framing.FIRST_POINT),
            "dot_share": framing.DOT_SHARE,
        },
        "features": {
            "names": [_FEATURES[column] for column in features.INPUTS[config.inputs]],
            "offset_scale": config.offset_scale,
            "position_scale": features.POSITION_SCALE,
            "length_scale": features.LENGTH_SCALE,
            "near": features.NEAR,
        },
        "mixture": {
            "layout": _layout(config),
            "sigma": [features.SIGMA_FLOOR, features.SIGMA_CEILING],
            "softmax_sigma_floor": features.SOFTMAX_FLOOR,
            "variance_floor": features.VARIANCE_FLOOR,
            "mean_limit": features.MEAN_LIMIT,
            "rho_limit": features.RHO_LIMIT,
            "borders": [list(border) for border in features.BORDERS],
        },
        "sampling": {
            "temperature": TEMPERATURE,
            "limit": LIMIT,
            "guidance": completer.guidance,
            "guidable": completer.guidable,
            "candidates": guidance.CANDIDATES,
            "max_preference": guidance.MAX_PREFERENCE,
            "usual_points": features.USUAL_POINTS,
            "hurry": features.HURRY,
            "beyond": features.BEYOND,
            "closing": completer.closing,
            "redrawn": REDRAWN,
            "stopped_early": STOPPED_EARLY,
            "noise_steps": NOISE_STEPS,
        },
    }


_FEATURES = (
    *("offset x", "offset y", "position x", "position y", "way x", "way y", "near the start"),
    *("draws", "lifts", "nothing drawn", "frame known", "direction x", "direction y", "log length"),
    *("room left", "room above", "room right", "room below"),
)
_KINDS = ("weight", "mean x", "mean y", "log sigma x", "log sigma y", "rho")


def _layout(config: ModelConfig) -> list[tuple[str, int]]:
    """Return what the head's outputs are, in their order, and how many there are of each."""
    lifts = config.components if config.pen == "component" else 1
    return [("end", 1), *((kind, config.components) for kind in _KINDS), ("lift", lifts)]


def write_web_model(
    checkpoint: str | os.PathLike[str] | None,
    folder: str | os.PathLike[str],
    precision: str = "float16",
    *,
    recogniser: Recogniser | None = None,
    force: bool = False,
) -> None:
    """Write a stroke model and the classifier that guesses what a drawing is, for `web/engine/`.

    The folder appears whole or not at all.

    Args:
        checkpoint: a bundled name or a folder; None for the default.
        folder: where; its parent is made.
        precision: of the stroke model's weights, one of `sketchgen.models.quantising.PRECISIONS`; those of
            the classifier are int8.
        recogniser: the classifier; None for the bundled one.
        force: replace a model that is there.

    Raises:
        SettingError: there is no such precision.
        CheckpointError: the checkpoint is missing or damaged.
        OutputError: the folder exists and `force` is false, or it cannot be written.
    """
    check_precision(precision)
    target = Path(folder)
    check_replaceable(target, MODEL, "a model", force=force)
    completer, recogniser = load(checkpoint), recogniser or default_recogniser()
    data, tensors = bytearray(), []
    drawing = {
        name: value for name, value in completer.decoder.weights().items() if not name.startswith("latent.")
    }
    parts = (
        ("", drawing, precision),
        ("classifier.", recogniser.network.weights(), "int8"),
    )
    for prefix, weights, kind in parts:
        tensors += _packed(data, prefix, weights, kind)
    settings = recogniser.network.config.to_dict()
    about = {
        "format": FORMAT,
        "version": VERSION,
        "precision": precision,
        **description(completer),
        "classifier": {**settings, "log_prior": recogniser.log_prior.round(4).tolist()},
        "usual_ink": {
            name: list(usual) for name, usual in usual_ink().items() if name in completer.categories
        },
        "weights": {"file": WEIGHTS, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        "tensors": tensors,
    }
    with whole_folder(target) as work:
        (work / WEIGHTS).write_bytes(data)
        (work / MODEL).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _packed(data: bytearray, prefix: str, weights: Weights, precision: str) -> Iterator[dict[str, Any]]:
    """Append weights to `data`, and yield an entry of the table for each."""
    for name, value in weights.items():
        kind = "float16" if precision == "int8" and value.ndim == 1 else precision
        entry: dict[str, Any] = {"name": prefix + name, "shape": list(value.shape), "type": kind}
        if kind == "int8":
            whole, scale = quantised(value)
            entry["scale"] = _put(data, scale)
            entry["offset"] = _put(data, whole)
        else:
            entry["offset"] = _put(data, value.astype(kind))
        yield entry


def _put(data: bytearray, values: np.ndarray) -> int:
    """Append the bytes of an array, little endian; return where they begin."""
    data += bytes(-len(data) % ALIGNMENT)
    first = len(data)
    data += np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    return first
