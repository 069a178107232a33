"""Sketch-RNN's reconstruction loss L_R as Magenta's program computes it, for comparison with the paper.

Formulas: Ha and Eck 2017, equation 9, and `get_lossfunc` in Magenta's `sketch_rnn/model.py`. A step's loss is
-log(sum_k w_k N(offset; k) + 1e-6) for the offset plus the cross-entropy of the pen's three states; the sum
over the steps is divided by Nmax, the points of the longest drawing of the set. While it trains, Magenta
counts the pen in the padding up to Nmax too; when it evaluates, neither that nor the step that ends the
drawing.

Our distribution gives offset and pen jointly, so that both are taken from its margins: the offset's density
is that of the mixture given that the drawing goes on, and the pen has P(end), P(lift) = P(goes on) sum_k w_k
lift_k and P(draw). A drawing that has ended stays so with probability 1: padding adds nothing but its first
step, the end. As in Magenta's files the first point is left out, which is no offset there; offsets are whole
px, without noise, in units of the standard deviation of all offsets of the set that is scored.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from sketchgen.data.batching import Batch
from sketchgen.data.drawings import Drawings
from sketchgen.evaluation.statistics import mean
from sketchgen.models.mixture import StepDistribution
from sketchgen.sketch.strokes import Pen

EPSILON = 1e-6
"""Added to a density before the log, as by Magenta; densities are in units of the deviation."""


def offset_deviation(drawings: Drawings) -> float:
    """Return the standard deviation of all offsets within drawings, dx and dy together, px."""
    offsets = np.diff(drawings.points.astype(np.float64), axis=0)
    within = np.ones(len(offsets), dtype=bool)
    within[drawings.start[1:-1] - 1] = False
    values = offsets[within]
    return float(values.std()) if values.size and values.std() > 0 else 1.0


class SketchRNNLoss:
    """Sums of L_R over batches of whole drawings.

    Attributes:
        scale: standard deviation of all offsets, px.
        longest: Nmax.
        points, end: (n,) loss of each drawing's points but the first, and of its end.
    """

    def __init__(self, drawings: Drawings) -> None:
        self.scale = offset_deviation(drawings)
        self.longest = max(1, int(drawings.lengths.max()) - 1)
        self.points, self.end = np.zeros(len(drawings)), np.zeros(len(drawings))

    def add(self, rows: Int[np.ndarray, " b"], batch: Batch, found: StepDistribution) -> None:
        """Add a batch of whole drawings, whose indices are `rows`."""
        pen = batch.pen
        offset = functional.pad(batch.offset, (0, 0, 0, 1))
        index = torch.arange(pen.shape[1], device=pen.device)
        length = batch.length[:, None]
        each = _offset_loss(found, offset, self.scale) + _pen_loss(found, pen)
        points = torch.where((index > 0) & (index < length), each, 0.0).double().sum(1)
        end = torch.where(index == length, _pen_loss(found, pen), 0.0).double().sum(1)
        self.points[rows], self.end[rows] = points.cpu().numpy(), end.cpu().numpy()

    def table(self) -> dict[str, Any]:
        """Return L_R in both conventions, with what it was divided by."""
        return {
            "training": mean((self.points + self.end) / self.longest),
            "evaluation": mean(self.points / self.longest),
            "n_max": self.longest,
            "offset_deviation": self.scale,
            "epsilon": EPSILON,
        }


def _offset_loss(
    found: StepDistribution, offset: Float[Tensor, "b m 2"], scale: float
) -> Float[Tensor, "b m"]:
    """Return -log(density + EPSILON) of each offset, the density being in units of `scale` px."""
    log_density = torch.logsumexp(found.log_weight + found.component_log_density(offset), -1)
    return -torch.log(torch.exp((log_density + 2.0 * math.log(scale)).clamp(max=80.0)) + EPSILON)


def _pen_loss(found: StepDistribution, pen: Int[Tensor, "b m"]) -> Float[Tensor, "b m"]:
    """Return the cross-entropy of the pen state after each point."""
    end, go_on = found.log_end()
    lifted = (pen == Pen.LIFT).unsqueeze(-1)
    odds = functional.logsigmoid(torch.where(lifted, found.lift, -found.lift))
    return -torch.where(pen == Pen.END, end, go_on + torch.logsumexp(found.log_weight + odds, -1))
