"""What the README says can be done: its snippet runs as pasted, its commands and links exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import sketchgen
from sketchgen.cli import COMMANDS
from sketchgen.resources import bundled_checkpoints

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """Every `sketchgen ...` in a shell block, as words after the program's name."""
    lines = [
        part.strip() for block in blocks("sh") for line in block.splitlines() for part in line.split("&&")
    ]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("sketchgen ")]


def test_the_snippet_runs_as_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundled_checkpoints(), "no checkpoint is bundled"
    (snippet,) = blocks("python")
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "README.md", "exec"), {"__name__": "__main__"})
    assert not sketchgen.read(tmp_path / "cat.svg").is_empty


def test_every_command_parses() -> None:
    assert {words[0] for words in commands()} >= {"complete", "generate", "prepare", "train", "evaluate"}
    for name, *arguments in commands():
        if arguments != ["--help"]:
            COMMANDS[name].make_context(name, arguments)


def test_every_file_that_is_linked_is_there() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert "docs/completions.png" in targets
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (ROOT / target).is_file()] == []


def test_the_picture_comes_first() -> None:
    assert TEXT.index("![") < TEXT.index("```")


def test_sketchgen_has_the_names_that_it_lists() -> None:
    assert set(sketchgen.__all__) <= set(dir(sketchgen))
    assert sketchgen.Sketch is sketchgen.read(sketchgen.example("face")).__class__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sketchgen.nothing  # pyright: ignore[reportAttributeAccessIssue]


def test_packages_need_no_import_of_their_own() -> None:
    code = "import sketchgen; print(sketchgen.training.TrainConfig is sketchgen.TrainConfig)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"


def test_an_unknown_example_is_answered_with_the_nearest() -> None:
    with pytest.raises(sketchgen.SketchgenError, match="did you mean 'half-a-cat'"):
        sketchgen.example("half-a-car")
