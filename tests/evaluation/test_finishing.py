"""`finishing`: what is missing finishes a drawing, and nothing else that is cheap does."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sketchgen.errors import FormatError, SettingError
from sketchgen.evaluation.finishing import MEET, finishing, measure
from sketchgen.evaluation.unfinished import KINDS, Item, unfinished
from sketchgen.models.config import ModelConfig
from sketchgen.sketch.distance import FAR
from sketchgen.sketch.geometry import moved
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch
from tests.support import untrained

Adding = Callable[[Item, np.random.Generator], Sequence[Points]]


class Stub:
    """Adds to every drawing what a function says."""

    def __init__(self, items: Sequence[Item], add: Adding) -> None:
        self.categories = ("circle",)
        self._items = {item.given: item for item in items}
        self._add = add
        self.asked: list[str | None] = []

    def complete(
        self, sketch: Sketch, category: str | None, count: int, temperature: float, seed: int
    ) -> list[Completion]:
        self.asked.append(category)
        rng = np.random.default_rng(seed)
        ways = [self._add(self._items[sketch], rng) for _ in range(count)]
        return [Completion(sketch, Sketch.from_strokes(way, page=sketch.page)) for way in ways]


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


def share_finished(add: Adding, items: Sequence[Item] = SOME, count: int = 1) -> float:
    return finishing(Stub(items, add), items, count=count)["overall"]["finished"]["mean"]


def test_what_is_missing_finishes_every_drawing() -> None:
    result = finishing(Stub(ITEMS, lambda item, _: item.missing.strokes), ITEMS, count=1)
    lacking = {name: entry["completions"][0]["lacks"] for name, entry in result["items"].items()}
    assert {name: lacks for name, lacks in lacking.items() if lacks} == {}
    assert result["overall"]["finished"] == {"mean": 1.0, "standard_error": 0.0}
    assert result["overall"]["covered"]["mean"] == result["overall"]["in_region"]["mean"] == 1.0
    assert result["overall"]["chamfer"]["mean"] == 0.0
    assert result["by_kind"]["close"]["met"]["mean"] == 1.0
    assert result["overall"]["retraced"]["mean"] < 0.03


def test_what_comes_later_may_be_drawn_and_need_not() -> None:
    items = [item for item in ITEMS if not item.later.is_empty]
    assert len(items) >= 10
    both = finishing(
        Stub(items, lambda item, _: (*item.missing.strokes, *item.later.strokes)), items, count=1
    )
    lacking = {name: entry["completions"][0]["lacks"] for name, entry in both["items"].items()}
    assert {name: lacks for name, lacks in lacking.items() if lacks} == {}
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
    result = finishing(Stub(SOME, lambda item, _: ()), SOME, count=1)
    assert result["overall"]["finished"]["mean"] == 0.0
    assert result["by_kind"]["close"]["start_gap"]["mean"] == FAR
    assert json.loads(json.dumps(result, allow_nan=False)) == result


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
    dabs = finishing(
        Stub(items, lambda item, _: [end[None] for line in item.missing.strokes for end in line[[0, -1]]]),
        items,
        count=1,
    )
    assert dabs["overall"]["met"]["mean"] == 1.0
    assert dabs["overall"]["finished"]["mean"] == 0.0


def test_a_line_that_stops_short_is_open() -> None:
    item = next(item for item in ITEMS if item.name == "square without left side")
    (line,) = item.missing.strokes
    for share, finished in ((1.0, True), (0.97, True), (0.9, False)):
        short = line[0] + (line[[0, -1]] - line[0]) * share
        figures = measure(item, Completion(item.given, Sketch.from_strokes([short])))
        assert figures.finished is finished
        assert figures.lacks == (() if finished else ("open",))
        assert figures.start_gap == 0.0
        assert figures.end_gap == pytest.approx((1 - share) * 255, rel=0.15, abs=1e-6)
        assert figures.end_gap is not None
        assert figures.met is (figures.end_gap < MEET)


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


def test_a_real_completer_is_asked_as_a_person_would_and_repeats_itself() -> None:
    config = ModelConfig(("cat", "star"), layers=1, width=16, components=3, encoder_width=8)
    scribbler, items = untrained.completer(config), ITEMS[::20]
    seen: list[tuple[int, int]] = []
    one, two = (
        finishing(scribbler, items, count=2, seed=3, progress=lambda *step: seen.append(step)) for _ in "ab"
    )
    assert json.loads(json.dumps(one, allow_nan=False)) == one == two
    assert one["overall"]["items"] == len(items)
    assert seen[: len(items)] == [(k + 1, len(items)) for k in range(len(items))]
    stub = Stub(items, lambda item, _: item.missing.strokes)
    finishing(stub, items, count=1)
    assert set(stub.asked) == {"circle", None}, "a category that it does not know is any"


def test_a_judge_says_how_probable_the_category_is_before_and_after() -> None:
    class Counting:
        """Holds the more for a circle the more strokes there are."""

        categories = ("circle", "house")

        def read(self, sketches: Sequence[Sketch]) -> Any:
            chance = np.array([len(sketch.strokes) / 10 for sketch in sketches])
            return SimpleNamespace(log_prob=np.log(np.stack([chance, 1 - chance], axis=1)))

    items = [item for item in ITEMS if item.category in ("circle", "cat")]
    result = finishing(Stub(items, lambda item, _: item.missing.strokes), items, count=3, judge=Counting())
    for entry in result["items"].values():
        if entry["category"] == "circle":
            assert entry["mean"]["before"] == pytest.approx(0.1)
            assert entry["mean"]["after"] == pytest.approx(0.2)
        else:
            assert "before" not in entry["mean"], "a category that the judge does not know"
    assert result["by_kind"]["close"]["after"]["mean"] == pytest.approx(0.2)


def test_standard_errors_are_over_items() -> None:
    items = [item for item in ITEMS if item.category == "circle"]
    first = items[0]
    stub = Stub(items, lambda item, _: item.missing.strokes if item is first else ())
    figure = finishing(stub, items, count=5)["overall"]["finished"]
    values = np.array([1.0] + [0.0] * (len(items) - 1))
    assert figure["mean"] == pytest.approx(values.mean())
    assert figure["standard_error"] == pytest.approx(values.std(ddof=1) / np.sqrt(len(values)))


def test_items_must_be_there_and_have_names_of_their_own() -> None:
    for items in ([], [ITEMS[0], ITEMS[0]]):
        with pytest.raises(SettingError, match="name of its own"):
            finishing(Stub(ITEMS, lambda item, _: ()), items)


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
