"""Jobs of many drawings: the same drawings whoever makes them, in order, and gone on with after anything."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scribbles import (
    MARK,
    open_broken,
    open_dying,
    open_dying_once,
    open_failing,
    open_scribbles,
    scribble,
)

from sketchgen.errors import FormatError, OutputError, ProcessLostError, SettingError, SketchgenError
from sketchgen.formats.read_write import read, read_all
from sketchgen.formats.render_options import RenderOptions
from sketchgen.jobs.executor import InProcess, Processes, TaskQueue
from sketchgen.jobs.inputs import Source, open_source
from sketchgen.jobs.output import file_name, open_output
from sketchgen.jobs.run import Outcome, Run
from sketchgen.jobs.spec import Job, Sampling
from sketchgen.jobs.worker import Record, WorkerOptions

LINE = '{"word": "cat", "drawing": [[[0, %d], [0, 100]]]}\n'
EXECUTOR = InProcess(open_scribbles)


def job(count: int = 12, **settings: Any) -> Job:
    told: dict[str, Any] = {"categories": ("cat", "dog"), "names": ("cat", "dog")} | settings
    return Job(Sampling(), "batch", count=count, seed=3, **told)


def go(what: Job, out: Path, executor: Any = EXECUTOR, source: Source | None = None, **how: bool) -> Outcome:
    run = Run(what, source, open_output(out, what, **how), "weights")
    return run.go(executor, **how)


def lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Watched(InProcess):
    """Knows how far anything got ahead of the slowest."""

    most = 0

    def run(self, job: Job, options: WorkerOptions, queue: TaskQueue) -> Generator[Record]:
        for made in super().run(job, options, queue):
            self.most = max(self.most, made.number - queue.settled)
            yield made


class Stopping(InProcess):
    """Is interrupted after some drawings."""

    def __init__(self, after: int, factory: Callable[[Job], Any] = open_scribbles) -> None:
        super().__init__(factory)
        self.after = after

    def run(self, job: Job, options: WorkerOptions, queue: TaskQueue) -> Generator[Record]:
        for made in super().run(job, options, queue):
            yield made
            if queue.settled >= self.after:
                raise KeyboardInterrupt


@pytest.fixture
def beginnings(tmp_path: Path) -> Source:
    path = tmp_path / "begun.ndjson"
    path.write_text("".join(LINE % number for number in range(1, 13)))
    return open_source([("begun.ndjson", path)], 100, "")


class TestFolder:
    def test_every_drawing_has_its_file_and_its_line_in_order(self, tmp_path: Path) -> None:
        outcome = go(job(), tmp_path / "out")
        header, *rows = lines(tmp_path / "out" / "manifest.jsonl")
        assert (outcome.written, outcome.settled, outcome.resumed) == (24, 24, 0)
        assert (header["format"], header["version"], header["weights"]) == (
            "sketchgen-manifest",
            2,
            "weights",
        )
        assert header["sampling"]["limit"] == 250
        assert [row["number"] for row in rows] == list(range(24))
        assert [row["file"] for row in rows[11:14]] == ["cat-12.svg", "dog-01.svg", "dog-02.svg"]
        assert [row["index"] for row in rows] == [*range(12), *range(12)]
        names = sorted([row["file"] for row in rows] + ["manifest.jsonl", "sheet.png"])
        assert sorted(content(tmp_path / "out")) == names

    def test_what_is_written_is_what_was_drawn(self, tmp_path: Path) -> None:
        what = job()
        go(what, tmp_path / "out")
        rows = lines(tmp_path / "out" / "manifest.jsonl")[1:]
        for row, request in zip(rows, what.drawings(None), strict=True):
            drawn, found = scribble(request), read(tmp_path / "out" / row["file"])
            assert isinstance(drawn.item, type(found))
            assert found.strokes[0].tolist() == drawn.item.strokes[0].tolist()
            assert (row["log_likelihood"], row["points"]) == (drawn.completion.log_likelihood, drawn.points)
            assert row["ended"] == drawn.completion.ended

    def test_names_sort_as_numbers_do(self) -> None:
        names = [job(1000).name(number) for number in range(1000)]
        assert names == sorted(names)
        assert (names[0], names[-1]) == ("cat-0001", "cat-1000")
        many = Job(Sampling(), "batch", ("cat",), 10, 0, ("begun",), given=12)
        assert (many.name(0), many.name(119)) == ("begun-01-01", "begun-12-10")

    def test_completions_of_many_beginnings(self, tmp_path: Path, beginnings: Source) -> None:
        what = job(5, categories=(None,), names=("begun",), given=12)
        go(what, tmp_path / "out", source=beginnings)
        header, *rows = lines(tmp_path / "out" / "manifest.jsonl")
        assert header["sources"] == [
            {"name": "begun.ndjson", "drawings": 12, "sha256": beginnings.files[0].sha256}
        ]
        assert [row["index"] for row in rows] == [*range(5)] * 12
        for number, sketch in enumerate(beginnings.sketches(), 1):
            found = read(tmp_path / "out" / f"begun-{number:02d}-3.svg")
            assert found.strokes[0].tolist() == sketch.strokes[0].tolist()
        what = replace(what, count=2, render_options=RenderOptions("ndjson"))
        go(what, tmp_path / "all.ndjson", source=beginnings)
        ends = [sketch.strokes[0][-1][0] for sketch in read_all(tmp_path / "all.ndjson")]
        assert ends == [number for number in range(1, 13) for _ in range(2)]

    def test_memory_does_not_grow_with_the_job(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What waits and what is handed out is bounded by the window, whatever finishes when."""

        monkeypatch.setattr("sketchgen.jobs.executor.ROWS", 8)
        executor = Watched(open_scribbles)
        what = job(300, categories=("cat",), names=("cat",))
        go(what, tmp_path / "out.ndjson", executor)
        assert 0 < executor.most < executor.window(what) <= 100

    def test_a_slow_drawing_does_not_let_the_others_run_away(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Lagging:
            """Finishes the first drawing when nothing else is left to be done."""

            def draw(self, requests: Any) -> Any:
                requests = iter(requests)
                first = next(requests, None)
                yield from map(scribble, requests)
                if first is not None:
                    yield scribble(first)

        monkeypatch.setattr("sketchgen.jobs.executor.ROWS", 8)
        executor = Watched(lambda job: Lagging())
        what = job(40, render_options=RenderOptions("ndjson"))
        go(what, tmp_path / "a.ndjson", executor)
        assert 0 < executor.most < executor.window(what) < 80
        go(what, tmp_path / "b.ndjson")
        assert (tmp_path / "a.ndjson").read_bytes() == (tmp_path / "b.ndjson").read_bytes()


class TestOneFile:
    def test_lines_are_those_of_a_folder(self, tmp_path: Path) -> None:
        go(job(render_options=RenderOptions("ndjson")), tmp_path / "all.ndjson")
        go(job(render_options=RenderOptions("ndjson")), tmp_path / "out")
        rows = lines(tmp_path / "all.ndjson.manifest.jsonl")[1:]
        assert {row["file"] for row in rows} == {"all.ndjson"}
        each = [path.read_bytes() for path in sorted((tmp_path / "out").glob("*.ndjson"))]
        assert (tmp_path / "all.ndjson").read_bytes() == b"".join(each)
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "all.ndjson",
            "all.ndjson.manifest.jsonl",
            "out",
        ]

    @pytest.mark.parametrize(("name", "start"), [("a.svg", b"<svg"), ("a.png", b"\x89PNG")])
    def test_a_sheet(self, name: str, start: bytes, tmp_path: Path) -> None:
        go(job(4, render_options=RenderOptions(name[2:])), tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
        assert sorted(path.name for path in tmp_path.iterdir()) == [name, f"{name}.manifest.jsonl"]

    def test_one_drawing_has_no_manifest(self, tmp_path: Path) -> None:
        go(job(1, categories=("cat",), names=("cat",)), tmp_path / "a.svg")
        assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]

    def test_of_more_than_it_holds(self, tmp_path: Path) -> None:
        with pytest.raises(SettingError, match="24 drawings for one"):
            go(job(render_options=RenderOptions("gif")), Path("-"))
        with pytest.raises(SettingError, match="takes 5000 at most"):
            go(job(3000), tmp_path / "a.svg")


