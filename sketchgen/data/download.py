"""Download drawings of Quick, Draw!, or decoders of them, from Google's public buckets or from a mirror."""

from __future__ import annotations

import contextlib
import functools
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from sketchgen import __version__
from sketchgen.data.transfer import (
    DiskUnavailable,
    Progress,
    RemoteFile,
    ServerUnavailable,
    Stopped,
    Transfer,
    new_client,
)
from sketchgen.errors import CategoryError, DownloadError, OutputError, SettingError, SketchgenError
from sketchgen.limits import DOWNLOADS, MAX_DOWNLOADS, MAX_RETRIES, RETRIES, check_range
from sketchgen.resources import categories as known_categories
from sketchgen.resources import decoders, unknown_category
from sketchgen.sketch.files import reason, shown

BASE = "https://storage.googleapis.com/quickdraw_dataset"
"""Google's public bucket of drawings."""

MAGENTA = "https://storage.googleapis.com/quickdraw-models"
"""That of decoders, as in Magenta's own demo and @magenta/sketch."""

LICENCE = (
    "Quick, Draw! data: made available by Google, Inc. under CC BY 4.0 "
    "(https://github.com/googlecreativelab/quickdraw-dataset)"
)
"""Attribution that goes with the drawings."""

MAGENTA_LICENCE = (
    "Decoders of Sketch-RNN: trained and published by Google (Ha and Eck 2017) without a licence for the "
    "weights; use them, but do not pass them on"
)

THREAD = "sketchgen download"

MAX_NAME_BYTES = 200
"""Length of a category's name; most file systems allow 255, of which suffixes take some."""

_MAX_QUOTED = 3
"""Failures that an error quotes in full."""

_GRACE_SECONDS = 0.5
"""Time that threads have to end."""


_Queue = queue.SimpleQueue[Any]


@dataclass(frozen=True)
class Form:
    """A form in which the drawings, or decoders of them, are published; `matches` checks first bytes."""

    folder: str
    suffix: str
    matches: Callable[[bytes], bool]
    base: str = BASE
    licence: str = LICENCE

    @property
    def names(self) -> Sequence[str]:
        """What there are files of."""
        return decoders() if self.base == MAGENTA else known_categories()

    def file(self, name: str) -> str:
        """Return the name of a category's file."""
        return (self._plain(name) if self.base == MAGENTA else name) + self.suffix

    def knows(self, name: str) -> bool:
        """Return whether there is a file of a category."""
        return (self._plain(name) if self.base == MAGENTA else name) in self.names

    @staticmethod
    def _plain(name: str) -> str:
        return name.lower().replace(" ", "_")


def _decoders(folder: str) -> Form:
    return Form(folder, ".gen.json", lambda head: head.startswith(b"[{"), MAGENTA, MAGENTA_LICENCE)


FORMS = {
    "simplified": Form("full/simplified", ".ndjson", lambda head: head.startswith(b"{")),
    "raw": Form("full/raw", ".ndjson", lambda head: head.startswith(b"{")),
    # A record has no magic number, but a truth value in its eleventh byte, as no text has there.
    "binary": Form("full/binary", ".bin", lambda head: len(head) > 10 and head[10] in (0, 1)),
    "npz": Form("sketchrnn", ".npz", lambda head: head.startswith(b"PK\x03\x04")),
    "npz-full": Form("sketchrnn", ".full.npz", lambda head: head.startswith(b"PK\x03\x04")),
    "magenta": _decoders("sketchRNN/models"),
    "magenta-large": _decoders("sketchRNN/large_models"),
}
"""The forms by name."""


def download(
    categories: str | Sequence[str],
    out: str | Path,
    form: str = "simplified",
    *,
    base: str | None = None,
    force: bool = False,
    retries: int = RETRIES,
    jobs: int = DOWNLOADS,
    progress: Callable[[Progress], None] | None = None,
) -> list[Path]:
    """Download the files of some categories into a folder.

    A file that exists with the server's size is not downloaded again, and what an interrupted run has left is
    resumed. A file that fails does not keep the others from being downloaded: its error is raised at the end.

    Args:
        categories: names; of the 345, or of `decoders`, unless `base` is a mirror.
        out: the folder, created if necessary.
        form: one of `FORMS`.
        base: address of the folders of the forms; None for Google's.
        force: download files again that exist, whatever their size, and replace them.
        retries: attempts after one that made no progress.
        jobs: files at a time.
        progress: called with each event, in the calling thread.

    Returns:
        The paths of the files in the order of the categories, each once.

    Raises:
        CategoryError: no such category, or a name that no file can have.
        SettingError: a setting is out of range.
        DownloadError: something could not be downloaded.
        OutputError: another file is in the place of one, or the folder or the disk cannot be written.
    """
    check_range("jobs", jobs, 1, MAX_DOWNLOADS)
    check_range("retries", retries, 0, MAX_RETRIES)
    names = [categories] if isinstance(categories, str) else list(dict.fromkeys(categories))
    remotes = _remote_files(names, Path(out), form, base)
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise OutputError(f"{shown(out)} cannot be used as a folder: {reason(error)}") from error
    with new_client(f"sketchgen/{__version__}", jobs) as client:
        failures = _fetch_all(remotes, client, retries, jobs, force, progress or (lambda event: None))
    if len(failures) == 1 == len(remotes):
        raise failures[0]
    if failures:
        quoted = "; ".join(str(failure) for failure in failures[:_MAX_QUOTED])
        more = f"; and {len(failures) - _MAX_QUOTED} more" if len(failures) > _MAX_QUOTED else ""
        raise DownloadError(
            f"{len(failures)} of {len(remotes)} files could not be downloaded: {quoted}{more}"
        )
    return [remote.target for remote in remotes]


