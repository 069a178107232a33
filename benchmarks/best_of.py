"""Measure what ranking candidates brings: `python benchmarks/best_of.py STORE [NAME|FOLDER]`.

Of several candidates for each completion the one is kept that `sketchgen complete --best-of N --rank RANK`
keeps. Prints a table in Markdown: how often another judge, who has no part in the choice and reads pictures
instead of strokes, recognises a completed drawing, over all drawings, those of deep categories (300 training
drawings or more) and those of rare ones, by the share of the points that was given; and the same of the
recogniser itself, to show what it makes of its own choice.

    python benchmarks/best_of.py store/ --candidates 1 4 16 --temperature 0.5 --drawings 768
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from sketchgen.completion.completer import Completer, load
from sketchgen.data.store import Store
from sketchgen.evaluation.held_out import SCALES, finish
from sketchgen.evaluation.recognition import Verdict, judged, load_judge
from sketchgen.evaluation.statistics import category_counts, mean
from sketchgen.evaluation.tables import with_error
from sketchgen.evaluation.task import Task, make_task
from sketchgen.ranking.ranker import Candidate, Ranker, load_ranker
from sketchgen.sketch.sketch import Sketch


def chosen(
    task: Task, model: Completer, ranker: Ranker, share: float, options: argparse.Namespace
) -> Iterator:
    """Yield, for each number of candidates, the drawings completed by the best of so many."""
    items = task.items(share, model)
    for count in options.candidates:
        found = finish(model, items, options.scale, options.temperature, count)
        wholes: list[Sketch] = []
        for row, name in zip(found, task.names, strict=True):
            best = ranker.rank([Candidate(each.completion) for each in row], name)[0] if count > 1 else 0
            wholes.append(row[best].whole)
        yield count, wholes


def shares(task: Task, verdict: Verdict) -> list[str]:
    """Return the share recognised over all, deep and rare, in percent."""
    return [with_error(mean(100 * verdict.top1[rows]), 1) for rows in task.groups.values()]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("checkpoint", nargs="?", help="name or folder; the bundled one without")
    parser.add_argument("--drawings", type=int, default=768)
    parser.add_argument("--judge", default="pictures345", help="name or folder of a classifier")
    parser.add_argument("--split", default="valid", choices=("valid", "test"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--candidates", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rank", choices=("reward", "classifier"), default="reward")
    parser.add_argument("--temperature", type=float, default=0.5)
    parser.add_argument("--given", type=float, nargs="+", default=[0.25, 0.5], help="shares of the points")
    parser.add_argument("--scale", choices=SCALES, default=SCALES[0])
    options = parser.parse_args()
    model, ranker = load(options.checkpoint), load_ranker(options.rank)
    recogniser = ranker.recogniser
    assert recogniser is not None
    task = make_task(
        Store.open(options.store).split(options.split).drawings(),
        category_counts(options.store, model.summary),
        load_judge(options.judge),
        None,
        samples=options.drawings,
        temperatures=[options.temperature],
        seed=options.seed,
        report=lambda what, done, total: None,
    )
    sizes = ", ".join(f"{int(rows.sum())} {name}" for name, rows in task.groups.items())
    real = ", ".join(shares(task, task.real()))
    how = f"{options.scale}, ranked by {options.rank}, judge {options.judge}"
    print(f"{Path(model.name).name}, {how}: {sizes}; whole: {real} %\n")
    heads = ["given", "candidates", *(f"{name}, %" for name in task.groups), "by the recogniser, %"]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    for share in options.given:
        for count, wholes in chosen(task, model, ranker, share, options):
            own = shares(task, judged(recogniser, wholes, task.names))[0]
            cells = [f"{share:g}", str(count), *shares(task, task.judged(wholes, "completions")), own]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
