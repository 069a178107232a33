from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sketchgen.data.prepare import prepare, read_drawings
from sketchgen.data.rules import MAX_POINTS, drawing_key, split_of
from sketchgen.data.store import SPLITS, Store
from sketchgen.errors import FormatError, OutputError
from sketchgen.formats.quickdraw import parse_line
from sketchgen.sketch.sketch import Sketch

GOOD = {"word": "cat", "drawing": [[[0, 255], [0, 9]], [[5, 5, 7], [1, 2, 3]]]}


def line(**changes) -> str:
    return json.dumps({**GOOD, **changes}) + "\n"


def splits(store: Path) -> dict[int, str]:
    """The split of every drawing by its key."""
    opened = Store.open(store)
    return {int(key): split for split in SPLITS for key in opened.split(split).drawings().key}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def sample_store(sample_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "store"
    prepare([sample_dir], out)
    return out


def test_the_sample_is_kept_whole_and_split_about_90_5_5(sample_dir: Path, sample_store: Path):
    names = sorted(path.stem for path in sample_dir.glob("*.ndjson"))
    store = Store.open(sample_store)
    assert store.categories == names
    assert len(names) == 16
    kept = [len(store.split(split)) for split in SPLITS]
    assert sum(kept) == 960
    assert kept == [store.summary["kept"][split] for split in SPLITS]
    # Five deviations of a binomial: a hash that splits unevenly would leave these bounds.
    for count, share in zip(kept, (0.9, 0.05, 0.05), strict=True):
        assert abs(count - 960 * share) < 5 * np.sqrt(960 * share * (1 - share))
    assert store.summary["statistics"]["by_category"] == dict.fromkeys(names, 60)
    assert store.summary["dropped"] == {}


def test_statistics_are_those_of_the_drawings(sample_store: Path):
    store = Store.open(sample_store)
    parts = [store.split(split).drawings() for split in SPLITS]
    lengths = np.concatenate([part.lengths for part in parts])
    statistics = store.summary["statistics"]
    assert statistics["points"]["mean"] == pytest.approx(lengths.mean())
    assert statistics["points"]["max"] == lengths.max()
    train = parts[0]
    steps = [np.diff(train.sketch(k).points, axis=0) for k in range(len(train))]
    assert statistics["offset_deviation"] == pytest.approx(np.concatenate(steps).std())


def test_what_is_stored_is_what_was_parsed(sample_dir: Path, sample_store: Path):
    store = Store.open(sample_store)
    parts = [store.split(split).drawings() for split in SPLITS]
    found = [drawings.sketch(k) for drawings in parts for k in range(len(drawings))]
    lines = [text for path in sample_dir.glob("*.ndjson") for text in path.read_text().splitlines()]

    def identity(sketch: Sketch) -> tuple:
        return sketch.category, tuple(map(len, sketch.strokes)), sketch.points.tobytes()

    parsed = [parse_line(text) for text in lines]
    assert {identity(sketch) for sketch in found} == {identity(sketch) for sketch in parsed}
    assert len(found) == len(lines)


@pytest.mark.parametrize(
    ("side", "low", "stays"),
    [(255, 0, True), (250, 0, True), (245, 0, True), (244, 0, False), (255, 1, False), (250.5, 0, False)],
)
def test_what_fills_the_box_stays_and_the_rest_is_simplified(
    tmp_path: Path, side: float, low: float, stays: bool
):
    stroke = [[low, side, 90], [low, 40, 100]]
    line = json.dumps({"word": "cat", "drawing": [stroke]})
    (tmp_path / "cat.ndjson").write_text(line)
    drawings, _ = read_drawings(tmp_path)
    same = drawings.points.tolist() == np.transpose(stroke).tolist()
    assert same is stays
    assert drawings.points.min() == 0
    assert stays or drawings.points.max() >= 254


def test_another_file_moves_no_drawing_to_another_split(sample_dir: Path, sample_store: Path, tmp_path: Path):
    for name in ("sun.ndjson", "cat.ndjson"):
        shutil.copy(sample_dir / name, tmp_path)
    prepare([tmp_path], tmp_path / "few")
    few, many = splits(tmp_path / "few"), splits(sample_store)
    assert len(few) == 120
    assert {key: many[key] for key in few} == few


def test_split_depends_on_the_key_alone():
    shares = np.unique([split_of(key) for key in range(1000)], return_counts=True)
    assert dict(zip(*map(np.ndarray.tolist, shares), strict=True)) == {"train": 900, "valid": 50, "test": 50}


def test_keys_tell_points_strokes_and_category_apart():
    points = np.array([[0, 1], [2, 3], [4, 5]], dtype=np.uint8)
    keys = [
        drawing_key(points, [3], "cat"),
        drawing_key(points[::-1], [3], "cat"),
        drawing_key(points, [1, 2], "cat"),
        drawing_key(points, [2, 1], "cat"),
        drawing_key(points, [3], "dog"),
    ]
    assert len(set(keys)) == len(keys)
    assert drawing_key(points.copy(), (3,), "cat") == keys[0]


def test_the_same_input_makes_the_same_bytes(sample_dir: Path, tmp_path: Path):
    file = sample_dir / "cat.ndjson"
    for name in ("one", "two"):
        prepare([file], tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert set(contents(tmp_path / "one")) == {"store.json", *(f"{split}-00000.arrow" for split in SPLITS)}


def test_every_drawing_left_out_is_counted_with_its_reason(tmp_path: Path):
    zigzag = [[k % 256 for k in range(MAX_POINTS)] + [0], [255 * (k % 2) for k in range(MAX_POINTS)] + [0]]
    lines = [
        line(),
        line(),
        line(recognized=False),
        "\n",
        "not json\n",
        line(drawing="none"),
        line(drawing=[[[0, 255], [0]]]),
        line(word=None),
        line(drawing=[]),
        line(drawing=[zigzag]),
        # Far longer than wide on the way to 1 px steps: simplifying it is refused, not attempted.
        line(drawing=[[[0, 1] * 12_000, [0, 1] * 12_000]]),
    ]
    (tmp_path / "odd.ndjson").write_text("".join(lines))
    report = prepare([tmp_path / "odd.ndjson"], tmp_path / "store")
    assert sum(report.kept.values()) == 1
    assert report.dropped == {
        "the same drawing twice": 2,
        "not a drawing that can be read": 4,
        "no category": 1,
        "fewer than 2 points": 1,
        f"more than {MAX_POINTS} points": 1,
    }
    assert "dropped 2: the same drawing twice" in report.text()
    assert Store.open(tmp_path / "store").summary["dropped"] == report.dropped


def test_a_raw_drawing_is_simplified_into_the_box(tmp_path: Path):
    raw = {"word": "cat", "drawing": [[[10.5, 500.25, 900.0], [3.0, 250.5, 40.0], [0, 10, 20]]]}
    (tmp_path / "raw.ndjson").write_text(json.dumps(raw))
    drawings, categories = read_drawings(tmp_path / "raw.ndjson")
    assert categories == ["cat"]
    assert len(drawings) == 1
    assert drawings.points.min(0).tolist() == [0, 0]
    assert drawings.points.max() == 255


def test_read_drawings_is_all_splits_together(sample_dir: Path, sample_store: Path):
    drawings, categories = read_drawings(sample_dir)
    assert categories == Store.open(sample_store).categories
    assert sorted(drawings.key.tolist()) == sorted(splits(sample_store))


def test_progress_tells_of_bytes_read_and_written(sample_dir: Path, tmp_path: Path):
    seen: list[tuple[str, int, int]] = []
    files = [sample_dir / "sun.ndjson", sample_dir / "cat.ndjson"]
    prepare(files, tmp_path / "store", progress=lambda *what: seen.append(what))
    size = sum(file.stat().st_size for file in files)
    assert [what for what, _, _ in seen] == ["reading", "writing"]
    assert seen[0] == ("reading", size, size)
    assert seen[1][1] == seen[1][2]


def test_what_stands_at_out_is_refused_unless_forced(sample_dir: Path, tmp_path: Path):
    file, out = sample_dir / "cat.ndjson", tmp_path / "store"
    prepare([file], out)
    before = contents(out)
    with pytest.raises(OutputError, match="--force"):
        prepare([sample_dir / "sun.ndjson"], out)
    assert contents(out) == before
    prepare([sample_dir / "sun.ndjson"], out, force=True)
    assert Store.open(out).categories == ["sun"]


def test_force_replaces_nothing_but_a_store(sample_dir: Path, tmp_path: Path):
    folder, file = tmp_path / "thesis", tmp_path / "notes.txt"
    folder.mkdir()
    (folder / "chapter").write_text("dear")
    file.write_text("dear")
    for out in (folder, file):
        with pytest.raises(OutputError, match="not a store"):
            prepare([sample_dir / "cat.ndjson"], out, force=True)
    assert (folder / "chapter").read_text() == file.read_text() == "dear"


def test_a_source_without_drawings_is_a_format_error(tmp_path: Path):
    (tmp_path / "empty.ndjson").write_text("\n")
    (tmp_path / "folder").mkdir()
    for source in (tmp_path / "empty.ndjson", tmp_path / "folder", tmp_path / "nowhere"):
        with pytest.raises(FormatError) as caught:
            prepare([source], tmp_path / "store")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "store").exists()
