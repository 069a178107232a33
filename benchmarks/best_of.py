"""Measure what ranking candidates brings: `python benchmarks/best_of.py STORE [NAME|FOLDER]`.

Of several candidates for each completion the one is kept that `sketchgen complete --best-of N --rank RANK`
keeps: by the recogniser, or by the critic and the recogniser. Prints a table in Markdown: how often another
judge, who has no say in the choice and reads pictures instead of strokes, names the category of a finished
drawing rightly, over all drawings, those of deep categories (300 training drawings or more) and those of
rare ones, by the share of the points that was given; and the same of the recogniser itself, to show what it
makes of its own choice. Of the first drawings (`--ways`) ten completions each are chosen, too: how far from
the true rest the nearest one is and how far they are from each other, px of the 255 box.

    python benchmarks/best_of.py store/ --candidates 1 4 16 --temperature 0.5 --drawings 768
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from judging import parser, shown, task_of

from sketchgen.completion.completer import Completer, load
from sketchgen.evaluation.completion_metrics import CANDIDATES, nearness
from sketchgen.evaluation.held_out import SCALES, Finished, HeldOut, Scale, finish
from sketchgen.evaluation.recognition import Verdict, judged
from sketchgen.evaluation.statistics import mean
from sketchgen.evaluation.task import Task
from sketchgen.ranking.ranker import Candidate, Ranker, load_ranker


def chosen(chooser: Ranker, found: Sequence[Finished], category: str, candidates: int) -> list[Finished]:
    """The best of each `candidates` completions of a beginning in a row."""
    if candidates == 1:
        return list(found)
    groups = [found[first : first + candidates] for first in range(0, len(found), candidates)]
    ranked = (chooser.rank([Candidate(each.completion) for each in group], category) for group in groups)
    return [group[rows[0]] for group, rows in zip(groups, ranked, strict=True)]


@dataclass(frozen=True)
class Choice:
    """Who chooses, and of how many.

    Attributes:
        task: the drawings.
        chooser: who chooses.
        candidates: for each completion.
        temperature, scale: of the completions.
        ways: drawings that are finished in ten ways, at most.
    """

    task: Task
    chooser: Ranker
    candidates: int
    temperature: float
    scale: Scale
    ways: int

    def completions(self, model: Completer, begun: Sequence[HeldOut], count: int) -> list[list[Finished]]:
        """`count` completions of each beginning, each the best of its candidates."""
        found = finish(model, begun, self.scale, self.temperature, self.candidates * count)
        names = self.task.names[: len(found)]
        return [
            chosen(self.chooser, each, name, self.candidates) for each, name in zip(found, names, strict=True)
        ]

    def row(self, model: Completer, share: float) -> list[str]:
        """The cells of one row of the table, with a share of the points given."""
        task = self.task
        wholes = [each[0].whole for each in self.completions(model, task.items(share, model), 1)]
        recogniser = self.chooser.recogniser
        assert recogniser is not None
        own = shares(task, judged(recogniser, wholes, task.names))
        cells = [*shares(task, task.judged(wholes, "completions")), own[0]]
        if not self.ways:
            return cells
        few = task.items(share, model, self.ways)
        near = nearness(few, self.completions(model, few, CANDIDATES))
        return cells + [shown(mean(part[part == part]), "{:.1f}") for part in (near.best, near.apart)]


def shares(task: Task, verdict: Verdict) -> list[str]:
    """Cells of the table: the share named right over all, deep and rare."""
    percent = [mean(100 * verdict.top1[rows]) for rows in task.groups.values()]
    return [shown(value, "{:.1f}") for value in percent]


def arguments() -> Namespace:
    """What the command line asks for."""
    asked = parser(__doc__, drawings=768)
    asked.set_defaults(judge="pictures345")
    asked.add_argument("checkpoint", nargs="?", help="name or folder; the bundled one without")
    asked.add_argument("--candidates", type=int, nargs="+", default=[1, 4, 16])
    asked.add_argument("--rank", choices=("reward", "recogniser"), default="reward")
    asked.add_argument("--temperature", type=float, default=0.5)
    asked.add_argument("--given", type=float, nargs="+", default=[0.25, 0.5], help="shares of the points")
    asked.add_argument("--scale", choices=SCALES, default=SCALES[0])
    asked.add_argument("--ways", type=int, default=0, help="drawings that are finished in ten ways")
    return asked.parse_args()


def main() -> None:
    """Measure what the command line names."""
    options = arguments()
    model = load(options.checkpoint)
    chooser = load_ranker(options.rank)
    task = task_of(options, model, [options.temperature])
    sizes = ", ".join(f"{int(rows.sum())} {name}" for name, rows in task.groups.items())
    real = ", ".join(shares(task, task.real()))
    how = f"{options.scale}, chosen by the {options.rank}, judge {options.judge}"
    print(f"{Path(model.name).name}, {how}: {sizes}; whole: {real} %\n")
    heads = ["given", "candidates", *(f"{name}, %" for name in task.groups), "by the recogniser, %"]
    heads += ["best of ten, px", "apart, px"] if options.ways else []
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    for share in options.given:
        for count in options.candidates:
            choice = Choice(task, chooser, count, options.temperature, options.scale, options.ways)
            print(f"| {' | '.join([f'{share:g}', str(count), *choice.row(model, share)])} |", flush=True)


if __name__ == "__main__":
    main()
