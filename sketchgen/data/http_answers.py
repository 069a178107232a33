"""What a server's answers mean: statuses, headers and broken connections, in words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx

from sketchgen.data.partial_file import Whole
from sketchgen.data.retries import Again, Unreachable, wished
from sketchgen.errors import DownloadError

CONNECT_SECONDS = 15.0

SILENT_SECONDS = 30.0
"""Seconds without a byte after which a connection counts as broken."""

_BUSY = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Statuses that may be others soon."""


def new_client(agent: str, connections: int) -> httpx.Client:
    """A client that asks for files as they are, and follows redirects, but not from https to http.

    Raises:
        DownloadError: the environment names a proxy that cannot be used.
    """
    try:
        return httpx.Client(
            # Packed on the way, neither ranges nor hashes would be those of the file.
            headers={"User-Agent": agent, "Accept": "*/*", "Accept-Encoding": "identity"},
            timeout=httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            follow_redirects=True,
            event_hooks={"response": [check_redirect]},
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise DownloadError(
            f"the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used: {error}"
        ) from error


def check_redirect(response: httpx.Response) -> None:
    """Refuse a redirect that leaves http and https, or gives up the encryption that there was.

    Raises:
        DownloadError: it does.
    """
    if not response.has_redirect_location:
        return
    try:
        there = response.request.url.join(response.headers["location"])
    except httpx.InvalidURL:
        there = httpx.URL("")
    if there.scheme not in ("http", "https") or (response.request.url.scheme, there.scheme) == (
        "https",
        "http",
    ):
        raise DownloadError(
            f"{_short(response.request.url)} leads to {_short(there)}, which is not followed; "
            "only http and https are, and never from https to http"
        )


@contextlib.contextmanager
def network(name: str) -> Iterator[None]:
    """Turn what goes wrong on the way into `Again`, or into an error if it will always go wrong.

    Args:
        name: the file's name, for errors.

    Raises:
        Again: the connection cannot be made, is silent or broken.
        DownloadError: the redirects do not end.
    """
    try:
        yield
    except httpx.TooManyRedirects as error:
        raise DownloadError(f"{name}: its address leads from one to another without end") from error
    except httpx.UnsupportedProtocol as error:
        raise DownloadError(f"{name}: its address is none of http or https") from error
    except (UnicodeError, OverflowError, httpx.InvalidURL) as error:
        # What the system's look-up of names says to a name or a port that cannot be.
        raise DownloadError(f"{name}: the server is at no address that there can be ({error})") from error
    except httpx.ConnectTimeout as error:
        raise Again(f"no connection to {_host(error)} within {CONNECT_SECONDS:.0f} s") from error
    except httpx.ConnectError as error:
        words = f"no connection to {_host(error)} ({error})"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Unreachable(f"{name}: {words}; see whether the clock and the proxy are right") from error
        raise Again(words) from error
    except httpx.TimeoutException as error:
        raise Again(f"nothing came for {SILENT_SECONDS:.0f} s") from error
    except httpx.HTTPError as error:
        raise Again(f"the connection broke ({error})") from error


def check_status(response: httpx.Response, name: str) -> None:
    """See whether an answer brings the file.

    Raises:
        Again: it may do so later.
        DownloadError: it will not.
    """
    status, url = response.status_code, _short(response.url)
    if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        return
    if status in _BUSY:
        words = f"the server answered {status} {response.reason_phrase}".rstrip()
        raise Again(words, wished(response.headers.get("retry-after")))
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise DownloadError(f"{name}: {url} is not there ({status}); try another --form or --base")
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise DownloadError(
            f"{name}: the server does not give {url} ({status}); see whether --base is right, and whether "
            "the network lets it through"
        )
    raise DownloadError(f"{name}: the server answered {status} to {url}; see whether --base is right")


def check_encoding(response: httpx.Response, name: str) -> None:
    """Refuse a file that was packed on its way.

    Raises:
        DownloadError: it was.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise DownloadError(f"{name}: the server sends it packed ({encoding[:40]}); use another --base")


def length_of(response: httpx.Response) -> int | None:
    """The Content-Length, if there is a sensible one."""
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def whole_of(response: httpx.Response, url: str) -> Whole:
    """What the headers of an answer that brings the whole file say of it."""
    etag = response.headers.get("etag", "")
    strong = len(etag) > 2 and etag.startswith('"') and etag.endswith('"')
    return Whole(url, etag if strong else "", length_of(response), _md5_of(response))


def _md5_of(response: httpx.Response) -> str:
    """The MD5 that Google's storage names, in base64; other hashes in that header are passed over."""
    # An object that is stored packed is unpacked when it is sent; its hash is that of the packed bytes.
    if response.headers.get("x-goog-stored-content-encoding", "identity").lower() != "identity":
        return ""
    parts = [part.strip() for part in response.headers.get("x-goog-hash", "").split(",")]
    return next((part.removeprefix("md5=") for part in parts if part.startswith("md5=")), "")


def _host(error: httpx.TransportError) -> str:
    """The host of the request that failed."""
    try:
        return error.request.url.host
    except RuntimeError:
        return "the server"


def _short(url: httpx.URL) -> str:
    """An address of bearable length, without a password or a query, for an error."""
    text = str(url.copy_with(username=None, password=None, query=None, fragment=None))
    return text if len(text) <= 200 else text[:197] + "..."
