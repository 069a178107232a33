from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from sketchgen.errors import CheckpointError, OutputError
from sketchgen.models.checkpoint import CARD, CONFIG, WEIGHTS, model_card, read_checkpoint, save_checkpoint
from sketchgen.models.config import CELLS, ModelConfig
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.stroke_model import Steps, StrokeModel, load_network
from tests.support import untrained

SUMMARY = {"steps": 12, "nats_per_point_valid": 7.5, "settings": {"seed": 0}}


def network(**changes) -> StrokeModel:
    torch.manual_seed(1)
    shape = {"layers": 1, "width": 16, "components": 3, "embedding": 8, "encoder_width": 8}
    return StrokeModel(ModelConfig(("cat", "smörgås"), **{**shape, **changes}))


@torch.no_grad()
def output(model: StrokeModel) -> StepDistribution:
    random = torch.Generator().manual_seed(0)
    steps = Steps(
        torch.randn(2, 6, 2, generator=random) * 30,
        torch.randint(0, 2, (2, 6), generator=random),
        torch.tensor([0, 1]),
        torch.ones(2),
    )
    return model.eval()(steps, torch.tensor([3, 0]))


def refused(folder: Path) -> str:
    """The message of the error that loading gives; one line."""
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_checkpoint(tmp_path / "model", network(), SUMMARY)
    return tmp_path / "model"


def rewrite(folder: Path, **changes) -> None:
    about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    (folder / CONFIG).write_text(json.dumps(about | changes), encoding="utf-8")


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_loaded_computes_the_same(tmp_path: Path, cell: str):
    model = network(cell=cell, layers=2)
    save_checkpoint(tmp_path / "model", model, SUMMARY)
    loaded, summary = load_network(tmp_path / "model")
    assert summary == SUMMARY
    assert loaded.config == model.config
    assert not loaded.training
    for name, value in vars(output(model)).items():
        assert torch.equal(value, vars(output(loaded))[name]), name


def test_half_the_size_is_nearly_the_same(tmp_path: Path, folder: Path):
    save_checkpoint(tmp_path / "half", network(), SUMMARY, half=True)
    assert {value.dtype for value in load_file(tmp_path / "half" / WEIGHTS).values()} == {torch.float16}
    loaded, _ = load_network(tmp_path / "half")
    assert {value.dtype for value in loaded.state_dict().values()} == {torch.float32}
    whole, half = output(network()), output(loaded)
    torch.testing.assert_close(half.log_weight, whole.log_weight, atol=5e-3, rtol=5e-3)
    torch.testing.assert_close(half.mean, whole.mean, atol=0.2, rtol=5e-3)


def test_the_folder_holds_weights_settings_and_a_card_and_no_pickle(folder: Path):
    assert sorted(path.name for path in folder.iterdir()) == sorted([WEIGHTS, CONFIG, CARD])
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    # Safetensors: a length and a JSON header, then plain numbers.
    raw = (folder / WEIGHTS).read_bytes()
    assert isinstance(json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")]), dict)
    assert "smörgås" in (folder / CONFIG).read_text(encoding="utf-8")
    assert "nats_per_point_valid | 7.5" in (folder / CARD).read_text(encoding="utf-8")


def test_a_pickle_in_place_of_the_weights_is_not_opened(folder: Path, tmp_path: Path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"weights": Trap()}, folder / WEIGHTS)
    refused(folder)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_truncated_weights_are_refused(folder: Path, share: float):
    raw = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(raw[: int(share * len(raw))])
    assert "damaged" in refused(folder)


def test_missing_weights_and_missing_folders_are_refused(folder: Path, tmp_path: Path):
    (folder / WEIGHTS).unlink()
    assert "missing" in refused(folder)
    assert "no checkpoint" in refused(tmp_path / "nowhere")
    # Longer than any file system takes it, which it says in an error of its own.
    assert len(refused(Path(1000 * "x"))) < 400


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"model_type": "gpt2"}', '{"format": "x"}'])
def test_a_foreign_configuration_is_refused(folder: Path, text: str):
    (folder / CONFIG).write_text(text)
    refused(folder)


