"""All doors by which drawings come in, and what is said of those that cannot be read."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from sketchgen.data.prepare import prepare
from sketchgen.data.selection import UNREADABLE, Selection, is_name
from sketchgen.data.sources import entries
from sketchgen.data.store import Store
from sketchgen.errors import FormatError, SettingError
from sketchgen.formats.quickdraw import Entry, parse_json, read_binary

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L90 {y}L10 60"/></svg>'


def lines(word: str, count: int, recognised: bool = True) -> str:
    made = [[[0, 255, number], [0, number, 100]] for number in range(count)]
    return "".join(
        json.dumps({"word": word, "recognized": recognised, "drawing": [stroke]}) + "\n" for stroke in made
    )


def record(strokes: list[list[tuple[int, int]]], recognised: int = 1) -> bytes:
    head = struct.pack("<Q2sbIH", 5, b"DE", recognised, 1_500_000_000, len(strokes))
    for stroke in strokes:
        head += struct.pack("<H", len(stroke)) + bytes(x for x, _ in stroke) + bytes(y for _, y in stroke)
    return head


def kept(store: Path) -> dict[str, int]:
    return Store.open(store).summary["statistics"]["by_category"]


def test_a_folder_of_everything_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "drawings"
    (folder / "owl" / "more").mkdir(parents=True)
    (folder / "cat.ndjson").write_text(lines("cat", 20))
    (folder / "dog.ndjson.gz").write_bytes(gzip.compress(lines("dog", 30).encode()))
    (folder / "sea horse.bin").write_bytes(
        b"".join(record([[(0, 0), (255, y), (3, 9)], [(1, 1), (9, 9)]]) for y in range(25))
    )
    steps = np.empty(3, dtype=object)
    steps[:] = [np.array([[200, k, 0], [40, 70, 1]], dtype=np.int16) for k in (1, 2, 3)]
    np.savez(folder / "fox.full.npz", train=steps, valid=steps[:0], test=steps[:0])
    (folder / "owl" / "text.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><text>owl</text></svg>')
    for y in range(12):
        (folder / "owl" / f"{y}.svg").write_text(SVG.format(y=y))
    (folder / "owl" / "more" / "a.json").write_text(
        '{"strokes": [[[0, 0], [9, 9]]], "width": 9, "height": 9}'
    )
    (folder / "owl" / "notes.txt").write_text("nothing")
    report = prepare([folder], tmp_path / "store")
    assert kept(tmp_path / "store") == {"cat": 20, "dog": 30, "fox": 3, "more": 1, "owl": 12, "sea horse": 25}
    assert report.dropped == {UNREADABLE: 1}


def test_binary_drawings_are_those_of_the_lines(tmp_path: Path) -> None:
    drawn = [[(0, 0), (255, 80)], [(4, 5)]]
    (tmp_path / "cat.bin").write_bytes(record(drawn, 1) + record(drawn[:1], 0))
    with (tmp_path / "cat.bin").open("rb") as stream:
        first, second = read_binary(stream)
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert [stroke.tolist() for stroke in first.sketch.strokes] == [
        [list(point) for point in s] for s in drawn
    ]
    assert (len(second.sketch.strokes), first.recognised, second.recognised) == (1, True, False)
    line = json.dumps(
        {"word": "cat", "drawing": [[list(axis) for axis in zip(*s, strict=True)] for s in drawn]}
    )
    found = [found for found in entries(tmp_path / "cat.bin") if isinstance(found, Entry)]
    assert found[0].sketch == parse_json(line)


@pytest.mark.parametrize("cut", [3, 16, 18, 20, 21])
def test_a_binary_file_cut_off_keeps_what_was_whole(tmp_path: Path, cut: int) -> None:
    whole = record([[(0, 0), (255, 80)]])
    (tmp_path / "cat.bin").write_bytes(whole + whole[:cut])
    first, fault = entries(tmp_path / "cat.bin")
    assert isinstance(first, Entry)
    assert "cat.bin ends in the middle of drawing 2" in str(fault)


def test_what_cannot_be_read_is_named_by_file_and_line_and_reading_goes_on(tmp_path: Path) -> None:
    good = lines("cat", 4).splitlines()
    text = "\n".join(
        [good[0], "", '{"word": "cat", "drawing": [[[0, 1], [0', good[1], "[3]", good[2], good[3]]
    )
    (tmp_path / "cat.ndjson").write_text(text)
    report = prepare([tmp_path / "cat.ndjson"], tmp_path / "store")
    assert sum(report.kept.values()) == 4
    assert report.dropped == {UNREADABLE: 2}
    assert [fault.partition(" ")[0] for fault in report.faults] == ["cat.ndjson,"] * 2
    assert "line 3" in report.faults[0]
    assert "line 5" in report.faults[1]
    assert report.faults[0] in report.text()
    with pytest.raises(FormatError, match=r"2 could not be read, nothing was written; .*line 3"):
        prepare([tmp_path / "cat.ndjson"], tmp_path / "strict", strict=True)
    assert not (tmp_path / "strict").exists()


def test_only_what_is_selected_is_kept(tmp_path: Path) -> None:
    (tmp_path / "cat.ndjson").write_text(lines("cat", 50))
    (tmp_path / "dog.ndjson").write_text(lines("dog", 40) + lines("dog", 60, recognised=False)[-600:])
    (tmp_path / "sun.ndjson").write_text(lines("sun", 9))
    with pytest.raises(SettingError, match="max_per_category must be 1 or more, not 0"):
        Selection(max_per_category=0)
    selection = Selection(recognised=True, categories=frozenset({"cat", "dog"}), max_per_category=30)
    report = prepare([tmp_path], tmp_path / "store", selection)
    assert kept(tmp_path / "store") == {"cat": 30, "dog": 30}
    assert report.dropped["of another category"] == 9
    assert report.dropped["not recognised by the game"] > 0
    assert report.dropped["beyond 30 of their category"] == 30


@pytest.mark.parametrize("name", ["two\nlines", " cat", "", "x" * 101, "tab\t"])
def test_names_that_are_no_names_are_dropped(tmp_path: Path, name: str) -> None:
    assert not is_name(name)
    assert all(map(is_name, ("cat", "The Mona Lisa", "t-shirt", "a/b", "smörgås", "猫", "50%")))
    (tmp_path / "a.ndjson").write_text(lines("cat", 3) + lines(name, 5))
    report = prepare([tmp_path], tmp_path / "store")
    assert kept(tmp_path / "store") == {"cat": 3}
    assert sum(report.dropped.values()) == 5


def test_sources_of_no_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "blank.ndjson").write_text("\n")
    (tmp_path / "empty").mkdir()
    for source, words in (
        ("a.txt", "no known kind"),
        ("empty", "holds no drawing"),
        ("gone", "does not exist"),
        ("blank.ndjson", "no drawing in"),
    ):
        with pytest.raises(FormatError, match=words) as caught:
            prepare([tmp_path / source], tmp_path / "store")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "store").exists()
