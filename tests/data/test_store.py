from __future__ import annotations

import itertools
import json
import multiprocessing
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
from sketchgen.data.store import SPLITS, STORE_VERSION, Store, StoreWriter, new_store
from sketchgen.errors import FormatError
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
@given(rows.filter(bool), st.data())
def test_take_takes_in_the_order_asked_for(content, data):
    indices = data.draw(st.lists(st.integers(0, len(content) - 1), max_size=10))
    drawings = written(content)
    part = drawings.take(indices)
    assert [part.sketch(k) for k in range(len(part))] == [drawings.sketch(k) for k in indices]
    assert part.key.tolist() == indices


@settings(max_examples=60)
@given(rows, st.data())
def test_parts_make_up_the_whole_again(content, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=3)))
    drawings = written(content)
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


@pytest.mark.parametrize("most", [0, 1, BLOCK, BLOCK + 1, 5 * BLOCK + 16, 5 * BLOCK + 17, 10**9])
def test_the_first_drawings_are_those_with_the_smallest_keys(pristine: Path, whole: Drawings, most: int):
    found = Store.open(pristine).split("train").drawings(most)
    assert same(found, whole.take(np.arange(min(most, len(whole)))))


@settings(max_examples=15)
@given(st.integers(1, 3000))
def test_the_files_are_the_same_however_the_rows_come(step: int):
    drawings = many(2 * BLOCK + 300)
    with tempfile.TemporaryDirectory() as name:
        one = write(Path(name) / "one", {"train": drawings}, step=step)
        two = write(Path(name) / "two", {"train": drawings}, step=10**6)
        assert contents(one) == contents(two)


def test_opening_opens_no_shard(folder: Path):
    for file in folder.glob("*.arrow"):
        file.unlink()
    train = Store.open(folder).split("train")
    assert len(train) == 5 * BLOCK + 17
    assert train.block_sizes.sum() == len(train)


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_split_works_in_another_process(pristine: Path, method: str):
    if method not in multiprocessing.get_all_start_methods():
        method = "spawn"
    train = Store.open(pristine).split("train")
    here = train.read([1, 0])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        assert same(pool.submit(train.read, [1, 0]).result(timeout=60), here)


def test_a_split_is_sent_without_what_it_has_open(pristine: Path):
    train = Store.open(pristine).split("train")
    before = len(pickle.dumps(train))
    train.read(range(6))
    assert len(train._files.readers) == 3
    again = pickle.loads(pickle.dumps(train))
    assert len(pickle.dumps(train)) == before
    assert again == train
    assert again._files.readers == {}
    assert same(again.read([5]), train.read([5]))


def test_only_so_many_shards_are_open_at_a_time(
    pristine: Path, whole: Drawings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shards, "MAX_OPEN", 2)
    train = Store.open(pristine).split("train")
    for _ in range(2):
        for block in range(6):
            assert same(train.read([block]), whole.take(range(block * BLOCK, len(whole))[:BLOCK]))
            assert len(train._files.readers) <= 2


def test_writing_replaces_and_leaves_nothing_beside(folder: Path):
    (folder / "stray").write_text("from the store before")
    write(folder, {"train": many(3)})
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert sorted(path.name for path in folder.iterdir()) == ["store.json", "train-00000.arrow"]


def test_a_write_that_fails_leaves_the_store_before(folder: Path):
    before = contents(folder)

    def fail() -> None:
        with new_store(folder) as writer:
            writer.add("train", many(2000))
            writer.finish({"no": object()})

    with pytest.raises(TypeError):
        fail()
    assert contents(folder) == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_shard_cut_off_is_a_format_error(folder: Path, share: float):
    file = folder / "train-00001.arrow"
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    train = Store.open(folder).split("train")
    assert len(train.read([0, 1, 4, 5])) == 3 * BLOCK + 17
    with pytest.raises(FormatError, match=r"train-00001.arrow is damaged.*prepare the store again"):
        train.read([2])


def test_a_shard_cut_off_while_it_is_open_is_a_format_error(folder: Path):
    train = Store.open(folder).split("train")
    train.read([2])
    file = folder / "train-00001.arrow"
    with file.open("r+b") as stream:
        stream.truncate(100)
    with pytest.raises(FormatError, match=r"train-00001.arrow is damaged.*prepare the store again"):
        train.read([3])


def test_a_store_that_is_deleted_while_open_is_a_format_error(folder: Path):
    train = Store.open(folder).split("train")
    train.read([0])
    shutil.rmtree(folder)
    with pytest.raises(FormatError, match=r"train-00001.arrow is damaged or missing; prepare"):
        train.drawings()


def test_another_file_of_the_same_size_is_a_format_error(folder: Path):
    file = folder / "train-00001.arrow"
    size = file.stat().st_size
    (folder / "train-00002.arrow").rename(file)
    file.write_bytes(file.read_bytes()[:size].ljust(size, b"\0"))
    with pytest.raises(FormatError, match=r"train-00001.arrow .*prepare the store again"):
        Store.open(folder).split("train").read([2])


