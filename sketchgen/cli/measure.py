"""The commands that measure: evaluate, compare, info."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sketchgen import limits
from sketchgen.cli.command import command, emit, given, option, options, say
from sketchgen.errors import SettingError

SOURCE = click.argument("source", type=Path)

PROTOCOL = "What to measure.  [default: all]"

BENCHES = ("pages", "unfinished")
"""The protocols that need no source: drawings that come with sketchgen are completed as on the page."""

MEASURING = options(
    option("--split", ("train", "valid", "test"), "Split to use.", default="valid", show_default=True),
    option("-n --limit", int, "At most this many drawings.  [default: all]"),
    option("--samples", int, "Drawings to complete.  [default: 512]"),
    option("-s --seed", 0, "Random seed."),
    option(
        "-t --temperature temperatures", float, "May be repeated.  [default: 0.1, 0.25, 0.5]", multiple=True
    ),
    option("--guidance", float, "Guidance of all models that take it.  [default: the model's]"),
    option("--classifier judge NAME|FOLDER", str, "Recognises completions.  [default: recogniser345]"),
    option("--json as_json", False, "Print one JSON object instead of tables."),
)
"""The options that evaluate and compare share."""


@command(
    "evaluate",
    "Measure",
    """
    sketchgen evaluate run/best store/ --against quickdraw345 --report report.md
    sketchgen evaluate run/best quickdraw/ -n 1000 --protocol likelihood --json > figures.json
    sketchgen evaluate run/best --protocol pages --by-category
    """,
)
@click.argument("checkpoint")
@click.argument("source", type=Path, required=False)
@MEASURING
@option("--protocol", ("all", "likelihood", *BENCHES), PROTOCOL)
@option("--against CHECKPOINT", str, "Another model to measure; may be repeated.", multiple=True)
@option("--training STORE", Path, "Store to search for copies.  [default: SOURCE]")
@option("--report FILE", Path, "Write an .md report with a picture.")
@option("--force", False, "Replace a report that is there.")
@option(
    "--category",
    ("told", "open", "auto"),
    "Of these two: what the model is told.  [default: told and open]",
    multiple=True,
)
@option("--by-category", False, "Of these two: a row for each category, too.")
def evaluate(
    checkpoint: str, source: Path | None, as_json: bool, report: Path | None, **settings: Any
) -> None:
    """Measure a checkpoint on drawings that it has not seen.

    CHECKPOINT is a bundled name or a folder, SOURCE a store or a folder of ndjson files. Measures likelihood
    (nats, lower is better), whether completions are recognised, how near they come to the truth, how like
    real drawings they are, and whether they end; docs/evaluation.md explains the figures. The protocols
    pages and unfinished complete drawings that a person begins, without SOURCE.
    """
    if settings["protocol"] in BENCHES:
        _pages(checkpoint, as_json, settings)
        return
    category, by_category = (settings.pop(name) for name in ("category", "by_category"))
    if category or by_category:
        raise SettingError("--category and --by-category are for --protocol pages or unfinished")
    if source is None:
        raise SettingError(
            "SOURCE is missing: a store or drawings; only --protocol pages or unfinished needs none"
        )
    settings = _checked(settings)

    from sketchgen.cli.progress import shown
    from sketchgen.evaluation.report import evaluate as measured

    with shown() as progress:
        figures = measured(checkpoint, source, report=report, progress=progress, **settings)
    if report is not None:
        say(f"report: {report}")
    from sketchgen.cli import tables

    emit(tables.as_json(figures)) if as_json else tables.print_figures(figures)


@command(
    "compare",
    "Measure",
    """
    sketchgen compare quickdraw345 run/best store/
    sketchgen compare quickdraw345 run/best store/ --protocol likelihood
    sketchgen compare run/last run/best store/ --json > difference.json
    """,
)
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@SOURCE
@MEASURING
@option("--protocol", ("all", "likelihood"), PROTOCOL)
def compare(a: str, b: str, source: Path, as_json: bool, **settings: Any) -> None:
    """Measure how two checkpoints differ on the same drawings.

    A and B are bundled names or folders, SOURCE a store or a folder of ndjson files. Prints figures of A, of
    B, and of B - A with the standard error of the paired difference, which is far smaller than theirs.
    """
    settings = _checked(settings)

    from sketchgen.cli import tables
    from sketchgen.cli.progress import shown
    from sketchgen.evaluation.comparison import compare as measured

    with shown() as progress:
        found = measured(a, b, source, progress=progress, **settings)
    emit(tables.as_json(found)) if as_json else tables.print_differences(found)


@command(
    "info",
    "Measure",
    """
    sketchgen info
    sketchgen info run/best --json
    """,
)
@click.argument("checkpoint", required=False)
@option("--json as_json", False, "Print one JSON object instead of tables.")
def info(checkpoint: str | None, as_json: bool) -> None:
    """Describe a checkpoint: its categories, its settings, and how it was trained.

    CHECKPOINT is a bundled name or a folder; without it, quickdraw345.
    """
    from sketchgen.cli import tables
    from sketchgen.completion.completer import load

    model = load(checkpoint)
    config = {name: value for name, value in model.config.to_dict().items() if name != "categories"}
    found = {"name": model.name, "categories": list(model.categories), "config": config}
    found["training"] = model.summary
    emit(tables.as_json(found)) if as_json else tables.print_info(found)


def _pages(checkpoint: str, as_json: bool, settings: dict[str, Any]) -> None:
    """Measure the beginnings drawn in a person's manner, and print the figures."""
    by_category = settings.pop("by_category")
    settings = _checked(settings)
    limit = settings.get("limit")

    from sketchgen.cli import tables
    from sketchgen.cli.progress import shown
    from sketchgen.evaluation.pages import beginnings, from_unfinished, pages
    from sketchgen.evaluation.report import opened
    from sketchgen.evaluation.unfinished import unfinished

    items = beginnings() if settings["protocol"] == "pages" else list(map(from_unfinished, unfinished()))
    items = items if limit is None else items[:: -(-len(items) // limit)]
    model = opened(checkpoint, settings.get("guidance"))
    tellings = tuple(settings.get("category", ("told", "open")))
    with shown() as progress:
        found = pages(model, items, tellings, progress=progress, seed=settings["seed"])
    found = {"checkpoint": model.name, "guidance": model.guidance, "seed": settings["seed"]} | found
    emit(tables.as_json(found)) if as_json else tables.print_pages(found, by_category=by_category)


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that were given, checked as far as that is quick."""
    limits.check_range("limit", settings["limit"], 1)
    limits.check_range("samples", settings["samples"], 1)
    limits.check_range("seed", settings["seed"], 0, limits.MAX_SEED)
    limits.check_range("guidance", settings["guidance"], 0, limits.MAX_GUIDANCE)
    return {name: value for name, value in given(settings).items() if value is not False}
