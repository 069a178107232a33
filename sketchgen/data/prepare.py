"""Prepare a store from files of drawings, in two passes, with one process or several, in bounded memory.

The first pass reads the input in tasks and writes the selected drawings as sorted runs
(`sketchgen.data.reading`). The second merges the runs into the store, without duplicates
(`sketchgen.data.sorted_runs`).
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sketchgen.data.drawings import Drawings, joined
from sketchgen.data.reading import (
    MAX_FAULTS,
    Piece,
    PieceReader,
    TaskResult,
    check_category_count,
    read_task,
    split_into_tasks,
    start_worker,
)
from sketchgen.data.selection import DUPLICATE, UNREADABLE, Selection
from sketchgen.data.sorted_runs import Run, merge, range_count
from sketchgen.data.sources import source_files
from sketchgen.data.store import StoreWriter, new_store
from sketchgen.errors import FormatError, OutputError
from sketchgen.limits import check_range
from sketchgen.sketch.files import check_replaceable, reason

SMALL_BYTES = 16 * 1024 * 1024
"""Input up to which one process reads, since starting others takes longer."""

Progress = Callable[[str, int, int], None]
"""Called with the pass, "reading" or "writing", the bytes done, and the bytes in all."""


@dataclass(frozen=True)
class PrepareReport:
    """The result of `prepare`.

    Attributes:
        kept: number of drawings in each split.
        categories: the names, sorted.
        dropped: number of drawings dropped, by reason.
        faults: file, place and fault of what cannot be read; the first `MAX_FAULTS`.
        statistics: points per drawing, the offsets' standard deviation in px, and drawings by category.
    """

    kept: dict[str, int]
    categories: list[str]
    dropped: dict[str, int]
    faults: list[str]
    statistics: dict[str, Any]

    def text(self) -> str:
        """Return the report as a few lines of text."""
        total = sum(self.kept.values())
        splits = ", ".join(f"{count} {split}" for split, count in self.kept.items())
        lines = [f"kept {total} drawings in {len(self.categories)} categories ({splits})"]
        lines += [f"dropped {count}: {why}" for why, count in sorted(self.dropped.items())] or [
            "dropped none"
        ]
        lines += [f"  {fault}" for fault in self.faults]
        points = self.statistics["points"]
        lines.append("points a drawing: mean {mean:.1f}, 95 % under {p95:.0f}, most {max}".format(**points))
        return "\n".join(lines)


@dataclass
class _FirstPass:
    """The results of all tasks: runs, drawings dropped by reason, faults with their lines in whole files."""

    runs: list[Run] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _lines: int = 0

    def add(self, pieces: Sequence[Piece], result: TaskResult) -> None:
        """Add the result of the next task, in the order of the tasks."""
        self.runs += result.runs
        self.dropped.update(result.dropped)
        for number, (piece, lines) in enumerate(zip(pieces, result.lines, strict=True)):
            self._lines = 0 if piece.first == 0 else self._lines
            name, found = piece.file.name, [(line, text) for at, line, text in result.faults if at == number]
            for line, text in found[: MAX_FAULTS - len(self.faults)]:
                in_piece, in_file = f"{name}, line {line}", f"{name}, line {self._lines + line}"
                self.faults.append(text.replace(in_piece, in_file, 1) if line else text)
            self._lines += lines


def prepare(
    sources: Sequence[Path],
    out: Path,
    selection: Selection | None = None,
    *,
    training_only: Sequence[Path] = (),
    jobs: int = 1,
    strict: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> PrepareReport:
    """Prepare a store in folder `out` from files of drawings.

    The store does not depend on `jobs` or on the order of the sources. With several jobs, the program that
    calls this must be importable (`if __name__ == "__main__":`), since each job is a new process.

    Args:
        sources: Quick, Draw! ndjson (simplified or raw, also .gz) or binary files, sketch-rnn .npz, SVGs and
            canvas JSON in folders by category; or folders of any of them.
        out: the store's folder.
        selection: which drawings to take; by default all.
        training_only: further sources, such as drawings sampled from a model. Those that would fall into
            validation or test are dropped and counted as `TRAINING_ONLY`.
        jobs: number of processes that read; small sources are read by this one.
        strict: write nothing if a drawing cannot be read.
        force: replace an existing store.
        progress: called after each task and each range of keys.

    Raises:
        FormatError: a source is missing or has no drawing; or, with `strict`, a drawing cannot be read.
        OutputError: `out` exists and `force` is false, or cannot be written.
        SettingError: `jobs` is less than 1.
    """
    check_range("jobs", jobs, 1)
    out, selection, progress = Path(out), selection or Selection(), progress or (lambda *_: None)
    check_replaceable(out, "store.json", "a store", force=force)
    tasks = split_into_tasks(
        source_files([Path(source) for source in sources]),
        training_only=source_files([Path(source) for source in training_only]),
    )
    try:
        with new_store(out) as writer:
            folder = writer.folder / "sorted"
            folder.mkdir()
            first = _read_tasks(tasks, selection, folder, jobs, progress)
            _check(first, [*sources, *training_only], strict)
            report = _merge(first, selection, writer, progress)
            shutil.rmtree(folder)
            writer.finish(vars(report))
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {reason(error)}") from error
    except BrokenProcessPool as error:
        raise OutputError("a process that read drawings was ended; try again with --jobs 1") from error
    return report


def _check(first: _FirstPass, sources: Sequence[Path], strict: bool) -> None:
    """Check that there are drawings, and with `strict` that all could be read."""
    unreadable = first.dropped[UNREADABLE]
    if strict and unreadable:
        raise FormatError(
            f"{unreadable} could not be read, nothing was written; the first: {first.faults[0]}"
        )
    if not first.runs:
        why = "".join(f"; {count} {reason}" for reason, count in sorted(first.dropped.items()) if count)
        why += f"; the first: {first.faults[0]}" if first.faults else ""
        raise FormatError(f"no drawing in {', '.join(str(source) for source in sources)}{why}")


def _merge(first: _FirstPass, selection: Selection, writer: StoreWriter, progress: Progress) -> PrepareReport:
    """Write the drawings to a store, and return the report."""
    categories = sorted({run.categories[number] for run in first.runs for number in run.used})
    check_category_count(len(categories))
    total = sum(int(run.sizes.sum()) for run in first.runs)
    maximum = selection.max_per_category
    statistics, duplicates, over = merge(
        first.runs, categories, maximum, writer, lambda done: progress("writing", done, total)
    )
    dropped = first.dropped + Counter({DUPLICATE: duplicates, f"beyond {maximum} of their category": over})
    return PrepareReport(
        statistics.kept, categories, dict(sorted(dropped.items())), first.faults, statistics.summary()
    )


def _read_tasks(
    tasks: Sequence[list[Piece]], selection: Selection, folder: Path, jobs: int, progress: Progress
) -> _FirstPass:
    """Read all tasks, and write their runs to a folder."""
    sizes = [sum(piece.size for piece in pieces) for pieces in tasks]
    first, total, done = _FirstPass(), sum(sizes), 0
    calls = [(number, pieces, selection, folder, range_count(total)) for number, pieces in enumerate(tasks)]
    jobs = 1 if total <= SMALL_BYTES else min(jobs, len(tasks))
    results = (read_task(*call) for call in calls) if jobs == 1 else _in_processes(calls, jobs)
    for pieces, size, result in zip(tasks, sizes, results, strict=True):
        first.add(pieces, result)
        done += size
        progress("reading", done, total)
    return first


def _in_processes(calls: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[TaskResult]:
    """Yield the results of tasks in their order, from several processes, with a few tasks ahead."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=start_worker, initargs=(stop,)) as pool:
        remaining = iter(calls)
        ahead: deque[Future[TaskResult]] = deque(
            pool.submit(read_task, *call) for call in islice(remaining, 3 * jobs)
        )
        try:
            while ahead:
                result = ahead.popleft().result()
                ahead.extend(pool.submit(read_task, *call) for call in islice(remaining, 1))
                yield result
        finally:
            # After an error or Ctrl-C, too, no process may write once the folder is removed.
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def read_drawings(source: Path) -> tuple[Drawings, list[str]]:
    """Return all drawings of a file or folder, by their keys, and the names of their categories."""
    parts: list[Drawings] = []
    reader = PieceReader(Selection(), parts.append)
    for pieces in split_into_tasks(source_files([Path(source)])):
        for piece in pieces:
            reader.read(piece)
    if not parts:
        raise FormatError(f"no drawing in {source}")
    drawings = joined(parts, parts[-1].categories)
    drawings = drawings.take(np.unique(drawings.key, return_index=True)[1])
    names = sorted(drawings.categories[number] for number in np.unique(drawings.category))
    return replace(drawings, category=drawings.known_as(names), categories=tuple(names)), names
