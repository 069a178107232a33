from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import pickle
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.data import shards
from sketchgen.data.drawings import Drawings, from_lists, joined
from sketchgen.data.rows import SCHEMA, from_rows, to_rows
from sketchgen.data.shards import BLOCK
from sketchgen.data.store import SPLITS, Store, new_store
from sketchgen.errors import FormatError
from sketchgen.sketch.files import SUMS
from sketchgen.sketch.sketch import Sketch

pixel = st.integers(0, 255)
strokes = st.lists(st.lists(st.tuples(pixel, pixel), min_size=1, max_size=6), min_size=1, max_size=5)
rows = st.lists(st.tuples(st.integers(0, 2), strokes), max_size=8)

NAMES = ("a", "b", "c")
ROWS = [(0, [[(0, 0), (255, 1)], [(7, 7)]]), (2, [[(1, 2), (3, 4), (5, 6)]]), (1, [[(9, 9), (8, 8)]])]
SUMMARY = {"categories": list(NAMES)}


def written(content) -> Drawings:
    points = [np.array([point for part in parts for point in part], dtype=np.uint8) for _, parts in content]
    lengths = [[len(part) for part in parts] for _, parts in content]
    return from_lists([category for category, _ in content], range(len(content)), lengths, points, NAMES)


def sketches(content) -> list[Sketch]:
    return [Sketch.from_strokes(parts, category=NAMES[category]) for category, parts in content]


def many(count: int) -> Drawings:
    """So many different drawings, with keys in order."""
    random = np.random.default_rng(0)
    drawings = written(ROWS).take(random.integers(0, 3, count))
    return replace(drawings, key=np.arange(count, dtype=np.uint64) * np.uint64(2**40))


