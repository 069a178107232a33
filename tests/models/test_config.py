"""Configurations refuse what no network can have, and know the weights of each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sketchgen.errors import SettingError
from sketchgen.models.config import CELLS, ModelConfig, NetworkConfig, PictureConfig, RewardConfig
from tests.support import critics, recognisers, seeing, untrained

STROKES = ModelConfig(("cat", "sun"), layers=2, width=16, components=3, embedding=8, encoder_width=8)
ALL: list[NetworkConfig] = [STROKES, recognisers.small(), seeing.small(), critics.small()]


@pytest.mark.parametrize("config", ALL, ids=lambda config: type(config).__name__)
def test_a_configuration_goes_round(config: NetworkConfig):
    assert type(config).from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        (STROKES, "cell", "transformer"),
        (STROKES, "inputs", "none"),
        (STROKES, "pen", "two"),
        (STROKES, "width", 4),
        (STROKES, "layers", 0),
        (STROKES, "components", 101),
        (STROKES, "pointers", -1),
        (STROKES, "rotated", 4),
        (STROKES, "self_attention", 18),
        (STROKES, "offset_scale", 0.0),
        (STROKES, "offset_scale", float("nan")),
        (STROKES, "categories", []),
        (recognisers.small(), "entry", 0),
        (recognisers.small(), "widths", ()),
        (recognisers.small(), "widths", (16, 4)),
        (recognisers.small(), "heads", 5),
        (recognisers.small(), "pooled", 2),
        (recognisers.small(), "dropout", 1.0),
        (recognisers.small(), "categories", ["cat"]),
        (critics.small(), "heads", 7),
        (seeing.small(), "widths", (2, 8, 8)),
        (seeing.small(), "blocks", (1,)),
        (seeing.small(), "blocks", (0, 0, 99)),
        (seeing.small(), "blocks", (0, -1, 0)),
        (seeing.small(), "categories", ["cat", "cat"]),
    ],
)
def test_values_outside_their_limits(config: NetworkConfig, name: str, value: object):
    with pytest.raises(SettingError, match=name):
        type(config).from_dict(config.to_dict() | {name: value})


@pytest.mark.parametrize("config", ALL, ids=lambda config: type(config).__name__)
def test_foreign_values(config: NetworkConfig):
    for name, value, message in (
        ("depth", 2, "unknown setting 'depth'"),
        ("categories", None, "categories are missing"),
        ("categories", [1, 2], "categories are missing"),
        ("dropout", "much", "wrong type"),
    ):
        with pytest.raises(SettingError, match=message):
            type(config).from_dict(config.to_dict() | {name: value})


@pytest.mark.parametrize(("name", "value"), [("width", "wide"), ("box_components", "yes")])
def test_values_of_another_type(name: str, value: object):
    # While tests run, types are checked before the values.
    with pytest.raises(SettingError, match=f"{name}|wrong type"):
        ModelConfig.from_dict(STROKES.to_dict() | {name: value})


def test_self_attention_needs_two_layers():
    with pytest.raises(SettingError, match="two layers"):
        untrained.shaped({"layers": 1, "self_attention": 16})


def test_names_of_older_checkpoints_are_read():
    old = {"turned": 2, "recall": 16, "borders": True}
    new = {"rotated": 2, "self_attention": 16, "box_components": True}
    plain: dict[str, Any] = {"categories": ["cat"]}
    assert ModelConfig.from_dict(plain | old) == ModelConfig.from_dict(plain | new)


@pytest.mark.parametrize("cell", CELLS)
def test_the_weights_of_a_stroke_model_are_known(cell: str):
    config = untrained.shaped({"cell": cell, "layers": 3, "pointers": 8, "self_attention": 16})
    found = {name: value.shape for name, value in untrained.network(config).weights().items()}
    assert config.weight_shapes() == found


def test_the_weights_of_the_others_are_known():
    for network in (recognisers.network(), seeing.network(), critics.network()):
        found = {name: value.shape for name, value in network.weights().items()}
        assert network.config.weight_shapes() == found
    assert type(critics.network().config) is RewardConfig
    whole = PictureConfig(tuple(map(str, range(345))))
    assert sum(int(np.prod(shape)) for shape in whole.weight_shapes().values()) * 2 <= 1_550_000
