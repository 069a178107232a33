"""What the head tells, worked out only where it is drawn from: the same as worked out whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sketchgen.completion.sampler import noise_rows
from sketchgen.models.features import parameter_count
from sketchgen.models.numpy_head import HeadStep
from sketchgen.models.trees import stacked, taken
from sketchgen.sketch.strokes import Pen

SCALE = 30.0
ROWS, COMPONENTS = 40, 6


def told(seed: int, pen: str, *, size: float = 2.0, points: int = 3) -> HeadStep:
    """Random outputs of a head, some of them in drawings that may end."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(ROWS, parameter_count(COMPONENTS, pen))).astype(np.float32) * size
    can_end = random.random(ROWS) < 0.5
    return HeadStep(values, can_end, COMPONENTS, SCALE, np.full(ROWS, points))


@pytest.mark.parametrize("pen", ["component", "shared"])
@pytest.mark.parametrize("temperature", [0.0, 0.3, 1.0, 2.0])
@given(st.integers(0, 2**16), st.sampled_from([0.1, 2.0, 50.0]), st.sampled_from([3, 200]))
def test_the_same_noise_draws_the_same_as_from_the_whole_mixture(pen, temperature, seed, size, points):
    step, noise = told(seed, pen, size=size, points=points), next(noise_rows(seed, ROWS))
    offset, pens = step.sample(noise, temperature)
    wanted, wanted_pens = step.full().sample(noise, temperature)
    np.testing.assert_allclose(offset, wanted, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(pens, wanted_pens)


@pytest.mark.parametrize("pen", ["component", "shared"])
def test_likelihoods_are_those_of_the_whole_mixture(pen):
    step, noise = told(1, pen), next(noise_rows(1, ROWS))
    offset, pens = step.sample(noise, 1.0)
    np.testing.assert_array_equal(step.log_prob(offset, pens), step.full().log_prob(offset, pens))
    np.testing.assert_array_equal(step.lift_probability(offset), step.full().lift_probability(offset))


def test_without_its_end_a_drawing_never_ends():
    step = told(2, "component", points=500)
    noise = next(noise_rows(2, ROWS))
    assert (step.sample(noise, 0.0)[1] == Pen.END).any()
    assert not (step.without_end().sample(noise, 0.0)[1] == Pen.END).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_a_network_that_broke_draws_something_finite(bad):
    step = told(3, "component")
    step.values[:, 1 + COMPONENTS :] = bad
    offset, _ = step.sample(next(noise_rows(3, ROWS)), 1.0)
    assert np.isfinite(offset).all()


def test_a_uniform_number_next_to_one_still_takes_a_component():
    step = told(4, "component")
    noise = next(noise_rows(4, ROWS))
    noise[:, 1] = np.nextafter(1.0, 0.0)
    offset, _ = step.sample(noise, 1.0)
    assert np.isfinite(offset).all()


def test_steps_are_stacked_and_parted_as_trees():
    one, other = told(5, "shared"), told(6, "shared")
    both = stacked([one, other])
    np.testing.assert_array_equal(taken(both, np.arange(ROWS, 2 * ROWS)).values, other.values)
