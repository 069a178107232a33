"""The command line: runs a command, and turns every failure into one line and an exit status."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from sketchgen.cli import data, draw, latent, measure, recognise, train, web
from sketchgen.cli.command import COMMANDS, Program
from sketchgen.errors import (
    FormatNote,
    FormatWarning,
    OutputError,
    SettingError,
    SketchgenError,
    missing_dependency,
)

__all__ = ["COMMANDS", "main", "program"]

_ = (data, draw, latent, measure, recognise, train, web)  # Importing a module adds its commands.

USAGE = 2
"""Exit status of a command line that cannot be understood."""

INTERRUPTED = 130
"""Exit status after Ctrl-C."""

COMPLETE = "_SKETCHGEN_COMPLETE"
"""Environment variable by which a shell asks for completions."""

SHELLS = {
    "bash": "~/.local/share/bash-completion/completions/sketchgen",
    "zsh": "~/.zfunc/_sketchgen",
    "fish": "~/.config/fish/completions/sketchgen.fish",
}
"""The file from which each shell loads its completions."""

EPILOG = (
    "Results go to standard output or into files, messages to standard error. Exit status: 0 done, 1 an "
    "error or an input left out, 2 wrong usage, 130 interrupted. Every command has --help and --help-all."
)


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from sketchgen import __version__

        sys.stdout.write(f"sketchgen {__version__}\n")
        ctx.exit()


def _install_completion(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Write the completion script of the user's shell to where the shell looks for it."""
    if not value:
        return
    from click.shell_completion import get_completion_class

    from sketchgen.sketch.files import write_atomic

    shell = Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(shell)
    if kind is None or shell not in SHELLS:
        raise SettingError(f"no completion for the shell {shell!r}; there is one for {', '.join(SHELLS)}")
    path = Path(SHELLS[shell]).expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent} cannot be made: {error.strerror}") from error
    write_atomic(path, kind(program, {}, "sketchgen", COMPLETE).source().encode(), force=True)
    hint = "; put 'fpath+=~/.zfunc; autoload -Uz compinit; compinit' into ~/.zshrc" if shell == "zsh" else ""
    sys.stdout.write(f"{path}\n")
    sys.stderr.write(f"completion is there in every new {shell}{hint}\n")
    ctx.exit()


def _flag(name: str, callback: Any, words: str) -> click.Option:
    how: dict[str, Any] = {"is_flag": True, "is_eager": True, "expose_value": False}
    return click.Option([name], callback=callback, help=words, **how)


program = Program(
    "sketchgen",
    commands=dict(COMMANDS),
    help="Finishes your drawing: give it strokes, and it draws the rest.",
    epilog=EPILOG,
    params=[
        _flag("--version", _version, "Show the version and exit."),
        _flag("--install-completion", _install_completion, "Install completion for your shell and exit."),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
"""The whole command line."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line with these arguments, or those of the process; returns the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files may hold bytes that are no text, and a terminal may not have every letter.
        sys.stdout.reconfigure(errors="backslashreplace")
    with warnings.catch_warnings():
        for kind in (FormatWarning, FormatNote):
            warnings.simplefilter("always", kind)
        warnings.showwarning = partial(_warn, warnings.showwarning, set())
        return _main(argv)


def _warn(
    other: Callable[..., None], told: set[str], message: Warning | str, category: type[Warning], *where: Any
) -> None:
    """Show what is said of a file on one line, once; other warnings as Python does."""
    if issubclass(category, (FormatWarning, FormatNote)):
        # A file is read when it is checked, and again when it is completed.
        if str(message) in told:
            return
        told.add(str(message))
        kind = "warning" if issubclass(category, FormatWarning) else "note"
        with contextlib.suppress(OSError):
            sys.stderr.write(f"sketchgen: {kind}: {' '.join(str(message).split())}\n")
    else:
        other(message, category, *where)


def _main(argv: Sequence[str] | None) -> int:
    """Run the command line; returns the exit status."""
    try:
        return _run(list(sys.argv[1:] if argv is None else argv) or ["--help"])
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx is not None else "sketchgen"
        return _fail(f"{error.format_message().rstrip('.')}; see {path} --help", USAGE)
    except KeyboardInterrupt as stop:
        return _fail(str(stop) or "interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader has left (`| head`). Python flushes once more at exit, which must not fail again.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SketchgenError as error:
        return _fail(str(error))
    except (ImportError, MemoryError, OSError, RuntimeError) as error:
        words = _system_words(error)
        if words is None:
            raise
        return _fail(words)


def _run(arguments: list[str]) -> int:
    """Run a command, or complete one for a shell."""
    if instruction := os.environ.get(COMPLETE):
        from click.shell_completion import shell_complete

        return shell_complete(program, {}, "sketchgen", COMPLETE, instruction)
    with program.make_context("sketchgen", arguments) as context:
        status = program.invoke(context)
    sys.stdout.flush()
    return status or 0


def _fail(words: str, status: int = 1) -> int:
    """Say on one line of standard error what went wrong, and return the exit status."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"sketchgen: error: {' '.join(words.split())}\n")
    return status


def _system_words(error: BaseException) -> str | None:
    """Return words for what the machine lacks or refuses; None for an error of this program."""
    if isinstance(error, ImportError):
        missing = missing_dependency(error) if isinstance(error, ModuleNotFoundError) else None
        return None if missing is None else str(missing)
    if isinstance(error, OSError):
        if error.errno == errno.ENOSPC:
            return "no space left on the disk; free some and try again"
        place = f"{error.filename}: " if error.filename is not None else ""
        return f"{place}{error.strerror or error}"
    # torch says it by a RuntimeError: "can't allocate memory" on a processor, "out of memory" on a GPU.
    text = str(error)
    if isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text:
        return "not enough memory; ask for less at a time (a smaller --count or --batch)"
    return None
