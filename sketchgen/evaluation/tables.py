"""The figures of `evaluate` and `compare` as explained tables, for the terminal and for pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

Figures = Mapping[str, Any]
Models = Sequence[Figures]
Cells = tuple[str, ...]

BARE = {"prefix": "given part alone", "retrieval": "nearest training drawing"}
TOP = {"top1": "first name", "top5": "among first 5"}


@dataclass(frozen=True)
class Grid:
    """A table: a title, which may be empty, a word over each column, and the cells."""

    title: str
    head: Cells
    rows: list[Cells]


@dataclass(frozen=True)
class Section:
    """A title, an explanation of the figures, and the tables that hold them."""

    title: str
    words: str
    grids: list[Grid]


def sections(figures: Figures) -> Iterator[Section]:
    """Yield all that `evaluate` measured, in reading order; models side by side."""
    models = models_of(figures)
    for title, words, tables in SECTIONS:
        grids = [grid for grid in tables(models) if grid.rows]
        if grids:
            yield Section(title, words, grids)


def models_of(figures: Figures) -> Models:
    """Return the figures of the measured model, and of those that it was measured against."""
    return [figures, *figures.get("against", ())]


def with_error(found: Figures | None, digits: int = 2, factor: float = 1.0, unit: str = "") -> str:
    """Format a figure with its standard error; empty where there is none."""
    if not found or found.get("value") is None:
        return ""
    error = found.get("standard_error")
    tail = "" if error is None else f" ± {error * factor:.{digits}f}"
    return f"{found['value'] * factor:.{digits}f}{tail}{unit}"


def percent(found: Figures | None) -> str:
    """Format a share with its standard error, in percent."""
    return with_error(found, 1, 100.0, " %")


def _nats(entry: Figures) -> str:
    """Format the nats per point of an entry."""
    return with_error({**entry, "value": entry["nats_per_point"]}, 3)


def _given(share: str) -> str:
    return f"{float(share):.0%} given"


def _name(model: Figures) -> str:
    return str(model.get("checkpoint", ""))


def _likelihood(models: Models) -> Iterator[Grid]:
    shares, rows = list(models[0]["suffix"]), []
    for model in models:
        sketch = {"value": model["nats_per_sketch"], "standard_error": model["nats_per_sketch_se"]}
        rows.append((_name(model), with_error(sketch, 1), *map(_nats, model["suffix"].values())))
    yield Grid("", ("model", "nats per sketch", *(f"per point, {_given(share)}" for share in shares)), rows)


def _latent(models: Models) -> Iterator[Grid]:
    head = ("", "reconstruction, nats per point", "with the divergence", "divergence, nats", "active units")
    rows = [
        (
            f"{_name(model)}, {name}",
            with_error(entry["reconstruction"], 3),
            with_error(entry["bound"], 3),
            with_error(entry["divergence"], 1),
            f"{entry['active']:.0%}",
        )
        for model in models
        for name, entry in model.get("latent", {}).items()
    ]
    yield Grid("", head, rows)


def _depth(models: Models) -> Iterator[Grid]:
    shares = list(models[0]["suffix"])
    rows = [
        (
            f"{_name(model)}, {group}",
            str(entry["categories"]),
            str(entry["drawings"]),
            *map(_nats, entry["suffix"].values()),
        )
        for model in models
        for group in ("deep", "rare")
        if (entry := model["by_depth"].get(group))
    ]
    yield Grid("Nats per point", ("", "categories", "drawings", *map(_given, shares)), rows)


def _ended(models: Models) -> Iterator[Grid]:
    rows = [
        (_name(model), *(percent({**item, "value": item["share"]}) for item in model["ended"].values()))
        for model in models
        if model["ended"]
    ]
    yield Grid("", ("model", *(f"temperature {value}" for value in models[0]["ended"])), rows)


def _recognition(models: Models) -> Iterator[Grid]:
    first = models[0].get("recognition")
    if not first:
        return
    judge = models[0]["judge"]["name"]
    for scale in first["best_temperature"]:
        for group, count in first["drawings"].items():
            if count:
                shares = (_recognition_rows(models, scale, group, share) for share in first[scale])
                rows = [row for some in shares for row in some]
                rows.append(("whole real drawing", *_named(first["real"][group])))
                title = f"{scale.capitalize()}, {group} categories, {count} drawings, named by {judge}"
                yield Grid(title, ("", "first name right", "among first 5", "gain", "of real"), rows)


def _recognition_rows(models: Models, scale: str, group: str, share: str) -> Iterator[Cells]:
    table = models[0]["recognition"][scale][share]
    for key, words in BARE.items():
        if key in table:
            yield (f"{_given(share)}, {words}", *_named(table[key][group]))
    for model in models:
        found = model["recognition"]
        for value in found["temperatures"]:
            best = " (best)" if found["best_temperature"][scale] == value else ""
            entry = found[scale][share]["completions"][f"{value:g}"][group]
            yield (f"{_given(share)}, {_name(model)}, temperature {value:g}{best}", *_named(entry))


def _named(entry: Figures) -> Cells:
    gain, ratio = with_error(entry.get("gain_top1")), with_error(entry.get("ratio_top1"))
    return percent(entry["top1"]), percent(entry["top5"]), gain, ratio


def _nearness(models: Models) -> Iterator[Grid]:
    if not models[0].get("ten_ways"):
        return
    nearest = models[0]["baselines"]["retrieval_ten_ways"]
    sources = [("ten nearest training drawings", nearest)] if nearest else []
    sources += [(_name(model), model["ten_ways"]) for model in models]
    rows = [
        (
            f"{name}, {group}",
            *(with_error(row[group][key]) for row in table.values() for key in ("best", "apart")),
        )
        for name, table in sources
        for group in next(iter(table.values()))
        if any(row[group]["drawings"] for row in table.values())
    ]
    shares = [_given(share) for share in models[0]["ten_ways"]]
    yield Grid("px", ("", *(f"{share}: {key}" for share in shares for key in ("best of 10", "apart"))), rows)


def _distances(models: Models) -> Iterator[Grid]:
    shares = list(models[0].get("distances", ()))
    if not shares:
        return
    bases = models[0]["baselines"]["distances"]

    def apart(entry: Figures) -> Cells:
        return with_error(entry["kid"], 2, 1000.0), with_error(entry["fid"], 2)

    sources = [(words, bases[key]) for key, words in BARE.items() if bases.get(key)]
    sources += [(_name(model), model["distances"]) for model in models]
    rows = [("other real drawings (floor)", *(cell for _ in shares for cell in apart(bases["real"])))]
    rows += [(name, *(cell for share in shares for cell in apart(table[share]))) for name, table in sources]
    head = ("", *(f"{_given(share)}: {key}" for share in shares for key in ("KID x 1000", "FID")))
    yield Grid(f"{bases['drawings']} drawings in each set", head, rows)


def _copying(models: Models) -> Iterator[Grid]:
    found = [(_name(model), model["copying"]) for model in models if model.get("copying")]
    if not found:
        return
    real = found[0][1]["held_out"]
    rows = [("held-out drawings", *(f"{value:.2f}" for value in real.values()), "1 %")]
    rows += [
        (name, *(f"{value:.2f}" for value in entry["generated"].values()), percent(entry["share_below"]))
        for name, entry in found
    ]
    head = ("px", *(f"{float(at):.0%} quantile" for at in real), "nearer than 1 % of held-out ones")
    yield Grid("", head, rows)


def _categories(models: Models) -> Iterator[Grid]:
    first = models[0]["by_category"]
    rows = [
        (name, str(first[name]["drawings"]), *(_nats(model["by_category"][name]) for model in models))
        for name in sorted(first)
    ]
    yield Grid("Nats per point", ("category", "drawings", *map(_name, models)), rows)


SECTIONS: tuple[tuple[str, str, Callable[[Models], Iterator[Grid]]], ...] = (
    (
        "Likelihood",
        "How surprising real drawings are to the model; lower is better. Offsets count in px of the 255 "
        "box, dequantised by uniform noise, pen and end included; sums are divided by the number of "
        "points that are scored. Where a part is given only the rest is scored. Errors are standard "
        "errors over drawings.",
        _likelihood,
    ),
    (
        "Latent vector",
        "Drawings from nothing, given a vector drawn from the posterior. With the divergence of the "
        "posterior from the prior it is an upper bound of the negative log-likelihood. A unit is active if "
        "the variance of its posterior mean over the drawings is above 0.01.",
        _latent,
    ),
    (
        "Deep and rare categories",
        "Categories with 300 or more training drawings are called deep, the others rare.",
        _depth,
    ),
    (
        "Drawings that end by themselves",
        "Share of drawings from nothing, of all categories in turn, that the model ends by itself under "
        "200 points.",
        _ended,
    ),
    (
        "Recognition",
        "A judge names the completed drawing. The given part alone is the floor, the whole real drawing "
        "the ceiling; the gain is (completion - given part) / (real - given part), and the last column "
        "completion / real; both can be above 1, for models draw more typically than people. Scale "
        "known: the model knows how large the whole drawing is. Scale unknown: it sees the given part "
        "as a person's, at a size of its own.",
        _recognition,
    ),
    (
        "Ten completions",
        "Of ten completions of a drawing, the distance of the nearest added part to the true rest "
        "(symmetric Chamfer distance in px), and of the ten to each other on average. The first alone "
        "would reward scatter: a good model is near and has several ideas.",
        _nearness,
    ),
    (
        "Like real drawings",
        "Distance of completed drawings, as a set, to other real drawings in the judge's features: KID "
        "(unbiased; 0 for the same distribution) and FID (which depends on the number of drawings). "
        "Real drawings against other real ones are the floor.",
        _distances,
    ),
    (
        "Copying",
        "Distance of drawings from nothing to the nearest training drawing, against the same of held- "
        "out real drawings. A model that copied would be nearer than real ones are: far more than 1 % "
        "of its drawings would lie below the held-out ones' 1 % quantile. A low temperature draws "
        "typical lines, which are near, too.",
        _copying,
    ),
    ("By category", "Nats per point of whole drawings by category.", _categories),
)
"""Title, explanation and tables of each section."""


def difference_grids(found: Figures) -> Iterator[Grid]:
    """Yield tables of what `compare` found: both models and the difference b - a."""
    a, b = str(found["a"]), str(found["b"])
    head = ("", a, b, "difference")

    def cells(entries: Iterable[tuple[str, Figures]], form: Callable[[Figures], str]) -> list[Cells]:
        return [(name, *(form(entry[key]) for key in ("a", "b", "difference"))) for name, entry in entries]

    def flat(table: Figures, parts: Mapping[str, str]) -> Iterator[tuple[str, Figures]]:
        for share, groups in table.items():
            for name, entry in groups.items():
                for key, words in parts.items():
                    yield f"{_given(share)}, {name}, {words}", entry[key]

    title = f"{b} against {a}, {found['drawings']} drawings, split {found['split']}: nats per sketch"
    yield Grid(title, head, cells(found["nats_per_sketch"].items(), with_error))
    nats = (
        (f"{_given(share)}, {name}", entry)
        for share, row in found["nats"].items()
        for name, entry in row.items()
    )
    yield Grid("Nats per point", head, cells(nats, partial(with_error, digits=4)))
    if "recognition" not in found:
        return
    for scale, table in found["recognition"].items():
        at = " and ".join(f"{found['best_temperature'][key][scale]:g}" for key in "ab")
        title = f"Named right by {found['judge']['name']}, {scale}, {found['finished']} drawings"
        yield Grid(f"{title}, temperatures {at}", head, cells(flat(table, TOP), percent))
    distances = {"best": "nearest of 10 to the truth", "apart": "apart from each other"}
    yield Grid("Ten completions, px", head, cells(flat(found["ten_ways"], distances), with_error))
