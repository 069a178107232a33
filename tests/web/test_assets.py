"""What the page tells its scripts, and that its words are whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sketchgen.completion.completer import Completer
from sketchgen.web.assets import facts
from tests.support import untrained

WEB = Path(__file__).parents[2] / "web"


def told(guidance: float, dropped: float) -> dict[str, Any]:
    """The facts of a model's page."""
    summary = {"settings": {"prefixes": {"drop_category": dropped}}}
    return facts(Completer(untrained.tiny("cat").decoder, "test", summary, guidance))


@pytest.mark.parametrize(("guidance", "shown"), [(2.0, 2.0), (0.0, 0.0), (9.0, 4.0)])
def test_guidance_begins_with_the_model_s_own(guidance: float, shown: float) -> None:
    assert told(guidance, 0.1)["guidance"] == shown


def test_a_model_that_cannot_be_guided_is_not_asked_to_be() -> None:
    assert told(0.0, 0.0)["guidance"] is None


def test_starters_and_categories_are_told() -> None:
    found = json.loads(json.dumps(told(2.0, 0.1)))
    assert found["categories"] == ["cat"]
    assert len(found["starters"]) == 6
    assert all(each["strokes"] and each["category"] for each in found["starters"])


def texts(path: Path) -> dict[str, str]:
    """The texts of a language; a key that stands twice is a mistake."""

    def unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
        keys = [key for key, _ in pairs]
        assert len(set(keys)) == len(keys), [key for key in keys if keys.count(key) > 1]
        return dict(pairs)

    return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)


def test_every_text_that_scripts_name_is_there() -> None:
    known = texts(WEB / "words" / "en.json")
    whole = {re.sub(r"\.(one|other)$", "", key) for key in known}
    used: set[str] = set()
    for path in [*WEB.rglob("*.js"), WEB / "app.html"]:
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'(?:S\.t\(|data-t=|data-label=)"([a-z_.]+)"', text))
    assert used
    assert used <= whole


@pytest.mark.parametrize("path", sorted((WEB / "words").glob("*.json")), ids=lambda path: path.stem)
def test_every_language_has_every_text(path: Path) -> None:
    english, found = texts(WEB / "words" / "en.json"), texts(path)

    def stems(keys: Any) -> set[str]:
        return {re.sub(r"\.(zero|one|two|few|many|other)$", "", key) for key in keys}

    assert stems(found) == stems(english)
    for key, text in found.items():
        if key in english:
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key
