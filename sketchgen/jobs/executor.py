"""Executors: the processes in which a job's workers run, and the queue of drawings that they share."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Protocol, runtime_checkable

from sketchgen.errors import ProcessLostError, SketchgenError
from sketchgen.jobs.engine import ROWS, Engine, EngineFactory, open_engine
from sketchgen.jobs.spec import DrawingRequest, Job
from sketchgen.jobs.worker import Record, Worker, WorkerOptions
from sketchgen.limits import THREAD_VARIABLES

AHEAD = 8
"""Drawings by which each row of a worker may get ahead of the slowest; the longest take this many times as
long as most."""

TASKS_PER_REQUEST = 8
"""Drawings that a process asks for at a time."""

MAX_LOST = 5
"""Processes that may be lost before a job is given up."""

_END_SECONDS = 2.0
"""Time in which a process must end before it is killed."""


class TaskQueue:
    """A queue of drawings in the order of their numbers.

    They are handed out only up to a window ahead of the first unsettled one. The window bounds the number of
    drawings that wait for an earlier one, and thereby the memory.

    Attributes:
        settled: number of the first drawing that is not settled; set by the consumer of the records.
    """

    def __init__(self, tasks: Iterator[DrawingRequest], first: int, total: int, window: int) -> None:
        """Queue drawings numbered from `first` to before `total`."""
        self._tasks, self._next, self._total, self._window = tasks, first, total, max(1, window)
        self._returned: list[tuple[int, DrawingRequest]] = []
        self.settled = first

    def take(self) -> DrawingRequest | None:
        """Return the next drawing; None if there is none left or the window is full."""
        if self._returned:
            return heapq.heappop(self._returned)[1]
        if self._next >= min(self._total, self.settled + self._window):
            return None
        self._next += 1
        return next(self._tasks)

    def take_many(self, count: int | None = None) -> Iterator[DrawingRequest]:
        """Yield up to `count` drawings; None for as many as `take` has."""
        return itertools.islice(iter(self.take, None), count)

    def put_back(self, tasks: Iterable[DrawingRequest]) -> None:
        """Return unfinished drawings to the front of the queue."""
        for task in tasks:
            heapq.heappush(self._returned, (task.number, task))

    @property
    def done(self) -> bool:
        """Whether all drawings are settled."""
        return self.settled >= self._total


@runtime_checkable
class Executor(Protocol):
    """A runner of a job's workers. Their number does not change the drawings."""

    def window(self, job: Job) -> int:
        """Return the number of drawings that may be under way or wait for an earlier one."""
        ...

    def run(self, job: Job, options: WorkerOptions, queue: TaskQueue) -> Generator[Record]:
        """Yield each drawing of the queue once, in any order.

        Raises:
            SketchgenError: a drawing cannot be made.
        """
        ...


class InProcess:
    """An executor that draws in this process."""

    def __init__(self, factory: EngineFactory = open_engine) -> None:
        self._factory = factory

    def window(self, job: Job) -> int:
        """See `Executor.window`."""
        return _window(job, 1)

    def run(self, job: Job, options: WorkerOptions, queue: TaskQueue) -> Generator[Record]:
        """See `Executor.run`."""
        worker = Worker(job, options, self._factory(job))
        # A round without a record ends it, too: an engine that draws nothing must not be asked for ever.
        made = True
        while made and not queue.done:
            made = False
            for record in worker.make(queue.take_many()):
                made = True
                yield record


@dataclass
class _Process:
    """A worker's process.

    Attributes:
        connection: our end of its pipe.
        unfinished: the drawings that it has not finished, by number.
        waiting: whether it waits for drawings.
    """

    process: BaseProcess
    connection: Connection
    unfinished: dict[int, DrawingRequest] = field(default_factory=dict)
    waiting: bool = False


