"""Jobs of many drawings on the command line: killed, interrupted, gone on with, made again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sketchgen
from sketchgen.cli import _with_address, main
from sketchgen.formats.read_write import read
from tests.support.interruptible import interruptible

ROOT = Path(sketchgen.__file__).parents[1]


def failure(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command line that must fail, and return its one line."""
    assert main([str(argument) for argument in arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1, captured.err
    return captured.err


def started(*arguments: object) -> subprocess.Popen[bytes]:
    """The program in a process of its own."""
    command = [sys.executable, "-m", "sketchgen", *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=interruptible
    )


def await_lines(manifest: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a manifest has so many lines."""
    until = time.monotonic() + 120
    while not manifest.exists() or manifest.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_killed_and_interrupted_and_gone_on_with(tmp_path: Path) -> None:
    out, manifest = tmp_path / "out", tmp_path / "out" / "manifest.jsonl"
    asked = ["generate", "--category", "cat,sun", "--count", "101"]
    first = started(*asked, "-o", out, "--jobs", 2)
    await_lines(manifest, 10, first)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    done = len(manifest.read_bytes().splitlines()) - 1
    assert 9 <= done < 120
    # As a kill in the middle of writing leaves it.
    (out / ".0123456789abcdef.tmp").write_bytes(b"<svg")
    second = started(*asked, "-o", out, "--jobs", 1, "--resume")
    await_lines(manifest, done + 5, second)
    second.send_signal(signal.SIGINT)
    words = second.communicate()[1].decode()
    assert second.returncode == 130
    assert "interrupted; " in words.splitlines()[-1]
    assert "of 120 are done, and --resume goes on" in words.splitlines()[-1]
    third = started(*asked, "-o", out, "--jobs", 1, "--resume")
    printed, words = (part.decode() for part in third.communicate())
    assert third.returncode == 0, words
    assert printed.splitlines() == [str(out / "sheet.png"), str(manifest)]
    whole = started(*asked, "-o", tmp_path / "whole", "--jobs", 1)
    assert whole.wait() == 0
    whole.communicate()
    assert content(out) == content(tmp_path / "whole")


class TestSmall:
    def test_the_manifest_says_what_drew(self, checkpoint: Path, tmp_path: Path) -> None:
        out = tmp_path / "out"
        assert main(["generate", "--count", "3", "--checkpoint", str(checkpoint), "-o", str(out)]) == 0
        header, *rows = map(json.loads, (out / "manifest.jsonl").read_text().splitlines())
        assert header["engine"] == "completer"
        assert header["sampling"]["checkpoint"] == str(checkpoint)
        assert [row["file"] for row in rows] == ["drawing-1.svg", "drawing-2.svg", "drawing-3.svg"]

    @pytest.mark.parametrize(("words", "closing"), [([], 24.0), (["--closing", "0"], 0.0)])
    def test_gaps_are_closed_unless_they_are_not_to_be(
        self, words: list[str], closing: float, checkpoint: Path, tmp_path: Path
    ) -> None:
        begun, out = tmp_path / "begun.ndjson", tmp_path / "out"
        dashes = [[[x, x + 12], [y, y]] for x in range(0, 149, 30) for y in range(0, 161, 30)]
        begun.write_text(json.dumps({"drawing": dashes}) + "\n")
        words = [*words, "--count", "60", "--temperature", "1", "--checkpoint", str(checkpoint)]
        assert main(["complete", str(begun), *words, "-o", str(out)]) == 0
        header = json.loads((out / "manifest.jsonl").read_text().splitlines()[0])
        assert header["sampling"]["closing"] == closing
        given = {tuple(point) for dash in dashes for point in zip(*dash, strict=True)}
        drawn = [read(path).strokes[len(dashes) :] for path in out.glob("*.svg")]
        assert len(drawn) == 60
        # An end that was moved stands exactly where a given line ends.
        met = sum(tuple(stroke[-1]) in given for strokes in drawn for stroke in strokes)
        assert (met > 0) is (closing > 0)

    @pytest.mark.parametrize(
        ("words", "mirrored"),
        [
            (["--best-of", "4"], True),
            (["--best-of", "4", "--no-mirror"], False),
            (["--best-of", "4", "--rank", "likelihood"], False),
            ([], False),
        ],
    )
    def test_images_in_a_mirror_are_among_candidates_unless_they_are_not_to_be(
        self, words: list[str], mirrored: bool, checkpoint: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "out"
        words = [*words, "--count", "2", "--checkpoint", str(checkpoint), "-o", str(out)]
        assert main(["complete", "example:face", *words]) == 0
        header = json.loads((out / "manifest.jsonl").read_text().splitlines()[0])
        assert header["sampling"]["mirrored"] is mirrored
        assert len(list(out.glob("*.svg"))) == 2

    def test_every_category(self, checkpoint: Path, tmp_path: Path) -> None:
        words = ["generate", "--category", "all", "--count", "2", "--checkpoint", str(checkpoint)]
        assert main([*words, "-o", str(tmp_path / "out")]) == 0
        names = {path.name for path in (tmp_path / "out").glob("*.svg")}
        assert names == {"cat-1.svg", "cat-2.svg", "sun-1.svg", "sun-2.svg"}

    def test_a_drawing_again(
        self, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out, begun = tmp_path / "out", tmp_path / "begun.ndjson"
        begun.write_text('{"drawing": [[[0, 50], [0, 100]]]}\n{"drawing": [[[0, 9, 20], [0, 100, 7]]]}\n')
        words = ["complete", str(begun), "--count", "2", "--best-of", "2", "--checkpoint", str(checkpoint)]
        assert main([*words, "-o", str(out)]) == 0
        one = tmp_path / "one.svg"
        capsys.readouterr()
        manifest = str(out / "manifest.jsonl")
        assert main(["redraw", manifest, "begun-2-1.svg", "-o", str(one)]) == 0
        assert one.read_bytes() == (out / "begun-2-1.svg").read_bytes()
        capsys.readouterr()
        assert "exists" in failure(capsys, "redraw", manifest, 0, "-o", one)
        assert "no drawing '4'" in failure(capsys, "redraw", manifest, 4)
        begun.write_text('{"drawing": [[[0, 51], [0, 100]]]}\n')
        assert "content has changed" in failure(capsys, "redraw", manifest, 0)
        told = ["redraw", manifest, 0, "--checkpoint", "tiny", "--source", begun]
        assert "not the model" in failure(capsys, *told)
        begun.unlink()
        assert "no such file" in failure(capsys, "redraw", manifest, 0)

    def test_again_with_resume(self, checkpoint: Path, tmp_path: Path) -> None:
        words = ["generate", "--count", "4", "--checkpoint", str(checkpoint), "-o", str(tmp_path / "out")]
        assert main(words) == 0
        before = content(tmp_path / "out")
        (tmp_path / "out" / "drawing-2.svg").unlink()
        assert main([*words, "--resume"]) == 0
        assert content(tmp_path / "out") == before

    def test_lines_on_standard_output_are_those_of_a_file(
        self, checkpoint: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        words = ["generate", "--count", "3", "--checkpoint", str(checkpoint), "--format", "ndjson"]
        assert main(words) == 0
        printed = capsysbinary.readouterr().out
        assert main([*words, "-o", str(tmp_path / "a.ndjson")]) == 0
        assert (tmp_path / "a.ndjson").read_bytes() == printed


class TestRefused:
    @pytest.mark.parametrize(
        ("words", "line"),
        [
            (["--category", "cat,sunn"], "did you mean 'sun'"),
            (["--category", "cat,"], "no category ''"),
            (["--resume"], "nothing to be resumed"),
            (["--resume", "--force"], "leave out one of them"),
            (["--count", "6000000", "--best-of", "2"], "at most 10000000 are made in a job"),
            (["--copy-distance", "3"], "name the store with --avoid-training"),
            (["--avoid-training", "nowhere"], "not a prepared store"),
            (["--checkpoint", "nowhere"], "no checkpoint 'nowhere'"),
        ],
    )
    def test_before_anything_is_drawn(
        self,
        words: list[str],
        line: str,
        checkpoint: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        told = ["generate", "--checkpoint", checkpoint, "-o", tmp_path / "out", *words]
        assert line in failure(capsys, *told)
        assert list(tmp_path.iterdir()) == []

    def test_several_categories_for_one_beginning(
        self, checkpoint: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = ["complete", "example:face", "--category", "cat,sun", "--checkpoint", checkpoint]
        assert "2 categories" in failure(capsys, *told)

    def test_resuming_standard_output(self, checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = ["generate", "--format", "ndjson", "--checkpoint", checkpoint, "--resume"]
        assert "standard output cannot be resumed" in failure(capsys, *told)

    def test_a_job_that_asked_for_something_else(
        self, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = ["generate", "--count", "2", "--checkpoint", str(checkpoint), "-o", str(tmp_path / "out")]
        assert main(told) == 0
        capsys.readouterr()
        assert "seed is 1 now and was 0" in failure(capsys, *told, "--seed", 1, "--resume")

    def test_an_unwritable_folder(
        self,
        checkpoint: Path,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # Who runs tests as root may write anywhere.
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        told = ["generate", "--checkpoint", checkpoint, "-o", tmp_path]
        assert "not writable" in failure(capsys, *told)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], []),
        (["--ray"], ["--ray", "auto"]),
        (["--ray", "--count", "3"], ["--ray", "auto", "--count", "3"]),
        (["--ray", "local", "-o", "x"], ["--ray", "local", "-o", "x"]),
        (["--count", "3"], ["--count", "3"]),
        (["-o", "--ray"], ["-o", "--ray", "auto"]),
    ],
)
def test_ray_without_an_address_is_the_cluster_around(given: list[str], wanted: list[str]) -> None:
    assert _with_address(given) == wanted
