"""The commands that draw: complete, generate, redraw."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sketchgen import limits, resources
from sketchgen.cli.appearance import APPEARANCE, FORCE, FORMAT, FORMATS, PAPER, output_path, render_options
from sketchgen.cli.command import (
    AS_DRAWN,
    FILES,
    Problems,
    command,
    emit,
    emit_now,
    input_path,
    joined,
    option,
    options,
    plural,
    say,
    suggest,
)
from sketchgen.cli.job import job_of, run_job
from sketchgen.errors import SettingError, SketchgenError

if TYPE_CHECKING:
    from sketchgen.jobs.inputs import Source

_SAMPLING, _MANY = "Sampling", "Many drawings"

MAX_TOLD = 20
"""Drawings, the first ones, whose guesses are told."""

RANKS = {"likelihood": "likelihood", "classifier": "recogniser", "reward": "reward"}
"""The ways of ranking candidates, and what the library calls them."""

DRAWING = options(
    option("-n --count", limits.COUNT, "Drawings for each category or input."),
    option("-t --temperature", limits.TEMPERATURE, "0 draws the likeliest line, 1 as people do; at most 2."),
    option("-s --seed", 0, "Random seed: the same seed gives the same drawing."),
    option("-o --out PATH", str, "A file, a folder, or - for standard output.  [default: -]"),
    FORMAT,
    option("--best-of", 1, "Draw this many candidates of each, and keep the best."),
    option(
        "--checkpoint NAME|FOLDER",
        str,
        "Model: a bundled one, or a folder.  [default: quickdraw345]",
        shell_complete=suggest(resources.bundled_checkpoints),
    ),
    FORCE,
    option("--resume", False, "Go on with an interrupted run; give the same options again."),
    option("--guidance", float, "Pull towards the category, 0 to 10.  [default: the model's]", _SAMPLING),
    option(
        "--rank",
        tuple(RANKS),
        "What ranks the candidates of --best-of: likelihood, the classifier's certainty of the category, or "
        "the reward model with geometry and consensus.  [default: reward, or classifier]",
        _SAMPLING,
    ),
    option("--unique", False, "Drop drawings that look like an earlier one.", _SAMPLING),
    option("--label", False, "Record the classifier's guess for each drawing in the manifest.", _SAMPLING),
    APPEARANCE,
    option("--jobs", int, "Worker processes.  [default: by the number]", _MANY),
    option("--ray ADDRESS", str, "Run on a Ray cluster: its address, auto, or local to start one.", _MANY),
)
"""The options that complete and generate share."""


@command(
    "complete",
    "Draw",
    """
    sketchgen complete example:half-a-cat -c cat -o out/
    sketchgen complete drawing.svg -n 1 -o finished.svg
    sketchgen complete owl.svg -c owl --best-of 8 -n 5 -o owls/
    sketchgen complete a.svg b.svg drawings.ndjson.gz -n 5 -o finished.ndjson
    """,
)
@FILES
@option(
    "-c --category NAME",
    str,
    "What to complete it to, such as cat; auto guesses it, none names nothing.  [default: auto]",
    shell_complete=suggest(resources.categories),
)
@DRAWING
@option(
    "--close-gaps PX", limits.CLOSING, "Largest gap to close, in 160ths of the size; 0 for none.", _SAMPLING
)
@option("--mirror/--no-mirror", True, "Offer --best-of mirrored strokes where that fits.", _SAMPLING)
@option("--stream", False, "Write G-code to standard output, stroke by stroke as drawn.", PAPER)
def complete(
    files: tuple[str, ...], category: str | None, close_gaps: float, mirror: bool, stream: bool, **given: Any
) -> int:
    """Complete partial drawings, each several times.

    FILE is .svg, .json (canvas), .excalidraw, .ndjson (every drawing in it), - for standard input, or
    example:NAME for a bundled drawing (half-a-cat, face, car, pineapple, mona-lisa). A folder gets one file
    for each drawing, a contact sheet, and a manifest to draw any of them again. Without a category it guesses
    and tells it. A page in mm, into one file, is completed once.
    """
    asked = SimpleNamespace(**given)
    _check(asked)
    limits.check_range("close-gaps", close_gaps, 0, limits.MAX_CLOSING, "px")
    out = output_path(asked.out)

    from sketchgen.completion.guessing import AUTO
    from sketchgen.jobs.inputs import open_source
    from sketchgen.jobs.spec import choose_categories
    from sketchgen.models.checkpoint import find_checkpoint

    each = asked.count * asked.best_of
    most, words = limits.MAX_DRAWINGS // each, f"{each} completions; at most {limits.MAX_DRAWINGS} at a time"
    known = find_checkpoint(asked.checkpoint).config.categories
    categories = choose_categories([category] if category else [], known)
    if len(categories) != 1:
        raise SettingError("complete takes one category; name one, or leave it out")
    problems = Problems()
    inputs = [(name, input_path(name)) for name in files]
    source = open_source(inputs, most, f"{words}: lower --count or split the files", problems.add)
    if categories == (AUTO,):
        _tell_guesses(source, known)
    if _not_given("count") and _is_page(asked, out, source):
        asked.count = 1
    if stream:
        _stream(asked, source, categories[0], close_gaps)
        return problems.status()
    rank = asked.rank or "reward"
    sampling: dict[str, Any] = {
        "closing": close_gaps,
        "mirrored": mirror and rank == "reward" and asked.best_of > 1,
    }
    job = job_of(asked, out, source, categories, _stems(source), RANKS[rank], **sampling)
    run_job(asked, out, source, job)
    return problems.status()


@command(
    "generate",
    "Draw",
    """
    sketchgen generate cat dog -n 4 -o pets/
    sketchgen generate "The Mona Lisa" -n 1 -o mona.png
    sketchgen generate all -n 1 --format poster --page A2 --labels -o poster.svg
    sketchgen generate cat -n 10000 --unique -o cats.ndjson
    """,
)
@click.argument("categories", nargs=-1, metavar="[CATEGORY]...", shell_complete=suggest(resources.categories))
@click.option("-c", "--category", "more", multiple=True, hidden=True)
@DRAWING
def generate(categories: tuple[str, ...], more: tuple[str, ...], **given: Any) -> None:
    """Draw from nothing.

    CATEGORY is one that the model knows, such as cat, or all for every one; without it, or for auto, each
    drawing is of a category chosen at random, and none names nothing. A folder gets one file for each
    drawing, a contact sheet, and a manifest by which any drawing can be drawn again.
    """
    asked = SimpleNamespace(**given)
    _check(asked)
    if asked.rank == "reward":
        raise SettingError("--rank reward is for complete; from nothing, use classifier or likelihood")
    out = output_path(asked.out)

    from sketchgen.completion.guessing import AUTO
    from sketchgen.jobs.output import file_name
    from sketchgen.jobs.spec import choose_categories
    from sketchgen.models.checkpoint import find_checkpoint

    known = find_checkpoint(asked.checkpoint).config.categories
    chosen = choose_categories([*categories, *more], known)
    stems = [file_name("drawing" if name in (None, AUTO) else name) for name in chosen]
    if len(set(stems)) < len(stems):
        stems = [f"{stem}-{number}" for number, stem in enumerate(stems, 1)]
    ranked = {AUTO, *resources.categories()}
    rank = asked.rank or ("classifier" if set(chosen) <= ranked else "likelihood")
    run_job(asked, out, None, job_of(asked, out, None, chosen, tuple(stems), RANKS[rank]))


@command(
    "redraw",
    "Draw",
    """
    sketchgen redraw cats/manifest.jsonl 123 -o one.svg
    sketchgen redraw cats/manifest.jsonl cat-00124.svg > one.svg
    sketchgen redraw cats.ndjson.manifest.jsonl 0 -o one.gif
    """,
)
@click.argument("manifest", type=Path)
@click.argument("which", metavar="NUMBER|NAME")
@option("-o --out FILE", str, "A file (its suffix sets the format).  [default: -]")
@option("-f --format FORMAT", FORMATS, "Another format.")
@option("--checkpoint NAME|FOLDER", str, "The model, if it has moved.")
@option("--source FILE", str, "The input, if it has moved; once for each input.", multiple=True)
@option("--force", False, "Replace a file.")
@AS_DRAWN
def redraw(
    manifest: Path,
    which: str,
    out: str | None,
    format: str | None,
    checkpoint: str | None,
    source: tuple[str, ...],
    force: bool,
) -> None:
    """Draw one drawing of an earlier run again, bit for bit.

    The manifest records how it was drawn; the model and the input must be the same. NUMBER counts from 0,
    NAME is the name of the drawing's file.
    """
    path = output_path(out)

    from sketchgen.formats.registry import encode
    from sketchgen.formats.render_options import RenderOptions
    from sketchgen.jobs import redraw as again
    from sketchgen.jobs.output import is_file, render_options_for, write_out
    from sketchgen.sketch.files import check_target, write_atomic

    earlier = again.find_drawing(manifest, which)
    options = earlier.job.render_options if format is None else RenderOptions(format)
    if path is not None and not is_file(path):
        raise SettingError(f"{path} is no file name for a drawing; name one such as one.svg")
    if path is not None:
        check_target(path, force)
    if checkpoint is not None:
        sampling = {**earlier.header["sampling"], "checkpoint": checkpoint}
        earlier = replace(earlier, header={**earlier.header, "sampling": sampling})
    drawing = again.redraw(earlier, _earlier_source(earlier.header["sources"], source))
    data = encode(drawing, render_options_for(path, options))
    if path is not None:
        write_atomic(path, data, force=force)
        emit(str(path))
    else:
        write_out(data)


def _not_given(name: str) -> bool:
    """Return whether an option has its default."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.DEFAULT


