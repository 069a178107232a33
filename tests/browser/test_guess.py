"""What the page thinks it is, and the search box beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

CIRCLE = [(400, 240), (360, 320), (280, 320), (240, 240), (280, 160), (360, 160), (400, 240)]
LINE = [(120, 200), (300, 160), (420, 260)]
GUESSES = '{"guesses": [["cat", 0.62], ["rabbit", 0.21], ["bear", 0.1], ["pig", 0.04], ["dog", 0.03]]}'


def category(canvas: Any) -> str:
    return canvas.tell("Sketchgen.sketch.category")


def chips(canvas: Any) -> list[str]:
    """The guesses that are shown, the chosen one in brackets."""
    found = canvas.tell(
        """[...document.querySelectorAll('#sg-chips .chip[data-category]')].filter((chip) => !chip.hidden)
        .map((chip) => [chip.dataset.category, chip.getAttribute('aria-pressed')])"""
    )
    return [f"[{name}]" if pressed == "true" else name for name, pressed in found]


def find(canvas: Any, typed: str = "") -> list[str]:
    """Open the search box, type, and return what is found."""
    if not canvas.page.locator("#sg-search").is_visible():
        canvas.page.locator("#sg-chips [data-menu=sg-search]").click()
    canvas.page.locator("#sg-search input").fill(typed)
    return canvas.tell(
        "[...document.querySelectorAll('#sg-search [role=option]')].map((o) => o.dataset.category)"
    )


def active(canvas: Any) -> str | None:
    """The option that Enter takes."""
    return canvas.tell(
        """(() => { const input = document.querySelector('#sg-search input');
        const now = document.getElementById(input.getAttribute('aria-activedescendant'));
        return now && now.getAttribute('aria-selected') === 'true' && document.activeElement === input
          ? now.dataset.category : null; })()"""
    )


@pytest.fixture
def guessed(canvas: Any) -> Iterator[Any]:
    """A page with a stroke, of which some guesses are certain."""
    canvas.page.route("**/sketchgen/guess", lambda route: route.fulfill(body=GUESSES))
    canvas.tell("Sketchgen.namesThere")
    canvas.draw(*CIRCLE)
    canvas.wait("Sketchgen.guess.guesses.length === 5")
    yield canvas
    canvas.page.keyboard.press("Escape")
    canvas.page.unroute("**/sketchgen/guess")


def test_each_stroke_is_guessed(canvas: Any) -> None:
    assert chips(canvas) == []
    canvas.draw(*CIRCLE)
    canvas.wait("Sketchgen.guess.guesses.length > 0")
    seen = chips(canvas)
    assert len(seen) == 3
    # Others have drawn on this page before: count from here.
    arrived = canvas.tell("Sketchgen.guess.timings.length")
    canvas.draw(*LINE)
    canvas.wait(f"Sketchgen.guess.timings.length === {arrived + 1}")
    canvas.do("undo")
    canvas.wait(f"Sketchgen.guess.timings.length === {arrived + 2}")
    assert chips(canvas) == seen
    canvas.do("clear")
    assert chips(canvas) == []


def test_one_tap_takes_a_guess_and_another_lets_it_go(guessed: Any) -> None:
    assert chips(guessed) == ["cat", "rabbit", "bear"]
    assert "62%" in guessed.page.locator("#sg-chips").inner_text()
    guessed.page.locator("#sg-chips [data-category=rabbit]").click()
    assert (category(guessed), chips(guessed)) == ("rabbit", ["[rabbit]", "cat", "bear", "pig"])
    # It stays so with the next stroke.
    guessed.draw(*LINE)
    assert chips(guessed)[0] == "[rabbit]"
    guessed.page.locator("#sg-chips [aria-pressed=true]").click()
    assert (category(guessed), chips(guessed)) == ("auto", ["cat", "rabbit", "bear"])
    for wanted, pressed in (("none", "true"), ("auto", "false")):
        guessed.do("anything")
        assert category(guessed) == wanted
        assert guessed.page.locator("[data-do=anything]").get_attribute("aria-pressed") == pressed


def test_what_is_taken_is_drawn(guessed: Any) -> None:
    asked: list[Any] = []
    guessed.page.on(
        "request", lambda request: asked.append(request.post_data_json) if "/draw" in request.url else None
    )
    answer = '{"alts":[[[50,50,0],[90,90,1],[200,60,1]]],"categories":["cat"],"done":true}\n'
    guessed.page.route("**/sketchgen/draw", lambda route: route.fulfill(body=answer))
    guessed.finish()
    guessed.page.locator("#sg-chips [data-category=bear]").click()
    guessed.wait("!Sketchgen.suggestions.running && Sketchgen.suggestions.items.length > 0")
    guessed.page.unroute("**/sketchgen/draw")
    assert [each["category"] for each in asked] == ["auto", "bear"]


def test_only_the_newest_guess_is_shown(canvas: Any) -> None:
    held: list[Any] = []
    canvas.page.route("**/sketchgen/guess", lambda route: held.append(route))
    canvas.draw(*CIRCLE)
    canvas.draw(*LINE)
    canvas.page.wait_for_timeout(100)
    first, second = held
    second.fulfill(body=GUESSES.replace("cat", "owl"))
    canvas.wait("Sketchgen.guess.guesses.length === 5")
    # The page has left the first one already.
    first.fulfill(body=GUESSES)
    canvas.page.wait_for_timeout(100)
    assert chips(canvas)[0] == "owl"
    canvas.page.unroute("**/sketchgen/guess")
    # Nobody answers: no guess, and drawing goes on.
    canvas.page.route("**/sketchgen/guess", lambda route: route.abort())
    canvas.do("undo")
    canvas.wait("Sketchgen.guess.guesses.length === 0")
    assert (chips(canvas), len(canvas.strokes)) == ([], 1)
    canvas.page.unroute("**/sketchgen/guess")


def test_the_search_box_is_a_combobox(guessed: Any) -> None:
    keyboard = guessed.page.keyboard
    assert len(find(guessed)) == 345
    assert active(guessed) is None
    keyboard.type("car")
    assert active(guessed) == "car"
    keyboard.press("ArrowDown")
    assert active(guessed) == "carrot"
    keyboard.press("ArrowUp")
    keyboard.press("ArrowUp")
    keyboard.press("ArrowDown")
    assert active(guessed) == "car"
    keyboard.press("Enter")
    assert category(guessed) == "car"
    assert not guessed.page.locator("#sg-search").is_visible()
    assert chips(guessed)[0] == "[car]"
    # By mouse.
    find(guessed, "katze")
    guessed.page.locator("#sg-search [data-category=cat]").click()
    assert category(guessed) == "cat"


def test_leaving_the_search_box_chooses_nothing(guessed: Any) -> None:
    button = guessed.page.locator("#sg-chips [data-menu=sg-search]")
    for leave in ("Escape", "Tab", "elsewhere"):
        find(guessed, "tree")
        assert active(guessed) == "tree"
        if leave == "elsewhere":
            guessed.page.locator("#sg-strip h2").click()
        else:
            guessed.page.keyboard.press(leave)
        assert not guessed.page.locator("#sg-search").is_visible()
        assert category(guessed) == "auto"
        if leave == "Escape":
            assert button.evaluate("(button) => button === document.activeElement")
        if leave == "Tab":
            assert guessed.tell("document.activeElement === Sketchgen.pad.canvas")
    assert button.get_attribute("aria-expanded") == "false"
    assert find(guessed)[0] == "aircraft carrier"


def test_what_nothing_is_named_is_said_and_not_taken(guessed: Any) -> None:
    told = guessed.page.locator("#sg-search [role=status]")
    assert find(guessed, "elepant")[0] == "elephant"
    assert "“elepant”" in told.inner_text()
    assert find(guessed, "catterpilar")
    assert "“catterpilar”" in told.inner_text()
    guessed.page.keyboard.press("Enter")
    assert category(guessed) == "auto"
    assert find(guessed, "qqqqq") == []
    assert "“qqqqq”" in told.inner_text()
    assert find(guessed, "<img src=x onerror=alert(1)>") == []
    assert guessed.page.locator("#sg-search img").count() == 0
    find(guessed, "car")
    assert told.inner_text() == ""


def test_names_are_shown_in_the_visitor_s_language(visit: Callable[..., Any], server: Any) -> None:
    canvas = visit(server, locale="de-AT")
    canvas.tell("Sketchgen.namesThere")
    find(canvas, "kitty")
    assert canvas.page.locator("#sg-search [data-category=cat]").inner_text().split()[-4:] == [
        "Katze",
        "cat",
        "·",
        "kitty",
    ]
