"""What the page is told of drawings between two, and of variations, by a small model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sketchgen.web.assets import facts
from sketchgen.web.latent import MAX_DRAWINGS, PATH, latent_routes
from tests.support import untrained

DRAWING = {"drawing": {"strokes": [[[100, 100], [200, 300], [320, 80]]], "width": 640, "height": 480}}
BETWEEN: dict[str, Any] = {"first": DRAWING, "last": {"category": "CAT"}, "count": 3}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    completer = untrained.completer(untrained.shaped({"latent": 6}))
    with TestClient(Starlette(routes=latent_routes(completer))) as client:
        yield client


def test_a_model_without_a_vector_has_the_view_if_the_bundled_one_knows_its_categories() -> None:
    own = untrained.completer(untrained.shaped({"latent": 6}))
    models = [own, untrained.tiny("cat", "pig"), untrained.tiny("cat", "my hand")]
    assert [len(latent_routes(each)) for each in models] == [1, 1, 0]
    assert [facts(each)["latent"] for each in models] == [True, True, False]


@pytest.mark.parametrize(
    "question",
    [BETWEEN, {"first": DRAWING, "strength": 0.5, "count": 3}, {**BETWEEN, "first": {"category": "sun"}}],
)
def test_as_many_drawings_as_were_asked_for(client: TestClient, question: Any) -> None:
    drawings = client.post(PATH, json=question).json()["drawings"]
    assert len(drawings) == 3
    assert all(len(point) == 2 for drawing in drawings for stroke in drawing for point in stroke)
    assert client.post(PATH, json=question).json()["drawings"] == drawings


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"first": None}, "first: neither"),
        ({"last": {"category": "none"}}, "last: neither"),
        ({"last": {"category": "dragonn"}}, "no category"),
        ({"last": {"drawing": {"strokes": []}}}, "empty"),
        ({"last": {"drawing": {"strokes": [[["x", 1]]]}}}, "number"),
        ({"count": MAX_DRAWINGS + 1}, "count"),
        ({"count": 1}, "steps"),
        ({"strength": 2}, "strength"),
        ({"strength": 1, "first": {"category": "sun"}}, "not of a category"),
        ({"strength": None}, "strength"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(client: TestClient, change: Any, words: str) -> None:
    error = client.post(PATH, json={**BETWEEN, **change}).json()["error"]
    assert words in error
    assert "\n" not in error
