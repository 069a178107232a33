"""The command line as people meet it: help, exit statuses, one-line errors, files that are written."""

from __future__ import annotations

import errno
import importlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import sketchgen
from sketchgen.cli import COMMANDS, main
from sketchgen.cli.drawing_commands import _rank
from sketchgen.cli.progress import shown_progress, shown_rate, shown_steps
from sketchgen.cli.times import duration
from sketchgen.errors import CheckpointError, SettingError, unknown_category
from sketchgen.models.config import CELLS, ModelConfig
from sketchgen.ranking.ranker import Candidate
from sketchgen.sketch.sketch import Box, Completion, Sketch
from sketchgen.training.candidates import CandidateSpec
from sketchgen.training.config import ReinforceConfig, TrainConfig

PARTIAL = sketchgen.example("half-a-cat")
LINE = '{"word": "cat", "drawing": [[[0, 255], [0, 100]]]}\n'
ADDED = [[(120.0, 120.0), (140.0, 150.0)], [(150.0, 150.0)]]


class FakeCompleter:
    """Draws the same two strokes whatever it is given."""

    def __init__(self, name: str | None) -> None:
        if name == "missing":
            raise CheckpointError("no bundled checkpoint 'missing'; bundled are default")
        self.name = name or "default"
        self.categories = ("The Mona Lisa", "cat", "dog")
        self.summary = {"steps": 10, "nats_per_point": 7.5}
        self.config = ModelConfig(self.categories, width=8)

    def closing_within(self, closing: float) -> FakeCompleter:
        return self

    def known(self, category: str | None) -> None:
        if category is not None and category not in self.categories:
            raise unknown_category(category, self.categories)

    def candidates(
        self, sketch: Sketch, category: str | None, count: int, *_: object, **more: object
    ) -> list[Candidate]:
        self.known(category)
        added = Sketch.from_strokes(ADDED, page=sketch.page, category=category)
        return [Candidate(Completion(sketch, added, ended=number % 2 == 0)) for number in range(count)]

    def generate(self, category: str | None, count: int, temperature: float, seed: int) -> list[Sketch]:
        self.known(category)
        return [Sketch.from_strokes(ADDED, page=Box(0, 0, 255, 255), category=category)] * count


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that needs no weights, in the place of the real one."""
    monkeypatch.setattr("sketchgen.completion.completer.load", FakeCompleter)


def trainings_asked_for(monkeypatch: pytest.MonkeyPatch) -> list[TrainConfig]:
    """The list to which trainings are added instead of being begun."""
    asked: list[TrainConfig] = []

    def noted(config: TrainConfig, **_: object) -> Path:
        asked.append(config)
        return config.out

    monkeypatch.setattr("sketchgen.training.trainer.fit", noted)
    return asked


def failure(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 1) -> str:
    """Run a command line that must fail, and return its one line."""
    assert main([str(argument) for argument in arguments]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("sketchgen: error: ")
    return lines[0]


def program(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program in a Python of its own; `code` runs after it."""
    script = f"import sys\nfrom sketchgen.cli import main\nstatus = main()\n{code}\nsys.exit(status)"
    root = Path(sketchgen.__file__).parents[1]
    env = {**os.environ, "PYTHONPATH": str(root), "COLUMNS": "100"}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


