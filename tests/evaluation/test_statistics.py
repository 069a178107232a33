"""Figures with standard errors, and the depth of categories."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sketchgen.evaluation.statistics import category_counts, depth_groups, figure, mean, ratio


def test_a_mean_and_a_ratio_with_their_errors() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0])
    assert mean(values) == {"value": 3.0, "standard_error": pytest.approx(values.std(ddof=1) / 2)}
    assert mean(values[:1]) == {"value": 1.0, "standard_error": None}
    assert mean(values[:0]) == {"value": None, "standard_error": None}
    counts = np.array([1, 2, 2, 5])
    found = ratio(values, counts)
    assert found["value"] == 1.2
    assert found["standard_error"] == pytest.approx(np.sqrt(((values - 1.2 * counts) ** 2).sum()) / 10)
    nothing = {"value": None, "standard_error": None}
    assert ratio(values, np.zeros(4)) == nothing
    assert json.loads(json.dumps(figure(float("inf"), float("nan")))) == nothing


def test_a_ratio_s_error_is_its_spread() -> None:
    random = np.random.default_rng(0)
    found = []
    for _ in range(300):
        bottom = random.integers(0, 3, 150)
        found.append(ratio(bottom * 0.6 + random.normal(size=150) * 0.4, bottom))
    values = np.array([item["value"] for item in found])
    assert np.mean([item["standard_error"] for item in found]) == pytest.approx(values.std(), rel=0.15)


def test_depth_comes_from_a_store_or_from_the_model(tmp_path: Path) -> None:
    assert category_counts(tmp_path, {}) is None
    assert category_counts(tmp_path, {"categories": {"cat": 900, "owl": 20}}) == {"cat": 900, "owl": 20}
    groups = depth_groups(["cat", "owl", "fox"], {"cat": 300, "owl": 299})
    assert {name: rows.tolist() for name, rows in groups.items()} == {
        "all": [True, True, True],
        "deep": [True, False, False],
        "rare": [False, True, True],
    }
    assert list(depth_groups(["cat"], None)) == ["all"]