def same(one: Drawings, two: Drawings) -> bool:
    return one.categories == two.categories and all(
        np.array_equal(value, vars(two)[name]) for name, value in vars(one).items() if name != "categories"
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def write(out: Path, parts: dict[str, Drawings], shard_blocks: int = 2, step: int = 700) -> Path:
    """A store of some drawings, added `step` at a time."""
    with new_store(out, shard_blocks) as writer:
        for split, drawings in parts.items():
            for first in range(0, len(drawings), step):
                last = min(first + step, len(drawings))
                writer.add(split, drawings.between(first, last))
        writer.finish(SUMMARY)
    return out


@pytest.fixture(scope="module")
def whole() -> Drawings:
    return many(5 * BLOCK + 17)


@pytest.fixture(scope="module")
def pristine(whole: Drawings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards of training drawings, one of validation drawings, none to test with."""
    return write(tmp_path_factory.mktemp("pristine") / "store", {"train": whole, "valid": many(9)})


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return shutil.copytree(pristine, tmp_path / "store")


@settings(max_examples=60)
@given(rows)
def test_rows_give_back_every_drawing(content):
    drawings = from_rows(to_rows(written(content)), NAMES)
    assert len(drawings) == len(content)
    assert [drawings.sketch(k) for k in range(len(content))] == sketches(content)
    assert drawings.lengths.sum() == len(drawings.points) == len(drawings.lift)
    assert drawings.lift.sum() == sum(len(parts) for _, parts in content)


@settings(max_examples=60)
@given(rows, st.data())
def test_parts_are_what_was_asked_for_and_make_up_the_whole(content, data):
    drawings = written(content)
    indices = data.draw(st.lists(st.integers(0, len(content) - 1), max_size=10)) if content else []
    part = drawings.take(indices)
    assert [part.sketch(k) for k in range(len(part))] == [drawings.sketch(k) for k in indices]
    assert part.key.tolist() == indices
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=3)))
    edges = list(itertools.pairwise([0, *cuts, len(content)]))
    parts = [drawings.between(low, high) for low, high in edges]
    for (low, high), part in zip(edges, parts, strict=True):
        assert same(part, drawings.take(np.arange(low, high)))
    assert same(joined(parts, NAMES), drawings)
    sliced = [to_rows(drawings).slice(low, high - low) for low, high in edges]
    assert same(joined([from_rows(part, NAMES) for part in sliced], NAMES), drawings)


def test_a_store_on_disk_gives_back_its_splits(pristine: Path, whole: Drawings):
    store = Store.open(pristine)
    assert store.categories == list(NAMES)
    assert [len(store.split(split)) for split in SPLITS] == [len(whole), 9, 0]
    assert same(store.split("train").drawings(), whole)
    assert same(store.split("valid").drawings(), many(9))
    empty = store.split("test").drawings()
    assert len(empty) == 0
    assert empty.categories == NAMES


def test_blocks_are_full_but_the_last_and_come_in_any_order(pristine: Path, whole: Drawings):
    train = Store.open(pristine).split("train")
    assert [shard.blocks for shard in train.shards] == [2, 2, 2]
    assert train.block_sizes.tolist() == [BLOCK] * 5 + [17]
    assert len(Store.open(pristine).split("test").block_sizes) == 0
    picked = [4, 0, 5, 4]
    indices = np.concatenate([np.arange(k * BLOCK, min(len(whole), (k + 1) * BLOCK)) for k in picked])
    assert same(train.read(picked), whole.take(indices))
    assert len(train.read([])) == 0
    for wrong in (-1, 6):
        with pytest.raises(IndexError):
            train.read([wrong])


@pytest.mark.parametrize("limit", [0, 1, BLOCK, BLOCK + 1, 5 * BLOCK + 16, 10**9])
def test_the_first_drawings_are_those_with_the_smallest_keys(pristine: Path, whole: Drawings, limit: int):
    found = Store.open(pristine).split("train").drawings(limit)
    assert same(found, whole.take(np.arange(min(limit, len(whole)))))


@pytest.mark.parametrize("index", [0, BLOCK - 1, BLOCK, 5 * BLOCK + 16])
def test_a_drawing_is_found_by_its_key(pristine: Path, whole: Drawings, index: int):
    train = Store.open(pristine).split("train")
    key = int(whole.key[index])
    assert same(train.find(key), whole.take([index]))
    assert len(train.find(key + 1)) == 0


@settings(max_examples=8)
@given(st.integers(1, 3000))
def test_the_files_are_the_same_however_the_rows_come(step: int):
    drawings = many(2 * BLOCK + 300)
    with tempfile.TemporaryDirectory() as name:
        one = write(Path(name) / "one", {"train": drawings}, step=step)
        two = write(Path(name) / "two", {"train": drawings}, step=10**6)
        assert contents(one) == contents(two)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_opens_its_own_files(pristine: Path):
    train = Store.open(pristine).split("train")
    here = train.read([1, 0])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        assert same(pool.submit(train.read, [1, 0]).result(timeout=60), here)


def test_few_shards_are_open_and_none_is_sent(
    pristine: Path, whole: Drawings, monkeypatch: pytest.MonkeyPatch
):
    train = Store.open(pristine).split("train")
    before = len(pickle.dumps(train))
    train.read(range(6))
    assert len(train._files.readers) == 3
    again = pickle.loads(pickle.dumps(train))
    assert len(pickle.dumps(train)) == before
    assert again == train
    assert again._files.readers == {}
    monkeypatch.setattr(shards, "MAX_OPEN", 2)
    for block in [*range(6), *range(6)]:
        assert same(again.read([block]), whole.take(range(block * BLOCK, len(whole))[:BLOCK]))
        assert len(again._files.readers) <= 2


def test_writing_replaces_all_or_nothing(folder: Path):
    (folder / "stray").write_text("from the store before")
    before = contents(folder)
    with pytest.raises(KeyError):
        write(folder, {"train": many(2000), "dev": many(3)})
    assert contents(folder) == before
    write(folder, {"train": many(3)})
    assert set(contents(folder)) == {"SHA256SUMS", "store.json", "train-00000.arrow"}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_shard_is_a_format_error(folder: Path, share: float):
    file = folder / "train-00001.arrow"
    before = Store.open(folder).split("train")
    before.read([0, 2])
    os.truncate(file, int(share * file.stat().st_size))
    train = Store.open(folder).split("train")
    assert len(train.read([0, 1, 4, 5])) == 3 * BLOCK + 17
    # Also where it was mapped before.
    for split in (train, before):
        with pytest.raises(FormatError, match=r"train-00001.arrow is damaged.*prepare the store again"):
            split.read([2])
    size = Store.open(folder).split("train").shards[1].bytes
    file.write_bytes((folder / "train-00002.arrow").read_bytes()[:size].ljust(size, b"\0"))
    with pytest.raises(FormatError, match=r"train-00001.arrow .*prepare the store again"):
        Store.open(folder).split("train").read([2])
    shutil.rmtree(folder)
    with pytest.raises(FormatError, match=r"train-00001.arrow is damaged or missing; prepare"):
        train.read([3])


def listed(folder: Path, split: str, number: int, **changes) -> None:
    """Change what store.json says of a shard."""
    summary = json.loads((folder / "store.json").read_text())
    summary["shards"][split][number].update(changes)
    (folder / "store.json").write_text(json.dumps(summary))
    (folder / SUMS).unlink(missing_ok=True)


def replace_shard(folder: Path, rows: pa.RecordBatch) -> None:
    """Write the first training shard anew, and list its size."""
    file = folder / "train-00000.arrow"
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_batch(rows)
    listed(folder, "train", 0, bytes=file.stat().st_size)


FAULTS = {
    "other lengths than there are points": {"stroke_lengths": [[2, 2], [3], [2]]},
    "other lengths": {"stroke_lengths": [[3, 0], [3], [2]]},
    "strokes of other": {"stroke_lengths": [[2, 1], [], [5]]},
    "without points": {"stroke_lengths": [[3], [], [5]], "points": [[0, 0, 5, 1, 7, 7], [], [*range(10)]]},
    "beyond the 3": {"category": [0, 3, 1]},
    "out of order": {"key": [0, 2, 2]},
    "another kind": {"category": [0, None, 1]},
}


@pytest.mark.parametrize("words", FAULTS)
def test_rows_that_contradict_themselves_are_a_format_error(tmp_path: Path, words: str):
    columns = to_rows(written(ROWS)).to_pydict() | FAULTS[words]
    folder = write(tmp_path / "store", {"train": written(ROWS)})
    replace_shard(folder, pa.RecordBatch.from_pydict(columns, SCHEMA))
    with pytest.raises(FormatError, match=f"train-00000.arrow holds .*{words}.*prepare the store again"):
        Store.open(folder).split("train").read([0])


def test_a_shard_that_is_another_is_a_format_error(folder: Path):
    for count, words in ((2 * BLOCK - 1, "holds blocks of other sizes"), (BLOCK, "is not a shard")):
        listed(folder, "train", 0, drawings=count)
        with pytest.raises(FormatError, match=f"train-00000.arrow {words}.*prepare the store again"):
            Store.open(folder).split("train").drawings()
    replace_shard(folder, pa.RecordBatch.from_pydict({"key": [1]}))
    with pytest.raises(FormatError, match=r"train-00000.arrow is not a shard"):
        Store.open(folder).split("train").drawings()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    folder = write(tmp_path_factory.mktemp("small") / "store", {"train": many(7)})
    return folder, (folder / "train-00000.arrow").read_bytes()


@settings(max_examples=80)
@given(st.data())
def test_a_damaged_byte_is_a_format_error_or_another_drawing(small: tuple[Path, bytes], data):
    folder, content = small[0], bytearray(small[1])
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / "train-00000.arrow").write_bytes(content)
    try:
        found = Store.open(folder).split("train").drawings()
        assert [found.sketch(k) for k in range(len(found))]
    except FormatError as error:
        assert "train-00000.arrow" in str(error)  # noqa: PT017


SHARD = {"file": "train-00000.arrow", "drawings": 1, "bytes": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("", "sketchgen prepare"),
        ("\x00", "sketchgen prepare"),
        ("[]", "prepare the store again"),
        ({"version": 1}, "version 1, this program reads 2; prepare the store again"),
        ({"shards": None}, "damaged"),
        ({"shards": {"train": [], "valid": []}}, "damaged"),
        ({"shards": {key: [SHARD | {"file": "../train-00000.arrow"}] for key in SPLITS}}, "damaged"),
        ({"shards": {key: [SHARD | {"drawings": 1.5}] for key in SPLITS}}, "damaged"),
        ({"shards": {"train": [{"file": SHARD["file"], "bytes": 1}], "valid": [], "test": []}}, "damaged"),
        ({"categories": None}, "damaged"),
        ({"categories": [1, 2]}, "damaged"),
        ({"block": 7}, "store.json is damaged; prepare the store again"),
    ],
)
def test_a_damaged_summary_is_a_format_error(folder: Path, change: dict | str, words: str):
    for file in folder.glob("*.arrow"):
        file.unlink()
    # No shard is opened before it is read.
    assert Store.open(folder).split("train").block_sizes.sum() == 5 * BLOCK + 17
    with pytest.raises(FormatError, match="no split 'dev'"):
        Store.open(folder).split("dev")
    summary = json.loads((folder / "store.json").read_text())
    text = change if isinstance(change, str) else json.dumps(summary | change)
    (folder / "store.json").write_text(text)
    with pytest.raises(FormatError, match=words) as caught:
        Store.open(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["store.json", "train-00000.arrow", "train-00002.arrow"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_flipped_bit_anywhere_names_the_file(folder: Path, name: str, share: float):
    data = bytearray((folder / name).read_bytes())
    data[int(share * len(data))] ^= 4
    (folder / name).write_bytes(data)
    words = rf"({name}|is not a prepared store|is a store of version).*prepare"
    with pytest.raises(FormatError, match=words):
        [Store.open(folder).split(split).drawings() for split in SPLITS]


def test_a_shard_s_checksum_is_checked_once_and_older_stores_have_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    checked: list[str] = []
    plain = shards.has_sum
    monkeypatch.setattr(shards, "has_sum", lambda path: checked.append(path.name) or plain(path))
    train = Store.open(folder).split("train")
    train.read([0, 1, 2, 0, 1])
    assert checked == ["train-00000.arrow", "train-00001.arrow"]
    (folder / SUMS).unlink()
    assert len(Store.open(folder).split("train").drawings()) == 5 * BLOCK + 17


@pytest.mark.parametrize("count", [2**53, 2**63, -1, True, 1.0, "1"])
def test_a_number_of_drawings_that_no_file_holds_is_not_believed(folder: Path, count: object):
    listed(folder, "train", 0, drawings=count)
    with pytest.raises(FormatError, match=r"store\.json is damaged"):
        Store.open(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[]", "null", "", "\xff", "{"])
def test_a_store_of_any_other_json_is_refused(folder: Path, text: str):
    (folder / "store.json").write_text(text, encoding="latin-1")
    with pytest.raises(FormatError, match=r"is not a prepared store|is a store of version None"):
        Store.open(folder)
