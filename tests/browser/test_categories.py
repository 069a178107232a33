"""The search over the names of categories, without a page around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sketchgen.resources import categories, names
from sketchgen.web.assets import text_of


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.evaluate("window.Sketchgen = {}")
    page.evaluate("(table) => { window.table = table; }", names())
    page.add_script_tag(content=text_of("categories.js"))
    yield page
    page.close()


def search(tab: Any, typed: str, *languages: str) -> tuple[str, list[str]]:
    """How something was found, and the categories that were."""
    (found,) = searches(tab, [typed], *languages)
    return found["kind"], [each["category"] for each in found["found"]]


def searches(tab: Any, words: list[str], *languages: str) -> list[dict[str, Any]]:
    """What is found for each word."""
    return tab.evaluate(
        """([words, languages]) => { const all = new Sketchgen.Names(table, languages);
        return words.map((word) => all.search(word)); }""",
        [words, list(languages) or ["en-GB"]],
    )


EXACT = {
    "car": "car",
    "tree": "tree",
    "bike": "bicycle",
    "automobile": "car",
    "Kitty": "cat",
    "tv": "television",
    "plane": "airplane",
    "mona lisa": "The Mona Lisa",
    "teddy bear": "teddy-bear",
    "icecream": "ice cream",
    "fire truck": "firetruck",
    "T-Shirt": "t-shirt",
    "Baer": "bear",
    "BÄR": "bear",
    "bar": "bear",
    "Fuss": "foot",
    "œil": "eye",
    "maca": "apple",
    "árbol": "tree",
    "いぬ": "dog",
    "イヌ": "dog",
    "自行车": "bicycle",
    "🚗": "car",
    "✈": "airplane",
}
PLURALS = {
    "cats": "cat",
    "strawberries": "strawberry",
    "knives": "knife",
    "buses": "bus",
    "snowmen": "snowman",
    "hot dogs": "hot dog",
    "Katzen": "cat",
    "Mäuse": "mouse",
    "chevaux": "horse",
    "peces": "fish",
    "gatti": "cat",
    "aviões": "airplane",
}


@pytest.mark.parametrize("language", ["en", "de-AT", "fr", "pl"])
def test_exact_words_and_plurals_come_first_whoever_asks(tab: Any, language: str) -> None:
    wanted = EXACT | PLURALS
    found = [each["found"][0]["category"] for each in searches(tab, list(wanted), language)]
    assert dict(zip(wanted, found, strict=True)) == wanted


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_category_is_found_first_by_its_usual_names(tab: Any, language: str) -> None:
    missed = tab.evaluate(
        """(language) => { const all = new Sketchgen.Names(table, [language]), usual = {};
        for (const category of Object.keys(table)) usual[category] = category;
        // A French trombone is a paper clip.
        for (const category of Object.keys(table)) usual[all.name(category)] = category;
        const pictured = Object.keys(table).filter((category) => all.emoji(category));
        for (const category of pictured) usual[all.emoji(category)] = category;
        const first = (name) => all.search(name).found[0].category;
        return Object.entries(usual).filter(([name, category]) => first(name) !== category); }""",
        language,
    )
    assert missed == []


def test_beginnings_come_before_words_within(tab: Any) -> None:
    kind, found = search(tab, "ball")
    assert kind == "match"
    assert set(found[:3]) == {"baseball", "basketball", "soccer ball"}
    assert found.index("hot air balloon") < found.index("baseball bat")
    assert search(tab, "bean")[1] == ["string bean"]
    assert search(tab, "car")[1][:2] == ["car", "carrot"]
    assert search(tab, "lightho")[1] == ["lighthouse"]
    # A few letters of other languages mean nothing; of one's own they do.
    assert "tree" not in search(tab, "ar", "en")[1]
    assert "tree" in search(tab, "ar", "es")[1]


def test_one_s_own_language_counts_most(tab: Any) -> None:
    assert search(tab, "crayon", "fr")[1][:2] == ["pencil", "crayon"]
    assert search(tab, "crayon", "en")[1][:2] == ["crayon", "pencil"]
    assert search(tab, "crayon", "de")[1][:2] == ["crayon", "pencil"]


@pytest.mark.parametrize(
    ("typed", "category"),
    [
        ("elepant", "elephant"),
        ("teelphone", "telephone"),
        ("bicyle", "bicycle"),
        ("hosue", "house"),
        ("kittty", "cat"),
        ("Krokodli", "crocodile"),
        ("dgo", "dog"),
    ],
)
def test_typing_errors_are_near(tab: Any, typed: str, category: str) -> None:
    kind, found = search(tab, typed)
    assert kind == "near"
    assert found[0] == category
    assert len(found) <= 6


def test_what_nothing_is_named_is_said(tab: Any) -> None:
    kind, found = search(tab, "catterpilar")
    assert kind == "far"
    assert 1 <= len(found) <= 3
    for typed in ("qqqqq", "!!!", "🦤", "龘"):
        assert search(tab, typed) == ("none", [])


@pytest.mark.parametrize("typed", ["", "  "])
def test_an_empty_search_lists_all_by_their_names(tab: Any, typed: str) -> None:
    kind, found = search(tab, typed, "de")
    assert kind == "all"
    assert sorted(found) == categories()
    assert [names()[category]["de"][0] for category in found[:3]] == ["Achteck", "Achterbahn", "Affe"]


def test_categories_of_somebody_s_own_are_found_by_their_names(tab: Any) -> None:
    found = tab.evaluate(
        """new Sketchgen.Names({ moomin: {}, 'little my': {} }, ['fi']).search('my').found
        .map((each) => each.category)"""
    )
    assert found == ["little my"]


@pytest.mark.parametrize(
    ("one", "other", "errors"),
    [
        ("", "abc", 3),
        ("cat", "cat", 0),
        ("cat", "act", 1),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),
        ("猫", "犬", 1),
    ],
)
def test_the_distance_of_two_words(tab: Any, one: str, other: str, errors: int) -> None:
    found = tab.evaluate(
        "([a, b]) => [Sketchgen.editDistance(a, b), Sketchgen.editDistance(b, a)]", [one, other]
    )
    assert found == [errors, errors]
