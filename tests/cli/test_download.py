"""`sketchgen download` as people meet it: paths, talk, one-line errors, Ctrl-C and a kill."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bucket import Answer, Bucket

import sketchgen
from sketchgen.cli import main, transfers
from sketchgen.cli.transfers import Lines
from sketchgen.data import transfer
from sketchgen.data.transfer import Progress
from tests.support.interruptible import interruptible

CAT = b'{"word":"cat","drawing":[[[0,9],[0,9]]]}\n' * 5000
CATS = "full/simplified/cat.ndjson"
HALF = len(CAT) // 2


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A server of our own with cats and dogs."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = Bucket()
    found.put(CATS, CAT)
    found.put("full/simplified/dog.ndjson", CAT)
    yield found
    found.close()


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a download that must fail, and return its one line."""
    assert main(["download", *map(str, arguments)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("sketchgen: error: ")
    return line


def started(*arguments: object, errors: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """The program in a process of its own, which is its own group as under a shell."""
    env = {**os.environ, "PYTHONPATH": str(Path(sketchgen.__file__).parents[1]), "COLUMNS": "100"}
    command = [sys.executable, "-m", "sketchgen", "download", *map(str, arguments)]
    return subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
        preexec_fn=interruptible,
    )


def until(there: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


class TestDownload:
    def test_prints_the_paths_and_the_licence(
        self, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "quickdraw"
        arguments = ["download", "dog", "cat", "dog", "-o", str(out), "--base", bucket.base, "--jobs", "1"]
        assert main(arguments) == 0
        captured = capsys.readouterr()
        assert captured.out.splitlines() == [str(out / "dog.ndjson"), str(out / "cat.ndjson")]
        assert captured.err.splitlines()[:-1] == [
            "dog.ndjson: 0.2 MB fetched (1 of 2)",
            "cat.ndjson: 0.2 MB fetched (2 of 2)",
        ]
        assert "CC BY 4.0" in captured.err.splitlines()[-1]
        assert main(arguments) == 0
        captured = capsys.readouterr()
        assert captured.out.splitlines() == [str(out / "dog.ndjson"), str(out / "cat.ndjson")]
        assert captured.err.startswith("dog.ndjson: 0.2 MB stand there already (1 of 2)\n")

    def test_what_it_fetches_can_be_prepared(
        self, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = str(tmp_path / "quickdraw")
        bucket.put(CATS, CAT[: CAT.index(b"\n") + 1] * 20)
        assert main(["download", "cat", "-o", out, "--base", bucket.base]) == 0
        assert main(["prepare", out, "-o", str(tmp_path / "store")]) == 0

    def test_all_are_345(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[object] = []

        def download(names: list[str], out: Path, **settings: object) -> list[Path]:
            asked.extend([names, out, settings.pop("progress") is not None, settings])
            return [out / "cat.ndjson"]

        monkeypatch.setattr("sketchgen.data.download.download", download)
        assert main(["download", "--all", "--form", "npz", "-o", str(tmp_path)]) == 0
        names, out, shown, settings = asked
        assert isinstance(names, list)
        assert (len(names), names[0], out, shown) == (345, "The Eiffel Tower", tmp_path, True)
        assert settings == {"form": "npz", "force": False, "jobs": 4, "retries": 5}

    def test_what_is_wrong_is_one_line(
        self, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        base = ["-o", tmp_path, "--base", bucket.base]
        assert "name some" in failure(capsys, *base)
        assert "leave out one" in failure(capsys, "cat", "--all", *base)
        assert "jobs is 0" in failure(capsys, "cat", "--jobs", 0, *base)
        assert "did you mean 'cat'" in failure(capsys, "caat", "-o", tmp_path)
        assert "owl.ndjson" in failure(capsys, "owl", *base)
        (tmp_path / "cat.ndjson").write_text("mine")
        assert "--force" in failure(capsys, "cat", *base)
        assert (tmp_path / "cat.ndjson").read_text() == "mine"
        assert main(["download", "cat", "--force", *map(str, base)]) == 0
        assert (tmp_path / "cat.ndjson").read_bytes() == CAT

    def test_of_several_each_failure_is_told_when_it_comes(
        self, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert (
            main(["download", "owl", "cat", "-o", str(tmp_path), "--base", bucket.base, "--jobs", "1"]) == 1
        )
        captured = capsys.readouterr()
        assert captured.out == ""
        first, second, last = captured.err.splitlines()
        assert first.startswith("owl.ndjson: ")
        assert second == "cat.ndjson: 0.2 MB fetched (2 of 2)"
        assert last.startswith("sketchgen: error: 1 of 2 files could not be fetched: owl.ndjson: ")

    def test_a_broken_connection_is_told_of(
        self,
        bucket: Bucket,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(transfer, "pause", lambda failures: 0.0)
        bucket.put(CATS, CAT, Answer(drop=HALF))
        assert main(["download", "cat", "-o", str(tmp_path), "--base", bucket.base]) == 0
        first, second, _ = capsys.readouterr().err.splitlines()
        assert first.startswith("cat.ndjson: the connection broke")
        assert first.endswith("again in 0 s")
        assert second == "cat.ndjson: 0.2 MB fetched"

    @pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
    def test_ends_at_once_and_goes_on_in_the_next_run(
        self, number: signal.Signals, status: int, bucket: Bucket, tmp_path: Path
    ) -> None:
        release = threading.Event()
        bucket.put(CATS, CAT, Answer(drop=HALF, stall=release))
        part = tmp_path / ".cat.ndjson.part"
        arguments = ["dog", "cat", "-o", tmp_path, "--base", bucket.base, "--jobs", 1]
        program = started(*arguments)
        until(lambda: part.exists() and part.stat().st_size == HALF)
        program.send_signal(number)
        out, err = program.communicate(timeout=15)
        release.set()
        assert (program.returncode, out) == (status, b"")
        assert err.endswith(b"sketchgen: error: interrupted\n") == (status == 130)
        assert b"Traceback" not in err
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            part.name,
            f"{part.name}.info",
            "dog.ndjson",
        ]
        again = started(*arguments)
        out, err = again.communicate(timeout=30)
        assert again.returncode == 0, err
        assert [request.start for request in bucket.requests if request.path.endswith("cat.ndjson")] == [
            None,
            HALF,
        ]
        assert (tmp_path / "cat.ndjson").read_bytes() == CAT
        assert sorted(path.name for path in tmp_path.iterdir()) == ["cat.ndjson", "dog.ndjson"]


class TestShown:
    def test_on_a_terminal_as_a_bar(self, bucket: Bucket, tmp_path: Path) -> None:
        release = threading.Event()
        bucket.put(CATS, CAT, Answer(drop=HALF, stall=release))
        near, far = pty.openpty()
        program = started("cat", "-o", tmp_path, "--base", bucket.base, errors=far)
        os.close(far)
        text = b""
        while b"cat.ndjson" not in text or b"/" not in text:
            text += os.read(near, 4096)
        release.set()
        threading.Thread(target=program.wait, daemon=True).start()
        try:
            while piece := os.read(near, 4096):
                text += piece
        except OSError:
            pass  # How Linux says that nobody is at the other end.
        os.close(near)
        assert program.wait(30) == 0
        assert b"\x1b[" in text, "no bar was drawn"
        assert b"kB" in text or b"MB" in text
        assert b"0.2 MB fetched" in text
        assert program.stdout is not None
        assert program.stdout.read().decode() == f"{tmp_path / 'cat.ndjson'}\n"

    def test_in_a_log_as_a_line_now_and_then(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = 0.0
        monkeypatch.setattr(transfers.time, "monotonic", lambda: now)
        lines = Lines(1)
        for second in range(25):
            now = float(second)
            lines.show(Progress("cat.ndjson", "moving", 50_000_000 + second * 2_000_000, 112_000_000))
        assert capsys.readouterr().err.splitlines() == [
            "cat.ndjson: 70.0 MB of 112.0 MB, 2.0 MB/s",
            "cat.ndjson: 90.0 MB of 112.0 MB, 2.0 MB/s",
        ]
