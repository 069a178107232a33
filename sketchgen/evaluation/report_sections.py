"""The figures of `evaluate` as sections of text and tables, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sketchgen.evaluation import explained

Figures = Mapping[str, Any]
GROUPS = ("all", "deep", "rare")


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        title: what stands over it.
        head: a word over each column; the first column holds words.
        rows: the cells.
    """

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """A title, what its figures mean, and the tables that hold them."""

    title: str
    words: str
    grids: list[Grid] = field(default_factory=list)


def plain(value: float | None, digits: int = 3) -> str:
    """A number in a cell; empty where there is none."""
    return "" if value is None else f"{value:.{digits}f}"


def with_error(found: Figures | None, digits: int = 2, factor: float = 1.0, unit: str = "") -> str:
    """A figure with its standard error."""
    if not found or found.get("value") is None:
        return ""
    error = found.get("standard_error")
    tail = "" if error is None else f" ± {error * factor:.{digits}f}"
    return f"{found['value'] * factor:.{digits}f}{tail}{unit}"


def percent(found: Figures | None) -> str:
    """A share with its standard error, in percent."""
    return with_error(found, 1, 100.0, " %")


def models_of(figures: Figures) -> list[Figures]:
    """The figures of the measured model, and of those that stand beside it."""
    return [figures, *figures.get("against", ())]


def sections(figures: Figures) -> Iterator[Section]:
    """All that was measured, in the order in which it is read."""
    models = models_of(figures)
    yield Section("Likelihood", explained.LIKELIHOOD, [_likelihood(models)])
    yield Section("Where the nats fall", explained.POSITION, list(_position(models)))
    if any(model.get("by_depth") for model in models):
        yield Section("Deep and rare categories", explained.DEPTH, [_depth(models)])
    if any(model.get("ended") for model in models):
        yield Section("Drawings that end by themselves", explained.ENDED, [_ended(models)])
    if "recognition" in figures:
        yield Section("Recognition", explained.RECOGNITION, list(_recognition(models)))
        yield Section("Ten ways to finish", explained.TEN_WAYS, [_ten_ways(figures)])
        if figures.get("distances"):
            yield Section("Like real drawings", explained.DISTANCES, [_distances(figures)])
        if any(model.get("copying") for model in models):
            yield Section("Copying", explained.COPYING, [_copying(models)])
    yield Section("Sketch-RNN's own loss", explained.MAGENTA, [_magenta(models)])
    yield Section("By category", explained.CATEGORY, [_categories(models)])


def _name(model: Figures) -> str:
    return str(model.get("checkpoint", ""))


def _nats(entry: Figures | None, key: str = "nats_per_point") -> str:
    """Nats of an entry of the older form, with their standard error."""
    if not entry:
        return ""
    return with_error({"value": entry.get(key), "standard_error": entry.get("standard_error")}, 3)


def _likelihood(models: Sequence[Figures]) -> Grid:
    shares = list(models[0]["suffix"])
    head = ("model", "nats per sketch", *(f"per point, {float(share):.0%} given" for share in shares))
    rows = []
    for model in models:
        sketch = {"value": model["nats_per_sketch"], "standard_error": model["nats_per_sketch_se"]}
        points = [_nats(model["suffix"][share]) for share in shares]
        rows.append((_name(model), with_error(sketch, 1), *points))
    return Grid("", head, rows)


def _position(models: Sequence[Figures]) -> Iterator[Grid]:
    for key, title, first in (("tenth", "By tenth of the points", "from"), ("kind", "By kind of step", "")):
        tables = [model["by_position"][key] for model in models if model.get("by_position")]
        if tables:
            rows = [
                (
                    name if key == "kind" else f"{float(name):.0%}",
                    *(_nats(table[name], "nats") for table in tables),
                )
                for name in tables[0]
            ]
            yield Grid(title, (first, *(_name(model) for model in models)), rows)


def _depth(models: Sequence[Figures]) -> Grid:
    rows: list[tuple[str, ...]] = []
    shares = list(models[0]["suffix"])
    for model in models:
        for name in ("deep", "rare"):
            entry = model.get("by_depth", {}).get(name)
            if entry:
                counts = (str(entry["categories"]), str(entry["drawings"]))
                rows.append(
                    (f"{_name(model)}, {name}", *counts, *(_nats(entry["suffix"][share]) for share in shares))
                )
    head = ("", "categories", "drawings", *(f"{float(share):.0%} given" for share in shares))
    return Grid("Nats per point", head, rows)


def _ended(models: Sequence[Figures]) -> Grid:
    temperatures = list(models[0].get("ended", {}))
    rows = []
    for model in models:
        found = [model["ended"].get(value, {}) for value in temperatures]
        cells = [
            percent({"value": item.get("share"), "standard_error": item.get("standard_error")})
            for item in found
        ]
        rows.append((_name(model), *cells))
    return Grid("", ("model", *(f"temperature {value}" for value in temperatures)), rows)


