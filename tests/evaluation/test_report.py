"""`evaluate`: the object it returns, on the sample drawings and a small network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sketchgen.completion.completer import Completer
from sketchgen.errors import FormatError, SettingError
from sketchgen.evaluation.report import evaluate
from sketchgen.models.config import ModelConfig
from tests.support import untrained


@pytest.fixture(scope="module")
def completer() -> Completer:
    config = ModelConfig(("cat", "star"), layers=1, width=16, components=3, encoder_width=8)
    return untrained.completer(config)


def test_a_folder_of_ndjson_it_has_never_seen(completer: Completer, sample_dir: Path) -> None:
    seen: list[str] = []
    result = evaluate(
        completer,
        sample_dir,
        limit=60,
        samples=8,
        seed=1,
        protocol="likelihood",
        progress=lambda what, done, of: seen.append(what),
    )
    assert json.loads(json.dumps(result)) == result
    assert result["drawings"] == 60
    assert set(result["suffix"]) == {"0", "0.25", "0.5", "0.75"}
    assert result["suffix"]["0"]["nats_per_point"] == result["nats_per_point"]
    points = [result["suffix"][key]["points"] for key in ("0", "0.25", "0.5", "0.75")]
    assert points == sorted(points, reverse=True)
    assert points[0] == result["points"]
    assert set(result["ended"]) == {"0", "0.25", "0.5", "1"}
    counted = sum(entry["drawings"] for entry in result["by_category"].values())
    assert counted == 60
    assert len(result["by_category"]) > 5
    assert result["nats_per_sketch"] * 60 == pytest.approx(result["nats_per_point"] * result["points"])
    assert {"likelihood", "ended"} <= set(seen)


def test_it_is_repeatable_and_the_seed_matters(completer: Completer, sample_dir: Path) -> None:
    once, again, other = (
        evaluate(completer, sample_dir, limit=20, samples=0, seed=s, protocol="likelihood") for s in (1, 1, 2)
    )
    assert once == again
    assert other["nats_per_point"] != once["nats_per_point"]


def test_bad_sources_and_settings(completer: Completer, sample_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="does not exist"):
        evaluate(completer, tmp_path / "none", protocol="likelihood")
    with pytest.raises(FormatError, match="holds no drawing"):
        evaluate(completer, tmp_path, protocol="likelihood")
    with pytest.raises(SettingError, match="limit"):
        evaluate(completer, sample_dir, limit=0, protocol="likelihood")
