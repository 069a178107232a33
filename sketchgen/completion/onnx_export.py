"""A stroke model as ONNX graphs: the encoder of a given part, and one step of the decoder.

The step is that of `sketchgen.models.numpy_stroke_model.Decoder.advance`: it moves the pens, reads them, and
returns the distribution over the next step with all that the step after it needs. docs/javascript.md tells
how both are used.

Written node by node: torch's exporter (2.13, onnxscript 0.7) makes an equal step of `tiny`, but fixes its
rows to those of the example, and needs torch and onnxscript; this needs onnx alone.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from sketchgen.completion.completer import load
from sketchgen.completion.portable import MODEL, description
from sketchgen.models import features as f
from sketchgen.models.checkpoint import Weights
from sketchgen.models.config import ModelConfig
from sketchgen.models.numpy_layers import DRAW, END
from sketchgen.models.numpy_mixture import LIFT
from sketchgen.models.onnx_graph import Graph
from sketchgen.models.quantising import check_precision
from sketchgen.sketch.files import check_replaceable, whole_folder
from sketchgen.sketch.geometry import CENTRE

ENCODER, STEP = "encoder.onnx", "step.onnx"

PEN_STATE = {"position": 2, "stroke_start": 2, "low": 2, "high": 2}
"""What of the pens the next step needs, besides `pen`, and how many numbers each is."""


def write_onnx(
    checkpoint: str | os.PathLike[str] | None,
    folder: str | os.PathLike[str],
    precision: str = "float32",
    *,
    force: bool = False,
) -> None:
    """Write a stroke model as ONNX graphs, and `model.json`, which says all that is needed to draw with them.

    The folder appears whole or not at all. There is no encoder where the model has none. Weights are stored
    in `precision`, and computed with in float32.

    Args:
        checkpoint: a bundled name or a folder; None for the default.
        folder: where; its parent is made.
        precision: one of `sketchgen.models.quantising.PRECISIONS`.
        force: replace a model that is there.

    Raises:
        SettingError: there is no such precision, or the model is of another kind.
        CheckpointError: the checkpoint is missing or damaged.
        OutputError: the folder exists and `force` is false, or it cannot be written.
    """
    check_precision(precision)
    target = Path(folder)
    check_replaceable(target, MODEL, "a model", force=force)
    completer = load(checkpoint)
    config, weights = completer.config, completer.decoder.weights()
    graphs = {STEP: step_graph(config, weights, precision)}
    if config.encoder_width:
        graphs[ENCODER] = encoder_graph(config, weights, precision)
    about = {
        "format": "sketchgen-onnx-model",
        "version": 1,
        "precision": precision,
        **description(completer),
        "code_of_nothing": weights["encoder.nothing"].tolist(),
        "graphs": {name: _interface(graph) for name, graph in graphs.items()},
    }
    with whole_folder(target) as work:
        for name, graph in graphs.items():
            (work / name).write_bytes(graph.SerializeToString())
        (work / MODEL).write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")


def _interface(model: onnx.ModelProto) -> dict[str, dict[str, list[Any]]]:
    """Return the axes of inputs and outputs by name."""

    def axes(value: onnx.ValueInfoProto) -> list[Any]:
        return [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]

    graph = model.graph
    return {
        "inputs": {value.name: axes(value) for value in graph.input},
        "outputs": {value.name: axes(value) for value in graph.output},
    }


def encoder_graph(config: ModelConfig, weights: Weights, precision: str = "float32") -> onnx.ModelProto:
    """Return the graph from the features of n given points of b drawings to their codes."""
    g = Graph(weights, precision)
    given = g.input("features", "points", "rows", len(f.INPUTS[config.inputs]))
    if config.cell == "lstm":
        ends = _lstm_ends(g, given, weights, config.encoder_width)
    else:
        ends = [_gated_end(g, given, f"encoder.{side}", config, back=side == "backwards") for side in _SIDES]
    code = g.linear(g.op("Concat", *ends, axis=-1), "encoder.project")
    g.output("code", code, "rows", config.embedding)
    return g.model("encoder")


_SIDES = ("forwards", "backwards")


def _lstm_ends(g: Graph, given: str, weights: Weights, width: int) -> list[str]:
    """Return the last outputs of both LSTMs."""
    # From torch's order of gates (in, forget, candidate, out) to that of ONNX (in, out, forget, candidate).
    order = np.arange(4 * width).reshape(4, width)[[0, 3, 1, 2]].ravel()
    parts = []
    for part in ("weight_ih", "weight_hh"):
        both = [
            g.array(f"encoder.{side}.{part}", weights[f"encoder.{side}.{part}_l0"][order]) for side in _SIDES
        ]
        axis = g.constant([0], np.int64)
        parts.append(g.op("Concat", *(g.op("Unsqueeze", each, axis) for each in both), axis=0))
    biases = [
        np.concatenate([weights[f"encoder.{side}.bias_{part}_l0"][order] for part in ("ih", "hh")])
        for side in _SIDES
    ]
    parts.append(g.constant(np.stack(biases)))
    _, last, _ = g.op("LSTM", given, *parts, outputs=3, hidden_size=width, direction="bidirectional")
    return [g.op("Gather", last, g.constant(side, np.int64), axis=0) for side in (0, 1)]


def _gated_end(g: Graph, given: str, name: str, config: ModelConfig, *, back: bool) -> str:
    """Return the last output of a gated layer over (n, b, f)."""
    width, read = config.encoder_width, len(f.INPUTS[config.inputs])
    if back:
        bounds = ([-1], [np.iinfo(np.int64).min], [0], [-1])
        given = g.op("Slice", given, *(g.constant(each, np.int64) for each in bounds))
    first = g.op("Mul", g.columns(given, 0, 1, 0), g.constant(0.0))
    before = g.op("Concat", first, g.columns(given, 0, -1, 0), axis=0)
    steps = g.op("Add", given, g.op("Mul", before, g.weight(f"{name}.look_back")))
    gates = g.linear(g.reshaped(steps, -1, read), f"{name}.gates")
    shape = g.op("Concat", g.op("Shape", given, end=2), g.constant([3 * width], np.int64), axis=0)
    enter, leave, candidate = g.op("Split", g.op("Reshape", gates, shape), outputs=3, axis=-1)
    enter = g.op("Sigmoid", enter)
    zero = g.op("Squeeze", g.op("Mul", g.columns(enter, 0, 1, 0), g.constant(0.0)), g.constant([0], np.int64))
    state = g.op("Scan", zero, enter, candidate, num_scan_inputs=2, body=_recurrence(width))
    last = g.op("Squeeze", g.columns(leave, -1, _END, 0), g.constant([0], np.int64))
    return g.op("Mul", g.silu(last), state)


_END = int(np.iinfo(np.int64).max)


def _recurrence(width: int) -> onnx.GraphProto:
    """Return the body of a scan: h + enter (candidate - h)."""
    nodes = [
        helper.make_node("Sub", ["candidate", "h"], ["away"]),
        helper.make_node("Mul", ["enter", "away"], ["part"]),
        helper.make_node("Add", ["h", "part"], ["after"]),
    ]
    values = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width])
        for name in ("h", "enter", "candidate", "after")
    }
    return helper.make_graph(
        nodes, "step", [values[name] for name in ("h", "enter", "candidate")], [values["after"]]
    )


def step_graph(config: ModelConfig, weights: Weights, precision: str = "float32") -> onnx.ModelProto:
    """Return the graph of a step: pens, layers and distribution; see the module."""
    g = Graph(weights, precision)
    pens = _advanced(g)
    known, category = g.input("known", "rows", 1), g.input("category", "rows", kind=TensorProto.INT64)
    features, direction = _features(g, config, pens, known)
    told = g.op(
        "Add",
        g.input("code", "rows", config.embedding),
        g.op("Gather", g.weight("category.weight"), category),
    )
    hidden = g.silu(g.op("Add", g.linear(features, "read"), told))
    outputs = []
    for number in range(config.layers):
        hidden = _layer(g, hidden, number, config)
        outputs.append(hidden)
        if config.self_attention and number == 0:
            hidden = g.op("Add", hidden, _attention(g, hidden, config.self_attention))
    joined = g.op("Concat", *outputs, axis=-1) if len(outputs) > 1 else hidden
    parts = _components(g, g.linear(joined, "head"), pens["pen"], direction, config)
    if config.box_components:
        _add(g, parts, _sides(g, g.linear(joined, "border"), pens["position"], known, config))
    if config.pointers:
        _add(g, parts, _pointers(g, joined, pens["position"], config.pointers))
    g.output("features", features, "rows", len(f.INPUTS[config.inputs]))
    for name, width in PEN_STATE.items():
        g.output(f"{name}_next", pens[name], "rows", width)
    for name, axes in _DISTRIBUTION.items():
        value = g.op("LogSoftmax", parts["weight"], axis=-1) if name == "log_weight" else parts[name]
        g.output(name, value, *axes)
    return g.model("step")


_DISTRIBUTION: dict[str, tuple[str | int, ...]] = {
    "log_weight": ("rows", "components"),
    "mean": ("rows", "components", 2),
    "log_sigma": ("rows", "components", 2),
    "rho": ("rows", "components"),
    "lift": ("rows", "components"),
    "end": ("rows",),
}
"""Outputs that are the distribution over the next step, as `sketchgen.models.mixture.StepDistribution`."""


def _advanced(g: Graph) -> dict[str, str]:
    """Return where the pens are after the step that is taken; see `PenState.advanced`."""
    offset, pen = g.input("offset", "rows", 2), g.input("pen", "rows", kind=TensorProto.INT64)
    last = g.input("pen_before", "rows", kind=TensorProto.INT64)
    old = {name: g.input(name, "rows", width) for name, width in PEN_STATE.items()}
    position = g.op("Add", old["position"], offset)
    axis = g.constant([1], np.int64)
    draws, nothing = (
        g.op("Unsqueeze", g.op("Equal", last, g.constant(each, np.int64)), axis) for each in (DRAW, END)
    )
    return {
        "offset": offset,
        "pen": pen,
        "position": position,
        "stroke_start": g.op("Where", draws, old["stroke_start"], position),
        "low": g.op("Where", nothing, position, g.op("Min", old["low"], position)),
        "high": g.op("Where", nothing, position, g.op("Max", old["high"], position)),
    }


def _features(g: Graph, config: ModelConfig, pens: dict[str, str], known: str) -> tuple[str, str]:
    """Return what the network reads of the pens, and the direction of the last offset."""

    def square(values: str) -> str:
        return g.op("ReduceSum", g.op("Mul", values, values), g.constant([1], np.int64), keepdims=1)

    pen = g.op("Unsqueeze", pens["pen"], g.constant([1], np.int64))
    offset, position = pens["offset"], pens["position"]
    way = g.op("Sub", position, pens["stroke_start"])
    length = g.op("Sqrt", square(offset))
    unit = g.op("Div", offset, g.op("Max", length, g.constant(1e-9)))
    direction = g.op("Where", g.op("Greater", length, g.constant(0.0)), unit, g.constant([[1.0, 0.0]]))
    one_hot = g.op("Cast", g.op("Equal", pen, g.constant([[0, 1, 2]], np.int64)), to=TensorProto.FLOAT)
    columns = [
        g.scaled(offset, 1.0 / config.offset_scale),
        g.scaled(position, 1.0 / f.POSITION_SCALE),
        g.scaled(way, 1.0 / f.POSITION_SCALE),
        g.op("Exp", g.scaled(square(way), -1.0 / f.NEAR)),
        one_hot,
        known,
        direction,
        g.scaled(g.op("Log", g.op("Add", square(offset), g.constant(1.0))), 1.0 / f.LENGTH_SCALE),
        g.scaled(g.op("Add", pens["low"], g.constant(CENTRE)), 1.0 / f.POSITION_SCALE),
        g.scaled(g.op("Sub", g.constant(CENTRE), pens["high"]), 1.0 / f.POSITION_SCALE),
    ]
    everything, wanted = g.op("Concat", *columns, axis=1), f.INPUTS[config.inputs]
    found = (
        everything
        if len(wanted) == f.FEATURES
        else g.op("Gather", everything, g.constant(wanted, np.int64), axis=1)
    )
    if config.inputs == "moves":
        same = g.op("Equal", pens["low"], pens["high"])
        spot = g.op("And", *g.op("Split", same, outputs=2, axis=1))
        first = g.op("And", spot, g.op("Less", pen, g.constant([[END]], np.int64)))
        found = g.op("Where", first, g.constant(0.0), found)
    return found, direction


def _layer(g: Graph, inputs: str, number: int, config: ModelConfig) -> str:
    """Return the outputs of a recurrent layer; its state is input and output."""
    name, width = f"stack.layers.{number}", config.width
    if config.cell == "lstm":
        hidden, cell = (g.input(f"{part}_{number}", "rows", width) for part in ("hidden", "cell"))
        gates = [
            g.op(
                "Gemm",
                values,
                g.weight(f"{name}.weight_{part}_l0"),
                g.weight(f"{name}.bias_{part}_l0"),
                transB=1,
            )
            for values, part in ((inputs, "ih"), (hidden, "hh"))
        ]
        enter, keep, candidate, leave = g.op("Split", g.op("Add", *gates), outputs=4, axis=-1)
        kept = g.op("Mul", g.op("Sigmoid", keep), cell)
        cell = g.op("Add", kept, g.op("Mul", g.op("Sigmoid", enter), g.op("Tanh", candidate)))
        outputs = hidden = g.op("Mul", g.op("Sigmoid", leave), g.op("Tanh", cell))
        g.output(f"cell_{number}_next", cell, "rows", width)
    else:
        read = config.width if number else config.embedding
        hidden, before = g.input(f"hidden_{number}", "rows", width), g.input(f"inputs_{number}", "rows", read)
        steps = g.op("Add", inputs, g.op("Mul", before, g.weight(f"{name}.look_back")))
        enter, leave, candidate = g.op("Split", g.linear(steps, f"{name}.gates"), outputs=3, axis=-1)
        away = g.op("Sub", candidate, hidden)
        hidden = g.op("Add", hidden, g.op("Mul", g.op("Sigmoid", enter), away))
        outputs = g.op("Mul", g.silu(leave), hidden)
        outputs = g.op("Add", outputs, inputs) if read == width else outputs
        g.output(f"inputs_{number}_next", inputs, "rows", read)
    g.output(f"hidden_{number}_next", hidden, "rows", width)
    return outputs


def _cached(g: Graph, name: str, value: str, width: int) -> str:
    """Return a cache of earlier steps, (b, t, width), with this step's row; it is input and output."""
    earlier = g.input(name, "rows", "steps", width)
    found = g.op("Concat", earlier, g.op("Unsqueeze", value, g.constant([1], np.int64)), axis=1)
    g.output(f"{name}_next", found, "rows", "steps_next", width)
    return found


