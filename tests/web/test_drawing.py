"""The address at which the page asks for completions, with a small model and without a network."""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sketchgen.completion.completer import Completer
from sketchgen.completion.run import NextPoints
from sketchgen.ranking.ranker import Ranker
from sketchgen.web import drawing
from sketchgen.web.drawing import PATH, Lines, Turns, answers, route
from sketchgen.web.request import Message, checked, messages
from tests.support import untrained
from tests.support.critics import reward_model
from tests.support.loops import run_alone
from tests.support.recognisers import recogniser

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
    return untrained.tiny("cat")


@pytest.fixture
def client(completer: Completer) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[route(completer)])) as client:
        yield client


def lines(answer: Any) -> list[Message]:
    return [json.loads(line) for line in answer.text.splitlines()]


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
    completer: Completer, monkeypatch: pytest.MonkeyPatch, flush: float
) -> None:
    monkeypatch.setattr("sketchgen.web.request.FLUSH", flush)
    request = checked(completer, DRAWING, "cat", 3, 0.5, 5)
    found = [json.loads(json.dumps(message)) for message in messages(completer, request)]
    whole = request.complete(completer).completions or []
    assert grown(found, 3) == [[stroke.tolist() for stroke in each.added.strokes] for each in whole]
    assert all(len(message["alts"]) == 3 for message in found)
    assert [message["done"] for message in found] == [False] * (len(found) - 1) + [True]
    assert found[-1]["categories"] == ["cat"] * 3
    assert not any("guesses" in message for message in found)


def test_the_first_message_tells_the_guesses(completer: Completer) -> None:
    model = replace(completer, ranker=Ranker(recogniser(), reward_model()))
    first, *others = messages(model, checked(model, DRAWING, None, 2, 0.5, 5))
    assert first["guesses"] == [["cat", 1.0]]
    assert not any("guesses" in message for message in others)
    assert others[-1]["categories"] == ["cat", "cat"]


@pytest.mark.parametrize("flush", [0.0, 1e9])
def test_the_first_candidates_are_shown_until_the_best_are_known(
    completer: Completer, flush: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sketchgen.web.request.FLUSH", flush)
    model = replace(completer, ranker=Ranker(recogniser(), reward_model()))
    request = checked(model, DRAWING, "cat", 3, 0.5, 14, best_of=2)
    found = [json.loads(json.dumps(message)) for message in messages(model, request)]
    *before, last = found
    best = [
        [stroke.tolist() for stroke in each.added.strokes]
        for each in request.complete(model).completions or ()
    ]
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


def test_the_first_point_comes_at_once_and_stopping_stops(completer: Completer) -> None:
    run = messages(completer, replace(checked(completer, [], "cat", 3, 0.5, 5), count=9))
    assert [len(points) for points in next(run)["alts"]] == [1] * 9
    run.close()
    assert list(run) == []


def test_the_lines_make_up_the_completions(client: TestClient, completer: Completer) -> None:
    answer = client.post(PATH, json=QUESTION)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    found = lines(answer)
    assert [message["done"] for message in found] == [False] * (len(found) - 1) + [True]
    sketch = checked(completer, DRAWING, "cat", 3, 0.5, 5).sketch
    for row, whole in enumerate(completer.complete(sketch, "cat", 3, 0.5, 5)):
        points = [point[:2] for message in found for point in message["alts"][row]]
        assert points == whole.added.points.tolist()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"drawing": None}, "no drawing"),
        ({"drawing": {"strokes": [[["<script>", 1]]]}}, "must be a number"),
        ({"category": {"a": 1}}, "must be a name"),
        ({"count": 10**9}, "count"),
        ({"temperature": "1"}, "temperature"),
        ({"seed": "x"}, "seed"),
        ({"guidance": 2.0}, "cannot be guided"),
    ],
)
def test_what_is_wrong_is_the_only_line(client: TestClient, change: dict[str, Any], words: str) -> None:
    (message,) = lines(client.post(PATH, json=QUESTION | change))
    assert list(message) == ["error"]
    assert words in message["error"]


