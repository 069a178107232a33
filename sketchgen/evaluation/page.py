"""Reports: a Markdown page of figures, with a contact sheet of completions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer
from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import MIN_POINTS
from sketchgen.errors import OutputError, SettingError
from sketchgen.evaluation.held_out import drawing_seed, finish, held_out
from sketchgen.evaluation.tables import models_of, sections
from sketchgen.formats.raster import contact_sheet, image_png
from sketchgen.sketch.files import check_target, write_atomic

SHEET = "Given parts (black, a quarter of the points) and what the model added (blue), six completions each."
SHEET_CATEGORIES, SHEET_CANDIDATES, SHEET_SHARE, SHEET_ACROSS = 30, 6, 0.25, 2
SHEET_CELL = 120
SHEET_TEMPERATURE = 0.25
"""Temperature of the sheet where no best one was found."""


def check_page(path: Path, *, force: bool) -> Path:
    """Check that a page can be written, before anything is measured.

    Raises:
        OutputError: it exists and `force` is false, or its folder does not exist.
        SettingError: a suffix other than .md.
    """
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
    """Write a page of all figures that `evaluate` found, with a contact sheet of the model's completions.

    Raises:
        OutputError: it cannot be written.
    """
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
    return image_png(contact_sheet(cells, SHEET_CANDIDATES * SHEET_ACROSS, SHEET_CELL, labels))


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