def _attention(g: Graph, outputs: str, inner: int) -> str:
    """Return what a step attends to; see `SelfAttention.step`."""
    each = inner // f.RECALL_HEADS
    query, key, value = (g.linear(outputs, f"stack.recall.{name}") for name in ("query", "key", "value"))
    keys, values = (
        g.reshaped(_cached(g, name, part, inner), 0, 0, f.RECALL_HEADS, each)
        for name, part in (("key", key), ("value", value))
    )
    query = g.reshaped(g.scaled(query, each**-0.5), 0, f.RECALL_HEADS, 1, each)
    score = g.op("MatMul", query, g.op("Transpose", keys, perm=[0, 2, 3, 1]))
    found = g.op("MatMul", g.op("Softmax", score, axis=-1), g.op("Transpose", values, perm=[0, 2, 1, 3]))
    return g.linear(g.reshaped(found, 0, inner), "stack.recall.out")


Parts = dict[str, str]
"""Parameters of components, as `_DISTRIBUTION` names them, with logits `weight`."""


def _components(g: Graph, values: str, pen: str, direction: str, config: ModelConfig) -> Parts:
    """Return the components that the head's outputs describe; see `StepDistribution.from_parameters`."""
    softmax, count = config.pen == "softmax", config.components
    values = g.clip(values, -f.PARAMETER_LIMIT, f.PARAMETER_LIMIT)
    end = g.op("Squeeze", g.columns(values, 0, 1), g.constant([1], np.int64))
    weight, x, y, sx, sy, rho = (g.columns(values, 1 + n * count, 1 + (n + 1) * count) for n in range(6))
    lift = g.columns(values, 1 + 6 * count, _END)
    if config.pen != "component":
        lift = g.op("Add", lift, g.op("Mul", weight, g.constant(0.0)))
    pair = [g.clip(g.scaled(each, config.offset_scale), -f.MEAN_LIMIT, f.MEAN_LIMIT) for each in (x, y)]
    floor, more = f.SOFTMAX_FLOOR if softmax else f.SIGMA_FLOOR, g.constant(math.log(config.offset_scale))
    spread = [
        g.clip(g.op("Add", each, more), math.log(floor), math.log(f.SIGMA_CEILING)) for each in (sx, sy)
    ]
    rho = g.op("Tanh", rho)
    rho = g.clip(rho, -f.RHO_LIMIT, f.RHO_LIMIT) if softmax else g.scaled(rho, f.RHO_LIMIT)
    if softmax:
        drawn = g.op("Squeeze", g.columns(lift, 0, 1), g.constant([1], np.int64))
        end = g.op("Sub", end, g.op("Softplus", drawn))
    end = g.op("Where", g.op("Equal", pen, g.constant(LIFT, np.int64)), end, g.constant(-np.inf))
    parts = {
        "weight": weight,
        "mean": _paired(g, pair),
        "log_sigma": _paired(g, spread),
        "rho": rho,
        "lift": lift,
    }
    if config.rotated:
        parts |= _rotated(g, pair, spread, rho, direction, config.rotated)
    return parts | {"end": end}


