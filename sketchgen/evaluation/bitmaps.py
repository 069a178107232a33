"""Drawings as small blurred bitmaps, by which similar drawings are found among very many.

Everything works on flat arrays of many drawings, a chunk at a time, in bounded memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from sketchgen.data.drawings import Drawings
from sketchgen.sketch.geometry import BOX
from sketchgen.sketch.sketch import Sketch
from sketchgen.sketch.strokes import flat

SIDE = 28
"""Cells of a bitmap in each direction, as of Quick, Draw!'s own bitmaps."""

SPACING = 3.0
"""Distance of the points by which lines are drawn, px; a cell has 9."""

CHUNK = 1024
"""Drawings that are drawn at a time."""


@dataclass(frozen=True)
class Lines:
    """The lines of n drawings, as flat arrays; see `sketchgen.data.drawings.Drawings`."""

    start: Int[np.ndarray, " m"]
    points: Float[np.ndarray, "p 2"]
    lift: Bool[np.ndarray, " p"]

    def __len__(self) -> int:
        return len(self.start) - 1

    @classmethod
    def of_drawings(cls, drawings: Drawings, shown: Int[np.ndarray, " n"] | None = None) -> Lines:
        """Return those of drawings in the 255 box, or of the first `shown` points of each."""
        if shown is None:
            return cls(drawings.start, drawings.points.astype(np.float64), drawings.lift)
        within = np.arange(len(drawings.points)) - np.repeat(drawings.start[:-1], drawings.lengths)
        kept = within < np.repeat(shown, drawings.lengths)
        lift = drawings.lift | (within == np.repeat(shown, drawings.lengths) - 1)
        start = np.concatenate([[0], np.cumsum(np.minimum(shown, drawings.lengths))])
        return cls(start, drawings.points[kept].astype(np.float64), lift[kept])

    @classmethod
    def of_sketches(cls, sketches: Sequence[Sketch]) -> Lines:
        """Return those of drawings that have at least one stroke each."""
        return cls(*flat(sketches))

    def fitted(self) -> Lines:
        """Return each drawing aligned to 0 and scaled to the 255 box, as in a store; a dot is only moved."""
        if not len(self):
            return self
        low = np.minimum.reduceat(self.points, self.start[:-1])
        side = (np.maximum.reduceat(self.points, self.start[:-1]) - low).max(1)
        scale = np.where(side > 1e-6, BOX / np.maximum(side, 1e-6), 1.0)
        owner = np.repeat(np.arange(len(self)), np.diff(self.start))
        return Lines(self.start, (self.points - low[owner]) * scale[owner, None], self.lift)

    def between(self, first: int, last: int) -> Lines:
        """Return the drawings from `first` to before `last`."""
        low, high = int(self.start[first]), int(self.start[last])
        return Lines(self.start[first : last + 1] - low, self.points[low:high], self.lift[low:high])


def bitmaps(lines: Lines, side: int = SIDE) -> Float[np.ndarray, "n c"]:
    """Return blurred bitmaps of drawings in the 255 box, flat, each of norm 1; what lies outside is left out.

    A cell that a line meets is 1, blurred by [1, 2, 1] / 4 in both directions, twice: about a cell's width.
    """
    found = np.zeros((len(lines), side, side), dtype=np.float32)
    for first in range(0, len(lines), CHUNK):
        owner, points = _ink(lines.between(first, min(first + CHUNK, len(lines))))
        cell = np.floor(points * (side / (BOX + 1.0))).astype(np.int64)
        inside = ((cell >= 0) & (cell < side)).all(1)
        found[first + owner[inside], cell[inside, 1], cell[inside, 0]] = 1.0
    for axis in (1, 2, 1, 2):
        found = _blurred(found, axis)
    flat = found.reshape(len(lines), -1)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)


def _blurred(images: Float[np.ndarray, "n s s"], axis: int) -> Float[np.ndarray, "n s s"]:
    moved = np.moveaxis(images, axis, -1)
    result = moved * 0.5
    result[..., 1:] += 0.25 * moved[..., :-1]
    result[..., :-1] += 0.25 * moved[..., 1:]
    return np.moveaxis(result, -1, axis)


def _ink(lines: Lines) -> tuple[Int[np.ndarray, " k"], Float[np.ndarray, "k 2"]]:
    """Return points along all lines, and the drawing that each belongs to."""
    owner = np.repeat(np.arange(len(lines)), np.diff(lines.start))
    going = np.flatnonzero(~lines.lift[:-1] & (owner[:-1] == owner[1:]))
    along = lines.points[going + 1] - lines.points[going]
    pieces = np.ceil(np.hypot(along[:, 0], along[:, 1]) / SPACING).astype(np.int64)
    which = np.repeat(np.arange(len(going)), pieces)
    number = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    part = (number / np.maximum(pieces, 1)[which])[:, None]
    between = lines.points[going[which]] + part * along[which]
    return np.concatenate([owner, owner[going[which]]]), np.concatenate([lines.points, between])
