"""The distribution equals the one in torch, and samples follow it."""

from __future__ import annotations

import math

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sketchgen.models.features import BORDER, HURRY, IMPOSSIBLE, POINTER, USUAL_POINTS, parameter_count
from sketchgen.models.mixture import StepDistribution as TorchStepDistribution
from sketchgen.models.numpy_layers import sigmoid
from sketchgen.models.numpy_mixture import StepDistribution, log_sigmoid, log_softmax
from sketchgen.sketch.strokes import Pen
from tests.support.mixtures import mixture, repeated

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


FIELDS = ("log_weight", "mean", "log_sigma", "rho", "lift", "end")


def distribution(values, *, can_end: bool = True, points: int = 3) -> StepDistribution:
    array = np.asarray(values, dtype=np.float32).reshape(-1, SIZE)
    rows = len(array)
    return StepDistribution.from_parameters(array, np.full(rows, can_end), SCALE, np.full(rows, points), K)


def in_torch(flat: StepDistribution) -> TorchStepDistribution:
    return TorchStepDistribution(**{name: torch.tensor(getattr(flat, name)) for name in FIELDS})


def check_equal(found: StepDistribution, wanted: TorchStepDistribution) -> None:
    for name in FIELDS:
        ours, torchs = getattr(found, name), vars(wanted)[name].numpy()
        np.testing.assert_allclose(ours, torchs, rtol=1e-4, atol=1e-4, err_msg=name)


def some(seed: int = 0) -> StepDistribution:
    return distribution(np.random.default_rng(seed).normal(size=SIZE))


def noise(count: int, seed: int = 0) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    return np.concatenate([random.random((count, 3)), random.normal(size=(count, 2))], 1)


@settings(max_examples=150)
@given(parameters, st.booleans())
def test_any_parameters_are_read_as_in_torch(values, can_end: bool):
    found = distribution(values, can_end=can_end)
    check_equal(
        found, TorchStepDistribution.from_parameters(torch.tensor([values]), torch.tensor([can_end]), SCALE)
    )


def test_one_lift_for_all_is_each_component_s():
    values = np.random.default_rng(0).normal(size=(2, SIZE)).astype(np.float32)
    values[:, -K:] = values[:, [-K]]
    whole = distribution(values)
    shared = StepDistribution.from_parameters(
        values[:, : SIZE - K + 1], np.ones(2, bool), SCALE, np.full(2, 3), K
    )
    np.testing.assert_array_equal(shared.components, whole.components)


