"""Graphs for ONNX runtimes have the distribution of the network in torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sketchgen.completion.completer import load
from sketchgen.completion.onnx_export import ENCODER, STEP, write_onnx
from sketchgen.completion.portable import MODEL
from sketchgen.models.config import ModelConfig
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.quantising import rounded
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.resources import bundled_checkpoints
from sketchgen.sketch.strokes import Pen

ort = pytest.importorskip("onnxruntime")

NEVER = -1e8
"""Log weights below this are of components that are never taken."""


class Runner:
    """Draws with the graphs of a folder, as docs/javascript.md tells."""

    def __init__(self, folder: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.about = json.loads((folder / MODEL).read_text(encoding="utf-8"))
        self.sessions = {
            name: ort.InferenceSession(folder / name, options, providers=["CPUExecutionProvider"])
            for name in self.about["graphs"]
        }

    def run(self, graph: str, **values: Any) -> dict[str, np.ndarray]:
        """Run a graph with those of the values that it takes."""
        wanted = self.about["graphs"][graph]
        names = list(wanted["outputs"])
        found = self.sessions[graph].run(names, {name: values[name] for name in wanted["inputs"]})
        return dict(zip(names, found, strict=True))

    def distributions(self, steps: Steps, cut: int) -> list[StepDistribution]:
        """The distributions of all steps of drawings of which `cut` points are given."""
        rows = len(steps.pen)
        shapes = self.about["graphs"][STEP]["inputs"]
        state = {
            name: np.zeros(
                [rows if axis == "rows" else 0 if axis == "steps" else axis for axis in axes], np.float32
            )
            for name, axes in shapes.items()
        }
        same = {"known": steps.known.numpy()[:, None], "category": steps.category.numpy()}
        code = np.tile(np.float32(self.about["code_of_nothing"]), (rows, 1))
        nothing = np.full(rows, int(Pen.END))
        before, features, found = nothing, [], []
        for number in range(-1, steps.pen.shape[1]):
            offset, pen = steps.offset.numpy()[:, number], steps.pen.numpy()[:, number]
            if number < 0:
                offset, pen = np.zeros_like(offset), nothing
            values = state | same | {"offset": offset, "pen": pen, "pen_before": before, "code": code}
            answer = self.run(STEP, **values)
            features.append(answer["features"])
            if number == cut - 1 and ENCODER in self.sessions:
                code = self.run(ENCODER, features=np.stack(features[1:]))["code"]
                answer = self.run(STEP, **values | {"code": code})
            before = pen
            state |= {name: answer[f"{name}_next"] for name in state if f"{name}_next" in answer}
            names = ("log_weight", "mean", "log_sigma", "rho", "lift", "end")
            found.append(StepDistribution(**{name: torch.from_numpy(answer[name]) for name in names}))
        return found


def drawings(config: ModelConfig, known: float) -> Steps:
    """Three random drawings, one of no category."""
    random = np.random.default_rng(1)
    offset = torch.from_numpy(random.normal(0, 12, (3, 12, 2))).float()
    pen = torch.from_numpy((random.random((3, 12)) < 0.3).astype(np.int64))
    category = torch.tensor([3, 80, config.any_category]) % (config.any_category + 1)
    return Steps(offset, pen, category, torch.full((3,), known))


def check(folder: Path, config: ModelConfig, weights: dict[str, Any], known: float) -> None:
    """Compare all components and the likelihood of each step with the network in torch."""
    steps, cut = drawings(config, known), 5
    with torch.no_grad():
        wanted = StrokeModel.from_weights(config, weights)(steps, torch.full((3,), cut))
    found = Runner(folder).distributions(steps, cut)
    for number, each in enumerate(found):
        at = wanted.at(torch.full((3,), number))
        count = each.log_weight.shape[1]
        torch.testing.assert_close(each.log_weight.exp(), at.log_weight[:, :count].exp(), rtol=0, atol=1e-5)
        torch.testing.assert_close(each.end, at.end, rtol=1e-4, atol=1e-4)
        taken = each.log_weight > NEVER
        for name in ("mean", "log_sigma", "rho", "lift"):
            mine, theirs = getattr(each, name)[taken], getattr(at, name)[:, :count][taken]
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
        if number < steps.pen.shape[1]:
            step = steps.offset[:, number], steps.pen[:, number]
            torch.testing.assert_close(each.log_prob(*step), at.log_prob(*step), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", bundled_checkpoints())
def test_the_distribution_is_that_of_torch(tmp_path: Path, name: str) -> None:
    write_onnx(name, tmp_path / "model")
    model = load(name)
    for known in (1.0, 0.0):
        check(tmp_path / "model", model.config, model.decoder.weights(), known)


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_smaller_weights_are_those_that_are_read_back(tmp_path: Path, precision: str) -> None:
    write_onnx("tiny", tmp_path / "model", precision)
    model = load("tiny")
    check(tmp_path / "model", model.config, rounded(model.decoder.weights(), precision), 1.0)
    size = (tmp_path / "model" / STEP).stat().st_size
    assert size < {"float16": 1.4e6, "int8": 0.75e6}[precision]
