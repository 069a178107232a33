"""The figures of a model's completions: named right, near to the truth, like real ones, copied or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.completion.completer import Completer
from sketchgen.evaluation.copying import copying, neighbours
from sketchgen.evaluation.distribution_metrics import fid, kid
from sketchgen.evaluation.figures import Figure, Groups, mean, ratio
from sketchgen.evaluation.held_out import SCALES, Finished, PartialSketch, Scale, finish
from sketchgen.evaluation.recognition import Verdict
from sketchgen.evaluation.retrieval import Retrieval
from sketchgen.evaluation.task import SHARES, Task
from sketchgen.sketch.distance import best, cloud, mean_pairwise
from sketchgen.sketch.sketch import Sketch

CHOICE = 0.5
"""The share given at which the best temperature is chosen, by how many completions are named right."""

WAYS = 10
"""Completions of a beginning of which the nearest to the truth counts."""

WAYS_SHARES = (0.25, 0.5)
MAX_WAYS = 128
"""Drawings that are finished in so many ways, at most."""

MIN_FEATURES = 8
"""Drawings below which no distance of distributions is given."""


@dataclass(frozen=True)
class Named:
    """What the judge made of a model's completions.

    Attributes:
        verdicts: by scale, share given and temperature.
        temperature: the best one for each scale: of most names that are right with half of the points given,
            and of several such the highest, whose ways are more various.
    """

    verdicts: dict[tuple[Scale, float, float], Verdict] = field(default_factory=dict)
    temperature: dict[Scale, float] = field(default_factory=dict)


def name_completions(task: Task, model: Completer, scales: Sequence[Scale] = SCALES) -> Named:
    """Finish every drawing of a task once at every share and temperature, and have the judge name it."""
    named = Named()
    for scale in scales:
        for share in SHARES:
            ready = task.read(task.beginnings(model, share), scale)
            for temperature in task.temperatures:
                count = task.counter(f"{model.name}: completions", len(task.sketches))
                found = finish(model, ready, temperature, progress=count)
                wholes = [row[0].whole for row in found]
                named.verdicts[scale, share, temperature] = task.judged(wholes, "completions")
        right = {value: named.verdicts[scale, CHOICE, value].top1.mean() for value in task.temperatures}
        named.temperature[scale] = max(right, key=lambda value: (right[value], value))
    return named


def recognition_table(task: Task, named: Named) -> dict[str, Any]:
    """Shares of drawings named right: beginnings, completions and whole real drawings, by depth."""
    result: dict[str, Any] = {
        "drawings": {name: int(rows.sum()) for name, rows in task.groups.items()},
        "temperatures": list(task.temperatures),
        "best_temperature": dict(named.temperature),
        "real": _shares(task.real(), task.groups),
    }
    for scale in named.temperature:
        result[scale] = {}
        for share in SHARES:
            row: dict[str, Any] = {"prefix": _shares(task.prefix(share), task.groups)}
            retrieved = task.retrieved(share, scale)
            if retrieved is not None:
                row["retrieval"] = _against_real(task, retrieved, share)
            row["completions"] = {
                f"{value:g}": _against_real(task, named.verdicts[scale, share, value], share)
                for value in task.temperatures
            }
            result[scale][f"{share:g}"] = row
    return result


def _shares(verdict: Verdict, groups: Groups) -> dict[str, Any]:
    return {
        name: {"top1": mean(verdict.top1[rows]), "top5": mean(verdict.top5[rows])}
        for name, rows in groups.items()
    }


def _against_real(task: Task, verdict: Verdict, share: float) -> dict[str, Any]:
    """Shares named right; of the way from the bare beginning to the real drawing, how much; and the ratio."""
    real, prefix = task.real(), task.prefix(share)
    result = _shares(verdict, task.groups)
    for name, rows in task.groups.items():
        for key in ("top1", "top5"):
            ours, whole, bare = (getattr(item, key)[rows] for item in (verdict, real, prefix))
            result[name][f"gain_{key}"] = ratio(ours - bare, whole - bare)
            result[name][f"ratio_{key}"] = ratio(ours, whole)
    return result


@dataclass(frozen=True)
class Nearness:
    """Of each of n beginnings finished in several ways: px of the 255 box.

    Attributes:
        best: (n,) distance of the added part that is nearest to the true rest.
        apart: (n,) mean distance of the added parts among themselves.
    """

    best: NDArray[np.float64]
    apart: NDArray[np.float64]

    def table(self, groups: Groups) -> dict[str, Any]:
        """Means of both by depth."""
        here = {name: rows[: len(self.best)] & np.isfinite(self.best) for name, rows in groups.items()}
        return {
            name: {
                "best": mean(self.best[rows]),
                "apart": mean(self.apart[rows]),
                "drawings": int(rows.sum()),
            }
            for name, rows in here.items()
        }


def nearness(beginnings: Sequence[PartialSketch], found: Sequence[Sequence[Finished]]) -> Nearness:
    """Compare the added parts with the true rests, and with each other."""
    nearest, apart = np.full(len(beginnings), np.nan), np.full(len(beginnings), np.nan)
    for index, (beginning, ways) in enumerate(zip(beginnings, found, strict=True)):
        clouds = [cloud(item.completion.added) for item in ways]
        if clouds:
            nearest[index] = best(clouds, cloud(beginning.rest))
            apart[index] = mean_pairwise(clouds)
    return Nearness(nearest, apart)


def model_nearness(task: Task, model: Completer, temperature: float) -> dict[float, Nearness]:
    """Finish some drawings in ten ways each, the scale being known, by the share given."""
    result = {}
    for share in WAYS_SHARES:
        beginnings = task.beginnings(model, share, MAX_WAYS)
        ready = task.read(beginnings, "scale known")
        count = task.counter(f"{model.name}: ten ways", WAYS * len(beginnings))
        result[share] = nearness(beginnings, finish(model, ready, temperature, WAYS, progress=count))
    return result


def retrieval_nearness(task: Task) -> dict[float, Nearness]:
    """The same of the ten nearest training drawings' rests, pasted on."""
    result = {}
    if task.training is not None:
        for share in WAYS_SHARES:
            items = task.cut(share, MAX_WAYS)
            found = Retrieval(task.training).finish(items, share, "scale known", WAYS)
            result[share] = nearness(items, found)
    return result


