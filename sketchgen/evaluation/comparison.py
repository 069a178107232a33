"""`compare`: two models on the same drawings, by paired differences, which see far smaller ones."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.completion.completer import Completer
from sketchgen.evaluation.completion_metrics import Named, model_nearness, name_completions
from sketchgen.evaluation.figures import Figure, Groups, category_counts, depth_groups, mean, ratio
from sketchgen.evaluation.held_out import SCALES
from sketchgen.evaluation.likelihood import FRACTIONS, Scores
from sketchgen.evaluation.nats import scores_by_share
from sketchgen.evaluation.recognition import Judge
from sketchgen.evaluation.report import SAMPLES, Checkpoint, Progress, check_settings, opened, opened_judge
from sketchgen.evaluation.source import open_source
from sketchgen.evaluation.task import SHARES, TEMPERATURES, Task, about_judge, make_task

Values = NDArray[np.float64]


def paired(a: Values, b: Values) -> dict[str, Figure]:
    """The means of both, and that of b - a with the standard error of the paired difference."""
    return {"a": mean(a), "b": mean(b), "difference": mean(b - a)}


def paired_ratio(a: Values, b: Values, count: NDArray[np.integer]) -> dict[str, Figure]:
    """Sums divided by the sum of `count`: of both, and of b - a, a ratio estimator over drawings."""
    return {"a": ratio(a, count), "b": ratio(b, count), "difference": ratio(b - a, count)}


def compare(
    a: Checkpoint,
    b: Checkpoint,
    source: str | os.PathLike[str],
    *,
    split: str = "valid",
    limit: int | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    protocol: str = "all",
    judge: Judge | str | os.PathLike[str] | None = None,
    temperatures: Sequence[float] = TEMPERATURES,
    guidance: float | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Compare two models on the same drawings, with the same noise; differences are b - a.

    Each model finishes at the temperature that is its best one at half of the points given.

    Args:
        a: a completer, or a name or path that `load` takes.
        b: another one.
        source: a store, an ndjson file, or a folder of ndjson files.
        split: which split of a store.
        limit: most drawings, those with the smallest hashes; None for all.
        samples: drawings that are finished; 0 for likelihood alone.
        seed: of dequantisation and sampling.
        protocol: "all", or "likelihood" without what a judge is needed for.
        judge: who names drawings, or the name or path of one; None for the bundled recogniser.
        temperatures: at which drawings are finished.
        guidance: of models that can be guided; None for what each of them has.
        progress: called now and then.

    Returns:
        Each figure of both models, the difference, and the difference's standard error, of all drawings and
        of deep and rare categories: `nats` by share given, `nats_per_sketch`, `recognition` by scale and
        share, `ten_ways` by share. All plain JSON values.

    Raises:
        CategoryError: the judge knows none of the categories.
        CheckpointError: no such checkpoint or judge.
        FormatError: no drawings.
        SettingError: a limit, a number of samples, a temperature or a guidance outside its limits.
    """
    check_settings(samples, protocol, limit)
    say: Progress = progress or (lambda what, done, of: None)
    models = opened(a, guidance), opened(b, guidance)
    namer = opened_judge(judge) if protocol == "all" and samples else None
    found = open_source(Path(source), split, limit)
    drawings = found.drawings
    counts = category_counts(found.path, models[0].summary)
    task = None
    if namer is not None:
        settings = {"samples": samples, "temperatures": temperatures, "seed": seed, "report": say}
        task = make_task(drawings, counts, namer, None, **settings)
    names = [drawings.categories[int(index)] for index in drawings.category]
    one, other = (scores_by_share(model, drawings, seed, say) for model in models)
    result = {
        "a": models[0].name,
        "b": models[1].name,
        "guidance": {"a": models[0].guidance, "b": models[1].guidance},
        "source": found.path.name,
        "split": found.split,
        "seed": seed,
        "drawings": len(drawings),
        **_nats(one, other, depth_groups(names, counts)),
    }
    if task is None:
        return result
    return result | {"judge": about_judge(task.judge, drawings)} | _completions(task, models)


def _nats(a: Mapping[float, Scores], b: Mapping[float, Scores], groups: Groups) -> dict[str, Any]:
    """Nats per point by share given and nats per sketch, by depth."""
    here = {name: rows for name, rows in groups.items() if rows.any()}
    return {
        "nats": {
            f"{share:g}": {
                name: paired_ratio(a[share].nats[rows], b[share].nats[rows], a[share].points[rows])
                for name, rows in here.items()
            }
            for share in FRACTIONS
        },
        "nats_per_sketch": {
            name: paired(a[0.0].nats[rows], b[0.0].nats[rows]) for name, rows in here.items()
        },
    }


def _completions(task: Task, models: Sequence[Completer]) -> dict[str, Any]:
    """Names and nearness of completions by both models."""
    named = [name_completions(task, model) for model in models]
    groups = {name: rows for name, rows in task.groups.items() if rows.any()}
    ways = [
        model_nearness(task, model, one.temperature["scale known"])
        for model, one in zip(models, named, strict=True)
    ]
    result: dict[str, Any] = {
        "finished": len(task.sketches),
        "temperatures": list(task.temperatures),
        "best_temperature": {key: dict(one.temperature) for key, one in zip("ab", named, strict=True)},
        "recognition": _recognition(named, groups),
        "ten_ways": {},
    }
    for share in ways[0]:
        one, other = ways[0][share], ways[1][share]
        rows = {name: where[: len(one.best)] & np.isfinite(one.best) for name, where in groups.items()}
        result["ten_ways"][f"{share:g}"] = {
            name: {
                "best": paired(one.best[where], other.best[where]),
                "apart": paired(one.apart[where], other.apart[where]),
                "drawings": int(where.sum()),
            }
            for name, where in rows.items()
        }
    return result


def _recognition(named: Sequence[Named], groups: Groups) -> dict[str, Any]:
    """Shares named right, each model at its own best temperature."""
    result: dict[str, Any] = {}
    for scale in SCALES:
        result[scale] = {}
        for share in SHARES:
            a, b = (one.verdicts[scale, share, one.temperature[scale]] for one in named)
            result[scale][f"{share:g}"] = {
                name: {"top1": paired(a.top1[rows], b.top1[rows]), "top5": paired(a.top5[rows], b.top5[rows])}
                for name, rows in groups.items()
            }
    return result
