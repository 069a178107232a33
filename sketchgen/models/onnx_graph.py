"""Graphs for ONNX runtimes, made node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sketchgen.models.checkpoint import Weights
from sketchgen.models.quantising import quantised

OPSET, IR_VERSION = 17, 9
"""Of the files: old enough for runtimes of 2023."""


class Graph:
    """A graph that grows by a node at a time; tensors are their names."""

    def __init__(self, weights: Weights, precision: str) -> None:
        self._weights, self._precision = weights, precision
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._names: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, *axes: str | int, kind: int = TensorProto.FLOAT) -> str:
        """Declare an input, and return its name."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, axes))
        return name

    def output(self, name: str, value: str, *axes: str | int, kind: int = TensorProto.FLOAT) -> None:
        """Declare that a value is an output of this name."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, kind, axes))

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; return the name of its output, or the names of several."""
        names = [f"{kind}_{len(self._nodes)}_{n}" for n in range(outputs)]
        self._nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value: Any, kind: type = np.float32) -> str:
        """Return a constant."""
        array = np.asarray(value, dtype=kind)
        what = str(array.dtype), array.shape, array.tobytes()
        name = self._names.setdefault(what, f"constant_{len(self._names)}")
        return self._stored(name, array)

    def array(self, name: str, value: np.ndarray) -> str:
        """Return weights, stored in the graph's precision, as float32."""
        if self._precision == "float32":
            return self._stored(name, value)
        if self._precision == "float16" or value.ndim == 1:
            return self.op("Cast", self._stored(name, value.astype(np.float16)), to=TensorProto.FLOAT)
        whole, scale = quantised(value)
        parts = self._stored(name, whole), self._stored(f"{name}.scale", scale)
        return self.op("DequantizeLinear", *parts, axis=0)

    def weight(self, name: str) -> str:
        """Return weights of the checkpoint."""
        return self.array(name, self._weights[name])

    def linear(self, values: str, name: str) -> str:
        """Return the outputs of a linear layer, of (b, inputs)."""
        return self.op("Gemm", values, self.weight(f"{name}.weight"), self.weight(f"{name}.bias"), transB=1)

    def silu(self, values: str) -> str:
        """Return values times their sigmoids."""
        return self.op("Mul", values, self.op("Sigmoid", values))

    def columns(self, values: str, first: int, last: int, axis: int = -1) -> str:
        """Return a slice along an axis."""
        ends = (self.constant([each], np.int64) for each in (first, last, axis))
        return self.op("Slice", values, *ends)

    def clip(self, values: str, low: float, high: float) -> str:
        """Return values within limits."""
        return self.op("Clip", values, self.constant(low), self.constant(high))

    def scaled(self, values: str, by: Any) -> str:
        """Return values times a constant."""
        return self.op("Mul", values, self.constant(by))

    def reshaped(self, values: str, *shape: int) -> str:
        """Return values in another shape; 0 keeps an axis."""
        return self.op("Reshape", values, self.constant(shape, np.int64))

    def _stored(self, name: str, value: np.ndarray) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def model(self, name: str) -> onnx.ModelProto:
        """Return the checked model."""
        graph = helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, list(self._constants.values())
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="sketchgen"
        )
        onnx.checker.check_model(model)
        return model
