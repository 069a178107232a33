"""What a model is asked in the evaluation of completions, and what is known about the answers without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sketchgen.completion.completer import Completer
from sketchgen.data.store import Drawings, Store
from sketchgen.errors import CategoryError, FormatError, SettingError
from sketchgen.evaluation.figures import Groups, depth_groups
from sketchgen.evaluation.held_out import (
    MIN_POINTS,
    PartialSketch,
    Ready,
    Scale,
    begin,
    drawing_seed,
    read_beginnings,
)
from sketchgen.evaluation.recognition import Judge, Verdict, features_of, judged
from sketchgen.evaluation.retrieval import Retrieval
from sketchgen.sketch.sketch import Sketch

SHARES = (0.25, 0.5, 0.75)
"""Shares of the points that are given where completions are named."""

TEMPERATURES = (0.1, 0.25, 0.5)
"""Temperatures at which completions are made, unless asked for others."""

MAX_TRAINING = 131_072
"""Training drawings that are searched at most: those with the smallest hashes."""

Progress = Callable[[str, int, int], None]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Task:
    """Drawings that models finish, and the judge of what comes of it.

    Attributes:
        drawings: real drawings of categories that the judge knows, 3 points or more each.
        sketches: the same as sketches in the 255 box.
        names: their categories.
        groups: which of them are of deep and of rare categories.
        others: as many further real drawings, for the distances of distributions; none if there are not
        enough. judge: who names drawings. training: training drawings that are searched, or None.
        temperatures: at which completions are made. seed: of all sampling. report: called with what is being
        done, how much of it is done, and how much there is.
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
    _made: dict[object, object] = field(default_factory=dict, repr=False)

    def beginnings(self, model: Completer, share: float, most: int | None = None) -> list[PartialSketch]:
        """The first `most` drawings cut, their categories as the model knows them."""
        category = self.drawings.known_as(model.categories)
        return [
            begin(sketch, share, int(category[index]), drawing_seed(self.seed, int(self.drawings.key[index])))
            for index, sketch in enumerate(self.sketches[:most])
        ]

    def read(self, beginnings: Sequence[PartialSketch], scale: Scale) -> Ready:
        """Return partial sketches as a model reads them."""
        return read_beginnings(beginnings, scale)

    def counter(self, what: str, total: int) -> Callable[[int], None]:
        """What adds up and reports how much of some work is done."""
        done = 0

        def add(count: int) -> None:
            nonlocal done
            done += count
            self.report(what, done, total)

        return add

    def judged(self, sketches: Sequence[Sketch], what: str) -> Verdict:
        """Have the judge name drawings of the first of `names`."""
        names = self.names[: len(sketches)]
        return judged(self.judge, sketches, names, self.counter(f"naming {what}", len(sketches)))

    def once(self, what: object, make: Callable[[], Value]) -> Value:
        """What `make` returns, made when it is first asked for under the name `what`."""
        if what not in self._made:
            self._made[what] = make()
        return self._made[what]  # pyright: ignore[reportReturnType]

    def cut(self, share: float, most: int | None = None) -> list[PartialSketch]:
        """The first `most` drawings cut, for what needs no model."""
        return [begin(sketch, share, 0, 0) for sketch in self.sketches[:most]]

    def real(self) -> Verdict:
        """What the judge makes of the real drawings."""
        return self.once("real", lambda: self.judged(self.sketches, "real drawings"))

    def prefix(self, share: float) -> Verdict:
        """What the judge makes of the bare beginnings."""

        def make() -> Verdict:
            return self.judged([item.given for item in self.cut(share)], "beginnings")

        return self.once(("prefix", share), make)

    def retrieved(self, share: float, scale: Scale) -> Verdict | None:
        """What the judge makes of beginnings with the rest of a training drawing pasted on, if there are any.

        A beginning for which there is no training drawing stays as it is.
        """
        training = self.training
        if training is None:
            return None

        def make() -> Verdict:
            items = self.cut(share)
            count = self.counter("retrieval", len(items))
            found = Retrieval(training).finish(items, share, scale, progress=count)
            wholes = [row[0].whole if row else item.given for row, item in zip(found, items, strict=True)]
            return self.judged(wholes, "retrieved rests")

        return self.once(("retrieved", share, scale), make)

    def other_features(self) -> NDArray[np.float32]:
        """(n, d) the judge's features of the other real drawings."""
        return self.once("others", lambda: features_of(self.judge, self.others))


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
    """Choose the drawings that are finished: those with the smallest hashes that the judge can name.

    Raises:
        CategoryError: the judge knows none of the categories.
        FormatError: no drawing has enough points.
        SettingError: no temperatures, or one outside its limits.
    """
    if not temperatures or not all(0.0 <= value <= 2.0 for value in temperatures):
        raise SettingError(f"temperatures must be one or more from 0 to 2, not {list(temperatures)}")
    nameable = np.array([name in set(judge.categories) for name in drawings.categories], dtype=bool)
    known = nameable[drawings.category]
    if not known.any():
        raise CategoryError(
            f"the judge knows none of the {len(drawings.categories)} categories, such as "
            f"{drawings.categories[0]!r}; name another judge or pass --protocol likelihood"
        )
    usable = np.flatnonzero(known & (drawings.lengths >= MIN_POINTS))
    if not len(usable):
        raise FormatError(f"no drawing has {MIN_POINTS} points or more, so that there is nothing to finish")
    order = usable[np.argsort(drawings.key[usable], kind="stable")]
    chosen = drawings.take(order[:samples])
    further = drawings.take(order[samples : 2 * samples])
    sketches = [chosen.sketch(index) for index in range(len(chosen))]
    names = [chosen.categories[int(index)] for index in chosen.category]
    others = [further.sketch(index) for index in range(len(further))]
    groups = depth_groups(names, counts)
    settings = tuple(dict.fromkeys(float(value) for value in temperatures))
    return Task(chosen, sketches, names, groups, others, judge, training, settings, seed, report)


def about_judge(judge: Judge, drawings: Drawings) -> dict[str, Any]:
    """Who judges `drawings`: its name, what it sees if it says so, and which categories it knows not."""
    return {
        "name": str(getattr(judge, "name", type(judge).__name__)),
        "sees": getattr(judge, "sees", None),
        "categories": len(judge.categories),
        "unknown_to_it": unknown_to(judge, drawings),
    }


def unknown_to(judge: Judge, drawings: Drawings) -> list[str]:
    """The categories that occur and that the judge cannot name, sorted."""
    present: NDArray[np.int64] = np.unique(drawings.category)
    return sorted({drawings.categories[int(index)] for index in present} - set(judge.categories))


def training_drawings(source: Path) -> Drawings | None:
    """The training drawings of a store that are searched; None where `source` is no store."""
    if not (source / "store.json").is_file():
        return None
    found = Store.open(source).split("train").drawings(MAX_TRAINING)
    return found if len(found) else None
