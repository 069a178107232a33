"""Opening and saving through the server, in a process that can be stopped."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sketchgen.errors import FormatError
from sketchgen.web import files
from sketchgen.web.files import file_routes, in_time
from tests.support.loops import run_alone

DRAWING = {"strokes": [[[1, 2], [30, 40]]], "width": 640, "height": 480}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=file_routes())) as client:
        yield client


def test_what_is_saved_can_be_opened(client: TestClient) -> None:
    saved = client.post("/sketchgen/export", json={"drawing": DRAWING, "format": "json"}).json()
    assert (saved["name"], saved["type"]) == ("drawing.json", "application/json")
    text = base64.b64decode(saved["base64"]).decode()
    opened = client.post("/sketchgen/open", json={"text": text, "name": "a.json"}).json()
    assert opened["strokes"] == DRAWING["strokes"]
    assert opened["styles"] == [{"added": False}]


@pytest.mark.parametrize(
    ("name", "question", "words"),
    [
        ("open", {"text": "<svg", "name": "a.svg"}, "a.svg is not SVG"),
        ("open", {"text": " " * 3_000_000, "name": "a.svg"}, "larger than 2 MB"),
        ("open", [], "by its text"),
        ("export", {"drawing": DRAWING, "format": "bmp"}, "no format 'bmp'"),
        ("export", 3, "no format"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, name: str, question: Any, words: str) -> None:
    answer = client.post(f"/sketchgen/{name}", json=question)
    assert answer.status_code == 200
    assert list(answer.json()) == ["error"]
    assert words in answer.json()["error"]


def test_what_never_ends_is_ended_and_the_next_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both() -> None:
        limiter = anyio.CapacityLimiter(1)
        monkeypatch.setattr(files, "SECONDS", 0.2)
        with pytest.raises(FormatError, match=r"longer than 0\.2 s"):
            await in_time(limiter, time.sleep, 600)
        monkeypatch.setattr(files, "SECONDS", 60.0)
        assert await in_time(limiter, abs, -3) == 3

    run_alone(both)