@settings(max_examples=150)
@given(
    moderate,
    st.tuples(st.floats(-200, 200), st.floats(-200, 200)),
    st.sampled_from([Pen.DRAW, Pen.LIFT, Pen.END]),
    st.booleans(),
)
def test_a_step_is_as_likely_as_in_training(values, offset, pen: Pen, can_end: bool):
    found = distribution(values, can_end=can_end).log_prob(np.array([offset]), np.array([int(pen)]))
    learned = TorchStepDistribution.from_parameters(
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
    values, position, framed = np.array([values], dtype=np.float32), np.array([position]), np.array([known])
    found = some().with_borders(values, position, framed, SCALE)
    tensors = torch.tensor(values), torch.tensor(position), torch.tensor(framed)
    wanted = in_torch(some()).with_box(*tensors, SCALE)
    check_equal(found, wanted)


@settings(max_examples=60)
@given(moderate, st.floats(-3.2, 3.2), st.integers(0, K))
def test_rotated_components_are_those_of_torch(values, angle: float, count: int):
    flat, direction = distribution(values), np.array([[math.cos(angle), math.sin(angle)]])
    check_equal(flat.rotated(direction, count), in_torch(flat).rotated(torch.tensor(direction), count))


@pytest.mark.parametrize("possible", [[True, True, True], [False, True, False], [False, False, False]])
def test_pointers_are_those_of_torch(possible: list[bool]):
    random = np.random.default_rng(3)
    shape = random.normal(size=(1, POINTER)).astype(np.float32)
    score, target = np.where(possible, random.normal(size=(1, 3)), -np.inf), random.normal(size=(1, 3, 2))
    found = some().with_pointers(shape, score, target)
    gate, x, y, lift = (torch.tensor(shape[:, n]).double() for n in range(POINTER))
    wanted = in_torch(some()).pointing(
        gate, torch.tensor(score), torch.tensor(target), torch.stack([x, y], -1), lift
    )
    there = np.array([[True] * K + possible])
    np.testing.assert_allclose(found.log_weight[there], wanted.log_weight.numpy()[there], rtol=1e-6)
    assert (found.log_weight[~there] < 0.5 * IMPOSSIBLE).all()
    np.testing.assert_allclose(found.mean[there], wanted.mean.numpy()[there], rtol=1e-6)
    np.testing.assert_allclose(found.log_sigma[there], wanted.log_sigma.numpy()[there], rtol=1e-6)


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
    flat = mixture(np.log([0.3, 0.7]), [[-500.0, 0.0], [500.0, 0.0]], end=0.0)
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
    flat = mixture(np.log([0.5, 0.5]), [[-50.0, 0.0], [50.0, 0.0]], lift=[40.0, -40.0])
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


def test_a_temperature_tempers_weights_and_variances_as_in_torch():
    flat, count, numbers = some(2), 4000, noise(4000)
    cold = in_torch(flat).tempered(0.25)
    tempered = np.exp(cold.log_weight[0].numpy())
    offset, _ = repeated(flat, count).sample(numbers, 0.25)
    chosen = np.searchsorted(tempered.cumsum(), numbers[:, 1], side="right")
    sigma, rho = np.exp(cold.log_sigma[0].numpy()[chosen]), flat.rho[0, chosen]
    normal = numbers[:, 3:].copy()
    normal[:, 1] = rho * normal[:, 0] + np.sqrt(1 - rho**2) * normal[:, 1]
    np.testing.assert_allclose(offset, flat.mean[0, chosen] + sigma * normal, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("uniform", [1.0, np.nextafter(1.0, 0.0)])
def test_noise_at_the_very_end_of_its_range_picks_no_impossible_component(uniform: float):
    flat, numbers = mixture([0.3, 0.1, IMPOSSIBLE], [[0.0, 0.0], [9.0, 0.0], [500.0, 0.0]]), noise(1)
    numbers[0, 1] = uniform
    offset, _ = flat.sample(numbers, 1.0)
    assert offset[0, 0] < 50.0


def test_rows_are_joined_and_taken():
    one, other = some(5), some(6).with_pointers(np.zeros((1, POINTER)), np.zeros((1, 4)), np.ones((1, 4, 2)))
    both = StepDistribution.join([one, other])
    offset, pen = np.ones((2, 2)), np.array([0, 1])
    wanted = [one.log_prob(offset[:1], pen[:1])[0], other.log_prob(offset[1:], pen[1:])[0]]
    np.testing.assert_allclose(both.log_prob(offset, pen), wanted, rtol=1e-12)
    swapped = both.take(np.array([1, 0]))
    np.testing.assert_allclose(swapped.log_prob(offset[::-1], pen[::-1]), wanted[::-1], rtol=1e-12)


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
    numbers = np.repeat(noise(1)[:1], rows, 0)
    numbers[:, 0] = numbers[:, 2] = (np.arange(rows) + 0.5) / rows

    def lifted_and_ended(points: int, temperature: float) -> tuple[float, float]:
        flat = repeated(mixture([0.0], [[0.0, 0.0]], lift=-3.0, end=-3.0, points=points), rows)
        _, pen = flat.sample(numbers, temperature)
        _, on = flat.without_end().sample(numbers, temperature)
        return float((on == Pen.LIFT).mean()), float((pen == Pen.END).mean())

    usual = float(sigmoid(np.array([-3.0]))[0])
    for temperature in (0.0, 0.4, 1.0):
        assert lifted_and_ended(USUAL_POINTS, temperature) == pytest.approx((usual, usual), abs=0.01)
    assert lifted_and_ended(1000, 1.0) == pytest.approx((usual, usual), abs=0.01)
    more = float(sigmoid(np.array([-3.0 + 0.5 * HURRY * 60]))[0])
    assert lifted_and_ended(USUAL_POINTS + 60, 0.5) == pytest.approx((more, more), abs=0.01)
    assert min(lifted_and_ended(USUAL_POINTS + 120, 0.0)) > 0.97
