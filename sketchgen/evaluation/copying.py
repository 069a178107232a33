"""Whether a model copies: how near its drawings lie to training drawings, against how near real ones do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sketchgen.data.drawings import Drawings
from sketchgen.evaluation.bitmaps import Lines, bitmaps, shortlist
from sketchgen.evaluation.figures import mean
from sketchgen.sketch.distance import chamfer, cloud, quantiles
from sketchgen.sketch.geometry import box_frame, in_frame
from sketchgen.sketch.sketch import Sketch

SHORT = 20
"""Training drawings that are short-listed by their bitmaps for the exact distance."""

TAIL = 0.01
"""The quantile of the real drawings' distances below which a drawing counts as nearer than real ones are."""

Progress = Callable[[int], None]


def neighbours(
    sketches: Sequence[Sketch], training: Drawings, progress: Progress | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distance to (n,) and index of (n,) the nearest training drawing of each drawing.

    Each is aligned and scaled to the 255 box. The 20 training drawings whose blurred 28 x 28 bitmaps are the
    most alike, of any category, are compared by the symmetric Chamfer distance.

    Args:
        sketches: drawings of a stroke or more each.
        training: what is searched.
        progress: called with how many training drawings were looked at since the last call.
    """
    fitted = [in_frame(sketch, box_frame(sketch)) for sketch in sketches]
    near = shortlist(bitmaps(Lines.of_sketches(fitted)), training, SHORT, progress)
    distance = np.zeros(len(fitted))
    index = np.zeros(len(fitted), dtype=np.int64)
    for row, sketch in enumerate(fitted):
        own = cloud(sketch)
        apart = [chamfer(own, cloud(training.sketch(int(other)))) for other in near[row]]
        index[row], distance[row] = near[row][int(np.argmin(apart))], min(apart)
    return distance, index


def copying(generated: NDArray[np.float64], held_out: NDArray[np.float64]) -> dict[str, Any]:
    """Distances to the nearest training drawing of generated and of held-out drawings, compared.

    Returns:
        quantiles of both, px; the held-out ones' 1 % quantile, and the share of generated drawings below it.
    """
    threshold = float(np.quantile(held_out, TAIL))
    return {
        "drawings": len(generated),
        "generated": quantiles(generated),
        "held_out": quantiles(held_out),
        "threshold": threshold,
        "share_below": mean((generated < threshold).astype(np.float64)),
    }