class TestHelp:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_is_a_manual_with_examples(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([name, "--help"]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        assert f"usage: sketchgen {name}" in captured.out
        assert "Examples:" in captured.out
        assert f"sketchgen {name} " in captured.out.split("Examples:")[1]
        assert len(captured.out.splitlines()) >= 15

    def test_names_every_cell_that_a_network_may_have(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["train", "--help"]) == 0
        assert f"{{{','.join(CELLS)}}}" in capsys.readouterr().out

    @pytest.mark.parametrize("cell", CELLS)
    def test_each_of_them_can_be_asked_for(
        self, cell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = ["train", tmp_path / "none", "-o", tmp_path / "run", "--cell", cell, "--steps", 1]
        assert str(tmp_path / "none") in failure(capsys, *told)

    @pytest.mark.parametrize(
        ("options", "rank"),
        [
            (["--category", "cat"], "reward"),
            ([], "reward"),
            (["--category", "cat", "--rank", "likelihood"], "likelihood"),
            (["--category", "cat", "--rank", "recogniser"], "recogniser"),
        ],
    )
    def test_what_goes_on_with_a_drawing_is_chosen_by_the_critic(
        self, options: list[str], rank: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        told = ["complete", PARTIAL, "--count", 1, "--best-of", 2, "-o", out, *options]
        assert main([str(word) for word in told]) == 0
        header = json.loads((out / "manifest.jsonl").read_text().splitlines()[0])
        assert header["rank"] == rank
        assert ("critic" in header) is (rank == "reward")
        assert (header["recogniser"] is None) is (rank == "likelihood")
        capsys.readouterr()

    @pytest.mark.parametrize(
        ("categories", "rank"),
        [
            (("cat", "The Mona Lisa"), "recogniser"),
            (("cat", "gryphon"), "likelihood"),
            ((None,), "likelihood"),
        ],
    )
    def test_what_the_recogniser_does_not_know_it_does_not_choose(
        self, categories: tuple[str | None, ...], rank: str
    ) -> None:
        assert _rank(None, categories, None) == rank
        assert _rank("likelihood", categories, None) == "likelihood"
        assert _rank(None, categories, 3) == "reward"

    def test_the_critic_does_not_choose_among_drawings_from_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = ["generate", "--category", "cat", "--best-of", 2, "--rank", "reward", "-o", tmp_path / "out"]
        assert "take --rank recogniser or likelihood" in failure(capsys, *told)

    def test_teachers_take_part_in_training(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = trainings_asked_for(monkeypatch)
        told = ["train", tmp_path, "-o", tmp_path / "run", "--steps", 1]
        for more in ([], ["--teacher", "big", "--teacher", "tiny"], ["--teacher", "big", "--teaching", 0.25]):
            assert main([str(word) for word in told + more]) == 0
        assert [config.teachers for config in asked] == [(), ("big", "tiny"), ("big",)]
        assert [config.distillation for config in asked] == [0.7, 0.7, 0.25]
        capsys.readouterr()

    def test_what_is_preferred_reaches_the_training(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = trainings_asked_for(monkeypatch)
        told = ["train", tmp_path, "-o", tmp_path / "run", "--steps", 1, "--from", "tiny"]
        for more in ([], ["--rehearsals", "ways"], ["--rehearsals", "ways", "--preference", 0.25]):
            assert main([str(word) for word in told + more]) == 0
        assert [config.candidates for config in asked] == [None, Path("ways"), Path("ways")]
        assert [config.preference_weight for config in asked] == [1.0, 1.0, 0.25]
        capsys.readouterr()

    def test_how_it_practises_reaches_the_training(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = trainings_asked_for(monkeypatch)
        told = ["train", tmp_path, "-o", tmp_path / "run", "--steps", 1, "--from", "tiny"]
        more = ["--ways", 8, "--best-of", 2, "--practice-weight", 0.5, "--judge", "seen"]
        for practised in ([], ["--practise", 90], ["--practise", 90, *more]):
            assert main([str(word) for word in told + practised]) == 0
        assert [config.reinforce for config in asked] == [
            None,
            ReinforceConfig(sketches=90),
            ReinforceConfig(sketches=90, rollouts=8, best_of=2, weight=0.5, classifier="seen"),
        ]
        capsys.readouterr()

    def test_what_is_to_be_rehearsed_reaches_the_model(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked: list[object] = []
        monkeypatch.setattr(
            "sketchgen.training.candidates.draw_candidates", lambda *told: asked.extend(told[:3])
        )
        out = tmp_path / "ways"
        told = ["rehearse", tmp_path, "-o", out, "--model", "tiny", "--beginnings", 90, "--ways", 4]
        assert main([str(word) for word in [*told, "--jobs", 2, "--seed", 3]]) == 0
        assert asked == [CandidateSpec(str(tmp_path), "train", "tiny", 90, 4, 3), out, 2]
        assert capsys.readouterr().out == f"{out}\n"

    @pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
    def test_overview_names_every_command(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert all(f"\n  {name} " in out for name in COMMANDS)

    def test_version(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--version"]) == 0
        assert capsys.readouterr().out == f"sketchgen {sketchgen.__version__}\n"

    @pytest.mark.parametrize("name", COMMANDS)
    def test_loads_nothing_heavy(self, name: str) -> None:
        heavy = "[n for n in ('torch', 'lightning', 'gradio', 'numpy', 'rich') if n in sys.modules]"
        done = program(name, "--help", code=f"print({heavy}, file=sys.stderr)")
        assert (done.returncode, done.stderr.strip()) == (0, "[]")


class TestComplete:
    def test_the_bundled_model_draws_without_torch(self, tmp_path: Path) -> None:
        heavy = "[n for n in ('torch', 'lightning', 'gradio', 'pyarrow') if n in sys.modules]"
        arguments = ["example:half-a-cat", "--count", "2", "-o", str(tmp_path / "out")]
        done = program("complete", *arguments, code=f"print({heavy}, file=sys.stderr)")
        assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (0, "[]")


class TestUsage:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["complete"],
            ["complete", "-", "--count", "many"],
            ["complete", "-", "--no-such-option"],
            ["generate", "--format", "pdf"],
            ["train", "store"],
            ["train", "store", "-o", "run", "--cell", "transformer"],
            ["evaluate", "run"],
        ],
    )
    def test_exits_2(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(arguments) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err

    @pytest.mark.parametrize(("arguments", "hint"), [(["complte"], "'complete'"), ([], "name a command")])
    def test_no_such_command(
        self, arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert hint in failure(capsys, *arguments, status=2)


class TestNumbers:
    @pytest.mark.parametrize(
        ("option", "value", "limit"),
        [
            ("count", "0", "1 to 10000000"),
            ("count", "10000001", "1 to 10000000"),
            ("count", "-1", "1 to 10000000"),
            ("best-of", "0", "1 to 1000"),
            ("best-of", "1001", "1 to 1000"),
            ("jobs", "0", "1 to 256"),
            ("copy-distance", "nan", "above 0"),
            ("temperature", "nan", "from 0"),
            ("temperature", "inf", "from 0"),
            ("temperature", "-0.1", "from 0"),
            ("temperature", "2.1", "to 2"),
            ("seed", "-1", "from 0"),
            ("seed", str(2**63), "from 0"),
        ],
    )
    @pytest.mark.parametrize("command", [["complete", PARTIAL], ["generate"]])
    def test_outside_their_limits(
        self,
        command: list[str],
        option: str,
        value: str,
        limit: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        line = failure(capsys, *command, f"--{option}", value)
        assert option in line
        assert limit in line

    @pytest.mark.parametrize("value", ["-1", "100.5", "nan"])
    def test_gaps_outside_their_limits(self, value: str, capsys: pytest.CaptureFixture[str]) -> None:
        line = failure(capsys, "complete", PARTIAL, "--closing", value)
        assert line.endswith(f"closing is {value} px; it must be from 0 (none) to 100")

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("layers", "0"),
            ("width", "-1"),
            ("components", "0"),
            ("batch", "0"),
            ("steps", "0"),
            ("seed", "-1"),
            ("time-limit", "0s"),
            ("time-limit", "90"),
            ("time-limit", "soon"),
            ("time-limit", "9999h"),
        ],
    )
    def test_of_training(
        self, option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = failure(capsys, "train", tmp_path, "-o", tmp_path / "run", f"--{option}", value)
        assert option.replace("-", " ") in line

    @pytest.mark.parametrize(
        ("text", "seconds"), [("45s", 45), ("90m", 5400), ("1h30m", 5400), ("0.5h", 1800)]
    )
    def test_durations(self, text: str, seconds: float) -> None:
        assert duration(text) == seconds

    @pytest.mark.parametrize("text", ["", "m", "1m1h", "-1m", "1d", "nanm", "1e3s"])
    def test_no_durations(self, text: str) -> None:
        with pytest.raises(SettingError, match="time limit"):
            duration(text)


@pytest.mark.usefixtures("fake")
class TestBadInput:
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.svg", ""),
            ("a.svg", "no drawing"),
            ("a.svg", '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hosts">]><svg>&b;</svg>'),
            ("a.ndjson", LINE + "{broken\n"),
            ("a.json", '{"strokes": [[[NaN, 0]]]}'),
            ("a.ndjson", '{"word": "cat", "drawing": [[[1e308, 0], [0, 1]]]}'),
            ("a.txt", "neither"),
        ],
    )
    def test_file(self, name: str, content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / name
        path.write_text(content)
        out = tmp_path / "out"
        assert name in failure(capsys, "complete", path, "-o", out) or "stroke" in content
        assert not out.exists()

    def test_no_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "no such file" in failure(capsys, "complete", tmp_path / "none.svg")

    def test_no_example_names_those_there_are(self, capsys: pytest.CaptureFixture[str]) -> None:
        line = failure(capsys, "complete", "example:half-a-dog")
        assert "half-a-cat" in line
        assert "pineapple" in line

    @pytest.mark.parametrize("command", [["complete", PARTIAL], ["generate"]])
    def test_unknown_category(
        self, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = failure(capsys, *command, "--category", "cta", "-o", tmp_path / "out")
        assert "did you mean 'cat'" in line
        assert not (tmp_path / "out").exists()

    def test_no_checkpoint(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "bundled are" in failure(capsys, "info", "missing")

    def test_too_many_drawings(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "a.ndjson"
        path.write_text(LINE * 11)
        assert "at most 10000000" in failure(capsys, "complete", path, "--count", 1_000_000)

    def test_several_drawings_in_one_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "--count 1" in failure(capsys, "complete", PARTIAL, "--format", "json")

    def test_prepare_without_sources(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "no sources" in failure(capsys, "prepare", "-o", tmp_path / "store")

    def test_a_recipe_and_a_checkpoint_to_start_from(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = ["train", tmp_path, "-o", tmp_path / "run", "--from", "quickdraw345", "--preset", "sketch-rnn"]
        assert "leave out --preset" in failure(capsys, *told, "--steps", 1)

    def test_a_share_of_teachers_without_one(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = ["train", tmp_path, "-o", tmp_path / "run", "--steps", 1, "--teaching", 0.5]
        assert "name one by --teacher" in failure(capsys, *told)

    def test_preferences_without_what_was_rehearsed(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = ["train", tmp_path, "-o", tmp_path / "run", "--steps", 1]
        assert "name it by --rehearsals" in failure(capsys, *told, "--preference", 0.5)
        assert "by --from" in failure(capsys, *told, "--rehearsals", tmp_path)

    def test_bad_options_of_practice(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        told = ["train", tmp_path, "-o", tmp_path / "run", "--steps", 1]
        for option, value in (("--ways", 8), ("--best-of", 2), ("--practice-weight", 2), ("--judge", "seen")):
            assert "add --practise 256" in failure(capsys, *told, option, value)
        assert "best_of must be from 1 to 15" in failure(capsys, *told, "--practise", 8, "--best-of", 16)
        assert "sketches must be from 2" in failure(capsys, *told, "--practise", 1)

    def test_bad_options_of_a_rehearsal(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "ways"
        assert "jobs" in failure(capsys, "rehearse", tmp_path, "-o", out, "--jobs", 0)
        assert "candidates must be from 1" in failure(capsys, "rehearse", tmp_path, "-o", out, "--ways", 0)
        assert "sketchgen prepare" in failure(capsys, "rehearse", tmp_path / "none", "-o", out)
        assert "not a prepared store" in failure(capsys, "rehearse", tmp_path, "-o", out)

    def test_no_store(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "sketchgen prepare" in failure(capsys, "train", tmp_path / "none", "-o", tmp_path / "run")


@pytest.mark.usefixtures("fake")
class TestFolder:
    def test_gets_a_file_each_and_a_sheet(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "deep" / "out"
        assert main(["complete", str(PARTIAL), "--category", "cat", "-o", str(out)]) == 0
        names = [f"half-a-cat-{number}.svg" for number in range(1, 10)] + ["sheet.png"]
        captured = capsys.readouterr()
        assert captured.out.splitlines() == [str(out / name) for name in names]
        assert captured.err == "quickdraw345: 9 completions, 5 ended by themselves\n"
        assert sorted(path.name for path in out.iterdir()) == sorted([*names, "manifest.jsonl"])
        assert 'id="added"' in (out / names[0]).read_text()
        assert (out / "sheet.png").read_bytes().startswith(b"\x89PNG")

    def test_is_refused_where_it_holds_something(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mine = tmp_path / "half-a-cat-1.svg"
        mine.write_text("mine")
        assert "--force" in failure(capsys, "complete", PARTIAL, "-o", tmp_path)
        assert (mine.read_text(), list(tmp_path.iterdir())) == ("mine", [mine])
        assert main(["complete", str(PARTIAL), "-o", str(tmp_path), "--force"]) == 0
        assert mine.read_text() != "mine"

    def test_of_every_drawing_in_a_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "two cats.ndjson"
        path.write_text(LINE * 2)
        out = tmp_path / "out"
        assert main(["complete", str(path), "--count", "2", "-o", str(out), "--format", "json"]) == 0
        found = sorted(item.name for item in out.iterdir())
        names = [f"two-cats-{a}-{b}.json" for a in (1, 2) for b in (1, 2)]
        assert found == ["manifest.jsonl", "sheet.png", *names]

    def test_of_generated_drawings(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "out"
        assert main(["generate", "--category", "The Mona Lisa", "--count", "1", "-o", str(out)]) == 0
        assert sorted(item.name for item in out.iterdir()) == [
            "The-Mona-Lisa-1.svg",
            "manifest.jsonl",
            "sheet.png",
        ]

    def test_a_file_is_told_by_its_suffix(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "cat.png"
        assert main(["complete", "example:face", "-o", str(out)]) == 0
        first = out.read_bytes()
        assert first.startswith(b"\x89PNG")
        capsys.readouterr()
        assert "exists" in failure(capsys, "complete", "example:face", "-o", out)
        assert out.read_bytes() == first


@pytest.mark.usefixtures("fake")
class TestStandardOutput:
    @pytest.mark.parametrize(
        ("form", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("json", b"{"), ("ndjson", b"{")]
    )
    def test_one_is_given_as_it_is(
        self, form: str, start: bytes, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        assert main(["complete", str(PARTIAL), "--count", "1", "--format", form]) == 0
        assert capfdbinary.readouterr().out.startswith(start)

    def test_several_are_one_sheet(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["complete", str(PARTIAL)]) == 0
        assert capsys.readouterr().out.count('class="added"') == 9

    def test_ndjson_is_a_line_each(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["generate", "--count", "3", "--format", "ndjson", "-o", "-"]) == 0
        assert len([json.loads(line) for line in capsys.readouterr().out.splitlines()]) == 3

    def test_from_standard_input(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(PARTIAL.read_bytes())))
        assert main(["complete", "-", "--count", "1"]) == 0
        piped = capsys.readouterr().out
        assert main(["complete", str(PARTIAL), "--count", "1"]) == 0
        assert capsys.readouterr().out == piped


@pytest.mark.usefixtures("fake")
class TestInfo:
    def test_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["info", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["name"] == "default"
        assert found["categories"] == ["The Mona Lisa", "cat", "dog"]
        assert (found["config"]["cell"], found["config"]["width"]) == ("lstm", 8)
        assert "categories" not in found["config"]
        assert found["training"]["steps"] == 10

    def test_for_people(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["info", "default"]) == 0
        out = capsys.readouterr().out
        assert "The Mona Lisa, cat, dog" in out
        assert "nats per point" in out


class TestEvaluate:
    FIGURES = {  # noqa: RUF012
        "nats_per_point": 7.5,
        "nats_per_point_se": 0.01,
        "nats_per_sketch": 300.25,
        "nats_per_sketch_se": 2.0,
        "suffix": {"0": 7.5, "0.5": float("nan")},
        "by_category": {"cat": {"nats_per_point": 7.25, "drawings": 40}},
        "ended": {"0": 0.5, "1": 1.0},
        "drawings": 40,
        "points": 1600,
        "split": "valid",
        "checkpoint": "run/best",
    }

    @pytest.fixture(autouse=True)
    def _measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sketchgen.evaluation.report.evaluate", self.measure)

    def measure(self, checkpoint: str, source: Path, **settings: object) -> dict[str, object]:
        settings.pop("progress", None)
        self.settings = settings
        return self.FIGURES

    def test_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["evaluate", "run/best", "store", "--json", "--limit", "5"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found == {**self.FIGURES, "suffix": {"0": 7.5, "0.5": None}}
        assert self.settings == {"split": "valid", "seed": 0, "limit": 5}

    def test_is_a_function_of_the_package_too(self) -> None:
        importlib.import_module("sketchgen.evaluation")
        assert sketchgen.evaluate("run/best", Path("store"), split="test") == self.FIGURES
        assert self.settings == {"split": "test"}

    def test_for_people(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["evaluate", "run/best", "store"]) == 0
        out = capsys.readouterr().out
        assert all(text in out for text in ("run/best", "7.5", "300.2", "cat", "temperature"))

    def test_options_reach_the_measurement(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["--protocol", "all", "--against", "a", "--against", "b", "--judge", "j", "--training", "t"]
        words += ["--temperature", "0.2", "--temperature", "0.3", "--report", "r.md", "--force"]
        assert main(["evaluate", "run/best", "store", "--samples", "7", *words]) == 0
        assert "report: r.md" in capsys.readouterr().err
        assert self.settings == {
            "split": "valid",
            "seed": 0,
            "samples": 7,
            "protocol": "all",
            "against": ("a", "b"),
            "judge": "j",
            "training": Path("t"),
            "temperatures": (0.2, 0.3),
            "report": Path("r.md"),
            "force": True,
        }

    @pytest.mark.parametrize("option", ["--limit", "--samples"])
    def test_limits_below_their_least(self, option: str, capsys: pytest.CaptureFixture[str]) -> None:
        for command in (["evaluate", "a", "store"], ["compare", "a", "b", "store"]):
            assert "must be 1 or more" in failure(capsys, *command, option, "0")


class TestCompare:
    FIGURES = {  # noqa: RUF012
        "a": "old",
        "b": "new",
        "drawings": 40,
        "split": "valid",
        "nats": {
            "0.5": {
                "all": {
                    "a": {"value": 7.5, "standard_error": 0.1},
                    "b": {"value": 7.25, "standard_error": 0.1},
                    "difference": {"value": -0.25, "standard_error": 0.0125},
                }
            }
        },
        "nats_per_sketch": {},
    }

    @pytest.fixture(autouse=True)
    def _measured(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sketchgen.evaluation.comparison.compare", self.measure)

    def measure(self, a: str, b: str, source: Path, **settings: object) -> dict[str, object]:
        settings.pop("progress", None)
        self.settings = settings
        return self.FIGURES

    def test_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["--json", "--seed", "3", "--protocol", "likelihood"]
        assert main(["compare", "old", "new", "store", *words]) == 0
        assert json.loads(capsys.readouterr().out) == self.FIGURES
        assert self.settings == {"split": "valid", "seed": 3, "protocol": "likelihood"}

    def test_for_people(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["compare", "old", "new", "store"]) == 0
        out = capsys.readouterr().out
        assert all(text in out for text in ("new against old", "50% given, all", "-0.2500 ± 0.0125"))

    def test_is_a_function_of_the_package_too(self) -> None:
        assert sketchgen.compare("old", "new", Path("store")) == self.FIGURES


class TestTrouble:
    @pytest.mark.parametrize(
        ("error", "status", "words"),
        [
            (KeyboardInterrupt(), 130, "interrupted"),
            (MemoryError(), 1, "not enough memory"),
            (RuntimeError("DefaultCPUAllocator: can't allocate memory\nmore"), 1, "not enough memory"),
            (OSError(errno.ENOSPC, "No space left on device"), 1, "no space left"),
            (PermissionError(errno.EACCES, "Permission denied", "a.svg"), 1, "a.svg: Permission denied"),
            (SettingError("two\nlines"), 1, "two lines"),
        ],
    )
    def test_is_one_line(
        self,
        error: BaseException,
        status: int,
        words: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def fails(options: object) -> None:
            raise error

        monkeypatch.setattr("sketchgen.cli.commands.run", fails)
        assert words in failure(capsys, "info", status=status)

    def test_a_bug_is_no_one_liner(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(options: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr("sketchgen.cli.commands.run", fails)
        with pytest.raises(RuntimeError, match="a bug"):
            main(["info"])

    def test_a_reader_that_leaves_is_no_error_to_speak_of(self) -> None:
        script = "import sys\nfrom sketchgen.cli import main\nsys.exit(main(['--help']))"
        read, write = os.pipe()
        os.close(read)
        try:
            env = {**os.environ, "PYTHONPATH": str(Path(sketchgen.__file__).parents[1])}
            done = subprocess.run(
                [sys.executable, "-c", script], stdout=write, stderr=subprocess.PIPE, env=env
            )
        finally:
            os.close(write)
        assert (done.returncode, done.stderr) == (1, b"")


class TestPrepare:
    def test_makes_a_store_and_reports(
        self, sample_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "store"
        assert main(["prepare", str(sample_dir / "cat.ndjson"), "-o", str(out)]) == 0
        captured = capsys.readouterr()
        assert "60" in captured.out
        assert captured.err == ""
        assert (out / "train-00000.arrow").is_file()
        assert "--force" in failure(capsys, "prepare", sample_dir / "cat.ndjson", "-o", out)

    def test_jobs_are_one_or_more(
        self, sample_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = failure(capsys, "prepare", sample_dir, "-o", tmp_path / "store", "--jobs", "0")
        assert "jobs is 0; it must be 1 or more" in words

    def test_long_work_says_now_and_then_how_far_it_is(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        now = iter([0.0, 1.0, 12.0, 13.0, 30.0])
        monkeypatch.setattr("sketchgen.cli.progress.time.monotonic", lambda: next(now))
        with shown_progress() as progress:
            for done in (1, 12, 13, 30):
                progress("reading", done * 10**6, 60 * 10**6)
        assert capsys.readouterr().err.splitlines() == [
            "reading: 12 of 60 MB, 1.0 MB/s, 48 s left",
            "reading: 30 of 60 MB, 1.0 MB/s, 30 s left",
        ]

    def test_a_terminal_shows_a_bar(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        with shown_progress() as progress:
            progress("reading", 30 * 10**6, 60 * 10**6)
        assert "reading" in capsys.readouterr().err

    def test_measuring_says_how_far_it_is_too(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        now = iter([0.0, 1.0, 12.0, 12.0])
        monkeypatch.setattr("sketchgen.cli.progress.time.monotonic", lambda: next(now))
        with shown_steps() as progress:
            progress("likelihood", 128, 512)
            progress("likelihood", 256, 512)
        assert capsys.readouterr().err == "likelihood: 256 of 512\n"
        monkeypatch.undo()
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        with shown_steps() as progress:
            progress("likelihood", 256, 512)
        assert "likelihood" in capsys.readouterr().err

    def test_drawing_says_how_fast_it_is_and_what_is_left(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        seconds = 0.0
        monkeypatch.setattr("sketchgen.cli.progress.time.monotonic", lambda: seconds)
        with shown_rate("drawing") as progress:
            progress(1000, 10_000)  # from an earlier run
            for seconds in (4.0, 20.0):
                progress(1000 + round(seconds * 30), 10_000)
        assert capsys.readouterr().err == "drawing: 1600 of 10000, 30.0/s, 4.7 min left\n"
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        with shown_rate("drawing") as progress:
            progress(5, 10)
        assert "5/10" in capsys.readouterr().err

    def test_a_source_that_is_not_there(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert "none" in failure(capsys, "prepare", tmp_path / "none", "-o", tmp_path / "store")
        assert not (tmp_path / "store").exists()
