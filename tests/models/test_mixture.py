from __future__ import annotations

import math
from dataclasses import replace

import jaxtyping
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal

from sketchgen.models.features import (
    BORDER,
    MEAN_LIMIT,
    PER_COMPONENT,
    SIGMA_CEILING,
    SIGMA_FLOOR,
    parameter_count,
)
from sketchgen.models.mixture import StepDistribution
from sketchgen.sketch.strokes import Pen

K = 3
SIZE = parameter_count(K)
SCALE = 33.0

anything = st.one_of(
    st.sampled_from([0.0, 1e30, -1e30, math.inf, -math.inf, 88.0, -88.0, 1e4, -1e4]),
    st.floats(-20, 20, width=32),
    st.floats(width=32),
)
parameters = st.lists(anything, min_size=SIZE, max_size=SIZE)
moderate = st.lists(st.floats(-3, 3, width=32), min_size=SIZE, max_size=SIZE)
offsets = st.tuples(st.floats(-5000, 5000, width=32), st.floats(-5000, 5000, width=32))


def distribution(values, can_end: bool = True, scale: float = SCALE) -> StepDistribution:
    return StepDistribution.from_parameters(torch.as_tensor(values), torch.tensor(can_end), scale)


def some(seed: int = 0) -> StepDistribution:
    return distribution(torch.randn(SIZE, generator=torch.Generator().manual_seed(seed)))


def repeated(flat: StepDistribution, *shape: int) -> StepDistribution:
    values = vars(flat).items()
    return StepDistribution(**{name: value.expand(*shape, *value.shape) for name, value in values})


@settings(max_examples=70)
@given(
    parameters,
    st.lists(anything, min_size=6 + BORDER, max_size=6 + BORDER),
    offsets,
    st.floats(-4, 4, width=32),
    st.booleans(),
    st.booleans(),
)
def test_log_prob_and_gradients_are_finite_for_any_parameters(values, more, offset, angle, can_end, known):
    leaf = torch.tensor([*values, *more], requires_grad=True)
    pointed = torch.nan_to_num(leaf[SIZE : SIZE + 6]).clamp(-1e4, 1e4)
    flat = distribution(leaf[:SIZE], can_end).rotated(torch.tensor([math.cos(angle), math.sin(angle)]), 2)
    score = torch.stack([pointed[0], torch.tensor(-math.inf), pointed[1]])
    targets = torch.tensor([[3.0, 4.0], [9.0, 9.0], [-200.0, 0.0]])
    all_parts = flat.pointing(pointed[2], score, targets, pointed[3:5], pointed[5])
    position = torch.tensor([30.0, -500.0])
    all_parts = all_parts.with_box(leaf[SIZE + 6 :], position, torch.tensor(known), SCALE)
    assert float(all_parts.log_weight.detach().exp().sum()) == pytest.approx(1.0, abs=1e-4)
    assert all_parts.log_weight[K + 1] < -1e8
    assert known or (all_parts.log_weight[K + 3 :] < -1e8).all()
    for each in (flat, all_parts):
        leaf.grad = None
        log_prob = torch.stack(
            [each.log_prob(torch.tensor(offset), torch.tensor(int(pen))) for pen in (Pen.DRAW, Pen.LIFT)]
        )
        log_prob.sum().backward(retain_graph=True)
        assert torch.isfinite(log_prob).all()
        assert leaf.grad is not None
        assert torch.isfinite(leaf.grad).all()
    end, go_on = flat.log_end()
    assert can_end or (float(end), float(go_on)) == (-math.inf, 0.0)
    assert torch.isfinite(flat.log_prob(torch.tensor(offset), torch.tensor(int(Pen.END)))) == can_end


@torch.no_grad()
def test_components_at_the_sides_end_there_wherever_the_pen_is():
    values = torch.randn(BORDER, generator=torch.Generator().manual_seed(5))
    for position in ((0.0, 0.0), (-127.5, 3.0), (40.5, -99.5)):
        at = torch.tensor(position)
        flat = some().with_box(values, at, torch.tensor(True), SCALE)
        there = flat.mean[K:] + at
        assert [float(there[side, axis]) for side, axis in enumerate((0, 0, 1, 1))] == [-127.5, 127.5] * 2
        across = [float(flat.log_sigma[K + side, axis]) for side, axis in enumerate((0, 0, 1, 1))]
        assert across == pytest.approx([max(float(values[-1]), math.log(SIGMA_FLOOR))] * 4)


