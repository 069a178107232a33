"""Figures of a latent vector: the bound, the divergence, and which units are active."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sketchgen.data.prepare import read_drawings
from sketchgen.data.store import Drawings
from sketchgen.errors import SettingError
from sketchgen.evaluation.latent import LatentScores, latent_figures, score_latent
from sketchgen.evaluation.likelihood import score
from sketchgen.models.config import ModelConfig
from sketchgen.models.stroke_model import StrokeModel
from tests.support import untrained


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    return read_drawings(sample_dir)[0]


def network(drawings: Drawings, latent: int = 4) -> StrokeModel:
    shape: dict[str, Any] = {"width": 16, "layers": 1, "embedding": 8, "encoder_width": 8, "components": 2}
    config = ModelConfig(drawings.categories, **shape, latent=latent, latent_encoder=8)
    return untrained.network(config)


def test_a_vector_that_nobody_hears_changes_no_likelihood(drawings: Drawings) -> None:
    model, some = network(drawings), drawings.take(np.arange(0, len(drawings), 20))
    assert model.latent is not None
    with torch.no_grad():
        model.latent.enter.weight.zero_()
    found = score_latent(model, some)
    alone = score(model, some)
    np.testing.assert_allclose(found.nats, alone.nats, rtol=1e-5)
    assert (found.divergence > 0).all()
    figures = found.figures()
    assert figures["bound"]["value"] > figures["reconstruction"]["value"]
    again = score_latent(model, some)
    np.testing.assert_array_equal(found.nats, again.nats)


def test_units_whose_mean_never_varies_are_not_active() -> None:
    mean = np.random.default_rng(0).normal(size=(50, 4)) * [1.0, 0.05, 0.0, 0.5]
    scores = LatentScores(np.ones(50), np.ones(50), np.ones(50, dtype=np.int64), mean)
    assert scores.figures()["active"] == 0.5


def test_figures_are_told_and_not_told(drawings: Drawings) -> None:
    completer = untrained.Completer(untrained.decoder(network(drawings)), "small", {})
    found = latent_figures(completer, drawings.take([0, 50, 99]), 0)
    assert set(found) == {"category told", "not told"}
    assert found["category told"]["divergence"] != found["not told"]["divergence"]


def test_a_network_without_one_is_refused(drawings: Drawings) -> None:
    with pytest.raises(SettingError, match="no latent vector"):
        score_latent(network(drawings, 0), drawings.take([0]))
