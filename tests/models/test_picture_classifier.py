"""The network that names pictures: what it is made of, and that all of it takes part."""

from __future__ import annotations

import numpy as np
import pytest
import seeing
import torch
from jaxtyping import TypeCheckError
from torch import nn

from sketchgen.errors import SettingError
from sketchgen.models.picture_classifier import PictureNetwork
from sketchgen.models.picture_config import PictureConfig


def shown(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 64, 64, generator=torch.Generator().manual_seed(seed))


def test_gradients_reach_every_weight():
    model = seeing.network().train()
    model(shown(6)).logsumexp(1).sum().backward()
    for name, value in model.named_parameters():
        assert value.grad is not None, name
        assert bool((value.grad != 0.0).any()), name


def test_weights_are_those_that_the_shape_says():
    found = seeing.network().weights()
    assert {name: value.shape for name, value in found.items()} == seeing.small().weight_shapes()
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}
    whole = PictureConfig(tuple(map(str, range(345))))
    assert sum(int(np.prod(shape)) for shape in whole.weight_shapes().values()) * 2 <= 1_550_000


def test_weights_are_copies():
    model = seeing.network()
    model.weights()["head.bias"][:] = 7.0
    assert not bool((model.head.bias == 7.0).any())


def test_a_picture_is_read_alike_whatever_stands_beside_it():
    model, many = seeing.network(), shown(5)
    with torch.no_grad():
        together, alone = model(many), torch.cat([model(one[None]) for one in many])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert float((together[0] - together[1]).abs().max()) > 1e-2


def test_each_stage_halves_the_picture():
    seen: list[tuple[int, ...]] = []
    model = seeing.network()
    for stage in model.halve:
        stage.register_forward_hook(lambda _, __, found: seen.append(tuple(found.shape[1:])))
    assert model.described(shown(2)).shape == (2, 12)
    assert seen == [(4, 32, 32), (8, 16, 16), (12, 8, 8)]


def test_blocks_do_nothing_at_first():
    torch.manual_seed(0)
    young = PictureNetwork(seeing.small()).eval()
    values = torch.rand(2, 8, 16, 16)
    stage = young.blocks[1]
    assert isinstance(stage, nn.ModuleList)
    torch.testing.assert_close(stage[0](values), values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("widths", ()),
        ("widths", (2, 8, 8)),
        ("blocks", (1,)),
        ("blocks", (0, 0, 99)),
        ("blocks", (0, -1, 0)),
        ("dropout", 1.0),
        ("categories", ["cat"]),
        ("categories", ["cat", "cat"]),
    ],
)
def test_shapes_outside_their_limits(name: str, value: object):
    with pytest.raises(SettingError, match=name):
        PictureConfig.from_dict(seeing.small().to_dict() | {name: value})


def test_a_width_that_is_no_whole_number():
    # What checks types in the tests looks at one item of a tuple, any one, and may be the first to complain.
    with pytest.raises((SettingError, TypeCheckError), match="widths"):
        PictureConfig.from_dict(seeing.small().to_dict() | {"widths": (8.5, 8, 8)})


def test_the_shape_goes_round():
    assert PictureConfig.from_dict(seeing.small().to_dict()) == seeing.small()