@pytest.mark.parametrize("name", ["out", "all.ndjson", "all.svg"])
class TestResume:
    """A job that was ended is gone on with, and is in the end what it would have been."""

    def look(self, name: str) -> RenderOptions:
        return RenderOptions("ndjson" if name.endswith("ndjson") else "svg")

    def all(self, folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }

    def test_after_ctrl_c(self, name: str, tmp_path: Path) -> None:
        what = job(render_options=self.look(name))
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
        with pytest.raises(KeyboardInterrupt):
            go(what, tmp_path / "a" / name, Stopping(9))
        assert not (tmp_path / "a" / name).is_file()
        outcome = go(what, tmp_path / "a" / name, resume=True)
        assert (outcome.written, outcome.resumed >= 9) == (24, True)
        go(what, tmp_path / "b" / name)
        assert self.all(tmp_path / "a") == self.all(tmp_path / "b")

    def test_after_a_torn_line(self, name: str, tmp_path: Path) -> None:
        what = job(render_options=self.look(name))
        with pytest.raises(KeyboardInterrupt):
            go(what, tmp_path / name, Stopping(10))
        manifest = open_output(tmp_path / name, what, resume=True).manifest
        assert manifest is not None
        manifest.write_bytes(manifest.read_bytes()[:-17])
        outcome = go(what, tmp_path / name, resume=True)
        assert outcome.settled == 24
        assert [row["number"] for row in lines(manifest)[1:]] == list(range(24))

    def test_when_all_is_done(self, name: str, tmp_path: Path) -> None:
        what = job(render_options=self.look(name))
        go(what, tmp_path / name)
        before = self.all(tmp_path)
        outcome = go(what, tmp_path / name, InProcess(open_failing), resume=True)
        assert (outcome.settled, outcome.resumed) == (24, 24)
        assert self.all(tmp_path) == before

    def test_of_another_job_or_of_nothing(self, name: str, tmp_path: Path) -> None:
        what = job(render_options=self.look(name))
        with pytest.raises(SettingError, match="nothing to be resumed"):
            go(what, tmp_path / name, resume=True)
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(KeyboardInterrupt):
            go(what, tmp_path / name, Stopping(10))
        before = self.all(tmp_path)
        changes: list[tuple[dict[str, Any], str]] = [
            ({"seed": 4}, "seed is 4 now and was 3"),
            ({"sampling": Sampling(temperature=0.25)}, "sampling.temperature is 0.25 now and was 0.5"),
            ({"unique": True}, "unique is true now and was false"),
        ]
        for change, words in changes:
            with pytest.raises(SettingError, match=words):
                go(replace(what, **change), tmp_path / name, resume=True)
        assert self.all(tmp_path) == before

    def test_after_the_disk_was_full(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        what, room, write = job(render_options=self.look(name)), 9_000, os.write

        def full(descriptor: int, data: bytes) -> int:
            nonlocal room
            part = bytes(data)[: max(0, room)]
            room -= len(data)
            if not part:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(descriptor, part)

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OutputError, match="no space left"):
            go(what, tmp_path / name)
        monkeypatch.undo()
        target = open_output(tmp_path / name, what, resume=True)
        manifest = target.manifest
        assert manifest is not None
        assert all(target.has(row) for row in lines(manifest)[1:]), "a line is older than what it is about"
        assert [row["number"] for row in lines(manifest)[1:]] == list(range(len(lines(manifest)) - 1))
        assert not [path for path in tmp_path.rglob("*.tmp")]
        outcome = go(what, tmp_path / name, resume=True)
        assert 0 < outcome.resumed < outcome.settled == 24


