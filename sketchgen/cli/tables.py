"""Figures and settings: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from sketchgen.evaluation.tables import Grid


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
    console = _console()
    title = f"{figures.get('checkpoint', '')}, {figures.get('drawings', '?')} drawings"
    overall = _table(f"{title}, split {figures.get('split', '?')}", "", "figure", "standard error")
    for key, words in (("nats_per_point", "nats per point"), ("nats_per_sketch", "nats per sketch")):
        if key in figures:
            overall.add_row(words, _figure(figures[key]), _figure(figures.get(f"{key}_se")))
    _show(console, overall)
    _print_by(console, figures.get("suffix"), "What is left", "given", "nats per point")
    _print_by(console, figures.get("ended"), "Samples that end by themselves", "temperature", "share")
    if "by_position" in figures:
        _print_sections(console, figures)
    by_category = figures.get("by_category") or {}
    if by_category:
        table = _table("By category", "category", "nats per point", "drawings")
        for name in sorted(by_category):
            row = by_category[name]
            table.add_row(escape(name), _figure(row.get("nats_per_point")), _figure(row.get("drawings")))
        _show(console, table)


def print_info(found: Mapping[str, Any]) -> None:
    """Print what a checkpoint is: name, categories, settings, training."""
    console = _console()
    names = [str(name) for name in found["categories"]]
    about = _table(str(found["name"]), "", "")
    about.add_row("categories", _listed(names))
    _show(console, about)
    for title, part in (("Settings", found["config"]), ("Training", found["training"])):
        table = _table(title, "", "")
        for key, value in part.items():
            table.add_row(escape(str(key).replace("_", " ")), _figure(value))
        if part:
            _show(console, table)


def print_differences(found: Mapping[str, Any]) -> None:
    """Print the figures of `compare`."""
    from sketchgen.evaluation.tables import difference_grids

    console = _console()
    for grid in difference_grids(found):
        _print_grid(console, grid)


def _print_sections(console: Console, figures: Mapping[str, Any]) -> None:
    """Print the sections of a report that are not printed yet; all of them for several models."""
    from sketchgen.evaluation.tables import sections

    printed = (
        {"By category"}
        if figures.get("against")
        else {"Likelihood", "Drawings that end by themselves", "By category"}
    )
    for section in sections(figures):
        if section.title not in printed:
            for grid in section.grids:
                title = ": ".join(part for part in (section.title, grid.title) if part)
                _print_grid(console, replace(grid, title=title))


def _print_grid(console: Console, grid: Grid) -> None:
    """Print a table of words."""
    table = _table(grid.title, *grid.head)
    for row in grid.rows:
        table.add_row(*map(escape, row))
    _show(console, table)


def _console() -> Console:
    """Return a console on the present standard output. Emoji codes stay text: names are data."""
    return Console(file=sys.stdout, emoji=False, highlight=False)


def _table(title: str, *columns: str) -> Table:
    """Return a plain table: words in the first column, figures in the others."""
    table = Table(
        title=escape(title),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_header=any(columns),
        pad_edge=False,
    )
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 or not any(columns) else "right")
    return table


def _show(console: Console, table: Table) -> None:
    """Print a table under its title, which is not wrapped to the table's width."""
    title, table.title = table.title, None
    console.print(title or "", style="italic", soft_wrap=True)
    console.print(table)


def _print_by(console: Console, figures: Any, title: str, first: str, second: str) -> None:
    """Print a mapping from numbers to figures, if there is anything in it."""
    if not isinstance(figures, Mapping) or not figures:
        return
    table = _table(title, first, second, "standard error")
    for key, value in figures.items():
        parts = list(value.values()) if isinstance(value, Mapping) else [value, None]
        table.add_row(escape(str(key)), *(_figure(part) for part in parts[:2]))
    _show(console, table)


def _figure(value: Any) -> str:
    """Return a value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, Mapping):
        return ", ".join(f"{escape(str(key))} {_figure(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return _listed([str(item) for item in value])
    return escape(str(value))


def _listed(names: list[str]) -> str:
    """Return names as the text of a cell: all of them, or how many and the first and last ones."""
    if len(names) <= 12:
        return escape(", ".join(names))
    return escape(f"{len(names)}: {', '.join(names[:4])} ... {', '.join(names[-3:])}")
