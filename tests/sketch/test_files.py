from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sketchgen.errors import OutputError
from sketchgen.sketch import files
from sketchgen.sketch.files import prepare_output_folder, recover_folder, whole_folder, write_atomic


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
        write_atomic(tmp_path / "a.svg", b"new", force=force)
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
        write_atomic(tmp_path / "none" / "a.svg", b"")
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


def test_what_a_killed_writer_has_left_is_removed_and_what_is_being_written_stays(tmp_path: Path):
    folder, abandoned = tmp_path / "one", tmp_path / ".one.1.partial"
    (abandoned / "sorted").mkdir(parents=True)
    code = "import sys, pathlib, sketchgen.sketch.files as f\n"
    code += "with f.whole_folder(pathlib.Path(sys.argv[1])): print(flush=True); input()"
    environment = {**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[2])}
    how = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": environment}
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], **how) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with whole_folder(folder) as work:
            (work / "file").write_text("new")
        assert sorted(path.name for path in tmp_path.iterdir()) == [f".one.{other.pid}.partial", "one"]
        other.kill()
    with whole_folder(folder):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
