"""Sketch-RNN's own loss, against what is added up by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from sketchgen.completion.completer import Completer
from sketchgen.data.batching import CENTRE
from sketchgen.data.prepare import read_drawings
from sketchgen.data.store import Drawings
from sketchgen.evaluation.likelihood import score
from sketchgen.evaluation.sketch_rnn_loss import EPSILON, SketchRNNLoss, offset_deviation
from sketchgen.models.config import ModelConfig
from sketchgen.models.numpy_mixture import log_sigmoid
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.sketch.strokes import Pen, pens
from tests.support import untrained


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    everything, _ = read_drawings(sample_dir)
    return everything.take(np.arange(0, len(everything), 30))


@pytest.fixture(scope="module")
def model(drawings: Drawings) -> Completer:
    config = ModelConfig(drawings.categories, width=16, components=3, embedding=16, encoder_width=8)
    return untrained.completer(config)


def loss_by_hand(model: Completer, drawings: Drawings, index: int, scale: float) -> tuple[float, float]:
    """L_R's sum over a drawing's points but the first, and of its end, a step at a time."""
    sketch = drawings.sketch(index)
    offset, pen = np.diff(sketch.points, axis=0, prepend=CENTRE), pens(sketch)
    category = drawings.category[index : index + 1]
    told, state = model.decoder.prime(Prefix(offset[:0], pen[:0], category, known=True))
    total = 0.0
    for step in range(len(offset)):
        found = told
        if step:
            density = 0.0
            for k in range(found.log_weight.shape[1]):
                sx, sy = np.exp(found.log_sigma[0, k])
                zx, zy = (offset[step] - found.mean[0, k]) / (sx, sy)
                rho = found.rho[0, k]
                square = (zx * zx + zy * zy - 2 * rho * zx * zy) / (1 - rho * rho)
                norm = 2 * math.pi * sx * sy * math.sqrt(1 - rho * rho)
                density += math.exp(found.log_weight[0, k] - square / 2) / norm
            lift = float((np.exp(found.log_weight[0]) / (1 + np.exp(-found.lift[0]))).sum())
            go_on = math.exp(log_sigmoid(-found.end)[0])
            likely = go_on * (lift if pen[step] == Pen.LIFT else 1 - lift)
            total -= math.log(density * scale**2 + EPSILON) + math.log(likely)
        told, state = model.decoder.advance(offset[step : step + 1], pen[step : step + 1], state)
    return total, -float(log_sigmoid(told.end)[0])


def test_sketch_rnn_s_loss_is_that_of_its_definition(model: Completer, drawings: Drawings) -> None:
    magenta = SketchRNNLoss(drawings)
    network = untrained.network(model.config)
    score(network, drawings, watch=lambda rows, batch, found, nats: magenta.add(rows, batch, found))
    for index in (0, 7):
        points, end = loss_by_hand(model, drawings, index, magenta.scale)
        assert magenta.points[index] == pytest.approx(points, rel=1e-4)
        assert magenta.end[index] == pytest.approx(end, rel=1e-4)
    table = magenta.table()
    assert table["n_max"] == drawings.lengths.max() - 1
    whole = (magenta.points + magenta.end).mean() / table["n_max"]
    assert table["training"]["value"] == pytest.approx(whole)
    assert table["evaluation"]["value"] == pytest.approx(magenta.points.mean() / table["n_max"])


def test_the_deviation_is_that_of_all_offsets_within_drawings(drawings: Drawings) -> None:
    offsets = [np.diff(drawings.sketch(index).points, axis=0) for index in range(len(drawings))]
    assert offset_deviation(drawings) == pytest.approx(np.concatenate(offsets).std())