class TestResumedFolder:
    def test_a_file_that_is_gone_is_made_again_and_a_damaged_manifest_refused(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        go(job(), out)
        before = content(out)
        (out / "cat-09.svg").unlink()
        (out / "dog-07.svg").write_bytes(b"")
        outcome = go(job(), out, resume=True)
        assert (outcome.resumed, outcome.settled) == (8, 24)
        assert content(out) == before
        rows = (out / "manifest.jsonl").read_bytes().splitlines(keepends=True)
        (out / "manifest.jsonl").write_bytes(b"".join(rows[:5] + rows[6:]))
        with pytest.raises(FormatError, match="line 6 is damaged"):
            go(job(), out, resume=True)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a shopping list\n", "no manifest"),
            ('{"format": "sketchgen-manifest", "version": 1}\n', "version 1, this program reads 2"),
        ],
    )
    def test_no_manifest_of_ours(self, text: str, words: str, tmp_path: Path) -> None:
        (tmp_path / "manifest.jsonl").write_text(text)
        with pytest.raises(FormatError, match=words):
            go(job(), tmp_path, resume=True)
        assert (tmp_path / "manifest.jsonl").read_text() == text

    def test_near_duplicates_are_known_after_a_resume(self, tmp_path: Path) -> None:
        def again(job: Job) -> Any:
            class Again:
                def draw(self, requests: Any) -> Any:
                    for request in requests:
                        drawn = scribble(replace(request, index=request.index % 8))
                        yield replace(drawn, request=request)

            return Again()

        what = job(unique=True)
        go(what, tmp_path / "a", InProcess(again))
        rows = lines(tmp_path / "a" / "manifest.jsonl")[1:]
        assert [row.get("dropped") for row in rows[8:12]] == [
            f"near-duplicate of drawing {number}" for number in range(4)
        ]
        assert rows[12].get("dropped") is None, "another category has seen nothing yet"
        with pytest.raises(KeyboardInterrupt):
            go(what, tmp_path / "b", Stopping(5, again))
        go(what, tmp_path / "b", InProcess(again), resume=True)
        assert content(tmp_path / "a") == content(tmp_path / "b")