class Processes:
    """An executor with `jobs` processes, of one thread each: so their number does not change the rounding."""

    def __init__(self, jobs: int, factory: EngineFactory = open_engine) -> None:
        self._jobs, self._factory = jobs, factory

    def window(self, job: Job) -> int:
        """See `Executor.window`."""
        return _window(job, self._jobs)

    def run(self, job: Job, options: WorkerOptions, queue: TaskQueue) -> Generator[Record]:
        """See `Executor.run`; ProcessLostError if too many processes are lost."""
        arguments = job, options, self._factory
        processes: list[_Process] = []
        lost = 0
        try:
            processes += [_start(*arguments) for _ in range(self._jobs)]
            while not queue.done:
                _send_tasks(processes, queue)
                by_connection = {each.connection: each for each in processes}
                for connection in wait(list(by_connection)):
                    process = by_connection[connection]  # pyright: ignore[reportArgumentType]
                    try:
                        yield from _receive(process)
                    except (EOFError, OSError) as error:
                        lost += 1
                        _give_up(process, queue, lost, error)
                        processes[processes.index(process)] = _start(*arguments)
        finally:
            _end(processes)


def _window(job: Job, workers: int) -> int:
    return workers * AHEAD * (1 + ROWS // job.best_of)


def _start(job: Job, options: WorkerOptions, factory: EngineFactory) -> _Process:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    arguments = theirs, job, options, factory
    process = context.Process(target=_work, args=arguments, daemon=True, name="sketchgen worker")
    before = dict(os.environ)
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        process.start()
    finally:
        for name in set(THREAD_VARIABLES) - before.keys():
            del os.environ[name]
        os.environ.update(before)
    # Only the worker holds the other end, so that ours is closed when the worker is gone.
    theirs.close()
    return _Process(process, ours)


def _send_tasks(processes: list[_Process], queue: TaskQueue) -> None:
    """Send drawings to the processes that wait for them.

    A process with unfinished ones gets an empty answer at once if there are none: it must finish them, since
    others may wait for one of them. A process without any keeps waiting.
    """
    for process in processes:
        if not process.waiting:
            continue
        tasks = list(queue.take_many(TASKS_PER_REQUEST))
        if tasks or process.unfinished:
            process.waiting = False
            process.unfinished |= {task.number: task for task in tasks}
            # If the process is gone, `wait` reports its connection.
            with contextlib.suppress(OSError):
                process.connection.send(tasks)


def _receive(process: _Process) -> Iterator[Record]:
    """Yield the records that a process has sent; EOFError and OSError say that it is gone."""
    while process.connection.poll():
        message = process.connection.recv()
        if message is None:
            process.waiting = True
        elif isinstance(message, OSError | EOFError):
            # Raised as it is, it would look like a lost process.
            raise SketchgenError(f"a worker failed: {message}")
        elif isinstance(message, BaseException):
            raise message
        elif process.unfinished.pop(message.number, None) is not None:
            yield message


def _give_up(process: _Process, queue: TaskQueue, lost: int, error: BaseException) -> None:
    """Return the drawings of a lost process to the queue."""
    queue.put_back(process.unfinished.values())
    process.connection.close()
    process.process.join(_END_SECONDS)
    if lost > MAX_LOST:
        status = process.process.exitcode
        raise ProcessLostError(
            f"{lost} workers were lost, the last one with status {status} (was memory short?); "
            "try fewer --jobs"
        ) from error
    sys.stderr.write(
        f"a worker was lost ({lost} of at most {MAX_LOST}); its drawings are made by another one\n"
    )


def _end(processes: list[_Process]) -> None:
    for each in processes:
        each.connection.close()
        each.process.terminate()
    for each in processes:
        each.process.join(_END_SECONDS)
        if each.process.is_alive():
            each.process.kill()
            each.process.join()


def _work(connection: Connection, job: Job, options: WorkerOptions, factory: EngineFactory) -> None:
    """Ask for tasks and send records until the connection is closed."""
    # Ctrl-C reaches all processes of a terminal; the parent ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
            worker = Worker(job, options, open_on_one_thread(factory, job))
            while True:
                for record in worker.make(_requested(connection)):
                    connection.send(record)
    except Exception as error:
        with contextlib.suppress(Exception):
            connection.send(error)


def open_on_one_thread(factory: EngineFactory, job: Job) -> Engine:
    """Open the engine of a job such that torch computes on one thread."""
    engine = factory(job)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    return engine


def _requested(connection: Connection) -> Iterator[DrawingRequest]:
    """Yield drawings, requested as they are needed, until there are none at the moment."""
    connection.send(None)
    while tasks := connection.recv():
        yield from tasks
        connection.send(None)
