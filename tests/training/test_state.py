from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from sketchgen.errors import CheckpointError, OutputError
from sketchgen.training.state import STATE_VERSION, flatten, load_state, save_state, unflatten

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.integers(0, 3).map(lambda size: torch.arange(size, dtype=torch.float64)),
)
VALUES = st.recursive(
    LEAVES,
    lambda part: st.one_of(
        st.lists(part, max_size=3),
        st.lists(part, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=4), st.just("$tensor")), part, max_size=3),
        st.dictionaries(st.integers(), part, max_size=3),
    ),
    max_leaves=12,
)


def equal(one: Any, two: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(two, Tensor) and one.dtype == two.dtype and torch.equal(one, two)
    if isinstance(one, dict):
        return (
            isinstance(two, dict) and list(one) == list(two) and all(map(equal, one.values(), two.values()))
        )
    if isinstance(one, list | tuple):
        return type(one) is type(two) and len(one) == len(two) and all(map(equal, one, two))
    return type(one) is type(two) and one == two


@given(VALUES)
def test_what_is_taken_apart_is_unflatten(value: Any):
    structure, tensors = flatten(value)
    assert equal(unflatten(json.loads(json.dumps(structure)), tensors), value)


def test_a_state_comes_back_from_its_file(tmp_path: Path):
    shared = torch.randn(4, 4)
    state = {"a": [shared, shared.T], "b": {0: {"step": torch.tensor(3.0)}, 1: (1, 2)}, "best": math.inf}
    path = tmp_path / "state.safetensors"
    save_state(path, state)
    assert equal(load_state(path), state)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_state_is_no_pickle_and_none_is_read(tmp_path: Path):
    path = tmp_path / "state.safetensors"
    path.write_bytes(pickle.dumps({"state_dict": {}}))
    with pytest.raises(CheckpointError, match="no state of a run"):
        load_state(path)
    torch.save({"state_dict": {}}, path)
    with pytest.raises(CheckpointError, match="no state of a run"):
        load_state(path)


def test_what_a_state_cannot_hold_is_said(tmp_path: Path):
    with pytest.raises(TypeError, match=r"a\.1 is of the kind object"):
        save_state(tmp_path / "state", {"a": [1, object()]})
    assert not list(tmp_path.iterdir())


def test_a_missing_a_cut_off_and_a_newer_state_are_refused(tmp_path: Path):
    path = tmp_path / "state.safetensors"
    with pytest.raises(CheckpointError, match="no state of a run"):
        load_state(path)
    save_state(path, {"a": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match="no state of a run"):
        load_state(path)
    about = json.dumps({"version": STATE_VERSION + 1, "state": {}})
    save_file({}, path, metadata={"sketchgen": about})
    with pytest.raises(CheckpointError, match=f"of version {STATE_VERSION + 1}"):
        load_state(path)


def test_a_full_disk_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "state.safetensors"
    save_state(path, {"a": torch.zeros(10)})

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(OutputError, match=r"free some space.*--resume") as caught:
        save_state(path, {"a": torch.ones(10)})
    monkeypatch.undo()
    assert "\n" not in str(caught.value)
    assert torch.equal(load_state(path)["a"], torch.zeros(10))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
