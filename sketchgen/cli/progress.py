"""How far a long piece of work has come, on standard error: bars on a terminal, else a line now and then."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketchgen.data.transfer import Progress as Transfer

LINE_SECONDS = 10.0
"""Time between two lines where standard error is no terminal."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is: bytes, or things."""


def usable_cores() -> int:
    """Return how many of the machine's cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def shown_bytes() -> Iterator[Progress]:
    """Yield what to call while the block runs with bytes that are done."""
    with _shown("DownloadColumn", "TransferSpeedColumn", "TimeRemainingColumn", line=_bytes_line) as progress:
        yield progress


@contextmanager
def shown_steps() -> Iterator[Progress]:
    """Yield what to call while the block runs with things that are done, such as drawings."""

    def line(what: str, done: int, total: int, seconds: float) -> str:
        return f"{what}: {done} of {total}"

    with _shown("MofNCompleteColumn", "TimeElapsedColumn", line=line) as progress:
        yield progress


@contextmanager
def shown_rate(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what to call with how many things are done, and how many there are; it shows rate and rest."""
    rate = _Rate()
    if sys.stderr.isatty():
        with _bars("MofNCompleteColumn", text="{task.fields[said]}") as bars:
            task = bars.add_task(what, total=None, said="")

            def move(done: int, total: int) -> None:
                rate.at(done)
                bars.update(task, completed=done, total=total, said=rate.words(done, total))

            yield move
        return
    last = time.monotonic()

    def line(done: int, total: int) -> None:
        nonlocal last
        rate.at(done)
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            sys.stderr.write(f"{what}: {done} of {total}, {rate.words(done, total)}\n")

    yield line


@contextmanager
def shown_transfers(count: int) -> Iterator[Callable[[Transfer], None]]:
    """Yield what shows a download of so many files: a bar for each, or lines."""
    if not sys.stderr.isatty():
        yield Transfers(count).show
        return
    with _bars("DownloadColumn", "TransferSpeedColumn", "TimeRemainingColumn") as bars:
        yield Transfers(count, bars).show


class Transfers:
    """Shows the files of a download, with what happened to each that is through."""

    def __init__(self, count: int, bars: Any = None) -> None:
        self.count, self.bars, self.through = count, bars, 0
        self.seen: dict[str, Any] = {}

    def show(self, event: Transfer) -> None:
        """Show an event."""
        if event.state == "moving":
            (self._line if self.bars is None else self._bar)(event)
            return
        if self.bars is not None and event.state != "waiting" and event.name in self.seen:
            self.bars.remove_task(self.seen.pop(event.name))
        words = self._words(event)
        if words and self.bars is not None:
            self.bars.console.print(words, soft_wrap=True, markup=False, highlight=False)
        elif words:
            sys.stderr.write(words + "\n")

    def _words(self, event: Transfer) -> str:
        """Return the line about a file that is through or has to wait; "" for none."""
        if event.state == "waiting":
            return f"{event.name}: {event.words}"
        self.through += 1
        # A single file's failure is the command's own, which says it.
        if event.state == "failed":
            return event.words if self.count > 1 else ""
        done = "fetched" if event.state == "done" else "there already"
        number = f" ({self.through} of {self.count})" if self.count > 1 else ""
        return f"{event.name}: {_megabytes(event.size)} {done}{number}"

    def _bar(self, event: Transfer) -> None:
        if event.name not in self.seen:
            # What an earlier run has fetched is no part of this one's speed.
            self.seen[event.name] = self.bars.add_task(event.name, total=event.whole, completed=event.size)
        self.bars.update(self.seen[event.name], completed=event.size, total=event.whole)

    def _line(self, event: Transfer) -> None:
        now = time.monotonic()
        then, before = self.seen.setdefault(event.name, (now, event.size))
        if now - then >= LINE_SECONDS:
            self.seen[event.name] = (now, event.size)
            speed = max(0, event.size - before) / (now - then)
            of = f" of {_megabytes(event.whole)}" if event.whole is not None else ""
            sys.stderr.write(f"{event.name}: {_megabytes(event.size)}{of}, {_megabytes(speed)}/s\n")


class _Rate:
    """How fast things get done, counted from where they stood at first."""

    def __init__(self) -> None:
        self._first: int | None = None
        self._start = time.monotonic()

    def at(self, done: int) -> None:
        """Remember where it stood at first."""
        if self._first is None:
            self._first, self._start = done, time.monotonic()

    def words(self, done: int, total: int) -> str:
        """Return the rate and the time that is left, in words."""
        rate = (done - (self._first or 0)) / max(time.monotonic() - self._start, 1e-9)
        if rate <= 0:
            return "0.0/s"
        left = (total - done) / rate
        times = ((86400, "days"), (3600, "h"), (60, "min"))
        shown = next((f"{left / size:.1f} {unit}" for size, unit in times if left >= size), f"{left:.0f} s")
        return f"{rate:.1f}/s, {shown} left"


@contextmanager
def _bars(*columns: str, text: str = "") -> Iterator[Any]:
    """Yield a rich display with a bar and these columns for each task."""
    from rich import progress
    from rich.console import Console

    more = [getattr(progress, name)() for name in columns]
    more += [progress.TextColumn(text, markup=False)] if text else []
    name = progress.TextColumn("{task.description}", markup=False)
    console = Console(stderr=True, emoji=False)
    with progress.Progress(name, progress.BarColumn(), *more, console=console, transient=True) as bars:
        yield bars


@contextmanager
def _shown(*columns: str, line: Callable[[str, int, int, float], str]) -> Iterator[Progress]:
    """Yield what shows several pieces of work: bars, or lines that `line` writes from the seconds so far."""
    if sys.stderr.isatty():
        with _bars(*columns) as bars:
            tasks: dict[str, Any] = {}

            def move(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total)
                bars.update(tasks[what], completed=done, total=total)

            yield move
        return
    starts: dict[str, float] = {}
    last = time.monotonic()

    def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        start = starts.setdefault(what, last)
        if now - last >= LINE_SECONDS:
            last = now
            sys.stderr.write(line(what, done, total, now - start) + "\n")

    yield progress


def _bytes_line(what: str, done: int, total: int, seconds: float) -> str:
    """Return how many bytes are done, with speed and time left."""
    rate = done / max(seconds, 1e-9)
    left = (total - done) / max(rate, 1e-9)
    return f"{what}: {done / 1e6:.0f} of {total / 1e6:.0f} MB, {rate / 1e6:.1f} MB/s, {left:.0f} s left"


def _megabytes(count: float) -> str:
    """Return bytes in MB of a million bytes, as servers and disks count."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