def _paired(g: Graph, both: list[str]) -> str:
    """Return x and y, (b, k) each, as (b, k, 2)."""
    return g.op("Concat", *(g.op("Unsqueeze", each, g.constant([2], np.int64)) for each in both), axis=2)


def _rotated(g: Graph, mean: list[str], spread: list[str], rho: str, direction: str, count: int) -> Parts:
    """Return the components of which the first `count` are rotated; see `StepDistribution.rotated`."""
    cos, sin = g.op("Split", direction, outputs=2, axis=1)

    def product(*values: str) -> str:
        found = values[0]
        for value in values[1:]:
            found = g.op("Mul", found, value)
        return found

    mx, my, a, b, own = (g.columns(each, 0, count) for each in (*mean, *spread, rho))
    a, b = g.op("Exp", a), g.op("Exp", b)
    both, cc, ss, cs = product(own, a, b), product(cos, cos), product(sin, sin), product(cos, sin)
    twice, aa, bb = g.scaled(product(cs, both), 2.0), product(a, a), product(b, b)
    vx = g.op("Sub", g.op("Add", product(cc, aa), product(ss, bb)), twice)
    vy = g.op("Add", g.op("Add", product(ss, aa), product(cc, bb)), twice)
    vx, vy = (g.op("Max", each, g.constant(f.VARIANCE_FLOOR)) for each in (vx, vy))
    covariance = g.op("Add", product(cs, g.op("Sub", aa, bb)), product(g.op("Sub", cc, ss), both))
    turned = g.op("Div", covariance, g.op("Sqrt", product(vx, vy)))
    x = g.op("Sub", product(cos, mx), product(sin, my))
    y = g.op("Add", product(sin, mx), product(cos, my))

    def whole(part: str, old: str) -> str:
        return g.op("Concat", part, g.columns(old, count, _END), axis=1)

    pair = [whole(part, old) for part, old in zip((x, y), mean, strict=True)]
    wide = [whole(g.scaled(g.op("Log", part), 0.5), old) for part, old in zip((vx, vy), spread, strict=True)]
    rho = whole(g.clip(turned, -f.RHO_LIMIT, f.RHO_LIMIT), rho)
    return {"mean": _paired(g, pair), "log_sigma": _paired(g, wide), "rho": rho}


