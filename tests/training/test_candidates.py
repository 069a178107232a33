"""How a model finishes what people began, drawn once: the same whoever draws it, and gone on with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sketchgen.completion.completer import load
from sketchgen.completion.rollout import Request, Sampled
from sketchgen.data.prepare import prepare
from sketchgen.data.store import Store
from sketchgen.errors import CheckpointError, FormatError, SettingError
from sketchgen.models.numpy_stroke_model import Prefix
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.training import candidates as rehearsal
from sketchgen.training.candidate_files import Rehearsal, chunk_path, noted
from sketchgen.training.candidates import chosen, drawn_chunk, read_groups, rehearse
from tests.support import rehearsing, untrained

NAMES = ("cat", "fish", "house", "sun")


@pytest.fixture(scope="module")
def told(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """A store of a few categories, and a model that knows all but one of them."""
    place = tmp_path_factory.mktemp("told")
    prepare([sample_dir / f"{name}.ndjson" for name in NAMES], place / "store")
    model = untrained.small_checkpoint(place / "model", NAMES[:3])
    return Rehearsal(str(place / "store"), "train", model, 24, 3, 5)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    rehearsing.small(monkeypatch, 10)


def test_chunks_are_drawn_once_and_read_as_groups(told: Rehearsal, tmp_path: Path):
    heard: list[tuple[int, int]] = []
    rehearse(told, tmp_path, 1, lambda done, count: heard.append((done, count)))
    assert heard == [(10, 24), (20, 24), (24, 24)]
    files = [chunk_path(tmp_path, number) for number in range(3)]
    assert sorted(tmp_path.glob("*.arrow")) == files
    assert noted(tmp_path) == told
    groups = read_groups(tmp_path, told, NAMES)
    assert 18 < len(groups) <= 24
    assert {group.category for group in groups} == {0, 1, 2, 3}
    for group in groups:
        assert 1 <= len(group.others) <= 3
        assert (~group.real.added).any()
        assert all(each.added.any() for each in (group.real, *group.others))
    before = [file.stat().st_mtime_ns for file in files]
    files[1].unlink()
    rehearse(told, tmp_path, 1)
    assert [file.stat().st_mtime_ns for file in files][::2] == before[::2]
    again = read_groups(tmp_path, told, NAMES)
    assert all(
        np.array_equal(one.real.points, two.real.points) for one, two in zip(groups, again, strict=True)
    )


def test_a_chunk_is_the_same_whoever_draws_it(told: Rehearsal):
    one = drawn_chunk(told, 1)
    rehearsal._sources.cache_clear()
    assert drawn_chunk(told, 1) == one
    assert drawn_chunk(told, 2) != one
    assert drawn_chunk(replace(told, seed=6), 1) != one


def test_the_ways_are_how_the_model_goes_on(told: Rehearsal):
    rows = drawn_chunk(told, 0)
    assert all(len(row["ways"]) == 3 for row in rows)
    # Untrained and of several random numbers, no two ways are alike; none stands where the given part does.
    assert all(row["ways"][0] != row["ways"][1] != row["ways"][2] for row in rows)
    closing = replace(load(told.model), closing=0.0)
    assert closing.closing == 0.0
    assert all(way and way[0] != row["given"][0] for row in rows for way in row["ways"])


def test_a_way_goes_on_with_the_last_stroke_where_that_was_decided(
    told: Rehearsal, monkeypatch: pytest.MonkeyPatch
):
    decided = np.array([False, True, True])

    def going_on(model: object, starts: list[object], ways: int, temperature: float) -> list[np.ndarray]:
        return [decided for _ in starts]

    monkeypatch.setattr(rehearsal, "_going_on", going_on)
    read: list[Prefix] = []
    asked: list[Request] = []
    real = rehearsal.draw_all

    def seen(
        network: StrokeModel, given: list[Prefix], requests: list[Request], *more: float
    ) -> list[Sampled]:
        read.extend(given)
        asked.extend(requests)
        return real(network, given, requests, *more)

    monkeypatch.setattr(rehearsal, "draw_all", seen)
    found = drawn_chunk(told, 0)
    # Each start is read once for each decision, and its ways are numbered in their order.
    assert [bool(each.going_on[0]) for each in read if each.going_on is not None] == [False, True] * len(
        found
    )
    assert [each.index for each in asked] == [0, 1, 2] * len(found)
    assert [each.given for each in asked] == [2 * row + on for row in range(len(found)) for on in (0, 1, 1)]
    for row in found:
        last = row["given"][-1][-2:]
        begins = [way[0][:2] == last for way in row["ways"] if way]
        assert begins == [bool(on) for on, way in zip(decided, row["ways"], strict=True) if way]


def test_rare_categories_come_more_often_than_by_their_numbers(told: Rehearsal):
    drawings = Store.open(told.store).split("train").drawings()
    rare, usual = (np.flatnonzero(drawings.category == category) for category in (0, 1))
    part = drawings.take(np.concatenate([rare[:3], usual[:48]]))
    rows = chosen(part, 90, 3)
    counts = np.bincount(part.category[rows])
    # 3 and 48 to the power of a quarter are as one and two.
    assert counts.tolist() == [30, 60]
    assert np.ptp(np.bincount(rows)[:3]) <= 1
    assert np.ptp(np.bincount(rows)[3:]) <= 1
    assert chosen(part, 90, 3).tolist() == rows.tolist() != chosen(part, 90, 4).tolist()


def test_what_cannot_be_rehearsed_is_refused(told: Rehearsal, tmp_path: Path):
    with pytest.raises(CheckpointError, match="nowhere"):
        rehearse(replace(told, model="nowhere"), tmp_path, 1)
    with pytest.raises(FormatError, match="not a prepared store"):
        rehearse(replace(told, store=str(tmp_path)), tmp_path, 1)
    with pytest.raises(SettingError, match="ways is 0"):
        replace(told, ways=0)
    with pytest.raises(SettingError, match="beginnings is 0"):
        replace(told, beginnings=0)


def test_what_differs_does_not_mix(told: Rehearsal, tmp_path: Path):
    told = replace(told, beginnings=5)
    with pytest.raises(CheckpointError, match="nowhere"):
        rehearse(replace(told, model="nowhere"), tmp_path, 1)
    rehearse(told, tmp_path, 1)
    with pytest.raises(CheckpointError, match="drawn with another seed"):
        rehearse(replace(told, seed=6), tmp_path, 1)


def test_a_damaged_file_is_named(told: Rehearsal, tmp_path: Path):
    told = replace(told, beginnings=5)
    with pytest.raises(FormatError, match=r"rehearsal-00000\.arrow is damaged or missing"):
        read_groups(tmp_path, told, NAMES)
    chunk_path(tmp_path, 0).write_bytes(b"ARROW1 but no more")
    with pytest.raises(FormatError, match=r"rehearsal-00000\.arrow is damaged or missing"):
        read_groups(tmp_path, told, NAMES)
