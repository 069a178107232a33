"""Measure a classifier's accuracy and speed: `python benchmarks/recognition.py STORE [NAME|FOLDER]`.

Prints, on the validation split (or `--split test`), the share of drawings whose category is named first
(top-1) and among the first five (top-5): of whole drawings and of their first 75, 50 and 25 % of the points;
of categories with 300 training drawings or more, and of the others; and as a mean over the categories. NAME
may be a picture classifier, such as pictures345, which was trained on whole drawings only.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sketchgen.data.drawings import Drawings
from sketchgen.data.store import Store
from sketchgen.evaluation.recognition import Verdict, accuracy, load_judge
from sketchgen.evaluation.statistics import DEEP, depth_groups
from sketchgen.models.checkpoint import CLASSIFIER

FRACTIONS = (1.0, 0.75, 0.5, 0.25)


def training_counts(store: Store) -> dict[str, int]:
    """Training drawings of each category."""
    train = store.split("train")
    counts = np.zeros(len(store.categories), dtype=np.int64)
    for block in range(len(train.block_sizes)):
        counts += np.bincount(train.read([block]).category, minlength=len(counts))
    return dict(zip(store.categories, counts.tolist(), strict=True))


def shown(found: Verdict, groups: Iterable[np.ndarray], category: np.ndarray) -> str:
    """A row of the table."""
    both = np.stack([found.top1, found.top5], 1)
    several = [np.stack([both[category == index].mean(0) for index in np.unique(category)])]
    rows = [*(both[chosen] for chosen in groups), *several]
    return " | ".join(f"{one:6.1%} / {five:6.1%}" for one, five in (row.mean(0) for row in rows))


def margin(found: Verdict) -> float:
    """Standard error of the top-1 share."""
    share = found.top1.mean()
    return float(np.sqrt(share * (1.0 - share) / len(found.rank)))


def measured(name: str | None, drawings: Drawings, counts: dict[str, int]) -> None:
    """Print the table, the calibration and the speed."""
    judge = load_judge(name)
    groups = depth_groups([drawings.categories[index] for index in drawings.category], counts)
    print(f"{name or CLASSIFIER.default}: {len(drawings)} drawings, top-1 / top-5")
    print(f"points | all | {DEEP} training drawings or more | fewer | mean over categories")
    for fraction in FRACTIONS:
        began = time.process_time()
        found = accuracy(judge, drawings, fraction)
        seconds = time.process_time() - began
        print(f"{fraction:6.0%} | {shown(found, groups.values(), drawings.category)}", flush=True)
        if fraction == 1.0:
            about = f"{groups['deep'].sum()} of {len(drawings)} drawings are of the first kind"
            speed = f"{seconds / len(drawings) * 1e4:.0f} s of one core for 10,000 drawings"
            nats = f"{-found.log_prob.mean():.3f} nats a drawing"
            print(f"       | {about}; standard error of top-1 {margin(found):.1%}; {nats}; {speed}")


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("recogniser", nargs="?")
    parser.add_argument("--split", default="valid", choices=("valid", "test"))
    parser.add_argument("--most", type=int, help="at most so many drawings")
    options = parser.parse_args()
    store = Store.open(options.store)
    measured(options.recogniser, store.split(options.split).drawings(options.most), training_counts(store))


if __name__ == "__main__":
    main()
