"""The latent vector: its distributions, that zeros are none, and that the given part does not hear it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from sketchgen.errors import SettingError
from sketchgen.models.encoder import Gaussian
from sketchgen.models.numpy_stroke_model import Decoder, Prefix
from sketchgen.models.stroke_model import Steps, StrokeModel
from tests.support import untrained

LENGTH, CUT, LATENT = 9, 4, 6
CATEGORIES = np.array([1, 0, 2])


def network(latent: int = LATENT) -> StrokeModel:
    return untrained.network(untrained.shaped({"latent": latent, "latent_encoder": 16}))


def drawing() -> Prefix:
    random = np.random.default_rng(0)
    return Prefix(
        np.rint(random.normal(size=(LENGTH, 2)) * 30), random.integers(0, 2, LENGTH), CATEGORIES, True
    )


def steps(whole: Prefix) -> Steps:
    rows = len(whole.category)
    return Steps(
        torch.tensor(whole.offset, dtype=torch.float32).expand(rows, -1, -1),
        torch.tensor(whole.pen).expand(rows, -1),
        torch.tensor(whole.category),
        torch.ones(rows),
    )


def vectors() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(len(CATEGORIES), LATENT)).astype(np.float32)


def test_divergence_is_the_mean_difference_of_log_densities() -> None:
    torch.manual_seed(0)
    one, two = (Gaussian.of(torch.randn(1, 8)) for _ in range(2))
    drawn = one.mean + torch.randn(200_000, 4) * one.log_deviation.exp()

    def log_density(of: Gaussian) -> torch.Tensor:
        return torch.distributions.Normal(of.mean, of.log_deviation.exp()).log_prob(drawn)

    wanted = (log_density(one) - log_density(two)).mean(0)
    torch.testing.assert_close(one.divergence(two)[0], wanted, atol=0.03, rtol=0.02)
    assert (one.divergence(one).abs() < 1e-6).all()


@torch.no_grad()
def test_latent_is_heard_from_the_cut_on_and_zeros_are_none() -> None:
    model, whole, cut = network(), steps(drawing()), torch.full((3,), CUT)
    without, zeros = model(whole, cut), model(whole, cut, torch.zeros(3, LATENT))
    told = model(whole, cut, torch.from_numpy(vectors()))
    torch.testing.assert_close(without.mean, zeros.mean)
    # Step CUT is the first that goes on from the given part.
    torch.testing.assert_close(without.mean[:, :CUT], told.mean[:, :CUT])
    assert (without.mean[:, CUT] - told.mean[:, CUT]).abs().max() > 1e-3


@torch.no_grad()
def test_prior_reads_the_given_part_alone_and_the_posterior_the_whole() -> None:
    model, whole, length, cut = network(), steps(drawing()), torch.full((3,), LENGTH), torch.full((3,), CUT)
    offset = whole.offset.clone()
    offset[:, CUT:] += 50.0
    changed = replace(whole, offset=offset)
    posterior, prior = model.latents(whole, length, cut)
    other_posterior, other_prior = model.latents(changed, length, cut)
    torch.testing.assert_close(prior.mean, other_prior.mean)
    assert (posterior.mean - other_posterior.mean).abs().max() > 1e-3
    # The category is known to the prior, not to the posterior.
    torch.testing.assert_close(posterior.mean[0], posterior.mean[1])
    assert (prior.mean[0] - prior.mean[1]).abs().max() > 1e-6


@torch.no_grad()
@pytest.mark.parametrize("cut", [0, CUT, LENGTH])
def test_numpy_equals_torch(cut: int) -> None:
    model, whole = network(), drawing()
    decoder = Decoder(model.config, model.weights())
    given = replace(whole, offset=whole.offset[:cut], pen=whole.pen[:cut])
    cuts = torch.full((3,), cut)
    posterior, prior = model.latents(steps(whole), torch.full((3,), LENGTH), cuts)
    for found, wanted in ((decoder.posterior([whole]), posterior), (decoder.prior(given), prior)):
        np.testing.assert_allclose(found.mean, wanted.mean[: len(found.mean)], atol=1e-5)
        deviation = wanted.log_deviation.exp()[: len(found.mean)]
        np.testing.assert_allclose(found.deviation, deviation, rtol=1e-5)
    told = model(steps(whole), cuts, torch.from_numpy(vectors()))
    found, state = decoder.prime(replace(given, latent=vectors()))
    count = model.config.components
    np.testing.assert_allclose(found.mean[:, :count], told.mean[:, cut, :count], rtol=1e-4, atol=1e-4)
    primed = model.prime(steps(whole), cuts, latent=torch.from_numpy(vectors()))
    np.testing.assert_allclose(state.bias - model.read.bias.numpy(), primed.bias.numpy(), atol=1e-5)
    several = [
        replace(given, category=CATEGORIES[row : row + 1], latent=vectors()[row : row + 1])
        for row in range(3)
    ]
    np.testing.assert_allclose(decoder.prime_all(several)[0].mean, found.mean, atol=1e-5)


def test_a_network_without_says_so() -> None:
    model = network(0)
    cut = torch.full((3,), CUT)
    with pytest.raises(SettingError, match="no latent vector"):
        model.latents(steps(drawing()), cut, cut)
    with pytest.raises(SettingError, match="no latent vector"):
        Decoder(model.config, model.weights()).posterior([drawing()])