class TestRefused:
    def test_what_is_there(self, tmp_path: Path) -> None:
        beside = tmp_path / "a.ndjson.manifest.jsonl"
        beside.write_text("mine")
        with pytest.raises(OutputError, match="not empty"):
            go(job(), tmp_path)
        with pytest.raises(OutputError, match="--resume or --force"):
            go(job(render_options=RenderOptions("ndjson")), tmp_path / "a.ndjson")
        with pytest.raises(OutputError, match="cannot be used as a folder"):
            go(job(), beside / "out")
        assert (beside.read_text(), list(tmp_path.iterdir())) == ("mine", [beside])

    @pytest.mark.parametrize("name", ["out", "a.ndjson", "a.svg"])
    def test_what_fails_at_once_leaves_nothing_behind(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(SettingError, match="no such engine"):
            go(
                job(render_options=RenderOptions("ndjson" if "nd" in name else "svg")),
                tmp_path / name,
                InProcess(open_failing),
            )
        assert list(tmp_path.iterdir()) == []

    def test_sources(self, tmp_path: Path) -> None:
        path = tmp_path / "begun.ndjson"
        path.write_text(LINE % 1 + "{broken\n" + LINE % 2)
        with pytest.raises(FormatError, match="line 2"):
            open_source([(str(path), path)], 100, "")
        path.write_text(LINE % 1 * 4)
        with pytest.raises(SettingError, match="more than 3 drawings"):
            open_source([(str(path), path)], 3, "")


class TestChoosing:
    def test_the_best_is_the_likeliest_per_point(self, tmp_path: Path) -> None:
        what = job(best_of=6)
        go(what, tmp_path / "out")
        rows = lines(tmp_path / "out" / "manifest.jsonl")[1:]
        for row, drawing in zip(rows, what.drawings(None), strict=True):
            drawn = [scribble(request) for request in what.candidates(drawing)]
            assert [one.request.index for one in drawn] == [drawing.index * 6 + k for k in range(6)]
            likely = [(one.completion.ended, one.completion.log_likelihood / one.points) for one in drawn]
            best = drawn[likely.index(max(likely))]
            assert row["index"] == best.request.index


class TestProcesses:
    @pytest.fixture(autouse=True)
    def _mark(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(MARK, str(tmp_path / "mark"))

    def test_two_draw_what_one_does(self, tmp_path: Path, beginnings: Source) -> None:
        what = job(6, categories=(None,), names=("begun",), given=12, best_of=2)
        go(what, tmp_path / "a", source=beginnings)
        go(what, tmp_path / "b", Processes(2, open_scribbles), source=beginnings)
        assert content(tmp_path / "a") == content(tmp_path / "b")

    def test_one_that_is_killed_costs_nothing_but_time(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        go(job(), tmp_path / "a")
        go(job(), tmp_path / "b", Processes(2, open_dying_once))
        assert (tmp_path / "mark").exists()
        assert "a worker was lost" in capsys.readouterr().err
        assert content(tmp_path / "a") == content(tmp_path / "b")

    def test_when_all_are_killed_again_and_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sketchgen.jobs.executor.MAX_LOST", 1)
        with pytest.raises(ProcessLostError, match="2 workers were lost"):
            go(job(40), tmp_path / "out", Processes(1, open_dying))
        if (tmp_path / "out").exists():
            assert go(job(40), tmp_path / "out", resume=True).settled == 80

    @pytest.mark.parametrize(
        ("opener", "words"), [(open_failing, "no such engine"), (open_broken, "something of the system's")]
    )
    def test_errors_of_a_worker_are_told(
        self, opener: Callable[[Job], Any], words: str, tmp_path: Path
    ) -> None:
        with pytest.raises(SketchgenError, match=words):
            go(job(), tmp_path / "out", Processes(1, opener))


@pytest.mark.parametrize("text", ["\U00020000" * 80, "a" * 300, "猫" * 100, "a\udc80b", "../../x", "-", ""])
def test_a_file_name_is_short_in_bytes_and_stays_in_its_folder(text: str) -> None:
    name = file_name(text)
    assert 0 < len(name.encode()) <= 80
    assert Path(name).name == name
