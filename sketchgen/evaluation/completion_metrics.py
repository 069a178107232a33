"""Figures of a model's completions: recognised, near to the truth, like real drawings, not copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from sketchgen.completion.completer import Completer
from sketchgen.evaluation.distribution_metrics import fid, kid
from sketchgen.evaluation.held_out import SCALES, Finished, HeldOut, Scale, finish
from sketchgen.evaluation.recognition import Verdict, judged
from sketchgen.evaluation.retrieval import copying, nearest_drawings, retrieve
from sketchgen.evaluation.statistics import Figure, Groups, mean, ratio
from sketchgen.evaluation.task import SHARES, Task
from sketchgen.sketch.distance import chamfer, cloud, mean_pairwise
from sketchgen.sketch.sketch import Sketch

CHOICE = 0.5
"""Share given at which the best temperature is chosen, by how many completions are recognised."""

CANDIDATES = 10
"""Completions of a drawing of which the nearest to the truth counts."""

CANDIDATE_SHARES = (0.25, 0.5)
MAX_DRAWINGS = 128
"""Drawings that are completed so many times."""

MIN_FEATURES = 8
"""Drawings below which no distance of distributions is given."""


@dataclass(frozen=True)
class Recognised:
    """Verdicts on a model's completions.

    Attributes:
        verdicts: by scale, share given and temperature.
        temperature: the best one for each scale: at which most completions are recognised with half of the
            points given, and of several such the highest, whose completions vary more.
    """

    verdicts: dict[tuple[Scale, float, float], Verdict] = field(default_factory=dict)
    temperature: dict[Scale, float] = field(default_factory=dict)


def recognised(task: Task, model: Completer) -> Recognised:
    """Complete every drawing once at every share and temperature, and have the judge recognise it."""
    result = Recognised()
    for scale in SCALES:
        for share in SHARES:
            items = task.items(share, model)
            for temperature in task.temperatures:
                count = task.counter(f"{model.name}: completions", len(task.sketches))
                found = finish(model, items, scale, temperature, progress=count)
                wholes = [row[0].whole for row in found]
                result.verdicts[scale, share, temperature] = task.judged(wholes, "completions")
        right = {value: result.verdicts[scale, CHOICE, value].top1.mean() for value in task.temperatures}
        result.temperature[scale] = max(right, key=lambda value: (right[value], value))
    return result


def recognition_table(task: Task, found: Recognised) -> dict[str, Any]:
    """Return shares of recognised drawings: given parts, completions and whole real drawings, by depth."""
    result: dict[str, Any] = {
        "drawings": {name: int(rows.sum()) for name, rows in task.groups.items()},
        "temperatures": list(task.temperatures),
        "best_temperature": dict(found.temperature),
        "real": _shares(task.real(), task.groups),
    }
    for scale in found.temperature:
        result[scale] = {}
        for share in SHARES:
            row: dict[str, Any] = {"prefix": _shares(task.prefix(share), task.groups)}
            retrieved = task.retrieved(share, scale)
            if retrieved is not None:
                row["retrieval"] = _against_real(task, retrieved, share)
            row["completions"] = {
                f"{value:g}": _against_real(task, found.verdicts[scale, share, value], share)
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
    """Return shares of recognised drawings, their ratio to the real ones' share, and the ratio of gains.

    Gains are over the given parts alone.
    """
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
    """Distances of several completions of each of n drawings, px of the 255 box.

    Attributes:
        best: of the added part that is nearest to the true rest, to it; NaN without completions.
        apart: of the added parts among themselves, on average.
    """

    best: Float[np.ndarray, " n"]
    apart: Float[np.ndarray, " n"]

    def groups(self, groups: Groups) -> Groups:
        """Return which of the n drawings, as far as they have completions, are of each group."""
        return {name: rows[: len(self.best)] & np.isfinite(self.best) for name, rows in groups.items()}


def nearness(items: Sequence[HeldOut], found: Sequence[Sequence[Finished]]) -> Nearness:
    """Compare the added parts with the true rests, and with each other."""
    best, apart = np.full(len(items), np.nan), np.full(len(items), np.nan)
    for index, (item, completions) in enumerate(zip(items, found, strict=True)):
        clouds = [cloud(each.completion.added) for each in completions]
        if clouds:
            truth = cloud(item.rest)
            best[index] = np.min([chamfer(each, truth) for each in clouds])
            apart[index] = mean_pairwise(clouds)
    return Nearness(best, apart)


def model_nearness(task: Task, model: Completer, temperature: float) -> dict[float, Nearness]:
    """Complete some drawings `CANDIDATES` times at known scale, by the share given."""
    result = {}
    for share in CANDIDATE_SHARES:
        items = task.items(share, model, MAX_DRAWINGS)
        count = task.counter(f"{model.name}: ten ways", CANDIDATES * len(items))
        result[share] = nearness(
            items, finish(model, items, "scale known", temperature, CANDIDATES, progress=count)
        )
    return result


def retrieval_nearness(task: Task) -> dict[float, Nearness]:
    """Return the same for the rests of the nearest training drawings."""
    result = {}
    if task.training is not None:
        for share in CANDIDATE_SHARES:
            items = task.items(share, count=MAX_DRAWINGS)
            result[share] = nearness(items, retrieve(task.training, items, share, "scale known", CANDIDATES))
    return result


def nearness_table(found: dict[float, Nearness], groups: Groups) -> dict[str, Any]:
    """Return the means by share given and depth."""
    return {
        f"{share:g}": {
            name: {
                "best": mean(near.best[rows]),
                "apart": mean(near.apart[rows]),
                "drawings": int(rows.sum()),
            }
            for name, rows in near.groups(groups).items()
        }
        for share, near in found.items()
    }


def distance_table(task: Task, found: Recognised | None) -> dict[str, Any]:
    """Return KID and FID of completions to other real drawings, by share given, in the judge's features.

    Without a model's completions: of the real drawings themselves (the floor), of the given parts alone and
    of retrieval. All samples have the size of the smaller of the two sets of real drawings.
    """
    size = min(len(task.others), len(task.sketches))
    if size < MIN_FEATURES:
        return {}
    names = [other.category or "" for other in task.others]
    others = task.once("others", lambda: judged(task.judge, task.others, names).features)[:size]

    def apart(verdict: Verdict) -> dict[str, Figure]:
        ours = verdict.features[:size]
        return {"kid": kid(ours, others), "fid": fid(ours, others)}

    if found is not None:
        value = found.temperature["scale known"]
        return {f"{share:g}": apart(found.verdicts["scale known", share, value]) for share in SHARES}
    result: dict[str, Any] = {"drawings": size, "real": apart(task.real()), "prefix": {}, "retrieval": {}}
    for share in SHARES:
        result["prefix"][f"{share:g}"] = apart(task.prefix(share))
        retrieved = task.retrieved(share, "scale known")
        if retrieved is not None:
            result["retrieval"][f"{share:g}"] = apart(retrieved)
    return result


def copying_table(task: Task, model: Completer, temperature: float) -> dict[str, Any]:
    """Return how near drawings from nothing are to training drawings; nothing without training drawings.

    The model draws one of the category of each drawing of the task.
    """
    training = task.training
    if training is None:
        return {}

    def nearest(sketches: Sequence[Sketch]) -> Float[np.ndarray, " n"]:
        count = task.counter("nearest training drawings", len(training))
        return nearest_drawings(sketches, training, count)[0]

    real = task.once("held out", lambda: nearest(task.sketches))
    items = task.items(0.0, model)
    count = task.counter(f"{model.name}: from nothing", len(task.sketches))
    found = finish(model, items, "scale known", temperature, progress=count)
    generated = [row[0].whole for row in found]
    return copying(nearest(generated), real) | {"training": len(training)}
