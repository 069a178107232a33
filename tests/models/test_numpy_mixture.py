"""What is drawn follows the distribution, and the distribution is the one that was learned."""

from __future__ import annotations

import math
from dataclasses import replace

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sketchgen.models.features import BORDER, HURRY, USUAL_POINTS, parameter_count
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.numpy_mixture import NextStep, log_sigmoid, log_softmax, sigmoid, summed
from sketchgen.sketch.strokes import Pen

K = 3
SIZE = parameter_count(K)
SCALE = 33.0

anything = st.one_of(
    st.sampled_from([0.0, 1e30, -1e30, math.inf, -math.inf, math.nan, 88.0, -88.0, 1e4, -1e4]),
    st.floats(-20, 20, width=32),
    st.floats(width=32),
)
parameters = st.lists(anything, min_size=SIZE, max_size=SIZE)
moderate = st.lists(st.floats(-3, 3, width=32), min_size=SIZE, max_size=SIZE)


def arrays(flat: NextStep) -> dict[str, np.ndarray]:
    return {name: value for name, value in vars(flat).items() if value is not None}


def distribution(values, *, can_end: bool = True) -> NextStep:
    array = np.asarray(values, dtype=np.float32).reshape(-1, SIZE)
    return NextStep.from_parameters(array, np.full(len(array), can_end), SCALE)


def some(seed: int = 0) -> NextStep:
    return distribution(np.random.default_rng(seed).normal(size=SIZE))


def noise(count: int, seed: int = 0) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return np.concatenate([random.random((count, 3)), random.normal(size=(count, 2))], 1)


def repeated(flat: NextStep, count: int) -> NextStep:
    return NextStep(**{name: np.repeat(value, count, 0) for name, value in arrays(flat).items()})


@settings(max_examples=150)
@given(parameters, st.booleans())
def test_any_parameters_are_read_as_in_training(values, can_end: bool):
    found = distribution(values, can_end=can_end)
    wanted = StepDistribution.from_parameters(torch.tensor([values]), torch.tensor([can_end]), SCALE)
    for name, value in arrays(found).items():
        expected = vars(wanted)[name].numpy()
        assert np.allclose(value, expected, rtol=1e-5, atol=1e-5), name


@settings(max_examples=150)
@given(
    moderate,
    st.tuples(st.floats(-200, 200), st.floats(-200, 200)),
    st.sampled_from([Pen.DRAW, Pen.LIFT, Pen.END]),
    st.booleans(),
)
def test_a_step_is_as_likely_as_in_training(values, offset, pen: Pen, can_end: bool):
    found = distribution(values, can_end=can_end).log_prob(np.array([offset]), np.array([int(pen)]))
    learned = StepDistribution.from_parameters(
        torch.tensor([values]).double(), torch.tensor([can_end]), SCALE
    )
    wanted = learned.log_prob(torch.tensor([offset]), torch.tensor([int(pen)]))
    assert found[0] == pytest.approx(float(wanted[0]), rel=1e-3, abs=1e-3)


@settings(max_examples=100)
@given(
    st.lists(anything, min_size=BORDER, max_size=BORDER),
    st.tuples(st.floats(-200, 200), st.floats(-200, 200)),
    st.booleans(),
)
def test_components_at_the_sides_are_those_of_the_training(values, position, known: bool):
    found = some().bordered(
        np.array([values], dtype=np.float32), np.array([position]), np.array([known]), SCALE
    )
    learned = StepDistribution(
        **{name: torch.tensor(value) for name, value in arrays(some()).items() if name != "points"}
    )
    wanted = learned.bordered(torch.tensor([values]), torch.tensor([position]), torch.tensor([known]), SCALE)
    for name, value in arrays(found).items():
        np.testing.assert_allclose(value, vars(wanted)[name].numpy(), rtol=1e-4, atol=1e-4, err_msg=name)


@settings(max_examples=100)
@given(parameters, st.floats(0.01, 2.0), st.integers(0, 1000))
def test_samples_are_finite_for_any_parameters(values, temperature: float, seed: int):
    flat = distribution(values, can_end=False)
    for heat in (0.0, temperature):
        offset, pen = flat.sample(noise(1, seed), heat)
        assert np.isfinite(offset).all()
        assert pen[0] in (Pen.DRAW, Pen.LIFT)
        assert np.isfinite(flat.log_prob(offset, pen)).all()


