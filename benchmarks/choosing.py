"""Measure how often ranking is right: `python benchmarks/choosing.py STORE [NAME|FOLDER]`.

Validation drawings with strokes or pieces of lines missing, and the unfinished drawings that come along, are
finished in several ways. Of each the share that is finished (`sketchgen/evaluation/finishing.py`) and how far
what was added is from what is missing: of all ways, of the one that is chosen, and of the best there is.
"""

from __future__ import annotations

import argparse
import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

import sketchgen
from sketchgen.completion.completer import Completer
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.completion.symmetry import EVERY, MAX_MIRRORED
from sketchgen.evaluation.finishing import measure
from sketchgen.evaluation.pages import completed, from_unfinished
from sketchgen.evaluation.unfinished import Item, unfinished
from sketchgen.ranking.ranker import Candidate, Ranker, load_ranker
from sketchgen.sketch.sketch import Completion, Sketch
from sketchgen.training.candidates import CHUNK, TEMPERATURES, CandidateSpec, draw_chunk

FAR = 100.0
"""Px beyond which a distance counts as this."""


@dataclass(frozen=True)
class Tried:
    """A drawing that was to be finished, and the ways that were tried."""

    item: Item
    ways: list[Candidate]
    finished: np.ndarray
    apart: np.ndarray

    @property
    def category(self) -> str:
        """What it shows."""
        return self.item.category

    @classmethod
    def of(cls, item: Item, ways: list[Candidate]) -> Tried:
        """The ways of an item, measured."""
        found = [measure(item, way.completion) for way in ways]
        apart = np.array([min(each.chamfer, FAR) for each in found])
        return cls(item, ways, np.array([each.finished for each in found], dtype=float), apart)


def of_people(store: str, model: str | None, count: int, ways: int) -> list[Tried]:
    """Validation drawings with something missing, as a critic is measured by them."""
    spec = CandidateSpec(store, "valid", model, count, ways, seed=1)
    found: list[Tried] = []
    for number in range(-(-count // CHUNK)):
        for group in draw_chunk(spec, number)[: count - number * CHUNK]:
            name = group.category
            given, rest = (Sketch.from_strokes(each, category=name) for each in (group.given, group.rest))
            item = Item("", name, "part", given, rest)
            some = [
                Candidate(Completion(given, Sketch.from_strokes(each, category=name)))
                for each in group.candidates
            ]
            found.append(Tried.of(item, some))
    return found


def bundled(model: str | None, ways: int, temperature: float) -> list[Tried]:
    """The unfinished drawings that come along."""
    drawer = sketchgen.load(model)
    how: dict[str, Any] = {"count": ways, "temperature": temperature, "seed": 5, "best_of": 1}
    found = ((item, completed(drawer, from_unfinished(item), "told", **how)) for item in unfinished())
    return [Tried.of(item, [Candidate(way) for way in some]) for item, some in found]


def with_images(tried: list[Tried], drawer: Completer) -> list[Tried]:
    """The same where some of the ways are images in a mirror, as among candidates."""
    found = []
    for one in tried:
        given, count = one.item.given, len(one.ways)
        if not PartialSketch.of(given).mirrored:
            found.append(one)
            continue
        others = drawer.candidates(given, None, min(count, EVERY * MAX_MIRRORED), 0.25, 0)
        ways = [other if other.symmetry else way for way, other in zip(one.ways, others, strict=False)]
        found.append(Tried.of(one.item, ways + one.ways[len(ways) :]))
    return found


def _shown(values: list[float] | np.ndarray, scale: float = 1.0) -> str:
    values = np.asarray(values) * scale
    return f"{values.mean():.1f} ± {values.std(ddof=1) / np.sqrt(len(values)):.1f}"


def _row(name: str, count: int, tried: list[Tried], rows: list[int] | None) -> str:
    """A row of the table: of all ways, or of those that were chosen, -1 for the best there is."""
    finished, apart = [], []
    for number, one in enumerate(tried):
        good, far = one.finished[:count], one.apart[:count]
        if rows is None:
            finished.append(good.mean())
            apart.append(far.mean())
        else:
            finished.append(good.max() if rows[number] < 0 else good[rows[number]])
            apart.append(far.min() if rows[number] < 0 else far[rows[number]])
    return f"| {name} | {count} | {_shown(finished, 100.0)} | {_shown(apart)} |"


def chosen(one: Tried, rankers: dict[str, Ranker], count: int) -> dict[str, int]:
    """Which of the first ways is chosen, by whom."""
    ways = one.ways[:count]
    return {
        f"{name}, {'told' if category else 'not told'} what it is": ranker.rank(ways, category)[0]
        for name, ranker in rankers.items()
        for category in (one.category, None)
    }


def table(tried: list[Tried], counts: list[int]) -> str:
    """All ways of choosing among so many."""
    rankers = {"recogniser": load_ranker("recogniser"), "all, as `--best-of` does": load_ranker()}
    lines = [f"| {len(tried)} drawings; chosen by | ways | finished, % | apart, px |", "|---|---|---|---|"]
    lines.append(_row("nobody", max(counts), tried, None))
    for count in counts:
        found = [chosen(one, rankers, count) for one in tried]
        for name in found[0]:
            lines.append(_row(name, count, tried, [each[name] for each in found]))
        lines.append(_row("who knows what is missing", count, tried, [-1] * len(tried)))
    return "\n".join(lines)


def together(tried: list[Tried], count: int) -> str:
    """A table of what is finished of so many ways that are shown together, chosen from all."""
    chooser = load_ranker()
    head = f"{len(tried)} drawings, {len(tried[0].ways)} ways; {count} are shown"
    lines = [
        f"| {head} | told what it is | the first, % | all, % | one at least, % |",
        "|---|---|---|---|---|",
    ]
    for told in ("yes", "no"):
        finished: dict[str, list[np.ndarray]] = {}
        for one in tried:
            category = one.category if told == "yes" else None
            rows = {
                "the first ones": list(range(count)),
                "the best by score": chooser.rank(one.ways, category)[:count],
                "a diverse set, as `best_of`": chooser.select(one.ways, category, count),
            }
            for name, some in rows.items():
                finished.setdefault(name, []).append(one.finished[some])
        for name, parts in finished.items():
            each = np.stack(parts)
            figures = (_shown(part, 100.0) for part in (each[:, 0], each.mean(1), each.max(1)))
            lines.append(f"| {name} | {told} | {' | '.join(figures)} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add: Any = functools.partial(parser.add_argument)
    add("store", help="folder of a prepared store; its validation split is used")
    add("model", nargs="?", help="name or folder; the bundled one without")
    add("--drawings", type=int, default=1024)
    add("--ways", type=int, nargs="+", default=[4, 8, 16])
    add("--temperature", type=float, default=0.25, help="of the unfinished drawings")
    add(
        "--together", type=int, help="instead of one way, so many are chosen of the most ways, as on the page"
    )
    options = parser.parse_args()
    most, drawer = max(options.ways), sketchgen.load(options.model)
    print(f"temperatures {TEMPERATURES}, those of the unfinished ones {options.temperature}")
    for tried in (
        of_people(options.store, options.model, options.drawings, most),
        bundled(options.model, most, options.temperature),
    ):
        for words, some in (("", tried), ("with images in a mirror", with_images(tried, drawer))):
            print(words)
            print(together(some, options.together) if options.together else table(some, options.ways))


if __name__ == "__main__":
    main()
