"""complete, generate, redraw and recognise: what is written, what is left out, and what goes on."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from commandline import LINE, failure, python, run

import sketchgen
from sketchgen.cli import main
from sketchgen.formats.read_write import read
from sketchgen.jobs.output import Folder
from sketchgen.models.checkpoint import CLASSIFIER, find_checkpoint

PARTIAL = sketchgen.example("half-a-cat")
OUTSIDE = [
    ("--count", 0, "from 1 to 10000000"),
    ("--best-of", 1001, "from 1 to 1000"),
    ("--jobs", 0, "from 1 to 256"),
    ("--temperature", "nan", "from 0 to 2"),
    ("--guidance", -1, "from 0 to 10"),
    ("--seed", 2**63, "from 0 to 9223372036854775807"),
]


@pytest.fixture
def tiny(checkpoint: Path) -> list[str]:
    """The option that names a small model of two categories, cat and sun."""
    return ["--checkpoint", str(checkpoint)]


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def header(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.jsonl").read_text().splitlines()[0])


class TestComplete:
    def test_a_folder_gets_a_file_each_and_a_sheet(
        self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "deep" / "out"
        run("complete", PARTIAL, "-c", "cat", "-n", 3, "-o", out, *tiny)
        names = [f"half-a-cat-{number}.svg" for number in (1, 2, 3)] + ["sheet.png"]
        captured = capsys.readouterr()
        assert captured.out.splitlines() == [str(out / name) for name in names]
        assert captured.err.startswith(f"{tiny[1]}: 3 completions, ")
        assert sorted(path.name for path in out.iterdir()) == sorted([*names, "manifest.jsonl"])
        assert 'id="added"' in (out / names[0]).read_text()

    def test_several_files_of_any_kind(
        self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "two cats.ndjson").write_text(LINE * 2)
        (tmp_path / "mark.ndjson.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + LINE.encode()))
        files = [tmp_path / "two cats.ndjson", PARTIAL, tmp_path / "mark.ndjson.gz"]
        run("complete", *files, "-n", 2, "-f", "json", "-o", tmp_path / "out", *tiny)
        stems = ["two-cats-1", "two-cats-2", "half-a-cat", "mark"]
        names = {f"{stem}-{number}.json" for stem in stems for number in (1, 2)}
        assert {path.name for path in (tmp_path / "out").iterdir()} == names | {"manifest.jsonl", "sheet.png"}
        assert [each["drawings"] for each in header(tmp_path / "out")["sources"]] == [2, 1, 1]
        assert len(read(tmp_path / "out" / "two-cats-2-1.json").strokes) >= 1
        alone = read(tmp_path / "out" / "half-a-cat-1.json")
        assert alone.strokes[0].tolist() == read(PARTIAL).strokes[0].tolist()

    def test_where_no_category_is_named_the_guesses_are_told(
        self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for number, words in enumerate(([], ["-c", "AUTO"])):
            run("complete", PARTIAL, "-n", 2, "--best-of", 2, *words, "-o", tmp_path / str(number), *tiny)
            assert re.match(
                r"the drawing: perhaps (cat|sun) \d+% or (cat|sun) \d+%\n", capsys.readouterr().err
            )
        assert content(tmp_path / "0") == content(tmp_path / "1")
        head, *lines = [json.loads(line) for line in (tmp_path / "0" / "manifest.jsonl").open()]
        assert head["categories"] == ["auto"]
        assert head["recogniser"] == find_checkpoint(None, CLASSIFIER).fingerprint()
        assert {line["category"] for line in lines} <= {"cat", "sun", None}
        run("redraw", tmp_path / "0" / "manifest.jsonl", 1, "-o", tmp_path / "one.svg")
        assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "0" / "half-a-cat-2.svg").read_bytes()
        run("complete", PARTIAL, "-c", "none", "-n", 1, "-o", tmp_path / "none", *tiny)
        assert "perhaps" not in capsys.readouterr().err

    def test_an_empty_drawing_becomes_something_at_random(
        self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "empty.json").write_text('{"strokes": [], "width": 90, "height": 90}')
        run("complete", tmp_path / "empty.json", "-n", 2, "-o", tmp_path / "out", *tiny)
        assert "at random" in capsys.readouterr().err
        lines = [json.loads(line) for line in (tmp_path / "out" / "manifest.jsonl").open()][1:]
        assert {line["category"] for line in lines} == {"cat", "sun"}

    def test_names_of_files_never_clash(self, tiny: list[str], tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "x.ndjson").write_text(LINE)
        files = [tmp_path / "a" / "x.ndjson", tmp_path / "b" / "x.ndjson"]
        run("complete", *files, "-n", 1, "-o", tmp_path / "out", *tiny)
        names = {path.name for path in (tmp_path / "out").glob("*.svg")}
        assert names == {"1-x-1.svg", "2-x-1.svg"}

    def test_what_cannot_be_read_is_left_out_and_reported(
        self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.ndjson").write_text(LINE + "{broken\n" + LINE)
        (tmp_path / "b.svg").write_text("no drawing")
        files = [tmp_path / "a.ndjson", tmp_path / "b.svg", tmp_path / "none.svg", "-c", "cat"]
        run("complete", *files, "-n", 1, "-o", tmp_path / "out", *tiny, status=1)
        line, svg, none, end = capsys.readouterr().err.splitlines()
        assert line.startswith("sketchgen: error: ")
        assert "a.ndjson, line 2" in line
        assert "b.svg" in svg
        assert "none.svg cannot be read: no such file" in none
        assert "2 completions" in end
        assert len(list((tmp_path / "out").glob("*.svg"))) == 2
        before = content(tmp_path / "out")
        run("complete", *files, "-n", 1, "-o", tmp_path / "out", *tiny, "--resume", status=1)
        assert content(tmp_path / "out") == before

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.svg", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hosts">]><svg>&b;</svg>'),
            ("a.ndjson", "{broken\n"),
            ("a.txt", "neither"),
        ],
    )
    def test_nothing_is_left(
        self, name: str, text: str, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / name).write_text(text)
        assert failure(capsys, "complete", tmp_path / name, "-o", tmp_path / "out", *tiny)
        assert not (tmp_path / "out").exists()

    def test_standard_input_is_as_good_as_a_file(
        self, tiny: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PARTIAL.read_bytes())))
        run("complete", "-", "-n", 1, *tiny)
        piped = capsys.readouterr().out
        run("complete", PARTIAL, "-n", 1, *tiny)
        assert capsys.readouterr().out == piped

    @pytest.mark.parametrize(
        ("words", "rank", "mirrored"),
        [
            ([], "reward", False),
            (["--best-of", 2], "reward", True),
            (["--best-of", 2, "--no-mirror"], "reward", False),
            (["--best-of", 2, "--rank", "likelihood"], "likelihood", False),
            (["--best-of", 2, "--rank", "classifier"], "recogniser", False),
        ],
    )
    def test_ranking_reaches_the_job(
        self, words: list[object], rank: str, mirrored: bool, tiny: list[str], tmp_path: Path
    ) -> None:
        run("complete", "example:face", "-n", 1, *words, "-o", tmp_path / "out", *tiny)
        found = header(tmp_path / "out")
        assert (found["rank"], found["sampling"]["mirrored"]) == (rank, mirrored)

    @pytest.mark.parametrize(("words", "closing"), [([], 24.0), (["--close-gaps", 0], 0.0)])
    def test_gaps_are_closed_unless_they_are_not_to_be(
        self, words: list[object], closing: float, tiny: list[str], tmp_path: Path
    ) -> None:
        given = tmp_path / "given.ndjson"
        dashes = [[[x, x + 12], [y, y]] for x in range(0, 149, 30) for y in range(0, 161, 30)]
        given.write_text(json.dumps({"drawing": dashes}) + "\n")
        run("complete", given, "-n", 20, "-t", 1, *words, "-o", tmp_path / "out", *tiny)
        assert header(tmp_path / "out")["sampling"]["closing"] == closing
        ends = {tuple(point) for dash in dashes for point in zip(*dash, strict=True)}
        drawn = [read(path).strokes[len(dashes) :] for path in (tmp_path / "out").glob("*.svg")]
        # An end that was moved stands exactly where a given line ends.
        met = sum(tuple(stroke[-1]) in ends for strokes in drawn for stroke in strokes)
        assert (met > 0) is (closing > 0)

    def test_a_page_keeps_its_size_and_what_is_broken_is_told(
        self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        page = tmp_path / "page.svg"
        page.write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297" '
            'stroke="red" fill="none"><path d="M9 9L90 90 V foo"/></svg>'
        )
        run("complete", page, "-c", "cat", "-o", tmp_path / "done.svg", *tiny)
        warnings = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
        assert warnings == [
            f"sketchgen: warning: {page}: the path 'M9 9L90 90 V foo' is drawn up to 'foo', "
            "which cannot be read; is it cut off?"
        ]
        text = (tmp_path / "done.svg").read_text()
        assert 'width="210mm"' in text
        assert 'inkscape:label="2 added"' in text
        # Whoever asks for several gets a sheet of them.
        run("complete", page, "-c", "cat", "-n", 2, "-o", tmp_path / "two.svg", *tiny)
        assert "210mm" not in (tmp_path / "two.svg").read_text()
        # So does whoever gives several pages.
        run("complete", page, page, "-c", "cat", "-o", tmp_path / "pages.svg", *tiny)
        assert "18 completions" in capsys.readouterr().err
        words = ["complete", "--strict", page, "-c", "cat", "-n", 1, "-o", tmp_path / "strict.svg", *tiny]
        assert "'foo', which cannot be read" in failure(capsys, *words)

    def test_refused(self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        line = failure(capsys, "complete", "example:half-a-dog")
        assert "half-a-cat" in line
        assert "pineapple" in line
        assert "one category" in failure(capsys, "complete", PARTIAL, "-c", "all", *tiny)
        assert "close-gaps must be a number from 0 to 100 px, not 101" in failure(
            capsys, "complete", PARTIAL, "--close-gaps", 101
        )
        (tmp_path / "a.ndjson").write_text(LINE * 11)
        words = ["complete", tmp_path / "a.ndjson", "-n", 1_000_000, *tiny]
        assert "at most 10000000" in failure(capsys, *words)

    def test_the_bundled_model_draws_without_torch(self, tmp_path: Path) -> None:
        heavy = "[n for n in ('torch', 'lightning', 'gradio', 'pyarrow') if n in sys.modules]"
        words = ["complete", "example:half-a-cat", "-n", "1", "-o", str(tmp_path / "out")]
        done = python(f"import sys\nfrom sketchgen.cli import main\nprint(main({words}), {heavy})")
        assert done.stdout.splitlines()[-1] == "0 []"
        assert "1 completion, 1 ended by itself" in done.stderr


class TestGenerate:
    def test_categories_are_plain_arguments(self, tiny: list[str], tmp_path: Path) -> None:
        for number, words in enumerate((["cat", "sun"], ["all"], ["-c", "cat", "-c", "SUN"])):
            out = tmp_path / str(number)
            run("generate", *words, "-n", 2, "-o", f"{out}/", *tiny)
            names = {path.name for path in out.glob("*.svg")}
            assert names == {"cat-1.svg", "cat-2.svg", "sun-1.svg", "sun-2.svg"}
        run("generate", "-n", 1, "-o", tmp_path / "any", *tiny)
        assert {path.name for path in (tmp_path / "any").glob("*.svg")} == {"drawing-1.svg"}

    @pytest.mark.parametrize("form", ["svg", "png", "ndjson"])
    def test_standard_output_is_what_a_file_gets(
        self, form: str, tiny: list[str], tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        run("generate", "cat", "-n", 1, "-f", form, *tiny)
        printed = capfdbinary.readouterr().out
        run("generate", "cat", "-n", 1, "-o", tmp_path / f"a.{form}", *tiny)
        assert (tmp_path / f"a.{form}").read_bytes() == printed

    def test_several_are_a_sheet_or_a_line_each(
        self, tiny: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        run("generate", "cat", "-n", 3, "-o", "-", *tiny)
        assert capsys.readouterr().out.count("<svg") == 1 + 3
        run("generate", "cat", "-n", 3, "-f", "ndjson", *tiny)
        assert len([json.loads(line) for line in capsys.readouterr().out.splitlines()]) == 3
        assert "--count 1" in failure(capsys, "generate", "-n", 2, "-f", "json", *tiny)

    @pytest.mark.parametrize(
        ("words", "rank"), [(["cat", "sun"], "recogniser"), ([], "recogniser"), (["none"], "likelihood")]
    )
    def test_the_classifier_ranks_what_it_knows(
        self, words: list[str], rank: str, tiny: list[str], tmp_path: Path
    ) -> None:
        run("generate", *words, "-n", 1, "-o", tmp_path / "out", *tiny)
        assert header(tmp_path / "out")["rank"] == rank

    @pytest.mark.parametrize(
        ("words", "line"),
        [
            (["cat", "sunn"], "did you mean 'sun'"),
            (["cat,sun"], "no category 'cat,sun'"),
            ([""], "no category ''"),
            (["--resume"], "nothing to be resumed"),
            (["--resume", "--force"], "leave out one of them"),
            (["-n", 6000000, "--best-of", 2], "are 12000000; at most 10000000"),
            (["--checkpoint", "nowhere"], "no stroke model 'nowhere'"),
            (["--rank", "reward"], "--rank reward is for complete"),
        ],
    )
    def test_refused_before_anything_is_drawn(
        self,
        words: list[object],
        line: str,
        tiny: list[str],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert line in failure(capsys, "generate", *tiny, "-o", tmp_path / "out", *words)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(("option", "value", "bounds"), OUTSIDE)
    def test_numbers_outside_their_bounds(
        self, option: str, value: object, bounds: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for command in (["complete", PARTIAL], ["generate"]):
            line = failure(capsys, *command, option, value)
            assert f"{option[2:]} must be a number {bounds}, not {value}" in line


class TestOutput:
    def test_nothing_is_replaced_without_force(
        self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mine = tmp_path / "cat-1.svg"
        mine.write_text("mine")
        told = ["generate", "cat", "-n", 2, *tiny]
        assert "--force" in failure(capsys, *told, "-o", tmp_path)
        assert "exists" in failure(capsys, *told, "-o", mine)
        assert (mine.read_text(), list(tmp_path.iterdir())) == ("mine", [mine])
        run(*told, "-o", tmp_path, "--force")
        assert mine.read_text() != "mine"

    def test_an_unwritable_folder(
        self,
        tiny: list[str],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # Whoever runs tests as root may write anywhere.
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        assert "not writable" in failure(capsys, "generate", "-o", tmp_path, *tiny)


class TestResume:
    def test_an_interruption_says_so_and_the_rest_is_the_same(
        self,
        tiny: list[str],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        told, put, puts = ["generate", "cat", "sun", "-n", 3, *tiny], Folder.write, [0]

        def interrupted(self: Folder, made: Any) -> str:
            puts[0] += 1
            if puts[0] == 4:
                raise KeyboardInterrupt
            return put(self, made)

        with monkeypatch.context() as patched:
            patched.setattr(Folder, "write", interrupted)
            run(*told, "-o", tmp_path / "out", status=130)
        line = capsys.readouterr().err
        assert line.endswith("interrupted; 3 of 6 are done, and --resume goes on\n")
        run(*told, "-o", tmp_path / "out", "--resume")
        assert capsys.readouterr().err.endswith("6 drawings, 3 were there from before\n")
        run(*told, "-o", tmp_path / "whole")
        assert content(tmp_path / "out") == content(tmp_path / "whole")

    def test_refused(self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = ["generate", "-n", 2, *tiny]
        assert "standard output cannot be resumed" in failure(capsys, *told, "-f", "ndjson", "--resume")
        run(*told, "-o", tmp_path / "out")
        capsys.readouterr()
        line = failure(capsys, *told, "-o", tmp_path / "out", "-s", 1, "--resume")
        assert "seed is 1 now and was 0" in line


class TestRedraw:
    def test_a_drawing_comes_again_bit_for_bit(
        self, tiny: list[str], tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        (tmp_path / "a.ndjson").write_text(LINE + '{"drawing": [[[0, 9, 20], [0, 100, 7]]]}\n')
        out, one = tmp_path / "out", tmp_path / "one.svg"
        best = ["--best-of", 2, "--rank", "likelihood"]
        run("complete", PARTIAL, tmp_path / "a.ndjson", "-n", 2, *best, "-o", out, *tiny)
        run("redraw", out / "manifest.jsonl", "a-2-1.svg", "-o", one)
        assert one.read_bytes() == (out / "a-2-1.svg").read_bytes()
        capfdbinary.readouterr()
        run("redraw", out / "manifest.jsonl", 1)
        assert capfdbinary.readouterr().out == (out / "half-a-cat-2.svg").read_bytes()
        run("redraw", out / "manifest.jsonl", 1, "-f", "ndjson")
        assert capfdbinary.readouterr().out.startswith(b"{")

    def test_refused(self, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        source, other = tmp_path / "a.ndjson", tmp_path / "other.ndjson"
        source.write_text(LINE)
        other.write_text(LINE * 2)
        run("complete", source, PARTIAL, "-n", 1, "-o", tmp_path / "out", *tiny)
        capsys.readouterr()
        manifest = tmp_path / "out" / "manifest.jsonl"
        assert "exists" in failure(capsys, "redraw", manifest, 0, "-o", tmp_path / "out" / "a-1.svg")
        assert "no drawing '4'" in failure(capsys, "redraw", manifest, 4)
        assert "no file name" in failure(capsys, "redraw", manifest, 0, "-o", tmp_path / "one")
        assert "2 inputs then, 1 --source now" in failure(capsys, "redraw", manifest, 0, "--source", other)
        moved = ["--source", other, "--source", PARTIAL]
        assert "content has changed" in failure(capsys, "redraw", manifest, 0, *moved)
        assert "not the model" in failure(capsys, "redraw", manifest, 0, "--checkpoint", "tiny")
        source.unlink()
        assert "no such file" in failure(capsys, "redraw", manifest, 0)


def test_large_runs_use_the_workers_that_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, tiny: list[str], tmp_path: Path
) -> None:
    asked: list[object] = []

    class Stopped(Exception):
        """Ends the run as soon as its workers are known."""

    def started(kind: str, value: object) -> None:
        asked.append((kind, value))
        raise Stopped

    workers = "sketchgen.jobs.executor.Processes"
    monkeypatch.setattr(workers, lambda count: started("processes", count))
    monkeypatch.setattr("sketchgen.jobs.ray_executor.Ray", lambda address: started("ray", address))
    monkeypatch.setattr("sketchgen.cli.progress.usable_cores", lambda: 7)
    out = ["-o", str(tmp_path / "out"), *tiny]
    for words in (["-n", "300"], ["-n", "501"], ["-n", "300", "--jobs", "2"], ["-n", "300", "--ray", "auto"]):
        with pytest.raises(Stopped):
            main(["generate", "cat", *words, *out])
    assert asked == [("processes", 1), ("processes", 7), ("processes", 2), ("ray", "auto")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--stream draws one completion, stroke by stroke; pass -n 1"),
        (["-n", 1, "--best-of", 2], "leave out --best-of"),
        (["-n", 1, "-o", "x.gcode"], "writes G-code to standard output; no -o, no -f"),
        (["-n", 1, "-f", "svg"], "no -o, no -f"),
        (["-n", 1, "--gcode-profile", "HPGL-R"], "'HPGL-R' counts from the last point"),
    ],
)
def test_what_cannot_be_streamed(capsys: pytest.CaptureFixture[str], arguments: list[object], words: str):
    how = ["complete", "example:half-a-cat", "-c", "cat", "--checkpoint", "tiny", "--stream"]
    assert words in failure(capsys, *how, *arguments)


def test_stroke_by_stroke(capsys: pytest.CaptureFixture[str]):
    how = ["-c", "cat", "--checkpoint", "tiny", "--stream", "-n", 1, "--gcode-profile", "grbl-servo"]
    run("complete", "example:half-a-cat", *how)
    text = capsys.readouterr().out
    assert text.startswith("G21\n")
    assert text.endswith("G0 X0 Y0\nM2\n")
