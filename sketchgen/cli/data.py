"""The commands for data: download, prepare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sketchgen import limits
from sketchgen.cli.command import EXAMPLE, command, emit, given, goes_on, option, say
from sketchgen.errors import SettingError

FORMATS = ("simplified", "raw", "binary", "npz", "npz-full")


@command(
    "download",
    "Data",
    """
    sketchgen download cat dog "The Mona Lisa" -o quickdraw/
    sketchgen download cat -f npz -o npz/
    sketchgen download --all --jobs 8 -o quickdraw/
    """,
)
@click.argument("categories", nargs=-1, metavar="CATEGORY...")
@option("-o --out FOLDER", Path, "Where the files go.", required=True)
@option("--all every", False, "All 345 categories, about 23 GB.")
@option("-f --format form FORMAT", FORMATS, "simplified (the default), raw, binary, npz or npz-full.")
@option("--force", False, "Fetch again what is there, and replace it.")
@option("--jobs", limits.DOWNLOADS, f"Files at a time, 1 to {limits.MAX_DOWNLOADS}.")
@option("--retries", limits.RETRIES, "Attempts after one that made no progress.")
@option("--base URL", str, "Address of a mirror.  [default: Google's bucket]")
def download(categories: tuple[str, ...], out: Path, every: bool, **settings: Any) -> None:
    """Download drawings of Quick, Draw!, one file for each category.

    A file that is there already is not fetched again. After an interruption the same command goes on where it
    stopped. Files are checked by length, kind and, where the server names one, MD5.
    """
    if every and categories:
        raise SettingError("--all and categories do not go together; leave out one of them")
    if not (every or categories):
        raise SettingError("no categories; name some, such as cat, or pass --all")

    from sketchgen import resources
    from sketchgen.cli.progress import shown, transfers
    from sketchgen.data import download as source

    names = resources.categories() if every else list(dict.fromkeys(categories))
    with shown(" MB") as show, goes_on():
        paths = source.download(names, out, progress=transfers(show, len(names)), **given(settings))
    emit("\n".join(map(str, paths)))
    say(source.LICENCE)


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
