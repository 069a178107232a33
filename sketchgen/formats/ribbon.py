"""The outline of a line whose width changes, as closed shapes that all turn the same way."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sketchgen.formats.curves import Traced
from sketchgen.sketch.sketch import Points

_SHARP = math.radians(30)
"""Where a line turns by more than this, its outline is cut, and a disc laid over the cut."""


def ribbon(traced: Traced, width: float) -> tuple[list[Points], Traced]:
    """What a pen of that width leaves: polygons along the line, and discs at its ends and sharp turns.

    Filled together by the rule `nonzero` they have no holes, for all polygons (and discs drawn against the
    clock, y down) turn the same way; laid over each other they only add up.

    Args:
        traced: (n, 3) the line; widths are multiples of the pen's.
        width: of the pen, in the drawing's own units.

    Returns:
        The polygons, each (m, 2), and the discs, (k, 3) x, y, radius.
    """
    points = traced[np.append(True, (np.diff(traced[:, :2], axis=0) != 0).any(axis=1))]
    radii = points[:, 2] * (width / 2)
    if len(points) == 1:
        return [], np.column_stack([points[:, :2], radii])
    chords = np.diff(points[:, :2], axis=0)
    lengths = np.hypot(chords[:, 0], chords[:, 1])
    normals = np.column_stack([-chords[:, 1], chords[:, 0]]) / lengths[:, None]
    cuts = _cuts(normals, lengths, radii)
    spans = itertools.pairwise(cuts.tolist())
    polygons = [_polygon(points[a : b + 1, :2], normals[a:b], radii[a : b + 1]) for a, b in spans]
    return polygons, np.column_stack([points[cuts, :2], radii[cuts]])


def _cuts(normals: Points, lengths: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of the points at which the outline is cut, both ends among them."""
    cosine = np.clip((normals[:-1] * normals[1:]).sum(axis=1), -1.0, 1.0)
    half = np.arccos(cosine) / 2
    # On the inner side of a bend the outline must not run back behind the point before.
    tight = radii[1:-1] * np.tan(np.minimum(half, 1.5)) > np.minimum(lengths[:-1], lengths[1:])
    inner = np.flatnonzero((half > _SHARP / 2) | tight) + 1
    return np.concatenate([[0], inner, [len(radii) - 1]])


def _polygon(points: Points, normals: Points, radii: NDArray[np.float64]) -> Points:
    """One side of a piece and back along the other."""
    joined = np.concatenate([normals[:1], normals[:-1] + normals[1:], normals[-1:]])
    joined /= np.hypot(joined[:, 0], joined[:, 1])[:, None]
    side = joined * radii[:, None]
    return np.concatenate([points + side, (points - side)[::-1]])


def outline_path(traced: Traced, width: float) -> str:
    """The outline as the `d` of an SVG path, to about a two-hundredth of the pen's width."""
    digits = min(max(math.ceil(2.3 - math.log10(width)), 0), 15)
    return "".join(_pieces(*ribbon(traced, width), digits))


def _pieces(polygons: list[Points], discs: Traced, digits: int) -> Iterator[str]:
    def short(value: float) -> str:
        text = f"{value:.{digits}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"

    for polygon in polygons:
        yield "M" + " ".join(f"{short(x)},{short(y)}" for x, y in polygon.tolist()) + "z"
    for x, y, radius in discs.tolist():
        r, across = short(radius), short(2 * radius)
        yield f"M{short(x - radius)},{short(y)}a{r},{r} 0 1 0 {across},0a{r},{r} 0 1 0 -{across},0z"
