"""From files of drawings to a prepared store, in two passes, by one process or several, in bounded memory.

First the input, cut into tasks, is read, and what is wanted is put down in files sorted by key
(`sketchgen.data.gather`). Then one range of keys after the other is read from all of them, and what stands
there twice or is too much is left out (`sketchgen.data.merge`).
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
from sketchgen.data.gather import MAX_FAULTS, Gatherer, Outcome, begin_worker, check_categories, gather
from sketchgen.data.merge import merge, unique_order
from sketchgen.data.rules import TWICE, UNREADABLE, Wanted
from sketchgen.data.sources import source_files
from sketchgen.data.spill import Held, SpillFile
from sketchgen.data.store import StoreWriter, new_store
from sketchgen.data.tasks import Piece, ranges_for, tasks_of
from sketchgen.errors import FormatError, OutputError
from sketchgen.limits import check_range
from sketchgen.sketch.files import check_replaceable, reason

__all__ = ["PrepareReport", "Progress", "Wanted", "prepare", "read_drawings"]

SMALL_BYTES = 16 * 1024 * 1024
"""Input up to which other processes are not worth their start."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, "reading" or "writing", how many bytes are done, and how many there are."""


@dataclass(frozen=True)
class PrepareReport:
    """What `prepare` did.

    Attributes:
        kept: number of drawings in each split.
        categories: the names, sorted.
        dropped: number of drawings left out, by reason.
        faults: what could not be read, file and place first; at most `MAX_FAULTS` of them.
        statistics: points a drawing, the offsets' standard deviation in px, and drawings by category.
    """

    kept: dict[str, int]
    categories: list[str]
    dropped: dict[str, int]
    faults: list[str]
    statistics: dict[str, Any]

    def text(self) -> str:
        """The report for a person, a few lines."""
        total = sum(self.kept.values())
        splits = ", ".join(f"{count} {split}" for split, count in self.kept.items())
        lines = [f"kept {total} drawings in {len(self.categories)} categories ({splits})"]
        dropped = [f"dropped {count}: {reason}" for reason, count in sorted(self.dropped.items())]
        lines += dropped or ["dropped none"]
        lines += [f"  {fault}" for fault in self.faults]
        points = self.statistics["points"]
        mean, most = f"mean {points['mean']:.1f}", f"most {points['max']}"
        lines.append(f"points a drawing: {mean}, 95 % under {points['p95']:.0f}, {most}")
        return "\n".join(lines)


@dataclass
class _Gathered:
    """What became of all tasks.

    Attributes:
        files: where the drawings are.
        dropped: how many were left out, by reason.
        faults: what could not be read, with its place: the first `MAX_FAULTS`.
    """

    files: list[SpillFile] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _file: Path | None = None
    _lines: int = 0

    def add(self, pieces: Sequence[Piece], outcome: Outcome) -> None:
        """Add the outcome of the next task; tasks come in their order, for lines are counted on."""
        self.files += outcome.files
        self.dropped.update(outcome.dropped)
        faults = iter(outcome.faults)
        fault = next(faults, None)
        for number, (piece, lines) in enumerate(zip(pieces, outcome.lines, strict=True)):
            if piece.first == 0:
                self._lines = 0
            while fault is not None and fault.piece == number:
                if len(self.faults) < MAX_FAULTS:
                    here, whole = (
                        f"{piece.file.name}, line {at}" for at in (fault.line, self._lines + fault.line)
                    )
                    self.faults.append(fault.message.replace(here, whole, 1) if fault.line else fault.message)
                fault = next(faults, None)
            self._lines += lines

    @property
    def categories(self) -> list[str]:
        """The names that occur, sorted."""
        return sorted({file.categories[code] for file in self.files for code in file.used})


