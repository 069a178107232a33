"""Checkpoints go to the hub and come back; what the hub refuses is told in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard, constants
from huggingface_hub.utils import disable_progress_bars

import sketchgen
from sketchgen.errors import CheckpointError, MissingDependencyError, OutputError, SketchgenError
from sketchgen.models.checkpoint import CARD, CONFIG, WEIGHTS, read_checkpoint
from sketchgen.sketch.files import SUMS
from tests.support import recognisers, untrained
from tests.support.hub import TOKEN, Files, Hub

NAME = "hf://somebody/cats"


@pytest.fixture(scope="module")
def server() -> Iterator[Hub]:
    server = Hub()
    yield server
    server.close()


@pytest.fixture
def hub(server: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """An empty hub, and an empty cache; nobody is logged in."""
    for each in (server.repositories, server.private, server.cut, server.sizes, server.requests):
        each.clear()
    for name, value in {
        "ENDPOINT": server.endpoint,
        "HUGGINGFACE_CO_URL_TEMPLATE": server.endpoint + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(tmp_path / "cache"),
        "HF_HUB_DISABLE_XET": True,
        "HF_TOKEN_PATH": str(tmp_path / "token"),
    }.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    disable_progress_bars()
    return server


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = untrained.saved(tmp_path_factory.mktemp("hub") / "model")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(name: str, kind: type[SketchgenError] = CheckpointError) -> str:
    with pytest.raises(kind) as caught:
        sketchgen.load(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_model_is_loaded_by_its_name_and_revision(hub: Hub, files: Files, tmp_path: Path):
    other = {**files, CARD: b"another card"}
    commit = hub.put("somebody/cats", {**files, "weights.pickle": b"no"})
    hub.put("somebody/cats", other, "v2")
    found = sketchgen.load(NAME)
    assert (found.name, found.categories) == (NAME, ("cat", "sun"))
    assert [sketchgen.load(f"{NAME}@{each}").name for each in ("v2", commit)] == [
        f"{NAME}@v2",
        f"{NAME}@{commit}",
    ]
    assert not list(tmp_path.rglob("*.pickle"))
    # Weights are fetched once, whatever the revision.
    assert sum(each.startswith("GET") and each.endswith(WEIGHTS) for each in hub.requests) == 1


def test_without_the_hub_the_cache_is_read(hub: Hub, files: Files, monkeypatch: pytest.MonkeyPatch):
    hub.put("somebody/cats", files)
    sketchgen.load(NAME)
    asked = len(hub.requests)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert sketchgen.load(NAME).categories == ("cat", "sun")
    assert len(hub.requests) == asked
    assert "HF_HUB_OFFLINE is set; unset it" in refused("hf://somebody/dogs")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert sketchgen.load(NAME).categories == ("cat", "sun")
    assert "check the network" in refused("hf://somebody/dogs")


def test_what_is_published_is_what_comes_back(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    model = recognisers.recogniser()
    assert "log in by `hf auth login`" in str(_caught(OutputError, model.push_to_hub, "somebody/names"))
    monkeypatch.setenv("HF_TOKEN", TOKEN.removeprefix("Bearer "))
    assert model.push_to_hub("somebody/names").startswith(f"{hub.endpoint}/somebody/names/commit/")
    assert sorted(hub.repositories["somebody/names"]["main"]) == sorted([CARD, CONFIG, WEIGHTS, SUMS])
    again = sketchgen.load_recogniser("hf://somebody/names")
    sketches = recognisers.scribbles(5, 20)
    np.testing.assert_array_equal(again.read(sketches).log_prob, model.read(sketches).log_prob)
    assert "load it with sketchgen.load_recogniser" in refused("hf://somebody/names")


def _caught(kind: type[Exception], call: Any, *arguments: Any) -> Exception:
    with pytest.raises(kind) as found:
        call(*arguments)
    return found.value


@pytest.mark.parametrize(
    "name", ["hf://cats", "hf://a/b/c", "hf:///cats", "hf://so body/cats", "hf://a--/.b"]
)
def test_no_names(name: str, hub: Hub):
    assert "write it as user/name" in refused(name)
    assert hub.requests == []


def test_what_is_not_there_or_not_whole_is_told(hub: Hub, files: Files):
    assert "check the name" in refused(NAME)
    hub.put("somebody/cats", files)
    assert "there is no such revision" in refused(f"{NAME}@v9")
    assert "names no revision after the @" in refused(f"{NAME}@")
    hub.private.add("somebody/cats")
    assert refused(NAME).endswith("(401); log in by `hf auth login`, or set HF_TOKEN, if it is private")
    hub.put("somebody/empty", {CARD: b"nothing"})
    assert f"has no {CONFIG}" in refused("hf://somebody/empty")
    hub.put("somebody/foreign", {CONFIG: b'{"model_type": "bert"}'})
    assert refused("hf://somebody/foreign") == "hf://somebody/foreign is not a sketchgen checkpoint"
    hub.put("somebody/short", {**files, WEIGHTS: files[WEIGHTS][:-50]})
    assert "its checksum is not that in SHA256SUMS" in refused("hf://somebody/short")
    hub.sizes[WEIGHTS] = 2**40
    hub.put("somebody/huge", files)
    assert "model.safetensors has more than 2048 MB" in refused("hf://somebody/huge")


def test_a_transfer_that_breaks_off_is_told(hub: Hub, files: Files, monkeypatch: pytest.MonkeyPatch):
    hub.put("somebody/cats", files)
    hub.cut.add(WEIGHTS)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert "try again" in refused(NAME)
    hub.cut.clear()
    assert sketchgen.load(NAME).categories == ("cat", "sun")


def test_without_the_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert "pip install 'sketchgen[hub]'" in refused(NAME, MissingDependencyError)


def test_a_command_takes_a_name_of_the_hub_at_an_endpoint(hub: Hub, files: Files, tmp_path: Path):
    hub.put("somebody/cats", files)
    env = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
    words = [sys.executable, "-m", "sketchgen", "info", NAME]
    done = subprocess.run(words, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert NAME in done.stdout


def test_a_card_says_what_the_hub_wants_to_know(tmp_path: Path):
    for load in (sketchgen.load, sketchgen.load_recogniser, sketchgen.load_reward_model):
        model = load()
        model.save_pretrained(tmp_path / model.name, half=True)
        card = ModelCard.load(tmp_path / model.name / CARD)
        data = card.data.to_dict()
        assert (data["license"], data["library_name"]) == ("cc-by-4.0", "sketchgen")
        assert data["datasets"] == ["google/quickdraw"]
        assert data["pipeline_tag"]
        assert {"sketch-rnn", "drawing"} <= set(data["tags"])
        assert card.data.eval_results  # pyright: ignore[reportAttributeAccessIssue]
    assert read_checkpoint(tmp_path / sketchgen.load().name).summary == sketchgen.load().summary