def test_sample_statistics_are_those_of_the_distribution():
    flat, count = some(4), 200_000
    offset, pen = repeated(flat, count).sample(noise(count), 1.0)
    weight, sigma = np.exp(flat.log_weight[0]), np.exp(flat.log_sigma[0])
    means, rho = flat.mean[0], flat.rho[0]
    mean = (weight[:, None] * means).sum(0)
    variance = (weight[:, None] * (sigma**2 + means**2)).sum(0) - mean**2
    cross = (weight * (rho * sigma.prod(-1) + means.prod(-1))).sum() - mean.prod()
    scale = np.sqrt(variance)
    assert (abs(offset.mean(0) - mean) < 0.02 * scale).all()
    found = np.cov(offset.T)
    assert (abs(found.diagonal() - variance) < 0.03 * variance).all()
    assert abs(found[0, 1] - cross) < 0.03 * scale.prod()
    end, lift = sigmoid(flat.end)[0], (weight * sigmoid(flat.lift[0])).sum()
    shares = [(pen == kind).mean() for kind in (Pen.LIFT, Pen.DRAW, Pen.END)]
    assert shares == pytest.approx([(1 - end) * lift, (1 - end) * (1 - lift), end], abs=0.01)


def test_what_is_decided_by_chance_is_decided_apart():
    flat = NextStep(
        log_weight=np.log([[0.3, 0.7]]),
        mean=np.array([[[-500.0, 0.0], [500.0, 0.0]]]),
        log_sigma=np.zeros((1, 2, 2)),
        rho=np.zeros((1, 2)),
        lift=np.zeros((1, 2)),
        end=np.zeros(1),
    )
    offset, pen = repeated(flat, 40_000).sample(noise(40_000), 1.0)
    left = offset[:, 0] < 0
    for kind, share in ((Pen.END, 0.5), (Pen.LIFT, 0.25), (Pen.DRAW, 0.25)):
        assert (pen == kind).mean() == pytest.approx(share, abs=0.02)
        assert left[pen == kind].mean() == pytest.approx(0.3, abs=0.02)
        assert abs(offset[pen == kind, 1].mean()) < 0.05
    near = offset[:, 0] - np.where(left, -500, 500)
    assert abs(np.corrcoef(near, offset[:, 1])[0, 1]) < 0.03
    assert abs(near[left].mean()) < 0.05


def test_pen_and_offset_come_from_the_same_component():
    flat = NextStep(
        log_weight=np.log([[0.5, 0.5]]),
        mean=np.array([[[-50.0, 0.0], [50.0, 0.0]]]),
        log_sigma=np.zeros((1, 2, 2)),
        rho=np.zeros((1, 2)),
        lift=np.array([[40.0, -40.0]]),
        end=np.array([-math.inf]),
    )
    offset, pen = repeated(flat, 2000).sample(noise(2000), 1.0)
    assert np.array_equal(pen == Pen.LIFT, offset[:, 0] < 0)
    assert 0.4 < (pen == Pen.LIFT).mean() < 0.6


@pytest.mark.parametrize("how", ["it cannot", "it is not let"])
def test_without_the_end_it_is_never_drawn(how: str):
    values = np.full(SIZE, 50.0)
    flat = distribution(values, can_end=False) if how == "it cannot" else distribution(values).without_end()
    numbers = noise(500)
    numbers[:, 0] = 0.0
    for temperature in (0.0, 0.3, 1.0):
        assert (repeated(flat, 500).sample(numbers, temperature)[1] != Pen.END).all()


def test_at_temperature_zero_the_heaviest_mean_is_drawn_whatever_the_noise():
    flat = some(1)
    many, _ = repeated(flat, 50).sample(noise(50), 0.0)
    assert np.array_equal(many, np.repeat(flat.mean[:, flat.log_weight[0].argmax()], 50, 0))


def test_temperature_one_changes_nothing_and_lower_ones_narrow():
    flat = some(2)
    for name, value in arrays(flat.tempered(1.0)).items():
        assert np.allclose(value, vars(flat)[name], atol=1e-12), name
    cold = flat.tempered(0.25)
    assert np.allclose(np.exp(cold.log_sigma), np.exp(flat.log_sigma) / 2)
    assert np.allclose(np.exp(cold.log_weight).sum(-1), 1.0)
    assert cold.log_weight.max() > flat.log_weight.max()
    for name in ("mean", "rho", "lift", "end"):
        assert np.array_equal(vars(cold)[name], vars(flat)[name]), name


