"""A judge for tests: it names drawings by the nearest mean bitmap of each category."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sketchgen.data.store import Drawings
from sketchgen.evaluation.bitmaps import Lines, bitmaps
from sketchgen.models.recogniser import Reading
from sketchgen.sketch.sketch import Sketch


class NearestMean:
    """Names by means of bitmaps; its features are coarser bitmaps."""

    name = "nearest mean"

    def __init__(self, drawings: Drawings) -> None:
        images = bitmaps(Lines.of_drawings(drawings))
        self.categories = drawings.categories
        self.means = np.stack(
            [images[drawings.category == index].mean(0) for index in range(len(self.categories))]
        )
        self.asked = 0

    def read(self, sketches: Sequence[Sketch]) -> Reading:
        """Name drawings."""
        self.asked += len(sketches)
        lines = Lines.of_sketches(sketches).fitted()
        images = bitmaps(lines)
        apart = ((images[:, None] - self.means[None]) ** 2).sum(-1)
        log_prob = -apart - np.log(np.exp(-apart).sum(1, keepdims=True))
        return Reading(log_prob.astype(np.float32), bitmaps(lines, 6))
