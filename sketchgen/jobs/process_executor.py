"""Workers as processes of this machine, each with an engine of its own on one thread."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from sketchgen.errors import ProcessLostError, SketchgenError
from sketchgen.jobs.assignment import Handout
from sketchgen.jobs.engine import Opener, open_for
from sketchgen.jobs.executor import window
from sketchgen.jobs.spec import Job, Task
from sketchgen.jobs.worker import Made, Maker, Place

AT_A_TIME = 8
"""Drawings that a worker asks for at a time."""

MAX_LOST = 5
"""Workers that may be lost in a job before it is given up."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What says, before numpy is loaded, on how many threads it computes."""

_END_SECONDS = 2.0
"""How long a worker may take to end before it is killed."""


@dataclass
class _Worker:
    """A process, its end of the line, and what it has not finished.

    Attributes:
        asking: whether it waits for more.
    """

    process: BaseProcess
    line: Connection
    unfinished: dict[int, Task] = field(default_factory=dict)
    asking: bool = False


class Processes:
    """Several processes, or one: what is computed on one thread is the same on any number of them."""

    def __init__(self, jobs: int, opener: Opener = open_for) -> None:
        """Draw with `jobs` processes; `opener` makes the engine in each."""
        self._jobs, self._opener = jobs, opener

    def ahead(self, job: Job) -> int:
        """See `Pool.ahead`."""
        return window(job, self._jobs)

    def run(self, job: Job, place: Place, handout: Handout) -> Generator[Made]:
        """See `Pool.run`.

        Raises:
            ProcessLostError: too many workers were killed.
        """
        hand = (job, place, self._opener)
        workers: list[_Worker] = []
        lost = 0
        try:
            workers += [_start(hand) for _ in range(self._jobs)]
            while not handout.over:
                _serve(workers, handout)
                for worker in _heard(workers):
                    try:
                        yield from _results(worker)
                    except (EOFError, OSError) as error:
                        lost += 1
                        _replace(workers, worker, handout, hand, lost, error)
        finally:
            _end(workers)


def _replace(
    workers: list[_Worker], worker: _Worker, handout: Handout, hand: Any, lost: int, error: BaseException
) -> None:
    """Start another worker instead of one that is gone, and give what it has not finished back."""
    handout.give_back(list(worker.unfinished.values()))
    worker.line.close()
    worker.process.join(_END_SECONDS)
    if lost > MAX_LOST:
        how = worker.process.exitcode
        raise ProcessLostError(
            f"{lost} workers were lost, the last one with status {how} (was memory short?); try fewer --jobs"
        ) from error
    sys.stderr.write(
        f"a worker was lost ({lost} of at most {MAX_LOST}); its drawings are made by another one\n"
    )
    workers[workers.index(worker)] = _start(hand)


def _heard(workers: list[_Worker]) -> list[_Worker]:
    """The workers that have something to say or are gone; waits for the first."""
    lines = {worker.line: worker for worker in workers}
    return [lines[line] for line in wait(list(lines)) if isinstance(line, Connection)]


def _serve(workers: list[_Worker], handout: Handout) -> None:
    """Answer those who ask for more.

    A worker with drawings under way is told at once that there is nothing now: it must finish them, for the
    others may be waiting for one of them. Who has nothing to do waits.
    """
    for worker in workers:
        if not worker.asking:
            continue
        tasks = handout.several(AT_A_TIME)
        if tasks or worker.unfinished:
            worker.asking = False
            worker.unfinished |= {task.number: task for task in tasks}
            # If it is gone, its end of the line tells.
            with contextlib.suppress(OSError):
                worker.line.send(tasks)


def _results(worker: _Worker) -> Iterator[Made]:
    """What a worker has said until now.

    Raises:
        EOFError, OSError: it is gone.
        SketchgenError: what went wrong in it.
    """
    while worker.line.poll():
        said = worker.line.recv()
        if said is None:
            worker.asking = True
        elif isinstance(said, BaseException):
            raise _Wrong(said).error
        elif worker.unfinished.pop(said.number, None) is not None:
            yield said


class _Wrong:
    """What went wrong in a worker, as it is raised here: no OSError, by which a lost worker is told."""

    def __init__(self, error: BaseException) -> None:
        lost = isinstance(error, OSError | EOFError)
        self.error = SketchgenError(f"a worker failed: {error}") if lost else error


def _start(hand: Any) -> _Worker:
    """Start a worker."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, *hand), daemon=True, name="sketchgen worker")
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        process.start()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    # Only the worker holds the other end: when it is gone, ours tells.
    theirs.close()
    return _Worker(process, ours)


def _end(workers: list[_Worker]) -> None:
    """End all workers, whatever they are doing."""
    for worker in workers:
        worker.line.close()
        worker.process.terminate()
    for worker in workers:
        worker.process.join(_END_SECONDS)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _work(line: Connection, job: Job, place: Place, opener: Opener) -> None:
    """What a worker does: ask, draw, hand over, until the line is closed."""
    # Ctrl-C goes to all processes of a terminal; the parent sees to the end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
            maker = Maker(job, place, one_thread(opener, job))
            while True:
                for made in maker.make(_asked(line)):
                    line.send(made)
    except Exception as error:
        with contextlib.suppress(Exception):
            line.send(error)


def one_thread(opener: Opener, job: Job) -> Any:
    """The engine of a job, which computes on one thread."""
    engine = opener(job)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    return engine


def _asked(line: Connection) -> Iterator[Task]:
    """Tasks, asked for when they are needed, until there are none now."""
    while True:
        line.send(None)
        tasks = line.recv()
        if not tasks:
            return
        yield from tasks
