from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sketchgen.completion.completer import Completer, Growth
from sketchgen.models.config import ModelConfig
from sketchgen.models.recogniser import load_recogniser
from sketchgen.models.reward_model import load_reward_model
from sketchgen.ranking.ranker import Ranker
from sketchgen.sketch.sketch import Completion, Sketch
from sketchgen.web import stream
from sketchgen.web.request import Request, checked
from sketchgen.web.stream import messages
from tests.support import untrained

DRAWING: dict[str, Any] = {"strokes": [[[100, 100], [200, 300], [320, 80]]], "width": 640, "height": 480}


@pytest.fixture(scope="module")
def completer() -> Completer:
    config = ModelConfig(("cat",), width=8, layers=1, embedding=8, encoder_width=8, components=2)
    return untrained.completer(config)


@pytest.fixture(scope="module")
def request_(completer: Completer) -> Request:
    return checked(completer, DRAWING, "cat", 3, 0.5, 5)


def grown(found: list[dict[str, Any]], count: int) -> list[list[list[list[float]]]]:
    """The strokes of each alternative, put together as the browser does it."""
    strokes: list[list[list[list[float]]]] = [[] for _ in range(count)]
    open_ = [False] * count
    for message in found:
        for row in message.get("anew", ()):
            strokes[row], open_[row] = [], False
        for row, points in enumerate(message["alts"]):
            for x, y, pen in points:
                if not open_[row]:
                    strokes[row].append([])
                strokes[row][-1].append([x, y])
                open_[row] = pen == 0
    return strokes


@pytest.mark.parametrize("flush", [0.0, 0.01, 1e9])
def test_the_messages_make_up_the_completions(
    completer: Completer, request_: Request, monkeypatch: pytest.MonkeyPatch, flush: float
) -> None:
    monkeypatch.setattr(stream, "FLUSH", flush)
    found = [json.loads(json.dumps(message)) for message in messages(completer, request_)]
    whole = completer.complete(request_.sketch, "cat", 3, 0.5, 5)
    assert grown(found, 3) == [[stroke.tolist() for stroke in each.added.strokes] for each in whole]
    assert all(len(message["alts"]) == 3 for message in found)
    assert [message["done"] for message in found] == [False] * (len(found) - 1) + [True]


def test_the_messages_follow_the_guidance_that_was_asked_for(completer: Completer) -> None:
    model = Completer(completer.decoder, "test", {"settings": {"prefixes": {"drop_category": 0.1}}}, 1.0)
    drawn = []
    for asked, guidance in ((None, 1.0), (4.0, 4.0), (0, 0.0)):
        request = checked(model, DRAWING, "cat", 2, 0.5, 5, asked)
        found = list(messages(model, request))
        whole = model.guided(guidance).complete(request.sketch, "cat", 2, 0.5, 5)
        drawn.append(grown(found, 2))
        assert drawn[-1] == [[stroke.tolist() for stroke in each.added.strokes] for each in whole]
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]


@pytest.mark.parametrize("category", ["cat", None])
@pytest.mark.parametrize("flush", [0.0, 1e9])
def test_the_first_of_several_is_shown_until_the_best_is_known(
    completer: Completer, category: str | None, flush: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FLUSH", flush)
    request = checked(completer, DRAWING, category, 3, 0.5, 14, best_of=2)
    found = [json.loads(json.dumps(message)) for message in messages(completer, request)]
    whole = completer.complete(request.sketch, category, 6, 0.5, 14)
    rows = Ranker(load_recogniser(), load_reward_model()).several_rows(whole, category, 3)
    best = [whole[row] for row in rows]
    strokes = [[stroke.tolist() for stroke in each.added.strokes] for each in whole]
    assert grown(found, 3) == [[stroke.tolist() for stroke in each.added.strokes] for each in best]
    # Those that are the best anyway go on: what was shown of them is not sent again.
    anew = [place for place in range(3) if grown(found, 3)[place] != strokes[place * 2]]
    assert found[-1]["anew"] == anew
    assert 0 < len(anew) < 3
    assert [message["done"] for message in found] == [False] * (len(found) - 1) + [True]
    before = grown([*found[:-1], {**found[-1], "anew": [], "alts": [[]] * 3}], 3)
    for place in range(3):
        first = strokes[place * 2]
        assert before[place] == first if flush == 0.0 else len(before[place]) <= 1


class Two(Completer):
    """Draws the same line twice; the one with the number `stopped` does not end."""

    stopped = 0

    def stream(self, *_: object, **more: object) -> Iterator[Growth]:
        pen, drawn = np.ones(2, dtype=np.int64), np.ones(2, dtype=bool)
        yield Growth(np.array([[9.0, 9.0], [8.0, 8.0]]), pen, drawn, np.zeros(2, dtype=bool), np.zeros(2))
        yield Growth(np.zeros((2, 2)), pen, ~drawn, np.arange(2) != self.stopped, np.zeros(2))


@pytest.mark.parametrize("stopped", [0, 1])
def test_what_was_stopped_is_not_chosen(
    completer: Completer, stopped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Two, "stopped", stopped)
    request = checked(completer, DRAWING, "cat", 1, 0.5, 5, best_of=2)
    *_, last = messages(Two(completer.decoder, "test", {}), request)
    # The first one is shown already; only where the other one is taken it begins again.
    assert last == {"alts": [[[[8.0, 8.0, 1]], []][stopped]], "anew": [[0], []][stopped], "done": True}


def test_from_nothing_and_without_a_category_nothing_is_chosen(completer: Completer) -> None:
    found = []
    for best_of in (1, 4):
        request = checked(completer, [], None, 3, 0.5, 5, best_of=best_of)
        assert request.candidates == 1
        found.append(grown(list(messages(completer, request)), 3))
    assert found[0] == found[1]


def test_the_first_point_comes_at_once(completer: Completer, request_: Request) -> None:
    first = next(messages(completer, request_))
    assert [len(points) for points in first["alts"]] == [1, 1, 1]


def test_nothing_is_sent_twice_and_stopping_stops(completer: Completer, request_: Request) -> None:
    many = replace(request_, sketch=Sketch(), count=9)
    stream = messages(completer, many)
    next(stream)
    stream.close()
    assert list(stream) == []


def test_who_chooses_is_told_which_candidates_are_images(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    class Looks:
        def several_rows(self, found: list[Completion], category: str | None, count: int) -> list[int]:
            seen.extend(each.symmetry for each in found)
            return list(range(count))

    square = [[0, 0], [200, 0], [200, 200], [0, 200], [0, 0]]
    eye = [[40, 40], [70, 40], [70, 70], [40, 70], [40, 40]]
    config = ModelConfig(("cat",), width=8, layers=1, embedding=8, encoder_width=8, components=2)
    model = untrained.completer(config)
    monkeypatch.setattr(stream, "chooser", Looks)
    request = checked(
        model, {"strokes": [square, eye], "width": 640, "height": 480}, "cat", 1, 0.5, 0, best_of=4
    )
    assert list(stream.messages(model, request))[-1]["done"]
    assert [symmetry > 0.0 for symmetry in seen] == [False, False, False, True]