def test_a_newer_version_is_refused(folder: Path):
    rewrite(folder, version=2)
    assert "version 2" in refused(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"width": 24},
        {"cell": "gru"},
        {"cell": "gated"},
        {"layers": 2},
        {"components": 4},
        {"width": "wide"},
        {"heads": 2},
    ],
)
def test_weights_of_another_shape_are_refused(folder: Path, change: dict):
    rewrite(folder, model=network().config.to_dict() | change)
    refused(folder)


def test_a_configuration_without_a_model_is_refused(folder: Path):
    rewrite(folder, model={})
    assert "categories" in refused(folder)


def test_a_foreign_summary_is_left_out(folder: Path):
    rewrite(folder, training=[1, 2])
    assert read_checkpoint(folder).summary == {}


@pytest.mark.parametrize("change", ["less", "more", "other"])
def test_weights_by_other_names_are_refused(folder: Path, change: str):
    weights = load_file(folder / WEIGHTS)
    if change != "less":
        weights["head.scale"] = weights["head.bias"].clone()
    if change != "more":
        del weights["head.bias"]
    save_file(weights, folder / WEIGHTS)
    assert "do not belong together" in refused(folder)


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16, torch.int8])
def test_weights_of_another_kind_are_refused(folder: Path, kind: torch.dtype):
    weights = load_file(folder / WEIGHTS)
    save_file({name: value.to(kind) for name, value in weights.items()}, folder / WEIGHTS)
    refused(folder)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 3])
def test_the_shapes_of_the_weights_are_known_before_there_are_any(cell: str, layers: int):
    model = network(cell=cell, layers=layers)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert model.config.weight_shapes() == shapes


def test_weights_that_are_not_finite_are_refused(folder: Path):
    weights = load_file(folder / WEIGHTS)
    weights["head.bias"][0] = torch.nan
    save_file(weights, folder / WEIGHTS)
    assert "not finite" in refused(folder)


def test_an_existing_folder_is_refused_unless_forced(folder: Path):
    with pytest.raises(OutputError, match="--force"):
        save_checkpoint(folder, network(), {"steps": 1})
    assert read_checkpoint(folder).summary == SUMMARY
    save_checkpoint(folder, network(), {"steps": 1}, force=True)
    assert read_checkpoint(folder).summary == {"steps": 1}


def test_force_replaces_nothing_but_a_checkpoint(tmp_path: Path):
    folder, file = tmp_path / "thesis", tmp_path / "notes.txt"
    folder.mkdir()
    (folder / "chapter").write_text("dear")
    file.write_text("dear")
    for out in (folder, file):
        with pytest.raises(OutputError, match="not a checkpoint"):
            save_checkpoint(out, network(), SUMMARY, force=True)
    assert (folder / "chapter").read_text() == file.read_text() == "dear"


def test_others_may_read_a_checkpoint(folder: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    modes = {path.stat().st_mode for path in folder.iterdir()}
    assert modes == {plain.stat().st_mode}


def test_a_card_says_what_the_network_reads_and_how_it_is_told_what_is_given():
    shape: dict[str, Any] = {"inputs": "offsets", "pen": "shared", "encoder_width": 0}
    recipe = model_card(untrained.shaped(shape), {})
    assert "offsets and pens only" in recipe
    assert "replayed" in recipe
    assert "encoded" not in recipe
    ours = model_card(
        untrained.shaped({"layers": 2, "turned": 2, "pointers": 8, "recall": 16}), {"epochs": 3}
    )
    for words in (
        "2 of which turn",
        "pointers",
        "attention",
        "encoded given part",
        "| epochs | 3 |",
        "CC BY 4.0",
    ):
        assert words in ours
    assert "offsets and pens only" not in ours