@torch.no_grad()
def test_components_at_the_sides_are_what_the_network_says():
    values = torch.linspace(-2.0, 2.0, BORDER)
    gate, along, spread, lift = values[:-1].reshape(4, 4)
    old = some()
    flat = old.with_box(values, torch.tensor([10.0, 20.0]), torch.tensor(True), SCALE)
    wanted = torch.log_softmax(torch.cat([old.log_weight, gate]), 0)
    torch.testing.assert_close(flat.log_weight, wanted)
    torch.testing.assert_close(flat.lift, torch.cat([old.lift, lift]))
    assert (flat.rho[K:] == 0).all()
    for side, axis in enumerate((0, 0, 1, 1)):
        assert float(flat.mean[K + side, 1 - axis]) == pytest.approx(float(along[side]) * SCALE, rel=1e-5)
        wide = float(flat.log_sigma[K + side, 1 - axis].exp())
        assert wide == pytest.approx(math.exp(float(spread[side])) * SCALE, rel=1e-5)
    for name in ("mean", "log_sigma", "rho"):
        torch.testing.assert_close(vars(flat)[name][:K], vars(old)[name])


@torch.no_grad()
def test_what_is_drawn_from_it_is_as_likely_as_it_says():
    """Shares, moments and pens of many draws; the fourth component is never taken."""
    torch.manual_seed(0)
    flat = distribution(torch.randn(SIZE, generator=torch.Generator().manual_seed(9)), scale=4.0)
    # Far from each other, so that it can be told from where a draw is.
    flat = replace(flat, mean=torch.tensor([[-900.0, 0.0], [0.0, 900.0], [900.0, 0.0]]))
    far = torch.tensor([[5000.0, 5000.0]])
    flat = flat.pointing(torch.tensor(3.0), torch.tensor([-math.inf]), far, torch.zeros(2), torch.tensor(0.0))
    count = 40_000
    offset, pen = repeated(flat, count).sample()
    assert offset.shape == (count, 2)
    assert pen.shape == (count,)
    near = torch.cdist(offset, flat.mean).argmin(1)
    assert not (near == K).any()
    going = pen != Pen.END
    assert float(going.float().mean()) == pytest.approx(1 - float(torch.sigmoid(flat.end)), abs=0.01)
    for component in range(K):
        here = near == component
        share = float(flat.log_weight[component].exp())
        assert float(here.float().mean()) == pytest.approx(share, abs=0.01)
        wanted = torch.sigmoid(flat.lift[component])
        assert float((pen[here & going] == Pen.LIFT).float().mean()) == pytest.approx(float(wanted), abs=0.03)
        z = (offset[here] - flat.mean[component]) / flat.log_sigma[component].exp()
        torch.testing.assert_close(z.mean(0), torch.zeros(2), atol=0.05, rtol=0.0)
        torch.testing.assert_close(z.std(0), torch.ones(2), atol=0.05, rtol=0.0)
        assert float(z.prod(1).mean()) == pytest.approx(float(flat.rho[component]), abs=0.05)


@torch.no_grad()
def test_the_odds_of_lifting_are_those_of_both_pens():
    flat = repeated(some(5), 4)
    offset = torch.tensor([[0.0, 0.0], [12.0, -3.0], [200.0, 90.0], [-5000.0, 5000.0]])
    lifted, drawn = (flat.log_prob(offset, torch.full((4,), int(pen))) for pen in (Pen.LIFT, Pen.DRAW))
    torch.testing.assert_close(flat.lift_logit(offset), lifted - drawn, rtol=1e-4, atol=1e-4)


def test_one_step_of_each_drawing():
    flat = repeated(some(6), 2, 3)
    counted = replace(flat, end=torch.arange(6.0).reshape(2, 3))
    found = counted.at(torch.tensor([2, 0]))
    assert found.end.tolist() == [2.0, 3.0]
    assert found.mean.shape == (2, *flat.mean.shape[2:])


def test_no_end_is_drawn_where_there_can_be_none():
    torch.manual_seed(0)
    flat = distribution(torch.full((SIZE,), 5.0), can_end=False)
    _, pen = repeated(flat, 1000).sample()
    assert not (pen == Pen.END).any()