def prepare(
    sources: Sequence[Path],
    out: Path,
    wanted: Wanted | None = None,
    *,
    training_only: Sequence[Path] = (),
    jobs: int = 1,
    strict: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> PrepareReport:
    """Turn files of drawings into a prepared store in folder `out`.

    The store does not depend on `jobs`, nor on the order of the sources. A program that asks for several jobs
    must be one that can be imported (`if __name__ == "__main__":`), for each of them is a new process.

    Args:
        sources: Quick, Draw! ndjson (simplified or raw, also .gz) or binary files, sketch-rnn .npz, SVGs and
            canvas JSON in folders by category; or folders of any of them.
        out: the store's folder.
        wanted: which drawings are taken.
        training_only: further sources, such as drawings sampled from a model: those that would fall into
            validation or test are left out, counted as `TRAINING_ONLY`.
        jobs: how many processes read; one, this one, where the sources are small.
        strict: write nothing if something could not be read.
        force: replace a store that stands there.
        progress: called now and then.

    Raises:
        FormatError: a source is missing or holds no drawing; or, with `strict`, something cannot be read.
        OutputError: `out` exists and `force` is false, or cannot be written.
        SettingError: `jobs` is less than 1.
    """
    check_range("jobs", jobs, 1)
    out, wanted, say = Path(out), wanted or Wanted(), progress or (lambda what, done, total: None)
    check_replaceable(out, "store.json", "a store", force=force)
    tasks = tasks_of(
        source_files([Path(each) for each in sources]),
        training_only=source_files([Path(each) for each in training_only]),
    )
    try:
        with new_store(out) as writer:
            spills = writer.folder / "sorted"
            spills.mkdir()
            gathered = _gathered(tasks, wanted, spills, jobs, say)
            _check(gathered, [*sources, *training_only], strict)
            report = _merged(gathered, wanted, writer, say)
            shutil.rmtree(spills)
            writer.finish(vars(report))
    except OSError as error:
        raise OutputError(f"{out} cannot be written: {reason(error)}") from error
    except BrokenProcessPool as error:
        raise OutputError("a process that read drawings was ended; try again with --jobs 1") from error
    return report


def _check(gathered: _Gathered, sources: Sequence[Path], strict: bool) -> None:
    """Refuse to write a store of nothing, or one that leaves out what it should not."""
    unreadable = gathered.dropped[UNREADABLE]
    if strict and unreadable:
        raise FormatError(
            f"{unreadable} could not be read, nothing was written; the first: {gathered.faults[0]}"
        )
    if not gathered.files:
        why = "".join(f"; {count} {reason}" for reason, count in sorted(gathered.dropped.items()) if count)
        why += f"; the first: {gathered.faults[0]}" if gathered.faults else ""
        raise FormatError(f"no drawing in {', '.join(str(source) for source in sources)}{why}")


def _merged(gathered: _Gathered, wanted: Wanted, writer: StoreWriter, progress: Progress) -> PrepareReport:
    """Write the drawings to a store, and report."""
    categories = gathered.categories
    check_categories(len(categories))
    total = sum(int(file.offset[-1]) for file in gathered.files)
    statistics, twice, beyond = merge(
        gathered.files, categories, wanted.most, writer, lambda done: progress("writing", done, total)
    )
    dropped = gathered.dropped + Counter({TWICE: twice, wanted.beyond: beyond})
    return PrepareReport(
        statistics.kept, categories, dict(sorted(dropped.items())), gathered.faults, statistics.figures()
    )


def _gathered(
    tasks: Sequence[list[Piece]], wanted: Wanted, folder: Path, jobs: int, progress: Progress
) -> _Gathered:
    """What all tasks put down in a folder."""
    gathered, ranges, done = _Gathered(), ranges_for(tasks), 0
    total = sum(piece.size for pieces in tasks for piece in pieces)
    calls = [(number, pieces, wanted, folder, ranges) for number, pieces in enumerate(tasks)]
    jobs = 1 if total <= SMALL_BYTES else min(jobs, len(tasks))
    outcomes = (gather(*call) for call in calls) if jobs == 1 else _in_processes(calls, jobs)
    for pieces, outcome in zip(tasks, outcomes, strict=True):
        gathered.add(pieces, outcome)
        done += sum(piece.size for piece in pieces)
        progress("reading", done, total)
    return gathered


def _in_processes(calls: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[Outcome]:
    """The outcomes of tasks in their order, from several processes; a few tasks wait at a time."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=begin_worker, initargs=(stop,)) as pool:
        coming = iter(calls)
        waiting: deque[Future[Outcome]] = deque(
            pool.submit(gather, *call) for call in islice(coming, 3 * jobs)
        )
        try:
            while waiting:
                outcome = waiting.popleft().result()
                waiting.extend(pool.submit(gather, *call) for call in islice(coming, 1))
                yield outcome
        finally:
            # However this ends, by an error or Ctrl-C: nobody may write any more once the folder is removed.
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def read_drawings(source: Path) -> tuple[Drawings, list[str]]:
    """All drawings of a file or a folder, unsplit, in the order of their keys, and their categories.

    Raises:
        FormatError: nothing there, or no drawing in it.
    """
    held = Held([])
    gatherer = Gatherer(Wanted(), held)
    for pieces in tasks_of(source_files([Path(source)])):
        for piece in pieces:
            gatherer.read(piece)
    if not held.parts:
        raise FormatError(f"no drawing in {source}")
    seen = held.parts[-1].categories
    whole = joined(held.parts, seen)
    whole = whole.take(unique_order(whole.key))
    names = sorted(seen[code] for code in np.unique(whole.category))
    return replace(whole, category=whole.known_as(names), categories=tuple(names)), names
