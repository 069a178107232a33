"""Fetching the files of Quick, Draw! from Google's public bucket, or from a mirror of it."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx

from sketchgen import __version__
from sketchgen.data.http_answers import new_client
from sketchgen.data.retries import Stopped, Unreachable
from sketchgen.data.transfer import Link, NoRoom, Progress, Remote, fetch
from sketchgen.errors import (
    CategoryError,
    DownloadError,
    OutputError,
    SettingError,
    SketchgenError,
    unknown_category,
)
from sketchgen.limits import DOWNLOADS, MAX_DOWNLOADS, MAX_RETRIES, RETRIES, check_range
from sketchgen.resources import categories as known_categories
from sketchgen.sketch.files import reason, shown

BASE = "https://storage.googleapis.com/quickdraw_dataset"
"""Google's public bucket."""

LICENCE = (
    "Quick, Draw! data: made available by Google, Inc. under CC BY 4.0 "
    "(https://github.com/googlecreativelab/quickdraw-dataset)"
)
"""What whoever passes the drawings on has to say."""

THREAD = "sketchgen download"
"""The name of the threads that fetch."""

_GRACE = 0.5
"""Seconds that threads have to end in."""

_SAID = 3
"""Failures that an error tells in full."""

MAX_NAME = 200
"""Bytes in a category's name; file systems mostly end at 255, of which endings take some."""


@dataclass(frozen=True)
class Form:
    """A form in which the drawings are published.

    Attributes:
        folder: where its files are, under the base.
        ending: how their names end, there and here.
        begins: whether such a file may begin with these bytes.
    """

    folder: str
    ending: str
    begins: Callable[[bytes], bool]


def _begins_ndjson(head: bytes) -> bool:
    return head.startswith(b"{")


