"""Drawings that were begun: what is given and what comes then are together what a person drew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.data.prepare import read_drawings
from sketchgen.sketch.sketch import Sketch
from sketchgen.training.partial_sketches import Begun, begun, closed


@pytest.fixture(scope="module")
def sketches(sample_dir: Path) -> list[Sketch]:
    drawings, _ = read_drawings(sample_dir)
    return [drawings.sketch(index) for index in range(0, len(drawings), 3)]


def segments(strokes: list[np.ndarray]) -> list[tuple[float, ...]]:
    """The lines between points, whichever way they were drawn."""
    found = []
    for stroke in strokes:
        for one, two in zip(stroke[:-1].tolist(), stroke[1:].tolist(), strict=True):
            found.append((*min(one, two), *max(one, two)))
    return sorted(found)


def test_given_and_rest_are_of_the_drawing(sketches: list[Sketch]):
    random = np.random.default_rng(0)
    kinds = {"inside": 0, "none": 0}
    for sketch in sketches:
        found = begun(sketch, random)
        if found is None:
            kinds["none"] += 1
            continue
        assert found.fits
        whole = segments(list(sketch.strokes))
        both = segments([*found.given, *found.rest])
        # All of it, none twice: what is not given is missing, so that to stop early is never right.
        assert both == whole
        if found.inside:
            kinds["inside"] += 1
            np.testing.assert_array_equal(found.rest[0][0], found.given[-1][-1])
            assert len(found.rest[0]) > 1
    count = len(sketches)
    assert kinds["none"] < 0.1 * count
    assert 0.2 * count < kinds["inside"] < 0.8 * count


def test_the_same_numbers_begin_it_alike(sketches: list[Sketch]):
    one, two = (begun(sketches[0], np.random.default_rng(4)) for _ in range(2))
    assert one is not None
    assert two is not None
    assert [line.tolist() for line in one.given] == [line.tolist() for line in two.given]


def test_a_dot_is_not_begun():
    random = np.random.default_rng(0)
    for strokes in ([[(3, 3)]], [[(3, 3), (4, 4)]], [[(3, 3)], [(9, 9)]]):
        assert all(begun(Sketch.from_strokes(strokes), random) is None for _ in range(30))


def test_a_line_that_leads_nowhere_is_begun():
    sketch = Sketch.from_strokes([np.full((6, 2), 5.0), np.full((5, 2), 9.0)])
    random = np.random.default_rng(0)
    assert sum(begun(sketch, random) is not None for _ in range(60)) > 40


def test_how_a_person_went_on_is_closed_as_the_model_closes():
    line = np.array([[0.0, 0.0], [200.0, 0.0], [200.0, 200.0]])
    rest = [np.array([[200.0, 200.0], [0.0, 200.0], [4.0, 10.0]]), np.array([[90.0, 90.0], [99.0, 99.0]])]
    beginning = PartialSketch.of(Sketch.from_strokes([line]), 24.0)
    found = closed(rest, beginning, inside=True)
    np.testing.assert_allclose(found[0], [[200.0, 200.0], [0.0, 200.0], [0.0, 0.0]], atol=0.02)
    np.testing.assert_allclose(found[1], rest[1], atol=0.02)
    apart = [rest[0][1:], rest[1]]
    found = closed(apart, beginning, inside=False)
    np.testing.assert_allclose(found[0], apart[0], atol=0.02)
    assert closed(rest, PartialSketch.of(Sketch.from_strokes([line])), inside=True) is rest


def test_what_is_too_little_does_not_fit():
    one, two = np.zeros((1, 2)), np.zeros((2, 2))
    assert not Begun([one], [two], False).fits
    assert not Begun([two], [one], False).fits
    assert Begun([two], [two], False).fits


def test_one_stroke_is_missing_or_a_part_of_several(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sketchgen.training.partial_sketches.CUT", 0.0)
    monkeypatch.setattr("sketchgen.training.partial_sketches.HELD", 1.0)
    strokes = [np.array([[10.0 * number, 0.0], [10.0 * number, 50.0]]) for number in range(8)]
    random = np.random.default_rng(0)
    kinds = {"one": 0, "in a row": 0, "apart": 0}
    for _ in range(600):
        found = begun(Sketch.from_strokes(strokes), random)
        assert found is not None
        missing = [int(stroke[0, 0]) // 10 for stroke in found.rest]
        steps = set(np.diff(missing).tolist())
        kinds["one" if len(missing) == 1 else "in a row" if steps == {1} else "apart"] += 1
        assert len(missing) < 8
    shares = {kind: count / 600 for kind, count in kinds.items()}
    assert 0.3 < shares["one"] < 0.5
    assert 0.3 < shares["in a row"] < 0.55
    assert 0.1 < shares["apart"] < 0.3
