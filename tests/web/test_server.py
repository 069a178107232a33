"""The served app from a program's side: the endpoint, the agents' tool, and what strangers may send."""

from __future__ import annotations

import json
import re
import socket
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import Server

LINE = json.dumps({"strokes": [[[100, 100], [200, 300], [320, 80]]], "width": 640, "height": 480})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The page as `sketchgen web` serves it, in a process of its own."""
    server = Server("-m", "sketchgen", "web", "--port", "0")
    yield server.url.rstrip("/")
    server.stop()


@pytest.fixture(scope="module")
def client(url: str) -> Any:
    from gradio_client import Client

    return Client(url, verbose=False)


def test_a_program_gets_completions(client: Any) -> None:
    found = json.loads(client.predict(LINE, "cat", 2, 0.4, 1, "svg", api_name="/complete"))["completions"]
    assert len(found) == 2
    for each in found:
        root = ElementTree.fromstring(each["svg"])
        assert sum(child.tag.endswith("}g") for child in root.iter()) == 2
        assert each["ended"] in (True, False)
    again = client.predict(LINE, "cat", 2, 0.4, 1, "svg", api_name="/complete")
    assert json.loads(again)["completions"] == found


def test_a_program_may_ask_for_guidance(client: Any) -> None:
    answers = {
        asked: client.predict(LINE, "cat", 1, 0.4, 1, "json", *asked, api_name="/complete")
        for asked in ((), (2.0,), (None,), (0.0,))
    }
    # The bundled model's own is 2.
    assert answers[()] == answers[2.0,] == answers[None,] != answers[0.0,]


def test_a_program_may_ask_for_the_best_of_some(client: Any) -> None:
    # Symmetric and without a page: else a mirror image, and drawings that fit the page, would be candidates.
    path = '<path stroke="red" d="M100 100L200 300L300 100"/>'
    even = f'<svg xmlns="http://www.w3.org/2000/svg">{path}</svg>'

    def asked(count: int, best_of: int, category: str = "cat", drawing: str = even) -> list[Any]:
        told = {"count": count, "best_of": best_of, "category": category, "form": "json"}
        return json.loads(client.predict(drawing, **told, api_name="/complete"))["completions"]

    candidates, best = asked(8, 1), asked(2, 4)
    assert all(each in candidates for each in best)
    assert best[0] != best[1]
    # The first is the best of all that were drawn.
    assert asked(1, 8) == best[:1]
    (liked,) = asked(1, 8, "none")
    assert liked["category"] is None
    # From nothing, of nothing in particular, there is nothing to choose by.
    blank = '{"strokes": [], "width": 640, "height": 480}'
    assert asked(1, 4, "none", blank) == asked(1, 1, "none", blank)


def test_a_program_is_told_what_was_guessed(client: Any) -> None:
    found = json.loads(client.predict(LINE, count=2, form="json", api_name="/complete"))
    names = [guess["category"] for guess in found["guesses"]]
    assert len(names) == 5
    assert {each["category"] for each in found["completions"]} <= {*names, None}
    told = json.loads(client.predict(LINE, "cat", 1, api_name="/complete"))
    assert (told["guesses"], told["completions"][0]["category"]) == ([], "cat")


def test_the_documented_example_runs(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "web.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(example.replace("http://127.0.0.1:7860", url), {})
    assert capsys.readouterr().out.count("<svg") == 2


def test_strokes_and_svg_are_taken_and_given_comes_back(client: Any) -> None:
    path = '<path stroke="red" d="M10 10L50 60"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 90">{path}</svg>'
    for drawing, given in ((LINE, [[100, 100], [200, 300], [320, 80]]), (svg, [[10, 10], [50, 60]])):
        text = client.predict(drawing, count=1, form="json", api_name="/complete")
        (found,) = json.loads(text)["completions"]
        assert found["drawing"]["given"] == 1
        assert found["drawing"]["strokes"][0] == given
        assert len(found["drawing"]["strokes"]) > 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"drawing": "not a drawing"}, "neither SVG nor JSON"),
        ({"drawing": '{"strokes": [[[NaN, 1]]]}'}, "not JSON"),
        ({"drawing": '{"strokes": [[["a", "b"]]]}'}, "must be a number"),
        ({"drawing": json.dumps({"strokes": [[[k % 9, 1] for k in range(10**5)]]})}, "at most 20000"),
        ({"category": "<b>catt</b>"}, "no category"),
        ({"category": "catt"}, "did you mean"),
        ({"count": -1}, "count must be"),
        ({"count": 10_000}, "count must be"),
        ({"temperature": -1}, "temperature must be"),
        ({"temperature": 1e9}, "temperature must be"),
        ({"seed": -4}, "seed must be"),
        ({"guidance": -1}, "guidance must be"),
        ({"best_of": 17}, "best_of must be"),
    ],
)
def test_the_endpoint_says_what_is_wrong(client: Any, values: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words) as caught:
        client.predict(**{"drawing": LINE, **values}, api_name="/complete")
    assert "Traceback" not in str(caught.value)
    assert "/sketchgen/" not in str(caught.value)


def test_only_the_endpoint_for_programs_is_shown(client: Any) -> None:
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/complete"]


def test_a_flood_is_refused_before_it_is_read(url: str) -> None:
    for path in ("/gradio_api/queue/join", "/sketchgen/draw"):
        answer = httpx.post(url + path, content=b"x" * 50_000_000, timeout=60)
        assert answer.status_code == 413
        assert "4 MB" in answer.text


def test_a_flood_that_does_not_say_its_size_is_refused(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as flood:
        flood.sendall(
            b"POST /sketchgen/draw HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for _ in range(5):
            flood.sendall(chunk)
        # The end has not been sent: who waited for it would not answer.
        assert flood.recv(1000).startswith(b"HTTP/1.1 413")
    assert httpx.get(url).status_code == 200


@pytest.mark.parametrize(
    "path", ["/gradio_api/file=/etc/passwd", "/file=pyproject.toml", "/gradio_api/file=../pyproject.toml"]
)
def test_no_file_of_the_machine_is_served(url: str, path: str) -> None:
    assert httpx.get(url + path, follow_redirects=True).status_code == 404


def test_what_gradio_does_not_expect_is_no_error_of_the_server(url: str) -> None:
    question = {"data": [], "fn_index": 999, "session_hash": "x"}
    assert httpx.post(url + "/gradio_api/queue/join", json=question).status_code == 400


def test_no_file_is_taken(url: str) -> None:
    assert httpx.post(url + "/gradio_api/upload", files={"files": b"x"}).status_code == 404


@pytest.mark.parametrize("path", ["/gradio_api/queue/join", "/sketchgen/draw"])
def test_a_connection_dropped_half_way_hurts_nobody(url: str, client: Any, path: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    kind = "content-type: application/json\r\ncontent-length: 1000"
    with socket.create_connection((host, int(port))) as half:
        half.sendall(f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{kind}\r\n\r\n{{".encode())
    assert client.predict(LINE, count=1, api_name="/complete")


def test_starting_the_page_leaves_no_file_in_the_package(url: str) -> None:
    package = Path(__file__).parents[2] / "sketchgen"
    assert httpx.get(url).status_code == 200
    assert list(package.rglob("*.pyi")) == []


def test_agents_find_the_tool(url: str) -> None:
    headers = {"accept": "application/json, text/event-stream"}

    def call(method: str, **params: Any) -> Any:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = httpx.post(f"{url}/gradio_api/mcp/", json=question, headers=headers, timeout=60)
        answer.raise_for_status()
        data = [line for line in answer.text.splitlines() if line.startswith("data:")]
        return json.loads(data[-1].removeprefix("data:") if data else answer.text)["result"]

    (tool,) = call("tools/list")["tools"]
    assert "Complete a partial drawing" in tool["description"]
    assert set(tool["inputSchema"]["properties"]) >= {"drawing", "category", "count", "temperature", "seed"}
    found = call("tools/call", name=tool["name"], arguments={"drawing": LINE, "category": "cat", "count": 1})
    text = found["content"][0]["text"]
    assert ElementTree.fromstring(json.loads(text)["completions"][0]["svg"]).tag.endswith("svg")