def _is_page(asked: SimpleNamespace, out: Path | None, source: Source) -> bool:
    """Return whether one page with a physical size is drawn on, and one file of lines is written."""
    if source.drawings != 1 or (out is not None and not out.suffix):
        return False
    if render_options(asked, out).format not in ("svg", "plot", "gcode"):
        return False
    sheet = next(source.sketches()).sheet
    return sheet is not None and sheet.size is not None


def _stream(asked: SimpleNamespace, source: Source, category: str | None, closing: float) -> None:
    """Write one completion to standard output while it is drawn."""
    alone = {"count": 1, "best_of": 1, "unique": False, "label": False, "resume": False, "ray": None}
    wrong = [name.replace("_", "-") for name, value in alone.items() if getattr(asked, name) != value]
    if wrong:
        hint = "pass -n 1" if wrong[0] == "count" else f"leave out --{wrong[0]}"
        raise SettingError(f"--stream draws one completion, stroke by stroke; {hint}")
    if source.drawings != 1 or asked.out not in (None, "-") or asked.format not in (None, "gcode"):
        raise SettingError("--stream takes one drawing, and writes G-code to standard output; no -o, no -f")
    options = render_options(SimpleNamespace(**vars(asked) | {"format": "gcode"}), None)

    from sketchgen.completion.completer import load
    from sketchgen.jobs.stream import stream_gcode

    model = load(asked.checkpoint).closing_within(closing)
    model = model if asked.guidance is None else model.guided(asked.guidance)
    sketch = next(source.sketches())
    stream_gcode(sketch, model.stream(sketch, category, 1, asked.temperature, asked.seed), options, emit_now)


