"""Sharing the work out changes nothing: not where files are cut, nor how many processes read."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sketchgen
from sketchgen.data import prepare as preparing
from sketchgen.data import spill, tasks
from sketchgen.data.merge import Cap, Statistics
from sketchgen.data.prepare import prepare
from sketchgen.data.rules import SPLITS, TRAINING_ONLY, TWICE, UNREADABLE, Wanted, split_numbers, split_of
from sketchgen.data.sources import line_blocks
from sketchgen.data.store import Store
from sketchgen.data.tasks import Piece, pieces_of, tasks_of
from sketchgen.errors import FormatError, OutputError, SettingError


def lines(word: str, count: int) -> bytes:
    """Drawings that differ, as lines of different lengths."""
    return b"".join(
        b'{"word":"%s","drawing":[[[0,255,%d],[0,%d,100]]]}\n' % (word.encode(), k % 256, k // 256)
        for k in range(count)
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def many_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Input of any size is shared out, in tiny tasks, into small ranges of keys and small shards."""
    monkeypatch.setattr(preparing, "SMALL_BYTES", 0)
    monkeypatch.setattr(preparing, "tasks_of", lambda files, **only: tasks_of(files, 3000, **only))
    monkeypatch.setattr(preparing, "ranges_for", lambda found: 7)


@settings(max_examples=100)
@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 60), st.booleans())
def test_pieces_are_whole_lines_and_make_up_the_file(sizes: list[int], most: int, ended: bool):
    text = b"\n".join(b"x" * size for size in sizes) + b"\n" * ended
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.ndjson"
        file.write_bytes(text)
        pieces = list(pieces_of(file, most))
    parts = [text[piece.first : piece.first + piece.size] for piece in pieces]
    assert b"".join(parts) == text
    assert all(part.endswith(b"\n") for part in parts[:-1])
    # As small as lines allow: without its last line, a piece is not yet full.
    assert all(len(part[:-1].rpartition(b"\n")[0]) < most for part in parts)


def test_small_files_are_put_together_and_large_ones_cut(tmp_path: Path):
    sizes = {"a": 10, "b": 2000, "c": 30, "d": 40}
    for name, count in sizes.items():
        (tmp_path / f"{name}.ndjson").write_bytes(lines(name, count))
    (tmp_path / "e.ndjson.gz").write_bytes(os.urandom(9000))
    found = tasks_of(sorted(tmp_path.iterdir()), 8000)
    names = [[piece.file.name[0] for piece in task] for task in found]
    assert names[0] == ["a"]
    # The last of the large file still has room for small ones.
    assert names[-2:] == [["b", "c", "d"], ["e"]]
    assert len([task for task in names if task == ["b"]]) > 5
    assert [piece.whole for task in found for piece in task if piece.file.suffix == ".gz"] == [True]


def test_pictures_weigh_more_than_their_bytes(tmp_path: Path):
    for number in range(40):
        (tmp_path / f"{number}.svg").write_text("<svg/>")
    assert len(tasks_of(sorted(tmp_path.iterdir()), 10 * tasks.PICTURE_BYTES)) == 4


@settings(max_examples=200)
@given(st.lists(st.integers(0, 12), max_size=12), st.integers(1, 9), st.integers(2, 14), st.booleans())
def test_blocks_hold_every_line_but_those_too_long(sizes: list[int], block: int, most: int, ended: bool):
    text = b"\n".join(b"x" * size for size in sizes) + b"\n" * ended
    found: list[bytes] = []
    for part in line_blocks(BytesIO(text), len(text), most, block):
        found += part.split(b"\n")[:-1] if part else [b"too long"]
    expected = text.split(b"\n")
    expected = expected[:-1] if not expected[-1] else expected
    assert found == [line if len(line) < most else b"too long" for line in expected]


def test_no_more_is_read_than_the_piece(tmp_path: Path):
    text = lines("cat", 50)
    assert b"".join(line_blocks(BytesIO(text), text.index(b"\n") + 1)) == text[: text.index(b"\n") + 1]