@torch.no_grad()
def test_a_turned_component_is_the_component_on_a_turned_page():
    flat = distribution(torch.randn(SIZE, generator=torch.Generator().manual_seed(4)), scale=4.0)
    angle = 0.7
    turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    offset = torch.tensor([5.0, -3.0])
    for count in range(K + 1):
        turned = flat.rotated(turn[:, 0], count).component_log_density(turn @ offset)
        still = flat.component_log_density(turn @ offset)
        wanted = torch.cat([flat.component_log_density(offset)[:count], still[count:]])
        torch.testing.assert_close(turned, wanted, atol=1e-4, rtol=1e-4)


@settings(max_examples=100)
@given(parameters)
def test_parameters_are_brought_into_their_ranges(values):
    flat = distribution(values)
    assert (flat.rho.abs() < 1).all()
    assert torch.logsumexp(flat.log_weight, -1).abs() < 1e-5
    assert (flat.mean.abs() <= MEAN_LIMIT).all()
    assert (flat.log_sigma >= math.log(SIGMA_FLOOR) - 1e-6).all()
    assert (flat.log_sigma <= math.log(SIGMA_CEILING) + 1e-6).all()


@pytest.mark.parametrize("seed", range(3))
def test_densities_of_all_that_can_happen_sum_to_one(seed: int):
    # One unit is 4 px here, so that a grid of 1/2 px resolves all and 100 px hold all.
    values = torch.randn(SIZE, generator=torch.Generator().manual_seed(seed)) * 0.7
    flat = distribution(values, scale=4.0)
    axis = torch.arange(-100.0, 100.0, 0.25)
    grid = torch.cartesian_prod(axis, axis)
    wide = repeated(flat, len(grid))
    total = 0.0
    for pen in (Pen.DRAW, Pen.LIFT):
        log_prob = wide.log_prob(grid, torch.full((len(grid),), int(pen)))
        total += float(log_prob.double().exp().sum()) * 0.25**2
    end = flat.log_prob(torch.zeros(2), torch.tensor(int(Pen.END)))
    assert total + float(end.exp()) == pytest.approx(1.0, abs=1e-4)


@settings(max_examples=60)
@given(moderate, st.tuples(st.floats(-200, 200), st.floats(-200, 200)))
def test_agreement_with_torch_in_double_precision(values, offset):
    flat = distribution(values)
    sigma, rho = flat.log_sigma.double().exp(), flat.rho.double()
    covariance = torch.diag_embed(sigma.square())
    covariance[:, 0, 1] = covariance[:, 1, 0] = rho * sigma.prod(-1)
    point = torch.tensor(offset, dtype=torch.float64)
    density = MultivariateNormal(flat.mean.double(), covariance).log_prob(point).exp()
    lift, end = torch.sigmoid(flat.lift.double()), torch.sigmoid(flat.end.double())
    weight = flat.log_weight.double().exp()
    for pen, odds in ((Pen.LIFT, lift), (Pen.DRAW, 1 - lift)):
        wanted = torch.log((1 - end) * (weight * density * odds).sum())
        found = flat.log_prob(point.float(), torch.tensor(int(pen)))
        if torch.isfinite(wanted):
            assert float(found) == pytest.approx(float(wanted), rel=1e-3, abs=1e-2)


def test_shapes_are_checked_while_tests_run():
    assert SIZE == K * PER_COMPONENT + 1
    flat = some()
    with pytest.raises(jaxtyping.TypeCheckError):
        flat.log_prob(torch.zeros(3), torch.tensor(0))
    with pytest.raises(jaxtyping.TypeCheckError):
        StepDistribution(flat.log_weight, flat.mean[:2], flat.log_sigma, flat.rho, flat.lift, flat.end)


@torch.no_grad()
def test_the_mode_is_what_temperature_0_draws_with_the_likelier_pen():
    flat = some()
    offset, pen = flat.mode()
    many = StepDistribution(**{name: value.expand(1, *value.shape) for name, value in vars(flat).items()})
    drawn, _ = many.samples(torch.full((1, 1, 5), 0.5), torch.zeros(1))
    torch.testing.assert_close(offset, drawn[0, 0])
    odds = flat.lift[flat.log_weight.argmax()]
    assert int(pen) == (Pen.END if flat.end > 0 else Pen.LIFT if odds > 0 else Pen.DRAW)
    assert int(replace(flat, end=torch.tensor(0.1)).mode()[1]) == Pen.END


@torch.no_grad()
def test_components_are_torchs_gaussians():
    flat, offset = some(), torch.tensor([3.0, -20.0])
    found = flat.components().log_prob(offset)
    torch.testing.assert_close(found, flat.component_log_density(offset))