def _check(asked: SimpleNamespace) -> None:
    """Check the options that complete and generate share."""
    limits.check_range("count", asked.count, 1, limits.MAX_DRAWINGS)
    limits.check_range("best-of", asked.best_of, 1, limits.MAX_BEST_OF)
    limits.check_range("temperature", asked.temperature, 0, limits.MAX_TEMPERATURE)
    limits.check_range("guidance", asked.guidance, 0, limits.MAX_GUIDANCE)
    limits.check_range("seed", asked.seed, 0, limits.MAX_SEED)
    limits.check_range("jobs", asked.jobs, 1, limits.MAX_PROCESSES)
    if asked.resume and asked.force:
        raise SettingError("--resume keeps what is there, and --force replaces it; leave out one of them")


def _tell_guesses(source: Source, categories: Sequence[str]) -> None:
    """Say what the first partial sketches are guessed to be."""
    from sketchgen.completion.guessing import Guesses
    from sketchgen.models.recogniser import default_recogniser

    for number, sketch in enumerate(itertools.islice(source.sketches(0), MAX_TOLD)):
        guesses = Guesses.of(default_recogniser(), categories, sketch)
        name = "the drawing" if source.drawings == 1 else f"drawing {number + 1}"
        if guesses is None:
            say(f"{name}: drawn under no category, as the classifier knows none of the model's")
        elif guesses.anything:
            say(f"{name}: empty, so that each completion is of a category chosen at random")
        else:
            found = [f"{guess.category} {guess.probability:.0%}" for guess in guesses.top(3)]
            say(f"{name}: perhaps {joined(found)}")


def _stems(source: Source) -> tuple[str, ...]:
    """Return the stem of the output files of each input file, such that no two outputs share a name."""
    from sketchgen.jobs.output import file_name

    paths = [file.path for file in source.files]
    stems = [
        "drawing" if path is None else file_name(path.name.removesuffix(".gz").rsplit(".", 1)[0])
        for path in paths
    ]
    clash = any(a == b or a.startswith(f"{b}-") for a, b in itertools.permutations(stems, 2))
    return tuple(f"{number}-{stem}" for number, stem in enumerate(stems, 1)) if clash else tuple(stems)


def _earlier_source(sources: Sequence[dict[str, Any]] | None, moved: Sequence[str]) -> Source | None:
    """Open the inputs of an earlier run, where they are now."""
    from sketchgen.jobs.inputs import open_source

    if sources is None:
        return None
    if moved and len(moved) != len(sources):
        raise SettingError(f"{plural(len(sources), 'input')} then, {len(moved)} --source now; name each")
    names = list(moved or [str(each["name"]) for each in sources])
    if "-" in names:
        raise SettingError("the input was standard input; name the same content with --source FILE")
    inputs, errors = [(name, input_path(name)) for name in names], list[SketchgenError]()
    source = open_source(inputs, limits.MAX_DRAWINGS, "1", errors.append)
    if len(source.files) < len(names):
        raise errors[-1]
    return source
