"""vpype's commands `sketchgen` and `sketchgen-complete`: drawings as lines in a pipeline for plotters.

vpype finds them by the entry points of its group `vpype.plugins`; nothing else imports this module, since
vpype need not be installed. What draws is loaded when a command runs, not when vpype starts.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import vpype
import vpype_cli

from sketchgen import limits
from sketchgen.errors import SketchgenError

if TYPE_CHECKING:
    from sketchgen.sketch.sketch import Points

CHORD = "0.02mm"
"""Maximum distance of a flattened curve from the curve."""


class _CategoryFirst(click.Command):
    """A command whose first word is the category, unless it is an option or a command of vpype.

    An optional argument of click would swallow the command behind it, and options behind an argument would
    not be read in a chain of commands.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the category, and leave the rest to click."""
        word = self._word(ctx, args)
        rest = super().parse_args(ctx, args if word is None else args[1:])
        if word is not None:
            ctx.params["category"] = word
        return rest

    @staticmethod
    def _word(ctx: click.Context, args: Sequence[str]) -> str | None:
        """Return the category that the arguments begin with."""
        group = ctx.parent.command if ctx.parent is not None else None
        known = group.list_commands(ctx) if isinstance(group, click.Group) else ()
        return args[0] if args and not args[0].startswith("-") and args[0] not in known else None


def _sampling(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of both commands."""
    for option in (
        click.option("--checkpoint", type=vpype_cli.TextType(), help="Bundled name or folder of a model."),
        click.option(
            "-t",
            "--temperature",
            type=vpype_cli.FloatType(),
            default=limits.TEMPERATURE,
            help="From 0 to 2 [0.5].",
        ),
        click.option("-s", "--seed", type=vpype_cli.IntegerType(), default=0, help="Random seed [0]."),
        click.option("-c", "--category", type=vpype_cli.TextType(), help="What to draw [auto: guess it]."),
    ):
        command = option(command)
    return command


@click.command("sketchgen", cls=_CategoryFirst)
@_sampling
@click.option("-n", "--count", type=vpype_cli.IntegerType(), default=1, help="How many drawings [1].")
@click.option("--size", type=vpype_cli.LengthType(), default="50mm", help="Longer side of each [50mm].")
@click.option("--columns", type=vpype_cli.IntegerType(), help="Drawings in a row [about a square].")
@click.option("--gap", type=vpype_cli.LengthType(), default="10mm", help="Between drawings [10mm].")
@vpype_cli.generator
def draw(
    category: str | None,
    seed: int,
    temperature: float,
    checkpoint: str | None,
    count: int,
    size: float,
    columns: int | None,
    gap: float,
) -> vpype.LineCollection:
    """Draw from nothing, in a grid: vpype sketchgen cat --count 9 layout a4 write cats.svg.

    The category comes first, or as --category where a command of vpype has the same name (circle, line).
    """
    if not size > 0:
        raise click.BadParameter(f"size is {size:g}; it must be above 0")
    with _plain_errors():
        limits.check_range("count", count, 1, limits.MAX_CANDIDATES)
        limits.check_range("columns", columns, 1)
        limits.check_range("gap", gap, 0)
        from sketchgen.completion.completer import load

        drawn = load(checkpoint).generate(category or "auto", count, temperature, seed)
    across = columns if columns is not None else math.ceil(math.sqrt(count))
    lines = vpype.LineCollection()
    for index, sketch in enumerate(drawn):
        row, column = divmod(index, across)
        if sketch.bounds is None:
            continue
        scale = size / (sketch.bounds.longer or 1.0)
        corner = np.array([column * (size + gap), row * (size + gap)]) + size / 2
        shift = corner - np.array(sketch.bounds.centre) * scale
        lines.extend(_line(stroke * scale + shift) for stroke in sketch.strokes)
    return lines


@click.command("sketchgen-complete", cls=_CategoryFirst)
@_sampling
@click.option(
    "-l",
    "--layer",
    type=vpype_cli.LayerType(accept_new=True),
    default="new",
    help="Layer of the added lines [new].",
)
@vpype_cli.global_processor
def complete(
    document: vpype.Document,
    category: str | None,
    seed: int,
    temperature: float,
    checkpoint: str | None,
    layer: int | None,
) -> vpype.Document:
    """Complete the document: vpype read half.svg sketchgen-complete cat write done.svg.

    All lines of the document, layer by layer, are given; the added ones, as smooth as the given, go into a
    layer of their own.
    """
    from sketchgen.formats.curves import flatten
    from sketchgen.formats.svg_writer import Style, curve_px
    from sketchgen.sketch.sketch import Sketch

    given = [
        np.column_stack([np.real(line), np.imag(line)])
        for _, lines in sorted(document.layers.items())
        for line in lines
    ]
    with _plain_errors():
        from sketchgen.completion.completer import load

        page = (0.0, 0.0, *document.page_size) if document.page_size is not None else None
        sketch = Sketch.from_strokes(given, page=page)
        (found,) = load(checkpoint).complete(sketch, category or "auto", 1, temperature, seed)
    px = curve_px(found, Style())
    added = [flatten(stroke, px, vpype.convert_length(CHORD)) for stroke in found.added.strokes]
    target = vpype_cli.single_to_layer_id(layer, document)
    if layer == vpype_cli.LayerType.NEW:
        # Behind all others, which are plotted in the order of their numbers.
        target = max((0, *document.layers)) + 1
    document.add(vpype.LineCollection(map(_line, added)), target)
    document.layers[target].set_property(vpype.METADATA_FIELD_NAME, f"{target} added")
    document.layers[target].set_property(vpype.METADATA_FIELD_COLOR, vpype.Color(Style.added_colour))
    return document


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """Turn the errors of sketchgen into those that vpype shows on one line."""
    try:
        yield
    except SketchgenError as error:
        raise click.ClickException(str(error)) from error


def _line(stroke: Points) -> np.ndarray:
    """Return a stroke as vpype has it: complex numbers in px. A dot is two equal ones; one would be lost."""
    points = stroke if len(stroke) > 1 else stroke[[0, 0]]
    return points[:, 0] + 1j * points[:, 1]


draw.help_group = "Plugins"  # pyright: ignore[reportAttributeAccessIssue]
complete.help_group = "Plugins"  # pyright: ignore[reportAttributeAccessIssue]
