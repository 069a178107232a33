"""What the server takes from strangers: from which pages, at which addresses, how much, for how long."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections import Counter
from collections.abc import Collection
from urllib.parse import urlsplit

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from sketchgen.limits import shortened

MAX_BODY = 4 * 1024 * 1024
"""Largest request taken, bytes."""

BODY_SECONDS = 60.0
"""Time in which the body of a request must be there."""

IDLE_SECONDS = 10.0
"""Time in which a request must begin, or something of an answer be read; it may be twice as long."""

MAX_BY_ADDRESS = 100
"""Connections, and requests, of one address at the same time: a school has one for all."""

FOLDERS = ("assets", "static", "svelte", "sketchgen")

FILES = ("", "config", "theme.css", "favicon.ico", "manifest.json", "robots.txt")

API = (
    "info",
    "app_id",
    "startup-events",
    "theme.css",
    "heartbeat",
    "queue",
    "call",
    "cancel",
    "reset",
    "mcp",
)
"""Parts of Gradio's interface that the page, programs and agents need. Its uploads, files and proxies are no
part of it."""


class Guard:
    """Answer only what the page, programs and agents ask for, and only pages of this server's own names.

    A page of another site, or one whose name has been made to point here, could otherwise use a server that
    only its visitor can reach.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        """Guard an app.

        Args:
            app: what answers.
            names: names of the server besides local ones and addresses.
        """
        own = socket.gethostname().lower()
        self.app = app
        self.names = {"localhost", own, f"{own}.local", *(name.lower() for name in names)}
        self.configured = {name.lower() for name in names}
        self.present: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        address, _ = scope.get("client") or ("", 0)
        self.present[address] += 1
        try:
            if self.present[address] > MAX_BY_ADDRESS:
                raise HTTPException(
                    429, f"over {MAX_BY_ADDRESS} requests at once from {address}; ask for fewer"
                )
            self._check(scope, Headers(scope=scope))
            await self.app(scope, _Body(receive).receive, send)
        except HTTPException as error:
            # Of the check above; the app itself answers those that are raised while it reads the body.
            await JSONResponse({"detail": error.detail}, error.status_code)(scope, receive, send)
        finally:
            self.present[address] -= 1
            if not self.present[address]:
                del self.present[address]

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raise an HTTPException for what is not answered."""
        host, origin = headers.get("host", ""), headers.get("origin")
        place, name = _place(f"//{host}")
        if not (name in self.names or _is_address(name)):
            why = f"{shortened(host)} is no known name of this server"
            raise HTTPException(400, f"{why}; start it with --public-name to serve it under another one")
        theirs, their_name = _place(origin or f"//{host}")
        if theirs != place and their_name not in self.configured:
            raise HTTPException(403, "pages of other sites may not ask this server")
        if not _is_open(scope["path"]):
            raise HTTPException(404, "there is nothing at this address")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > MAX_BODY:
            raise _too_large()
        # Other sites' pages may send plain text and files to any address, but no JSON without asking first.
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if scope["method"] == "POST" and kind != "application/json":
            raise HTTPException(415, "the request must be application/json")


def _place(address: str) -> tuple[str, str]:
    """Return name and port within an address, as written, and the name; nothing where there is none."""
    try:
        parts = urlsplit(address.lower())
        return parts.netloc, parts.hostname or ""
    except ValueError:
        return "", ""


def _is_address(name: str) -> bool:
    """Return whether a name is an IP address, which nobody can make point elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_open(path: str) -> bool:
    """Return whether anything is answered at a path."""
    first, _, rest = path.removeprefix("/").partition("/")
    if first == "gradio_api":
        return rest.partition("/")[0] in API
    return first in FOLDERS or (first in FILES and not rest)


def _too_large() -> HTTPException:
    return HTTPException(413, f"request larger than {MAX_BODY // 2**20} MB; simplify the drawing")


class _Body:
    """The body of a request, of limited size and time."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._seen, self._whole = receive, 0, False
        self._end = anyio.current_time() + BODY_SECONDS

    async def receive(self) -> Message:
        """Receive a part of it; all that comes after the body may take as long as it likes."""
        if self._whole:
            return await self._receive()
        with anyio.CancelScope(deadline=self._end):
            message = await self._receive()
            self._seen += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._seen > MAX_BODY:
                raise _too_large()
            return message
        raise HTTPException(408, f"the request was not there within {BODY_SECONDS:g} s; send it again")


class Connection(H11Protocol):
    """A connection that ends when nothing happens on it, which uvicorn leaves to proxies."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Watch the connection, or end it if its address has too many."""
        super().connection_made(transport)
        if self._crowded():
            transport.abort()
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch it no longer."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _crowded(self) -> bool:
        """Return whether the address, unless it is a trusted proxy's, has too many connections."""
        if self.client is None:
            return False
        address = self.client[0]
        if isinstance(self.app, ProxyHeadersMiddleware) and address in self.app.trusted_hosts:
            return False
        others = [each.client for each in self.connections if isinstance(each, Connection)]
        return sum(client is not None and client[0] == address for client in others) > MAX_BY_ADDRESS

    def _watch(self, cycle: RequestResponseCycle | None = None, unsent: int = -1) -> None:
        """End the connection if no request has begun, or nothing has been read, since the last look."""
        cycle_before, unsent_before = cycle, unsent
        cycle, unsent = self.cycle, self.transport.get_write_buffer_size()
        waiting = cycle is None or cycle.response_complete
        if cycle is cycle_before and unsent == unsent_before and (waiting or unsent):
            self.transport.abort()
        else:
            self._timer = self.loop.call_later(IDLE_SECONDS, self._watch, cycle, unsent)
