"""Recognition: ranked guesses, order, size and place, long drawings, bad input."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from sketchgen.errors import SettingError, SketchError
from sketchgen.models.recogniser import Recogniser
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Sketch
from tests.support import recognisers


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return recognisers.recogniser()


def test_guesses_are_ranked_and_sum_to_one(recogniser: Recogniser):
    guesses = recogniser.recognise(recognisers.scribbles(20)[0], top=99)
    shares = [guess.probability for guess in guesses]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0)
    assert {guess.category for guess in guesses} == set(recogniser.categories)
    assert recogniser.recognise(recognisers.scribbles(20)[0], top=2) == guesses[:2]
    log_prob = recogniser.read(recognisers.scribbles(20)).log_prob[0]
    assert guesses[0].category == recogniser.categories[int(log_prob.argmax())]
    assert guesses[0].probability == pytest.approx(np.exp(log_prob.max()))


def test_many_are_read_in_their_order(recogniser: Recogniser):
    sketches = recognisers.scribbles(*np.random.default_rng(0).integers(1, 60, 270).tolist())
    together = recogniser.read(sketches)
    assert together.log_prob.dtype == np.float64
    assert together.features.dtype == np.float32
    for row in (0, 150, 269):
        alone = recogniser.read([sketches[row]])
        np.testing.assert_allclose(together.log_prob[row], alone.log_prob[0], atol=1e-5)
        np.testing.assert_allclose(together.features[row], alone.features[0], atol=1e-5)
    assert np.ptp(together.log_prob, axis=0).max() > 0.1
    assert recogniser.read([]).features.shape == (0, 24)


@pytest.mark.parametrize(("scale", "dx", "dy"), [(0.013, 0.0, 0.0), (37.0, -1e4, 3.0), (1.0, 1e5, 1e5)])
def test_size_place_and_page_do_not_matter(recogniser: Recogniser, scale: float, dx: float, dy: float):
    (sketch,) = recognisers.scribbles(40)
    other = moved(sketch, scale, dx, dy).replaced(page=Box(-1e5, -1e5, 3e5, 3e5))
    wanted = recogniser.read([sketch]).log_prob
    np.testing.assert_allclose(recogniser.read([other]).log_prob, wanted, atol=1e-4)


@pytest.mark.parametrize("strokes", [[[(5.0, 5.0)]], [[(5.0, 5.0)] * 9], [[(0.0, 0.0), (0.0, 9.0)]]])
def test_dots_and_lines_are_drawings(recogniser: Recogniser, strokes: list[list[tuple[float, float]]]):
    log_prob = recogniser.read([Sketch.from_strokes(strokes)]).log_prob
    assert np.isfinite(log_prob).all()


def test_empty_drawings_and_no_guesses_are_refused(recogniser: Recogniser):
    with pytest.raises(SketchError, match="the drawing is empty"):
        recogniser.recognise(Sketch())
    with pytest.raises(SketchError, match="drawing 1 "):
        recogniser.read([*recognisers.scribbles(5), Sketch()])
    with pytest.raises(SettingError, match="1 or more"):
        recogniser.recognise(recognisers.scribbles(5)[0], 0)


def test_recognising_needs_no_torch():
    code = (
        "import sys, sketchgen; s = sketchgen.read(sketchgen.example('half-a-cat'));"
        "sketchgen.recognise(s); print('torch' in sys.modules, 'lightning' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.returncode) == ("False False", 0), done.stderr
