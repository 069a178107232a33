"""The drawings that are completed, the judge's verdicts on them, and nearness to the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sketchgen.data.drawings import Drawings, from_lists
from sketchgen.data.prepare import read_drawings
from sketchgen.errors import CategoryError, FormatError
from sketchgen.evaluation.completion_metrics import nearness
from sketchgen.evaluation.held_out import held_out
from sketchgen.evaluation.recognition import judged
from sketchgen.evaluation.retrieval import retrieve
from sketchgen.evaluation.task import Task, make_task
from tests.support.judges import NearestMean


@pytest.fixture(scope="module")
def drawings(sample_dir: Path) -> Drawings:
    return read_drawings(sample_dir)[0]


@pytest.fixture(scope="module")
def judge(drawings: Drawings) -> NearestMean:
    return NearestMean(drawings)


def task(drawings: Drawings, judge: Any, **settings: Any) -> Task:
    chosen = {"samples": 20, "temperatures": (0.3,), "seed": 0, "report": lambda *_: None} | settings
    return make_task(drawings, None, judge, None, **chosen)


def test_a_judge_that_knows_some_or_none_of_the_categories(drawings: Drawings, judge: NearestMean) -> None:
    cats = drawings.take(np.flatnonzero(drawings.category == drawings.categories.index("cat")))
    some = NearestMean(replace(cats, category=np.zeros(len(cats), dtype=np.int64), categories=("cat",)))
    assert set(task(drawings, some).names) == {"cat"}
    none = replace(drawings, categories=tuple(f"a {name}" for name in drawings.categories))
    with pytest.raises(CategoryError, match="knows none of the"):
        task(none, judge)
    dots = from_lists([0], [0], [[2]], [np.array([[0, 0], [9, 9]], dtype=np.uint8)], ("cat",))
    with pytest.raises(FormatError, match="3 points"):
        task(dots, judge)


def test_the_judge_is_asked_once_for_what_no_model_changes(drawings: Drawings, judge: NearestMean) -> None:
    given = task(drawings, judge)
    before = judge.asked
    first = given.real()
    assert judge.asked == before + 20
    assert given.real() is first
    assert given.prefix(0.5) is given.prefix(0.5)
    assert judge.asked == before + 40


def test_truth_itself_is_near_and_real_drawings_are_recognised_as_often(
    drawings: Drawings, judge: NearestMean
) -> None:
    some = np.arange(0, len(drawings), 80)
    few = drawings.take(some[drawings.lengths[some] > 4])
    sketches = [few.sketch(index) for index in range(len(few))]
    items = [held_out(sketch, 0.5) for sketch in sketches]
    found = retrieve(few, items, 0.5, "scale known")
    assert nearness(items, found).best == pytest.approx(np.zeros(len(items)), abs=0.05)
    names = [item.given.category or "" for item in items]
    wholes = [row[0].whole for row in found]
    assert np.array_equal(judged(judge, wholes, names).top1, judged(judge, sketches, names).top1)
    # The planted fault: the rests of others.
    wrong = nearness(items, [*found[1:], found[0]])
    assert wrong.best.mean() > 5.0
