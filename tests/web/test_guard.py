"""What the server takes from strangers, on an app that takes everything, and on a connection of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.testclient import TestClient

from sketchgen.web import guard
from sketchgen.web.guard import MAX_BODY, MAX_BY_ADDRESS, Connection, Guard
from tests.support.loops import run_alone

JSON = {"content-type": "application/json"}


def app() -> FastAPI:
    """An app that says how long a request's body is, or sends one without end."""
    made = FastAPI()

    async def count(asked: Request) -> Response:
        return PlainTextResponse(str(len(await asked.body())))

    async def endless(_: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            while True:
                yield b" " * 2**20
                await anyio.sleep(0)

        return StreamingResponse(chunks())

    made.add_route("/endless", endless)
    made.add_route("/{path:path}", count, methods=["GET", "POST"])
    return made


@pytest.fixture
def client() -> TestClient:
    return TestClient(Guard(app(), ["Draw.example.org"]), base_url="http://localhost:7860")


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:7860", None, 200),
        ("127.0.0.1:7860", "http://127.0.0.1:7860", 200),
        ("192.168.1.20", "http://192.168.1.20", 200),
        ("[::1]:7860", "http://[::1]:7860", 200),
        ("DRAW.example.org", "https://draw.example.org", 200),
        # A proxy that does not pass the name on.
        ("localhost:7860", "https://draw.example.org", 200),
        ("evil.example", None, 400),
        ("draw.example.org.evil.example", None, 400),
        ("", None, 400),
        ("[", None, 400),
        ("127.0.0.1.evil.example", None, 400),
        ("localhost:7860", "https://evil.example", 403),
        ("localhost:7860", "http://localhost:3000", 403),
        ("localhost:7860", "http://192.168.1.20:7860", 403),
        ("localhost:7860", "null", 403),
        ("localhost:7860", "http://[", 403),
    ],
)
def test_only_pages_of_its_own_names_may_ask(
    client: TestClient, host: str, origin: str | None, status: int
) -> None:
    headers = {"host": host} | ({"origin": origin} if origin else {})
    answer = client.get("/", headers=headers)
    assert answer.status_code == status
    if status != 200:
        assert "\n" not in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/theme.css", 200),
        ("/assets/index.js", 200),
        ("/sketchgen/draw", 200),
        ("/gradio_api/queue/data", 200),
        ("/gradio_api/call/complete/1", 200),
        ("/gradio_api/mcp/", 200),
        ("/gradio_api/upload", 404),
        ("/gradio_api/upload_progress", 404),
        ("/gradio_api/file=/etc/passwd", 404),
        ("/gradio_api/file/a", 404),
        ("/gradio_api/proxy=http://localhost", 404),
        ("/gradio_api/component_server", 404),
        ("/gradio_api/run/complete", 404),
        ("/gradio_api/vibe-edit", 404),
        ("/file=a", 404),
        ("/login", 404),
        ("/monitoring/summary", 404),
        ("/config/x", 404),
    ],
)
def test_only_what_is_needed_is_there(client: TestClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_only_json_of_a_limited_size_is_taken(client: TestClient) -> None:
    def posted(content: Any, kind: str = "application/json", **headers: str) -> int:
        return client.post("/", content=content, headers={"content-type": kind, **headers}).status_code

    assert posted(b"{}") == posted(b"{}", "application/json; charset=utf-8") == 200
    assert posted(b"{}", "text/plain") == posted(b"", "multipart/form-data; boundary=x") == 415
    assert posted(b" " * MAX_BODY) == 200
    assert posted(b" " * (MAX_BODY + 1)) == 413
    assert posted(iter([b" " * MAX_BODY, b" "])) == 413
    for length in ("-1", "x", "9" * 5000):
        assert posted(b"{}", **{"content-length": length}) == 413


def asked(receive: Callable[[], Any], guarded: Guard) -> int:
    """The status of a POST whose body `receive` tells."""
    found: list[int] = []

    async def send(message: Any) -> None:
        found.append(message.get("status", 0))

    async def one() -> None:
        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
        with anyio.fail_after(20):
            await guarded(scope | {"client": ("1.2.3.4", 5)}, receive, send)

    run_alone(one)
    return found[0]


def test_a_body_has_a_limited_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)

    async def dripping() -> dict[str, Any]:
        await anyio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    assert asked(dripping, Guard(app())) == 408


def test_an_address_has_a_limited_number_of_requests() -> None:
    async def whole() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    guarded = Guard(app())
    guarded.present["1.2.3.4"] = MAX_BY_ADDRESS - 1
    assert asked(whole, guarded) == 200
    guarded.present["1.2.3.4"] = MAX_BY_ADDRESS
    assert asked(whole, guarded) == 429
    # Who has been answered is forgotten, and others have nothing to do with it.
    guarded.present["1.2.3.4"] = 0
    assert asked(whole, guarded) == 200
    assert not guarded.present


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where a server listens that is in a hurry and takes two connections of an address."""
    monkeypatch.setattr(guard, "IDLE_SECONDS", 0.1)
    monkeypatch.setattr(guard, "MAX_BY_ADDRESS", 2)
    config = uvicorn.Config(app(), http=Connection, ws="none", log_level="error", forwarded_allow_ips="")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(20)


def ended(connection: socket.socket, drip: bytes = b"", seconds: float = 20) -> bool:
    """Whether the server ends a connection on which now and then a byte comes."""
    connection.settimeout(0.05)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if drip:
                connection.send(drip)
            if connection.recv(1) == b"":
                return True
        except TimeoutError:
            pass
        except OSError:
            return True
    return False


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        (b"", b""),
        (b"GET / HT", b""),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: ", b"x"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nx: ", b"x"),
    ],
)
def test_who_sends_no_request_is_not_waited_for(port: int, first: bytes, drip: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(first)
        assert ended(connection, drip)


def test_who_reads_no_answer_is_not_waited_for(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(0.05)
        # What is on its way already can be read, and no more.
        end = time.monotonic() + 20
        connection.settimeout(20)
        seen = 0
        while time.monotonic() < end:
            time.sleep(0.5 if not seen else 0)
            try:
                part = connection.recv(2**16)
            except OSError:
                break
            if not part:
                break
            seen += len(part)
        else:
            pytest.fail(f"{seen} bytes came")


def test_an_address_has_a_limited_number_of_connections(port: int) -> None:
    many = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    assert ended(many[2], seconds=5)
    for each in many:
        each.close()
