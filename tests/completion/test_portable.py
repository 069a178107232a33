"""A model for programs without Python: what stands in its files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sketchgen.completion.completer import load
from sketchgen.completion.portable import MODEL, WEIGHTS, description, write_web_model
from sketchgen.errors import OutputError, SettingError
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.models.features import parameter_count
from sketchgen.models.quantising import rounded
from tests.support import untrained

SIZES = {"float32": 4, "float16": 2, "int8": 1}


def tensor(data: bytes, entry: dict[str, Any]) -> np.ndarray:
    """Weights as a reader of both files finds them."""
    count = int(np.prod(entry["shape"]))
    values = np.frombuffer(data, entry["type"], count, entry["offset"]).astype(np.float32)
    values = values.reshape(entry["shape"])
    if entry["type"] != "int8":
        return values
    return values * np.frombuffer(data, np.float32, entry["shape"][0], entry["scale"])[:, None]


@pytest.mark.parametrize("precision", SIZES)
def test_all_weights_are_read_back(tmp_path: Path, precision: str) -> None:
    folder = tmp_path / "model"
    write_web_model("tiny", folder, precision)
    about = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    data = (folder / WEIGHTS).read_bytes()
    assert about["weights"]["bytes"] == len(data)
    assert about["weights"]["sha256"] == hashlib.sha256(data).hexdigest()
    weights = load("tiny").decoder.weights()
    found = {entry["name"]: tensor(data, entry) for entry in about["tensors"]}
    assert all(entry["offset"] % 4 == 0 for entry in about["tensors"])
    for name, value in rounded(weights, precision).items():
        np.testing.assert_array_equal(found[name], value)
    own = sum(value.size for value in weights.values()) * SIZES[precision]
    classifier = sum(value.size for name, value in found.items() if name.startswith("classifier."))
    assert len(data) < 1.05 * (own + classifier)


def test_int8_is_off_by_half_a_step_at_most() -> None:
    weights = load("tiny").decoder.weights()
    for name, value in rounded(weights, "int8").items():
        limit = np.abs(value).max(-1, keepdims=True) / 127 if value.ndim == 2 else np.abs(value) / 1000
        assert (np.abs(value - weights[name]) <= 0.51 * limit + 1e-7).all(), name


def test_the_description_tells_the_layout_of_the_outputs() -> None:
    model = load("tiny")
    about = description(model)
    assert sum(count for _, count in about["mixture"]["layout"]) == parameter_count(model.config.components)
    assert len(about["features"]["names"]) == 18
    assert about["any_category"] == len(about["categories"]) == 345
    json.dumps(about, allow_nan=False)


def test_a_folder_is_not_replaced_unasked_and_a_precision_must_exist(tmp_path: Path) -> None:
    write_web_model("tiny", tmp_path / "model")
    with pytest.raises(OutputError):
        write_web_model("tiny", tmp_path / "model")
    with pytest.raises(SettingError, match="no precision 'int4'; there are float32, float16, int8"):
        write_web_model("tiny", tmp_path / "other", "int4")
    assert not (tmp_path / "other").exists()


def test_a_latent_vector_is_left_out(tmp_path: Path) -> None:
    config = untrained.shaped({"latent": 4, "latent_encoder": 8})
    save_checkpoint(tmp_path / "held", untrained.network(config), {})
    write_web_model(tmp_path / "held", tmp_path / "model")
    about = json.loads((tmp_path / "model" / "model.json").read_text())
    assert not [each["name"] for each in about["tensors"] if each["name"].startswith("latent")]
    assert "latent" not in about["network"]
