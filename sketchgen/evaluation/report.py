"""`evaluate`: all figures of a checkpoint on a set of drawings, as one plain object and as a page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer, load
from sketchgen.data.drawings import Drawings
from sketchgen.data.prepare import read_drawings
from sketchgen.data.splitting import MIN_POINTS
from sketchgen.data.store import Store
from sketchgen.errors import FormatError, OutputError, SettingError
from sketchgen.evaluation.completion_metrics import (
    copying_table,
    distance_table,
    model_nearness,
    nearness_table,
    recognised,
    recognition_table,
    retrieval_nearness,
)
from sketchgen.evaluation.held_out import drawing_seed, finish, held_out
from sketchgen.evaluation.latent import latent_figures
from sketchgen.evaluation.likelihood import likelihood_figures
from sketchgen.evaluation.recognition import Judge, load_judge
from sketchgen.evaluation.statistics import Progress, category_counts
from sketchgen.evaluation.tables import models_of, sections
from sketchgen.evaluation.task import TEMPERATURES, Task, about_judge, make_task, training_drawings
from sketchgen.formats.poster import contact_sheet
from sketchgen.formats.raster import image_bytes
from sketchgen.limits import check_range
from sketchgen.sketch.files import check_target, write_atomic

END_TEMPERATURES = (0.0, 0.25, 0.5, 1.0)
"""Temperatures at which the share of drawings that end by themselves is measured."""

END_LIMIT = 200
"""Points within which a drawing must have ended."""

SAMPLE_BATCH = 256

SAMPLES = 512
"""Drawings that are completed, and drawn from nothing, unless another number is asked for."""

PROTOCOLS = ("all", "likelihood")
SHEET = "Given parts (black, a quarter of the points) and what the model added (blue), six completions each."
SHEET_CATEGORIES, SHEET_CANDIDATES, SHEET_SHARE, SHEET_ACROSS = 30, 6, 0.25, 2
SHEET_CELL = 120
SHEET_TEMPERATURE = 0.25
"""Temperature of the sheet where no best one was found."""


Checkpoint = Completer | str | os.PathLike[str] | None


def evaluate(
    checkpoint: Checkpoint,
    source: str | os.PathLike[str],
    *,
    split: str = "valid",
    limit: int | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    protocol: str = "all",
    judge: Judge | str | os.PathLike[str] | None = None,
    against: Sequence[Checkpoint] = (),
    training: str | os.PathLike[str] | None = None,
    temperatures: Sequence[float] = TEMPERATURES,
    guidance: float | None = None,
    report: str | os.PathLike[str] | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Measure a checkpoint on a prepared store or on ndjson that it has never seen.

    docs/evaluation.md explains each figure.

    Args:
        checkpoint: a completer, or a name or path that `load` takes.
        source: a store, an ndjson file, or a folder of ndjson files.
        split: of a store.
        limit: maximum number of drawings, those with the smallest hashes; None for all.
        samples: drawings sampled at each temperature, and drawings completed; 0 for likelihood alone.
        seed: of dequantisation and sampling.
        protocol: "all", or "likelihood" without what needs a judge or training drawings.
        judge: who recognises drawings, or the name or path of one; None for the bundled recogniser.
        against: other models for the same tables.
        training: a store whose training drawings are searched; None for `source`, if it is a store.
        temperatures: of completions.
        guidance: of all models that can be guided; None for each model's own.
        report: where a page is written, .md; None for none.
        force: replace an existing page.
        progress: called now and then.

    Returns:
        The checkpoint's figures, and those of the others in a list `against`. All plain JSON values.

    Raises:
        CategoryError: the judge knows none of the categories.
        CheckpointError: no such checkpoint or judge.
        FormatError: no drawings.
        OutputError: the page cannot be written.
        SettingError: a setting outside its limits, or an unknown suffix.
    """
    check_settings(samples, protocol, limit)
    target = None if report is None else check_page(Path(report), force=force)
    say: Progress = progress or (lambda what, done, of: None)
    models = [opened(item, guidance) for item in (checkpoint, *against)]
    chosen = opened_judge(judge) if protocol == "all" and samples else None
    drawings, split = source_drawings(Path(source), split, limit)
    counts = category_counts(Path(source), models[0].summary)
    task = None
    if chosen is not None:
        searched = training_drawings(Path(source if training is None else training))
        settings = {"samples": samples, "temperatures": temperatures, "seed": seed, "report": say}
        task = make_task(drawings, counts, chosen, searched, **settings)
    parts = [_measured(model, drawings, counts, task, samples, seed, say) for model in models]
    result = header(Path(source), split, seed, drawings) | {"points": len(drawings.points)}
    result |= parts[0] | {"samples": samples}
    if task is not None:
        result |= _model_free(task, drawings)
    if len(parts) > 1:
        result["against"] = parts[1:]
    if target is not None:
        write_page(target, result, models[0], drawings, force=force)
    return result