def test_what_is_no_json_and_json_that_is_no_question_are_refused(client: TestClient) -> None:
    def asked(content: str) -> Any:
        return client.post(PATH, content=content, headers={"content-type": "application/json"})

    for content in (
        "",
        "{",
        "[" * 100_000,
        "\xff",
        '"' + "x" * 1000,
        '{"drawing": {"strokes": [[[NaN, 1]]]}}',
    ):
        answer = asked(content)
        assert (answer.status_code, answer.json()) == (400, {"detail": "the request is not JSON"})
    for content in ("null", "3", "[]", '"x"', "{}"):
        assert [list(message) for message in lines(asked(content))] == [["error"]]


def test_of_a_request_only_what_is_needed_is_kept(
    completer: Completer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Junk(list[Any]):
        """Something large that nobody asked for."""

    kept: list[weakref.ref[Junk]] = []

    def loads(text: bytes) -> Any:
        junk = Junk()
        kept.append(weakref.ref(junk))
        return json.loads(text) | {"junk": junk}

    monkeypatch.setattr(drawing.orjson, "loads", loads)

    class Looking(Completer):
        def stream(self, *all_: Any, **more: Any) -> Any:
            for each in super().stream(*all_, **more):
                assert kept[0]() is None
                yield each

    looking = Looking(completer.decoder, "looking", {})
    with TestClient(Starlette(routes=[route(looking)])) as client:
        assert lines(client.post(PATH, json=QUESTION))[-1]["done"]


def test_a_run_has_a_limited_time(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "RUN_SECONDS", -1.0)
    *_, last = lines(client.post(PATH, json=QUESTION))
    assert "ask for fewer alternatives" in last["error"]


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

    run_alone(one)
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
            time.sleep(0.01)
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

    run_alone(everybody)
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

    run_alone(one)
    assert turns.ahead(turns.join()) == 0


def served(capacity: int, people: int) -> tuple[list[int], int, dict[int, list[int]]]:
    """The order in which people were served, the most at once, and what each was told of those ahead."""
    order: list[int] = []
    told: dict[int, list[int]] = {}
    now = most = 0

    async def person(turns: Turns, number: int) -> None:
        nonlocal now, most
        mine = turns.join()
        try:
            told[number] = [ahead async for ahead in turns.wait(mine)]
            order.append(number)
            now, most = now + 1, max(most, now + 1)
            await anyio.sleep(0.01 + 0.005 * (number % 3))
            now -= 1
        finally:
            turns.leave(mine)

    async def everybody() -> None:
        turns = Turns(capacity, 100)
        async with anyio.create_task_group() as group:
            for number in range(people):
                group.start_soon(person, turns, number)
                await anyio.sleep(0)

    run_alone(everybody)
    return order, most, told


@pytest.mark.parametrize("capacity", [1, 3])
def test_people_are_served_in_the_order_they_came_and_never_too_many(capacity: int) -> None:
    order, most, told = served(capacity, 12)
    assert order == sorted(order)
    assert most == capacity
    for number in range(12):
        waited = max(0, number - capacity + 1)
        assert told[number][:1] == [waited][: min(waited, 1)]
        assert told[number] == sorted(set(told[number]), reverse=True)


def test_who_leaves_the_line_lets_the_others_move_up() -> None:
    async def line() -> None:
        turns = Turns(1, 5)
        first, second, third = (turns.join() for _ in range(3))
        assert [turns.ahead(each) for each in (first, second, third)] == [0, 1, 2]
        turns.leave(second)
        assert turns.ahead(third) == 1
        with anyio.fail_after(1):
            async for ahead in turns.wait(third):
                assert ahead == 1
                turns.leave(first)

    run_alone(line)
