"""Share code between `guidance.py`, `best_of.py` and `held_back.py`; nothing is measured here.

All take real drawings of a store, have models finish them and a judge name them, and print a table.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sketchgen.completion.completer import Completer
from sketchgen.data.store import Store
from sketchgen.evaluation.recognition import load_judge
from sketchgen.evaluation.statistics import Figure, category_counts
from sketchgen.evaluation.task import Task, make_task


def parser(about: str | None, drawings: int) -> argparse.ArgumentParser:
    """A parser for a store, which of its drawings are taken, and who names them.

    Args:
        about: the benchmark's docstring; its first line is shown.
        drawings: how many are taken unless told otherwise.
    """
    made = argparse.ArgumentParser(description=(about or "").split("\n")[0])
    made.add_argument("store", type=Path)
    made.add_argument("--drawings", type=int, default=drawings)
    made.add_argument("--judge", help="name or folder of the recogniser; the bundled one without")
    made.add_argument("--split", default="valid", choices=("valid", "test"))
    made.add_argument("--seed", type=int, default=0)
    return made


def task_of(options: argparse.Namespace, model: Completer, temperatures: Sequence[float]) -> Task:
    """The drawings that the options name, which `model` is to finish, and their judge."""
    return make_task(
        Store.open(options.store).split(options.split).drawings(),
        category_counts(options.store, model.summary),
        load_judge(options.judge),
        None,
        samples=options.drawings,
        temperatures=temperatures,
        seed=options.seed,
        report=lambda what, done, total: None,
    )


def shown(found: Figure, form: str) -> str:
    """A figure with its standard error, both in the form `form`; nothing where there are no drawings."""
    value, error = found["value"], found["standard_error"]
    return "" if value is None else form.format(value) + ("" if error is None else f" ± {form.format(error)}")
