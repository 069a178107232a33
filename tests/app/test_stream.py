from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sketchgen.app import stream
from sketchgen.app.request import Request, checked
from sketchgen.app.stream import Halted, failure, messages
from sketchgen.drawing.sketch import Sketch
from sketchgen.generate.completer import Completer
from sketchgen.model.config import ModelConfig
from tests.support import untrained

DRAWING: dict[str, Any] = {"strokes": [[[100, 100], [200, 300], [320, 80]]], "width": 640, "height": 480}


@pytest.fixture(scope="module")
def completer() -> Completer:
    config = ModelConfig(("cat",), width=8, layers=1, embedding=8, encoder_width=8, components=2)
    return untrained.completer(config)


@pytest.fixture(scope="module")
def request_(completer: Completer) -> Request:
    return checked(completer, DRAWING, "cat", 3, 0.5, 5, 11)


def grown(found: list[dict[str, Any]], count: int) -> list[list[list[list[float]]]]:
    """The strokes of each alternative, put together as the browser does it."""
    strokes: list[list[list[list[float]]]] = [[] for _ in range(count)]
    open_ = [False] * count
    for message in found:
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
    assert [message["seq"] for message in found] == list(range(len(found)))
    assert {message["run"] for message in found} == {found[0]["run"]}
    assert all(message["rev"] == 11 and message["n"] == 3 for message in found)
    assert [message["done"] for message in found] == [False] * (len(found) - 1) + [True]


def test_the_first_point_comes_at_once(completer: Completer, request_: Request) -> None:
    first = next(messages(completer, request_))
    assert [len(points) for points in first["alts"]] == [1, 1, 1]


def test_each_run_has_a_name_of_its_own(completer: Completer, request_: Request) -> None:
    assert next(messages(completer, request_))["run"] != next(messages(completer, request_))["run"]


def test_nothing_is_sent_twice_and_stopping_stops(completer: Completer, request_: Request) -> None:
    many = replace(request_, sketch=Sketch(), count=9)
    stream = messages(completer, many)
    next(stream)
    stream.close()
    assert list(stream) == []


def test_a_failure_ends_a_run() -> None:
    message = failure("no", 4)
    assert (message["error"], message["rev"], message["done"]) == ("no", 4, True)


def test_who_draws_on_ends_the_runs_before_and_nobody_else_s() -> None:
    halted = Halted()
    assert not halted.over("me", 3)
    halted.halt("me", 3)
    assert halted.over("me", 3)
    assert halted.over("me", 2)
    assert not halted.over("me", 4)
    assert not halted.over("you", 1)
    halted.halt("me", 1)
    assert halted.over("me", 3)
    halted.halt(None, 9)
    assert not halted.over(None, 1)


def test_sessions_long_gone_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST_SESSIONS", 3)
    halted = Halted()
    for number in range(5):
        halted.halt(str(number), 7)
    assert [halted.over(str(number), 7) for number in range(5)] == [False, False, True, True, True]
