"""The command line: picks the subcommand, and turns every failure into one line and an exit status.

Only the parser of the named subcommand is built, and what a subcommand needs is loaded when it runs: `--help`
comes at once.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import inspect
import os
import sys
from collections.abc import Sequence

from sketchgen.errors import SketchgenError, missing_dependency

COMMANDS = {
    "complete": "finish a drawing that was begun",
    "generate": "draw from nothing",
    "redraw": "draw one drawing of an earlier job again",
    "recognise": "say what a drawing is of",
    "web": "draw in the browser, and let the model finish with you",
    "download": "fetch drawings of Quick, Draw!",
    "prepare": "turn Quick, Draw! files into a store to train on",
    "train": "train a model on a store",
    "rehearse": "have a model finish what people began, to learn from it",
    "train-recogniser": "train what tells drawings apart",
    "train-critic": "train what chooses the best of several completions",
    "evaluate": "measure a checkpoint on drawings it has not seen",
    "compare": "measure how two checkpoints differ on the same drawings",
    "info": "say what a checkpoint is",
}
"""The subcommands, each in a few words."""

USAGE = 2
"""Exit status of a command line that cannot be understood."""

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


def overview() -> str:
    """What `sketchgen --help` prints."""
    listed = "\n".join(f"  {name:<16} {words}" for name, words in COMMANDS.items())
    return f"""usage: sketchgen COMMAND ...

Finishes your drawing: strokes go in, and strokes come back that go on from them.

Commands:
{listed}

Examples:
  sketchgen complete example:half-a-cat --category cat --count 9 -o out/
  sketchgen complete drawing.svg --count 1 > finished.svg
  sketchgen web --open
  sketchgen COMMAND --help

Results go to standard output or into files, talk goes to standard error.
Exit status: 0 done, 1 an error (one line says which), 2 wrong usage.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments without the program's name; None for those of the process.

    Returns:
        The exit status: 0, 1 for an error, 2 for wrong usage, 130 after Ctrl-C.
    """
    try:
        status = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return status
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except KeyboardInterrupt as stop:
        return _fail(str(stop) or "interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader has left (`| head`). Python flushes once more at exit, which must not fail again.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SketchgenError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        missing = missing_dependency(error)
        if missing is None:
            raise
        return _fail(str(missing))
    except (MemoryError, OSError, RuntimeError) as error:
        words = _system_words(error)
        if words is None:
            raise
        return _fail(words)


def _dispatch(arguments: list[str]) -> int:
    """Run the subcommand that the first argument names."""
    name = arguments[0] if arguments else ""
    if name in ("-h", "--help", "help"):
        sys.stdout.write(overview())
        return 0
    if name == "--version":
        from sketchgen import __version__

        sys.stdout.write(f"sketchgen {__version__}\n")
        return 0
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"commands are {', '.join(COMMANDS)}"
        return _fail(f"no command {name[:60]!r}; {hint}" if name else f"name a command; {hint}", USAGE)
    _run(name, arguments[1:])
    return 0


def _run(name: str, arguments: list[str]) -> None:
    """Parse a subcommand's options and do what it says."""
    import tyro

    from sketchgen.cli import options

    kind = options.KINDS[name]
    if name in options.DRAW:
        arguments = _with_address(arguments)
    parsed = tyro.cli(
        kind,
        prog=f"sketchgen {name}",
        description=inspect.cleandoc(kind.__doc__ or ""),
        args=arguments,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    from sketchgen.cli import commands

    commands.run(parsed)


def _with_address(arguments: list[str]) -> list[str]:
    """The arguments with "auto" behind a bare --ray, whose value tyro does not let be left out."""
    found: list[str] = []
    for word, behind in zip(arguments, [*arguments[1:], "--"], strict=False):
        found.append(word)
        if word == "--ray" and behind.startswith("-"):
            found.append("auto")
    return found


def _fail(words: str, status: int = 1) -> int:
    """Say on one line of standard error what went wrong, and return the exit status."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"sketchgen: error: {' '.join(words.split())}\n")
    return status


def _system_words(error: BaseException) -> str | None:
    """Words for what the machine is short of or refuses; None for what is an error of this program."""
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
