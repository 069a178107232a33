from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.data.store import SPLITS, STORE_VERSION, Store, TableWriter, from_table, write_store
from sketchgen.drawing.sketch import Sketch
from sketchgen.errors import FormatError

pixel = st.integers(0, 255)
strokes = st.lists(st.lists(st.tuples(pixel, pixel), min_size=1, max_size=6), min_size=1, max_size=5)
rows = st.lists(st.tuples(st.integers(0, 2), strokes), max_size=8)

NAMES = ("a", "b", "c")
ROWS = [(0, [[(0, 0), (255, 1)], [(7, 7)]]), (2, [[(1, 2), (3, 4), (5, 6)]]), (1, [[(9, 9), (8, 8)]])]


def written(content) -> TableWriter:
    writer = TableWriter()
    for key, (category, parts) in enumerate(content):
        points = np.array([point for part in parts for point in part], dtype=np.uint8)
        writer.add(category, key, [len(part) for part in parts], points)
    return writer


def sketches(content) -> list[Sketch]:
    return [Sketch.from_strokes(parts, category=NAMES[category]) for category, parts in content]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    summary = {"version": STORE_VERSION, "categories": list(NAMES)}
    tables = {split: written(ROWS[k:]).table() for k, split in enumerate(SPLITS)}
    write_store(tmp_path / "store", tables, summary)
    return tmp_path / "store"


@settings(max_examples=60)
@given(rows)
def test_a_table_gives_back_every_drawing(content):
    drawings = from_table(written(content).table(), NAMES)
    assert len(drawings) == len(content)
    assert [drawings.sketch(k) for k in range(len(content))] == sketches(content)
    assert drawings.lengths.sum() == len(drawings.points) == len(drawings.lift)
    assert drawings.lift.sum() == sum(len(parts) for _, parts in content)


@settings(max_examples=60)
@given(rows.filter(bool), st.data())
def test_take_takes_in_the_order_asked_for(content, data):
    indices = data.draw(st.lists(st.integers(0, len(content) - 1), max_size=10))
    drawings = from_table(written(content).table(), NAMES)
    part = drawings.take(indices)
    assert [part.sketch(k) for k in range(len(part))] == [drawings.sketch(k) for k in indices]
    assert part.key.tolist() == indices


def test_a_store_on_disk_gives_back_its_splits(folder: Path):
    store = Store.open(folder)
    assert store.categories == list(NAMES)
    for k, split in enumerate(SPLITS):
        drawings = store.split(split)
        assert [drawings.sketch(j) for j in range(len(drawings))] == sketches(ROWS[k:])


def test_the_points_are_mapped_not_copied(folder: Path):
    assert not Store.open(folder).split("train").points.flags.owndata


def test_writing_replaces_and_leaves_nothing_beside(folder: Path):
    (folder / "stray").write_text("from the store before")
    write_store(folder, {"train": written([]).table()}, {"version": STORE_VERSION, "categories": []})
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert sorted(path.name for path in folder.iterdir()) == ["store.json", "train.arrow"]


def test_a_write_that_fails_leaves_the_store_before(folder: Path):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(TypeError):
        write_store(folder, {}, {"no": object()})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_split_is_a_format_error(folder: Path, share: float):
    file = folder / "train.arrow"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(FormatError, match="damaged or missing"):
        Store.open(folder).split("train")


def test_a_missing_or_foreign_split_is_a_format_error(folder: Path):
    (folder / "valid.arrow").unlink()
    (folder / "test.arrow").write_bytes(b"nothing of the kind" * 100)
    store = Store.open(folder)
    for split in ("valid", "test"):
        with pytest.raises(FormatError, match="damaged or missing"):
            store.split(split)
    with pytest.raises(FormatError, match="no split 'dev'"):
        store.split("dev")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", json.dumps({"version": STORE_VERSION + 1}), "\x00"])
def test_a_foreign_summary_is_a_format_error(folder: Path, text: str):
    (folder / "store.json").write_text(text)
    with pytest.raises(FormatError) as caught:
        Store.open(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_store_names_the_remedy(tmp_path: Path):
    with pytest.raises(FormatError, match="sketchgen prepare"):
        Store.open(tmp_path)
