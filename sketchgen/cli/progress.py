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


def usable_cores() -> int:
    """Return how many of the machine's cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Work:
    """A piece of work: how much of it was done at first, when that was, and what shows it."""

    def __init__(self, done: float) -> None:
        self.first, self.start = done, time.monotonic()
        self.line = self.start
        self.bar: Any = None

    def words(self, done: float, total: float | None, unit: str) -> str:
        """Return how much is done, the rate, and the time that is left, in words."""
        size = 1e6 if unit else 1
        rate = (done - self.first) / max(time.monotonic() - self.start, 1e-9)
        of = "" if total is None else f" of {total / size:.0f}"
        words = f"{done / size:.0f}{of}{unit}, {rate / size:.1f}{unit}/s"
        if rate <= 0 or total is None:
            return words
        left = (total - done) / rate
        times = ((86400, "days"), (3600, "h"), (60, "min"))
        shown = next((f"{left / size:.1f} {unit}" for size, unit in times if left >= size), f"{left:.0f} s")
        return f"{words}, {shown} left"


class Shown:
    """Shows pieces of work by their names. Counted is from where they stood at first."""

    def __init__(self, bars: Any, unit: str) -> None:
        self._bars, self._unit = bars, unit
        self._works: dict[str, _Work] = {}

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Show that so much is done, of how much there is."""
        work = self._works.setdefault(what, _Work(done))
        words = work.words(done, total, self._unit)
        if self._bars is not None:
            if work.bar is None:
                work.bar = self._bars.add_task(what, total=total, said="")
            self._bars.update(work.bar, completed=done, total=total, said=words)
        elif time.monotonic() - work.line >= LINE_SECONDS:
            work.line = time.monotonic()
            sys.stderr.write(f"{what}: {words}\n")

    def end(self, what: str) -> None:
        """Remove the bar of a piece of work."""
        work = self._works.pop(what, None)
        if work is not None and work.bar is not None:
            self._bars.remove_task(work.bar)

    def say(self, words: str) -> None:
        """Write a line above the bars."""
        if self._bars is not None:
            self._bars.console.print(words, soft_wrap=True, markup=False, highlight=False)
        else:
            sys.stderr.write(words + "\n")


@contextmanager
def shown(unit: str = "") -> Iterator[Shown]:
    """Yield what shows work while the block runs; `unit` is " MB" where bytes are counted."""
    if not sys.stderr.isatty():
        yield Shown(None, unit)
        return
    from rich import progress
    from rich.console import Console

    texts = (
        progress.TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[said]}")
    )
    name, said = texts
    console = Console(stderr=True, emoji=False)
    with progress.Progress(name, progress.BarColumn(), said, console=console, transient=True) as bars:
        yield Shown(bars, unit)


def transfers(show: Shown, count: int) -> Callable[[Transfer], None]:
    """Return what shows the events of a download of so many files by `show`."""
    through = 0

    def happened(event: Transfer) -> None:
        nonlocal through
        if event.state == "moving":
            show(event.name, event.size, event.whole)
        elif event.state == "waiting":
            show.say(f"{event.name}: {event.words}")
        else:
            through += 1
            show.end(event.name)
            number = f" ({through} of {count})" if count > 1 else ""
            done = "fetched" if event.state == "done" else "there already"
            if event.state != "failed":
                # Of a million bytes, as servers and disks count.
                size = f"{event.size / 1e6:.1f} MB" if event.size >= 1e5 else f"{event.size / 1e3:.1f} kB"
                show.say(f"{event.name}: {size} {done}{number}")
            elif count > 1:
                # A single file's failure is the command's own, which says it.
                show.say(event.words)

    return happened
