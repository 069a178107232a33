"""Checkpoints of recognisers: whole, round, and never taken for those of models that draw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import recognisers
from safetensors.numpy import save

from sketchgen.completion.completer import load
from sketchgen.errors import CheckpointError, OutputError, SettingError
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.models.classifier_checkpoint import read_recogniser, save_recogniser
from sketchgen.models.classifier_config import RecogniserConfig
from sketchgen.models.config import ModelConfig
from sketchgen.models.recogniser import load_recogniser
from sketchgen.resources import RECOGNISER_WEIGHTS
from tests.support import untrained


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_recogniser(tmp_path / "made", recognisers.network(), {"steps": 3})
    return tmp_path / "made"


def refused(folder: Path, match: str) -> None:
    with pytest.raises(CheckpointError, match=match) as caught:
        read_recogniser(folder)
    assert "\n" not in str(caught.value)


def test_goes_round(folder: Path):
    found, model = read_recogniser(folder), recognisers.network()
    assert found.config == model.config
    assert found.summary == {"steps": 3}
    assert found.weights.keys() == model.weights().keys()
    assert all(np.array_equal(value, found.weights[name]) for name, value in model.weights().items())
    loaded = load_recogniser(folder)
    assert loaded.categories == recognisers.CATEGORIES
    assert loaded.name == str(folder)


def test_half_is_half_as_large_and_nearly_the_same(tmp_path: Path, folder: Path):
    save_recogniser(tmp_path / "half", load_recogniser(folder).reader, {}, half=True)
    sizes = [(place / RECOGNISER_WEIGHTS).stat().st_size for place in (tmp_path / "half", folder)]
    assert sizes[0] < 0.7 * sizes[1]
    sketches = recognisers.scribbles(9, 20)
    one, two = (load_recogniser(place).read(sketches).log_prob for place in (tmp_path / "half", folder))
    np.testing.assert_allclose(one, two, atol=0.05)


def test_the_card_names_data_and_licence(folder: Path):
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in card
    assert "| steps | 3 |" in card


def test_what_is_there_is_kept(folder: Path):
    with pytest.raises(OutputError, match="force"):
        save_recogniser(folder, recognisers.network(), {})
    save_recogniser(folder, recognisers.network(), {"steps": 4}, force=True)
    assert read_recogniser(folder).summary == {"steps": 4}


def test_a_model_that_draws_is_no_recogniser(tmp_path: Path):
    drawing = untrained.network(
        ModelConfig(("cat",), width=8, components=1, embedding=8, encoder_width=8, layers=1)
    )
    save_checkpoint(tmp_path / "drawing", drawing, {})
    refused(tmp_path / "drawing", r"recognises nothing; load it with sketchgen\.load$")


def test_a_recogniser_is_no_model_that_draws(folder: Path):
    with pytest.raises(CheckpointError, match=r"draws nothing; load it with sketchgen\.load_recogniser"):
        load(folder)


def test_none_there():
    with pytest.raises(CheckpointError, match="no recogniser 'nowhere'"):
        load_recogniser("nowhere")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "other"}'])
def test_a_damaged_configuration(folder: Path, content: str):
    (folder / "config.json").write_text(content)
    refused(folder, "cannot be read|not a sketchgen checkpoint")


def test_another_version(folder: Path):
    about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(about | {"version": 99}))
    refused(folder, "of version 99, this program reads 1")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"entry": 24}, "do not belong together"),
        ({"widths": [12, 24]}, "do not belong together"),
        ({"widths": 12}, "wrong type"),
        ({"depth": 2}, "unknown setting 'depth'"),
        ({"categories": None}, "categories are missing"),
    ],
)
def test_a_changed_configuration(folder: Path, change: dict[str, object], match: str):
    about = json.loads((folder / "config.json").read_text())
    about["recogniser"] |= change
    (folder / "config.json").write_text(json.dumps(about))
    refused(folder, match)


def test_damaged_weights(folder: Path):
    path = folder / RECOGNISER_WEIGHTS
    path.write_bytes(path.read_bytes()[:-50])
    refused(folder, "damaged or missing")
    weights = recognisers.network().weights()
    weights["head.bias"][0] = np.nan
    path.write_bytes(save(weights))
    refused(folder, "not finite")


@pytest.mark.parametrize(
    ("name", "value"),
    [("entry", 0), ("widths", ()), ("widths", (16, 4)), ("heads", 5), ("dropout", 1.0), ("pooled", 2)],
)
def test_shapes_outside_their_limits(name: str, value: object):
    with pytest.raises(SettingError, match=name):
        RecogniserConfig.from_dict(recognisers.small().to_dict() | {name: value})


@pytest.mark.parametrize("names", [("cat",), ("cat", "cat")])
def test_two_categories_at_least(names: tuple[str, ...]):
    with pytest.raises(SettingError, match="categories"):
        recognisers.small(categories=names)