def _fetch_all(
    remotes: Sequence[RemoteFile],
    client: httpx.Client,
    retries: int,
    jobs: int,
    force: bool,
    progress: Callable[[Progress], None],
) -> list[SketchgenError]:
    """Download all files in several threads, and return the errors of single ones."""
    waiting, reports = _Queue(), _Queue()
    for remote in remotes:
        waiting.put(remote)
    transfer = Transfer(client, retries, threading.Event(), reports.put)
    # Daemons: a thread that waits for a silent server must not keep Ctrl-C from ending the program.
    work = functools.partial(_work, transfer, waiting, reports, force)
    threads = [threading.Thread(target=work, name=THREAD, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    failed: dict[RemoteFile, SketchgenError] = {}
    try:
        running = jobs
        while running:
            try:
                report = reports.get(timeout=0.5)  # On Windows, Ctrl-C is heard only between two waits.
            except queue.Empty:
                continue
            if report is None:
                running -= 1
            elif isinstance(report, Progress):
                progress(report)
            else:
                remote, error = report
                if _ends_run(error) or not isinstance(error, SketchgenError):
                    raise error
                failed[remote] = error
                progress(Progress(remote.target.name, "failed", words=str(error)))
    finally:
        transfer.stop.set()
        end = time.monotonic() + _GRACE_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
    return [failed[remote] for remote in remotes if remote in failed]


def _work(transfer: Transfer, waiting: _Queue, reports: _Queue, force: bool) -> None:
    """Download waiting files one after the other, and report failures; None reports the end."""
    with contextlib.suppress(Stopped, queue.Empty):
        while not transfer.stop.is_set():
            remote = waiting.get_nowait()
            try:
                transfer.fetch(remote, force=force)
            except Stopped:
                break
            except BaseException as error:
                reports.put((remote, error))
                if _ends_run(error):
                    transfer.stop.set()
    reports.put(None)


def _ends_run(error: BaseException) -> bool:
    """Return whether other files would fail, too; a bug also ends the run."""
    return not isinstance(error, SketchgenError) or isinstance(error, ServerUnavailable | DiskUnavailable)


def _remote_files(names: list[str], out: Path, form: str, base: str | None) -> list[RemoteFile]:
    """Return the files to download, after a check of names, form and base."""
    if form not in FORMS:
        raise SettingError(f"no form {form[:40]!r}; there are {', '.join(FORMS)}")
    if not names:
        raise SettingError("no categories; name some, such as cat, or ask for all")
    chosen = FORMS[form]
    base = chosen.base if base is None else _checked_base(base)
    for name in names:
        _check_name(name)
        if base == chosen.base and not chosen.knows(name):
            raise unknown_category(name, chosen.names)
    return [
        RemoteFile(
            url=f"{base}/{chosen.folder}/{quote(chosen.file(name), safe='')}",
            target=out / chosen.file(name),
            kind=chosen.suffix.removeprefix("."),
            matches=chosen.matches,
        )
        for name in names
    ]


def _check_name(name: str) -> None:
    """Check that a category's name can be a file's name on any system: a mirror may have any."""
    plain = name.isprintable() and name == name.strip() and not name.startswith(".")
    if not name or not plain or any(sign in name for sign in '/\\:*?"<>|'):
        raise CategoryError(
            f"{shown(name)[:60]!r} is no category's name; it must not start with a dot, or contain any of "
            '/ \\ : * ? " < > |'
        )
    if len(name.encode()) > MAX_NAME_BYTES:
        raise CategoryError(
            f"category {name[:40] + '...'!r} has over {MAX_NAME_BYTES} bytes; use a shorter name"
        )


def _checked_base(base: str) -> str:
    """Return the base without a slash at its end; it is an http or https address of only host and path."""
    try:
        parts = urlsplit(base)
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
        httpx.URL(base)
    except (ValueError, httpx.InvalidURL):
        valid, parts = False, urlsplit("")
    if not valid or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingError(
            f"base {base[:60]!r} is no address; it is https:// or http://, a host and a path, without a "
            "password, ? or #"
        )
    return base.rstrip("/")
