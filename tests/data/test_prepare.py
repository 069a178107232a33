from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import sketchgen
from sketchgen.data import prepare as preparing
from sketchgen.data.prepare import prepare, read_drawings
from sketchgen.data.reading import split_into_tasks
from sketchgen.data.selection import DUPLICATE, MAX_POINTS, SPLITS, TRAINING_ONLY, UNREADABLE, Selection
from sketchgen.data.store import Store
from sketchgen.errors import FormatError, OutputError
from sketchgen.formats.quickdraw import parse_json
from sketchgen.sketch.sketch import Sketch


def line(**changes: object) -> str:
    good = {"word": "cat", "drawing": [[[0, 255], [0, 9]], [[5, 5, 7], [1, 2, 3]]]}
    return json.dumps({**good, **changes}) + "\n"


def lines(word: str, count: int) -> bytes:
    """Drawings that differ, as lines of different lengths."""
    return b"".join(
        b'{"word":"%s","drawing":[[[0,255,%d],[0,%d,100]]]}\n' % (word.encode(), k % 256, k // 256)
        for k in range(count)
    )


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


@pytest.fixture
def many_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read input of any size in tiny tasks, with several ranges of keys."""
    monkeypatch.setattr(preparing, "SMALL_BYTES", 0)
    monkeypatch.setattr(
        preparing, "split_into_tasks", lambda files, **only: split_into_tasks(files, 3000, **only)
    )
    monkeypatch.setattr(preparing, "range_count", lambda size: 7)


def test_every_drawing_of_the_sample_is_stored_as_it_is(sample_dir: Path, sample_store: Path):
    store = Store.open(sample_store)
    parts = [store.split(split).drawings() for split in SPLITS]
    found = [drawings.sketch(k) for drawings in parts for k in range(len(drawings))]
    texts = [text for path in sample_dir.glob("*.ndjson") for text in path.read_text().splitlines()]

    def identity(sketch: Sketch) -> tuple[object, ...]:
        return sketch.category, tuple(map(len, sketch.strokes)), sketch.points.tobytes()

    assert {identity(sketch) for sketch in found} == {identity(parse_json(text)) for text in texts}
    assert len(found) == len(texts) == 960
    names = sorted(path.stem for path in sample_dir.glob("*.ndjson"))
    assert store.categories == names
    assert store.summary["statistics"]["by_category"] == dict.fromkeys(names, 60)
    assert store.summary["kept"] == {split: len(part) for split, part in zip(SPLITS, parts, strict=True)}
    assert store.summary["dropped"] == {}
    drawings, categories = read_drawings(sample_dir)
    assert categories == names
    assert drawings.key.tolist() == sorted(splits(sample_store))


@pytest.mark.parametrize(
    ("side", "low", "stays"),
    [(255, 0, True), (250, 0, True), (245, 0, True), (244, 0, False), (255, 1, False), (250.5, 0, False)],
)
def test_a_drawing_that_fills_the_box_stays_and_others_are_simplified(
    tmp_path: Path, side: float, low: float, stays: bool
):
    stroke = [[low, side, 90], [low, 40, 100]]
    (tmp_path / "cat.ndjson").write_text(line(drawing=[stroke]))
    drawings, _ = read_drawings(tmp_path)
    assert (drawings.points.tolist() == np.transpose(stroke).tolist()) is stays
    assert drawings.points.min() == 0
    assert stays or drawings.points.max() >= 254


def test_another_file_moves_no_drawing_to_another_split(sample_dir: Path, sample_store: Path, tmp_path: Path):
    for name in ("sun.ndjson", "cat.ndjson"):
        shutil.copy(sample_dir / name, tmp_path)
    prepare([tmp_path], tmp_path / "few")
    few, many = splits(tmp_path / "few"), splits(sample_store)
    assert len(few) == 120
    assert {key: many[key] for key in few} == few


def test_every_dropped_drawing_is_counted_with_its_reason(tmp_path: Path):
    zigzag = [[k % 256 for k in range(MAX_POINTS)] + [0], [255 * (k % 2) for k in range(MAX_POINTS)] + [0]]
    texts = [
        line(),
        line(),
        line(recognized=False),
        "\n",
        "not json\n",
        line(drawing="none"),
        line(word=None),
    ]
    texts += [line(drawing=[[[0, 255], [0]]]), line(drawing=[]), line(drawing=[zigzag])]
    # So long a line, scaled to the box, would have too many steps of 1 px: it is refused.
    texts += [line(drawing=[[[0, 1] * 12_000, [0, 1] * 12_000]])]
    (tmp_path / "odd.ndjson").write_text("".join(texts))
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


@pytest.mark.usefixtures("many_tasks")
def test_the_store_is_the_same_whatever_the_jobs_order_and_tasks(
    sample_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    files = [sample_dir / f"{name}.ndjson" for name in ("cat", "sun", "house")]
    prepare(files, tmp_path / "one")
    prepare(files[::-1], tmp_path / "two", jobs=2)
    monkeypatch.undo()
    prepare(files, tmp_path / "three")
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(tmp_path / "three")
    shards = [f"{split}-00000.arrow" for split in SPLITS]
    assert set(contents(tmp_path / "one")) == {"SHA256SUMS", "store.json", *shards}


@pytest.mark.usefixtures("many_tasks")
def test_faults_are_named_by_their_lines_in_the_whole_file(tmp_path: Path):
    numbers = [3, 150, 151, 399, *range(410, 440)]
    text = lines("cat", 440).splitlines(keepends=True)
    for number in numbers:
        text[number] = b"{\n"
    text[200] = b"\n"
    (tmp_path / "cat.ndjson").write_bytes(b"".join(text))
    (tmp_path / "dog.ndjson").write_bytes(lines("dog", 9) + b"{\n")
    report = prepare([tmp_path / "dog.ndjson", tmp_path / "cat.ndjson"], tmp_path / "store", jobs=2)
    expected = ["dog.ndjson, line 10", *(f"cat.ndjson, line {number + 1}" for number in numbers)]
    assert [fault.split(" is not")[0] for fault in report.faults] == expected[:20]
    assert report.dropped == {UNREADABLE: len(expected)}


@pytest.mark.usefixtures("many_tasks")
def test_sources_for_training_only_never_reach_the_other_splits(tmp_path: Path):
    people, sampled = [tmp_path / "people.ndjson"], [tmp_path / "sampled.ndjson"]
    people[0].write_bytes(lines("cat", 400))
    sampled[0].write_bytes(lines("cat", 400).replace(b"255,", b"254,"))
    prepare(people, tmp_path / "alone")
    prepare([*people, *sampled], tmp_path / "all")
    report = prepare(people, tmp_path / "store", training_only=sampled)
    alone, everything, found = (splits(tmp_path / name) for name in ("alone", "all", "store"))
    assert found == alone | {key: split for key, split in everything.items() if split == "train"}
    assert report.dropped == {TRAINING_ONLY: len(everything) - len(found)}
    assert len(everything) - len(found) > 10


@pytest.mark.usefixtures("many_tasks")
def test_a_maximum_keeps_the_smallest_keys_over_all_ranges(tmp_path: Path):
    source = tmp_path / "a.ndjson"
    source.write_bytes(lines("cat", 300) + lines("dog", 40))
    prepare([source], tmp_path / "all")
    report = prepare([source], tmp_path / "some", Selection(max_per_category=100))
    assert report.statistics["by_category"] == {"cat": 100, "dog": 40}
    assert report.dropped == {"beyond 100 of their category": 200}

    def keys(store: Path) -> list[int]:
        parts = [Store.open(store).split(split).drawings() for split in SPLITS]
        return sorted(int(key) for part in parts for key in part.key[part.category == 0])

    assert keys(tmp_path / "some") == keys(tmp_path / "all")[:100]


def test_progress_counts_bytes_read_and_written(sample_dir: Path, tmp_path: Path):
    seen: list[tuple[str, int, int]] = []
    files = [sample_dir / "sun.ndjson", sample_dir / "cat.ndjson"]
    prepare(files, tmp_path / "store", progress=lambda *what: seen.append(what))
    size = sum(file.stat().st_size for file in files)
    assert [what for what, _, _ in seen] == ["reading", "writing"]
    assert seen[0] == ("reading", size, size)
    assert seen[1][1] == seen[1][2]


def test_only_a_store_is_replaced_and_only_with_force(sample_dir: Path, tmp_path: Path):
    out, folder = tmp_path / "store", tmp_path / "thesis"
    prepare([sample_dir / "cat.ndjson"], out)
    before = contents(out)
    with pytest.raises(OutputError, match="--force"):
        prepare([sample_dir / "sun.ndjson"], out)
    assert contents(out) == before
    prepare([sample_dir / "sun.ndjson"], out, force=True)
    assert Store.open(out).categories == ["sun"]
    folder.mkdir()
    (folder / "chapter").write_text("dear")
    for other in (folder, folder / "chapter"):
        with pytest.raises(OutputError, match="not a store"):
            prepare([sample_dir / "cat.ndjson"], other, force=True)
    assert (folder / "chapter").read_text() == "dear"


def test_too_many_categories_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sketchgen.data.reading.MAX_CATEGORIES", 5)
    (tmp_path / "a.ndjson").write_bytes(b"".join(lines(f"cat {number}", 2) for number in range(6)))
    with pytest.raises(FormatError, match="more than 5 categories; take some of them with --category"):
        prepare([tmp_path / "a.ndjson"], tmp_path / "store")


@pytest.mark.usefixtures("many_tasks")
def test_files_share_drawings_and_a_damaged_one_leaves_nothing(tmp_path: Path):
    (tmp_path / "a.ndjson").write_bytes(lines("cat", 300))
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(lines("cat", 250)))
    report = prepare([tmp_path], tmp_path / "good")
    assert (sum(report.kept.values()), report.dropped) == (300, {DUPLICATE: 250})
    shutil.rmtree(tmp_path / "good")
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(lines("cat", 3000))[:-300])
    with pytest.raises(FormatError, match=r"b.ndjson.gz cannot be read"):
        prepare([tmp_path], tmp_path / "out" / "store", jobs=2)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk here")
@pytest.mark.usefixtures("many_tasks")
@pytest.mark.parametrize("file", ["sorted/0-0", "train-00000.arrow"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    sample_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
):
    real = preparing._read_tasks

    def full(tasks, selection, folder: Path, *rest):
        (folder.parent / file).symlink_to("/dev/full")
        return real(tasks, selection, folder, *rest)

    monkeypatch.setattr(preparing, "_read_tasks", full)
    out = tmp_path / "out" / "store"
    with pytest.raises(OutputError, match="store cannot be written: no space left on the disk"):
        prepare([sample_dir], out)
    assert list(out.parent.iterdir()) == []


def begun(tmp_path: Path) -> subprocess.Popen[bytes]:
    """A program that prepares tmp_path/out/store with two processes, and has begun to write."""
    source, out = tmp_path / "cat.ndjson", tmp_path / "out"
    with source.open("wb") as file:
        for number in range(60):
            file.write(lines(f"cat {number}", 10_000))
    out.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "sketchgen", "prepare", source, "-o", out / "store", "--jobs", "2"],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(sketchgen.__file__).parents[1])},
        start_new_session=True,
        # Tests in the background may have been started with the signal ignored, and pass that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for _ in range(1000):
        if list(out.glob(".store.*/sorted/*")):
            break
        time.sleep(0.02)
    return process


def test_an_interruption_leaves_nothing(tmp_path: Path):
    process = begun(tmp_path)
    # As Ctrl-C does: to all processes of the group.
    os.killpg(process.pid, signal.SIGINT)
    words = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert words.splitlines()[-1] == "sketchgen: error: interrupted"
    assert "Traceback" not in words
    assert list((tmp_path / "out").iterdir()) == []


def test_workers_end_with_a_killed_program(tmp_path: Path):
    process = begun(tmp_path)
    process.kill()
    # They have its standard error, which is closed by the last of them.
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.usefixtures("many_tasks")
def test_a_worker_that_dies_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.ndjson").write_bytes(lines("cat", 300))
    monkeypatch.setattr(preparing, "read_task", die)
    with pytest.raises(OutputError, match="--jobs 1"):
        prepare([tmp_path / "a.ndjson"], tmp_path / "out" / "store", jobs=2)
    assert list((tmp_path / "out").iterdir()) == []


def die(*call: object) -> None:
    os._exit(9)