def test_noise_at_the_very_end_of_its_range_still_picks_a_component():
    flat, numbers = some(5), noise(1)
    numbers[0, 1] = 1.0
    offset, _ = flat.sample(numbers, 1.0)
    heaviest = flat.log_weight[0].argmax()
    away = abs(offset[0] - flat.mean[0, heaviest]) / np.exp(flat.log_sigma[0, heaviest])
    assert (away < 1.5 * abs(numbers[0, 3:]).sum()).all()


def test_the_pen_is_judged_by_the_components_that_an_offset_may_be_of():
    flat = some(7)
    offset = flat.mean[:, 0] + 3.0
    pens = [np.full(len(offset), int(pen)) for pen in (Pen.LIFT, Pen.DRAW)]
    lifted, drawn = (flat.log_prob(offset, pen) for pen in pens)
    assert np.allclose(flat.lift_probability(offset), sigmoid(lifted - drawn))


def test_the_logs_do_not_overflow():
    far = np.array([-1e4, -800.0, 0.0, 800.0, 1e4])
    assert np.allclose(log_sigmoid(far), [-1e4, -800.0, -math.log(2.0), 0.0, 0.0])
    assert np.allclose(sigmoid(far), [0, 0, 0.5, 1, 1])
    assert log_sigmoid(np.array([-math.inf, math.inf])).tolist() == [-math.inf, 0.0]
    assert np.allclose(log_softmax(np.array([[1e4, -1e4]])), [[0.0, -2e4]])


def test_shapes_are_checked_while_tests_run():
    with pytest.raises(jaxtyping.TypeCheckError):
        some().log_prob(np.zeros((1, 3)), np.zeros(1, dtype=np.int64))


def test_a_drawing_longer_than_nearly_all_is_lifted_and_ended_unless_at_temperature_one():
    rows = 400
    alike = {name: np.repeat(value[:1], rows, 0) for name, value in arrays(some(2)).items()}
    flat = NextStep(**alike | {"lift": np.full_like(alike["lift"], -3.0), "end": np.full(rows, -3.0)})
    numbers = np.repeat(noise(1)[:1], rows, 0)
    numbers[:, 0] = numbers[:, 2] = (np.arange(rows) + 0.5) / rows

    def lifted_and_ended(points: int, temperature: float) -> tuple[float, float]:
        _, pen = replace(flat, points=np.full(rows, points)).sample(numbers, temperature)
        _, on = replace(flat.without_end(), points=np.full(rows, points)).sample(numbers, temperature)
        return float((on == Pen.LIFT).mean()), float((pen == Pen.END).mean())

    usual = float(sigmoid(np.array([-3.0]))[0])
    for temperature in (0.0, 0.4, 1.0):
        assert lifted_and_ended(USUAL_POINTS, temperature) == pytest.approx((usual, usual), abs=0.01)
    assert lifted_and_ended(1000, 1.0) == pytest.approx((usual, usual), abs=0.01)
    more = float(sigmoid(np.array([-3.0 + 0.5 * HURRY * 60]))[0])
    assert lifted_and_ended(USUAL_POINTS + 60, 0.5) == pytest.approx((more, more), abs=0.01)
    assert min(lifted_and_ended(USUAL_POINTS + 120, 0.0)) > 0.97


@pytest.mark.parametrize("count", [1, 28, 100, 127, 156, 300])
def test_sums_of_rows_filled_up_with_zeros_are_the_same_to_the_last_bit(count: int):
    values = np.exp(np.random.default_rng(count).normal(size=(50, count)) * 5)
    rows = []
    for blocks in (1, 2, 4, 8):
        row = np.zeros((50, count % 128 + 128 * blocks))
        if row.shape[1] >= count:
            row[:, :count] = values
            rows.append(summed(row))
    assert len(rows) > 1
    assert all(np.array_equal(row, rows[0]) for row in rows)
    np.testing.assert_allclose(rows[0], values.sum(1), rtol=1e-12)
