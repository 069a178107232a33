from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hostile import hostile_store
from runs import rows, saved, small

from sketchgen.data.store import Store
from sketchgen.models.stroke_model import load_network
from sketchgen.training.trainer import fit


@pytest.mark.parametrize("bfloat16", [False, True])
def test_hostile_drawings_break_no_step(tmp_path: Path, bfloat16: bool):
    # benchmarks/hostile.py takes 10,000 steps, with drawings of 5,000 points.
    count = hostile_store(tmp_path / "store", 120, longest=1500)
    assert len(Store.open(tmp_path / "store").split("train")) == count
    config = small(tmp_path / "store", tmp_path / "run")
    fit(replace(config, steps=150, learning_rate=2e-2, bfloat16=bfloat16))
    assert saved(tmp_path / "run")["position"]["step"] == 150
    assert set(rows(tmp_path / "run", "skipped").values()) == {0.0}
    for column in ("loss", "gradient_norm", "valid", "valid_half"):
        found = rows(tmp_path / "run", column)
        assert found
        assert all(math.isfinite(value) for value in found.values())
    network, _ = load_network(tmp_path / "run" / "last")
    assert network.config.offset_scale == 1.0
