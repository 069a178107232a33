"""Checkpoints of every kind: whole, round, and never taken for those of another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load as load_tensors
from safetensors.torch import save_file

import sketchgen
from sketchgen.errors import CheckpointError, OutputError
from sketchgen.models.checkpoint import (
    CARD,
    CLASSIFIER,
    CONFIG,
    KINDS,
    PICTURE_CLASSIFIER,
    REWARD_MODEL,
    STROKE_MODEL,
    WEIGHTS,
    Kind,
    is_picture_classifier,
    read_checkpoint,
    save_checkpoint,
    with_categories,
)
from sketchgen.models.config import ModelConfig
from sketchgen.models.picture_classifier import load_picture_recogniser
from sketchgen.sketch.files import SUMS
from tests.support import critics, recognisers, seeing, untrained

SUMMARY = {"steps": 12, "nats_per_point_valid": 7.5, "settings": {"seed": 0}}

NETWORKS: dict[str, Callable[[], Any]] = {
    STROKE_MODEL.name: lambda: untrained.network(
        ModelConfig(("cat", "smörgås"), layers=1, width=16, components=3, embedding=8, encoder_width=8)
    ),
    CLASSIFIER.name: recognisers.network,
    PICTURE_CLASSIFIER.name: seeing.network,
    REWARD_MODEL.name: critics.network,
}

LOAD: dict[str, Callable[[Path], Any]] = {
    STROKE_MODEL.name: sketchgen.load,
    CLASSIFIER.name: sketchgen.load_recogniser,
    PICTURE_CLASSIFIER.name: load_picture_recogniser,
    REWARD_MODEL.name: sketchgen.load_reward_model,
}

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
two_kinds = pytest.mark.parametrize("kind", KINDS[:2], ids=lambda kind: kind.name)


def saved(kind: Kind[Any], folder: Path) -> Path:
    save_checkpoint(folder, NETWORKS[kind.name](), SUMMARY)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return saved(STROKE_MODEL, tmp_path / "model")


def refused(folder: Path, kind: Kind[Any] = STROKE_MODEL) -> str:
    """Return the message of the error that reading gives; one line."""
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(folder, kind)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rewrite(folder: Path, **changes: object) -> None:
    about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    (folder / CONFIG).write_text(json.dumps(about | changes), encoding="utf-8")
    (folder / SUMS).unlink(missing_ok=True)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@each_kind
def test_a_network_goes_round(kind: Kind[Any], tmp_path: Path):
    folder, network = saved(kind, tmp_path / "made"), NETWORKS[kind.name]()
    found = read_checkpoint(folder, kind)
    assert (found.name, found.config, found.summary) == (str(folder), network.config, SUMMARY)
    assert {name: value.shape for name, value in found.weights.items()} == network.config.weight_shapes()
    assert same(found.weights, network.weights())
    assert LOAD[kind.name](folder).name == str(folder)


@each_kind
def test_the_folder_holds_weights_configuration_and_card_and_no_pickle(kind: Kind[Any], tmp_path: Path):
    folder = saved(kind, tmp_path / "made")
    assert sorted(path.name for path in folder.iterdir()) == sorted([WEIGHTS, CONFIG, CARD, SUMS])
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
    # Safetensors: a length and a JSON header, then plain numbers.
    raw = (folder / WEIGHTS).read_bytes()
    assert isinstance(json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")]), dict)
    card = (folder / CARD).read_text(encoding="utf-8")
    assert all(words in card for words in (kind.name, "| nats_per_point_valid | 7.5 |", "CC BY 4.0"))


@each_kind
def test_none_is_taken_for_another(kind: Kind[Any], tmp_path: Path):
    folder = saved(kind, tmp_path / "made")
    for other in KINDS:
        if other is not kind:
            assert refused(folder, other) == f"{folder} is a {kind.name}, not a {other.name}; {kind.usage}"
            assert refused(Path(kind.default), other).startswith(f"{kind.default} is a {kind.name}, not a")
    assert [is_picture_classifier(each) for each in (folder, kind.default)] == 2 * [
        kind is PICTURE_CLASSIFIER
    ]


def test_older_names_of_settings_are_read(tmp_path: Path):
    folder = saved(STROKE_MODEL, tmp_path / "made")
    wanted = read_checkpoint(folder)
    about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    for new, old in (("rotated", "turned"), ("self_attention", "recall"), ("box_components", "borders")):
        about["model"][old] = about["model"].pop(new)
    (folder / CONFIG).write_text(json.dumps(about), encoding="utf-8")
    (folder / SUMS).unlink()
    found = read_checkpoint(folder)
    assert (found.config, found.summary) == (wanted.config, wanted.summary)
    assert same(found.weights, wanted.weights)


@two_kinds
def test_damaged_configurations_are_refused(kind: Kind[Any], tmp_path: Path):
    folder = saved(kind, tmp_path / "made")
    for model in (None, [], "all"):
        rewrite(folder, model=model)
        assert f"describes no {kind.name}" in refused(folder, kind)
    rewrite(folder, model={})
    assert "categories are missing" in refused(folder, kind)
    rewrite(folder, version=2)
    assert "of version 2, this program reads 1" in refused(folder, kind)
    for text in ("", "{", "\xff"):
        (folder / CONFIG).write_text(text, encoding="latin-1")
        assert "cannot be read" in refused(folder, kind)
    for text in ("[]", "null", "{}", '{"model_type": "gpt2"}', '{"format": "x"}'):
        (folder / CONFIG).write_text(text)
        assert "is not a sketchgen checkpoint" in refused(folder, kind)


@two_kinds
def test_damaged_weights_are_refused(kind: Kind[Any], tmp_path: Path):
    folder = saved(kind, tmp_path / "made")
    raw = (folder / WEIGHTS).read_bytes()
    (folder / SUMS).unlink()
    # Not from the file, which would be mapped into memory and then truncated.
    weights = load_tensors(raw)
    for share in (0.0, 0.01, 0.5, 0.99):
        (folder / WEIGHTS).write_bytes(raw[: int(share * len(raw))])
        assert "damaged" in refused(folder, kind)
    (folder / WEIGHTS).unlink()
    assert "missing" in refused(folder, kind)
    for dtype in (torch.float64, torch.bfloat16, torch.int8):
        save_file({name: value.to(dtype) for name, value in weights.items()}, folder / WEIGHTS)
        refused(folder, kind)
    save_file(weights | {"head.scale": weights["head.bias"].clone()}, folder / WEIGHTS)
    assert "do not belong together" in refused(folder, kind)
    save_file({name: value for name, value in weights.items() if name != "head.bias"}, folder / WEIGHTS)
    assert "do not belong together" in refused(folder, kind)
    weights["head.bias"][0] = torch.nan
    save_file(weights, folder / WEIGHTS)
    assert "not finite" in refused(folder, kind)


@pytest.mark.parametrize(
    "change", [{"width": 24}, {"cell": "gru"}, {"cell": "gated"}, {"layers": 2}, {"components": 4}]
)
def test_weights_of_another_shape_are_refused(folder: Path, change: dict[str, Any]):
    rewrite(folder, model=NETWORKS[STROKE_MODEL.name]().config.to_dict() | change)
    assert "do not belong together" in refused(folder)


def test_a_pickle_in_place_of_the_weights_is_not_opened(folder: Path, tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"weights": Trap()}, folder / WEIGHTS)
    refused(folder)
    assert not (tmp_path / "sprung").exists()


@two_kinds
def test_what_is_not_there_is_refused_with_the_names_that_are(kind: Kind[Any], tmp_path: Path):
    assert f"no {kind.name} 'nowhere': " in refused(Path("nowhere"), kind)
    assert kind.default in refused(tmp_path, kind)
    # Longer than any file system takes it, which it says in an error of its own.
    assert len(refused(Path(1000 * "x"), kind)) < 400
    for name in ("", "..", "tiny/..", "../pyproject.toml", "a\0b"):
        with pytest.raises(CheckpointError, match=f"no {kind.name}"):
            read_checkpoint(name, kind)


def test_a_folder_comes_before_a_bundled_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert is_picture_classifier(PICTURE_CLASSIFIER.default)
    saved(CLASSIFIER, Path(PICTURE_CLASSIFIER.default))
    assert not is_picture_classifier(PICTURE_CLASSIFIER.default)


def test_half_the_size_is_nearly_the_same(tmp_path: Path):
    whole, half = recognisers.recogniser(), tmp_path / "half"
    save_checkpoint(half, recognisers.network(), {}, half=True)
    assert {value.dtype for value in load_file(half / WEIGHTS).values()} == {np.dtype(np.float16)}
    sketches = recognisers.scribbles(9, 20)
    found = sketchgen.load_recogniser(half).read(sketches).log_prob
    np.testing.assert_allclose(found, whole.read(sketches).log_prob, atol=0.05)


def test_an_existing_folder_is_refused_unless_forced(folder: Path):
    network = NETWORKS[STROKE_MODEL.name]()
    with pytest.raises(OutputError, match="--force"):
        save_checkpoint(folder, network, {"steps": 1})
    assert read_checkpoint(folder).summary == SUMMARY
    save_checkpoint(folder, network, {"steps": 1}, force=True)
    assert read_checkpoint(folder).summary == {"steps": 1}
    rewrite(folder, training=[1, 2])
    assert read_checkpoint(folder).summary == {}
    # Others may read it, too.
    (folder / "plain").write_text("")
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


def test_force_replaces_nothing_but_a_checkpoint(tmp_path: Path):
    folder, file = tmp_path / "thesis", tmp_path / "notes.txt"
    folder.mkdir()
    (folder / "chapter").write_text("dear")
    file.write_text("dear")
    for out in (folder, file):
        with pytest.raises(OutputError, match="not a checkpoint"):
            save_checkpoint(out, NETWORKS[STROKE_MODEL.name](), SUMMARY, force=True)
    assert (folder / "chapter").read_text() == file.read_text() == "dear"


def test_new_categories_start_as_any(folder: Path):
    before = read_checkpoint(folder)
    after = with_categories(before, ("smörgås", "owl", "cat"))
    assert after.config.categories == ("cat", "smörgås", "owl")
    rows, old = after.weights["category.weight"], before.weights["category.weight"]
    np.testing.assert_array_equal(rows, old[[0, 1, 2, 2]])
    assert with_categories(before, ("cat",)).config == before.config


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_flipped_bit_names_the_file(tmp_path: Path, name: str, share: float) -> None:
    save_checkpoint(tmp_path / "a", NETWORKS[STROKE_MODEL.name](), SUMMARY)
    file = tmp_path / "a" / name
    data = bytearray(file.read_bytes())
    data[int(share * len(data))] ^= 1
    file.write_bytes(data)
    with pytest.raises(CheckpointError, match=f"a/{name}"):
        read_checkpoint(tmp_path / "a")


def test_older_checkpoints_have_no_checksums(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a", NETWORKS[STROKE_MODEL.name](), SUMMARY)
    (tmp_path / "a" / SUMS).unlink()
    assert read_checkpoint(tmp_path / "a").summary == SUMMARY


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '{"format": []}', '{"format": {"a": 1}}', "[1]", "{", ""]
)
def test_a_configuration_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / CONFIG).write_text(text)
    with pytest.raises(CheckpointError, match=r"cannot be read|is not a sketchgen checkpoint"):
        read_checkpoint(tmp_path)
