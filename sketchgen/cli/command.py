"""The decorator that puts a command beside its code: click's commands, with help in panels and examples.

click rather than Typer or tyro: it is imported in half their time, needs neither pydantic nor typeguard, and
leaves every message and exit status to us. `--help` shows the basic panel and the examples, `--help-all` all.
"""

from __future__ import annotations

import contextlib
import difflib
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from sketchgen.errors import FormatWarning, SettingError, SketchgenError

GROUPS = ("Draw", "Data", "Train", "Measure", "Web")
"""The groups of commands, in the order of the overview."""

EXAMPLES = """
sketchgen complete example:half-a-cat -c cat -n 9 -o out/
sketchgen generate cat dog -n 4 -o pets/
sketchgen web --open
"""
"""The examples of the overview."""

BASIC = "Options"
"""The panel that `--help` shows."""

EXAMPLE = "example:"
"""Prefix of a name that stands for a bundled file."""

MAX_REPORTED = 20
"""Inputs that are left out, up to which each is named."""

ALL = "sketchgen.cli.all"
"""Key in a context's meta: every panel is to be shown."""


class Option(click.Option):
    """An option in a panel of the help."""

    def __init__(self, *args: Any, panel: str = BASIC, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.panel = panel


class Command(click.Command):
    """A command whose help comes in panels and ends with examples."""

    def __init__(self, *args: Any, group: str, examples: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.group, self.examples = group, examples
        words = "Show all options and exit."
        settings = {"is_flag": True, "is_eager": True, "expose_value": False, "callback": _show_all}
        self.params.append(click.Option(["--help-all"], help=words, **settings))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the panels that are to be shown."""
        panels: dict[str, list[tuple[str, str]]] = {BASIC: []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                panels.setdefault(getattr(param, "panel", BASIC), []).append(record)
        for panel, records in panels.items():
            if panel == BASIC or ctx.meta.get(ALL):
                with formatter.section(panel):
                    formatter.write_dl(records, col_max=26)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they stand."""
        _write_examples(formatter, self.examples)


class Program(click.Group):
    """The group of all commands."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their groups."""
        for group in GROUPS:
            with formatter.section(group):
                found = [each for each in COMMANDS.values() if each.group == group]
                formatter.write_dl([(each.name or "", each.get_short_help_str(80)) for each in found])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then the epilog."""
        _write_examples(formatter, EXAMPLES)
        formatter.write_paragraph()
        formatter.write_text(self.epilog or "")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest the nearest one."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"commands are {', '.join(self.commands)}"
            raise click.UsageError(f"no command {args[0][:60]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


def _write_examples(formatter: click.HelpFormatter, examples: str) -> None:
    with formatter.section("Examples"):
        formatter.write("".join(f"  {line.strip()}\n" for line in examples.strip().splitlines()))


COMMANDS: dict[str, Command] = {}
"""Every command by its name, in the order of the overview within a group."""


def command(name: str, group: str, examples: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function a command of one of `GROUPS`; its docstring is the help."""

    def added(function: Callable[..., Any]) -> Callable[..., Any]:
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        make = click.command(name, Command, group=group, examples=examples, context_settings=settings)
        COMMANDS[name] = make(function)
        return function

    return added


def option(names: str, kind: Any, words: str, panel: str = BASIC, **settings: Any) -> Callable[[Any], Any]:
    """Add an option.

    Args:
        names: its names, then the parameter's name if that differs, then the word for a value in capitals.
        kind: the type of its values, a tuple of choices, or the default. True and False are for flags.
        words: the help.
        panel: where the help stands.
        settings: passed on to click.
    """
    *names_, last = names.split()
    if last.isupper() or "|" in last:
        settings["metavar"] = last
    else:
        names_.append(last)
    if isinstance(kind, bool):
        settings |= {"is_flag": True, "default": kind}
    elif isinstance(kind, tuple):
        settings["type"] = click.Choice(kind)
    elif isinstance(kind, type):
        settings["type"] = kind
    else:
        settings |= {"type": type(kind), "default": kind, "show_default": True}
    return click.option(*names_, cls=Option, panel=panel, help=words, **settings)


def options(*added: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Join several options that several commands share."""

    def decorated(function: Any) -> Any:
        for each in reversed(added):
            function = each(function)
        return function

    return decorated


def _show_all(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta[ALL] = True
        sys.stdout.write(ctx.get_help() + "\n")
        ctx.exit()


# --- what several commands do -------------------------------------------------------------------------------


def given(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that were given; the others keep the library's defaults."""
    return {name: value for name, value in settings.items() if value not in (None, ())}


def suggest(names: Callable[[], Sequence[str]]) -> Callable[..., list[str]]:
    """Return what completes a value for a shell, from the names that `names` returns."""
    return lambda ctx, param, incomplete: [name for name in names() if name.startswith(incomplete)]


def emit(text: str) -> None:
    """Write a result to standard output."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def emit_now(text: str) -> None:
    """Write a part of a result to standard output, for a reader who waits for it."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say(text: str) -> None:
    """Write a line about the work to standard error."""
    sys.stderr.write(text + "\n")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun in the right number: 1 drawing, 2 drawings."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def input_path(name: str) -> Path | None:
    """Return the file that an input names; None for standard input."""
    if name == "-":
        return None
    from sketchgen import example

    return example(name.removeprefix(EXAMPLE)) if name.startswith(EXAMPLE) else Path(name)


def _strict(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        warnings.simplefilter("error", FormatWarning)


def _as_drawn(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from sketchgen.formats.svg_walker import AS_DRAWN

        token = AS_DRAWN.set(True)
        ctx.call_on_close(lambda: AS_DRAWN.reset(token))


AS_DRAWN = option(
    "--as-drawn",
    False,
    "Read brush strokes of an SVG as outlines, and doubled lines as two.",
    "Input",
    expose_value=False,
    callback=_as_drawn,
)
"""The option for lines that programs draw as two; redrawing needs it as well."""

FILES = options(
    click.argument("files", nargs=-1, required=True, metavar="FILE..."),
    option(
        "--strict",
        False,
        "Refuse files of which a part cannot be read.",
        "Input",
        expose_value=False,
        callback=_strict,
    ),
    AS_DRAWN,
)
"""The argument of commands that read drawings, and how they read them."""


def check_store(store: Path) -> None:
    """Check that there is a folder where a store should be."""
    if not store.is_dir():
        raise SettingError(f"{store} is no store; make one with sketchgen prepare SOURCES -o STORE")


@contextlib.contextmanager
def goes_on(how: str = "the same command goes on where it stopped") -> Iterator[None]:
    """Say on Ctrl-C how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"interrupted; {how}") from stop


class Problems:
    """Inputs that are left out, each reported on a line of standard error; beyond some they are counted."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, error: SketchgenError) -> None:
        """Report an input that is left out."""
        self.count += 1
        if self.count <= MAX_REPORTED:
            say(f"sketchgen: error: {' '.join(str(error).split())}")

    def status(self) -> int:
        """Return the exit status of the command, and say how many more there were."""
        if self.count > MAX_REPORTED:
            say(f"sketchgen: error: {self.count - MAX_REPORTED} more could not be read")
        return int(self.count > 0)


def joined(names: Sequence[str], last: str = "or") -> str:
    """Return names as people list them: "a, b or c"."""
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
