"""Candidates are drawn once, the same whoever draws them, as the model goes on; folders do not mix."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.rollout import Request, Sampled
from sketchgen.data.prepare import prepare
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, FormatError, SettingError
from sketchgen.evaluation.finishing import completion_values
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.sketch.sketch import Sketch
from sketchgen.training import candidates
from sketchgen.training.candidates import (
    CandidateGroup,
    CandidateSpec,
    category_index,
    choose_drawings,
    close_gaps,
    draw_candidates,
    draw_chunk,
    read_groups,
    read_spec,
    write_spec,
)
from tests.support import untrained

NAMES = ("cat", "fish", "house", "sun")


@pytest.fixture(scope="module")
def spec(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> CandidateSpec:
    """A store of a few categories, and a model that knows all but one of them."""
    place = tmp_path_factory.mktemp("candidates")
    prepare([sample_dir / f"{name}.ndjson" for name in NAMES], place / "store")
    model = untrained.small_checkpoint(place / "model", NAMES[:3])
    return CandidateSpec(str(place / "store"), "train", model, 16, 3, 5)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "CHUNK", 6)
    monkeypatch.setattr(candidates, "LIMIT", 10)
    candidates._sources.cache_clear()


def same(one: CandidateGroup, two: CandidateGroup) -> bool:
    """Whether two groups are the same, as far as float32 tells."""
    pairs = zip((one.given, one.rest, *one.candidates), (two.given, two.rest, *two.candidates), strict=True)
    strokes = [(a, b) for left, right in pairs for a, b in itertools.zip_longest(left, right)]
    return one.category == two.category and all(
        a is not None and b is not None and a.shape == b.shape and np.allclose(a, b) for a, b in strokes
    )


def test_chunks_are_drawn_once_and_read_as_groups(spec: CandidateSpec, tmp_path: Path):
    heard: list[tuple[int, int]] = []
    draw_candidates(spec, tmp_path, 1, lambda done, count: heard.append((done, count)))
    assert heard == [(6, 16), (12, 16), (16, 16)]
    files = spec.paths(tmp_path)
    assert len(files) == 3
    assert sorted(tmp_path.glob("*.arrow")) == files
    assert read_spec(tmp_path) == spec
    groups = list(read_groups(tmp_path))
    assert 11 < len(groups) <= 16
    assert {category_index(tmp_path, group, NAMES) for group in groups} == {0, 1, 2, 3}
    with pytest.raises(SettingError, match="'sun', which the network does not know"):
        [category_index(tmp_path, group, NAMES[:3]) for group in groups]
    for group in groups:
        assert len(group.candidates) == 3
        assert any(group.candidates)
        assert np.allclose(
            group.values, completion_values(group.given, group.rest, group.candidates), atol=1e-5
        )
    before = [file.stat().st_mtime_ns for file in files]
    files[1].unlink()
    draw_candidates(spec, tmp_path, 1)
    assert [file.stat().st_mtime_ns for file in files][::2] == before[::2]
    assert all(map(same, groups, read_groups(tmp_path, spec)))
    with pytest.raises(CheckpointError, match="drawn with another seed"):
        draw_candidates(replace(spec, seed=6), tmp_path, 1)
    files[0].write_bytes(b"ARROW1 but no more")
    with pytest.raises(FormatError, match=r"candidates-00000\.arrow is damaged or missing"):
        list(read_groups(tmp_path, spec))


def test_a_chunk_is_the_same_whoever_draws_it(spec: CandidateSpec):
    one = draw_chunk(spec, 1)
    candidates._sources.cache_clear()
    assert all(map(same, one, draw_chunk(spec, 1)))
    assert not same(one[0], draw_chunk(spec, 2)[0])
    assert not same(one[0], draw_chunk(replace(spec, seed=6), 1)[0])
    for group in one:
        firsts = [str(each[0][:2].tolist()) for each in group.candidates if each]
        assert len(set(firsts)) == len(firsts)


def test_a_candidate_goes_on_with_the_last_stroke_where_that_was_decided(
    spec: CandidateSpec, monkeypatch: pytest.MonkeyPatch
):
    decided = np.array([False, True, True])
    monkeypatch.setattr(candidates, "_continued", lambda model, requests, *rest: [decided for _ in requests])
    read: list[Prefix] = []
    asked: list[Request] = []
    draw_all = candidates.draw_all

    def seen(network: StrokeModel, given: list[Prefix], requests: list[Request], *more: Any) -> list[Sampled]:
        read.extend(given)
        asked.extend(requests)
        return draw_all(network, given, requests, *more)

    monkeypatch.setattr(candidates, "draw_all", seen)
    found = draw_chunk(spec, 0)
    # Each sketch is read once for each decision, and its candidates are numbered in their order.
    count = len(read) // 2
    assert [bool(each.going_on[0]) for each in read if each.going_on is not None] == [False, True] * count
    assert [each.index for each in asked] == [0, 1, 2] * count
    assert [each.given for each in asked] == [2 * row + on for row in range(count) for on in (0, 1, 1)]
    for group in found:
        begins = [np.array_equal(each[0][0], group.given[-1][-1]) for each in group.candidates if each]
        assert begins == [bool(on) for on, each in zip(decided, group.candidates, strict=True) if each]


def test_rare_categories_come_more_often_than_by_their_numbers(spec: CandidateSpec):
    drawings = Store.open(spec.store).split("train").drawings()
    rare, usual = (np.flatnonzero(drawings.category == category) for category in (0, 1))
    part = drawings.take(np.concatenate([rare[:3], usual[:48]]))
    rows = choose_drawings(part, 90, 3)
    # 3 and 48 to the power of a quarter are as one and two.
    assert np.bincount(part.category[rows]).tolist() == [30, 60]
    assert np.ptp(np.bincount(rows)[:3]) <= 1
    assert np.ptp(np.bincount(rows)[3:]) <= 1
    assert choose_drawings(part, 90, 3).tolist() == rows.tolist() != choose_drawings(part, 90, 4).tolist()


def test_what_cannot_be_drawn_is_refused(spec: CandidateSpec, tmp_path: Path):
    with pytest.raises(CheckpointError, match="nowhere"):
        draw_candidates(replace(spec, checkpoint="nowhere"), tmp_path, 1)
    with pytest.raises(FormatError, match="not a prepared store"):
        draw_candidates(replace(spec, store=str(tmp_path)), tmp_path, 1)
    with pytest.raises(SettingError, match="candidates must be a number from 1 to 64, not 0"):
        replace(spec, candidates=0)
    with pytest.raises(SettingError, match="sketches must be a number from 1"):
        replace(spec, sketches=0)


def test_an_unfinished_folder_is_refused(spec: CandidateSpec, tmp_path: Path):
    with pytest.raises(FormatError, match="holds no candidates; draw some by sketchgen sample-candidates"):
        read_spec(tmp_path)
    write_spec(tmp_path, spec)
    with pytest.raises(FormatError, match="0 of 3 files"):
        read_spec(tmp_path)


def test_gaps_of_a_persons_strokes_are_closed_like_a_models():
    line = np.array([[0.0, 0.0], [200.0, 0.0], [200.0, 200.0]])
    rest = [np.array([[200.0, 200.0], [0.0, 200.0], [4.0, 10.0]]), np.array([[90.0, 90.0], [99.0, 99.0]])]
    partial = PartialSketch.of(Sketch.from_strokes([line]), 24.0)
    found = close_gaps(rest, partial, inside=True)
    np.testing.assert_allclose(found[0], [[200.0, 200.0], [0.0, 200.0], [0.0, 0.0]], atol=0.02)
    np.testing.assert_allclose(found[1], rest[1], atol=0.02)
    apart = [rest[0][1:], rest[1]]
    found = close_gaps(apart, partial, inside=False)
    np.testing.assert_allclose(found[0], apart[0], atol=0.02)
    assert close_gaps(rest, PartialSketch.of(Sketch.from_strokes([line])), inside=True) is rest
