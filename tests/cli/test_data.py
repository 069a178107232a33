"""download and prepare: paths, messages, one-line errors, Ctrl-C and a kill."""

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
from commandline import environment, failure, run

from sketchgen.data import transfer
from sketchgen.data.store import Store
from tests.support.interruptible import interruptible
from tests.support.published import published

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


def started(*arguments: object, errors: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """A download in a process of its own, which is its own group as under a shell."""
    command = [sys.executable, "-m", "sketchgen", "download", *map(str, arguments)]
    return subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
        preexec_fn=interruptible,
    )


def until(there: Callable[[], bool]) -> None:
    """Wait for something."""
    end = time.monotonic() + 30
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


class TestDownload:
    def test_prints_the_paths_and_the_licence(
        self, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = ["download", "dog", "cat", "dog", "-o", tmp_path, "--base", bucket.base, "--jobs", 1]
        for done in ("fetched", "there already"):
            run(*told)
            captured = capsys.readouterr()
            assert captured.out.splitlines() == [str(tmp_path / "dog.ndjson"), str(tmp_path / "cat.ndjson")]
            *lines, licence = captured.err.splitlines()
            assert lines == [f"dog.ndjson: 0.2 MB {done} (1 of 2)", f"cat.ndjson: 0.2 MB {done} (2 of 2)"]
            assert "CC BY 4.0" in licence

    def test_all_are_345(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[object] = []

        def download(names: list[str], out: Path, **settings: object) -> list[Path]:
            asked.extend([len(names), out, settings.pop("progress") is not None, settings])
            return [out / "cat.ndjson"]

        monkeypatch.setattr("sketchgen.data.download.download", download)
        run("download", "--all", "-f", "npz", "-o", tmp_path)
        assert asked == [345, tmp_path, True, {"form": "npz", "force": False, "jobs": 4, "retries": 5}]

    def test_refused(self, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        base = ["-o", tmp_path, "--base", bucket.base]
        assert "name some" in failure(capsys, "download", *base)
        assert "leave out one" in failure(capsys, "download", "cat", "--all", *base)
        line = failure(capsys, "download", "cat", "--jobs", 0, *base)
        assert "jobs must be a number from 1 to 16, not 0" in line
        assert "did you mean 'cat'" in failure(capsys, "download", "caat", "-o", tmp_path)
        assert "owl.ndjson" in failure(capsys, "download", "owl", *base)
        (tmp_path / "cat.ndjson").write_text("mine")
        assert "--force" in failure(capsys, "download", "cat", *base)
        assert (tmp_path / "cat.ndjson").read_text() == "mine"
        run("download", "cat", "--force", *base)
        assert (tmp_path / "cat.ndjson").read_bytes() == CAT

    def test_decoders_are_fetched_and_imported(
        self, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        bucket.put("sketchRNN/models/catpig.gen.json", published(tmp_path, "catpig").read_bytes())
        out = tmp_path / "decoders"
        run("download", "magenta", "catpig", "-o", out, "--base", bucket.base)
        captured = capsys.readouterr()
        assert captured.out == f"{out / 'catpig.gen.json'}\n"
        assert "without a licence" in captured.err
        assert "did you mean 'catpig'" in failure(capsys, "download", "magenta", "catpg", "-o", out)
        told = ["import", "magenta", out / "catpig.gen.json", "-o", tmp_path / "catpig"]
        run(*told)
        assert capsys.readouterr().out == f"{tmp_path / 'catpig'}\n"
        assert "--force" in failure(capsys, *told)
        run(*told, "--force")
        capsys.readouterr()
        assert "no such file" in failure(capsys, "import", "magenta", out / "pig.gen.json", "-o", out / "pig")

    def test_of_several_each_failure_is_told_when_it_comes(
        self, bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run("download", "owl", "cat", "-o", tmp_path, "--base", bucket.base, "--jobs", 1, status=1)
        first, second, last = capsys.readouterr().err.splitlines()
        assert first.startswith("owl.ndjson: ")
        assert second == "cat.ndjson: 0.2 MB fetched (2 of 2)"
        assert last.startswith("sketchgen: error: 1 of 2 files could not be downloaded: owl.ndjson: ")

    def test_a_broken_connection_is_told_of(
        self,
        bucket: Bucket,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(transfer, "pause", lambda failures: 0.0)
        bucket.put(CATS, CAT, Answer(drop=HALF))
        run("download", "cat", "-o", tmp_path, "--base", bucket.base)
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
        program = started("dog", "cat", "-o", tmp_path, "--base", bucket.base, "--jobs", 1)
        until(lambda: part.exists() and part.stat().st_size == HALF)
        program.send_signal(number)
        out, err = program.communicate(timeout=15)
        release.set()
        assert (program.returncode, out) == (status, b"")
        last = b"error: interrupted; the same command goes on where it stopped\n"
        assert err.endswith(last) == (status == 130)
        assert b"Traceback" not in err
        run("download", "dog", "cat", "-o", tmp_path, "--base", bucket.base, "--jobs", 1)
        starts = [request.start for request in bucket.requests if request.path.endswith("cat.ndjson")]
        assert starts == [None, HALF]
        assert (tmp_path / "cat.ndjson").read_bytes() == CAT
        assert sorted(path.name for path in tmp_path.iterdir()) == ["cat.ndjson", "dog.ndjson"]

    def test_a_terminal_shows_a_bar(self, bucket: Bucket, tmp_path: Path) -> None:
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
        assert b"0.2 MB fetched" in text


class TestPrepare:
    def test_makes_a_store_and_reports(
        self, sample_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "store"
        run("prepare", sample_dir / "cat.ndjson", "-o", out)
        captured = capsys.readouterr()
        assert "60" in captured.out
        assert captured.err == ""
        assert (out / "train-00000.arrow").is_file()
        assert "--force" in failure(capsys, "prepare", sample_dir / "cat.ndjson", "-o", out)
        words = ["-c", "cat", "--max-per-category", 5, "--force"]
        run("prepare", "example:sample", "-o", out, *words)
        assert capsys.readouterr().out.split() != captured.out.split()

    def test_sources_for_training_only_stay_out_of_the_other_splits(
        self, sample_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cats, fish = sample_dir / "cat.ndjson", sample_dir / "fish.ndjson"
        run("prepare", cats, "-o", tmp_path / "cats")
        run("prepare", cats, "--training-only", fish, "-o", tmp_path / "both")
        assert "for training only" in capsys.readouterr().out
        kept = [Store.open(tmp_path / name).summary["kept"] for name in ("cats", "both")]
        assert [kept[1][split] for split in ("valid", "test")] == [
            kept[0][split] for split in ("valid", "test")
        ]
        assert kept[1]["train"] > kept[0]["train"]

    def test_refused(self, sample_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "store"
        assert "no sources" in failure(capsys, "prepare", "-o", out)
        assert "none" in failure(capsys, "prepare", tmp_path / "none", "-o", out)
        assert "jobs must be 1 or more, not 0" in failure(
            capsys, "prepare", sample_dir, "-o", out, "--jobs", 0
        )
        words = ["--max-per-category", 0]
        assert "max-per-category must be 1 or more, not 0" in failure(
            capsys, "prepare", sample_dir, "-o", out, *words
        )
        assert not out.exists()
