"""The socket on which a page is served, and the address under which people find it."""

from __future__ import annotations

import socket

from sketchgen.errors import SettingError

MAX_CONNECTIONS = 500
"""Connections beyond which requests are refused."""


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        SettingError: the port is taken, or the address is none of this machine.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=MAX_CONNECTIONS)
    except OSError as error:
        remedy = "choose another by --port, or 0 for any free one"
        raise SettingError(f"port {port} of {host} cannot be used; {remedy}") from error


def announced(host: str, socket_: socket.socket) -> str:
    """Say where the page is, and return the address."""
    shown = "localhost" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{socket_.getsockname()[1]}/"
    print(f"sketchgen draws at {url} (stop it by Ctrl-C)", flush=True)
    return url
