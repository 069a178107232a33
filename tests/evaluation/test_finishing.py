"""What is missing finishes a drawing, and nothing else that is cheap does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sketchgen.errors import FormatError
from sketchgen.evaluation.finishing import Figures, measure
from sketchgen.evaluation.unfinished import KINDS, Item, unfinished
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch

Adding = Callable[[Item, np.random.Generator], Sequence[Points]]


def box_of(sketch: Sketch) -> Box:
    assert sketch.bounds is not None
    return sketch.bounds


def scribble(box: Box, rng: np.random.Generator, turns: int) -> list[Points]:
    return [rng.uniform((box.x, box.y), (box.x + box.width, box.y + box.height), (turns, 2))]


def another_hand(item: Item, rng: np.random.Generator) -> list[Points]:
    """The missing strokes by somebody else: a few px off, of another size; ends that meet stay."""
    unit, middle = item.frame.scale, np.array(box_of(item.missing).centre)
    shift, size = rng.normal(0, 4, 2) * unit, rng.uniform(0.9, 1.1, 2)
    strokes: list[Points] = []
    for stroke in item.missing.strokes:
        off = (stroke - middle) * (size - 1) + shift + rng.normal(0, 1.5, stroke.shape) * unit
        if item.kind == "close":
            off *= np.sin(np.linspace(0, np.pi, len(stroke)))[:, None]
        strokes.append(stroke + off)
    return strokes


ITEMS = unfinished()
SOME = ITEMS[::4]


def measured(add: Adding, items: Sequence[Item] = SOME, count: int = 1) -> list[Figures]:
    """The figures of completions that add to each drawing what a function says."""
    found = []
    for item in items:
        random = np.random.default_rng(0)
        for _ in range(count):
            added = Sketch.from_strokes(add(item, random), page=item.given.page)
            found.append(measure(item, Completion(item.given, added)))
    return found


def share_finished(add: Adding, items: Sequence[Item] = SOME, count: int = 1) -> float:
    return float(np.mean([each.finished for each in measured(add, items, count)]))


def test_what_is_missing_finishes_every_drawing() -> None:
    for item, figures in zip(ITEMS, measured(lambda item, _: item.missing.strokes, ITEMS), strict=True):
        assert figures == Figures((), 1.0, 1.0, 0.0), item.name


def test_what_comes_later_may_be_drawn_and_need_not() -> None:
    items = [item for item in ITEMS if not item.later.is_empty]
    assert len(items) >= 10
    assert share_finished(lambda item, _: (*item.missing.strokes, *item.later.strokes), items) == 1.0
    assert share_finished(lambda item, _: item.later.strokes, items) == 0.0
    # As much ink somewhere else is neither.
    aside = share_finished(
        lambda item, _: (
            *item.missing.strokes,
            *moved(item.later, 1.0, 2 * box_of(item.whole).width).strokes,
        ),
        items,
    )
    unknown = [replace(item, later=Sketch(())) for item in items]
    later = {item.name: item.later.strokes for item in items}
    before = share_finished(lambda item, _: (*item.missing.strokes, *later[item.name]), unknown)
    assert aside < 0.5
    assert before < 0.5


def test_so_it_does_on_another_day() -> None:
    assert share_finished(another_hand, count=2) > 0.97


def test_nothing_finishes_nothing() -> None:
    found = measured(lambda item, _: ())
    assert not any(each.finished for each in found)


def test_a_scribble_finishes_nothing_and_one_told_the_place_little() -> None:
    assert share_finished(lambda item, rng: scribble(box_of(item.whole), rng, 2)) < 0.05
    assert share_finished(lambda item, rng: scribble(box_of(item.whole), rng, 12)) < 0.05
    assert share_finished(lambda item, rng: scribble(box_of(item.missing), rng, 8)) < 0.25
    assert share_finished(lambda item, rng: scribble(box_of(item.missing), rng, 30)) < 0.02


def test_drawing_the_same_again_or_the_whole_finishes_nothing() -> None:
    assert share_finished(lambda item, _: item.given.strokes) == 0.0
    beside = share_finished(lambda item, _: moved(item.whole, 1.0, 3 * box_of(item.whole).width).strokes)
    assert beside == 0.0
    # Where little was given, drawing that again, too, is still little.
    assert share_finished(lambda item, _: item.whole.strokes) < 0.05


def test_dabs_at_both_ends_close_nothing() -> None:
    items = [item for item in ITEMS if item.kind == "close"]
    dabs = measured(
        lambda item, _: [end[None] for line in item.missing.strokes for end in line[[0, -1]]], items
    )
    assert all(each.lacks[-1:] == ("open",) for each in dabs)


def test_a_line_that_stops_short_is_open() -> None:
    item = next(item for item in ITEMS if item.name == "square without left side")
    (line,) = item.missing.strokes
    for share, finished in ((1.0, True), (0.97, True), (0.9, False)):
        short = line[0] + (line[[0, -1]] - line[0]) * share
        figures = measure(item, Completion(item.given, Sketch.from_strokes([short])))
        assert figures.finished is finished
        assert figures.lacks == (() if finished else ("open",))


def test_size_and_place_on_the_page_do_not_matter() -> None:
    for item in ITEMS[::8]:
        other = Item(
            item.name, item.category, item.kind, moved(item.given, 3, 40), moved(item.missing, 3, 40)
        )
        way = another_hand(item, np.random.default_rng(1))
        one = measure(item, Completion(item.given, Sketch.from_strokes(way)))
        two = measure(other, Completion(other.given, moved(Sketch.from_strokes(way), 3, 40)))
        assert one.finished == two.finished
        assert one.chamfer == pytest.approx(two.chamfer, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "guess"}, "kind is 'guess'"),
        ({"missing": []}, "needs strokes"),
        ({"given": [[[1, 2], [3]]]}, "line 1"),
        ({"page": None}, "line 1"),
        (None, "line 1"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, change: dict[str, Any] | None, message: str) -> None:
    fields: dict[str, Any] = {
        "name": "a",
        "category": "line",
        "kind": KINDS[0],
        "page": [10, 10],
        "given": [[[1, 2], [1, 2]]],
        "missing": [[[2, 3], [2, 3]]],
    }
    path = tmp_path / "drawings.ndjson"
    path.write_text(json.dumps(fields))
    assert unfinished(path)[0].whole.point_count == 4
    path.write_text("[1]" if change is None else json.dumps(fields | change))
    with pytest.raises(FormatError, match=message):
        unfinished(path)
    with pytest.raises(FormatError, match="cannot be read"):
        unfinished(tmp_path / "none.ndjson")
