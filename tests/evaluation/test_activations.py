"""Hidden states and distributions are the network's own; gradients are those of the chain rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import sketchgen
from sketchgen.errors import CategoryError, SettingError, SketchError
from sketchgen.evaluation.activations import activations, gradient_by_distance, gradient_norms, recorded
from sketchgen.models.layers import Stack
from sketchgen.models.stroke_model import Steps
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import Pen
from tests.support import untrained

SKETCH = Sketch.from_strokes([[(0, 0), (40, 30), (90, 10)], [(20, 60), (70, 80), (30, 99)]])


@pytest.mark.parametrize("shape", untrained.SHAPES, ids=str)
def test_they_are_what_the_network_computes(shape: dict[str, Any]):
    given, network = 2, untrained.network(untrained.shaped(shape))
    seen = []
    handle = network.stack.register_forward_hook(lambda module, args, output: seen.append(output))
    found = activations(network, SKETCH, "sun", given)
    handle.remove()
    count, config = found.sketch.point_count, network.config
    assert found.hidden.shape == (count + 1, config.layers, config.width)
    assert (found.cell is not None) == (config.cell == "lstm")
    if config.cell != "gated":
        torch.testing.assert_close(found.hidden.flatten(1), seen[0][0])
    pen, offset = found.pen[None, :-1], found.offset[None, :-1]
    whole = network(Steps(offset, pen, torch.tensor([1]), torch.ones(1)), torch.tensor([given]))
    torch.testing.assert_close(found.distribution.log_weight, whole.log_weight[0].detach(), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        found.log_prob, whole.log_prob(found.offset[None], found.pen[None])[0].detach(), atol=1e-4, rtol=0
    )
    np.testing.assert_allclose(found.position[1:].numpy(), found.sketch.points, atol=1e-4)
    assert found.pen[-1] == Pen.END
    # The layers run as they did before.
    assert "run" not in vars(network.stack.cells[0])


def test_a_completer_says_how_likely_a_drawing_is_as_its_network_does():
    model = sketchgen.load("tiny")
    found = sketchgen.activations(model, SKETCH, "cat")
    assert float(found.log_prob.sum()) == pytest.approx(model.log_likelihood(SKETCH, "cat"), abs=0.01)


def test_gradients_are_those_of_the_chain_rule():
    torch.manual_seed(0)
    stack, inputs = Stack("rnn", 3, 5, 1, 0.0), torch.randn(2, 7, 3)
    with recorded(stack) as states:
        outputs = stack(inputs)
    loss = outputs[:, -1].square().sum(-1)
    found = gradient_norms(loss, states)
    weight, hidden = stack.cells[0].weight_hh_l0, outputs  # pyright: ignore[reportAttributeAccessIssue]
    grad = 2.0 * hidden[:, -1]
    for step in range(6, -1, -1):
        torch.testing.assert_close(found[:, step], grad.norm(dim=-1))
        grad = (grad * (1.0 - hidden[:, step].square())) @ weight


def test_without_recurrence_only_attention_reaches_back():
    for width, reaches in ((0, False), (16, True)):
        shape = {"cell": "rnn", "layers": 2, "self_attention": width}
        network = untrained.network(untrained.shaped(shape)).requires_grad_(False)
        for layer in network.stack.cells:
            layer.weight_hh_l0.zero_()  # pyright: ignore[reportAttributeAccessIssue, reportCallIssue]
        norms = gradient_by_distance(network, SKETCH, "cat")
        assert norms[0] > 0
        assert bool((norms[1:-1] > 0).all()) is reaches


@pytest.mark.parametrize("cell", ["lstm", "gru", "gated"])
def test_gradients_reach_back_to_the_first_step(cell: str):
    network = untrained.network(untrained.shaped({"cell": cell}))
    norms = gradient_by_distance(network, SKETCH)
    assert len(norms) == activations(network, SKETCH).sketch.point_count + 1
    assert (norms > 0).all()
    assert all(value.grad is None for value in network.parameters())


@pytest.mark.parametrize(
    ("error", "sketch", "category", "given"),
    [
        (SketchError, Sketch(), "cat", 0),
        (CategoryError, SKETCH, "cta", 0),
        (SettingError, SKETCH, "cat", 99),
        (SettingError, SKETCH, "cat", 1.5),
    ],
)
def test_bad_input_is_one_line(error: type[Exception], sketch: Sketch, category: str, given: Any):
    with pytest.raises(error) as caught:
        activations(untrained.network(untrained.shaped({})), sketch, category, given)
    assert "\n" not in str(caught.value)
