"""Finishing many drawings at once: the same as one at a time, whatever stands beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sketchgen.completion.completer import Completer
from sketchgen.data.prepare import read_drawings
from sketchgen.errors import SettingError
from sketchgen.evaluation.held_out import held_out, prime
from sketchgen.evaluation.sampling import Row, drawing_seed, sample_rows
from sketchgen.models.config import ModelConfig
from sketchgen.models.numpy_mixture import StepDistribution
from sketchgen.sketch.sketch import Sketch
from tests.support import untrained

LIMIT = 25


@pytest.fixture(scope="module")
def sketches(sample_dir: Path) -> list[Sketch]:
    drawings, _ = read_drawings(sample_dir)
    return [drawings.sketch(index) for index in range(0, len(drawings), len(drawings) // 12)]


@pytest.fixture(
    scope="module", params=[{}, {"self_attention": 16, "pointers": 8, "rotated": 2}], ids=["plain", "past"]
)
def model(request: pytest.FixtureRequest) -> Completer:
    shape = {"layers": 2, "width": 24, "components": 4, "embedding": 16, "encoder_width": 16}
    return untrained.completer(ModelConfig(("cat", "star"), **(shape | request.param)))


def test_a_row_does_not_depend_on_those_beside_it(model: Completer, sketches: list[Sketch]) -> None:
    ready = prime(model.decoder, [held_out(s, 0.5, 1, 11) for s in sketches], "scale known")
    rows = [replace(row, alternative=index) for index, row in enumerate(ready.rows)]
    together = sample_rows(model.decoder, rows, 0.8, 40)
    assert len({len(item.pen) for item in together}) > 2
    for row, one in zip(rows, together, strict=True):
        (alone,) = sample_rows(model.decoder, [row], 0.8, 40)
        assert np.array_equal(alone.pen, one.pen)
        assert np.allclose(alone.offset, one.offset, atol=0.02)
    assert sample_rows(model.decoder, [], 0.8, 40) == []


def test_the_limit_holds_and_something_is_added(model: Completer, sketches: list[Sketch]) -> None:
    ready = prime(model.decoder, [held_out(s, 0.5, 1, 11) for s in sketches], "scale known")
    for limit in (1, 5):
        for item in sample_rows(model.decoder, ready.rows, 1.0, limit):
            assert 1 <= len(item.pen) <= limit
    with pytest.raises(SettingError, match="limit"):
        sample_rows(model.decoder, ready.rows, 1.0, 0)


def test_seeds_of_drawings_differ_and_repeat() -> None:
    seeds = {drawing_seed(seed, key) for seed in range(3) for key in (0, 1, 2**64 - 1)}
    assert len(seeds) == 9
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert drawing_seed(1, 5) == drawing_seed(1, 5)


def test_a_row_is_one_drawing(model: Completer, sketches: list[Sketch]) -> None:
    ready = prime(model.decoder, [held_out(sketches[0], 0.5, 0, 1)], "scale known")
    assert isinstance(ready.rows[0], Row)
    found = ready.rows[0].found
    assert isinstance(found, StepDistribution)
    assert len(found.end) == 1
