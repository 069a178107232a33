"""What the page is told of the network's distributions, with a small model and without a network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sketchgen.completion.completer import Completer
from sketchgen.completion.partial_sketch import PartialSketch
from sketchgen.sketch.sketch import Box, Sketch
from sketchgen.web.think import MAX_COMPONENTS, MAX_POINTS, PATH, think_route, thoughts
from tests.support import untrained

PAGE = Box(0, 0, 640, 480)
GIVEN = Sketch.from_strokes([[(100, 100), (200, 300), (320, 80)]], page=PAGE)
ADDED = [[[320, 80], [350, 120]], [[200, 200], [240, 210], [260, 190]]]
QUESTION: dict[str, Any] = {
    "drawing": {"strokes": [stroke.tolist() for stroke in GIVEN.strokes], "width": 640, "height": 480},
    "added": ADDED,
    "category": "cat",
}


@pytest.fixture(scope="module")
def completer() -> Completer:
    return untrained.tiny("cat")


@pytest.fixture
def client(completer: Completer) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[think_route(completer)])) as client:
        yield client


def test_there_is_a_thought_before_each_point_and_one_after_the_last(client: TestClient) -> None:
    answer = client.post(PATH, json=QUESTION).json()
    # The first added point is the last given one: that stroke goes on.
    assert [step["at"] for step in answer["steps"]] == [[320, 80], *ADDED[0][1:], *ADDED[1]]
    assert answer["category"] == "cat"
    for step in answer["steps"]:
        weights = [component[0] for component in step["components"]]
        assert weights == sorted(weights, reverse=True)
        assert 0.95 < sum(weights) < 1.001
        assert len(weights) <= MAX_COMPONENTS
        assert 0 <= step["end"] <= 1
        assert all(xx > 0 and yy > 0 and xy**2 < xx * yy for _, _, _, xx, xy, yy, _ in step["components"])
    # A drawing ends only with the pen up.
    up = [True, True, False, False, True]
    assert [step["end"] > 0 for step in answer["steps"]] == [False, *up[1:]]


def test_the_thoughts_are_the_distributions_of_the_network(completer: Completer) -> None:
    page, added = PartialSketch.of(GIVEN), Sketch.from_strokes(ADDED[1:], page=PAGE)
    first = thoughts(completer, GIVEN, added, "cat")["steps"][0]
    step, _ = completer.decoder.prime(page.prefix(np.array([0]), np.array([False])))
    weight, *mean = first["components"][0][:3]
    heaviest = int(step.log_weight[0].argmax())
    assert weight == pytest.approx(np.exp(step.log_weight[0, heaviest]), rel=1e-3)
    assert mean == pytest.approx(page.on_page(step.mean[0, heaviest]).tolist(), rel=1e-3)
    # Another category is another thought.
    assert thoughts(completer, GIVEN, added, None)["steps"][0] != first


def test_nothing_given_and_nothing_added_is_a_thought_too(completer: Completer) -> None:
    (only,) = thoughts(completer, Sketch(page=PAGE), Sketch(page=PAGE), None)["steps"]
    assert only["at"] == list(PAGE.centre)
    assert only["components"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"added": [[[k, 0] for k in range(MAX_POINTS + 1)]]}, "points"),
        ({"added": None}, "added"),
        ({"added": [[]]}, "no points"),
        ({"drawing": None}, "drawing"),
        ({"drawing": {"strokes": [[["x", 1]]]}}, "number"),
        ({"category": "no such thing"}, "no such thing"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(client: TestClient, change: Any, words: str) -> None:
    error = client.post(PATH, json={**QUESTION, **change}).json()["error"]
    assert words in error
    assert "\n" not in error


def test_only_json_is_taken(client: TestClient) -> None:
    assert client.post(PATH, content="{", headers={"content-type": "application/json"}).status_code == 400
    assert "error" in client.post(PATH, json=[]).json()
