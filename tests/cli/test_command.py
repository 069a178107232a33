"""The program: help, usage, one-line errors and exit statuses of every command."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from commandline import environment, failure, python, run

import sketchgen
from sketchgen.cli import command, main, program, web
from sketchgen.cli.command import COMMANDS, GROUPS, Problems, joined, plural
from sketchgen.errors import SettingError, SketchError


class TestHelp:
    @pytest.mark.parametrize("arguments", [[], ["-h"]])
    def test_overview_names_every_command(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        run(*arguments)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) <= 50
        assert all(any(line.startswith(f"  {name} ") for line in lines) for name in COMMANDS)
        assert {each.group for each in COMMANDS.values()} == set(GROUPS)
        run("--version")
        assert capsys.readouterr().out == f"sketchgen {sketchgen.__version__}\n"

    @pytest.mark.parametrize("name", COMMANDS)
    def test_of_a_command_is_short_and_has_examples(
        self, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        run(name, "-h")
        brief = capsys.readouterr().out
        run(name, "--help-all")
        whole = capsys.readouterr().out
        assert len(brief.splitlines()) < 40
        assert f"sketchgen {name}" in brief.split("Examples:")[1]
        for param in COMMANDS[name].params:
            assert not isinstance(param, click.Option) or param.hidden or param.opts[-1] in whole
            assert not isinstance(param, click.Option) or param.hidden or param.help

    @pytest.mark.parametrize("name", COMMANDS)
    def test_examples_can_be_parsed(self, name: str) -> None:
        for line in COMMANDS[name].examples.strip().splitlines():
            for part in line.split("#")[0].split(" > ")[0].split(" | "):
                _, words = part.split("sketchgen ", 1)
                first, *rest = [word.strip('"') for word in words.split()]
                COMMANDS[first].make_context(first, rest)

    def test_names_agree_across_commands(self) -> None:
        short: dict[str, str] = {}
        for each in COMMANDS.values():
            for param in each.params:
                long = max(param.opts, key=len)
                for name in (word for word in param.opts if len(word) == 2):
                    assert short.setdefault(name, long) == long or name in "-n", (each.name, name)
        assert {"-c", "-f", "-n", "-o", "-p", "-s", "-t"} == set(short)

    def test_loads_nothing_heavy(self) -> None:
        heavy = ("torch", "lightning", "gradio", "numpy", "rich", "PIL")
        done = python(
            "import sys\nfrom sketchgen.cli import COMMANDS, main\nmain(['--help'])\n"
            "for name in COMMANDS: main([name, '--help-all'])\n"
            f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
        )
        assert (done.returncode, done.stderr) == (0, "[]\n")


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["complte"], "did you mean 'complete'"),
            (["xyz"], "commands are "),
            (["complete"], "FILE"),
            (["complete", "-", "-n", "many"], "'many' is not a valid integer"),
            (["complete", "-", "--slots", "16"], "--slots"),
            (["generate", "--format", "pdf"], "'pdf'"),
            (["train", "store"], "--out"),
        ],
    )
    def test_exits_2_with_one_line(
        self, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = failure(capsys, *arguments, status=2)
        assert words in line
        assert line.endswith("--help")


class TestTrouble:
    @pytest.mark.parametrize(
        ("error", "status", "words"),
        [
            (KeyboardInterrupt(), 130, "interrupted"),
            (MemoryError(), 1, "not enough memory"),
            (RuntimeError("DefaultCPUAllocator: can't allocate memory\nmore"), 1, "not enough memory"),
            (OSError(errno.ENOSPC, "No space left on device"), 1, "no space left"),
            (PermissionError(errno.EACCES, "Permission denied", "a.svg"), 1, "a.svg: Permission denied"),
            (SettingError("two\nlines"), 1, "two\\nlines"),
            (ModuleNotFoundError("No module named 'torch'", name="torch"), 1, "pip install"),
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
        self.failing(monkeypatch, error)
        assert words in failure(capsys, "info", status=status)

    @pytest.mark.parametrize("error", [RuntimeError("a bug"), ImportError("a bug")])
    def test_a_bug_is_no_one_liner(self, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failing(monkeypatch, error)
        with pytest.raises(type(error), match="a bug"):
            main(["info"])

    @staticmethod
    def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
        def fails(**_: object) -> None:
            raise error

        monkeypatch.setattr(COMMANDS["info"], "callback", fails)

    def test_a_name_that_is_no_text_is_shown(self) -> None:
        script = "import sys\nfrom sketchgen import cli\nfrom sketchgen.cli.command import emit\n"
        script += (
            "cli.COMMANDS['info'].callback = lambda **_: emit('\\udcff.svg')\nsys.exit(cli.main(['info']))"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment())
        assert (done.returncode, done.stdout, done.stderr) == (0, b"\\udcff.svg\n", b"")

    def test_a_reader_that_leaves_is_no_error_to_speak_of(self) -> None:
        script = "import sys\nfrom sketchgen.cli import main\nsys.exit(main(['--help']))"
        read, write = os.pipe()
        os.close(read)
        try:
            done = subprocess.run(
                [sys.executable, "-c", script], stdout=write, stderr=subprocess.PIPE, env=environment()
            )
        finally:
            os.close(write)
        assert (done.returncode, done.stderr) == (1, b"")


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_is_installed_for_the_users_shell(
        self,
        shell: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
        run("--install-completion")
        path = Path(capsys.readouterr().out.strip())
        assert path.is_relative_to(tmp_path)
        assert f"_SKETCHGEN_COMPLETE={shell}_complete" in path.read_text()

    def test_of_another_shell_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("SHELL", "/bin/tcsh")
        assert "bash, zsh, fish" in failure(capsys, "--install-completion")

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("sketchgen gen", "generate"),
            ("sketchgen complete x.svg -c pinea", "pineapple"),
            ("sketchgen complete --checkpoint ti", "tiny"),
            ("sketchgen generate merm", "mermaid"),
        ],
    )
    def test_completes_commands_and_names(
        self, words: str, found: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("_SKETCHGEN_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
        assert main([]) == 0
        assert f"plain,{found}" in capsys.readouterr().out.splitlines()


class TestWeb:
    def test_options_reach_the_page(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked: list[object] = []
        launch = SimpleNamespace(launch=lambda *names, **settings: asked.extend([*names, settings]))
        monkeypatch.setitem(sys.modules, "sketchgen.web", launch)
        run("web", "tiny", "-p", 8000, "--open", "--public-name", "a.org", "--public-name", "b.org")
        settings = {"host": "127.0.0.1", "port": 8000, "browser": True, "names": ("a.org", "b.org")}
        assert asked == ["tiny", settings]
        assert "from 0 to 65535" in failure(capsys, "web", "--port", 65536)


def test_words_agree_in_number() -> None:
    assert [plural(count, "drawing") for count in (0, 1, 2)] == ["0 drawings", "1 drawing", "2 drawings"]
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b or c"


def test_of_many_problems_the_last_are_only_counted(capsys: pytest.CaptureFixture[str]) -> None:
    problems = Problems()
    assert problems.status() == 0
    for number in range(command.MAX_REPORTED + 3):
        problems.add(SketchError(f"drawing\n{number}"))
    assert problems.status() == 1
    first, *_, last = capsys.readouterr().err.splitlines()
    assert (first, last) == ("sketchgen: error: drawing\\n0", "sketchgen: error: 3 more could not be read")


def test_every_module_adds_its_commands() -> None:
    assert program.commands == COMMANDS
    assert COMMANDS["web"].callback is web.web
