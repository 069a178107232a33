"""Recipes by name, and what Sketch-RNN's is: offsets and pens, nothing else."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from sketchgen.models.config import ModelConfig
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.sketch.strokes import Pen
from sketchgen.training.config import PRESETS, ModelSettings, TrainConfig

CATEGORIES = ("cat", "sun")
DEFAULTS = ModelSettings()


def network(name: str, **changes: int) -> StrokeModel:
    torch.manual_seed(0)
    settings = replace(PRESETS[name].model, **changes)
    return StrokeModel(ModelConfig(CATEGORIES, **asdict(settings))).eval()


def steps() -> Steps:
    random = torch.Generator().manual_seed(0)
    return Steps(
        offset=(torch.randn(2, 9, 2, generator=random) * 30).round(),
        pen=torch.randint(0, 2, (2, 9), generator=random),
        category=torch.tensor([0, 1]),
        known=torch.ones(2),
    )


def size(model: StrokeModel) -> int:
    return sum(value.numel() for value in model.parameters())


@pytest.mark.parametrize("name", PRESETS)
def test_every_recipe_makes_a_run_and_a_network(name: str):
    config = TrainConfig(Path("store"), Path("run"), steps=1, **PRESETS[name].settings())
    assert config.model == PRESETS[name].model
    assert size(network(name)) > 100_000


def test_bundled_models_keep_their_promised_size():
    # 345 categories, float16: at most 10 MB and 1.5 MB.
    more = 345 * DEFAULTS.embedding
    assert 2 * (size(network("quickdraw345")) + more) <= 10e6
    assert 2 * (size(network("tiny")) + more) <= 1.5e6


@torch.no_grad()
def test_sketch_rnn_reads_offsets_pens_and_category_only():
    model, given, cut = network("sketch-rnn"), steps(), torch.tensor([4, 4])
    before = model(given, cut)
    assert (model.config.layers, model.config.width, model.config.components) == (1, 512, 20)
    # Neither the encoder nor the frame is heard: where the cut is makes no difference.
    for same in (
        model(given, torch.zeros(2, dtype=torch.int64)),
        model(replace(given, known=torch.zeros(2)), cut),
    ):
        assert torch.equal(before.mean, same.mean)
    for other in (
        replace(given, offset=given.offset + 1.0),
        replace(given, pen=torch.full_like(given.pen, int(Pen.DRAW))),
        replace(given, category=torch.tensor([1, 0])),
    ):
        assert not torch.allclose(before.mean, model(other, cut).mean)
    # One pen for all components.
    assert torch.equal(before.lift, before.lift[..., :1].expand_as(before.lift))


def test_sketch_rnn_learns_from_whole_drawings_in_their_own_frame():
    prefixes = PRESETS["sketch-rnn"].prefixes
    assert prefixes.nothing == 1.0
    assert prefixes.unknown == prefixes.drop_category == prefixes.held_back == prefixes.opened == 0.0
