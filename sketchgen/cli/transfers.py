"""How a download shows itself on standard error: bars on a terminal, else a line now and then."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from sketchgen.data.transfer import Progress

LINE_EVERY = 10.0
"""Seconds between two lines about a file."""


@contextlib.contextmanager
def shown_transfers(count: int) -> Iterator[Callable[[Progress], None]]:
    """What shows a download of so many files while the block runs."""
    console = Console(stderr=True, emoji=False, highlight=False, markup=False)
    if not console.is_terminal:
        yield Lines(count).show
        return
    with Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        expand=True,
    ) as bars:
        yield BarsOfFiles(bars, count).show


class _Shown:
    """What both have: how many files are through, and what is said of one."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.through = 0

    def said(self, event: Progress) -> str:
        """The line about a file that is through or has to wait; "" if there is none to be said."""
        if event.state != "waiting":
            self.through += 1
        # A single file's failure is the command's own, which says it.
        if event.state == "failed":
            return event.words if self.count > 1 else ""
        words = {
            "waiting": event.words,
            "done": f"{_megabytes(event.size)} fetched",
            "there": f"{_megabytes(event.size)} stand there already",
        }[event.state]
        number = f" ({self.through} of {self.count})" if self.count > 1 and event.state != "waiting" else ""
        return f"{event.name}: {words}{number}"


class BarsOfFiles(_Shown):
    """A bar for each file that is on its way; lines above them for what has happened."""

    def __init__(self, bars: Bars, count: int) -> None:
        super().__init__(count)
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}

    def show(self, event: Progress) -> None:
        """Show what has happened."""
        if event.state == "moving":
            if event.name not in self.tasks:
                # What an earlier run has fetched is no part of this one's speed.
                self.tasks[event.name] = self.bars.add_task(
                    event.name, total=event.whole, completed=event.size
                )
            self.bars.update(self.tasks[event.name], completed=event.size, total=event.whole)
            return
        if event.state != "waiting" and event.name in self.tasks:
            self.bars.remove_task(self.tasks.pop(event.name))
        if words := self.said(event):
            self.bars.console.print(words, soft_wrap=True)


class Lines(_Shown):
    """Plain lines, for a log or a pipe."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.last: dict[str, tuple[float, int]] = {}

    def show(self, event: Progress) -> None:
        """Write a line, if it is time for one."""
        if event.state == "moving":
            now = time.monotonic()
            then, before = self.last.setdefault(event.name, (now, event.size))
            if now - then >= LINE_EVERY:
                self.last[event.name] = (now, event.size)
                speed = max(0, event.size - before) / (now - then)
                of = f" of {_megabytes(event.whole)}" if event.whole is not None else ""
                sys.stderr.write(f"{event.name}: {_megabytes(event.size)}{of}, {_megabytes(speed)}/s\n")
        elif words := self.said(event):
            sys.stderr.write(words + "\n")


def _megabytes(count: float) -> str:
    """Bytes in words: MB of a million bytes, as servers and disks count."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
