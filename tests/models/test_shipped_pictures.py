"""The shipped judge of pictures: small, described, and right about drawings that this project made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import sketchgen
from sketchgen.data.prepare import read_drawings
from sketchgen.errors import CheckpointError
from sketchgen.evaluation.accuracy import accuracy
from sketchgen.evaluation.judge import load_judge
from sketchgen.models.picture_checkpoint import DEFAULT_PICTURE_JUDGE
from sketchgen.models.picture_recogniser import PictureJudge
from sketchgen.resources import (
    bundled,
    bundled_checkpoints,
    bundled_picture_judges,
    bundled_recognisers,
    categories,
)
from sketchgen.sketch.sketch import Sketch

MAX_BYTES = 1_600_000


@pytest.fixture(scope="module")
def judge() -> PictureJudge:
    found = load_judge(DEFAULT_PICTURE_JUDGE)
    assert isinstance(found, PictureJudge)
    return found


def test_it_is_small_and_says_what_it_is(judge: PictureJudge):
    folder = bundled("checkpoints", DEFAULT_PICTURE_JUDGE)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= MAX_BYTES
    assert {path.suffix for path in folder.iterdir()} == {".json", ".md", ".safetensors"}
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert all(words in card for words in ("Quick, Draw!", "CC BY 4.0", "judge of pictures"))
    figures = [name for name in judge.summary if "top" in name or "of these" in name]
    assert len(figures) == 3
    assert all(f"| {name} | {judge.summary[name]} |" in card for name in figures)
    assert judge.categories == tuple(categories())
    assert judge.name == DEFAULT_PICTURE_JUDGE


def test_it_neither_draws_nor_reads_strokes(judge: PictureJudge):
    assert bundled_picture_judges() == [judge.name]
    assert judge.name not in [*bundled_checkpoints(), *bundled_recognisers()]
    for load in (sketchgen.load, sketchgen.load_recogniser):
        with pytest.raises(CheckpointError, match="pictures345 is a judge of pictures"):
            load(judge.name)


def test_most_of_the_sample_is_named(judge: PictureJudge, sample_dir: Path):
    drawings = read_drawings(sample_dir)[0]
    assert accuracy(judge, drawings).top(5) > 0.75


def test_strokes_and_their_order_are_nothing_to_it(judge: PictureJudge, sample_dir: Path):
    drawings = read_drawings(sample_dir)[0]
    sketches = [drawings.sketch(index) for index in range(0, len(drawings), 20)]
    backwards = [Sketch.from_strokes([line[::-1] for line in one.strokes[::-1]]) for one in sketches]
    one, two = judge.read(sketches).log_prob, judge.read(backwards).log_prob
    np.testing.assert_allclose(one, two, atol=0.01)


def test_real_drawings_are_named(judge: PictureJudge, data_dir: Path):
    drawings = read_drawings(data_dir / "quickdraw_simplified" / "cat.ndjson")[0]
    assert accuracy(judge, drawings.take(np.arange(min(300, len(drawings))))).top(1) > 0.6
