"""The address at which the page asks for completions, with a small model and without a network."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sketchgen.completion.completer import Completer
from sketchgen.completion.run import NextPoints
from sketchgen.models.config import ModelConfig
from sketchgen.web import drawing
from sketchgen.web.drawing import PATH, Lines, answers, route
from sketchgen.web.stream import Message
from sketchgen.web.turns import Turns
from tests.support import untrained

DRAWING: dict[str, Any] = {
    "strokes": [[[100, 100, 0, 0.5], [200, 300, 9, 0.5], [320, 80, 20, 0.5]]],
    "added": [False],
    "width": 640,
    "height": 480,
}
QUESTION: dict[str, Any] = {
    "drawing": DRAWING,
    "category": "cat",
    "count": 3,
    "temperature": 0.5,
    "seed": 5,
}


@pytest.fixture(scope="module")
def completer() -> Completer:
    config = ModelConfig(("cat",), width=8, layers=1, embedding=8, encoder_width=8, components=2)
    return untrained.completer(config)


@pytest.fixture
def client(completer: Completer) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[route(completer)])) as client:
        yield client


def lines(answer: Any) -> list[Message]:
    return [json.loads(line) for line in answer.text.splitlines()]


def test_the_lines_make_up_the_completions(client: TestClient, completer: Completer) -> None:
    answer = client.post(PATH, json=QUESTION)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    found = lines(answer)
    assert [message["done"] for message in found] == [False] * (len(found) - 1) + [True]
    sketch = drawing.checked(completer, DRAWING, "cat", 3, 0.5, 5).sketch
    for row, whole in enumerate(completer.complete(sketch, "cat", 3, 0.5, 5)):
        points = [point[:2] for message in found for point in message["alts"][row]]
        assert points == whole.added.points.tolist()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"drawing": {"strokes": None}}, "strokes"),
        ({"drawing": None}, "no drawing"),
        ({"drawing": {"strokes": [[["<script>", 1]]]}}, "must be a number"),
        ({"drawing": {"strokes": [[[0, 0]]] * 501}}, "at most 500"),
        ({"drawing": {"strokes": [[[0, 0]] * 20_001]}}, "at most 20000"),
        ({"category": "<b>x</b>"}, "no category"),
        ({"category": {"a": 1}}, "must be a name"),
        ({"count": 10**9}, "count"),
        ({"count": None}, "count"),
        ({"temperature": -1}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"seed": "x"}, "seed"),
        ({"guidance": "much"}, "guidance must be a number"),
        ({"guidance": 2.0}, "cannot be guided"),
    ],
)
def test_what_is_wrong_is_the_only_line(client: TestClient, change: dict[str, Any], words: str) -> None:
    (message,) = lines(client.post(PATH, json=QUESTION | change))
    assert list(message) == ["error"]
    assert words in message["error"]


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "\xff", '"' + "x" * 1000])
def test_what_is_no_json_is_refused(client: TestClient, content: str) -> None:
    answer = client.post(PATH, content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "the request is not JSON"})


@pytest.mark.parametrize(
    "content", ["null", "3", "[]", '"x"', '{"drawing": {"strokes": [[[NaN, 1]]]}}', "{}"]
)
def test_json_that_is_no_question_is_refused(client: TestClient, content: str) -> None:
    answer = client.post(PATH, content=content, headers={"content-type": "application/json"})
    assert [list(message) for message in lines(answer)] == [["error"]]


def test_another_site_s_page_may_not_ask(client: TestClient) -> None:
    answer = client.post(PATH, content=json.dumps(QUESTION), headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert client.get(PATH).status_code == 405


class Endless(Completer):
    """Draws on and on, and remembers whether it was stopped."""

    stopped = False

    def stream(self, sketch: Any, category: Any = None, count: int = 9, *rest: Any, **more: Any) -> Any:
        growth = next(super().stream(sketch, category, count))
        return self._again(growth)

    def _again(self, growth: NextPoints) -> Iterator[NextPoints]:
        try:
            while True:
                yield growth
        finally:
            Endless.stopped = True


def asked(completer: Completer, turns: Turns, leave_after: int) -> list[Message]:
    """What a reader gets who leaves after some lines, or before the first one."""
    got: list[Message] = []
    left = anyio.Event()

    async def receive() -> dict[str, Any]:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message.get("body"):
            got.append(json.loads(message["body"]))
        if len(got) >= leave_after:
            left.set()
            await anyio.sleep(0)

    async def one() -> None:
        with anyio.fail_after(20):
            await Lines(answers(completer, turns, anyio.CapacityLimiter(1), QUESTION))(
                {"type": "http"}, receive, send
            )

    anyio.run(one)
    return got


def test_the_model_stops_when_the_reader_leaves(completer: Completer) -> None:
    Endless.stopped = False
    turns = Turns(1, 1)
    got = asked(Endless(completer.decoder, "endless", {}), turns, 3)
    assert 3 <= len(got) <= 4
    assert Endless.stopped
    # Its place is free again.
    assert turns.ahead(turns.join()) == 0


def test_who_leaves_the_line_is_forgotten(completer: Completer) -> None:
    turns = Turns(1, 1)
    turns.join()
    assert asked(completer, turns, 1) == [{"waiting": 1}]
    assert turns.ahead(turns.join()) == 1


class Counting(Completer):
    """Draws ten points, slowly, and counts how many do so at the same moment."""

    now = most = 0

    def stream(self, sketch: Any, category: Any = None, count: int = 9, *rest: Any, **more: Any) -> Any:
        growth = next(super().stream(sketch, category, count))
        for _ in range(10):
            Counting.now += 1
            Counting.most = max(Counting.most, Counting.now)
            time.sleep(0.02)
            Counting.now -= 1
            yield growth


@pytest.mark.parametrize("computing", [1, 3])
def test_no_more_compute_at_once_than_may(completer: Completer, computing: int) -> None:
    Counting.now = Counting.most = 0

    async def one(turns: Turns, limiter: anyio.CapacityLimiter) -> None:
        slow = Counting(completer.decoder, "counting", {})
        found = [message async for message in answers(slow, turns, limiter, QUESTION)]
        assert found[-1]["done"]

    async def everybody() -> None:
        turns, limiter = Turns(9, 9), anyio.CapacityLimiter(computing)
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(one, turns, limiter)

    anyio.run(everybody)
    assert Counting.most == computing


def test_a_crowd_is_refused(completer: Completer) -> None:
    turns = Turns(1, 0)
    turns.join()
    (message,) = asked(completer, turns, 1)
    assert "try again" in message["error"]


def test_the_model_s_own_errors_give_the_place_back(completer: Completer) -> None:
    class Broken(Completer):
        def stream(self, *all_: Any, **more: Any) -> Any:
            raise RuntimeError("broken")

    turns = Turns(1, 1)

    async def one() -> None:
        found: AsyncGenerator[Message, None] = answers(
            Broken(completer.decoder, "broken", {}), turns, anyio.CapacityLimiter(1), QUESTION
        )
        with pytest.raises(RuntimeError):
            await anext(found)

    anyio.run(one)
    assert turns.ahead(turns.join()) == 0
