"""Measure what is lost where nobody names the category: `python benchmarks/guessing.py STORE`.

The unfinished drawings that come along, and validation drawings of which a quarter or half of the points or
all but some strokes or lines are given, are completed as on the page (four alternatives at temperature 0.4,
the best of `--best-of` candidates each): with the category told, guessed ("auto") and under none. Prints how
often the first completion and at least one of the four finish the unfinished drawings
(`sketchgen/evaluation/finishing.py`), and how often the picture classifier, which has no say in anything,
recognises the first completion of the validation drawings.

    python benchmarks/guessing.py store/ --every 3 --drawings 40 --best-of 4
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from calibration import cut

import sketchgen
from sketchgen.completion.completer import Completer
from sketchgen.data.store import Store
from sketchgen.evaluation.finishing import measure
from sketchgen.evaluation.recognition import load_judge
from sketchgen.evaluation.unfinished import unfinished
from sketchgen.models.recogniser import load_recogniser
from sketchgen.ranking.ranker import Ranker, load_ranker
from sketchgen.sketch.sketch import Completion, Sketch

COUNT, TEMPERATURE = 4, 0.4
SHARES = {0.25: "first 25 %", 0.5: "first 50 %", None: "held out"}


def named(category: str) -> dict[str, str | None]:
    """What the completer is given as the category: its name, a request to guess, or none."""
    return {"told": category, "auto": "auto", "none": None}


def completed(model: Completer, given: Sketch, category: str | None, best_of: int) -> list[Completion]:
    """Complete a drawing as on the page; whoever drew it has written nothing on it."""
    bare = Sketch(given.strokes, given.page)
    return model.complete(bare, category, COUNT, TEMPERATURE, best_of=best_of)


def shown(values: Sequence[bool]) -> str:
    """A share in percent with its standard error."""
    share = np.array(values, dtype=float)
    return f"{100 * share.mean():.1f} ± {100 * share.std() / np.sqrt(len(share)):.1f}"


def of_unfinished(model: Completer, every: int, best_of: int) -> None:
    """Print how many of the unfinished drawings are finished."""
    items = [item for item in unfinished() if item.category in model.categories][::every]
    print(f"| {len(items)} unfinished drawings | first, % | one of {COUNT}, % |\n|---|---|---|", flush=True)
    for name in named(""):
        found = [completed(model, item.given, named(item.category)[name], best_of) for item in items]
        done = [
            [measure(item, each).finished for each in row] for item, row in zip(items, found, strict=True)
        ]
        print(
            f"| {name} | {shown([row[0] for row in done])} | {shown([any(row) for row in done])} |",
            flush=True,
        )


def of_people(model: Completer, store: Path, count: int, best_of: int) -> None:
    """Print how many completions of validation drawings are recognised."""
    drawings = Store.open(store).split("valid").drawings()
    rows = np.argsort(drawings.key, kind="stable")[:count].tolist()
    judge = load_judge("pictures345")
    print(
        f"\n| {len(rows)} drawings, recognised, % | told | auto | none | whole |\n|---|---|---|---|---|",
        flush=True,
    )
    for share, name in SHARES.items():
        right: list[list[bool]] = []
        for row in rows:
            whole, category = drawings.sketch(row), drawings.categories[int(drawings.category[row])]
            given = cut(whole, share, row)
            if given is None:
                continue
            found = [completed(model, given, each, best_of)[0].whole for each in named(category).values()]
            best = np.asarray(judge.read([*found, whole]).log_prob).argmax(1)
            right.append([judge.categories[int(index)] == category for index in best])
        print(f"| {name} | {' | '.join(shown(column) for column in zip(*right, strict=True))} |", flush=True)


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("checkpoint", nargs="?", help="name or folder; the bundled model without")
    parser.add_argument("--classifier", help="name or folder; the bundled one without")
    parser.add_argument("--every", type=int, default=1, help="take one of so many unfinished drawings")
    parser.add_argument("--drawings", type=int, default=384, help="validation drawings")
    parser.add_argument("--best-of", type=int, default=8)
    options = parser.parse_args()
    ranker = Ranker(load_recogniser(options.classifier), load_ranker().reward_model)
    model = replace(sketchgen.load(options.checkpoint), ranker=ranker)
    of_unfinished(model, options.every, options.best_of)
    of_people(model, options.store, options.drawings, options.best_of)


if __name__ == "__main__":
    main()
