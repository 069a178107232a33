"""The figures of likelihood of one model: whole drawings, what is left, by category, depth and position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.completion.completer import Completer
from sketchgen.data.batching import Batch
from sketchgen.data.store import Drawings
from sketchgen.evaluation.figures import DEEP, depth_groups
from sketchgen.evaluation.likelihood import FRACTIONS, Scores, Watch, by_category, score
from sketchgen.evaluation.magenta import MagentaLoss
from sketchgen.evaluation.positions import Positions
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.stroke_model import as_network

Progress = Callable[[str, int, int], None]


def scores_by_share(
    model: Completer, drawings: Drawings, seed: int, report: Progress, watch: Watch | None = None
) -> dict[float, Scores]:
    """Score drawings at every share given; `watch` is shown the batches of whole drawings.

    A category that the model does not know is "any" to it.
    """
    mapped = replace(drawings, category=drawings.known_as(model.categories))
    network = as_network(model.config, model.decoder.weights())
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        report("likelihood", done, len(FRACTIONS) * len(drawings))

    return {
        share: score(network, mapped, share, seed=seed, progress=advance, watch=None if share else watch)
        for share in FRACTIONS
    }


def likelihood_figures(
    model: Completer, drawings: Drawings, counts: Mapping[str, int] | None, seed: int, report: Progress
) -> dict[str, Any]:
    """All figures of likelihood, as plain JSON values.

    Args:
        model: what is measured.
        drawings: what it is measured on.
        counts: training drawings of each category, where they are known.
        seed: of the dequantisation.
        report: called after each batch.
    """
    positions, magenta = Positions(len(drawings)), MagentaLoss(drawings)

    def watch(
        rows: NDArray[np.int64], batch: Batch, found: StepDistribution, nats: NDArray[np.float64]
    ) -> None:
        positions.add(rows, batch, nats)
        magenta.add(rows, batch, found)

    scores = scores_by_share(model, drawings, seed, report, watch)
    whole = replace(scores[0.0], category=drawings.category)
    per_point, per_sketch = whole.per_point(), whole.per_sketch()
    return {
        "nats_per_point": per_point[0],
        "nats_per_point_se": per_point[1],
        "nats_per_sketch": per_sketch[0],
        "nats_per_sketch_se": per_sketch[1],
        "suffix": {f"{share:g}": _suffix(item) for share, item in scores.items()},
        "by_position": positions.table(),
        "by_depth": _by_depth(scores, drawings, counts),
        "magenta": magenta.table(),
        "by_category": by_category(whole, drawings.categories),
    }


def _by_depth(
    scores: Mapping[float, Scores], drawings: Drawings, counts: Mapping[str, int] | None
) -> dict[str, Any]:
    """Nats per point of deep and of rare categories at every share given; nothing where that is not known."""
    if counts is None:
        return {}
    groups = depth_groups([drawings.categories[int(index)] for index in drawings.category], counts)
    result: dict[str, Any] = {"deep_from": DEEP}
    for name in ("deep", "rare"):
        rows = groups[name]
        if rows.any():
            result[name] = {
                "categories": len(np.unique(drawings.category[rows])),
                "drawings": int(rows.sum()),
                "suffix": {f"{share:g}": _suffix(_part(item, rows)) for share, item in scores.items()},
            }
    return result


def _part(scores: Scores, rows: NDArray[np.bool_]) -> Scores:
    return Scores(scores.nats[rows], scores.points[rows], scores.category[rows])


def _suffix(scores: Scores) -> dict[str, Any]:
    value, error = scores.per_point()
    return {"nats_per_point": value, "standard_error": error, "points": int(scores.points.sum())}
