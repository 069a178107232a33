"""The judge of pictures sees ink and nothing else, and answers as the `Judge` protocol wants."""

from __future__ import annotations

import numpy as np
import pytest
import recognisers
import seeing
import torch

from sketchgen.errors import SketchError
from sketchgen.evaluation.judge import Judge, judged
from sketchgen.models import picture_recogniser as picture_judge
from sketchgen.models.picture_features import pictures_of
from sketchgen.models.picture_recogniser import PictureJudge
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Sketch


@pytest.fixture(scope="module")
def judge() -> PictureJudge:
    return seeing.judge()


def test_it_is_a_judge(judge: PictureJudge):
    assert isinstance(judge, Judge)
    sketches = recognisers.scribbles(3, 9, 30, 30)
    reading = judge.read(sketches)
    assert reading.log_prob.shape == (4, 4)
    assert reading.features.shape == (4, 12)
    np.testing.assert_allclose(np.exp(reading.log_prob).sum(1), 1.0, atol=1e-9)
    logits = (
        reading.features @ judge.network.weights()["head.weight"].T + judge.network.weights()["head.bias"]
    )
    wanted = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    np.testing.assert_allclose(reading.log_prob, wanted, atol=1e-3)
    names = [seeing.CATEGORIES[index] for index in reading.log_prob.argmax(1)]
    assert judged(judge, sketches, names).top1.tolist() == [1.0] * 4


def test_it_answers_as_the_network_that_has_learned():
    model, sketches = seeing.network(), recognisers.scribbles(*range(2, 20))
    with torch.no_grad():
        wanted = torch.log_softmax(model(torch.from_numpy(pictures_of(sketches))).double(), 1).numpy()
    np.testing.assert_allclose(seeing.judge().read(sketches).log_prob, wanted, atol=1e-5)


def test_only_ink_counts(judge: PictureJudge):
    sketch = recognisers.scribbles(30)[0]
    backwards = Sketch.from_strokes([stroke[::-1] for stroke in sketch.strokes[::-1]])
    dense = Sketch.from_strokes([np.repeat(stroke, 2, axis=0) for stroke in sketch.strokes])
    elsewhere = moved(sketch, 3.0, 70.0, -9.0)
    read = judge.read([sketch, backwards, dense, elsewhere]).log_prob
    np.testing.assert_allclose(read, np.broadcast_to(read[0], read.shape), atol=2e-3)


def test_one_by_one_or_together_is_the_same(judge: PictureJudge, monkeypatch: pytest.MonkeyPatch):
    sketches = recognisers.scribbles(*range(2, 12))
    together = judge.read(sketches)
    monkeypatch.setattr(picture_judge, "BATCH", 3)
    again = judge.read(sketches)
    np.testing.assert_allclose(again.log_prob, together.log_prob, atol=1e-4)
    np.testing.assert_allclose(again.features, together.features, atol=1e-4)
    assert judge.read([]).log_prob.shape == (0, 4)


def test_an_empty_drawing_is_refused(judge: PictureJudge):
    empty = Sketch.from_strokes([])
    with pytest.raises(SketchError, match="the drawing is empty"):
        judge.read([empty])
    with pytest.raises(SketchError, match=r"drawing 1 \(from 0\) is empty"):
        judge.read([*recognisers.scribbles(3), empty])
