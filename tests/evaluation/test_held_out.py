"""Finishing many drawings at once: the same as one at a time, and cut drawings are whole again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sketchgen.completion.completer import Completer
from sketchgen.completion.sampler import noise_rows, sample_steps
from sketchgen.data.prepare import read_drawings
from sketchgen.data.splitting import prefix_length
from sketchgen.errors import SettingError
from sketchgen.evaluation.held_out import (
    SCALES,
    Scale,
    drawing_seed,
    finish,
    held_out,
    united,
)
from sketchgen.models.config import ModelConfig
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


def test_many_completions_are_those_of_complete(model: Completer, sketches: list[Sketch]) -> None:
    partials = [held_out(sketch, 0.5, index % 3, 7 + index) for index, sketch in enumerate(sketches)]
    found = finish(model, partials, "scale unknown", 0.6, 3, LIMIT)
    for partial, ways in zip(partials, found, strict=True):
        name = [*model.categories, None][partial.category]
        # Drawings of a store have no page, whose edge would hold lines back.
        given = Sketch.from_strokes(partial.given.strokes)
        wanted = model.complete(given, name, 3, 0.6, partial.seed, limit=LIMIT, continue_stroke=False)
        for one, other in zip(ways, wanted, strict=True):
            assert len(one.completion.added.strokes) == len(other.added.strokes)
            assert np.allclose(one.completion.added.points, other.added.points, atol=0.03)
            assert one.completion.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-2)
            assert one.completion.ended == other.ended


def test_they_are_those_of_the_sampler_where_the_scale_is_known(
    model: Completer, sketches: list[Sketch]
) -> None:
    from sketchgen.evaluation.held_out import shown

    partials = [held_out(sketch, 0.25, 0, 3) for sketch in sketches]
    found = finish(model, partials, "scale known", 1.0, 1, LIMIT)
    assert any(item.inside for item in partials)
    for partial, (one,) in zip(partials, found, strict=True):
        given, scale, origin = shown(partial, "scale known", partial.category)
        assert given.known
        assert scale == 1.0
        wanted = sample_steps(model.decoder, given, noise_rows(3, 1), LIMIT, 1.0)
        points = np.cumsum(wanted.offset[0, : wanted.length[0]], axis=0) + origin
        added = one.completion.added.points[1:] if one.going_on else one.completion.added.points
        assert np.allclose(added, points, atol=0.03)
        assert one.going_on == partial.inside


def test_the_limit_holds_and_something_is_added(model: Completer, sketches: list[Sketch]) -> None:
    items = [held_out(s, 0.5, 1, 11) for s in sketches]
    for limit in (1, 5):
        counts: list[int] = []
        for (item,) in finish(model, items, "scale unknown", 1.0, 1, limit, counts.append):
            assert 1 <= item.completion.added.point_count <= limit
        assert sum(counts) == len(sketches)
    with pytest.raises(SettingError, match="limit"):
        finish(model, items, "scale unknown", 1.0, 1, 0)
    assert finish(model, [], "scale known", 1.0) == []


def test_seeds_of_drawings_differ_and_repeat() -> None:
    seeds = {drawing_seed(seed, key) for seed in range(3) for key in (0, 1, 2**64 - 1)}
    assert len(seeds) == 9
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert drawing_seed(1, 5) == drawing_seed(1, 5)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_cut_drawing_is_whole_again(sketches: list[Sketch], share: float) -> None:
    for sketch in sketches:
        cut = held_out(sketch, share, 0, 0)
        assert cut.given.point_count == prefix_length(sketch.point_count, share) >= 2
        whole = united(cut.given, cut.rest, cut.inside)
        assert all(np.array_equal(a, b) for a, b in zip(whole.strokes, sketch.strokes, strict=True))
        # The planted fault: a seam where none is.
        assert len(united(cut.given, cut.rest, not cut.inside).strokes) != len(sketch.strokes)


@pytest.mark.parametrize("scale", SCALES)
def test_drawings_from_nothing_begin_in_the_box(
    model: Completer, sketches: list[Sketch], scale: Scale
) -> None:
    items = [held_out(sketches[0], 0.0, 0, 5)]
    (one,) = finish(model, items, scale, 0.5, 1, 30)[0]
    assert one.completion.given.is_empty
    wanted = model.generate("cat", 1, 0.5, 5, limit=30)[0]
    assert np.allclose(one.whole.points, wanted.points, atol=0.03)
