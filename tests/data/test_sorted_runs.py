from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.data import sorted_runs
from sketchgen.data.drawings import Drawings, from_lists, joined
from sketchgen.data.selection import SPLITS
from sketchgen.data.sorted_runs import CategoryLimit, RunWriter, Statistics, range_edges, read_ranges


def random_drawings(count: int, names: list[str], seed: int) -> Drawings:
    random = np.random.default_rng(seed)
    lengths = [[int(length) for length in random.integers(1, 9, random.integers(1, 4))] for _ in range(count)]
    points = [random.integers(0, 256, (sum(each), 2), dtype=np.uint8) for each in lengths]
    keys = random.integers(0, 2**64, count, dtype=np.uint64).tolist()
    return from_lists(random.integers(0, len(names), count).tolist(), keys, lengths, points, names)


@pytest.mark.parametrize("ranges", [1, 2, 7, 4096])
def test_ranges_cover_all_keys_evenly(ranges: int):
    edges = range_edges(ranges)
    assert len(edges) == ranges - 1
    keys = np.random.default_rng(0).integers(0, 2**64, 10_000, dtype=np.uint64)
    numbers = np.searchsorted(edges, keys, side="right")
    assert numbers.max() < ranges
    assert ranges > 7 or np.bincount(numbers, minlength=ranges).min() > 8000 / ranges


@pytest.mark.parametrize("range_bytes", [50, 10**6])
def test_runs_give_back_all_drawings_range_by_range(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, range_bytes: int
):
    monkeypatch.setattr(sorted_runs, "RANGE_BYTES", range_bytes)
    monkeypatch.setattr(sorted_runs, "MAX_BUFFERED_POINTS", 300)
    one, two = random_drawings(90, ["dog", "cat"], 0), random_drawings(20, ["owl", "dog"], 1)
    runs = []
    for stem, drawings in (("0", one), ("1", two)):
        writer = RunWriter(tmp_path, stem, 7)
        for first in range(0, len(drawings), 10):
            writer.add(drawings.between(first, first + 10))
        writer.flush()
        runs += writer.runs
    assert len(runs) > 2
    names = ["cat", "dog", "owl"]
    ranges, sizes = zip(*read_ranges(runs, names), strict=True)
    assert (len(ranges) == 1) == (range_bytes == 10**6)
    assert sum(sizes) == sum(path.stat().st_size for path in tmp_path.iterdir())
    for low, high in itertools.pairwise(ranges):
        assert not len(low) or not len(high) or low.key.max() < high.key.min()
    found = joined(ranges, names)
    found = found.take(np.argsort(found.key))
    both = joined([replace(part, category=part.known_as(names)) for part in (one, two)], names)
    both = both.take(np.argsort(both.key))
    for name in ("category", "key", "start", "points", "lift"):
        assert np.array_equal(vars(found)[name], vars(both)[name])


@settings(max_examples=100)
@given(st.lists(st.lists(st.integers(0, 3), max_size=10), max_size=6), st.integers(1, 8))
def test_a_limit_keeps_the_first_of_each_category(parts: list[list[int]], maximum: int):
    limit, kept, expected = CategoryLimit(maximum, 4), list[tuple[int, int]](), list[tuple[int, int]]()
    seen = [0] * 4
    for number, part in enumerate(parts):
        kept += [(number, int(index)) for index in limit.keep(np.array(part, dtype=np.int64))]
        for index, category in enumerate(part):
            seen[category] += 1
            if seen[category] <= maximum:
                expected.append((number, index))
    assert kept == expected
    assert limit.dropped == sum(seen) - len(kept)


def test_statistics_are_those_of_numpy_however_the_drawings_come():
    drawings = random_drawings(300, ["cat", "dog"], 2)
    statistics = Statistics(["cat", "dog"])
    for first in range(0, 200, 50):
        statistics.add("train", drawings.between(first, first + 50))
    statistics.add("valid", drawings.between(200, 300))
    summary, lengths = statistics.summary(), drawings.lengths
    assert statistics.kept == dict(zip(SPLITS, (200, 100, 0), strict=True))
    assert summary["by_category"] == dict(zip(["cat", "dog"], np.bincount(drawings.category), strict=True))
    assert summary["points"]["mean"] == lengths.mean()
    assert summary["points"]["max"] == lengths.max()
    steps = [np.diff(drawings.sketch(k).points, axis=0) for k in range(200)]
    assert summary["offset_deviation"] == pytest.approx(np.concatenate(steps).std())
    for share in [0.95, *np.linspace(0, 1, 30)]:
        assert statistics._quantile(share) == pytest.approx(np.quantile(lengths, share), rel=1e-12)
