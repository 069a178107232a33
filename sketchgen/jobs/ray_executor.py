"""An executor on a Ray cluster: chunks of drawings are Ray tasks, and lost ones are retried."""

from __future__ import annotations

import functools
from collections.abc import Generator
from typing import Any

from sketchgen.errors import ProcessLostError, SettingError, SketchgenError
from sketchgen.jobs.engine import ROWS, EngineFactory, open_engine
from sketchgen.jobs.executor import AHEAD, TaskQueue, open_on_one_thread
from sketchgen.jobs.spec import DrawingRequest, Job
from sketchgen.jobs.worker import Record, Worker, WorkerOptions

RETRIES = 5
"""Retries of a chunk whose worker was lost."""

CHUNKS_PER_CORE = 2
"""Chunks under way for each core of the cluster."""

LOCAL, AUTO = "local", "auto"


class Ray:
    """An executor on a Ray cluster."""

    def __init__(
        self, address: str = AUTO, factory: EngineFactory = open_engine, chunk: int | None = None
    ) -> None:
        """Join the cluster at `address`, or start one here.

        Args:
            address: address of the cluster; "auto" finds a running one, "local" starts one on this machine.
            factory: opens the engine in each worker.
            chunk: drawings in a Ray task; by default as many as keep an engine busy.
        """
        try:
            import ray
        except ImportError as error:
            raise SettingError(
                "Ray is not installed; pip install 'sketchgen[ray]', or leave out --ray"
            ) from error
        self._ray: Any = ray
        self._factory, self._chunk = factory, chunk
        if not ray.is_initialized():
            where = {"include_dashboard": False} if address == LOCAL else {"address": address}
            try:
                self._ray.init(log_to_driver=False, logging_level="ERROR", **where)
            except Exception as error:
                # Ray raises a plain one where a node does not start in time.
                message = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise SettingError(f"no Ray cluster at {address[:100]}: {message}") from error
        cores = ray.cluster_resources().get("CPU", 1)
        self._max_chunks = max(1, int(cores)) * CHUNKS_PER_CORE

    def _size(self, job: Job) -> int:
        """Return the number of drawings in a chunk, large since an engine's rows run empty at its end."""
        return self._chunk or max(1, AHEAD * ROWS // job.best_of)

    def window(self, job: Job) -> int:
        """See `Executor.window`."""
        return (self._max_chunks + 1) * self._size(job)

    def run(self, job: Job, options: WorkerOptions, queue: TaskQueue) -> Generator[Record]:
        """See `Executor.run`; ProcessLostError if the workers of a chunk are lost too often."""
        ray, size = self._ray, self._size(job)
        remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_make)
        arguments = ray.put((job, options, self._factory))
        under_way: list[Any] = []
        try:
            while not queue.done:
                while len(under_way) < self._max_chunks and (tasks := list(queue.take_many(size))):
                    under_way.append(remote.remote(arguments, tasks))
                done, under_way = ray.wait(under_way)
                for chunk in done:
                    yield from self._result(chunk)
        finally:
            for chunk in under_way:
                ray.cancel(chunk, force=True)

    def _result(self, chunk: Any) -> list[Record]:
        try:
            return self._ray.get(chunk)
        except self._ray.exceptions.RayTaskError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, SketchgenError):
                raise cause from None
            raise SketchgenError(f"a worker of the cluster failed: {cause or error}") from error
        except self._ray.exceptions.RayError as error:
            message = str(error).splitlines()[0]
            raise ProcessLostError(
                f"a worker of the cluster was lost {RETRIES + 1} times: {message}"
            ) from error


@functools.lru_cache(maxsize=1)
def _worker(job: Job, options: WorkerOptions, factory: EngineFactory) -> Worker:
    """Return the worker of a job; a process keeps it from one chunk to the next."""
    return Worker(job, options, open_on_one_thread(factory, job))


def _make(
    arguments: tuple[Job, WorkerOptions, EngineFactory], drawings: list[DrawingRequest]
) -> list[Record]:
    """Make the drawings of a chunk in a worker's process."""
    return list(_worker(*arguments).make(drawings))
