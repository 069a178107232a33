"""Likelihoods of whole drawings and of what is held out, against steps taken one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sketchgen.completion.completer import Completer
from sketchgen.data.batching import CENTRE, evaluation_batch
from sketchgen.data.prepare import read_drawings
from sketchgen.data.store import Drawings
from sketchgen.evaluation.likelihood import (
    BATCH,
    SHARES,
    by_category,
    likelihood_figures,
    score,
    step_log_prob,
)
from sketchgen.models.config import ModelConfig
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.sketch.strokes import Pen, pens
from tests.support import untrained


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    everything, _ = read_drawings(sample_dir)
    return everything.take(np.arange(0, len(everything), 6))


@pytest.fixture(scope="module")
def model(drawings: Drawings) -> StrokeModel:
    torch.manual_seed(0)
    shape = ModelConfig(drawings.categories, width=24, components=3, embedding=16, encoder_width=16)
    return StrokeModel(shape).eval()


def by_hand(model: StrokeModel, drawings: Drawings, index: int, cut: int) -> float:
    """Nats of a drawing's steps from `cut` on: primed with what comes before, then a step at a time."""
    sketch = drawings.sketch(index)
    offset, pen = np.diff(sketch.points, axis=0, prepend=CENTRE), pens(sketch)
    target = offset + np.random.default_rng([0, 0]).random((1, *offset.shape))[0] - 0.5
    stepping = untrained.decoder(model)
    category = drawings.category[index : index + 1]
    found, state = stepping.prime(Prefix(offset[:cut], pen[:cut], category, known=True))
    total = 0.0
    for step in range(cut, len(offset)):
        total -= float(found.log_prob(target[step : step + 1], pen[step : step + 1])[0])
        found, state = stepping.advance(offset[step : step + 1], pen[step : step + 1], state)
    return total - float(found.log_prob(np.zeros((1, 2)), np.array([int(Pen.END)]))[0])


@pytest.mark.parametrize("fraction", SHARES)
@pytest.mark.parametrize("index", [0, 40, 100])
def test_a_score_is_the_sum_over_the_steps(
    model: StrokeModel, drawings: Drawings, index: int, fraction: float
):
    count = int(drawings.lengths[index])
    scores = score(model, drawings.take([index]), fraction)
    wanted = by_hand(model, drawings, index, round(fraction * count))
    assert scores.nats[0] == pytest.approx(wanted, rel=1e-5)
    assert scores.points.tolist() == [count - round(fraction * count)]
    assert scores.per_point()["value"] == pytest.approx(wanted / scores.points[0], rel=1e-5)


@pytest.mark.parametrize("fraction", SHARES)
def test_every_drawing_is_scored_in_its_place(model: StrokeModel, drawings: Drawings, fraction: float):
    seen: list[int] = []
    scores = score(model, drawings, fraction, progress=seen.append)
    assert sum(seen) == len(drawings) > BATCH
    assert np.isfinite(scores.nats).all()
    assert (scores.points == drawings.lengths - np.round(fraction * drawings.lengths)).all()
    assert (scores.category == drawings.category).all()
    # The longest drawing alone: only its noise is another one.
    longest = int(drawings.lengths.argmax())
    alone = score(model, drawings.take([longest]), fraction)
    assert scores.nats[longest] == pytest.approx(alone.nats[0], rel=0.02)


def test_scores_repeat_and_do_not_depend_on_the_order(model: StrokeModel, drawings: Drawings):
    one = score(model, drawings, seed=3)
    assert np.array_equal(one.nats, score(model, drawings, seed=3).nats)
    assert not np.array_equal(one.nats, score(model, drawings, seed=4).nats)
    order = np.random.default_rng(0).permutation(len(drawings))
    assert np.array_equal(score(model, drawings.take(order), seed=3).nats, one.nats[order])


@torch.no_grad()
def test_steps_that_do_not_count_are_zero(model: StrokeModel, drawings: Drawings):
    batch = evaluation_batch(drawings.take(np.arange(20)), np.random.default_rng(0), 0.5)
    log_prob = step_log_prob(model, batch)
    assert (log_prob[~batch.scored] == 0).all()
    assert (log_prob[batch.scored] != 0).all()


def test_dropout_is_off_while_scoring(model: StrokeModel, drawings: Drawings):
    part = drawings.take(np.arange(10))
    before = score(model, part).nats
    model.train()
    assert np.array_equal(score(model, part).nats, before)
    assert not model.training


def test_categories_add_up_to_the_whole(model: StrokeModel, drawings: Drawings):
    scores = score(model, drawings)
    table = by_category(scores, drawings.categories)
    assert sorted(table) == sorted(drawings.categories)
    assert sum(row["drawings"] for row in table.values()) == len(drawings)
    points = np.bincount(scores.category, weights=scores.points)
    total = sum(
        table[name]["nats_per_point"] * points[index] for index, name in enumerate(drawings.categories)
    )
    assert total == pytest.approx(scores.nats.sum())


@pytest.fixture(scope="module")
def completer(drawings: Drawings) -> Completer:
    config = ModelConfig(drawings.categories, width=16, components=3, embedding=16, encoder_width=8)
    return untrained.completer(config)


def test_the_figures_add_up_too(completer: Completer, drawings: Drawings) -> None:
    counts = {name: 300 + index % 2 - 1 for index, name in enumerate(drawings.categories)}
    found = likelihood_figures(completer, drawings, counts, 0, lambda what, done, of: None)
    total = found["nats_per_point"] * found["suffix"]["0"]["points"]
    deep, rare = found["by_depth"]["deep"], found["by_depth"]["rare"]
    assert deep["drawings"] + rare["drawings"] == len(drawings)
    parts = [row["suffix"]["0"] for row in (deep, rare)]
    assert sum(row["nats_per_point"] * row["points"] for row in parts) == pytest.approx(total)
    assert likelihood_figures(completer, drawings, None, 0, lambda *_: None)["by_depth"] == {}
