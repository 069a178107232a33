"""Running a job: what workers make, in any order, is settled in the order of the numbers."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sketchgen.errors import SettingError
from sketchgen.jobs.assignment import Handout
from sketchgen.jobs.executor import Pool
from sketchgen.jobs.inputs import Source
from sketchgen.jobs.manifest import (
    Manifest,
    first_difference,
    header_of,
    line_of,
    read_entries,
    read_header,
)
from sketchgen.jobs.near_duplicates import Seen
from sketchgen.jobs.output import Target
from sketchgen.jobs.spec import Job
from sketchgen.jobs.worker import Made
from sketchgen.sketch.files import shown

DUPLICATE = "near-duplicate"
"""Why a drawing was dropped: it looks like an earlier one; that one's number follows."""

Progress = Callable[[int, int], None]
"""Called with how many drawings are settled, and how many there are to be."""


@dataclass
class Outcome:
    """What came of a job.

    Attributes:
        settled: drawings that were made or dropped, those of an earlier run included.
        resumed: how many of them an earlier run has made.
        ended: how many the model ended by itself, of those that were kept.
        dropped: how many were dropped, by the reason.
        files: what was made of all of them at the end, such as the sheet.
    """

    settled: int = 0
    resumed: int = 0
    ended: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    files: list[Path] = field(default_factory=list)

    @property
    def kept(self) -> int:
        """Drawings that were not dropped."""
        return self.settled - self.dropped.total()

    def count(self, line: Mapping[str, Any]) -> None:
        """Count a drawing by what the manifest says of it."""
        self.settled += 1
        if line.get("dropped") is None:
            self.ended += bool(line["ended"])
        else:
            self.dropped[DUPLICATE] += 1


@dataclass
class Run:
    """A job, and where it goes.

    Attributes:
        job: what is drawn.
        source: where the beginnings come from, if there are any.
        target: where the drawings go.
        weights: the identity of the model.
        progress: told how far it has come.
        written: told the path or name of each file that is written.
    """

    job: Job
    source: Source | None
    target: Target
    weights: str
    progress: Progress = lambda done, total: None
    written: Callable[[str], None] = lambda name: None
    outcome: Outcome = field(default_factory=Outcome)
    _seen: Seen = field(default_factory=Seen)
    _manifest: Manifest | None = None

    def go(self, pool: Pool, *, resume: bool = False, force: bool = False) -> Outcome:
        """Draw everything; with `resume`, what an earlier run has left to be done.

        What is done when an error or Ctrl-C ends it stays, and can be gone on with.

        Raises:
            SketchgenError: it cannot be done, or the job that is to be gone on with asked for something else.
        """
        header = header_of(self.job, self.weights, self.source, self.target.file)
        path = self.target.manifest
        if path is not None and resume:
            self._manifest = Manifest(path, self._found(path, header))
        elif path is not None:
            self._manifest = Manifest.create(path, header, force=force)
        try:
            self.target.begin()
            if self.outcome.settled < self.job.total:
                self._draw(pool)
            self.outcome.files = self.target.finish()
        finally:
            empty = self.outcome.settled == 0
            if self._manifest is not None:
                self._manifest.close(remove=empty and not resume)
            self.target.close(empty=empty)
        return self.outcome

    def _found(self, path: Path, header: Mapping[str, Any]) -> int:
        """Find out what an earlier run has done, and return how many bytes of its manifest are sound."""
        if not path.exists():
            raise SettingError(
                f"{shown(path)} is not there: there is nothing to be resumed; leave out --resume"
            )
        entry = read_header(path)
        first_difference(path, entry.value, header)
        end = entry.end
        for entry in read_entries(path, end):
            if not self.target.there(entry.value):
                break
            end = entry.end
            self.outcome.count(entry.value)
            if self.job.unique and "signature" in entry.value:
                number = entry.value["number"]
                self._seen.add(number // self.job.count, number, bytes.fromhex(entry.value["signature"]))
        self.outcome.resumed = self.outcome.settled
        return end

    def _draw(self, pool: Pool) -> None:
        """Have the rest made, and settle it in order."""
        job, first = self.job, self.outcome.settled
        handout = Handout(job.tasks(self.source, first), first, job.total, pool.ahead(job))
        waiting: dict[int, Made] = {}
        self.progress(first, job.total)
        with contextlib.closing(pool.run(job, self.target.wanted, handout)) as found:
            for made in found:
                waiting[made.number] = made
                while (next_one := waiting.pop(handout.settled, None)) is not None:
                    self._settle(next_one)
                    handout.settled += 1
                    self.progress(handout.settled, job.total)
                if handout.over:
                    break

    def _settle(self, made: Made) -> None:
        """Write a drawing, then its line; or only the line, with the reason why it is dropped."""
        group = made.number // self.job.count
        if made.code is not None and made.dropped is None:
            earlier = self._seen.earlier(group, made.code)
            if earlier is not None:
                made = replace(made, dropped=f"{DUPLICATE} of drawing {earlier}", data=None, cell=None)
            else:
                self._seen.add(group, made.number, made.code)
        name = None if made.dropped is not None else self.target.put(made)
        line = line_of(self.job, made, name)
        if self._manifest is not None:
            self._manifest.add(line)
        self.outcome.count(line)
        if name is not None:
            self.written(name)
