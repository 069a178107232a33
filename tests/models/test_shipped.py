"""The shipped recogniser: small, described, and right about drawings that this project made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sketchgen
from sketchgen.data.prepare import read_drawings
from sketchgen.errors import CheckpointError
from sketchgen.evaluation.accuracy import accuracy
from sketchgen.models.classifier_checkpoint import DEFAULT_RECOGNISER
from sketchgen.models.recogniser import Recogniser
from sketchgen.resources import bundled, bundled_checkpoints, bundled_recognisers, categories

MAX_BYTES = 8_000_000


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return sketchgen.load_recogniser()


def test_it_is_small_and_says_what_it_is(recogniser: Recogniser):
    folder = bundled("checkpoints", DEFAULT_RECOGNISER)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MAX_BYTES
    assert {path.suffix for path in folder.iterdir()} == {".json", ".md", ".safetensors"}
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Quick, Draw!" in card
    assert "CC BY 4.0" in card
    assert all(f"| {name} | {value} |" in card for name, value in recogniser.summary.items() if "top" in name)
    assert recogniser.categories == tuple(categories())


def test_it_is_no_model_that_draws(recogniser: Recogniser):
    assert bundled_recognisers() == [recogniser.name]
    assert recogniser.name not in bundled_checkpoints()
    with pytest.raises(CheckpointError, match="draws nothing"):
        sketchgen.load(recogniser.name)
    with pytest.raises(CheckpointError, match="no recogniser"):
        sketchgen.load_recogniser(bundled_checkpoints()[0])
    with pytest.raises(CheckpointError, match="recognises nothing"):
        sketchgen.load_recogniser(bundled("checkpoints", bundled_checkpoints()[0]))


def test_most_of_the_sample_is_recognised(recogniser: Recogniser, sample_dir: Path):
    drawings = read_drawings(sample_dir)[0]
    whole, half = accuracy(recogniser, drawings), accuracy(recogniser, drawings, 0.5)
    assert whole.top(5) > 0.8
    assert half.top(5) < whole.top(5)
    assert half.top(5) > 0.3


@pytest.mark.parametrize(("example", "category"), [("half-a-cat", "cat"), ("face", "face"), ("car", "car")])
def test_beginnings_are_recognised(recogniser: Recogniser, example: str, category: str):
    guesses = recogniser.recognise(sketchgen.read(sketchgen.example(example)))
    assert category in [guess.category for guess in guesses]


def test_real_drawings_are_recognised(recogniser: Recogniser, data_dir: Path):
    drawings = read_drawings(data_dir / "quickdraw_simplified" / "cat.ndjson")[0]
    found = accuracy(recogniser, drawings.take(np.arange(min(300, len(drawings)))))
    assert found.top(1) > 0.7
