"""`compare`: two models on the same drawings, by paired differences.

With the same drawings and the same noise they see far smaller differences than two evaluations do.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from sketchgen.completion.completer import Completer
from sketchgen.evaluation.completion_metrics import model_nearness, recognised
from sketchgen.evaluation.held_out import SCALES
from sketchgen.evaluation.likelihood import SHARES as LIKELIHOOD_SHARES
from sketchgen.evaluation.likelihood import Scores, scores_by_share
from sketchgen.evaluation.recognition import Judge
from sketchgen.evaluation.report import (
    SAMPLES,
    Checkpoint,
    check_settings,
    header,
    opened,
    opened_judge,
    source_drawings,
)
from sketchgen.evaluation.statistics import (
    Figure,
    Groups,
    Progress,
    category_counts,
    depth_groups,
    mean,
    ratio,
)
from sketchgen.evaluation.task import SHARES, TEMPERATURES, Task, about_judge, make_task

Values = Float[np.ndarray, " n"]


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

    Each model completes drawings at the temperature that is its best one at half of the points given. All
    settings are those of `evaluate`.

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
    chosen = opened_judge(judge) if protocol == "all" and samples else None
    drawings, split = source_drawings(Path(source), split, limit)
    counts = category_counts(Path(source), models[0].summary)
    task = None
    if chosen is not None:
        settings = {"samples": samples, "temperatures": temperatures, "seed": seed, "report": say}
        task = make_task(drawings, counts, chosen, None, **settings)
    names = [drawings.categories[int(index)] for index in drawings.category]
    one, other = (scores_by_share(model, drawings, seed, say) for model in models)
    result = {
        "a": models[0].name,
        "b": models[1].name,
        "guidance": {"a": models[0].guidance, "b": models[1].guidance},
        **header(Path(source), split, seed, drawings),
        **_nats_differences(one, other, depth_groups(names, counts)),
    }
    if task is not None:
        result |= {"judge": about_judge(task.judge, drawings)} | _completion_differences(task, models)
    return result


def paired(a: Values, b: Values) -> dict[str, Figure]:
    """Return the means of both, and that of b - a with the standard error of the paired difference."""
    return {"a": mean(a), "b": mean(b), "difference": mean(b - a)}


def paired_ratio(a: Values, b: Values, count: Int[np.ndarray, " n"]) -> dict[str, Figure]:
    """Return sums divided by the sum of `count`: of both, and of b - a, a ratio estimator over drawings."""
    return {"a": ratio(a, count), "b": ratio(b, count), "difference": ratio(b - a, count)}


def _nats_differences(a: Mapping[float, Scores], b: Mapping[float, Scores], groups: Groups) -> dict[str, Any]:
    """Return nats per point by share given and nats per sketch, by depth."""
    groups = {name: rows for name, rows in groups.items() if rows.any()}
    return {
        "nats": {
            f"{share:g}": {
                name: paired_ratio(a[share].nats[rows], b[share].nats[rows], a[share].points[rows])
                for name, rows in groups.items()
            }
            for share in LIKELIHOOD_SHARES
        },
        "nats_per_sketch": {
            name: paired(a[0.0].nats[rows], b[0.0].nats[rows]) for name, rows in groups.items()
        },
    }


def _completion_differences(task: Task, models: Sequence[Completer]) -> dict[str, Any]:
    """Return recognition and nearness of completions by both models, each at its best temperature."""
    both = [recognised(task, model) for model in models]
    groups = {name: rows for name, rows in task.groups.items() if rows.any()}
    near = [
        model_nearness(task, model, found.temperature["scale known"])
        for model, found in zip(models, both, strict=True)
    ]
    recognition: dict[str, Any] = {scale: {} for scale in SCALES}
    for scale, share in itertools.product(SCALES, SHARES):
        a, b = (found.verdicts[scale, share, found.temperature[scale]] for found in both)
        recognition[scale][f"{share:g}"] = {
            name: {"top1": paired(a.top1[rows], b.top1[rows]), "top5": paired(a.top5[rows], b.top5[rows])}
            for name, rows in groups.items()
        }
    ten_ways: dict[str, Any] = {}
    for share, one in near[0].items():
        other = near[1][share]
        ten_ways[f"{share:g}"] = {
            name: {
                "best": paired(one.best[rows], other.best[rows]),
                "apart": paired(one.apart[rows], other.apart[rows]),
                "drawings": int(rows.sum()),
            }
            for name, rows in one.groups(groups).items()
        }
    return {
        "finished": len(task.sketches),
        "temperatures": list(task.temperatures),
        "best_temperature": {key: dict(found.temperature) for key, found in zip("ab", both, strict=True)},
        "recognition": recognition,
        "ten_ways": ten_ways,
    }
