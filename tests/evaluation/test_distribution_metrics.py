"""Laws of KID and FID."""

from __future__ import annotations

import numpy as np
import pytest

from sketchgen.errors import SettingError
from sketchgen.evaluation.distribution_metrics import fid, frechet, kid


def sample(seed: int, count: int = 80, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, scale, (count, 6))


def test_kid_of_one_distribution_is_about_zero_and_its_error_is_its_spread() -> None:
    found = [kid(sample(2 * seed), sample(2 * seed + 1)) for seed in range(60)]
    values = np.array([item["value"] for item in found])
    errors = np.array([item["standard_error"] for item in found])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(len(values))
    assert (values < 0).any()
    assert errors.mean() == pytest.approx(values.std(), rel=0.5)


def test_kid_of_other_distributions_is_above_zero() -> None:
    for other in (sample(1, 400, shift=0.7), sample(1, 400, scale=1.6)):
        found = kid(sample(0, 400), other)
        assert found["value"] > 3 * found["standard_error"]


def test_kid_s_error_is_its_spread_where_the_distributions_differ() -> None:
    found = [kid(sample(2 * seed), sample(2 * seed + 1, shift=0.7)) for seed in range(60)]
    values = np.array([item["value"] for item in found])
    assert np.mean([item["standard_error"] for item in found]) == pytest.approx(values.std(), rel=0.3)


def test_kid_is_the_mean_of_the_kernel_by_hand() -> None:
    x, y = sample(0, 4), sample(1, 4)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a @ b) / 6 + 1.0) ** 3

    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    wanted = sum(
        kernel(x[i], x[j]) + kernel(y[i], y[j]) - kernel(x[i], y[j]) - kernel(x[j], y[i]) for i, j in pairs
    )
    assert kid(x, y)["value"] == pytest.approx(wanted / len(pairs))


def test_kid_is_symmetric_and_refuses_what_it_cannot_compare() -> None:
    assert kid(sample(0), sample(1))["value"] == pytest.approx(kid(sample(1), sample(0))["value"])
    for sizes in ((10, 11), (2, 2)):
        with pytest.raises(SettingError, match="KID"):
            kid(*(sample(0, size) for size in sizes))


def test_fid_of_known_gaussians() -> None:
    one = np.random.default_rng(0).normal(size=(40_000, 3)) * [1.0, 2.0, 0.5]
    other = np.random.default_rng(1).normal(size=(40_000, 3)) * [3.0, 1.0, 0.5] + [1.0, 0.0, -2.0]
    assert frechet(one, other) == pytest.approx(5.0 + 4.0 + 1.0 + 0.0, rel=0.03)


def test_fid_of_the_same_sample_is_zero_and_of_a_shifted_one_the_shift() -> None:
    one = sample(0)
    assert frechet(one, one) == pytest.approx(0.0, abs=1e-6)
    assert frechet(one, one + 2.0) == pytest.approx(6 * 4.0, rel=1e-6)
    assert frechet(one, one * 2.0) > 1.0
    assert frechet(one, sample(1)) == pytest.approx(frechet(sample(1), one))


def test_fid_does_not_depend_on_the_axes() -> None:
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    one, other = sample(0), sample(1, scale=2.0)
    assert frechet(one @ turn, other @ turn) == pytest.approx(frechet(one, other))


def test_fid_of_fewer_features_than_drawings_and_of_too_few() -> None:
    wide = np.random.default_rng(0).normal(size=(5, 30))
    assert np.isfinite(frechet(wide, wide + 1.0))
    assert fid(wide, wide)["standard_error"] is None
    assert fid(sample(0), sample(1))["standard_error"] > 0
    with pytest.raises(SettingError, match="FID"):
        frechet(sample(0, 1), sample(1))
