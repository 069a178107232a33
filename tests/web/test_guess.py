"""The address of live guesses, with a small model and without a network."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from sketchgen.completion.completer import Completer
from sketchgen.models.recogniser import Guess
from sketchgen.ranking.ranker import Ranker
from sketchgen.resources import categories, names
from sketchgen.sketch.sketch import Sketch
from sketchgen.web import guess
from sketchgen.web.guess import NAMES_PATH, PATH, guess_route, names_route
from sketchgen.web.request import MAX_POINTS, MAX_STROKES
from tests.support import untrained
from tests.support.loops import run_alone
from tests.support.recognisers import CATEGORIES, recogniser

DRAWING: dict[str, Any] = {"strokes": [[[100, 100], [200, 300], [320, 80]]], "width": 640, "height": 480}


@pytest.fixture(scope="module")
def completer() -> Completer:
    return replace(untrained.tiny(*CATEGORIES), ranker=Ranker(recogniser(), None))


@pytest.fixture
def client(completer: Completer) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[guess_route(completer), names_route(completer)])) as client:
        yield client


def test_the_beliefs_of_the_model_come_out(client: TestClient, completer: Completer) -> None:
    found = client.post(PATH, json={"drawing": DRAWING}).json()["guesses"]
    sketch = Sketch.from_strokes(DRAWING["strokes"])
    assert [name for name, _ in found] == [each.category for each in completer.guess(sketch)]
    assert [share for _, share in found] == pytest.approx(
        [each.probability for each in completer.guess(sketch)], abs=1e-4
    )
    assert sum(share for _, share in found) == pytest.approx(1.0, abs=1e-3)


def test_empty_paper_may_be_anything(client: TestClient) -> None:
    assert client.post(PATH, json={"drawing": {"strokes": []}}).json() == {"guesses": []}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (3, "no drawing"),
        ([], "no drawing"),
        ({}, "no drawing"),
        ({"drawing": None}, "no drawing"),
        ({"drawing": "cat"}, "not JSON"),
        ({"drawing": {"strokes": [[["<script>", 1]]]}}, "must be a number"),
        ({"drawing": {"strokes": [[[1, 1]]] * (MAX_STROKES + 1)}}, f"at most {MAX_STROKES}"),
        ({"drawing": {"strokes": [[[1, 1]] * (MAX_POINTS + 1)]}}, f"at most {MAX_POINTS}"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(client: TestClient, question: Any, words: str) -> None:
    answer = client.post(PATH, json=question)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert "\n" not in answer.json()["detail"]


def test_only_json_is_taken(client: TestClient) -> None:
    assert client.post(PATH, content="{", headers={"content-type": "application/json"}).status_code == 400
    assert client.get(PATH).status_code == 405


class Slow(Completer):
    """Guesses only when it may, and counts how often."""

    may = threading.Event()
    asked = 0

    def guess(self, sketch: Sketch, top: int = 5) -> list[Guess]:
        Slow.asked += 1
        assert Slow.may.wait(20)
        return []


def statuses(completer: Completer, gone: list[bool]) -> list[int]:
    """The answers to requests made at once, of which some readers leave before it is their turn."""
    route, found = guess_route(completer), [0] * len(gone)
    body = json.dumps({"drawing": DRAWING}).encode()

    async def one(number: int) -> None:
        heard = False

        async def receive() -> dict[str, Any]:
            nonlocal heard
            if not heard:
                heard = True
                return {"type": "http.request", "body": body, "more_body": False}
            if gone[number]:
                return {"type": "http.disconnect"}
            await anyio.sleep_forever()
            raise AssertionError

        async def send(message: Any) -> None:
            found[number] = message.get("status", found[number])

        kind = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": PATH, "headers": kind, "query_string": b""}
        answer = await route.endpoint(Request(scope, receive))
        await answer(scope, receive, send)

    async def everybody() -> None:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                for number in range(len(gone)):
                    group.start_soon(one, number)
                    await anyio.sleep(0)
                await anyio.sleep(0.05)
                Slow.may.set()

    run_alone(everybody)
    return found


def test_a_newer_request_drops_the_older(completer: Completer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guess, "COMPUTING", 1)
    Slow.asked = 0
    Slow.may.clear()
    slow = Slow(completer.decoder, "slow", {})
    assert statuses(slow, [False, True, True, False]) == [200, 204, 204, 200]
    assert Slow.asked == 2


def test_a_crowd_is_refused(completer: Completer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guess, "COMPUTING", 1)
    monkeypatch.setattr(guess, "WAITING", 2)
    Slow.may.clear()
    slow = Slow(completer.decoder, "slow", {})
    assert statuses(slow, [False] * 4) == [200, 200, 200, 503]


def test_the_names_are_those_of_the_model_s_categories(client: TestClient) -> None:
    assert client.get(NAMES_PATH).json() == {name: names()[name] for name in CATEGORIES}
    own = untrained.tiny("moomin", *categories())
    with TestClient(Starlette(routes=[names_route(own)])) as other:
        found = other.get(NAMES_PATH).json()
    assert found == {"moomin": {}} | names()
