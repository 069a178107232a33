"""One file by HTTP: asked for, gone on with where it broke off, and checked before it gets its name."""

from __future__ import annotations

import base64
import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import httpx

from sketchgen.data.http_answers import check_encoding, check_status, length_of, network, whole_of
from sketchgen.data.partial_file import Part, opened_part, part_paths
from sketchgen.data.retries import Again, Stopped, pause, wait
from sketchgen.errors import DownloadError, OutputError
from sketchgen.sketch.files import check_target, shown

WORTHWHILE = 2**20
"""Bytes further than ever after which a broken connection counts as the first one."""

HEAD = 16
"""Bytes by which a file's kind is told."""

_TELL_EVERY = 0.1

_T = TypeVar("_T")


class NoRoom(OutputError):
    """The disk has no room for what is to come."""


@dataclass(frozen=True)
class Remote:
    """A file to be fetched.

    Attributes:
        url: where it is.
        target: where it goes.
        kind: what errors call it, such as "ndjson".
        begins: whether a file of this kind may begin with these bytes.
    """

    url: str
    target: Path
    kind: str
    begins: Callable[[bytes], bool]

    @property
    def name(self) -> str:
        """The file's name, for people."""
        return self.target.name


@dataclass(frozen=True)
class Progress:
    """How far a file has come.

    Attributes:
        name: the file's name.
        state: "moving"; "waiting" for the next try; "done"; "there" already; "failed".
        size: bytes that stand on the disk.
        whole: bytes of the whole file, if the server says.
        words: what is the matter, for "waiting" and "failed".
    """

    name: str
    state: Literal["moving", "waiting", "done", "there", "failed"]
    size: int = 0
    whole: int | None = None
    words: str = ""


@dataclass(frozen=True)
class Link:
    """What the transfers of a run share.

    Attributes:
        client: makes the requests.
        retries: new tries without progress.
        stop: set when the run is to end.
        tell: is given what happens; called from several threads.
    """

    client: httpx.Client
    retries: int
    stop: threading.Event
    tell: Callable[[Progress], None]


def fetch(remote: Remote, link: Link, *, force: bool = False) -> None:
    """Fetch a file, or find that it stands there already.

    Raises:
        DownloadError: it cannot be had; `Unreachable` if that is the server's fault and not the file's.
        OutputError: another file stands there, or another run is fetching it; `NoRoom` if it is too large.
        OSError: the disk is full or cannot be written.
        Stopped: the run is being ended.
    """
    check_target(remote.target, force=True)
    if not force and os.path.lexists(remote.target):
        _check_same(remote, _persist(remote, link, lambda: _size(remote, link)))
        for path in part_paths(remote.target):
            path.unlink(missing_ok=True)
        size = remote.target.stat().st_size
        link.tell(Progress(remote.name, "there", size, size))
        return
    with opened_part(remote.target, remote.url) as part:
        transfer = _Transfer(remote, link, part)
        _persist(remote, link, transfer.run, part)
        part.finish(force=force)
        link.tell(Progress(remote.name, "done", part.size, part.size))


