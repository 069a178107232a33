"""Settings and their limits, the learning rate, and the presets."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from sketchgen.errors import SettingError
from sketchgen.models.config import ModelConfig
from sketchgen.models.stroke_model import Steps, StrokeModel
from sketchgen.sketch.strokes import Pen
from sketchgen.training.config import (
    ClassifierTrainConfig,
    ModelSettings,
    ReinforceConfig,
    RewardTrainConfig,
    TrainConfig,
)
from sketchgen.training.presets import PRESETS

CATEGORIES = ("cat", "sun")
DEFAULTS = ModelSettings()


def network(name: str, **changes: int) -> StrokeModel:
    torch.manual_seed(0)
    settings = replace(PRESETS[name].model, **changes)
    return StrokeModel(ModelConfig.from_dict(asdict(settings) | {"categories": CATEGORIES})).eval()


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


CONFIG = TrainConfig(Path("/home/somebody/store"), Path("run"), steps=20)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (TrainConfig, {"steps": None}),
        (TrainConfig, {"batch": 0}),
        (TrainConfig, {"learning_rate": math.nan}),
        (TrainConfig, {"clip": math.inf}),
        (TrainConfig, {"average": 1.0}),
        (TrainConfig, {"patience": 0}),
        (TrainConfig, {"workers": -1}),
        (TrainConfig, {"distillation": 1.1}),
        (TrainConfig, {"candidates": Path("candidates")}),
        (ClassifierTrainConfig, {"smoothing": 1.0}),
        (ClassifierTrainConfig, {"time_limit": 0}),
        (RewardTrainConfig, {"candidates_per_sketch": 65}),
        (RewardTrainConfig, {"threads": 0}),
    ],
)
def test_settings_outside_their_limits_are_refused(kind: type, wrong: dict[str, Any]):
    with pytest.raises(SettingError) as caught:
        kind(Path("store"), Path("run"), **{"steps": 20} | wrong)
    assert "\n" not in str(caught.value)


def test_the_best_of_all_rollouts_is_refused():
    with pytest.raises(SettingError, match="best_of must be a number from 1 to 3, not 4"):
        ReinforceConfig(rollouts=4, best_of=4)


def test_a_summary_names_files_without_their_folders():
    reinforce = ReinforceConfig(classifier="/home/somebody/runs/judge")
    text = json.dumps(replace(CONFIG, teachers=("/home/somebody/one", "tiny"), reinforce=reinforce).summary())
    assert "somebody" not in text
    found = json.loads(text)
    assert (found["steps"], found["store"], found["teachers"]) == (20, "store", ["one", "tiny"])
    assert found["reinforce"]["classifier"] == "judge"


@pytest.mark.parametrize(
    ("config", "last"),
    [(CONFIG, 0.02), (ClassifierTrainConfig(Path("store"), Path("run"), steps=9, warmup=100), 0.002)],
)
def test_the_rate_rises_over_the_warmup_and_falls_along_a_cosine(config: TrainConfig, last: float):
    peak = config.peak
    rising = [config.rate(step, 0.0) for step in (0, 49, 99, 500)]
    assert rising == pytest.approx([peak / 100, peak / 2, peak, peak])
    falling = [config.rate(1000, progress / 10) for progress in range(11)]
    assert falling == sorted(falling, reverse=True)
    assert falling[5] == pytest.approx(peak * (1 + last) / 2)
    assert falling[-1] == config.rate(1000, 1.5) == pytest.approx(last * peak)


def test_a_new_network_and_a_checkpoint_have_rates_of_their_own():
    assert CONFIG.peak == TrainConfig.fresh_rate
    assert replace(CONFIG, start="tiny").peak == TrainConfig.tuning_rate
    assert replace(CONFIG, start="tiny", learning_rate=0.01).peak == 0.01


def test_short_runs_are_validated_more_often():
    assert CONFIG.validation_interval() == 240
    assert replace(CONFIG, time_limit=60).validation_interval() == 5
    assert replace(CONFIG, time_limit=86_400).validation_interval() == 240
    assert replace(CONFIG, time_limit=60, validate_every=30).validation_interval(9.0) == 30
    assert CONFIG.validation_interval(100.0) == 800
