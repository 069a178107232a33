"""How far a long piece of work has come: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_SECONDS = 10.0
"""Time between two lines where standard error is no terminal."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is: bytes, or things."""


def usable_cores() -> int:
    """How many of the machine's cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Something to call while the block runs; it shows on standard error how far things are."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Bar(TextColumn("{task.description}"), *columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress


@contextmanager
def shown_steps() -> Iterator[Progress]:
    """The same for work that is counted in things, not in bytes, and has many parts."""
    if not sys.stderr.isatty():
        yield _counts()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    text = TextColumn("{task.description}", markup=False)
    with Bar(text, *columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress


@contextmanager
def shown_rate(what: str) -> Iterator[Callable[[int, int], None]]:
    """Something to call with how many things are done and how many there are; it shows rate and time left."""
    rate = _Rate()
    if not sys.stderr.isatty():
        last = time.monotonic()

        def line(done: int, total: int) -> None:
            nonlocal last
            rate.at(done)
            if time.monotonic() - last >= LINE_SECONDS:
                last = time.monotonic()
                sys.stderr.write(f"{what}: {done} of {total}, {rate.words(done, total)}\n")

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(what, markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, said="")

        def move(done: int, total: int) -> None:
            rate.at(done)
            bar.update(task, completed=done, total=total, said=rate.words(done, total))

        yield move


class _Rate:
    """How fast things get done, counted from where they stood at first."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._begun = time.monotonic()

    def at(self, done: int) -> None:
        """Remember where it stood at first."""
        if self._first is None:
            self._first, self._begun = done, time.monotonic()

    def words(self, done: int, total: int) -> str:
        """The rate and the time that is left, in words."""
        rate = (done - (self._first or 0)) / max(time.monotonic() - self._begun, 1e-9)
        if rate <= 0:
            return "0.0/s"
        left = (total - done) / rate
        times = ((86400, "days"), (3600, "h"), (60, "min"))
        shown = next((f"{left / size:.1f} {unit}" for size, unit in times if left >= size), f"{left:.0f} s")
        return f"{rate:.1f}/s, {shown} left"


def _counts() -> Progress:
    """Lines, `LINE_SECONDS` apart."""
    last = time.monotonic()

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            sys.stderr.write(f"{what}: {done} of {total}\n")

    return progress


def _lines() -> Progress:
    """Lines, `LINE_SECONDS` apart: short work is done without one."""
    begun: dict[str, float] = {}
    last = time.monotonic()

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        start = begun.setdefault(what, last)
        if now - last < LINE_SECONDS:
            return
        last = now
        rate = done / max(now - start, 1e-9)
        left = (total - done) / max(rate, 1e-9)
        sys.stderr.write(
            f"{what}: {done / 1e6:.0f} of {total / 1e6:.0f} MB, {rate / 1e6:.1f} MB/s, {left:.0f} s left\n"
        )

    return progress
