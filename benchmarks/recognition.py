"""Measure a classifier's accuracy and speed: `python benchmarks/recognition.py STORE [NAME|FOLDER]`.

Prints, on the validation split (or `--split test`), the share of drawings whose category is named first
(top-1) and among the first five (top-5): of whole drawings and of their first 75, 50 and 25 % of the points;
of categories with 300 training drawings or more, and of the others; and as a mean over the categories. NAME
may be a picture classifier, such as pictures345, which was trained on whole drawings only.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from sketchgen.data.drawings import Drawings
from sketchgen.data.store import Store
from sketchgen.evaluation.recognition import DEEP, Accuracy, accuracy, load_judge
from sketchgen.models.checkpoint import CLASSIFIER

FRACTIONS = (1.0, 0.75, 0.5, 0.25)


def training_counts(store: Store) -> dict[str, int]:
    """Training drawings of each category."""
    train = store.split("train")
    counts = np.zeros(len(store.categories), dtype=np.int64)
    for block in range(len(train.block_sizes)):
        counts += np.bincount(train.read([block]).category, minlength=len(counts))
    return dict(zip(store.categories, counts.tolist(), strict=True))


def shown(found: Accuracy, deep: np.ndarray) -> str:
    """A row of the table."""
    parts = [f"{found.top(1, chosen):6.1%} / {found.top(5, chosen):6.1%}" for chosen in (None, deep, ~deep)]
    parts.append(f"{found.mean_over_categories(1):6.1%} / {found.mean_over_categories(5):6.1%}")
    return " | ".join(parts)


def margin(found: Accuracy) -> float:
    """Standard error of the top-1 share."""
    share = found.top(1)
    return float(np.sqrt(share * (1.0 - share) / len(found.rank)))


def measured(name: str | None, drawings: Drawings, counts: dict[str, int]) -> None:
    """Print the table, the calibration and the speed."""
    judge = load_judge(name)
    print(f"{name or CLASSIFIER.default}: {len(drawings)} drawings, top-1 / top-5")
    print(f"points | all | {DEEP} training drawings or more | fewer | mean over categories")
    for fraction in FRACTIONS:
        began = time.process_time()
        found = accuracy(judge, drawings, fraction)
        seconds = time.process_time() - began
        deep = found.of_deep(counts)
        print(f"{fraction:6.0%} | {shown(found, deep)}", flush=True)
        if fraction == 1.0:
            about = f"{deep.sum()} of {len(deep)} drawings are of the first kind"
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