def _add(g: Graph, parts: Parts, added: Parts) -> None:
    """Add components, whose weights are relative to all that are there."""
    total = g.op("ReduceLogSumExp", parts["weight"], axes=[1], keepdims=1)
    added["weight"] = g.op("Add", added["weight"], total)
    added["log_sigma"] = g.clip(added["log_sigma"], math.log(f.SIGMA_FLOOR), math.log(f.SIGMA_CEILING))
    for name, value in added.items():
        parts[name] = g.op("Concat", parts[name], value, axis=1)


def _sides(g: Graph, values: str, position: str, known: str, config: ModelConfig) -> Parts:
    """Return the components at the sides of the box; see `StepDistribution.with_box`."""
    values = g.clip(values, -f.PARAMETER_LIMIT, f.PARAMETER_LIMIT)
    gate, along, spread, lift = (g.columns(values, 4 * n, 4 * n + 4) for n in range(4))
    along = g.clip(g.scaled(along, config.offset_scale), -f.MEAN_LIMIT, f.MEAN_LIMIT)
    spread = g.op("Add", spread, g.constant(math.log(config.offset_scale)))
    across = g.op("Add", g.columns(values, 16, 17), g.scaled(spread, 0.0))
    mean, sigma = [], []
    for axis in (0, 1):
        here = g.constant([[side == axis for side, _ in f.BORDERS]], np.bool_)
        ends = g.constant([[sign * CENTRE for _, sign in f.BORDERS]])
        mean.append(g.op("Where", here, g.op("Sub", ends, g.columns(position, axis, axis + 1)), along))
        sigma.append(g.op("Where", here, across, spread))
    framed = g.op("Greater", known, g.constant(0.0))
    return {
        "weight": g.op("Where", framed, gate, g.constant(f.IMPOSSIBLE)),
        "mean": _paired(g, mean),
        "log_sigma": _paired(g, sigma),
        "rho": g.scaled(gate, 0.0),
        "lift": lift,
    }


