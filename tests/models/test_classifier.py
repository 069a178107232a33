"""The networks in torch and in numpy are the same; padding changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sketchgen.errors import SettingError
from sketchgen.models.classifier import GROUP, Classifier
from sketchgen.models.config import FIRST_SPAN, POINT_FEATURES
from sketchgen.models.numpy_classifier import NumpyClassifier, padded, point_features, point_sequence
from sketchgen.models.reward_model import MarkedSketch, NumpyRewardNetwork, reward_features, simplified
from tests.support import critics, recognisers

LENGTHS = (1, 2, 3, 7, 30, 31)


def steps_of(*lengths: int, extra: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return features of scribbles as one batch, with `extra` columns of padding."""
    points, lift, length = padded([point_sequence(each) for each in recognisers.scribbles(*lengths)])
    points, lift = np.pad(points, ((0, 0), (0, extra), (0, 0))), np.pad(lift, ((0, 0), (0, extra)))
    return torch.from_numpy(point_features(points, lift, length)), torch.from_numpy(length)


@torch.no_grad()
def log_prob_of(model: Classifier, *lengths: int, extra: int = 0) -> NDArray[np.float32]:
    return torch.log_softmax(model(*steps_of(*lengths, extra=extra)), -1).numpy()


def completed(*lengths: int) -> list[MarkedSketch]:
    return [simplified(each.given, each.added) for each in critics.finished(*lengths)]


@pytest.mark.parametrize(
    ("widths", "shape"),
    [
        ((16,), {}),
        ((8, 12, 16), {}),
        ((12, 16), {"cell": "gated"}),
        ((8, 16), {"one_way": True}),
        ((16, 16), {"cell": "gated", "one_way": True}),
    ],
)
def test_torch_and_numpy_agree_and_padding_changes_nothing(widths: tuple[int, ...], shape: dict[str, Any]):
    model = recognisers.network(replace(recognisers.small(widths), **shape))
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert shapes == model.config.weight_shapes()
    wanted = log_prob_of(model, *LENGTHS)
    assert np.ptp(wanted, axis=0).max() > 0.1, "all drawings are classified alike, and the test says nothing"
    for extra in (1, 2, 5):
        np.testing.assert_allclose(log_prob_of(model, *LENGTHS, extra=extra), wanted, atol=1e-5)
    reader = NumpyClassifier(model.config, model.weights())
    log_prob, encoded = reader.classify(recognisers.scribbles(*LENGTHS))
    np.testing.assert_allclose(log_prob, wanted, atol=1e-4)
    np.testing.assert_allclose(encoded, model.encode(*steps_of(*LENGTHS)).detach().numpy(), atol=1e-4)
    # The weights of a reader are copies: learning on does not change it.
    with torch.no_grad():
        for value in model.parameters():
            value.zero_()
    np.testing.assert_array_equal(reader.classify(recognisers.scribbles(*LENGTHS))[0], log_prob)


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_cells_of_torch_alone_are_refused_by_numpy(cell: str):
    model = recognisers.network(replace(recognisers.small(), cell=cell))
    wanted = log_prob_of(model, *LENGTHS)
    np.testing.assert_allclose(log_prob_of(model, *LENGTHS, extra=2), wanted, atol=1e-5)
    assert {name: tuple(value.shape) for name, value in model.state_dict().items()} == (
        model.config.weight_shapes()
    )
    with pytest.raises(SettingError, match=f"networks of {cell} cells can only be trained"):
        NumpyClassifier(model.config, model.weights())


def test_a_cell_and_a_direction_are_checked():
    with pytest.raises(SettingError, match="no cell 'lsmt'"):
        replace(recognisers.small(), cell="lsmt")
    config = replace(recognisers.small(), one_way=True)
    assert not any(name.startswith("backwards") for name in config.weight_shapes())


def test_both_ends_of_a_drawing_are_read():
    model = recognisers.network()
    steps, length = steps_of(9, 9)
    before = model(steps, length)
    for place in (0, int(length[0]) - 1):
        changed = steps.clone()
        changed[0, place] += 1.0
        after = model(changed, length)
        assert not torch.allclose(before[0], after[0], atol=1e-4)
        assert torch.allclose(before[1], after[1], atol=1e-6)


def test_gradients_reach_every_weight():
    model = recognisers.network(recognisers.small((12, 8, 16))).train()
    torch.nn.functional.cross_entropy(model(*steps_of(*LENGTHS)), torch.arange(6) % 4).backward()
    for name, value in model.named_parameters():
        # The bias of the attention is the same for all steps and changes nothing.
        if name != "attention.bias":
            assert value.grad is not None
            assert bool((value.grad != 0.0).any()), name


def test_both_forms_of_the_reward_model_agree():
    model = critics.network()
    reader = NumpyRewardNetwork(model.config, model.weights())
    drawings, category = completed(9, 20, 31, 40, 3, 77, 5, 6, 50, 2), np.arange(10) % 5
    inputs = [torch.from_numpy(value) for value in (*reward_features(drawings), category)]
    wanted = model.scores(*inputs).detach().numpy()
    np.testing.assert_allclose(reader.scores(drawings, category), wanted, atol=1e-4)
    assert wanted.std() > 0.1
    grouped = model(*inputs).detach().numpy()
    assert grouped.shape == (2, GROUP)
    np.testing.assert_allclose(grouped.ravel(), wanted, atol=1e-5)


def test_a_reward_model_starts_from_a_classifier_and_prefers_nothing():
    classifier, model = recognisers.network(), type(critics.network())(critics.small()).eval()
    model.initialise_from(classifier)
    steps, length = (torch.from_numpy(value) for value in reward_features(completed(9, 20)))
    torch.testing.assert_close(
        model.encode(steps, length), classifier.encode(steps[..., :POINT_FEATURES], length)
    )
    first = model.first.weight.view(-1, FIRST_SPAN, model.config.features)
    assert (first[..., POINT_FEATURES:] == 0).all()
    torch.testing.assert_close(model.category.weight[:-1], classifier.head.weight)
    torch.testing.assert_close(model.category.weight[-1], classifier.head.weight.mean(0))
    reader = NumpyRewardNetwork(model.config, model.weights())
    assert np.ptp(reader.scores(completed(9, 20, 31), np.zeros(3, dtype=np.int64))) == 0.0
