from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sketchgen.completion.completer import Completer
from sketchgen.models.config import ModelConfig
from sketchgen.ranking.ranker import Ranker
from sketchgen.sketch.sketch import Sketch
from sketchgen.web import stream
from sketchgen.web.request import Request, checked
from sketchgen.web.stream import messages
from tests.support import untrained
from tests.support.critics import critic
from tests.support.recognisers import recogniser

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


@pytest.mark.parametrize("flush", [0.0, 1e9])
def test_the_first_candidates_are_shown_until_the_best_are_known(
    completer: Completer, flush: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FLUSH", flush)
    model = replace(completer, ranker=Ranker(recogniser(), critic()))
    request = checked(model, DRAWING, "cat", 3, 0.5, 14, best_of=2)
    found = [json.loads(json.dumps(message)) for message in messages(model, request)]
    *before, last = found
    best = [[stroke.tolist() for stroke in each.added.strokes] for each in request.complete(model)]
    first = model.candidates(request.sketch, "cat", 6, 0.5, 14)[::2]
    shown = [[stroke.tolist() for stroke in each.completion.added.strokes] for each in first]
    assert grown(found, 3) == best
    # Those that are the best anyway go on: what was shown of them is not sent again.
    assert last["anew"] == [place for place in range(3) if best[place] != shown[place]]
    assert [message["done"] for message in found] == [False] * len(before) + [True]
    if flush == 0.0:
        assert grown(before, 3) == shown
    else:
        assert all(len(strokes) <= 1 for strokes in grown(before, 3))


def test_the_first_point_comes_at_once(completer: Completer, request_: Request) -> None:
    first = next(messages(completer, request_))
    assert [len(points) for points in first["alts"]] == [1, 1, 1]


def test_nothing_is_sent_twice_and_stopping_stops(completer: Completer, request_: Request) -> None:
    many = replace(request_, sketch=Sketch(), count=9)
    stream = messages(completer, many)
    next(stream)
    stream.close()
    assert list(stream) == []
