"""Download one file over HTTP: resumed after a break, verified, and renamed once it is complete."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import os
import random
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import httpx

from sketchgen.errors import DownloadError, OutputError
from sketchgen.sketch.files import check_target, reason, shown

if sys.platform != "win32":
    import fcntl

FIRST_PAUSE, MAX_PAUSE = 1.0, 60.0
"""Longest pause in s before the first retry, doubled for each further one, and before any retry."""

MAX_RETRY_AFTER = 300.0
"""Longest pause in s that a server may ask for."""

PROGRESS_BYTES = 2**20
"""Bytes gained after which the count of failed attempts starts anew."""

REPORT_SECONDS = 0.1

CONNECT_SECONDS, SILENT_SECONDS = 15.0, 30.0

HEAD_BYTES = 16
"""First bytes of a file, which tell its kind."""

_BUSY = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Status codes that are worth another attempt."""

_T = TypeVar("_T")


class ServerUnavailable(DownloadError):
    """The server cannot be reached or is overloaded: other files would fail, too."""


class DiskUnavailable(OutputError):
    """The disk is full or cannot be written: other files would fail, too."""


class Stopped(Exception):
    """The run is ending; what has arrived is kept."""


class _Retry(Exception):
    """A failed attempt that is worth another, after the seconds that the server names, if it does."""

    def __init__(
        self, words: str, after: float | None = None, final: type[DownloadError] = ServerUnavailable
    ) -> None:
        super().__init__(words)
        self.after, self.final = after, final


@dataclass(frozen=True)
class RemoteFile:
    """A file to download: its address, its path on the disk, its kind, and a check of its first bytes."""

    url: str
    target: Path
    kind: str
    matches: Callable[[bytes], bool]


@dataclass(frozen=True)
class Progress:
    """The state of one file's download.

    Attributes:
        state: "moving"; "waiting" for the next attempt; "done"; "there" already; "failed".
        size: bytes on the disk.
        whole: bytes of the complete file, if the server says.
        words: what went wrong, for "waiting" and "failed".
    """

    name: str
    state: Literal["moving", "waiting", "done", "there", "failed"]
    size: int = 0
    whole: int | None = None
    words: str = ""


