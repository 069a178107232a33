"""Where in a drawing the nats fall: by tenth of the points, and by what a step is."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from sketchgen.data.batching import Batch
from sketchgen.evaluation.figures import ratio
from sketchgen.sketch.strokes import Pen

TENTHS = 10
KINDS = ("first point of a stroke", "other points", "end")


class Positions:
    """Sums nats by position while drawings are scored whole.

    Point i of n is in tenth floor(10 i / n), counted from 0. A stroke's first point is the drawing's first or
    one after a lift; the end is the decision behind the last point, which belongs to no tenth. So the tenths
    and the end, or the three kinds, add up to all nats.
    """

    def __init__(self, drawings: int) -> None:
        self.tenth_nats, self.tenth_count = np.zeros((drawings, TENTHS)), np.zeros((drawings, TENTHS))
        self.kind_nats, self.kind_count = np.zeros((drawings, len(KINDS))), np.zeros((drawings, len(KINDS)))

    def add(self, rows: np.ndarray, batch: Batch, nats: Float[np.ndarray, "b m"]) -> None:
        """Add the steps of a batch; `rows` are its drawings, `nats` 0 where a step does not count."""
        pen, length = batch.pen.cpu().numpy(), batch.length.cpu().numpy()[:, None]
        scored = batch.scored.cpu().numpy()
        index = np.arange(pen.shape[1])
        point, end = scored & (index < length), scored & (index == length)
        tenth = TENTHS * index // np.maximum(length, 1)
        for number in range(TENTHS):
            here = point & (tenth == number)
            self.tenth_nats[rows, number] += (nats * here).sum(1)
            self.tenth_count[rows, number] += here.sum(1)
        after_lift = np.concatenate([np.ones((len(pen), 1), dtype=bool), pen[:, :-1] == Pen.LIFT], 1)
        for number, here in enumerate((point & after_lift, point & ~after_lift, end)):
            self.kind_nats[rows, number] += (nats * here).sum(1)
            self.kind_count[rows, number] += here.sum(1)

    def table(self) -> dict[str, Any]:
        """Nats per point by tenth and nats per step by kind, each with standard error and how many."""

        def figures(nats: np.ndarray, count: np.ndarray) -> dict[str, Any]:
            found = ratio(nats, count)
            return {
                "nats": found["value"],
                "standard_error": found["standard_error"],
                "steps": int(count.sum()),
            }

        tenths = {
            f"{number / TENTHS:g}": figures(self.tenth_nats[:, number], self.tenth_count[:, number])
            for number in range(TENTHS)
        }
        kinds = {
            name: figures(self.kind_nats[:, number], self.kind_count[:, number])
            for number, name in enumerate(KINDS)
        }
        return {"tenth": tenths, "kind": kinds}
