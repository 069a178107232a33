from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sketchgen.errors import FormatError, OutputError
from sketchgen.formats.read_write import read, read_all, write
from sketchgen.sketch.files import prepare_output_folder, recover_folder, whole_folder, write_atomic
from sketchgen.sketch.sketch import Completion, Sketch

SKETCH = Sketch.from_strokes([[(0.1, 1 / 3), (20, 30)], [(5, 5)]], page=(0, 0, 64, 48), category="cat")
LINE = b'{"word":"cat","drawing":[[[0,1],[2,3]]]}'


@pytest.mark.parametrize("suffix", [".svg", ".json", ".SVG"])
def test_write_then_read(tmp_path, suffix):
    path = tmp_path / f"drawing{suffix}"
    SKETCH.save(path)
    assert read(path) == SKETCH
    assert read(str(path)) == SKETCH
    assert list(read_all(path)) == [SKETCH]
    assert os.listdir(tmp_path) == [path.name]


def test_ndjson_and_png(tmp_path):
    write(SKETCH, tmp_path / "a.ndjson")
    assert read(tmp_path / "a.ndjson") == Sketch(SKETCH.strokes, None, "cat")
    write(Completion(SKETCH, SKETCH), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(FormatError, match="neither SVG nor JSON"):
        read(tmp_path / "a.png")
    with pytest.raises(FormatError, match=r"no writer for '.bmp'; use .svg"):
        SKETCH.save(tmp_path / "a.bmp")


def test_completions_keep_both_parts(tmp_path):
    completion = Completion(SKETCH, SKETCH)
    for suffix in (".svg", ".json", ".ndjson"):
        completion.save(tmp_path / f"c{suffix}")
        assert len(read(tmp_path / f"c{suffix}").strokes) == 4


def test_many_drawings(tmp_path):
    path = tmp_path / "many.ndjson"
    path.write_bytes(b"\n" + LINE + b"\n\n" + LINE.replace(b"cat", b"dog") + b"\nbroken\n")
    assert read(path).category == "cat"
    drawings = read_all(path)
    assert [next(drawings).category, next(drawings).category] == ["cat", "dog"]
    with pytest.raises(FormatError, match=r"many\.ndjson, line 5 is not JSON"):
        next(drawings)


@pytest.mark.parametrize(
    "content",
    [
        SKETCH.to_svg().encode(),
        b"\xef\xbb\xbf" + LINE,
        LINE + b"\n" + LINE,
        b"[[[0, 2], [1, 3]]]",
        b'{\n "strokes": [[[0, 2],\n [1, 3]]]\n}',
    ],
)
def test_the_content_decides_where_the_suffix_cannot(tmp_path, content, monkeypatch):
    (tmp_path / "plain").write_bytes(content)
    expected = read(tmp_path / "plain")
    assert expected.point_count in (2, 3)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert read("-") == expected
    assert read(io.BytesIO(content)) == expected
    assert next(read_all(io.BytesIO(content))) == expected
    if not content.startswith(b"\xef"):
        assert read(io.StringIO(content.decode())) == expected


def test_many_drawings_from_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(LINE + b"\n" + LINE)))
    assert len(list(read_all("-"))) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.svg", b"", "a.svg is empty"),
        ("a.ndjson", b"", "a.ndjson is empty"),
        ("a.ndjson", b"\n \n", "a.ndjson is empty"),
        ("a.json", b"  ", "a.json is empty"),
        ("a.json", b"\xff\xfe", "not UTF-8"),
        ("a.json", b"{", "not JSON"),
        ("a.txt", b"hello", "neither SVG nor JSON"),
        ("a.svg", b"hello", "not SVG"),
        ("a.ndjson", b"[1]", "stroke 0"),
        ("a.json", b" " * (32 * 2**20) + b"[]", "larger than 32 MB"),
    ],
)
def test_bad_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(FormatError):
        list(read_all(tmp_path / name))


def test_no_such_file(tmp_path):
    for path in (tmp_path / "none.svg", tmp_path / "none.ndjson", tmp_path, "a\0b.svg"):
        with pytest.raises(FormatError, match="cannot be read"):
            read(path)
    with pytest.raises(FormatError, match="cannot be read"):
        list(read_all(tmp_path / "none.ndjson"))


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"a\.svg exists; .* --force"):
        SKETCH.save(path)
    assert path.read_text() == "mine"
    SKETCH.save(path, force=True)
    assert read(path) == SKETCH
    assert os.listdir(tmp_path) == ["a.svg"]


def test_a_file_that_comes_up_meanwhile_is_kept(tmp_path, monkeypatch):
    path, sync = tmp_path / "a", os.fsync

    def late(descriptor):
        path.write_text("theirs")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", late)
    with pytest.raises(OutputError, match="exists"):
        write_atomic(path, b"ours")
    assert path.read_text() == "theirs"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("force", [False, True])
def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch, call, force):
    if force:
        (tmp_path / "a.svg").write_text("old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OutputError, match=r"a\.svg cannot be written: no space left"):
        SKETCH.save(tmp_path / "a.svg", force=force)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == (["a.svg"] if force else [])
    assert not force or (tmp_path / "a.svg").read_text() == "old"


def test_short_writes_are_gone_on_with(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    write_atomic(tmp_path / "a", b"0123456789")
    monkeypatch.undo()
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="no such file or folder"):
        SKETCH.save(tmp_path / "none" / "a.svg")
    with pytest.raises(OutputError, match="is a folder"):
        write_atomic(tmp_path, b"", force=True)
    with pytest.raises(OutputError, match="cannot be written"):
        write_atomic(tmp_path / ("x" * 300), b"")
    with pytest.raises(OutputError, match="not an ordinary file"):
        write_atomic(os.devnull, b"", force=True)
    with pytest.raises(OutputError, match="cannot be written"):
        write_atomic("a\0b", b"")
    assert os.listdir(tmp_path) == []


def test_a_file_system_without_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write_atomic(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"
    assert os.listdir(tmp_path) == ["a"]


def test_output_folder(tmp_path):
    folder = prepare_output_folder(tmp_path / "new" / "deep")
    assert folder.is_dir()
    assert prepare_output_folder(folder) == folder
    (folder / "x").write_text("")
    with pytest.raises(OutputError, match=r"not empty; .* --force"):
        prepare_output_folder(folder)
    assert prepare_output_folder(folder, force=True) == folder
    assert (folder / "x").exists()
    with pytest.raises(OutputError, match="cannot be used as a folder"):
        prepare_output_folder(folder / "x")


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path):
    folder = tmp_path / "one"
    for content in ("old", "new"):
        with whole_folder(folder) as work:
            (work / "file").write_text(content)
    assert (folder / "file").read_text() == "new"
    with pytest.raises(ZeroDivisionError), whole_folder(folder) as work:
        (work / "file").write_text(str(1 // 0))
    assert (folder / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_kill_between_two_renames_loses_no_folder(tmp_path: Path):
    folder, before = tmp_path / "one", tmp_path / ".one.old"
    before.mkdir()
    (before / "file").write_text("old")
    recover_folder(folder)
    assert (folder / "file").read_text() == "old"
    # Killed behind the second rename: the new one stands, the old one is too many.
    folder.rename(before)
    folder.mkdir()
    recover_folder(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert not list(folder.iterdir())
    # Who writes anew mends it as well.
    folder.rename(before)
    with whole_folder(folder) as work:
        (work / "file").write_text("new")
    assert (folder / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