def distance_table(task: Task, named: Named | None) -> dict[str, Any]:
    """KID and FID of completions to other real drawings, by share given, in the judge's features.

    Without a model's completions: of the real drawings themselves (the floor), of bare beginnings and of
    retrieval. All samples have the size of the smaller of the two sets of real drawings.
    """
    size = min(len(task.others), len(task.sketches))
    if size < MIN_FEATURES:
        return {}
    others = task.other_features()[:size]

    def apart(verdict: Verdict) -> dict[str, Figure]:
        ours = verdict.features[:size]
        return {"kid": kid(ours, others), "fid": fid(ours, others)}

    if named is not None:
        value = named.temperature["scale known"]
        return {f"{share:g}": apart(named.verdicts["scale known", share, value]) for share in SHARES}
    result: dict[str, Any] = {"drawings": size, "real": apart(task.real()), "prefix": {}, "retrieval": {}}
    for share in SHARES:
        result["prefix"][f"{share:g}"] = apart(task.prefix(share))
        retrieved = task.retrieved(share, "scale known")
        if retrieved is not None:
            result["retrieval"][f"{share:g}"] = apart(retrieved)
    return result


def from_nothing(task: Task, model: Completer, temperature: float) -> list[Sketch]:
    """A drawing from nothing of the category of each drawing of the task."""
    ready = task.read(task.beginnings(model, 0.0), "scale known")
    count = task.counter(f"{model.name}: from nothing", len(task.sketches))
    return [row[0].whole for row in finish(model, ready, temperature, progress=count)]


def copying_table(task: Task, model: Completer, temperature: float) -> dict[str, Any]:
    """How near drawings from nothing lie to training drawings; nothing where none are at hand."""
    if task.training is None:
        return {}
    training = task.training

    def nearest(sketches: Sequence[Sketch]) -> NDArray[np.float64]:
        return neighbours(sketches, training, task.counter("nearest training drawings", len(training)))[0]

    held_out = task.once("held out", lambda: nearest(task.sketches))
    generated = nearest(from_nothing(task, model, temperature))
    return copying(generated, held_out) | {"training": len(training)}
