"""Calibrate what a classifier believes of partial drawings: `python benchmarks/calibration.py STORE`.

Validation drawings are cut after 10, 25, 50 and 75 % of their points, and as a person leaves them: with
strokes or pieces of lines held out (`sketchgen.data.splitting.random_cut`). Of each kind of cut the table has
how often the likeliest category is right, the mean probability of it, the expected calibration error (Guo et
al. 2017, "On calibration of modern neural networks"; ten bins), and the nats of the true category, before and
after; then comes a reliability table of all.

The network has learned how uneven the training drawings are. `--power` of the number of training drawings of
a category is divided out: 0 is right for drawings that come as the training drawings do, 1 where all
categories come alike. And what people draw of their own accord is neither: a cat comes sooner than a power
outlet. `datasets/often_drawn.json` names the categories that are drawn often and seldom; often is held
`OFTEN` times as likely as the rest, and that as seldom. `--people` weighs the validation drawings so, where
`--balanced` counts every category the same. The temperature that would be best besides is printed. `--write`
puts the logarithms into the checkpoint's configuration, where `Recogniser.belief` finds them.

    python benchmarks/calibration.py store/ run/best --training other-store/ --people --write
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from recognition import training_counts

from sketchgen.data.drawings import Drawings
from sketchgen.data.splitting import cut_after, prefix_length, random_cut
from sketchgen.data.store import Store
from sketchgen.models.checkpoint import CLASSIFIER, CONFIG, find_checkpoint
from sketchgen.models.recogniser import Recogniser, load_recogniser
from sketchgen.resources import bundled
from sketchgen.sketch.files import write_atomic
from sketchgen.sketch.sketch import Sketch

CUTS = (0.1, 0.25, 0.5, 0.75, None)
"""Shares of the points that are given; None for `random_cut`."""

BINS, POWER, OFTEN = 10, 0.5, 3.0


@dataclass(frozen=True)
class Partial:
    """What a classifier says of partial drawings.

    Attributes:
        log_prob: (n, c) nats.
        truth: (n,) their categories.
        cut: (n,) number of the kind of cut.
        weight: (n,) how much each counts.
    """

    log_prob: np.ndarray
    truth: np.ndarray
    cut: np.ndarray
    weight: np.ndarray

    def belief(self, log_prior: np.ndarray, temperature: float = 1.0) -> np.ndarray:
        """Calibrated probabilities, (n, c)."""
        value = self.log_prob / temperature - log_prior
        value = np.exp(value - value.max(1, keepdims=True))
        return value / value.sum(1, keepdims=True)


def cut(sketch: Sketch, share: float | None, number: int) -> Sketch | None:
    """The given part of a drawing; None where it cannot be cut so."""
    if share is not None:
        return cut_after(sketch, prefix_length(sketch.point_count, share)).given
    found = random_cut(sketch, np.random.default_rng([7, number]))
    return None if found is None else found.given


def popularity(categories: Sequence[str]) -> np.ndarray:
    """How much more often than others people draw each category of their own accord, (c,)."""
    names = json.loads(bundled("datasets", "often_drawn.json").read_text(encoding="utf-8"))
    often, seldom = set(names["often"]), set(names["seldom"])
    return np.array([OFTEN ** ((name in often) - (name in seldom)) for name in categories])


def read(recogniser: Recogniser, drawings: Drawings, share: np.ndarray | None) -> Partial:
    """Have the classifier read all cuts of all drawings that it knows; `share` weighs the categories."""
    known = np.flatnonzero(drawings.known_as(recogniser.categories) < len(recogniser.categories))
    column = drawings.known_as(recogniser.categories)
    count = np.bincount(column[known], minlength=len(recogniser.categories))
    log_prob, truth, kind = [], [], []
    for which, share in enumerate(CUTS):
        found = [(row, cut(drawings.sketch(row), share, row)) for row in known.tolist()]
        rows = [row for row, part in found if part is not None]
        log_prob.append(recogniser.read([part for _, part in found if part is not None]).log_prob)
        truth.append(column[rows])
        kind.append(np.full(len(rows), which))
    true = np.concatenate(truth)
    weight = np.ones(len(true)) if share is None else share[true] / count[true]
    return Partial(np.concatenate(log_prob), true, np.concatenate(kind), weight / weight.mean())


def figures(partial: Partial, belief: np.ndarray, rows: np.ndarray) -> tuple[float, float, float, float]:
    """Share right, mean probability, calibration error and nats of some rows."""
    belief, truth, weight = belief[rows], partial.truth[rows], partial.weight[rows]
    sure, right = belief.max(1), belief.argmax(1) == truth
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gap = np.bincount(bins, weight * (sure - right), BINS)
    nats = -np.log(belief[np.arange(len(truth)), truth] + 1e-12)
    share, mean, nats = (float(np.average(each, weights=weight)) for each in (right, sure, nats))
    return share, mean, float(np.abs(gap).sum() / weight.sum()), nats


def table(partial: Partial, log_prior: np.ndarray) -> str:
    """The figures by kind of cut before and after, and the reliability of all."""
    before, after = partial.belief(np.zeros_like(log_prior)), partial.belief(log_prior)
    lines = [
        "| given | right | probability | ECE | nats | right, after | probability | ECE | nats |",
        "|---" * 9 + "|",
    ]
    for which, share in [*enumerate(CUTS), (-1, 0.0)]:
        rows = np.flatnonzero((partial.cut == which) | (which < 0))
        cells = []
        for belief in (before, after):
            right, sure, error, nats = figures(partial, belief, rows)
            cells += [f"{right:.1%}", f"{sure:.1%}", f"{error:.3f}", f"{nats:.3f}"]
        name = "all" if which < 0 else "held out" if share is None else f"{share:.0%}"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "| probability of the likeliest, after | drawings | mean | right |", "|---|---|---|---|"]
    sure, right = after.max(1), after.argmax(1) == partial.truth
    for low in np.arange(BINS) / BINS:
        rows = (sure >= low) & (sure < low + 1.0 / BINS + (low > 0.85))
        if rows.any():
            mean, share = (np.average(each[rows], weights=partial.weight[rows]) for each in (sure, right))
            lines.append(f"| {low:.1f} to {low + 1 / BINS:.1f} | {rows.sum()} | {mean:.1%} | {share:.1%} |")
    return "\n".join(lines)


def best_temperature(partial: Partial, log_prior: np.ndarray) -> float:
    """The temperature of the fewest nats."""
    rows = np.arange(len(partial.truth))
    tried = np.exp(np.linspace(-0.5, 0.7, 13))
    nats = [figures(partial, partial.belief(log_prior, float(each)), rows)[3] for each in tried]
    return float(tried[int(np.argmin(nats))])


def main() -> None:
    """Calibrate what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", type=Path, help="its validation split is read")
    parser.add_argument("checkpoint", nargs="?", help="name or folder of a classifier")
    parser.add_argument(
        "--training", type=Path, help="the store that the classifier was trained on; STORE without"
    )
    parser.add_argument("--power", type=float, default=POWER)
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--balanced", action="store_true", help="every category counts the same")
    weights.add_argument("--people", action="store_true", help="categories count as people draw them")
    parser.add_argument("--most", type=int, help="at most so many drawings")
    parser.add_argument("--write", action="store_true", help="into the checkpoint's configuration")
    options = parser.parse_args()
    recogniser = load_recogniser(options.checkpoint)
    counts = training_counts(Store.open(options.training or options.store))
    log_count = np.log([max(1, counts.get(name, 0)) for name in recogniser.categories])
    often = popularity(recogniser.categories)
    log_prior = options.power * (log_count - log_count.mean()) - np.log(often)
    share = np.ones(len(often)) if options.balanced else often if options.people else None
    drawings = Store.open(options.store).split("valid").drawings(options.most)
    partial = read(recogniser, drawings, share)
    print(f"{recogniser.name}: {len(partial.truth)} partial drawings, power {options.power:g}\n")
    print(table(partial, log_prior))
    print(f"\nbest temperature: {best_temperature(partial, log_prior):.2f}")
    if options.write:
        file = find_checkpoint(options.checkpoint, CLASSIFIER).path / CONFIG
        about = json.loads(file.read_text(encoding="utf-8"))
        prior = dict(zip(recogniser.categories, log_prior.round(3).tolist(), strict=True))
        about["training"]["calibration"] = {"power": options.power, "log_prior": prior}
        write_atomic(file, (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode(), force=True)
        print(f"written into {file}")


if __name__ == "__main__":
    main()
