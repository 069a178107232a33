"""The picture classifier: every weight takes part, and only ink counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from sketchgen.evaluation.recognition import Judge, judged
from sketchgen.models import picture_classifier as module
from sketchgen.models.picture_classifier import PictureClassifier
from sketchgen.models.picture_features import pictures_of
from sketchgen.models.recogniser import Recogniser
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Sketch
from tests.support import recognisers, seeing


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return seeing.recogniser()


def pictures(count: int) -> torch.Tensor:
    return torch.rand(count, 64, 64, generator=torch.Generator().manual_seed(0))


def test_gradients_reach_every_weight():
    model = seeing.network().train()
    model(pictures(6)).logsumexp(1).sum().backward()
    for name, value in model.named_parameters():
        assert value.grad is not None, name
        assert bool((value.grad != 0.0).any()), name


def test_weights_are_copies():
    model = seeing.network()
    assert {value.dtype for value in model.weights().values()} == {np.dtype(np.float32)}
    model.weights()["head.bias"][:] = 7.0
    assert not bool((model.head.bias == 7.0).any())


def test_each_stage_halves_the_picture():
    shapes: list[tuple[int, ...]] = []
    model = seeing.network()
    for stage in model.halve:
        stage.register_forward_hook(lambda _, __, found: shapes.append(tuple(found.shape[1:])))
    assert model.encode(pictures(2)).shape == (2, 12)
    assert shapes == [(4, 32, 32), (8, 16, 16), (12, 8, 8)]


def test_blocks_start_as_the_identity():
    torch.manual_seed(0)
    values, stage = torch.rand(2, 8, 16, 16), PictureClassifier(seeing.small()).eval().blocks[1]
    assert isinstance(stage, nn.ModuleList)
    torch.testing.assert_close(stage[0](values), values)


def test_it_judges_as_the_network_classifies(recogniser: Recogniser):
    assert isinstance(recogniser, Judge)
    sketches = recognisers.scribbles(3, 9, 30, 30)
    reading = recogniser.read(sketches)
    assert reading.features.shape == (4, 12)
    with torch.no_grad():
        logits = seeing.network()(torch.from_numpy(pictures_of(sketches))).double()
    np.testing.assert_allclose(reading.log_prob, torch.log_softmax(logits, 1).numpy(), atol=1e-5)
    assert np.ptp(reading.log_prob, axis=0).max() > 1e-2
    names = [seeing.CATEGORIES[index] for index in reading.log_prob.argmax(1)]
    assert judged(recogniser, sketches, names).top1.tolist() == [1.0] * 4


def test_only_ink_counts(recogniser: Recogniser):
    sketch = recognisers.scribbles(30)[0]
    backwards = Sketch.from_strokes([stroke[::-1] for stroke in sketch.strokes[::-1]])
    dense = Sketch.from_strokes([np.repeat(stroke, 2, axis=0) for stroke in sketch.strokes])
    elsewhere = moved(sketch, 3.0, 70.0, -9.0)
    read = recogniser.read([sketch, backwards, dense, elsewhere]).log_prob
    np.testing.assert_allclose(read, np.broadcast_to(read[0], read.shape), atol=2e-3)


def test_batches_do_not_matter(recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch):
    sketches = recognisers.scribbles(*range(2, 12))
    together = recogniser.read(sketches)
    monkeypatch.setattr(module, "BATCH", 3)
    again = recogniser.read(sketches)
    np.testing.assert_allclose(again.log_prob, together.log_prob, atol=1e-4)
    np.testing.assert_allclose(again.features, together.features, atol=1e-4)
    assert recogniser.read([]).log_prob.shape == (0, 4)