class PartialFile:
    """The bytes of a file that have arrived, locked against other runs.

    `.<name>.part` holds the bytes and `.<name>.part.etag` address and ETag, so that a later run can resume.

    Attributes:
        etag: strong ETag of the file that they belong to; "" if the server gave none.
    """

    def __init__(self, target: Path, url: str) -> None:
        """Open what an earlier run has left of the same file; else start empty."""
        self.target, self.etag, self._url = target, "", url
        self._paths = self._path, self._etag_path = _partial_paths(target)
        self._file = self._path.open("ab+", buffering=0)
        if not self._lock():
            self._file.close()
            raise OutputError(f"{shown(target)} is being downloaded by another run; wait until it has ended")
        self.size = os.fstat(self._file.fileno()).st_size
        with contextlib.suppress(OSError, ValueError):
            of, etag = self._etag_path.read_text(encoding="utf-8").split("\n")
            self.etag = etag if of == url else ""
        if not self.etag:
            self.restart("")

    def _lock(self) -> bool:
        if sys.platform != "win32":
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            except OSError:
                pass  # The file system has no locks.
        # Another run may have renamed the file between our opening and our locking it.
        return self._path.exists() and os.path.samestat(os.fstat(self._file.fileno()), self._path.stat())

    def restart(self, etag: str) -> None:
        """Discard what has arrived, and remember what is to come."""
        self._file.truncate(0)
        self.size, self.etag = 0, etag
        self._etag_path.write_text(f"{self._url}\n{etag}", encoding="utf-8")

    def append(self, data: bytes) -> None:
        """Write bytes at the end, unbuffered, so that they survive a killed process."""
        view = memoryview(data)
        while view:
            count = self._file.write(view) or 0
            self.size, view = self.size + count, view[count:]

    def md5(self) -> str:
        """Return the MD5 of what has arrived, in base64."""
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, lambda: hashlib.md5(usedforsecurity=False)).digest()
        return base64.b64encode(digest).decode()

    def finish(self, force: bool) -> None:
        """Give the complete file its name; without `force`, only if it is still free."""
        os.fsync(self._file.fileno())
        check_target(self.target, force)
        if sys.platform == "win32":
            self._file.close()  # An open file cannot be renamed there; elsewhere it stays locked until then.
        os.replace(self._path, self.target)
        self._etag_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, and remove it if it is empty."""
        for path in () if self.size else self._paths:
            path.unlink(missing_ok=True)
        self._file.close()


def _partial_paths(target: Path) -> tuple[Path, Path]:
    """Return the paths of the bytes that have arrived, and of their address and ETag."""
    return target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.part.etag")


class Transfer:
    """Downloads files, one after the other; several threads may share one."""

    def __init__(
        self, client: httpx.Client, retries: int, stop: threading.Event, report: Callable[[Progress], None]
    ) -> None:
        self.client, self.retries, self.stop, self.report = client, retries, stop, report

    def fetch(self, remote: RemoteFile, *, force: bool = False) -> None:
        """Download a file, unless it is there already with the server's size.

        Raises:
            DownloadError: the file cannot be had; `ServerUnavailable` if the server is at fault.
            OutputError: another file is in its place and `force` is false, or another run is downloading it;
                `DiskUnavailable` if the disk is full or cannot be written.
            Stopped: the run is ending.
        """
        check_target(remote.target, force=True)
        name = remote.target.name
        try:
            if not force and os.path.lexists(remote.target):
                size = self._check_same_size(remote)
                self.report(Progress(name, "there", size, size))
                return
            with contextlib.closing(PartialFile(remote.target, remote.url)) as part:
                self._retry(lambda: self._attempt(remote, part), name, part)
                part.finish(force)
                self.report(Progress(name, "done", part.size, part.size))
        except OSError as error:
            raise DiskUnavailable(f"{shown(remote.target)} cannot be written: {reason(error)}") from error

    def _check_same_size(self, remote: RemoteFile) -> int:
        """Check that an existing file has the server's size, and return it."""

        def size_at_server() -> int | None:
            with _network_errors(remote.target.name):
                response = self.client.head(remote.url)
                _check_status(response, remote.target.name)
                return _content_length(response)

        there = self._retry(size_at_server, remote.target.name)
        here = remote.target.stat().st_size if remote.target.exists() else 0
        if here != there:
            size = "the server does not tell its size" if there is None else f"the server's has {there} bytes"
            raise OutputError(
                f"{shown(remote.target)} exists with {here} bytes, {size}; choose another folder, or pass "
                "--force to download it again"
            )
        for path in _partial_paths(remote.target):
            path.unlink(missing_ok=True)
        return here

    def _retry(self, step: Callable[[], _T], name: str, part: PartialFile | None = None) -> _T:
        """Run a step until it succeeds, or has failed too often without progress."""
        failures, furthest = 0, part.size if part else 0
        while True:
            try:
                return step()
            except _Retry as trouble:
                size = part.size if part else 0
                if size >= furthest + PROGRESS_BYTES:
                    failures, furthest = 0, size
                failures += 1
                if failures > self.retries:
                    tries = "once" if failures == 1 else f"{failures} times"
                    remedy = "run it again to resume" if size else "try again later"
                    raise trouble.final(f"{name}: {trouble}, tried {tries}; {remedy}") from trouble
                seconds = pause(failures) if trouble.after is None else trouble.after
                self.report(Progress(name, "waiting", size, words=f"{trouble}; again in {seconds:.0f} s"))
                if self.stop.wait(seconds):
                    raise Stopped from None

    def _attempt(self, remote: RemoteFile, part: PartialFile) -> None:
        """Request the whole file or the rest of it, and verify it."""
        etag = part.etag if part.size else ""
        headers = {"Range": f"bytes={part.size}-", "If-Range": etag} if etag else {}
        name = remote.target.name
        with _network_errors(name), self.client.stream("GET", remote.url, headers=headers) as response:
            _check_status(response, name)
            chunks = response.iter_raw()
            if response.status_code == httpx.codes.OK:
                # What has arrived is kept until the answer is known to be a file of the right kind.
                chunks = itertools.chain([_checked_head(remote, response, chunks)], chunks)
                found, total = response.headers.get("etag", ""), _content_length(response)
                part.restart(found if re.fullmatch(r'"[^"]+"', found) else "")
            else:
                total = _range_total(response, part.size, etag)
                if total is None:
                    part.restart("")
                    raise _Retry("the server does not resume the download", final=DownloadError)
            self._receive(chunks, part, total)
        if total is not None and part.size > total:
            part.restart("")
        if total not in (None, part.size):
            raise _Retry("the server sent another number of bytes than announced", final=DownloadError)
        if _md5_of(response) not in ("", part.md5()):
            part.restart("")
            raise _Retry("it arrived damaged (its MD5 is not the server's)", final=DownloadError)

    def _receive(self, chunks: Iterable[bytes], part: PartialFile, total: int | None) -> None:
        """Append what arrives, and report it now and then."""
        missing, free = (total or 0) - part.size, shutil.disk_usage(part.target.parent).free
        if missing > free:
            raise DiskUnavailable(
                f"{shown(part.target)} needs {missing / 1e6:.1f} MB more and the disk has "
                f"{free / 1e6:.1f} MB; free some and run it again to resume"
            )
        reported = 0.0
        for chunk in chunks:
            if self.stop.is_set():
                raise Stopped
            part.append(chunk)
            if time.monotonic() - reported >= REPORT_SECONDS:
                reported = time.monotonic()
                self.report(Progress(part.target.name, "moving", part.size, total))


