"""A server of files on this machine that behaves as it is told to: well, or in the ways of bad ones."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """How one request for a file is answered; by default as a good server does."""

    status: int | None = None
    """Answer with this status and no file."""
    headers: dict[str, str | None] = field(default_factory=dict)
    """Headers in place of the right ones; None leaves one out."""
    body: bytes | None = None
    """Send this in place of the file."""
    drop: int | None = None
    """Break the connection after so many bytes of the body."""
    ranges: bool = True
    """Whether Range is heeded."""
    check_range: bool = True
    """Whether If-Range is heeded."""
    chunked: bool = False
    """Send it in chunks, without a length."""
    before: Callable[[], object] = lambda: None
    """Called before the answer."""
    stall: threading.Event | None = None
    """Wait for this in the middle: where the connection is to be broken, else at half of the body."""


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def start(self) -> int | None:
        """The first byte that was asked for, if it was a part."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(found[1]) if found else None


class Bucket:
    """The server: `files` by path, `script` how to answer the next requests, `requests` what came."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.script: dict[str, list[Answer]] = {}
        self.requests: list[Request] = []
        self.etag: str | None = None
        self.sent = 0
        bucket = self

        class Handler(_Handler):
            owner = bucket

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # Clients leave in the middle here.

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.base = f"http://127.0.0.1:{self.server.server_port}/bucket"

    def put(self, path: str, data: bytes, *answers: Answer) -> None:
        """Serve a file, and the next requests for it in these ways."""
        self.files[f"/bucket/{path}"] = data
        self.script[f"/bucket/{path}"] = list(answers)

    def starts(self) -> list[int | None]:
        """From which bytes on files were asked for."""
        return [request.start for request in self.requests if request.method == "GET"]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def headers_of(data: bytes, etag: str | None = None) -> dict[str, str]:
    """What Google's storage says of a file."""
    digest = hashlib.md5(data).digest()
    return {
        "Content-Type": "application/octet-stream",
        "ETag": etag or f'"{digest.hex()}"',
        "x-goog-hash": f"crc32c=AAAAAA==,md5={base64.b64encode(digest).decode()}",
        "x-goog-stored-content-encoding": "identity",
    }


class _Handler(BaseHTTPRequestHandler):
    owner: Bucket
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(Answer(), send=False)

    def do_GET(self) -> None:
        waiting = self.owner.script.get(self.path, [])
        self._answer(waiting.pop(0) if waiting else Answer(), send=True)

    def _answer(self, answer: Answer, send: bool) -> None:
        request = Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
        self.owner.requests.append(request)
        answer.before()
        data = self.owner.files.get(self.path) if answer.body is None else answer.body
        if answer.status is not None or data is None:
            self._send(answer.status or 404, {**answer.headers}, answer.body or b"", answer, send)
            return
        headers: dict[str, str | None] = {**headers_of(data, self.owner.etag)}
        etag = answer.headers.get("ETag", headers["ETag"])
        fits = request.headers.get("if-range") in (None, etag) or not answer.check_range
        start, status = request.start, 200
        if start is not None and answer.ranges and fits:
            if start >= len(data):
                self._send(416, {"Content-Range": f"bytes */{len(data)}"}, b"", answer, send)
                return
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            data, status = data[start:], 206
        self._send(status, {**headers, **answer.headers}, data, answer, send)

    def _send(
        self, status: int, headers: dict[str, str | None], data: bytes, answer: Answer, send: bool
    ) -> None:
        self.send_response(status)
        length = {"Transfer-Encoding": "chunked"} if answer.chunked else {"Content-Length": str(len(data))}
        for name, value in {**length, **headers}.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        if not send:
            return
        part = data if answer.drop is None else data[: answer.drop]
        middle = len(data) // 2 if answer.drop is None else answer.drop
        self._write(part[:middle], answer.chunked)
        if answer.stall is not None:
            answer.stall.wait(20)
        self._write(part[middle:], answer.chunked)
        if answer.chunked and answer.drop is None:
            self.wfile.write(b"0\r\n\r\n")
        self.owner.sent += len(part)
        if answer.drop is not None or headers.get("Connection") == "close":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_WR)

    def _write(self, data: bytes, chunked: bool) -> None:
        for at in range(0, len(data), 50_000):
            piece = data[at : at + 50_000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