@pytest.mark.usefixtures("many_tasks")
def test_the_store_is_the_same_whatever_the_jobs_order_and_cuts(
    sample_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    files = [sample_dir / f"{name}.ndjson" for name in ("cat", "sun", "house")]
    prepare(files, tmp_path / "one")
    prepare(files[::-1], tmp_path / "two", jobs=2)
    monkeypatch.undo()
    prepare(files, tmp_path / "three")
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(tmp_path / "three")


@pytest.mark.usefixtures("many_tasks")
@pytest.mark.parametrize("jobs", [1, 2])
def test_faults_are_named_by_their_lines_in_the_whole_file(tmp_path: Path, jobs: int):
    text = lines("cat", 400).splitlines(keepends=True)
    for number in (3, 150, 151, 399):
        text[number] = b"{\n"
    text[200] = b"\n"
    (tmp_path / "cat.ndjson").write_bytes(b"".join(text))
    (tmp_path / "dog.ndjson").write_bytes(lines("dog", 9) + b"{\n")
    report = prepare([tmp_path / "dog.ndjson", tmp_path / "cat.ndjson"], tmp_path / "store", jobs=jobs)
    expected = ["dog.ndjson, line 10", *(f"cat.ndjson, line {number + 1}" for number in (3, 150, 151, 399))]
    assert [fault.split(" is not")[0].split(" holds")[0] for fault in report.faults] == expected
    assert report.dropped == {UNREADABLE: 5}


@pytest.mark.usefixtures("many_tasks")
def test_the_first_faults_of_all_are_named(tmp_path: Path):
    (tmp_path / "cat.ndjson").write_bytes(
        b"".join(b"{\n" + line for line in lines("cat", 200).splitlines(True))
    )
    report = prepare([tmp_path], tmp_path / "store")
    assert report.dropped == {UNREADABLE: 200}
    assert [fault.split(" is")[0] for fault in report.faults] == [
        f"cat.ndjson, line {2 * k + 1}" for k in range(20)
    ]


@pytest.mark.usefixtures("many_tasks")
def test_the_same_drawing_in_two_files_is_one(tmp_path: Path):
    (tmp_path / "a.ndjson").write_bytes(lines("cat", 300))
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(lines("cat", 250)))
    report = prepare([tmp_path], tmp_path / "store")
    assert sum(report.kept.values()) == 300
    assert report.dropped == {TWICE: 250}


@pytest.mark.usefixtures("many_tasks")
@pytest.mark.parametrize("jobs", [1, 2])
def test_sources_for_training_only_never_reach_the_other_splits(tmp_path: Path, jobs: int):
    (tmp_path / "people.ndjson").write_bytes(lines("cat", 400))
    (tmp_path / "sampled.ndjson").write_bytes(lines("cat", 400).replace(b"255,", b"254,"))
    people, sampled = [tmp_path / "people.ndjson"], [tmp_path / "sampled.ndjson"]
    alone = prepare(people, tmp_path / "alone", jobs=jobs)
    everything = prepare([*people, *sampled], tmp_path / "all", jobs=jobs)
    report = prepare(people, tmp_path / "store", training_only=sampled, jobs=jobs)
    assert {split: report.kept[split] for split in ("valid", "test")} == {
        split: alone.kept[split] for split in ("valid", "test")
    }
    assert report.kept["train"] == everything.kept["train"] > alone.kept["train"]
    left_out = sum(everything.kept.values()) - sum(report.kept.values())
    assert report.dropped == {TRAINING_ONLY: left_out}
    assert left_out > 10


@pytest.mark.usefixtures("many_tasks")
def test_a_cap_counts_on_from_range_to_range(tmp_path: Path):
    source = tmp_path / "a.ndjson"
    source.write_bytes(lines("cat", 300) + lines("dog", 40))
    prepare([source], tmp_path / "all")
    report = prepare([source], tmp_path / "some", Wanted(most=100))
    assert report.statistics["by_category"] == {"cat": 100, "dog": 40}
    assert report.dropped == {"beyond 100 of their category": 200}

    def keys(store: Path) -> list[int]:
        parts = [Store.open(store).split(split).drawings() for split in SPLITS]
        return sorted(int(key) for part in parts for key in part.key[part.category == 0])

    assert keys(tmp_path / "some") == keys(tmp_path / "all")[:100]


@settings(max_examples=100)
@given(st.lists(st.lists(st.integers(0, 3), max_size=10), max_size=6), st.integers(1, 8))
def test_a_cap_keeps_the_first_of_each(parts: list[list[int]], most: int):
    cap, kept = Cap(most, 4), list[int]()
    for part in parts:
        category = np.array(part, dtype=np.int64)
        kept += category[cap.kept(category)].tolist()
    counts = np.bincount([each for part in parts for each in part], minlength=4)
    assert np.bincount(kept, minlength=4).tolist() == np.minimum(counts, most).tolist()
    assert cap.dropped == counts.sum() - len(kept)


def test_statistics_are_those_of_numpy(sample_dir: Path, tmp_path: Path):
    prepare([sample_dir], tmp_path / "store")
    store = Store.open(tmp_path / "store")
    parts = [store.split(split).drawings() for split in SPLITS]
    statistics = Statistics(store.categories)
    for split, part in zip(SPLITS, parts, strict=True):
        for first in range(0, len(part), 50):
            statistics.add(split, part.between(first, min(first + 50, len(part))))
    assert statistics.figures() == store.summary["statistics"]
    lengths = np.concatenate([part.lengths for part in parts])
    points = store.summary["statistics"]["points"]
    assert points["mean"] == lengths.mean()
    assert points["p95"] == pytest.approx(np.quantile(lengths, 0.95), rel=1e-12)
    for share in np.linspace(0, 1, 30):
        assert statistics._quantile(share) == pytest.approx(np.quantile(lengths, share), rel=1e-12)


