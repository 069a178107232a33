"""The network as it reads is the one that learned; padding changes nothing; every weight learns."""

from __future__ import annotations

import numpy as np
import pytest
import recognisers
import torch
from numpy.typing import NDArray

from sketchgen.models.classifier import RecogniserNetwork
from sketchgen.models.classifier_config import FEATURES, RecogniserConfig
from sketchgen.models.classifier_features import features
from sketchgen.models.numpy_classifier import Reader

LENGTHS = (1, 2, 3, 7, 30, 31)
each_depth = pytest.mark.parametrize("widths", [(16,), (12, 16), (8, 12, 16)])


def steps_of(*lengths: int, extra: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of scribbles as one batch, with `extra` columns of padding."""
    count = max(lengths) + extra
    points, lift = np.zeros((len(lengths), count, 2)), np.zeros((len(lengths), count), dtype=bool)
    for row, (places, ends) in enumerate(recognisers.places(*lengths)):
        points[row, : len(places)], lift[row, : len(places)] = places, ends
    length = np.array(lengths, dtype=np.int64)
    return torch.from_numpy(features(points, lift, length)), torch.from_numpy(length)


def learned(model: RecogniserNetwork, *lengths: int, extra: int = 0) -> NDArray[np.float32]:
    """Log probabilities as the network in torch says them."""
    with torch.no_grad():
        return torch.log_softmax(model(*steps_of(*lengths, extra=extra)), -1).numpy()


@each_depth
def test_reading_says_what_was_learned(widths: tuple[int, ...]):
    model = recognisers.network(recognisers.small(widths))
    log_prob, described = Reader(model.config, model.weights()).read(recognisers.places(*LENGTHS))
    wanted = learned(model, *LENGTHS)
    np.testing.assert_allclose(log_prob, wanted, atol=1e-4)
    assert np.ptp(wanted, axis=0).max() > 0.1, "all drawings are told alike, and the test says nothing"
    with torch.no_grad():
        np.testing.assert_allclose(described, model.described(*steps_of(*LENGTHS)).numpy(), atol=1e-4)


@each_depth
@pytest.mark.parametrize("extra", [1, 2, 5])
def test_padding_changes_nothing(widths: tuple[int, ...], extra: int):
    model = recognisers.network(recognisers.small(widths))
    np.testing.assert_allclose(learned(model, *LENGTHS, extra=extra), learned(model, *LENGTHS), atol=1e-5)


@each_depth
def test_a_drawing_alone_is_read_as_among_others(widths: tuple[int, ...]):
    model = recognisers.network(recognisers.small(widths))
    reader, drawings = Reader(model.config, model.weights()), recognisers.places(*LENGTHS)
    together = reader.read(drawings)[0]
    for row, drawing in enumerate(drawings):
        np.testing.assert_allclose(reader.read([drawing])[0][0], together[row], atol=1e-5)


def test_both_ends_of_a_drawing_are_read():
    model, lengths = recognisers.network(), (9, 9)
    steps, length = steps_of(*lengths)
    before = model(steps, length)
    for place in (0, 8):
        changed = steps.clone()
        changed[0, place] += 1.0
        after = model(changed, length)
        assert not torch.allclose(before[0], after[0], atol=1e-4)
        assert torch.allclose(before[1], after[1], atol=1e-6)


def test_every_weight_learns():
    model = recognisers.network(recognisers.small((12, 8, 16))).train()
    loss = torch.nn.functional.cross_entropy(model(*steps_of(*LENGTHS)), torch.arange(6) % 4)
    loss.backward()
    for name, value in model.named_parameters():
        if name == "attention.bias":
            # The same for all points of a drawing, so that their shares do not depend on it.
            continue
        assert value.grad is not None
        assert bool((value.grad != 0.0).any()), name


@each_depth
def test_the_configuration_knows_the_weights(widths: tuple[int, ...]):
    config = recognisers.small(widths)
    shapes = {name: tuple(value.shape) for name, value in RecogniserNetwork(config).state_dict().items()}
    assert config.weight_shapes() == shapes
    assert RecogniserConfig.from_dict(config.to_dict()) == config
    assert shapes["first.weight"][1] % FEATURES == 0


def test_learning_on_does_not_change_a_reader():
    model, drawings = recognisers.network(), recognisers.places(5, 9)
    reader = Reader(model.config, model.weights())
    before = reader.read(drawings)[0]
    with torch.no_grad():
        for value in model.parameters():
            value.zero_()
    np.testing.assert_array_equal(reader.read(drawings)[0], before)