def _pointers(g: Graph, outputs: str, position: str, width: int) -> Parts:
    """Return a component at each earlier place of the pen; the first one is never taken. See `Pointer`."""
    query = g.reshaped(g.scaled(g.linear(outputs, "pointer.query"), width**-0.5), 0, 1, width)
    keys = _cached(g, "pointer", g.linear(outputs, "pointer.key"), width)
    points = _cached(g, "point", position, 2)
    axis = g.constant([1], np.int64)
    score = g.op("Squeeze", g.op("MatMul", query, g.op("Transpose", keys, perm=[0, 2, 1])), axis)
    steps = g.op("Gather", g.op("Shape", keys), g.constant(1, np.int64))
    index = g.op("Range", g.constant(0, np.int64), steps, g.constant(1, np.int64))
    drawn = g.op("Greater", index, g.constant(0, np.int64))
    score = g.op("Where", drawn, score, g.constant(f.IMPOSSIBLE))
    share = g.op("Where", drawn, g.op("LogSoftmax", score, axis=-1), g.constant(f.IMPOSSIBLE))
    gate, x, y, lift = g.op("Split", g.linear(outputs, "pointer.shape"), outputs=4, axis=-1)
    none = g.scaled(score, 0.0)
    return {
        "weight": g.op("Add", share, gate),
        "mean": g.op("Sub", points, g.op("Unsqueeze", position, axis)),
        "log_sigma": _paired(g, [g.op("Add", none, each) for each in (x, y)]),
        "rho": none,
        "lift": g.op("Add", none, lift),
    }
