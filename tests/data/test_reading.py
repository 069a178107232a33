from __future__ import annotations

import os
import tempfile
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sketchgen.data.drawings import Drawings
from sketchgen.data.reading import MIN_PICTURE_BYTES, Piece, PieceReader, pieces_of, split_into_tasks
from sketchgen.data.selection import Selection
from sketchgen.errors import FormatError


@settings(max_examples=100)
@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 60), st.booleans())
def test_pieces_are_whole_lines_and_make_up_the_file(sizes: list[int], max_bytes: int, ended: bool):
    text = b"\n".join(b"x" * size for size in sizes) + b"\n" * ended
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.ndjson"
        file.write_bytes(text)
        pieces = list(pieces_of(file, max_bytes))
    parts = [text[piece.first : piece.first + piece.size] for piece in pieces]
    assert b"".join(parts) == text
    assert all(part.endswith(b"\n") for part in parts[:-1])
    # As small as lines allow: without its last line, a piece is not yet full.
    assert all(len(part[:-1].rpartition(b"\n")[0]) < max_bytes for part in parts)


def test_a_line_longer_than_what_is_scanned_at_once_is_in_one_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sketchgen.data.reading.SCAN_BYTES", 7)
    (tmp_path / "a.ndjson").write_bytes(b"x" * 50 + b"\n" + b"y" * 13)
    assert [piece.size for piece in pieces_of(tmp_path / "a.ndjson", 4)] == [51, 13]


def test_small_files_share_a_task_and_large_ones_are_cut(tmp_path: Path):
    for name, count in {"a": 10, "b": 2000, "c": 30, "d": 40}.items():
        (tmp_path / f"{name}.ndjson").write_bytes(b'{"word":"cat","drawing":[[[0,9],[0,9]]]}\n' * count)
    (tmp_path / "e.ndjson.gz").write_bytes(os.urandom(9000))
    tasks = split_into_tasks(sorted(tmp_path.iterdir()), 8000)
    names = [[piece.file.name[0] for piece in task] for task in tasks]
    assert names[0] == ["a"]
    # The last task of the large file has room for small ones.
    assert names[-2:] == [["b", "c", "d"], ["e"]]
    assert names[1:-2] == [["b"]] * 10


def test_a_picture_counts_as_more_than_its_bytes(tmp_path: Path):
    for number in range(40):
        (tmp_path / f"{number}.svg").write_text("<svg/>")
    assert len(split_into_tasks(sorted(tmp_path.iterdir()), 10 * MIN_PICTURE_BYTES)) == 4


def test_an_empty_file_is_one_piece_and_a_missing_one_an_error(tmp_path: Path):
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"")
    assert list(pieces_of(file)) == [Piece(file, 0, 0)]
    with pytest.raises(FormatError, match="cannot be read"):
        list(pieces_of(tmp_path / "gone.ndjson"))


def test_a_cancelled_task_passes_nothing_on(sample_dir: Path):
    passed: list[Drawings] = []
    reader = PieceReader(Selection(), passed.append, cancelled=lambda: True)
    with pytest.raises(CancelledError):
        reader.read(next(pieces_of(sample_dir / "cat.ndjson")))
    assert passed == []
