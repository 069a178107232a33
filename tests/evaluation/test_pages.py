"""The bench of beginnings: what its predicates accept and refuse, and what its runner counts."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sketchgen.errors import FormatError, SettingError
from sketchgen.evaluation.pages import Beginning, beginnings, from_unfinished, judge, pages
from sketchgen.evaluation.pages_checks import Drawn, Mark, across, around, join, marks, present, rings, span
from sketchgen.evaluation.pages_faults import crossed, detached, floating, redraws
from sketchgen.evaluation.unfinished import unfinished
from sketchgen.sketch.sketch import Box, Completion, Points, Sketch

HEAD = dict(x=50, y=50, r=40)


def ring(x: float, y: float, r: float, turn: float = 360.0, high: float | None = None) -> Points:
    angle = np.radians(np.linspace(-90, turn - 90, 40))
    return np.column_stack([x + r * np.cos(angle), y + (high or r) * np.sin(angle)])


def line(*points: float) -> Points:
    return np.array(points, dtype=float).reshape(-1, 2)


def drawn(given: list[Points], *added: Points) -> Drawn:
    return Drawn.of(given, added)


FACE = [ring(**HEAD)]
EYES = dict(at=[[36, 40], [64, 40]], size=9)
LEGS = dict(start=[8, 65], end=[92, 65], n=2)
ROOF = dict(start=[20, 46], end=[80, 46], via=[50, 16])
RAYS = dict(centre=[50, 50], r=34, n=5, gap=110)
WALLS = [line(20, 46, 20, 92, 80, 92, 80, 46)]
DISC = [ring(50, 50, 22)]


def rays(count: int, turn: float = math.tau) -> list[Points]:
    ways = [(math.cos(turn * k / count), math.sin(turn * k / count)) for k in range(count)]
    return [line(50 + 26 * x, 50 + 26 * y, 50 + 44 * x, 50 + 44 * y) for x, y in ways]


CASES = {
    "two eyes": (marks, EYES, FACE, [ring(36, 40, 4), ring(63, 42, 5)], True),
    "eyes with pupils": (
        marks,
        EYES,
        FACE,
        [ring(36, 40, 5), ring(36, 40, 1), ring(64, 40, 5), ring(64, 41, 1)],
        True,
    ),
    "dots for eyes": (marks, EYES, FACE, [line(36, 40, 36, 42), line(64, 40, 64, 42)], True),
    "one eye": (marks, EYES, FACE, [ring(36, 40, 4)], False),
    "one eye twice": (marks, EYES, FACE, [ring(36, 40, 4), ring(38, 41, 4)], False),
    "eyes at the chin": (marks, EYES, FACE, [ring(36, 70, 4), ring(64, 70, 4)], False),
    "unlike eyes": (marks, EYES, FACE, [ring(36, 40, 1.5), ring(64, 40, 9)], False),
    "a wheel": (rings, dict(at=[[26, 68]], size=22), WALLS, [ring(28, 70, 10)], True),
    "half a wheel": (rings, dict(at=[[26, 68]], size=22), WALLS, [ring(28, 70, 10, 180)], False),
    "a dash for a wheel": (rings, dict(at=[[26, 68]], size=22), WALLS, [line(20, 68, 36, 69)], False),
    "a stem": (span, dict(box=[49, 6, 52, 26], touch=1), DISC, [line(50, 28, 52, 8)], True),
    "a stem that is a dot": (span, dict(box=[49, 6, 52, 26], touch=1), DISC, [line(50, 26, 50, 23)], False),
    "a stem in the air": (span, dict(box=[49, 0, 52, 18], touch=1), DISC, [line(50, 18, 52, 2)], False),
    "a frame": (
        span,
        dict(box=[22, 34, 78, 64], near=[22, 64, 78, 64]),
        [],
        [line(22, 64, 45, 36, 78, 64)],
        True,
    ),
    "half a frame": (
        span,
        dict(box=[22, 34, 78, 64], near=[22, 64, 78, 64]),
        [],
        [line(22, 64, 45, 36, 60, 64)],
        False,
    ),
    "a roof": (join, ROOF, WALLS, [line(20, 46, 50, 14, 81, 47)], True),
    "a roof of two strokes": (join, ROOF, WALLS, [line(20, 46, 50, 14), line(80, 46, 51, 15)], True),
    "half a roof": (join, ROOF, WALLS, [line(20, 46, 50, 14)], False),
    "a ceiling": (join, ROOF, WALLS, [line(20, 46, 80, 46)], False),
    "a roof in the air": (join, ROOF, WALLS, [line(24, 36, 50, 10, 76, 36)], False),
    "rays": (around, RAYS, DISC, rays(10), True),
    "rays on one side": (around, RAYS, DISC, rays(5, math.pi / 2), False),
    "a ring around": (around, RAYS, DISC, [ring(50, 50, 34)], False),
    "two legs": (across, LEGS, [], [line(16, 38, 16, 90), line(80, 38, 82, 90)], True),
    "one leg": (across, LEGS, [], [line(16, 38, 16, 90)], False),
    "legs side by side": (across, LEGS, [], [line(16, 38, 16, 90), line(22, 38, 22, 90)], False),
    "balls for legs": (across, LEGS, [], [ring(16, 65, 9), ring(80, 65, 9)], False),
    "whiskers on both sides": (
        across,
        dict(start=[18, 58], end=[18, 82], n=2, twin=1),
        FACE,
        [line(x, y, x + 24, y) for x in (6, 70) for y in (62, 72)],
        True,
    ),
    "whiskers on one side": (
        across,
        dict(start=[18, 58], end=[18, 82], n=2, twin=1),
        FACE,
        [line(6, y, 30, y) for y in (62, 72)],
        False,
    ),
}


@pytest.mark.parametrize(("check", "settings", "given", "added", "accepted"), CASES.values(), ids=CASES)
def test_a_predicate(
    check: Callable[..., bool],
    settings: dict[str, object],
    given: list[Points],
    added: list[Points],
    accepted: bool,
) -> None:
    assert check(drawn(given, *added), **settings) is accepted
    assert not check(drawn(given), **settings), "nothing is no part"


def test_a_mark_is_closed_where_ink_runs_all_around() -> None:
    assert Mark.of(ring(50, 50, 8)).closed
    assert Mark.of(ring(50, 50, 8, 330)).closed
    assert not Mark.of(ring(50, 50, 8, 200)).closed
    assert not Mark.of(line(40, 50, 60, 51)).closed
    assert not Mark.of(ring(50, 50, 20, high=4)).closed, "flat"


def test_a_check_of_no_kind_is_refused() -> None:
    with pytest.raises(FormatError, match="no check 'sparkle'"):
        present(drawn(FACE), {"part": "eyes", "kind": "sparkle"})


def test_what_runs_along_a_given_line_or_repeats_a_ring_redraws_it() -> None:
    again = drawn(FACE, ring(51, 50, 40), ring(52, 51, 33), ring(36, 40, 5), line(50, 10, 50, -10))
    assert redraws(again) == [True, True, False, False]
    assert redraws(drawn(WALLS, line(20, 50, 21, 80), line(20, 46, 50, 14, 80, 46))) == [True, False]


def test_a_stroke_outside_that_touches_nothing_is_detached() -> None:
    stray = line(100, 20, 110, 30)
    assert detached(drawn(FACE, ring(36, 40, 4), line(50, 90, 50, 110), stray)) == [False, False, True]
    assert detached(drawn(FACE, stray), [[98, 18, 112, 32]]) == [False], "the design's own part floats there"
    assert floating(FACE, stray)
    assert not floating([], stray)


def test_a_line_through_an_eye_crosses_it() -> None:
    given = [*FACE, ring(36, 40, 4)]
    assert crossed(drawn(given, line(10, 30, 36, 40, 60, 50)), [1])
    assert not crossed(drawn(given, ring(36, 40, 1.5), line(30, 30, 42, 30)), [1]), "a pupil and a brow"


# --- beginnings ---------------------------------------------------------------------------------------------


def beginning(
    *given: Points, name: str = "face: head", guessable: bool = True, small: tuple[int, ...] = ()
) -> Beginning:
    frame = np.array([[2.0, 0.0, 100.0], [0.0, 2.0, 50.0]])
    page = Box(0, 0, 400, 300)
    shown = Sketch.from_strokes([each * 2 + (100, 50) for each in given], page=page)
    must = (({"part": "eyes", "kind": "marks", **EYES},),)
    return Beginning(
        name, "face", guessable, shown, frame, ("head",), small, must, (), ((14, 6, 86, 94),), (), missing=150
    )


def completion(item: Beginning, *added: Points) -> Completion:
    strokes = [each * 2 + (100, 50) for each in added]
    return Completion(item.given, Sketch.from_strokes(strokes, page=item.given.page))


TWO = (ring(36, 40, 5), ring(64, 40, 5))
ITEM = beginning(*FACE)


@pytest.mark.parametrize(
    ("added", "lacks"),
    [
        (TWO, ()),
        ((), ("eyes",)),
        ((ring(50, 70, 10),), ("eyes",)),
        ((*TWO, ring(50, 50, 40)), ("drawn again",)),
        ((*TWO, line(50, 90, 50, 200)), ("beyond", "off the page")),
        ((*TWO, *(line(25, y, 75, y) for y in range(55, 80))), ("too much", "scribbled")),
        ((*TWO, line(97, 20, 97, 90)), ("detached",)),
    ],
    ids=["right", "nothing", "elsewhere", "again", "off", "scribble", "detached"],
)
def test_a_verdict(added: tuple[Points, ...], lacks: tuple[str, ...]) -> None:
    verdict = judge(ITEM, completion(ITEM, *added))
    assert verdict.lacks == lacks
    assert verdict.right == (not lacks)
    assert verdict.strokes == len(added)
    assert verdict.nothing == (not added)


class Stub:
    """Draws the eyes in its second alternative, and remembers what it was asked."""

    categories = ("face",)

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, int, float, int]] = []

    def complete(
        self,
        sketch: Sketch,
        category: str | None,
        count: int,
        temperature: float,
        seed: int,
        *,
        best_of: int,
    ) -> list[Completion]:
        self.asked.append((category, count, temperature, best_of))
        return [completion(ITEM), completion(ITEM, *TWO)]


def test_a_given_part_that_comes_again_is_wrong() -> None:
    eyes = beginning(*FACE)
    again = replace(eyes, must=(), once=eyes.must[0])
    assert judge(again, completion(again, *TWO)).lacks == ("eyes again",)
    assert judge(again, completion(again, line(34, 72, 50, 80, 66, 72))).right


def test_an_item_of_the_older_bench_is_judged_by_its_own_measure() -> None:
    items = unfinished()
    for item in (items[0], items[-1]):
        begun = from_unfinished(item)
        assert begun.given.strokes == item.given.strokes
        assert judge(begun, Completion(item.given, item.missing)).right
        assert "incomplete" in judge(begun, Completion(item.given, Sketch())).lacks
        again = judge(begun, Completion(item.given, item.given))
        assert again.redrawn == len(item.given.strokes)
        assert not again.right


def test_the_runner_counts_first_and_any_and_asks_as_the_page_does() -> None:
    stub, seen = Stub(), []
    items = [ITEM, beginning(*FACE, name="other", guessable=False)]
    found = pages(stub, items, ("told", "open", "auto"), progress=lambda *step: seen.append(step))
    assert stub.asked == [(name, 4, 0.4, 8) for name in ("face", "face", None, "auto")]
    assert found["told"]["beginnings"] == 2
    assert found["open"]["beginnings"] == 1, "nobody could guess the other one"
    assert found["told"]["first"]["mean"] == 0
    assert found["told"]["any"]["mean"] == 1
    assert found["told"]["rates"]["nothing"]["mean"] == 0.5
    assert found["told"]["by_category"]["face"]["beginnings"] == 2
    assert found["told"]["items"][0]["lacks"] == [["eyes"], []]
    assert seen[-1][1:] == (1, 1)
    json.dumps(found)


def test_no_beginnings_are_refused() -> None:
    with pytest.raises(SettingError, match="no beginnings"):
        pages(Stub(), [])


@pytest.mark.parametrize("text", ["{}", "nonsense", '{"name": 1, "given": [], "must": [], "page": [1, 1]}'])
def test_a_line_that_is_no_beginning_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "some.ndjson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=r"some\.ndjson, line 1 is no beginning"):
        beginnings(path)


def test_the_designs_own_parts_are_right_and_nothing_and_the_same_again_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = Path(__file__).resolve().parents[2] / "datasets"
    monkeypatch.syspath_prepend(root)
    monkeypatch.delitem(sys.modules, "make_pages", raising=False)
    import make_pages  # pyright: ignore[reportMissingImports]

    items = {item.name: item for item in beginnings()}
    wrong: list[str] = []
    for design in make_pages.read_designs((root / "pages" / "designs.txt").read_text(encoding="utf-8")):
        # One of each design: all of them take longer than any other test.
        for given, _, _ in design.begun[:1]:
            item = items[f"{design.label}: {given}"]
            hand = make_pages.Person(f"{item.name}/rest")
            begun = make_pages.chosen(given, design.parts)
            rest = [path for part in design.parts if part not in begun for _, path in hand.strokes(part)]
            strokes = [np.array(path) @ item.frame[:, :2].T + item.frame[:, 2] for path in rest]
            if not judge(item, Completion(item.given, Sketch.from_strokes(strokes))).right:
                wrong.append(item.name)
            assert not judge(item, Completion(item.given, Sketch())).right
            assert not judge(item, Completion(item.given, item.given)).right
    assert not wrong