def source_drawings(source: Path, split: str, limit: int | None) -> tuple[Drawings, str]:
    """Read a store's split, or an ndjson file or folder: all drawings, or those with the smallest hashes.

    Returns:
        The drawings, and the name of the split, "all" where `source` is no store.
    """
    if (source / "store.json").is_file():
        drawings = Store.open(source).split(split).drawings()
    else:
        drawings, split = read_drawings(source)[0], "all"
    if not len(drawings):
        raise FormatError(f"{source} has no drawing in its {split} split")
    if limit is not None and limit < len(drawings):
        drawings = drawings.take(np.sort(np.argsort(drawings.key, kind="stable")[:limit]))
    return drawings, split


def opened(checkpoint: Checkpoint, guidance: float | None) -> Completer:
    """Load a checkpoint unless it is a completer, and set its guidance if it can be guided."""
    model = checkpoint if isinstance(checkpoint, Completer) else load(checkpoint)
    return model if guidance is None or not model.guidable else model.guided(guidance)


def opened_judge(judge: Judge | str | os.PathLike[str] | None) -> Judge:
    """Load a judge by its name or path unless it is one."""
    return load_judge(judge) if judge is None or isinstance(judge, str | os.PathLike) else judge


def check_settings(samples: int, protocol: str, limit: int | None) -> None:
    """Check settings of `evaluate` and `compare`."""
    check_range("limit", limit, 1)
    check_range("samples", samples, 0)
    if protocol not in PROTOCOLS:
        raise SettingError(f"no protocol {protocol!r}; there are {', '.join(PROTOCOLS)}")


def header(source: Path, split: str, seed: int, drawings: Drawings) -> dict[str, Any]:
    """Return what was measured on."""
    return {"source": source.name, "split": split, "seed": seed, "drawings": len(drawings)}


def _measured(
    model: Completer,
    drawings: Drawings,
    counts: dict[str, int] | None,
    task: Task | None,
    samples: int,
    seed: int,
    report: Progress,
) -> dict[str, Any]:
    result = {"checkpoint": model.name, "guidance": model.guidance}
    result |= likelihood_figures(model, drawings, counts, seed, report)
    if model.config.latent:
        result["latent"] = latent_figures(model, drawings, seed)
    if task is None:
        return result | {"ended": {}}
    result["ended"] = ended_shares(model, samples, seed, report)
    found = recognised(task, model)
    temperature = found.temperature["scale known"]
    return result | {
        "temperature": temperature,
        "recognition": recognition_table(task, found),
        "ten_ways": nearness_table(model_nearness(task, model, temperature), task.groups),
        "distances": distance_table(task, found),
        "copying": copying_table(task, model, temperature),
    }


def ended_shares(model: Completer, samples: int, seed: int, progress: Progress) -> dict[str, Any]:
    """Return the share of drawings from nothing that end within `END_LIMIT` points, by temperature."""
    shares: dict[str, Any] = {}
    for number, temperature in enumerate(END_TEMPERATURES):
        ended: list[bool] = []
        for first in range(0, samples, SAMPLE_BATCH):
            count = min(SAMPLE_BATCH, samples - first)
            labels = [(first + index) % len(model.categories) for index in range(count)]
            ended += model.sample_many(labels, temperature, seed + first, END_LIMIT).ended.tolist()
            progress("ended", number * samples + len(ended), len(END_TEMPERATURES) * samples)
        share = float(np.mean(ended))
        error = float(np.sqrt(share * (1 - share) / samples))
        shares[f"{temperature:g}"] = {"share": share, "standard_error": error}
    return shares