def test_keys_decide_the_split_alone_and_by_many_at_once():
    keys = np.random.default_rng(0).integers(0, 2**64, 1000, dtype=np.uint64)
    names = [SPLITS[number] for number in split_numbers(keys)]
    assert names == [split_of(int(key)) for key in keys]
    expected = ["train" if key % 100 < 90 else "valid" if key % 100 < 95 else "test" for key in keys.tolist()]
    assert names == expected


@pytest.mark.parametrize("ranges", [1, 2, 7, 4096])
def test_ranges_cover_all_keys_evenly(ranges: int):
    edges = spill.range_edges(ranges)
    assert len(edges) == ranges - 1
    keys = np.random.default_rng(0).integers(0, 2**64, 10_000, dtype=np.uint64)
    numbers = np.searchsorted(edges, keys, side="right")
    assert numbers.max() < ranges
    assert ranges > 7 or np.bincount(numbers, minlength=ranges).min() > 8000 / ranges


def test_jobs_are_one_or_more(sample_dir: Path, tmp_path: Path):
    with pytest.raises(SettingError, match="jobs is 0; it must be 1 or more"):
        prepare([sample_dir], tmp_path / "store", jobs=0)


@pytest.mark.usefixtures("many_tasks")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_cannot_be_read_is_named_and_leaves_nothing(tmp_path: Path, jobs: int):
    (tmp_path / "a.ndjson").write_bytes(lines("cat", 300))
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(lines("cat", 3000))[:-300])
    with pytest.raises(FormatError, match=r"b.ndjson.gz cannot be read"):
        prepare([tmp_path], tmp_path / "out" / "store", jobs=jobs)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk here")
@pytest.mark.usefixtures("many_tasks")
@pytest.mark.parametrize("file", ["0-0", "train-00000.arrow"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    sample_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
):
    real = preparing._gathered

    def full(found, wanted, folder: Path, *rest):
        place = folder / file if file == "0-0" else folder.parent / file
        place.symlink_to("/dev/full")
        return real(found, wanted, folder, *rest)

    monkeypatch.setattr(preparing, "_gathered", full)
    out = tmp_path / "out" / "store"
    with pytest.raises(OutputError, match="store cannot be written: no space left on the disk"):
        prepare([sample_dir], out)
    assert list(out.parent.iterdir()) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupting_leaves_nothing(tmp_path: Path, jobs: int):
    source, out = tmp_path / "cat.ndjson", tmp_path / "out"
    with source.open("wb") as file:
        for number in range(60):
            file.write(lines(f"cat {number}", 10_000))
    out.mkdir()
    command = [sys.executable, "-m", "sketchgen", "prepare", str(source), "-o", str(out / "store")]
    env = {**os.environ, "PYTHONPATH": str(Path(sketchgen.__file__).parents[1])}
    process = subprocess.Popen(
        [*command, "--jobs", str(jobs)],
        stderr=subprocess.PIPE,
        env=env,
        start_new_session=True,
        # Tests that run in the background may have been told to ignore it, and hand that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(1000):
        if list(out.glob(".store.*/sorted/*")):
            break
        time.sleep(0.02)
    # As Ctrl-C does it: to all processes of the group.
    os.killpg(process.pid, signal.SIGINT)
    words = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert words.splitlines()[-1] == "sketchgen: error: interrupted"
    assert "Traceback" not in words
    assert list(out.iterdir()) == []


def test_a_worker_that_dies_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.ndjson").write_bytes(lines("cat", 300))
    monkeypatch.setattr(preparing, "SMALL_BYTES", 0)
    monkeypatch.setattr(preparing, "tasks_of", lambda files, **only: tasks_of(files, 3000, **only))
    monkeypatch.setattr(preparing, "gather", die)
    with pytest.raises(OutputError, match="--jobs 1"):
        prepare([tmp_path / "a.ndjson"], tmp_path / "out" / "store", jobs=2)
    assert list((tmp_path / "out").iterdir()) == []


def die(*call: object) -> None:
    os._exit(9)


def test_more_categories_than_a_store_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sketchgen.data.gather.MAX_CATEGORIES", 5)
    text = b"".join(lines(f"cat {number}", 2) for number in range(6))
    (tmp_path / "a.ndjson").write_bytes(text)
    with pytest.raises(FormatError, match="more than 5 categories; take some of them with --category"):
        prepare([tmp_path / "a.ndjson"], tmp_path / "store")


def test_a_piece_is_a_file_or_a_part_of_one(tmp_path: Path):
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"")
    assert list(pieces_of(file)) == [Piece(file, 0, 0, whole=True)]
    with pytest.raises(FormatError, match="cannot be read"):
        list(pieces_of(tmp_path / "gone.ndjson"))
