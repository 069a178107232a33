"""Measure what guidance does to completions: `python benchmarks/guidance.py STORE [NAME|FOLDER]`.

Prints a table in Markdown: for each strength (0 is none) and temperature how often the recogniser names the
category of a finished drawing rightly, by the share of the points that was given, over all drawings, those of
deep categories (300 training drawings or more) and those of rare ones, with standard errors over drawings. Of
the first drawings (`--ways`) ten completions each are made, too: how far from the true rest the nearest one
is and how far they are from each other, px of the 255 box.

    python benchmarks/guidance.py store/ --guidance 0 1 2 4 --temperatures 0.25 0.5 --drawings 768
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from judging import parser, shown, task_of

from sketchgen.completion.completer import Completer, load
from sketchgen.completion.guidance import Guided
from sketchgen.evaluation.completion_metrics import CANDIDATES, nearness
from sketchgen.evaluation.held_out import SCALES, HeldOut, Scale, finish
from sketchgen.evaluation.recognition import Verdict
from sketchgen.evaluation.statistics import Figure, mean
from sketchgen.evaluation.task import Task


def percent(found: Figure) -> str:
    """A share with its standard error; nothing where there are no drawings."""
    value, error = found["value"], found["standard_error"]
    if value is None:
        return ""
    return f"{100 * value:.1f}" + ("" if error is None else f" ± {100 * error:.1f}") + " %"


def named_right(task: Task, verdict: Verdict) -> list[str]:
    """Cells of the table: the share named right over all, deep and rare."""
    return [percent(mean(verdict.top1[rows])) for rows in task.groups.values()]


def in_ten_ways(model: Completer, items: Sequence[HeldOut], scale: Scale, temperature: float) -> list[str]:
    """Cells of the table: the best of ten, and how far apart the ten are."""
    if not items:
        return ["", ""]
    found = nearness(items, finish(model, items, scale, temperature, CANDIDATES))
    return [shown(mean(values[values == values]), "{:.1f}") for values in (found.best, found.apart)]


def header(task: Task, shares: Sequence[float]) -> str:
    """The first two lines of the table."""
    cells = ["guidance", "candidates", "temperature"]
    for share in shares:
        cells += [f"{100 * share:g} % given: {name}" for name in task.groups]
        cells += ["best of ten, px", "apart, px"]
    return f"| {' | '.join(cells)} |\n|{'---|' * len(cells)}"


def rows(
    task: Task, model: Completer, shares: Sequence[float], scale: Scale, ways: int
) -> dict[float, list[str]]:
    """The cells of a model's rows, by temperature."""
    result: dict[float, list[str]] = {value: [] for value in task.temperatures}
    for share in shares:
        items = task.items(share, model)
        for temperature, cells in result.items():
            wholes = [each[0].whole for each in finish(model, items, scale, temperature)]
            cells += named_right(task, task.judged(wholes, "completions"))
            cells += in_ten_ways(model, items[:ways], scale, temperature)
    return result


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    asked = parser(__doc__, drawings=768)
    asked.add_argument("checkpoint", nargs="?", help="name or folder; the bundled one without")
    asked.add_argument("--guidance", type=float, nargs="+", default=[0.0, 1.0, 2.0, 4.0])
    asked.add_argument("--candidates", type=int, nargs="+", default=[Guided.candidates])
    asked.add_argument("--temperatures", type=float, nargs="+", default=[0.25, 0.5])
    asked.add_argument("--given", type=float, nargs="+", default=[0.25, 0.5], help="shares of the points")
    asked.add_argument("--scale", choices=SCALES, default=SCALES[0])
    asked.add_argument("--ways", type=int, default=128, help="drawings that are finished in ten ways")
    return asked.parse_args()


def main() -> None:
    """Measure what the command line names."""
    options = arguments()
    model = load(options.checkpoint)
    task = task_of(options, model, options.temperatures)
    sizes = ", ".join(f"{int(chosen.sum())} {name}" for name, chosen in task.groups.items())
    whole = ", ".join(named_right(task, task.real()))
    print(f"{Path(model.name).name}, {options.scale}: {sizes}; whole real drawings: {whole}\n")
    print(header(task, options.given), flush=True)
    for strength in options.guidance:
        for candidates in options.candidates if strength else [1]:
            Guided.candidates = candidates
            guided = model.guided(strength)
            for temperature, cells in rows(task, guided, options.given, options.scale, options.ways).items():
                start = [f"{strength:g}" if strength else "none", str(candidates), f"{temperature:g}"]
                print(f"| {' | '.join(start + cells)} |", flush=True)


if __name__ == "__main__":
    main()