def _begins_npz(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04")


def _begins_binary(head: bytes) -> bool:
    """There is no mark at its beginning, but the eleventh byte is a truth value, which no text has there."""
    return len(head) > 10 and head[10] in (0, 1)


FORMS = {
    "simplified": Form("full/simplified", ".ndjson", _begins_ndjson),
    "raw": Form("full/raw", ".ndjson", _begins_ndjson),
    "binary": Form("full/binary", ".bin", _begins_binary),
    "npz": Form("sketchrnn", ".npz", _begins_npz),
    "npz-full": Form("sketchrnn", ".full.npz", _begins_npz),
}
"""The forms by their names."""


def download(
    categories: str | Sequence[str],
    out: str | Path,
    form: str = "simplified",
    *,
    base: str = BASE,
    force: bool = False,
    retries: int = RETRIES,
    jobs: int = DOWNLOADS,
    progress: Callable[[Progress], None] | None = None,
) -> list[Path]:
    """Fetch the files of some categories into a folder.

    A file that stands there with the server's size is not fetched again. What an interrupted run has left is
    gone on with. A file that the server does not have, or that is not what it should be, does not keep the
    others from being fetched; the error comes at the end.

    Args:
        categories: their names; of the 345, unless `base` is another one than Google's.
        out: the folder, which is made if need be.
        form: one of `FORMS`.
        base: where the folders of the forms are.
        force: fetch files again that stand there, whatever their size, and replace them.
        retries: new tries after a try that got no further.
        jobs: files at a time.
        progress: is told how things go, in the thread that called.

    Returns:
        The paths of the files, in the order of the categories; each once.

    Raises:
        CategoryError: no such category, or a name that cannot be a file's.
        SettingError: a setting outside its limits.
        DownloadError: something could not be fetched.
        OutputError: another file stands in its place, the folder cannot be written, or the disk is full.
    """
    check_range("jobs", jobs, 1, MAX_DOWNLOADS)
    check_range("retries", retries, 0, MAX_RETRIES)
    names = [categories] if isinstance(categories, str) else list(dict.fromkeys(categories))
    remotes = _remotes(names, Path(out), form, base)
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise OutputError(f"{shown(out)} cannot be used as a folder: {reason(error)}") from error
    with new_client(f"sketchgen/{__version__}", jobs) as client:
        run = _Run(remotes, client, retries, force)
        failures = run.go(jobs, progress or (lambda event: None))
    if failures:
        raise _together(failures, len(remotes))
    return [remote.target for remote in remotes]


class _Run:
    """Several files at a time: threads fetch, and what they tell is heard in the thread that called."""

    def __init__(self, remotes: list[Remote], client: httpx.Client, retries: int, force: bool) -> None:
        self._remotes, self._force = remotes, force
        self._todo: queue.SimpleQueue[Remote] = queue.SimpleQueue()
        self._heard: queue.SimpleQueue[Progress | _Failure | None] = queue.SimpleQueue()
        self._link = Link(client, retries, threading.Event(), self._heard.put)
        for remote in remotes:
            self._todo.put(remote)

    def go(self, jobs: int, progress: Callable[[Progress], None]) -> list[SketchgenError]:
        """Fetch all, and return what went wrong with single files, in the order of the files.

        Raises:
            SketchgenError: what keeps the other files from being fetched, too.
        """
        failed: dict[Remote, SketchgenError] = {}
        # Daemons, since one that waits for a silent server must not keep Ctrl-C from ending the program.
        threads = [threading.Thread(target=self._work, name=THREAD, daemon=True) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        try:
            running = jobs
            while running:
                heard = self._next()
                if heard is None:
                    running -= 1
                elif isinstance(heard, Progress):
                    progress(heard)
                else:
                    failed[heard.remote] = heard.judged()
                    progress(Progress(heard.remote.name, "failed", words=str(failed[heard.remote])))
        finally:
            self._link.stop.set()
            end = time.monotonic() + _GRACE
            for thread in threads:
                thread.join(max(0.0, end - time.monotonic()))
        return [failed[remote] for remote in self._remotes if remote in failed]

    def _next(self) -> Progress | _Failure | None:
        """What is heard next; waits in short spans, between which Ctrl-C is heard on every system."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._heard.get(timeout=0.5)

    def _work(self) -> None:
        """Fetch one file after the other; None is heard when there is no more."""
        while not self._link.stop.is_set():
            try:
                remote = self._todo.get_nowait()
            except queue.Empty:
                break
            try:
                fetch(remote, self._link, force=self._force)
            except Stopped:
                break
            except BaseException as error:
                failure = _Failure(remote, error)
                self._heard.put(failure)
                if failure.ends_all:
                    self._link.stop.set()
        self._heard.put(None)


@dataclass(frozen=True)
class _Failure:
    """A file that was not fetched, and why."""

    remote: Remote
    error: BaseException

    @property
    def ends_all(self) -> bool:
        """Whether it stands in the way of the other files, too."""
        alone = isinstance(self.error, SketchgenError) and not isinstance(self.error, Unreachable | NoRoom)
        return not alone

    def judged(self) -> SketchgenError:
        """The error, if it is that of a single file.

        Raises:
            SketchgenError: it ends all; or, if it is a bug, whatever it is.
        """
        if isinstance(self.error, OSError):
            raise OutputError(
                f"{shown(self.remote.target)} cannot be written: {reason(self.error)}; what has come stays"
            ) from self.error
        if self.ends_all or not isinstance(self.error, SketchgenError):
            raise self.error
        return self.error


def _remotes(names: list[str], out: Path, form: str, base: str) -> list[Remote]:
    """The files to be fetched.

    Raises:
        CategoryError: a name that is unknown, or cannot be a file's.
        SettingError: no name, an unknown form, or a base that is no address.
    """
    if form not in FORMS:
        raise SettingError(f"no form {form[:40]!r}; there are {', '.join(FORMS)}")
    if not names:
        raise SettingError("no categories; name some, such as cat, or ask for all")
    base = _checked_base(base)
    known = known_categories()
    for name in names:
        _check_name(name)
        if base == BASE and name not in known:
            raise unknown_category(name, known)
    kind = FORMS[form]
    return [
        Remote(
            url=f"{base}/{kind.folder}/{quote(name + kind.ending, safe='')}",
            target=out / (name + kind.ending),
            kind=kind.ending.removeprefix("."),
            begins=kind.begins,
        )
        for name in names
    ]


def _check_name(name: str) -> None:
    """Refuse a name that is no plain file name everywhere: another mirror may have any, but not those."""
    plain = name.isprintable() and name == name.strip() and not name.startswith(".")
    if not name or not plain or any(sign in name for sign in '/\\:*?"<>|'):
        raise CategoryError(
            f"{shown(name)[:60]!r} is no category's name; one has no slash, no sign that file names cannot "
            "have, and begins with no dot"
        )
    if len(name.encode()) > MAX_NAME:
        raise CategoryError(f"category {name[:40] + '...'!r} has over {MAX_NAME} bytes; name a shorter one")


def _checked_base(base: str) -> str:
    """The base without a slash at its end.

    Raises:
        SettingError: it is no address of http or https, or has more in it than host and path.
    """
    try:
        parts = urlsplit(base)
        plain = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        httpx.URL(base)
    except (ValueError, httpx.InvalidURL):
        raise SettingError(f"base {base[:60]!r} is no address; it begins with https:// or http://") from None
    if not plain or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingError(
            f"base {base[:60]!r} cannot be used; it is https:// or http://, a host and a path, "
            "without a password, ? or #"
        )
    return base.rstrip("/")


def _together(failures: list[SketchgenError], count: int) -> SketchgenError:
    """One error for all that went wrong."""
    if len(failures) == 1 == count:
        return failures[0]
    said = "; ".join(str(failure) for failure in failures[:_SAID])
    more = f"; and {len(failures) - _SAID} more" if len(failures) > _SAID else ""
    return DownloadError(f"{len(failures)} of {count} files could not be fetched: {said}{more}")