def pause(failures: int) -> float:
    """Return the seconds to wait after so many failures: exponential backoff with jitter."""
    return random.uniform(0.5, 1.0) * min(MAX_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 16))


def new_client(agent: str, connections: int) -> httpx.Client:
    """Return a client that follows redirects, except from https to http."""
    try:
        return httpx.Client(
            # Ranges and checksums are those of the file itself, not of a compressed transfer.
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
    """Refuse a redirect from https to http."""
    here = response.request.url
    there = here.join(response.headers["location"]) if response.has_redirect_location else here
    if (here.scheme, there.scheme) == ("https", "http"):
        raise DownloadError(f"{_short(response.url)} redirects from https to http; use another --base")


@contextlib.contextmanager
def _network_errors(name: str) -> Iterator[None]:
    """Raise httpx's errors as `_Retry`, or as a DownloadError where another attempt would fail, too."""
    try:
        yield
    except httpx.TooManyRedirects as error:
        raise DownloadError(f"{name}: the server redirects without end") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
        raise DownloadError(f"{name}: the server redirects to no usable address ({error})") from error
    except httpx.HTTPError as error:
        lost = isinstance(error, httpx.ConnectTimeout | httpx.ConnectError)
        words = f"no connection to {error.request.url.host}" if lost else "the connection broke"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise ServerUnavailable(f"{name}: {words} ({error}); check the clock and the proxy") from error
        raise _Retry(f"{words} ({error})") from error


def _check_status(response: httpx.Response, name: str) -> None:
    """Check that an answer brings the file, or the word that it cannot be resumed."""
    status, url = response.status_code, _short(response.url)
    if status in _BUSY:
        header = response.headers.get("retry-after", "")
        seconds = float(header) if re.fullmatch(r"[0-9]{1,12}", header) else None
        if seconds is not None and seconds > MAX_RETRY_AFTER:
            raise ServerUnavailable(f"the server asks to wait {seconds:.0f} s; run it again then to resume")
        raise _Retry(f"the server answered {status} {response.reason_phrase}".rstrip(), seconds)
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise DownloadError(f"{name}: {url} does not exist ({status}); try another --form or --base")
    if status not in (200, 206, 416):
        raise DownloadError(f"{name}: the server answered {status} to {url}; check --base and the network")


def _checked_head(remote: RemoteFile, response: httpx.Response, chunks: Iterator[bytes]) -> bytes:
    """Return the first bytes of an answer, after checking that they can be the file's."""
    name = remote.target.name
    chunked = "chunked" in response.headers.get("transfer-encoding", "").lower()
    if _content_length(response) is None and not chunked:
        raise DownloadError(f"{name}: the server does not say how long it is; use another --base")
    head = b""
    while len(head) < HEAD_BYTES and (chunk := next(chunks, b"")):
        head += chunk
    page = response.headers.get("content-type", "").lower().startswith("text/html")
    if page or not remote.matches(head):
        starts = f"it starts with {head[:HEAD_BYTES]!r}" if head else "it is empty"
        raise DownloadError(
            f"{name}: the server's answer is no {remote.kind} file ({starts}); check whether the network "
            "requires a login, and --base"
        )
    return head


def _range_total(response: httpx.Response, start: int, etag: str) -> int | None:
    """Return the bytes of the whole file, if a partial answer is the rest of the same one; else None."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("content-range", ""))
    same = etag and response.headers.get("etag", etag) == etag
    return int(found[2]) if found and same and int(found[1]) == start else None


def _content_length(response: httpx.Response) -> int | None:
    text = response.headers.get("content-length", "")
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _md5_of(response: httpx.Response) -> str:
    """Return the MD5 of the whole file that Google's storage names, in base64; "" if there is none."""
    # A file that is stored compressed is sent uncompressed: the MD5 is that of other bytes.
    if response.headers.get("x-goog-stored-content-encoding", "identity").lower() != "identity":
        return ""
    found = re.search(r"md5=([^,\s]+)", response.headers.get("x-goog-hash", ""))
    return found[1] if found else ""


def _short(url: httpx.URL) -> str:
    """Return an address without password and query, cut to 200 characters, for an error message."""
    return shown(url.copy_with(username=None, password=None, query=None, fragment=None))
