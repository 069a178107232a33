"""The commands on the latent vector: reconstruct, interpolate, vary, combine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from sketchgen import limits, resources
from sketchgen.cli.appearance import APPEARANCE, FORCE, FORMAT, output_path, render_options
from sketchgen.cli.command import (
    AS_DRAWN,
    FILES,
    Problems,
    command,
    emit,
    input_path,
    option,
    options,
    suggest,
)
from sketchgen.errors import SettingError

if TYPE_CHECKING:
    from pathlib import Path

    from sketchgen.completion.latent import LatentSpace
    from sketchgen.formats.render_options import RenderOptions
    from sketchgen.sketch.sketch import Sketch

FLIPBOOKS = (".gif", ".webp")
"""Suffixes of files in which several drawings are shown one after the other."""

COUNT = option("-n --count", int, "Drawings.  [default: 1]")
DRAWING = options(
    option("-s --seed", 0, "Random seed: the same seed gives the same drawings."),
    option("-c --category NAME", str, "Tell the model what to draw.  [default: the vector alone]"),
    option("-o --out PATH", str, "One file, a folder, or - for standard output.  [default: -]"),
    FORMAT,
    option("--original", False, "Put the given drawings first, for comparison."),
    option("--best-of", int, "Candidates for each drawing; the nearest to the vector is kept."),
    option(
        "--checkpoint NAME|FOLDER",
        str,
        "Model with a latent vector.  [default: latent345]",
        shell_complete=suggest(resources.bundled_checkpoints),
    ),
    FORCE,
    APPEARANCE,
)
"""The options that all of these commands share."""

TEMPERATURE = option(
    "-t --temperature", float, "0 draws the likeliest line, 1 as people do; at most 2.  [default: 0.2]"
)


@command(
    "reconstruct",
    "Draw",
    """
    sketchgen reconstruct cat.svg --original -n 4 -o cats.svg
    sketchgen reconstruct cat.svg -t 0.1 -t 0.4 -t 0.7 -t 1 -n 6 -o grid.png
    """,
)
@FILES
@COUNT
@option("-t --temperature", float, "0 to 2; several make a row each.  [default: 0.2]", multiple=True)
@DRAWING
def reconstruct(
    files: tuple[str, ...], count: int | None, temperature: tuple[float, ...], **given: Any
) -> int:
    """Encode whole drawings, and draw them again.

    A latent vector has room for what matters in a drawing, so that mistakes come back repaired. FILE is as
    for complete. A row is a drawing at a temperature.
    """
    asked = SimpleNamespace(**given)
    space, out, options = _prepare(asked)
    problems, found = Problems(), list["Sketch"]()
    settings: dict[str, Any] = _settings(asked) | {"count": count or 1}
    for sketch in _sketches(files, problems):
        for each in temperature or [None]:
            told: dict[str, Any] = settings | ({} if each is None else {"temperature": each})
            found += [*_original(asked, [sketch]), *space.reconstruct(sketch, **told)]
    if found:
        _write(found, out, options, asked.force, settings["count"] + asked.original)
    return problems.status()


@command(
    "interpolate",
    "Draw",
    """
    sketchgen interpolate cat.svg pig.svg -o strip.svg
    sketchgen interpolate sun flower --steps 24 -o morph.gif
    """,
)
@click.argument("first")
@click.argument("last")
@option("--steps", limits.LATENT_STEPS, f"Drawings, both ends included; at most {limits.MAX_LATENT}.")
@TEMPERATURE
@DRAWING
@AS_DRAWN
def interpolate(first: str, last: str, steps: int, temperature: float | None, **given: Any) -> None:
    """Draw the way from one drawing to another.

    FIRST and LAST are a file, example:NAME, or a category, of which the seed chooses a vector. A .gif or
    .webp shows the drawings one after the other, there and back; any other picture shows them in a row.
    """
    asked = SimpleNamespace(**given)
    space, out, options = _prepare(asked)
    start, end = (_item(space, name) for name in (first, last))
    found = space.interpolate(start, end, steps, **_settings(asked, temperature))
    found = [*_original(asked, [start]), *found, *_original(asked, [end])]
    if out is not None and out.suffix.lower() in FLIPBOOKS:
        from sketchgen.formats.animation import to_flipbook
        from sketchgen.sketch.files import write_atomic

        data = to_flipbook(found, out.suffix[1:].upper(), options.style, size=options.size)
        write_atomic(out, data, force=asked.force)
        emit(str(out))
    else:
        _write(found, out, options, asked.force, len(found))


@command(
    "vary",
    "Draw",
    """
    sketchgen vary cat.svg --strength 0.3 -n 8 --original -o cats.svg
    """,
)
@FILES
@option("--strength", 0.5, "From 0, the same drawing again, to 1, any drawing of its kind.")
@option("-n --count", limits.COUNT, "Variations of each drawing.")
@TEMPERATURE
@DRAWING
def vary(files: tuple[str, ...], strength: float, count: int, temperature: float | None, **given: Any) -> int:
    """Draw variations of drawings: other vectors around their own. FILE is as for complete."""
    asked = SimpleNamespace(**given)
    space, out, options = _prepare(asked)
    problems, found = Problems(), list["Sketch"]()
    for sketch in _sketches(files, problems):
        found += _original(asked, [sketch])
        found += space.vary(sketch, strength, count, **_settings(asked, temperature))
    if found:
        _write(found, out, options, asked.force, count + asked.original)
    return problems.status()


@command(
    "combine",
    "Draw",
    """
    sketchgen combine cat-head.svg pig.svg --minus pig-head.svg -o cat.svg
    """,
)
@click.argument("plus", nargs=-1, required=True, metavar="ITEM...")
@option("--minus ITEM", str, "What is subtracted; may be given several times.", multiple=True)
@COUNT
@TEMPERATURE
@DRAWING
@AS_DRAWN
def combine(
    plus: tuple[str, ...], minus: tuple[str, ...], count: int | None, temperature: float | None, **given: Any
) -> None:
    """Add and subtract drawings by their latent vectors.

    A cat's head and a whole pig, minus the pig's head, may be a whole cat. ITEM is a file, example:NAME, or a
    category, of which the seed chooses a vector.
    """
    asked = SimpleNamespace(**given)
    space, out, options = _prepare(asked)
    added, subtracted = ([_item(space, name) for name in names] for names in (plus, minus))
    found = space.combine(added, subtracted, count or 1, **_settings(asked, temperature))
    shown = _original(asked, [*added, *subtracted])
    _write([*shown, *found], out, options, asked.force, len(shown) + len(found))


def _prepare(asked: SimpleNamespace) -> tuple[LatentSpace, Path | None, RenderOptions]:
    """Check the options; return the model, the output and how it is rendered."""
    limits.check_range("best-of", asked.best_of, 1, limits.MAX_BEST_OF)
    out = output_path(asked.out)
    options = render_options(asked, out)

    from sketchgen.completion.latent import load_latent
    from sketchgen.jobs.output import is_file
    from sketchgen.sketch.files import check_target

    if out is not None and is_file(out):
        check_target(out, asked.force)
    space = load_latent(asked.checkpoint)
    return space if asked.best_of is None else replace(space, best_of=asked.best_of), out, options


def _settings(asked: SimpleNamespace, temperature: float | None = None) -> dict[str, Any]:
    """Return the settings of the sampling that were given."""
    told = {"temperature": temperature, "category": asked.category, "seed": asked.seed}
    return {name: value for name, value in told.items() if value is not None}


def _item(space: LatentSpace, name: str) -> Any:
    """Return the drawing of a file, or the category of that name."""
    from sketchgen.formats.read_write import read

    if name.strip().lower() in {known.lower() for known in space.model.categories}:
        return name
    path = input_path(name)
    if path is not None and not path.exists():
        raise SettingError(f"{name[:80]!r} is neither a file nor a category of {space.model.name}")
    return read("-" if path is None else path)


def _original(asked: SimpleNamespace, items: Sequence[Any]) -> list[Sketch]:
    """Return the given drawings, where they are to be shown."""
    return [item for item in items if asked.original and not isinstance(item, str)]


def _sketches(files: Sequence[str], problems: Problems) -> Any:
    """Yield the drawings of files that can be encoded."""
    from sketchgen.cli.recognise import drawings

    return (sketch for file in files for _, sketch in drawings(file, problems, "encode"))


def _write(
    found: Sequence[Sketch], out: Path | None, options: RenderOptions, force: bool, columns: int
) -> None:
    """Write drawings into one file, a folder with a file for each, or to standard output."""
    from sketchgen.formats.registry import check_options, encode, encode_many, suffix_of
    from sketchgen.jobs.output import is_file, write_out, write_pages
    from sketchgen.sketch.files import prepare_output_folder, write_atomic

    one_file = out is None or is_file(out)
    check_options(options, len(found), one_file=one_file)
    if out is None:
        write_out(b"".join(encode_many(found, options, columns)))
    elif one_file:
        for path in write_pages(out, encode_many(found, options, columns), force=force):
            emit(str(path))
    else:
        folder, suffix = prepare_output_folder(out, force=force), suffix_of(options)
        for number, sketch in enumerate(found, 1):
            path = folder / f"drawing-{number:0{len(str(len(found)))}d}{suffix}"
            write_atomic(path, encode(sketch, options), force=force)
            emit(str(path))
