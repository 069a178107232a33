"""The run of a job: drawings finish in any order, and are written in the order of their numbers."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sketchgen.errors import SettingError
from sketchgen.jobs.executor import Executor, TaskQueue
from sketchgen.jobs.inputs import Source
from sketchgen.jobs.manifest import Manifest, check_same_job, header_of, line_of, read_header, read_lines
from sketchgen.jobs.near_duplicates import SeenSignatures
from sketchgen.jobs.output import Output
from sketchgen.jobs.spec import Job
from sketchgen.jobs.worker import Record
from sketchgen.sketch.files import shown

DUPLICATE = "near-duplicate"
"""Why a drawing is dropped: it looks like an earlier one, whose number follows."""


@dataclass
class Outcome:
    """The outcome of a job.

    Attributes:
        settled: drawings written or dropped, with those of an earlier run.
        resumed: how many of them an earlier run made.
        ended: how many of the written ones the model ended.
        dropped: dropped drawings by reason.
        files: files made of all drawings at the end, such as the contact sheet.
    """

    settled: int = 0
    resumed: int = 0
    ended: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    files: list[Path] = field(default_factory=list)

    @property
    def written(self) -> int:
        """Number of drawings that were not dropped."""
        return self.settled - self.dropped.total()

    def count(self, line: Mapping[str, Any]) -> None:
        """Count a drawing by its line in the manifest."""
        self.settled += 1
        if line.get("dropped") is None:
            self.ended += bool(line["ended"])
        else:
            self.dropped[DUPLICATE] += 1


@dataclass
class Run:
    """A run of a job.

    Attributes:
        source: the partial sketches; None to draw from nothing.
        weights: fingerprint of the model.
        progress: called with the numbers of settled and of all drawings.
        on_write: called with the name of each file that is written.
    """

    job: Job
    source: Source | None
    output: Output
    weights: str
    progress: Callable[[int, int], None] = lambda done, total: None
    on_write: Callable[[str], None] = lambda name: None
    outcome: Outcome = field(default_factory=Outcome)
    _seen: SeenSignatures = field(default_factory=SeenSignatures)
    _manifest: Manifest | None = None

    def go(self, executor: Executor, *, resume: bool = False, force: bool = False) -> Outcome:
        """Make all drawings, or with `resume` those that an earlier run left out.

        After an error or Ctrl-C the finished drawings remain, and the job can be resumed.

        Raises:
            SketchgenError: a drawing cannot be made, or the resumed job has other settings.
        """
        header = header_of(self.job, self.weights, self.source, self.output.file)
        path = self.output.manifest
        if path is not None:
            size = self._resume(path, header) if resume else None
            self._manifest = (
                Manifest.create(path, header, force=force) if size is None else Manifest(path, size)
            )
        try:
            self.output.start()
            if self.outcome.settled < self.job.total:
                self._draw(executor)
            self.outcome.files = self.output.finish()
        finally:
            empty = self.outcome.settled == 0
            if self._manifest is not None and empty and not resume:
                self._manifest.remove()
            elif self._manifest is not None:
                self._manifest.close()
            self.output.close(empty=empty)
        return self.outcome

    def _resume(self, path: Path, header: Mapping[str, Any]) -> int:
        """Count the drawings of an earlier run, and return the valid size of its manifest in bytes."""
        if not path.exists():
            raise SettingError(
                f"{shown(path)} is not there: there is nothing to be resumed; leave out --resume"
            )
        before, end = read_header(path)
        check_same_job(path, before, header)
        for line, line_end in read_lines(path, end):
            if not self.output.has(line):
                break
            end = line_end
            self.outcome.count(line)
            if self.job.unique and "signature" in line:
                number = line["number"]
                self._seen.add(number // self.job.count, number, bytes.fromhex(line["signature"]))
        self.outcome.resumed = self.outcome.settled
        return end

    def _draw(self, executor: Executor) -> None:
        """Make the remaining drawings and settle them in order."""
        job, first = self.job, self.outcome.settled
        queue = TaskQueue(job.drawings(self.source, first), first, job.total, executor.window(job))
        waiting: dict[int, Record] = {}
        self.progress(first, job.total)
        with contextlib.closing(executor.run(job, self.output.worker_options, queue)) as records:
            for record in records:
                waiting[record.number] = record
                while (following := waiting.pop(queue.settled, None)) is not None:
                    self._settle(following)
                    queue.settled += 1
                    self.progress(queue.settled, job.total)
                if queue.done:
                    break

    def _settle(self, record: Record) -> None:
        """Write a drawing and then its manifest line, or only the line if the drawing is dropped."""
        if record.signature is not None:
            group = record.number // self.job.count
            earlier = self._seen.earlier(group, record.signature)
            if earlier is not None:
                record = replace(record, dropped=f"{DUPLICATE} of drawing {earlier}", data=None, cell=None)
            else:
                self._seen.add(group, record.number, record.signature)
        name = None if record.dropped is not None else self.output.write(record)
        line = line_of(self.job, record, name)
        if self._manifest is not None:
            self._manifest.add_line(line)
        self.outcome.count(line)
        if name is not None:
            self.on_write(name)
