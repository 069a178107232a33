"""Checkpoints of judges of pictures: whole, round, and never taken for those of another kind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import recognisers
import seeing
from safetensors.numpy import save

from sketchgen.completion.completer import load
from sketchgen.errors import CheckpointError, OutputError
from sketchgen.evaluation.judge import load_judge
from sketchgen.models.classifier_checkpoint import save_recogniser
from sketchgen.models.picture_checkpoint import (
    DEFAULT_PICTURE_JUDGE,
    judges_pictures,
    read_picture_judge,
    save_picture_judge,
)
from sketchgen.models.picture_recogniser import PictureJudge, load_picture_judge
from sketchgen.models.recogniser import Recogniser, load_recogniser
from sketchgen.resources import PICTURES_WEIGHTS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_picture_judge(tmp_path / "made", seeing.network(), {"steps": 3})
    return tmp_path / "made"


def refused(folder: Path, match: str) -> None:
    for read in (read_picture_judge, load_judge):
        with pytest.raises(CheckpointError, match=match) as caught:
            read(folder)
        assert "\n" not in str(caught.value)


def test_goes_round(folder: Path):
    found, model = read_picture_judge(folder), seeing.network()
    assert found.config == model.config
    assert found.summary == {"steps": 3}
    assert found.weights.keys() == model.weights().keys()
    assert all(np.array_equal(value, found.weights[name]) for name, value in model.weights().items())
    loaded = load_picture_judge(folder)
    assert (loaded.categories, loaded.name, loaded.sees) == (seeing.CATEGORIES, str(folder), "pictures")
    sketches = recognisers.scribbles(9, 20)
    np.testing.assert_array_equal(loaded.read(sketches).log_prob, seeing.judge().read(sketches).log_prob)


def test_half_is_half_as_large_and_nearly_the_same(tmp_path: Path, folder: Path):
    save_picture_judge(tmp_path / "half", seeing.network(), {}, half=True)
    sizes = [(place / PICTURES_WEIGHTS).stat().st_size for place in (tmp_path / "half", folder)]
    assert sizes[0] < 0.75 * sizes[1]
    sketches = recognisers.scribbles(9, 20)
    one, two = (load_picture_judge(place).read(sketches).log_prob for place in (tmp_path / "half", folder))
    np.testing.assert_allclose(one, two, atol=0.05)


def test_the_card_says_what_it_is(folder: Path):
    card = (folder / "README.md").read_text()
    assert all(words in card for words in ("CC BY 4.0", "| steps | 3 |", "64 x 64 px", "judge of pictures"))


def test_what_is_there_is_kept(folder: Path):
    with pytest.raises(OutputError, match="force"):
        save_picture_judge(folder, seeing.network(), {})
    save_picture_judge(folder, seeing.network(), {"steps": 4}, force=True)
    assert read_picture_judge(folder).summary == {"steps": 4}


def test_either_kind_is_loaded_as_a_judge(folder: Path, tmp_path: Path):
    save_recogniser(tmp_path / "strokes", recognisers.network(), {})
    assert judges_pictures(folder)
    assert not judges_pictures(tmp_path / "strokes")
    assert isinstance(load_judge(folder), PictureJudge)
    assert isinstance(load_judge(tmp_path / "strokes"), Recogniser)


def test_a_folder_is_asked_before_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert judges_pictures(DEFAULT_PICTURE_JUDGE)
    save_recogniser(Path(DEFAULT_PICTURE_JUDGE), recognisers.network(), {})
    assert not judges_pictures(DEFAULT_PICTURE_JUDGE)
    assert isinstance(load_judge(DEFAULT_PICTURE_JUDGE), Recogniser)


def test_none_is_taken_for_another_kind(folder: Path, tmp_path: Path):
    save_recogniser(tmp_path / "strokes", recognisers.network(), {})
    with pytest.raises(CheckpointError, match="is a recogniser"):
        load_picture_judge(tmp_path / "strokes")
    for other in (load, load_recogniser):
        with pytest.raises(
            CheckpointError, match="judge of pictures, and draws nothing; name it to sketchgen ev"
        ):
            other(folder)


def test_none_there(tmp_path: Path):
    with pytest.raises(CheckpointError, match="no judge of pictures 'nowhere'"):
        load_picture_judge("nowhere")
    with pytest.raises(CheckpointError, match="no recogniser 'nowhere'"):
        load_judge("nowhere")
    with pytest.raises(CheckpointError, match="no recogniser 'xxx"):
        load_judge(1000 * "x")
    assert not judges_pictures(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "other"}'])
def test_a_damaged_configuration(folder: Path, content: str):
    (folder / "config.json").write_text(content)
    refused(folder, "cannot be read|not a sketchgen checkpoint")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"widths": [4, 8, 16]}, "do not belong together"),
        ({"blocks": [0, 1, 2]}, "do not belong together"),
        ({"widths": 12}, "wrong type"),
        ({"depth": 2}, "unknown setting 'depth'"),
        ({"categories": None}, "categories are missing"),
        ({"dropout": 2.0}, "dropout must be"),
        ({"dropout": "much"}, "describes no judge of pictures"),
    ],
)
def test_a_changed_configuration(folder: Path, change: dict[str, object], match: str):
    about = json.loads((folder / "config.json").read_text())
    about["pictures"] |= change
    (folder / "config.json").write_text(json.dumps(about))
    refused(folder, match)


@pytest.mark.parametrize("value", [None, [], "all"])
def test_no_configuration_at_all(folder: Path, value: object):
    about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(about | {"pictures": value}))
    refused(folder, "describes no judge of pictures")


def test_another_version(folder: Path):
    about = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(about | {"version": 99}))
    refused(folder, "of version 99, this program reads 1")


def test_damaged_weights(folder: Path):
    path = folder / PICTURES_WEIGHTS
    path.write_bytes(path.read_bytes()[:-50])
    refused(folder, "damaged or missing")
    weights = seeing.network().weights()
    weights["halve.0.norm.running_var"][0] = np.nan
    path.write_bytes(save(weights))
    refused(folder, "not finite")
    path.unlink()
    refused(folder, "damaged or missing")