def _model_free(task: Task, drawings: Drawings) -> dict[str, Any]:
    """Return what is the same for every model: the judge, and the figures of retrieval and real drawings."""
    return {
        "judge": about_judge(task.judge, drawings),
        "finished": len(task.sketches),
        "searched": 0 if task.training is None else len(task.training),
        "baselines": {
            "retrieval_ten_ways": nearness_table(retrieval_nearness(task), task.groups),
            "distances": distance_table(task, None),
        },
    }


def check_page(path: Path, *, force: bool) -> Path:
    """Check that a page can be written, before anything is measured."""
    if path.suffix.lower() != ".md":
        raise SettingError(f"a report is Markdown, name it .md, not {path.name[:60]!r}")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} is no folder; make it first")
    check_target(path, force)
    check_target(_picture_of(path), force)
    return path


def _picture_of(path: Path) -> Path:
    """Return where the contact sheet of a page is written."""
    return path.parent / f"{path.stem}-pictures" / "completions.png"


def write_page(
    path: Path, figures: dict[str, Any], model: Completer, drawings: Drawings, *, force: bool
) -> None:
    """Write a page of all figures that `evaluate` found, with a contact sheet of the model's completions."""
    temperature = figures.get("temperature") or SHEET_TEMPERATURE
    picture = _picture_of(path)
    try:
        picture.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{picture.parent} cannot be made: {error.strerror}") from error
    write_atomic(picture, completion_sheet(model, drawings, temperature, figures["seed"]), force=force)
    text = as_markdown(figures, f"{picture.parent.name}/{picture.name}")
    write_atomic(path, text.encode(), force=force)


def completion_sheet(model: Completer, drawings: Drawings, temperature: float, seed: int) -> bytes:
    """Return a PNG of completions of the first quarter of a drawing of each of up to 30 categories."""
    order = np.argsort(drawings.key, kind="stable")
    order = order[drawings.lengths[order] >= MIN_POINTS]
    _, first = np.unique(drawings.category[order], return_index=True)
    # Categories by the hash of their first drawing: a choice at random that is always the same.
    rows = sorted(order[np.sort(first)[:SHEET_CATEGORIES]].tolist(), key=lambda row: drawings.category[row])
    category, keys = drawings.known_as(model.categories).tolist(), drawings.key.tolist()
    items = [
        held_out(drawings.sketch(row), SHEET_SHARE, category[row], drawing_seed(seed, keys[row]))
        for row in rows
    ]
    found = finish(model, items, "scale known", temperature, SHEET_CANDIDATES)
    cells = [each.completion for row in found for each in row]
    labels = [each.given.category or "" for each in cells]
    return image_bytes(contact_sheet(cells, SHEET_CANDIDATES * SHEET_ACROSS, SHEET_CELL, labels))


def _about(figures: dict[str, Any]) -> str:
    """Return a sentence or two on what was measured."""
    words = f"{figures['drawings']} drawings of {figures['source']} (split {figures['split']})"
    words += f", seed {figures['seed']}."
    if "judge" in figures:
        judge = figures["judge"]
        words += f" {figures['finished']} of them were completed; {judge['name']} names them"
        words += f" by their {judge['sees']}" if judge.get("sees") else ""
        unknown = judge["unknown_to_it"]
        words += f", which does not know {len(unknown)} of their categories." if unknown else "."
        words += f" {figures['searched']} training drawings were searched." if figures["searched"] else ""
    return words


def as_markdown(figures: dict[str, Any], picture: str) -> str:
    """Return a Markdown page that shows the contact sheet of a relative path."""

    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    title = " against ".join(str(model.get("checkpoint", "")) for model in models_of(figures))
    parts = [f"# {title}", _about(figures), "## Completions", SHEET, f"![Completions]({picture})"]
    for section in sections(figures):
        parts += [f"## {section.title}", section.words]
        for grid in section.grids:
            lines = [row(grid.head), "|" + "|".join(["---"] + ["---:"] * (len(grid.head) - 1)) + "|"]
            title = [f"**{grid.title}**"] if grid.title else []
            parts += [*title, "\n".join([*lines, *(row(cells) for cells in grid.rows)])]
    return "\n\n".join(parts) + "\n"
