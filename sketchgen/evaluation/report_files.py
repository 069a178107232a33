"""A page of figures: one HTML file that needs nothing else, or Markdown with a folder of pictures."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer
from sketchgen.data.store import Drawings
from sketchgen.errors import OutputError, SettingError
from sketchgen.evaluation import explained
from sketchgen.evaluation.held_out import MIN_POINTS, begin, drawing_seed, finish, read_beginnings
from sketchgen.evaluation.report_sections import Grid, Section, models_of, sections
from sketchgen.formats.raster import contact_sheet, image_png
from sketchgen.sketch.files import check_target, write_atomic
from sketchgen.sketch.sketch import Completion

SUFFIXES = (".html", ".md")

SHEET_CATEGORIES, SHEET_WAYS, SHEET_SHARE, SHEET_ACROSS = 30, 6, 0.25, 2
SHEET_CELL = 120
SHEET_TEMPERATURE = 0.25
"""Temperature of the sheet where none was found to be the best."""

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


def check_report(path: Path, *, force: bool) -> Path:
    """Check that a page can be written, before anything is measured.

    Raises:
        OutputError: it exists and `force` is false, or its folder is not there.
        SettingError: a suffix that is neither .html nor .md.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SettingError(f"a report is {' or '.join(SUFFIXES)}, not {path.name[:60]!r}")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent} is no folder; make it first")
    check_target(path, force)
    if path.suffix.lower() == ".md":
        check_target(picture_of(path), force)
    return path


def picture_of(path: Path) -> Path:
    """Where the contact sheet of a Markdown page goes."""
    return path.parent / f"{path.stem}-pictures" / "completions.png"


def write_report(
    path: Path, figures: dict[str, Any], model: Completer, drawings: Drawings, *, force: bool
) -> None:
    """Write a page of all figures with a contact sheet of completions.

    Args:
        path: .html or .md.
        figures: what `evaluate` found.
        model: whose completions are shown.
        drawings: whose beginnings are finished.
        force: replace what stands there.

    Raises:
        OutputError: it cannot be written.
    """
    sheet = completion_sheet(
        model, drawings, figures.get("temperature") or SHEET_TEMPERATURE, figures["seed"]
    )
    if path.suffix.lower() == ".html":
        write_atomic(path, as_html(figures, sheet).encode(), force=force)
        return
    picture = picture_of(path)
    try:
        picture.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{picture.parent} cannot be made: {error.strerror}") from error
    write_atomic(picture, sheet, force=force)
    text = as_markdown(figures, f"{picture.parent.name}/{picture.name}")
    write_atomic(path, text.encode(), force=force)


def completion_sheet(model: Completer, drawings: Drawings, temperature: float, seed: int) -> bytes:
    """A PNG: of up to 30 categories the first drawing's first quarter, finished in six ways each."""
    order = np.argsort(drawings.key, kind="stable")
    order = order[drawings.lengths[order] >= MIN_POINTS]
    _, first = np.unique(drawings.category[order], return_index=True)
    # Categories by the hash of their first drawing: a choice at random that is always the same.
    rows = sorted(order[np.sort(first)[:SHEET_CATEGORIES]].tolist(), key=lambda row: drawings.category[row])
    category = drawings.known_as(model.categories)
    beginnings = [
        begin(
            drawings.sketch(row),
            SHEET_SHARE,
            int(category[row]),
            drawing_seed(seed, int(drawings.key[row])),
        )
        for row in rows
    ]
    ready = read_beginnings(beginnings, "scale known")
    found = finish(model, ready, temperature, SHEET_WAYS)
    cells: list[Completion] = [item.completion for ways in found for item in ways]
    labels = [item.given.category or "" for item in beginnings for _ in range(SHEET_WAYS)]
    return image_png(contact_sheet(cells, SHEET_WAYS * SHEET_ACROSS, SHEET_CELL, labels))


def _title(figures: dict[str, Any]) -> str:
    return " against ".join(str(model.get("checkpoint", "")) for model in models_of(figures))


def _about(figures: dict[str, Any]) -> str:
    """What was measured, in a sentence or two."""
    words = f"{figures['drawings']} drawings of {figures['source']} (split {figures['split']})"
    words += f", seed {figures['seed']}."
    if "judge" in figures:
        judge = figures["judge"]
        words += f" {figures['finished']} of them were finished; {judge['name']} names them"
        words += f" by their {judge['sees']}" if judge.get("sees") else ""
        unknown = judge["unknown_to_it"]
        words += f", which does not know {len(unknown)} of their categories." if unknown else "."
        words += f" {figures['searched']} training drawings were searched." if figures["searched"] else ""
    return words


def as_html(figures: dict[str, Any], sheet: bytes) -> str:
    """One HTML page with everything in it."""
    title = html.escape(_title(figures))
    picture = base64.b64encode(sheet).decode("ascii")
    body = [f"<h1>{title}</h1>", f"<p>{html.escape(_about(figures))}</p>", "<h2>Completions</h2>"]
    body.append(f"<p>{html.escape(explained.SHEET)}</p>")
    body.append(f'<img alt="Completions" src="data:image/png;base64,{picture}">')
    body += [_html_section(section) for section in sections(figures)]
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    )


def _html_section(section: Section) -> str:
    tables = "\n".join(_html_table(grid) for grid in section.grids)
    return f"<h2>{html.escape(section.title)}</h2>\n<p>{html.escape(section.words)}</p>\n{tables}"


def _html_table(grid: Grid) -> str:
    caption = f"<caption>{html.escape(grid.title)}</caption>" if grid.title else ""

    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    rows = "\n".join(row(cells, "td") for cells in grid.rows)
    head = row(grid.head, "th")
    return f'<div class="wide"><table>{caption}<thead>{head}</thead>\n<tbody>{rows}</tbody></table></div>'


def as_markdown(figures: dict[str, Any], picture: str) -> str:
    """A Markdown page that shows the picture at a relative path."""

    def row(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    parts = [
        f"# {_title(figures)}",
        _about(figures),
        "## Completions",
        explained.SHEET,
        f"![Completions]({picture})",
    ]
    for section in sections(figures):
        parts += [f"## {section.title}", section.words]
        for grid in section.grids:
            lines = [row(grid.head), "|" + "|".join(["---"] + ["---:"] * (len(grid.head) - 1)) + "|"]
            title = [f"**{grid.title}**"] if grid.title else []
            parts += [*title, "\n".join([*lines, *(row(cells) for cells in grid.rows)])]
    return "\n\n".join(parts) + "\n"
