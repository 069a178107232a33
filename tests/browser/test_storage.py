"""Drawings that the browser keeps: reload, two tabs, recent ones, a full or forbidden store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

STROKES = "Sketchgen.sketch.strokes.map(stroke => stroke.points.map(([x, y]) => [x, y]))"
SAVED = "Object.keys(localStorage).filter(key => key.startsWith('sketchgen.drawing.')).length"
READY = "window.Sketchgen && Sketchgen.root && Sketchgen.root.classList.contains('ready')"


def stroke(*points: list[float]) -> str:
    return f"{{points: {list(points)}, added: false}}"


class Tab:
    """A tab with the page in it."""

    def __init__(self, page: Any, url: str) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.go(url)

    def go(self, url: str) -> None:
        self.page.goto(url)
        self.page.wait_for_function(READY)

    def reload(self) -> None:
        self.page.reload()
        self.page.wait_for_function(READY)

    def tell(self, script: str) -> Any:
        return self.page.evaluate(script)

    def draw(self, *points: list[float]) -> None:
        self.tell(f"Sketchgen.sketch.change([...Sketchgen.sketch.strokes, {stroke(*points)}])")

    @property
    def strokes(self) -> list[list[list[float]]]:
        return self.tell(STROKES)

    @property
    def status(self) -> str:
        return self.tell("document.querySelector('#sg-status').textContent")

    def recent(self) -> Any:
        self.page.locator("[data-menu=sg-menu-open]").click()
        return self.page.locator("#sg-menu-open .recent button")


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    made = browser.new_context()
    yield made
    made.close()


@pytest.fixture
def tab(context: Any, server: Any) -> Iterator[Callable[[], Tab]]:
    """Opens a tab; none of them may have raised an error."""
    tabs: list[Tab] = []

    def opened() -> Tab:
        tabs.append(Tab(context.new_page(), server.url))
        return tabs[-1]

    yield opened
    assert [error for each in tabs for error in each.errors] == []


A, B, C = [[10, 10], [90, 40]], [[200, 300], [210, 310]], [[400, 100], [420, 90], [450, 95]]


def test_a_reload_brings_back_drawing_category_and_history(tab: Callable[[], Tab]) -> None:
    page = tab()
    page.draw(*A)
    page.draw(*B)
    page.tell("Sketchgen.sketch.change(Sketchgen.sketch.strokes, {category: 'cat'})")
    page.draw(*C)
    page.tell("Sketchgen.sketch.undo()")
    page.reload()
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
    page.reload()
    assert page.tell("Sketchgen.sketch.strokes[0] === Sketchgen.sketch.past[1].strokes[0]")


def test_each_tab_has_its_own_drawing_and_a_new_one_shows_the_others(tab: Callable[[], Tab]) -> None:
    first, second = tab(), tab()
    first.draw(*A)
    first.reload()
    second.draw(*B)
    second.reload()
    assert (first.strokes, second.strokes) == ([A], [B])
    second.go(second.page.url + "?view=generate")
    second.page.go_back()
    second.page.wait_for_function(READY)
    assert second.strokes == [B]
    third = tab()
    assert third.strokes == []
    third.draw(*C)
    found = third.recent()
    assert found.count() == 2
    assert "Drawing" in found.first.get_attribute("aria-label")
    found.first.click()
    assert third.strokes == [B]
    # What was on the paper is among the others now.
    assert third.tell("Sketchgen.drawings.recent().map(each => each.strokes[0].points)") == [C, A]


def test_a_duplicated_tab_does_not_overwrite_the_first(tab: Callable[[], Tab]) -> None:
    first, second = tab(), tab()
    first.draw(*A)
    first.reload()
    name = first.tell("sessionStorage.getItem('sketchgen.tab')")
    second.tell(f"sessionStorage.setItem('sketchgen.tab', '{name}')")
    second.reload()
    assert second.strokes == [A]
    first.draw(*B)
    first.page.wait_for_timeout(600)
    second.draw(*C)
    second.reload()
    first.reload()
    assert (first.strokes, second.strokes) == ([A, B], [A, C])


def test_the_drawing_of_the_page_before_is_taken_over_once(tab: Callable[[], Tab]) -> None:
    page = tab()
    page.tell(f"localStorage.setItem('sketchgen.sketch.1.strokes', JSON.stringify([{stroke(*A)}]))")
    page.reload()
    assert page.strokes == [A]
    assert page.tell("localStorage.getItem('sketchgen.sketch.1.strokes')") is None
    page.reload()
    assert page.strokes == [A]
    assert tab().strokes == []


def test_the_oldest_give_way_and_all_can_be_forgotten(tab: Callable[[], Tab]) -> None:
    page = tab()
    for k in range(30):
        page.draw([k, 1], [k, 2])
        page.tell("Sketchgen.drawings.begin()")
    assert page.tell(SAVED) == 24
    oldest = page.tell("Sketchgen.drawings.recent().at(-1).strokes[0].points[0][0]")
    assert oldest == 6
    page.page.on("dialog", lambda dialog: dialog.accept())
    page.recent()
    page.page.get_by_role("menuitem", name="Forget these drawings").click()
    assert page.tell(SAVED) == 0
    # A drawing that leaves no room for others is kept with as much of its history as there is room for.
    long = "Array.from({length: 4000}, (_, i) => [i % 640, (i * 7.123456) % 480, i, 0.5])"
    page.tell(f"for (let k = 0; k < 40; k++) Sketchgen.sketch.change([{{points: {long}, added: false}}])")
    page.reload()
    assert page.tell("Sketchgen.sketch.strokes[0].points.length") == 4000
    assert 2 < page.tell("Sketchgen.sketch.past.length") < 40


@pytest.mark.parametrize("method", ["setItem", "getItem"])
def test_without_a_store_everything_goes_on(tab: Callable[[], Tab], context: Any, method: str) -> None:
    refuse = f"Storage.prototype.{method} = () => {{ throw new DOMException('no', 'QuotaExceededError') }}"
    context.add_init_script(refuse)
    page = tab()
    page.draw(*A)
    page.page.wait_for_function(
        "document.querySelector('#sg-status').textContent.includes('keeps no drawings')"
    )
    page.tell("Sketchgen.say('')")
    page.draw(*B)
    page.page.wait_for_timeout(600)
    assert page.strokes == [A, B]
    assert page.status == ""
    page.tell("Sketchgen.drawings.begin()")
    assert page.strokes == []


def test_a_damaged_store_is_an_empty_one(tab: Callable[[], Tab]) -> None:
    page = tab()
    page.tell("sessionStorage.setItem('sketchgen.tab', 'x')")
    for damage in ("{", '5 w {"strokes": [{}], "states": [[9, [7], 5]], "at": 0}', ""):
        page.tell(f"localStorage.setItem('sketchgen.drawing.x', {damage!r})")
        page.reload()
        assert page.strokes == []
    page.draw(*A)
    page.reload()
    assert page.strokes == [A]
