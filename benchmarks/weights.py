"""Measure how much a term of the ranker's score should weigh, on the benches of beginnings.

    python benchmarks/weights.py --term RECOGNISER 3 5 8 12
    python benchmarks/weights.py --term CONSENSUS 0 3 6 9 --telling auto

The candidates of each beginning are drawn once, as for the page, and ranked again with each weight. Printed
is the share of the beginnings whose first candidate is right: those of datasets/pages, and the unfinished
drawings.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from unittest.mock import patch

import numpy as np

import sketchgen
from sketchgen.evaluation.pages import Beginning, beginnings, completed, from_unfinished, judge
from sketchgen.evaluation.unfinished import unfinished
from sketchgen.ranking import ranker
from sketchgen.ranking.ranker import Candidate, Ranker

TERMS = ("RECOGNISER", "CONSENSUS", "SYMMETRY")


def first_right(
    items: Sequence[Beginning], telling: str, term: str, weights: Sequence[float], model: str | None
) -> np.ndarray:
    """Return whether the first candidate is right, (beginnings, weights)."""
    drawer = sketchgen.load(model)
    select, rows = Ranker.select, []

    def recorded(self: Ranker, some: Sequence[Candidate], category: str | None, count: int) -> list[int]:
        seen[:] = [(self, list(some), category)]
        return select(self, some, category, count)

    for item in items:
        seen: list[tuple[Ranker, list[Candidate], str | None]] = []
        with patch.object(Ranker, "select", recorded):
            completed(drawer, item, telling)  # pyright: ignore[reportArgumentType]
        ((chooser, candidates, category),) = seen
        row = []
        for weight in weights:
            with patch.object(ranker, term, weight):
                row.append(judge(item, candidates[chooser.rank(candidates, category)[0]].completion).right)
        rows.append(row)
    return np.array(rows, dtype=float)


def main() -> None:
    """Print a row a bench."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("weights", type=float, nargs="+")
    parser.add_argument("--term", choices=TERMS, default="RECOGNISER")
    parser.add_argument("--telling", choices=("told", "auto"), default="told")
    parser.add_argument("--checkpoint", help="name or folder; the default without")
    options = parser.parse_args()
    own = [item for item in beginnings() if item.guessable or options.telling == "told"]
    print(f"first right, %; {options.term}:", *options.weights)
    for name, items in (("pages", own), ("unfinished", [from_unfinished(each) for each in unfinished()])):
        found = first_right(items, options.telling, options.term, options.weights, options.checkpoint)
        print(name, len(items), *(f"{each:.1f}" for each in 100 * found.mean(0)), flush=True)


if __name__ == "__main__":
    main()
