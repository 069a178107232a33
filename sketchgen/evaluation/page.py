"""Pages of figures: one HTML file that needs nothing else, or Markdown with a folder of pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer
from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import MIN_POINTS
from sketchgen.errors import OutputError, SettingError
from sketchgen.evaluation.held_out import drawing_seed, finish, held_out
from sketchgen.evaluation.tables import Grid, Section, models_of, sections
from sketchgen.formats.poster import contact_sheet
from sketchgen.formats.raster import image_bytes
from sketchgen.sketch.files import check_target, write_atomic

SUFFIXES = (".html", ".md")

SHEET = "Given parts (black, a quarter of the points) and what the model added (blue), six completions each."
SHEET_CATEGORIES, SHEET_CANDIDATES, SHEET_SHARE, SHEET_ACROSS = 30, 6, 0.25, 2
SHEET_CELL = 120
SHEET_TEMPERATURE = 0.25
"""Temperature of the sheet where no best one was found."""

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #111; }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 2.5rem; }
p { max-width: 48rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.5rem 0 1.5rem; }
caption { text-align: left; font-weight: 600; padding: 0.3rem 0; white-space: nowrap; }
th, td { border-bottom: 1px solid #ddd; padding: 0.25rem 0.6rem; text-align: right; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
td { white-space: nowrap; }
img { max-width: 100%; border: 1px solid #ddd; }
"""


def check_page(path: Path, *, force: bool) -> Path:
    """Check that a page can be written, before anything is measured.

    Raises:
        OutputError: it exists and `force` is false, or its folder does not exist.
        SettingError: a suffix that is neither .html nor .md.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SettingError(f"a report is {' or '.join(SUFFIXES)}, not {path.name[:60]!r}")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} is no folder; make it first")
    check_target(path, force)
    if path.suffix.lower() == ".md":
        check_target(_picture_of(path), force)
    return path


def _picture_of(path: Path) -> Path:
    """Return where the contact sheet of a Markdown page is written."""
    return path.parent / f"{path.stem}-pictures" / "completions.png"


def write_page(
    path: Path, figures: dict[str, Any], model: Completer, drawings: Drawings, *, force: bool
) -> None:
    """Write a page of all figures with a contact sheet of completions.

    Args:
        path: .html or .md.
        figures: what `evaluate` found.
        model: whose completions are shown.
        drawings: the drawings that are completed.
        force: replace existing files.

    Raises:
        OutputError: it cannot be written.
    """
    temperature = figures.get("temperature") or SHEET_TEMPERATURE
    sheet = completion_sheet(model, drawings, temperature, figures["seed"])
    if path.suffix.lower() == ".html":
        text = as_html(figures, sheet)
    else:
        picture = _picture_of(path)
        try:
            picture.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"{picture.parent} cannot be made: {error.strerror}") from error
        write_atomic(picture, sheet, force=force)
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


def _title(figures: dict[str, Any]) -> str:
    return " against ".join(str(model.get("checkpoint", "")) for model in models_of(figures))


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


def as_html(figures: dict[str, Any], sheet: bytes) -> str:
    """Return a page that holds everything, its contact sheet included."""
    title = html.escape(_title(figures))
    picture = base64.b64encode(sheet).decode("ascii")
    body = [f"<h1>{title}</h1>", f"<p>{html.escape(_about(figures))}</p>", "<h2>Completions</h2>"]
    body.append(f"<p>{html.escape(SHEET)}</p>")
    body.append(f'<img alt="Completions" src="data:image/png;base64,{picture}">')
    body += [_html_section(section) for section in sections(figures)]
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _html_section(section: Section) -> str:
    tables = "\n".join(map(_html_table, section.grids))
    return f"<h2>{html.escape(section.title)}</h2>\n<p>{html.escape(section.words)}</p>\n{tables}"


def _html_table(grid: Grid) -> str:
    caption = f"<caption>{html.escape(grid.title)}</caption>" if grid.title else ""

    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    rows = "\n".join(row(cells, "td") for cells in grid.rows)
    head = row(grid.head, "th")
    return f'<div class="wide"><table>{caption}<thead>{head}</thead>\n<tbody>{rows}</tbody></table></div>'


def as_markdown(figures: dict[str, Any], picture: str) -> str:
    """Return a Markdown page that shows the contact sheet of a relative path."""

    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    parts = [f"# {_title(figures)}", _about(figures), "## Completions", SHEET, f"![Completions]({picture})"]
    for section in sections(figures):
        parts += [f"## {section.title}", section.words]
        for grid in section.grids:
            lines = [row(grid.head), "|" + "|".join(["---"] + ["---:"] * (len(grid.head) - 1)) + "|"]
            title = [f"**{grid.title}**"] if grid.title else []
            parts += [*title, "\n".join([*lines, *(row(cells) for cells in grid.rows)])]
    return "\n\n".join(parts) + "\n"
