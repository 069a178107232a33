"""Measure what points at the sides of the box cost: `python benchmarks/sides.py STORE [NAME|FOLDER ...]`.

A whole drawing is scaled so that it fills the 255 box, so that some of its points lie exactly at a side. For
each checkpoint, on real drawings: the share of the points that come to a side (the one before was not at it),
what the whole step costs there and elsewhere, and what it costs across that side, by the margin of the
mixture in that direction; nats. A network with components at the sides is asked once more without them, the
weights of the others in proportion: not the same as a network that learned without them.

    python benchmarks/sides.py store/ sketch-rnn345 quickdraw345 --drawings 1000
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sketchgen.data.batching import Batch
from sketchgen.data.store import Drawings, Store
from sketchgen.evaluation.likelihood import score
from sketchgen.models.config import ModelConfig
from sketchgen.models.features import BORDERS
from sketchgen.models.mixture import StepDistribution
from sketchgen.models.numpy_mixture import log_softmax
from sketchgen.models.stroke_model import load_network
from sketchgen.sketch.geometry import CENTRE

COLUMNS = ("model", "points", "come to a side", "the step there", "elsewhere", "across", "without them")


@dataclass
class Sides:
    """Sums over the points of the batches that were watched.

    Attributes:
        config: the network's shape.
        points: those that come to a side, and all others.
        nats: of their steps.
        across: nats across each side that was come to, with all components, and without those at the sides.
    """

    config: ModelConfig
    points: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, dtype=np.int64))
    nats: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    across: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))

    def watch(
        self, rows: NDArray[np.int64], batch: Batch, found: StepDistribution, nats: NDArray[np.float64]
    ) -> None:
        """Add up a batch; see `sketchgen.evaluation.likelihood.Watch`."""
        after = batch.offset.cumsum(1).numpy()
        real = np.arange(after.shape[1]) < batch.length.numpy()[:, None]
        before = np.concatenate([np.zeros_like(after[:, :1]), after[:, :-1]], 1)
        arriving = np.zeros_like(real)
        for axis, sign in BORDERS:
            there, was = (np.abs(at[..., axis] - sign * CENTRE) < 0.01 for at in (after, before))
            new = real & there & ~was
            arriving |= new
            self._across(batch, found, axis, new)
        for kind, chosen in enumerate((arriving, real & ~arriving)):
            self.points[kind] += chosen.sum()
            self.nats[kind] += nats[:, : real.shape[1]][chosen].sum()

    def _across(self, batch: Batch, found: StepDistribution, axis: int, new: NDArray[np.bool_]) -> None:
        """Add what the chosen points cost in the direction of an axis."""
        count = new.shape[1]
        target = batch.target[:, :count, axis].numpy()[new][:, None]
        mean = found.mean[:, :count, :, axis].numpy()[new]
        log_sigma = found.log_sigma[:, :count, :, axis].numpy()[new]
        weight = found.log_weight[:, :count].numpy()[new].astype(np.float64)
        z = (target - mean) * np.exp(-log_sigma)
        density = -0.5 * z**2 - log_sigma - 0.5 * np.log(2 * np.pi)
        self.across[0].extend(-np.logaddexp.reduce(weight + density, 1))
        if self.config.box_components:
            first = self.config.components
            rest = np.delete(np.arange(weight.shape[1]), np.s_[first : first + len(BORDERS)])
            kept = log_softmax(weight[:, rest])
            self.across[1].extend(-np.logaddexp.reduce(kept + density[:, rest], 1))

    def line(self, name: str) -> str:
        """A row of the table."""
        share, cost = self.points[0] / self.points.sum(), self.nats / np.maximum(self.points, 1)
        cells = [name, f"{self.points.sum():,}", f"{100 * share:.1f} %", *(f"{value:.2f}" for value in cost)]
        cells += [shown(values) for values in self.across]
        return f"| {' | '.join(cells)} |"


def shown(values: list[float]) -> str:
    """A mean with its standard error, as if the points were independent."""
    if len(values) < 2:
        return ""
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1) / len(values) ** 0.5:.2f}"


def measured(name: str | None, drawings: Drawings) -> str:
    """The row of a checkpoint."""
    network, _ = load_network(name)
    found = Sides(network.config)
    score(
        network, replace(drawings, category=drawings.known_as(network.config.categories)), watch=found.watch
    )
    return found.line(Path(name).name if name else "bundled")


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("checkpoints", nargs="*", default=[None], help="names or folders")
    parser.add_argument("--drawings", type=int, default=1000)
    parser.add_argument("--split", default="valid", choices=("train", "valid", "test"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    drawings = Store.open(options.store).split(options.split).drawings(options.drawings)
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}", flush=True)
    for name in options.checkpoints:
        print(measured(name, drawings), flush=True)


if __name__ == "__main__":
    main()
