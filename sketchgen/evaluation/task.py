"""The drawings that models complete in an evaluation, and what is the same for every model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sketchgen.completion.completer import Completer
from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import MIN_POINTS
from sketchgen.data.store import Store
from sketchgen.errors import CategoryError, FormatError, SettingError
from sketchgen.evaluation.held_out import HeldOut, Scale, drawing_seed, held_out
from sketchgen.evaluation.recognition import Judge, Verdict, judged
from sketchgen.evaluation.retrieval import retrieve
from sketchgen.evaluation.statistics import Groups, Progress, depth_groups
from sketchgen.sketch.sketch import Sketch

SHARES = (0.25, 0.5, 0.75)
"""Shares of the points that are given."""

TEMPERATURES = (0.1, 0.25, 0.5)
"""Temperatures of completions, unless others are asked for."""

MAX_TRAINING = 131_072
"""Training drawings that are searched: those with the smallest hashes."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Task:
    """Drawings to complete, and the judge of the completions.

    Attributes:
        drawings, sketches: real drawings of categories that the judge knows, `MIN_POINTS` or more each.
        groups: which of them are of deep and of rare categories.
        others: as many further real drawings, for distances of distributions; fewer if there are not enough.
        training: training drawings that are searched, or None.
        temperatures, seed: of completions.
    """

    drawings: Drawings
    sketches: list[Sketch]
    names: list[str]
    groups: Groups
    others: list[Sketch]
    judge: Judge
    training: Drawings | None
    temperatures: tuple[float, ...]
    seed: int
    report: Progress
    _results: dict[object, object] = field(default_factory=dict, repr=False)

    def items(self, share: float, model: Completer | None = None, count: int | None = None) -> list[HeldOut]:
        """Hold out the rest of the first `count` drawings; their categories are the model's indices."""
        category = self.drawings.known_as(() if model is None else model.categories).tolist()
        keys = self.drawings.key.tolist()
        return [
            held_out(sketch, share, category[index], drawing_seed(self.seed, keys[index]))
            for index, sketch in enumerate(self.sketches[:count])
        ]

    def counter(self, what: str, total: int) -> Callable[[int], None]:
        """Return a function that adds up how much of some work is done, and reports it."""
        done = 0

        def add(count: int) -> None:
            nonlocal done
            done += count
            self.report(what, done, total)

        return add

    def judged(self, sketches: Sequence[Sketch], what: str) -> Verdict:
        """Have the judge recognise drawings that are completions of the first ones of the task."""
        names = self.names[: len(sketches)]
        return judged(self.judge, sketches, names, self.counter(f"naming {what}", len(sketches)))

    def once(self, key: object, make: Callable[[], Value]) -> Value:
        """Return what `make` returns, which is called for the first use of a key only."""
        if key not in self._results:
            self._results[key] = make()
        return self._results[key]  # pyright: ignore[reportReturnType]

    def real(self) -> Verdict:
        """Return the verdict on the real drawings."""
        return self.once("real", lambda: self.judged(self.sketches, "real drawings"))

    def prefix(self, share: float) -> Verdict:
        """Return the verdict on the given parts alone."""
        given = [item.given for item in self.items(share)]
        return self.once(("prefix", share), lambda: self.judged(given, "prefixes"))

    def retrieved(self, share: float, scale: Scale) -> Verdict | None:
        """Return the verdict on completions by the nearest training drawing; None without training drawings.

        A drawing for which there is no training drawing stays as it was given.
        """
        training = self.training
        if training is None:
            return None

        def make() -> Verdict:
            items = self.items(share)
            count = self.counter("retrieval", len(items))
            found = retrieve(training, items, share, scale, progress=count)
            wholes = [row[0].whole if row else item.given for row, item in zip(found, items, strict=True)]
            return self.judged(wholes, "retrieved rests")

        return self.once(("retrieved", share, scale), make)


def make_task(
    drawings: Drawings,
    counts: Mapping[str, int] | None,
    judge: Judge,
    training: Drawings | None,
    *,
    samples: int,
    temperatures: Sequence[float],
    seed: int,
    report: Progress,
) -> Task:
    """Choose the drawings to complete: those with the smallest hashes whose category the judge knows."""
    if not temperatures or not all(0.0 <= value <= 2.0 for value in temperatures):
        raise SettingError(f"temperatures must be one or more from 0 to 2, not {list(temperatures)}")
    known = drawings.known_as(judge.categories) < len(judge.categories)
    if not known.any():
        raise CategoryError(
            f"the judge knows none of the {len(drawings.categories)} categories, such as "
            f"{drawings.categories[0]!r}; name another judge or pass --protocol likelihood"
        )
    usable = np.flatnonzero(known & (drawings.lengths >= MIN_POINTS))
    if not len(usable):
        raise FormatError(f"no drawing has {MIN_POINTS} points or more, so that there is nothing to finish")
    order = usable[np.argsort(drawings.key[usable], kind="stable")]
    chosen, further = drawings.take(order[:samples]), drawings.take(order[samples : 2 * samples])
    names = [chosen.categories[int(index)] for index in chosen.category]
    return Task(
        drawings=chosen,
        sketches=[chosen.sketch(index) for index in range(len(chosen))],
        names=names,
        groups=depth_groups(names, counts),
        others=[further.sketch(index) for index in range(len(further))],
        judge=judge,
        training=training,
        temperatures=tuple(dict.fromkeys(float(value) for value in temperatures)),
        seed=seed,
        report=report,
    )


def about_judge(judge: Judge, drawings: Drawings) -> dict[str, Any]:
    """Return the judge's name, what it sees if it says so, and the categories that it does not know."""
    present = {drawings.categories[int(index)] for index in np.unique(drawings.category)}
    return {
        "name": str(getattr(judge, "name", type(judge).__name__)),
        "sees": getattr(judge, "sees", None),
        "categories": len(judge.categories),
        "unknown_to_it": sorted(present - set(judge.categories)),
    }


def training_drawings(source: Path) -> Drawings | None:
    """Return the training drawings of a store that are searched; None where `source` is no store."""
    if not (source / "store.json").is_file():
        return None
    found = Store.open(source).split("train").drawings(MAX_TRAINING)
    return found if len(found) else None