class _Transfer:
    """A file on its way."""

    def __init__(self, remote: Remote, link: Link, part: Part) -> None:
        self.remote, self.link, self.part = remote, link, part
        self.damaged = False
        self.told = 0.0

    def run(self) -> None:
        """Ask until all is there, and check it.

        Raises:
            Again: it went wrong in a way that may not happen twice.
        """
        with network(self.remote.name):
            while not self.part.is_whole:
                self._request()
        self._check_digest()

    def _request(self) -> None:
        """One request, for the whole or for what is missing."""
        part, whole = self.part, self.part.whole
        ranged = part.size > 0 and whole is not None and bool(whole.etag)
        headers = {"Range": f"bytes={part.size}-", "If-Range": whole.etag} if ranged and whole else {}
        with self.link.client.stream("GET", self.remote.url, headers=headers) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.clear()
                raise Again("the server does not go on where the file broke off", kind=DownloadError)
            check_status(response, self.remote.name)
            check_encoding(response, self.remote.name)
            if response.status_code == httpx.codes.PARTIAL_CONTENT:
                self._check_range(response, ranged)
                self._receive(response)
            else:
                self._receive_anew(response)

    def _check_range(self, response: httpx.Response, ranged: bool) -> None:
        """See whether a part of a file is the part that was asked for; if not, it is to come as a whole."""
        part, whole = self.part, self.part.whole
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("content-range", ""))
        right = ranged and whole and found and int(found[1]) == part.size
        if right and whole and found:
            right = whole.size in (None, int(found[2]))
            right = right and response.headers.get("etag", whole.etag) == whole.etag
        if not (right and whole and found):
            part.clear()
            raise Again("the server sent another part than was asked for", kind=DownloadError)
        if whole.size is None:
            part.learn(replace(whole, size=int(found[2])))

    def _receive(self, response: httpx.Response) -> None:
        """Go on with what is there."""
        before = self.part.size
        self._check_room()
        for chunk in response.iter_raw():
            self._append(chunk)
        if self.part.size == before:
            raise Again("the server sent nothing")

    def _receive_anew(self, response: httpx.Response) -> None:
        """Begin with the first byte. What was there is kept until it is seen that this is the right kind."""
        whole = whole_of(response, self.remote.url)
        ended = whole.size is not None or "chunked" in response.headers.get("transfer-encoding", "").lower()
        if not ended:
            raise DownloadError(
                f"{self.remote.name}: the server does not say how long it is, so that it cannot be known "
                "whether it is whole; use another --base"
            )
        chunks = response.iter_raw()
        head = b""
        while len(head) < HEAD and (chunk := next(chunks, b"")):
            head += chunk
        self._check_kind(head, response.headers.get("content-type", ""))
        self.part.restart(whole)
        self._check_room()
        self._append(head)
        for chunk in chunks:
            self._append(chunk)
        if whole.size is None:
            self.part.learn(replace(whole, size=self.part.size))

    def _append(self, chunk: bytes) -> None:
        """Write what came, and tell of it now and then."""
        part = self.part
        if self.link.stop.is_set():
            raise Stopped
        size = part.whole.size if part.whole else None
        if size is not None and part.size + len(chunk) > size:
            part.clear()
            raise Again("the server sent more than it had promised", kind=DownloadError)
        part.append(chunk)
        if time.monotonic() - self.told >= _TELL_EVERY:
            self.told = time.monotonic()
            self.link.tell(Progress(self.remote.name, "moving", part.size, size))

    def _check_kind(self, head: bytes, content_type: str) -> None:
        """Refuse what cannot be the file: an error's page, say, or that of a network which wants a login."""
        if content_type.lower().startswith("text/html") or not self.remote.begins(head):
            begins = f"it begins with {head[:HEAD]!r}" if head else "it is empty"
            raise DownloadError(
                f"{self.remote.name}: what the server sends is no {self.remote.kind} file ({begins}); "
                "see whether the network wants a login, or --base is wrong"
            )

    def _check_room(self) -> None:
        """Refuse what the disk has no room for, before it is full."""
        whole = self.part.whole
        if whole is None or whole.size is None:
            return
        missing = whole.size - self.part.size
        free = shutil.disk_usage(self.remote.target.parent).free
        if missing > free:
            raise NoRoom(
                f"{shown(self.remote.target)} needs {missing / 1e6:.1f} MB more and the disk has "
                f"{free / 1e6:.1f} MB; free some and run it again, to go on from there"
            )

    def _check_digest(self) -> None:
        """Compare what stands on the disk with the server's hash, if it gave one."""
        whole = self.part.whole
        if whole is None or not whole.md5 or base64.b64encode(self.part.digest()).decode() == whole.md5:
            return
        self.part.clear()
        if self.damaged:
            raise DownloadError(
                f"{self.remote.name}: arrived twice with another MD5 than the server names; try again later"
            )
        self.damaged = True
        raise Again("it arrived damaged (another MD5 than the server names)", kind=DownloadError)


def _size(remote: Remote, link: Link) -> int | None:
    """The size of a file at the server, if it says."""
    with network(remote.name):
        response = link.client.head(remote.url)
        if response.status_code in (httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.NOT_IMPLEMENTED):
            return None
        check_status(response, remote.name)
        check_encoding(response, remote.name)
        return length_of(response)


def _check_same(remote: Remote, size: int | None) -> None:
    """Refuse to fetch over a file of another size than the server's."""
    here = remote.target.stat().st_size if remote.target.exists() else None
    if here is None or here != size:
        there = "the server does not say its size" if size is None else f"the server's {size} bytes"
        raise OutputError(
            f"{shown(remote.target)} stands there with {here or 0} bytes, {there}; choose another folder, "
            "or pass --force to fetch it again"
        )


def _persist(remote: Remote, link: Link, step: Callable[[], _T], part: Part | None = None) -> _T:
    """Do a step until it succeeds, or has failed too often without getting further."""
    failures, furthest = 0, part.size if part else 0
    while True:
        try:
            return step()
        except Again as trouble:
            size = part.size if part else 0
            if size >= furthest + WORTHWHILE:
                failures, furthest = 0, size
            failures += 1
            if failures > link.retries:
                tries = "once" if failures == 1 else f"{failures} times"
                remedy = "run it again to go on from there" if size else "try again later"
                raise trouble.kind(f"{remote.name}: {trouble.words}, tried {tries}; {remedy}") from trouble
            seconds = trouble.after if trouble.after is not None else pause(failures)
            whole = part.whole.size if part and part.whole else None
            words = f"{trouble.words}; again in {seconds:.0f} s"
            link.tell(Progress(remote.name, "waiting", size, whole, words))
            wait(link.stop, seconds)
