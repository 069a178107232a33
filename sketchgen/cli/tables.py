"""Figures and settings: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def as_json(value: object) -> str:
    """Return one JSON object on one line; numbers that are not finite become null."""

    def plain(item: Any) -> Any:
        if isinstance(item, Mapping):
            return {str(key): plain(part) for key, part in item.items()}
        if isinstance(item, list | tuple):
            return [plain(part) for part in item]
        if hasattr(item, "tolist"):
            return plain(item.tolist())
        return None if isinstance(item, float) and not math.isfinite(item) else item

    return json.dumps(plain(value), default=str, ensure_ascii=False)


def print_figures(figures: Mapping[str, Any]) -> None:
    """Print the figures of `evaluate`."""
    from sketchgen.evaluation.tables import sections, with_error

    console = _console()
    nats = {"value": figures.get("nats_per_point"), "standard_error": figures.get("nats_per_point_se")}
    about = f"{figures.get('checkpoint', '')}, {figures.get('drawings', '?')} drawings"
    words = f"{about}, split {figures.get('split', '?')}: {with_error(nats, 3)} nats per point"
    console.print(escape(words), soft_wrap=True)
    for section in sections(figures):
        for grid in section.grids:
            title = ": ".join(part for part in (section.title, grid.title) if part)
            _print_table(console, title, grid.head, grid.rows)


PAGES_ROWS = (
    ("first", "first shown right, %"),
    ("any", "one of those shown right, %"),
    ("redrawn", "strokes that redraw a given part, %"),
    ("detached", "strokes that touch nothing, %"),
    ("nothing", "next to nothing added, %"),
    ("off_page", "points off the page, %"),
)


def print_pages(found: Mapping[str, Any], *, by_category: bool = False) -> None:
    """Print the figures of the beginnings: shares in percent, with their standard errors."""
    parts = {name: part for name, part in found.items() if isinstance(part, Mapping)}
    rows = [["beginnings", *(str(part["beginnings"]) for part in parts.values())]]
    for name, words in PAGES_ROWS:
        shares = [part[name] if name in part else part["rates"][name] for part in parts.values()]
        rows.append(
            [words, *(f"{100 * share['mean']:.1f} ± {100 * share['standard_error']:.1f}" for share in shares)]
        )
    title = f"{found['checkpoint']}, completed as on the page"
    _print_table(_console(), title, ["", *parts], rows)
    for name, part in parts.items() if by_category else ():
        rows = [
            [category, str(row["beginnings"]), *(f"{100 * row[key]['mean']:.0f}" for key in ("first", "any"))]
            for category, row in part["by_category"].items()
        ]
        head = ("category", "beginnings", "first, %", "one of those, %")
        _print_table(_console(), f"By category, {name}", head, rows)


def print_info(found: Mapping[str, Any]) -> None:
    """Print what a checkpoint is: name, categories, settings, training."""
    console = _console()
    _print_table(console, str(found["name"]), ("", ""), [("categories", _words(found["categories"]))])
    for title, part in (("Settings", found["config"]), ("Training", found["training"])):
        if part:
            rows = [(key.replace("_", " "), _words(value)) for key, value in part.items()]
            _print_table(console, title, ("", ""), rows)


def print_differences(found: Mapping[str, Any]) -> None:
    """Print the figures of `compare`."""
    from sketchgen.evaluation.tables import difference_grids

    for grid in difference_grids(found):
        _print_table(_console(), grid.title, grid.head, grid.rows)


def _console() -> Console:
    """Return a console on the present standard output. Emoji codes stay text: names are data."""
    return Console(file=sys.stdout, emoji=False, highlight=False)


def _print_table(console: Console, title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a plain table: words in the first column, figures in the others."""
    table = Table(box=box.SIMPLE_HEAD, show_header=any(head), pad_edge=False)
    for index, column in enumerate(head):
        table.add_column(column, justify="left" if index == 0 or not any(head) else "right")
    for row in rows:
        table.add_row(*map(escape, row))
    # A title of the table's own would be wrapped to its width.
    console.print(escape(title), style="italic", soft_wrap=True)
    console.print(table)


def _words(value: Any) -> str:
    """Return a value as the text of a cell; of many names, how many and the first and last ones."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        names = [str(item) for item in value]
        shown = names if len(names) <= 12 else [*names[:4], "...", *names[-3:]]
        return ", ".join(shown) if len(names) <= 12 else f"{len(names)}: {', '.join(shown)}"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return "" if value is None else str(value)