def _recognition(models: Sequence[Figures]) -> Iterator[Grid]:
    first = models[0]["recognition"]
    head = ("", "first name right", "among first 5", "gain", "of real")
    # Figures of an older version do not say who named.
    who = f", named by {models[0]['judge']['name']}" if "judge" in models[0] else ""
    for scale in first["best_temperature"]:
        for group, count in first["drawings"].items():
            if count:
                title = f"{scale.capitalize()}, {group} categories, {count} drawings{who}"
                rows = [
                    row for share in first[scale] for row in _recognition_rows(models, scale, group, share)
                ]
                yield Grid(title, head, [*rows, ("whole real drawing", *_named(first["real"][group]))])


def _recognition_rows(
    models: Sequence[Figures], scale: str, group: str, share: str
) -> Iterator[tuple[str, ...]]:
    given = f"{float(share):.0%} given"
    table = models[0]["recognition"][scale][share]
    for key, words in (("prefix", "bare beginning"), ("retrieval", "nearest training drawing")):
        if key in table:
            yield (f"{given}, {words}", *_named(table[key][group]))
    for model in models:
        found = model["recognition"]
        for value in found["temperatures"]:
            best = " (best)" if found["best_temperature"][scale] == value else ""
            entry = found[scale][share]["completions"][f"{value:g}"][group]
            yield (f"{given}, {_name(model)}, temperature {value:g}{best}", *_named(entry))


def _named(entry: Figures) -> tuple[str, ...]:
    gain, ratio = with_error(entry.get("gain_top1")), with_error(entry.get("ratio_top1"))
    return percent(entry["top1"]), percent(entry["top5"]), gain, ratio


def _ten_ways(figures: Figures) -> Grid:
    models = models_of(figures)
    sources = [(_name(model), model["ten_ways"]) for model in models]
    nearest = figures.get("baselines", {}).get("retrieval_ten_ways")
    if nearest:
        sources.insert(0, ("ten nearest training drawings", nearest))
    rows = [
        (
            f"{name}, {group}",
            *(with_error(row.get(group, {}).get(key)) for row in table.values() for key in ("best", "apart")),
        )
        for name, table in sources
        for group in GROUPS
        if any(row.get(group, {}).get("drawings") for row in table.values())
    ]
    shares = [f"{float(share):.0%} given" for share in models[0]["ten_ways"]]
    return Grid("px", ("", *(f"{share}: {key}" for share in shares for key in ("best of 10", "apart"))), rows)


def _distances(figures: Figures) -> Grid:
    bases = figures["baselines"]["distances"]
    shares = list(figures["distances"])
    rows = [("other real drawings (floor)", *(cell for _ in shares for cell in _apart(bases["real"])))]
    names = {"prefix": "bare beginning", "retrieval": "nearest training drawing"}
    sources = [(names[key], bases[key]) for key in names if bases.get(key)]
    sources += [(_name(model), model["distances"]) for model in models_of(figures)]
    rows += [(name, *(cell for share in shares for cell in _apart(table[share]))) for name, table in sources]
    head = ("", *(f"{float(share):.0%} given: {key}" for share in shares for key in ("KID x 1000", "FID")))
    return Grid(f"{bases['drawings']} drawings in each set", head, rows)


def _apart(entry: Figures) -> tuple[str, str]:
    return with_error(entry["kid"], 2, 1000.0), with_error(entry["fid"], 2)


def _copying(models: Sequence[Figures]) -> Grid:
    rows: list[tuple[str, ...]] = []
    shares: list[str] = []
    for model in models:
        found = model.get("copying")
        if found:
            shares = list(found["held_out"])
            if not rows:
                rows.append(
                    ("held-out drawings", *(plain(found["held_out"][share], 2) for share in shares), "1 %")
                )
            cells = [plain(found["generated"][share], 2) for share in shares]
            rows.append((_name(model), *cells, percent(found["share_below"])))
    head = ("px", *(f"{float(share):.0%} quantile" for share in shares), "nearer than 1 % of held-out ones")
    return Grid("", head, rows)


def _magenta(models: Sequence[Figures]) -> Grid:
    rows = [
        (
            _name(model),
            with_error(model["magenta"]["training"], 3),
            with_error(model["magenta"]["evaluation"], 3),
            str(model["magenta"]["n_max"]),
            plain(model["magenta"]["offset_deviation"], 2),
        )
        for model in models
        if model.get("magenta")
    ]
    return Grid("", ("model", "as in training", "as in evaluation", "Nmax", "deviation, px"), rows)


def _categories(models: Sequence[Figures]) -> Grid:
    first = models[0]["by_category"]
    rows = [
        (name, str(first[name]["drawings"]), *(_nats(model["by_category"][name]) for model in models))
        for name in sorted(first)
    ]
    return Grid("Nats per point", ("category", "drawings", *(_name(model) for model in models)), rows)
