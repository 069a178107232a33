"""Figures of a recogniser whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import recognisers
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings, from_lists
from sketchgen.errors import SettingError
from sketchgen.evaluation import accuracy as module
from sketchgen.evaluation.accuracy import accuracy, beginning
from sketchgen.models.numpy_classifier import Places, Reader
from sketchgen.models.recogniser import Recogniser

NAMES = ("cat", "dog", "sun")
TABLE = np.log([[0.7, 0.2, 0.1], [0.3, 0.1, 0.6]])


class Fake(Reader):
    """Takes drawings of under 6 points for cats, the others for suns."""

    def read(self, drawings: Sequence[Places]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        rows = [int(len(points) >= 6) for points, _ in drawings]
        return TABLE[rows], np.zeros((len(rows), 1), dtype=np.float32)


def fake() -> Recogniser:
    model = recognisers.network(recognisers.small(categories=NAMES))
    return Recogniser(Fake(model.config, model.weights()), "fake", {})


def drawings(categories: tuple[str, ...] = NAMES) -> Drawings:
    """A cat, a dog and a sun of 3 points each, and the same of 8 points each in two strokes."""
    zigzag = np.column_stack([np.arange(8) * 30, np.arange(8) % 2 * 255]).astype(np.uint8)
    points = [zigzag[:count] for count in (3, 3, 3, 8, 8, 8)]
    strokes = [[3], [3], [3], [5, 3], [5, 3], [5, 3]]
    return from_lists([0, 1, 2, 0, 1, 2], range(6), strokes, points, categories)


def test_ranks_and_shares():
    found = accuracy(fake(), drawings())
    assert found.rank.tolist() == [0, 1, 2, 1, 2, 0]
    np.testing.assert_allclose(np.exp(found.log_prob), [0.7, 0.2, 0.1, 0.3, 0.1, 0.6])
    assert [found.top(count) for count in (1, 2, 3)] == pytest.approx([2 / 6, 4 / 6, 1.0])


def test_a_fraction_shows_the_first_points():
    found = accuracy(fake(), drawings(), 0.5)
    assert found.rank.tolist() == [0, 1, 2, 0, 1, 2]
    half = beginning(drawings(), 3, 0.75)
    assert [len(stroke) for stroke in half.strokes] == [5, 1]
    assert beginning(drawings(), 0, 0.01).point_count == 1


def test_by_depth_and_by_category():
    found = accuracy(fake(), drawings())
    deep = found.of_deep({"cat": 300, "dog": 299})
    assert deep.tolist() == [True, False, False, True, False, False]
    assert found.top(1, deep) == 0.5
    assert found.mean_over_categories(1) == pytest.approx((0.5 + 0.0 + 0.5) / 3)
    assert np.isnan(found.top(1, np.zeros(6, dtype=bool)))


def test_a_category_that_it_does_not_know_is_never_right():
    found = accuracy(fake(), drawings(("cat", "kiwi", "sun")))
    assert found.rank.tolist() == [0, 3, 2, 1, 3, 0]
    assert np.isneginf(found.log_prob[[1, 4]]).all()


def test_parts_do_not_matter(monkeypatch: pytest.MonkeyPatch):
    whole = accuracy(fake(), drawings())
    monkeypatch.setattr(module, "AT_ONCE", 4)
    assert accuracy(fake(), drawings()).rank.tolist() == whole.rank.tolist()


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.1, float("nan")])
def test_fractions_outside_their_limits(fraction: float):
    with pytest.raises(SettingError, match="fraction"):
        accuracy(fake(), drawings(), fraction)


def test_no_drawings():
    with pytest.raises(SettingError, match="no drawings"):
        accuracy(fake(), drawings().between(0, 0))