def listed(folder: Path, split: str, number: int, **changes) -> None:
    """Change what store.json says of a shard."""
    summary = json.loads((folder / "store.json").read_text())
    summary["shards"][split][number].update(changes)
    (folder / "store.json").write_text(json.dumps(summary))


@pytest.mark.parametrize(
    ("count", "words"),
    [(2 * BLOCK - 1, "blocks of other sizes"), (BLOCK, "not a shard"), (9999, "not a shard")],
)
def test_a_shard_with_another_count_is_a_format_error(folder: Path, count: int, words: str):
    listed(folder, "train", 0, drawings=count)
    with pytest.raises(FormatError, match=f"train-00000.arrow .*{words}.*prepare the store again"):
        Store.open(folder).split("train").drawings()


def planted(rows: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    number = SCHEMA.get_field_index(name)
    return rows.set_column(number, SCHEMA.field(number), values)


FAULTS = {
    "other lengths than there are points": ("stroke_lengths", [[2, 2], [3], [2]]),
    "other lengths": ("stroke_lengths", [[3, 0], [3], [2]]),
    "strokes of other": ("stroke_lengths", [[2, 1], [], [5]]),
    "without points": ("points", [[0, 0, 255, 1, 7, 7], [], [1, 2, 3, 4, 5, 6, 9, 9, 8, 8]]),
    "beyond the 3": ("category", [0, 3, 1]),
    "out of order": ("key", [0, 2, 2]),
    "another kind": ("category", [0, None, 1]),
}


@pytest.mark.parametrize("words", FAULTS)
def test_rows_that_contradict_themselves_are_a_format_error(tmp_path: Path, words: str):
    name, values = FAULTS[words]
    rows = planted(to_rows(written(ROWS)), name, pa.array(values, SCHEMA.field(name).type))
    if words == "without points":
        rows = planted(rows, "stroke_lengths", pa.array([[3], [], [5]], SCHEMA.field("stroke_lengths").type))
    folder = write(tmp_path / "store", {"train": written(ROWS)})
    file = folder / "train-00000.arrow"
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_batch(rows)
    listed(folder, "train", 0, bytes=file.stat().st_size)
    with pytest.raises(FormatError, match=f"train-00000.arrow holds .*{words}.*prepare the store again"):
        Store.open(folder).split("train").read([0])


def test_a_shard_of_another_schema_is_a_format_error(folder: Path):
    file = folder / "valid-00000.arrow"
    table = pa.table({"key": pa.array([1], pa.uint64())})
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    listed(folder, "valid", 0, bytes=file.stat().st_size)
    with pytest.raises(FormatError, match=r"valid-00000.arrow is not a shard"):
        Store.open(folder).split("valid").drawings()


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_byte_is_a_format_error_or_another_drawing(small: Path, data):
    """Whatever the damage, nothing but a FormatError comes up, and what is read can be used."""
    file = small / "train-00000.arrow"
    content = bytearray(file.read_bytes())
    pristine = bytes(content)
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    try:
        found = Store.open(small).split("train").drawings()
        assert [found.sketch(k) for k in range(len(found))]
    except FormatError as error:
        words = str(error)
    else:
        words = file.name
    finally:
        file.write_bytes(pristine)
    assert file.name in words


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("small") / "store", {"train": many(7)})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", json.dumps({"version": STORE_VERSION + 1}), "\x00"])
def test_a_foreign_summary_is_a_format_error(folder: Path, text: str):
    (folder / "store.json").write_text(text)
    with pytest.raises(FormatError, match=r"sketchgen prepare|prepare the store again") as caught:
        Store.open(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"shards": None},
        {"shards": {"train": [], "valid": []}},
        {
            "shards": {
                split: [{"file": "../train-00000.arrow", "drawings": 1, "bytes": 1}] for split in SPLITS
            }
        },
        {"shards": {split: [{"file": "train-00000.arrow", "drawings": 1.5, "bytes": 1}] for split in SPLITS}},
        {"shards": {split: [{"file": "train-00000.arrow", "bytes": 1}] for split in SPLITS}},
        {"categories": None},
        {"categories": [1, 2]},
        {"block": 7},
    ],
)
def test_a_summary_that_lists_no_shards_is_a_format_error(folder: Path, change: dict):
    summary = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps(summary | change))
    with pytest.raises(FormatError, match=r"store.json is damaged; prepare the store again"):
        Store.open(folder)


def test_a_store_of_the_version_before_names_the_remedy(folder: Path):
    (folder / "store.json").write_text(json.dumps({"version": 1, "categories": list(NAMES)}))
    with pytest.raises(FormatError, match="version 1, this program reads 2; prepare the store again"):
        Store.open(folder)


def test_a_folder_without_a_store_names_the_remedy(tmp_path: Path):
    with pytest.raises(FormatError, match="sketchgen prepare"):
        Store.open(tmp_path)


def test_no_other_splits(pristine: Path):
    with pytest.raises(FormatError, match="no split 'dev'"):
        Store.open(pristine).split("dev")


def test_a_store_may_be_empty(tmp_path: Path):
    tmp_path.joinpath("store").mkdir()
    StoreWriter(tmp_path / "store").finish(SUMMARY)
    assert len(Store.open(tmp_path / "store").split("train").drawings()) == 0
