"""The commands for data: download, import, prepare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sketchgen import limits
from sketchgen.cli.command import EXAMPLE, command, emit, given, goes_on, joined, option, say
from sketchgen.errors import SettingError

MAGENTA = "magenta"
"""Stands before categories whose published decoders are to be fetched, and before one that is to be read."""

FORMATS = ("simplified", "raw", "binary", "npz", "npz-full", MAGENTA, f"{MAGENTA}-large")


@command(
    "download",
    "Data",
    """
    sketchgen download cat dog "The Mona Lisa" -o quickdraw/
    sketchgen download cat -f npz -o npz/
    sketchgen download --all --jobs 8 -o quickdraw/
    sketchgen download magenta sheep catpig -o decoders/
    """,
)
@click.argument("categories", nargs=-1, metavar="[magenta] CATEGORY...")
@option("-o --out FOLDER", Path, "Where the files go.", required=True)
@option("--all every", False, "All of them: 345 categories, about 23 GB.")
@option("-f --format form FORMAT", FORMATS, f"{joined(FORMATS)}.  [default: {FORMATS[0]}]")
@option("--force", False, "Fetch again what is there, and replace it.")
@option("--jobs", limits.DOWNLOADS, f"Files at a time, 1 to {limits.MAX_DOWNLOADS}.")
@option("--retries", limits.RETRIES, "Attempts after one that made no progress.")
@option("--base URL", str, "Address of a mirror.  [default: Google's bucket]")
def download(categories: tuple[str, ...], out: Path, every: bool, **settings: Any) -> None:
    """Download drawings of Quick, Draw!, or published decoders.

    A file that is there already is not fetched again. After an interruption the same command goes on where it
    stopped. Files are checked by length, kind and, where the server names one, MD5. Decoders are those that
    Google published for its Sketch-RNN demo; sketchgen import reads them.
    """
    if categories[:1] == (MAGENTA,):
        categories = categories[1:]
        settings["form"] = settings["form"] or MAGENTA
    if every and categories:
        raise SettingError("--all and categories do not go together; leave out one of them")
    if not (every or categories):
        raise SettingError("no categories; name some, such as cat, or pass --all")

    from sketchgen.cli.progress import shown, transfers
    from sketchgen.data import download as source

    form = source.FORMS[settings["form"] or FORMATS[0]]
    names = list(form.names if every else dict.fromkeys(categories))
    with shown(" MB") as show, goes_on():
        paths = source.download(names, out, progress=transfers(show, len(names)), **given(settings))
    emit("\n".join(map(str, paths)))
    say(form.licence)


@command(
    "import",
    "Data",
    """
    sketchgen import magenta sheep.gen.json -o sheep/
    sketchgen complete drawing.svg --checkpoint sheep/ -o out/
    """,
)
@click.argument("kind", type=click.Choice((MAGENTA,)), metavar=MAGENTA)
@click.argument("file", type=Path)
@option("-o --out FOLDER", Path, "Where the checkpoint goes.", required=True)
@option("--force", False, "Replace a checkpoint that is there.")
def import_(kind: str, file: Path, out: Path, force: bool) -> None:
    """Make a checkpoint of weights that others have published.

    FILE is one of the networks that Google published for its Sketch-RNN demo: a decoder (*.gen.json), which
    sketchgen download magenta fetches, or an autoencoder (*.vae.json). All commands take the checkpoint.
    """
    from sketchgen.models.checkpoint import save_checkpoint
    from sketchgen.models.magenta import read_magenta
    from sketchgen.models.numpy_stroke_model import Decoder

    found = read_magenta(file)
    save_checkpoint(out, Decoder(found.config, found.weights), found.summary, force=force)
    emit(str(out))


@command(
    "prepare",
    "Data",
    """
    sketchgen prepare quickdraw/ -o store/
    sketchgen prepare cat.ndjson.gz dog.npz -o pets/ --max-per-category 1000 --recognised
    sketchgen prepare my-drawings/ -o store/     # my-drawings/owl/1.svg, my-drawings/fox/1.svg, ...
    sketchgen prepare example:sample -o store/
    """,
)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@option("-o --out FOLDER", Path, "Where the store goes.", required=True)
@option("-c --category NAME", str, "Only this category; may be repeated.", multiple=True)
@option("--max-per-category", int, "Most drawings of each category.  [default: all]")
@option("--recognised", False, "Only drawings that the game Quick, Draw! recognised.")
@option(
    "--training-only PATH",
    Path,
    "A source that stays out of validation and test, such as sampled drawings; may be repeated.",
    multiple=True,
)
@option("--jobs", int, "Processes that read, of 200 MB each.  [default: one a core]")
@option("--strict", False, "Write nothing if any drawing cannot be read.")
@option("--force", False, "Replace a store that is there.")
def prepare(
    sources: tuple[str, ...],
    out: Path,
    category: tuple[str, ...],
    max_per_category: int | None,
    recognised: bool,
    training_only: tuple[Path, ...],
    jobs: int | None,
    strict: bool,
    force: bool,
) -> None:
    """Prepare a store to train on from files of drawings.

    SOURCE is a file of Quick, Draw! (.ndjson, .ndjson.gz, .bin), of Sketch-RNN (.npz), an SVG or a canvas
    JSON in a folder named after its category, a folder of any of these, or example:sample. Drawings are split
    90/5/5 by a hash, so that more files never move a drawing to another split.
    """
    if not sources:
        raise SettingError("no sources; name files of drawings or folders of them, such as quickdraw/")
    limits.check_range("jobs", jobs, 1)
    limits.check_range("max-per-category", max_per_category, 1)

    from sketchgen.cli.progress import shown, usable_cores
    from sketchgen.data.prepare import prepare as prepare_store
    from sketchgen.data.selection import Selection
    from sketchgen.resources import bundled

    sample = f"{EXAMPLE}sample"
    paths = [bundled("datasets", "sample") if name == sample else Path(name) for name in sources]
    selection = Selection(recognised, frozenset(category) or None, max_per_category)
    how: dict[str, Any] = {"jobs": jobs or usable_cores(), "strict": strict, "force": force}
    how |= {"training_only": training_only}
    with shown(" MB") as progress:
        report = prepare_store(paths, out, selection, progress=progress, **how)
    emit(report.text())
