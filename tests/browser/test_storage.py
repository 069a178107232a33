"""Drawings that the browser keeps: reload, two tabs, recent ones, a full or forbidden store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

SAVED = "Object.keys(localStorage).filter(key => key.startsWith('sketchgen.drawing.')).length"

SAVE = "window.dispatchEvent(new Event('pagehide'))"
"""At once, as a page does that goes."""


def stroke(*points: Sequence[float]) -> str:
    return f"{{points: {list(points)}, added: false}}"


def add(canvas: Any, *points: Sequence[float]) -> None:
    canvas.tell(f"Sketchgen.sketch.change([...Sketchgen.sketch.strokes, {stroke(*points)}])")


def another(canvas: Any) -> Any:
    """Another tab of the same browser."""
    return type(canvas)(canvas.page.context.new_page(), canvas.url)


def recent(canvas: Any) -> Any:
    canvas.page.locator("[data-menu=sg-menu-open]").click()
    return canvas.page.locator("#sg-menu-open .recent button")


A, B, C = [[10, 10], [90, 40]], [[200, 300], [210, 310]], [[400, 100], [420, 90], [450, 95]]


def test_a_reload_brings_back_drawing_category_and_history(visit: Callable[..., Any]) -> None:
    page = visit()
    add(page, *A)
    add(page, *B)
    page.tell("Sketchgen.sketch.change(Sketchgen.sketch.strokes, {category: 'cat'})")
    add(page, *C)
    page.tell("Sketchgen.sketch.undo()")
    page.open()
    assert page.strokes == [A, B]
    assert page.tell("Sketchgen.sketch.category") == "cat"
    page.tell("Sketchgen.sketch.redo()")
    assert page.strokes == [A, B, C]
    for wanted in ([A, B], [A, B], [A], []):
        page.tell("Sketchgen.sketch.undo()")
        assert page.strokes == wanted
    assert page.tell("Sketchgen.sketch.category") == "auto"
    # Each stroke is kept once, however long the history.
    page.tell("Sketchgen.sketch.redo(); Sketchgen.sketch.redo()")
    page.open()
    assert page.tell("Sketchgen.sketch.strokes[0] === Sketchgen.sketch.past[1].strokes[0]")


def test_each_tab_has_its_own_drawing_and_a_new_one_shows_the_others(visit: Callable[..., Any]) -> None:
    first = visit()
    second = another(first)
    add(first, *A)
    first.open()
    add(second, *B)
    second.open()
    assert (first.strokes, second.strokes) == ([A], [B])
    second.page.goto(second.url + "?view=generate")
    second.page.go_back()
    second.wait("document.querySelector('.sg.ready')")
    assert second.strokes == [B]
    third = another(first)
    assert third.strokes == []
    add(third, *C)
    found = recent(third)
    assert found.count() == 2
    assert "Drawing" in found.first.get_attribute("aria-label")
    found.first.click()
    assert third.strokes == [B]
    # What was on the paper is among the others now.
    assert third.tell("Sketchgen.drawings.recent().map(each => each.strokes[0].points)") == [C, A]


def test_a_duplicated_tab_does_not_overwrite_the_first(visit: Callable[..., Any]) -> None:
    first = visit()
    second = another(first)
    add(first, *A)
    first.open()
    name = first.tell("sessionStorage.getItem('sketchgen.tab')")
    second.tell(f"sessionStorage.setItem('sketchgen.tab', '{name}')")
    second.open()
    assert second.strokes == [A]
    add(first, *B)
    first.tell(SAVE)
    add(second, *C)
    second.open()
    first.open()
    assert (first.strokes, second.strokes) == ([A, B], [A, C])


def test_the_drawing_of_the_page_before_is_taken_over_once(visit: Callable[..., Any]) -> None:
    page = visit()
    page.tell(f"localStorage.setItem('sketchgen.sketch.1.strokes', JSON.stringify([{stroke(*A)}]))")
    page.open()
    assert page.strokes == [A]
    assert page.tell("localStorage.getItem('sketchgen.sketch.1.strokes')") is None
    page.open()
    assert page.strokes == [A]
    assert another(page).strokes == []


def test_the_oldest_give_way_and_all_can_be_forgotten(visit: Callable[..., Any]) -> None:
    page = visit()
    for k in range(30):
        add(page, [k, 1], [k, 2])
        page.tell("Sketchgen.drawings.begin()")
    assert page.tell(SAVED) == 24
    oldest = page.tell("Sketchgen.drawings.recent().at(-1).strokes[0].points[0][0]")
    assert oldest == 6
    page.page.on("dialog", lambda dialog: dialog.accept())
    recent(page)
    page.page.get_by_role("menuitem", name="Delete these drawings").click()
    assert page.tell(SAVED) == 0
    # A drawing that leaves no room for others is kept with as much of its history as there is room for.
    long = "Array.from({length: 1000}, (_, i) => [i * 0.6123456, 200 + Math.sin(i / 100), i, 0.5])"
    page.tell(
        f"for (let k = 0; k < 50; k++) Sketchgen.sketch.change([{{points: {long}, added: false}}]); void 0"
    )
    page.open()
    assert page.tell("Sketchgen.sketch.strokes[0].points.length") == 1000
    assert 2 < page.tell("Sketchgen.sketch.past.length") < 50


@pytest.mark.parametrize("method", ["setItem", "getItem"])
def test_without_a_store_everything_goes_on(visit: Callable[..., Any], method: str) -> None:
    refuse = f"Storage.prototype.{method} = () => {{ throw new DOMException('no', 'QuotaExceededError') }}"
    page = visit()
    page.page.add_init_script(refuse)
    page.open()
    add(page, *A)
    page.page.wait_for_function(
        "document.querySelector('#sg-status').textContent.includes('does not keep drawings')"
    )
    page.tell("Sketchgen.say('')")
    add(page, *B)
    page.tell(SAVE)
    assert page.strokes == [A, B]
    assert page.status == ""
    page.tell("Sketchgen.drawings.begin()")
    assert page.strokes == []


def test_a_damaged_store_is_an_empty_one(visit: Callable[..., Any]) -> None:
    page = visit()
    page.tell("sessionStorage.setItem('sketchgen.tab', 'x')")
    for damage in ("{", '5 w {"strokes": [{}], "states": [[9, [7], 5]], "at": 0}', ""):
        page.tell(f"localStorage.setItem('sketchgen.drawing.x', {damage!r})")
        page.open()
        assert page.strokes == []
    add(page, *A)
    page.open()
    assert page.strokes == [A]
