"""The nearest training drawings: a completion without a model, and a measure of copying.

A completion is retrieved from the training drawings of the category, cut after the same share of their
points. Those whose given parts have the most similar bitmaps are short-listed, and ordered by the symmetric
Chamfer distance of the given parts. The rest of the nearest one is moved so that it starts at the last given
point. Where the scale is known, given parts are compared as they stand in the 255 box and the rest keeps its
size; where it is unknown, each given part is first aligned and scaled to the box, and the rest is scaled
along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import MIN_POINTS, prefix_length
from sketchgen.evaluation.bitmaps import CHUNK, Lines, bitmaps
from sketchgen.evaluation.held_out import Finished, HeldOut, Scale, held_out
from sketchgen.evaluation.statistics import mean
from sketchgen.sketch.distance import chamfer, cloud
from sketchgen.sketch.geometry import box_frame, in_frame
from sketchgen.sketch.sketch import Completion, Sketch

MAX_SEARCHED = 1000
"""Training drawings of a category that are searched for a completion: those with the smallest hashes."""

SHORT_LIST = 10
"""Given parts that are short-listed by their bitmaps for the exact distance."""

COPY_SHORT_LIST = 20
"""Training drawings that are short-listed where copies are looked for."""

TAIL = 0.01
"""Quantile of the real drawings' distances below which a drawing is nearer than real ones are."""

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95)

Progress = Callable[[int], None]


def retrieve(
    training: Drawings,
    items: Sequence[HeldOut],
    share: float,
    scale: Scale,
    count: int = 1,
    progress: Progress | None = None,
) -> list[list[Finished]]:
    """Complete drawings by the rests of the nearest training drawings.

    Both are cut after `share` of their points. Each drawing has `count` completions, the nearest first;
    none where its category has no training drawings.
    """
    found: list[list[Finished]] = [[] for _ in items]
    names = [item.given.category or "" for item in items]
    for name in sorted(set(names)):
        here = [index for index, other in enumerate(names) if other == name]
        near = _short_lists(
            training, name, [items[index] for index in here], share, scale, max(SHORT_LIST, count)
        )
        for index, rows in zip(here, near, strict=True):
            found[index] = _ordered(training, items[index], rows, share, scale)[:count]
            if progress is not None:
                progress(1)
    return found


def _short_lists(
    training: Drawings, name: str, items: Sequence[HeldOut], share: float, scale: Scale, count: int
) -> Int[np.ndarray, "n k"]:
    """Return the training drawings of a category whose given parts are the most similar to each item's."""
    index = training.categories.index(name) if name in training.categories else -1
    searched = np.flatnonzero((training.category == index) & (training.lengths >= MIN_POINTS))[:MAX_SEARCHED]
    if not len(searched):
        return np.zeros((len(items), 0), dtype=np.int64)
    drawings = training.take(searched)
    shown = np.array([prefix_length(int(length), share) for length in drawings.lengths], dtype=np.int64)
    theirs = Lines.of_drawings(drawings, shown)
    ours = Lines.of_sketches([item.given for item in items])
    if scale == "scale unknown":
        theirs, ours = theirs.fitted(), ours.fitted()
    similarity = bitmaps(ours) @ bitmaps(theirs).T
    return searched[np.argsort(-similarity, axis=1, kind="stable")[:, :count]]


def _ordered(
    training: Drawings, item: HeldOut, rows: Int[np.ndarray, " k"], share: float, scale: Scale
) -> list[Finished]:
    """Return completions by short-listed drawings, in the order of the distance of the given parts."""

    def compared(given: Sketch) -> Sketch:
        return given if scale == "scale known" else in_frame(given, box_frame(given))

    wanted = cloud(compared(item.given))
    found: list[tuple[float, int, Finished]] = []
    for index in rows.tolist():
        other = held_out(training.sketch(index), share)
        distance = chamfer(wanted, cloud(compared(other.given)))
        found.append((distance, index, _pasted(item.given, other, scale)))
    return [each for _, _, each in sorted(found, key=lambda entry: entry[:2])]


def _pasted(given: Sketch, other: HeldOut, scale: Scale) -> Finished:
    """Return the rest of another drawing, moved to the last given point."""
    size = 1.0 if scale == "scale known" else box_frame(given).scale / box_frame(other.given).scale
    here, there = given.strokes[-1][-1], other.given.strokes[-1][-1]
    strokes = [(stroke - there) * size + here for stroke in other.rest.strokes]
    added = Sketch.from_strokes(strokes, page=given.page, category=given.category)
    return Finished(Completion(given, added), other.inside)


def nearest_drawings(
    sketches: Sequence[Sketch], training: Drawings, progress: Progress | None = None
) -> tuple[Float[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Return the distance to the nearest training drawing of each drawing, px, and its index.

    Each drawing is aligned and scaled to the 255 box. The `COPY_SHORT_LIST` training drawings whose bitmaps
    are the most similar, of any category, are compared by the symmetric Chamfer distance.
    """
    fitted = [in_frame(sketch, box_frame(sketch)) for sketch in sketches]
    near = most_similar(bitmaps(Lines.of_sketches(fitted)), training, COPY_SHORT_LIST, progress)
    distance = np.zeros(len(fitted))
    index = np.zeros(len(fitted), dtype=np.int64)
    for row, sketch in enumerate(fitted):
        own = cloud(sketch)
        apart = [chamfer(own, cloud(training.sketch(int(other)))) for other in near[row]]
        index[row], distance[row] = near[row][int(np.argmin(apart))], min(apart)
    return distance, index


def most_similar(
    queries: Float[np.ndarray, "q c"], drawings: Drawings, count: int, progress: Progress | None = None
) -> Int[np.ndarray, "q k"]:
    """Return the indices of the `count` drawings with the most similar bitmaps, the most similar first."""
    count = min(count, len(drawings))
    similarity = np.full((len(queries), 0), -np.inf, dtype=np.float32)
    index = np.zeros((len(queries), 0), dtype=np.int64)
    for first in range(0, len(drawings), CHUNK):
        last = min(first + CHUNK, len(drawings))
        found = queries @ bitmaps(Lines.of_drawings(drawings.between(first, last))).T
        similarity = np.concatenate([similarity, found], 1)
        index = np.concatenate([index, np.broadcast_to(np.arange(first, last), found.shape)], 1)
        if similarity.shape[1] > count:
            top = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
            similarity, index = np.take_along_axis(similarity, top, 1), np.take_along_axis(index, top, 1)
        if progress is not None:
            progress(last - first)
    return np.take_along_axis(index, np.lexsort((index, -similarity), axis=1), 1)


def copying(generated: Float[np.ndarray, " n"], held_out: Float[np.ndarray, " m"]) -> dict[str, Any]:
    """Compare the distances of generated and of held-out drawings to the nearest training drawing.

    Returns:
        Quantiles of both, px; the `TAIL` quantile of the held-out ones as `threshold`; and the share of
        generated drawings below it, which is `TAIL` for a model that copies as little as people do.
    """
    threshold = float(np.quantile(held_out, TAIL))
    return {
        "drawings": len(generated),
        "generated": _quantiles(generated),
        "held_out": _quantiles(held_out),
        "threshold": threshold,
        "share_below": mean((generated < threshold).astype(np.float64)),
    }


def _quantiles(values: Float[np.ndarray, " n"]) -> dict[str, float]:
    return {
        f"{at:g}": float(value) for at, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True)
    }
