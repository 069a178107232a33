"""Workers of a Ray cluster: chunks of drawings as tasks, of which those that are lost are tried again."""

from __future__ import annotations

import functools
from collections.abc import Generator
from typing import Any

from sketchgen.errors import ProcessLostError, SettingError, SketchgenError
from sketchgen.jobs.assignment import Handout
from sketchgen.jobs.engine import ROWS, Opener, open_for
from sketchgen.jobs.executor import AHEAD
from sketchgen.jobs.process_executor import one_thread
from sketchgen.jobs.spec import Job, Task
from sketchgen.jobs.worker import Made, Maker, Place

RETRIES = 5
"""How often a chunk is tried again whose worker was lost."""

AHEAD_OF_EACH = 2
"""Chunks under way for each of the cluster's cores."""

LOCAL, AUTO = "local", "auto"


class Ray:
    """Draws on a Ray cluster."""

    def __init__(self, address: str = AUTO, opener: Opener = open_for, chunk: int | None = None) -> None:
        """Join the cluster at `address`, or start one here.

        Args:
            address: of the cluster; "auto" for the one around, "local" to start one on this machine.
            opener: makes the engine in each worker.
            chunk: drawings in a task; by default as many as keep an engine busy.

        Raises:
            SettingError: Ray is not installed, or there is no such cluster.
        """
        try:
            import ray
        except ImportError as error:
            raise SettingError(
                "Ray is not installed; pip install 'sketchgen[ray]', or leave out --ray"
            ) from error
        self._ray: Any = ray
        self._opener, self._chunk = opener, chunk
        if not ray.is_initialized():
            self._join(address)
        cores = ray.cluster_resources().get("CPU", 1)
        self._most = max(1, int(cores)) * AHEAD_OF_EACH

    def _join(self, address: str) -> None:
        """Join or start a cluster, quietly."""
        quiet = {"log_to_driver": False, "logging_level": "ERROR"}
        where = {"include_dashboard": False} if address == LOCAL else {"address": address}
        try:
            self._ray.init(**quiet, **where)
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            words = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SettingError(f"no Ray cluster at {address[:100]}: {words}") from error

    def _size(self, job: Job) -> int:
        """Drawings in a chunk: an engine that ends with its rows half empty should do so seldom."""
        return self._chunk or max(1, AHEAD * ROWS // job.best_of)

    def ahead(self, job: Job) -> int:
        """See `Pool.ahead`."""
        return (self._most + 1) * self._size(job)

    def run(self, job: Job, place: Place, handout: Handout) -> Generator[Made]:
        """See `Pool.run`.

        Raises:
            ProcessLostError: a chunk's workers were lost again and again.
        """
        ray, size = self._ray, self._size(job)
        remote = ray.remote(num_cpus=1, max_retries=RETRIES)(_drawn)
        hand = ray.put((job, place, self._opener))
        under_way: list[Any] = []
        try:
            while not handout.over:
                while len(under_way) < self._most and (tasks := handout.several(size)):
                    under_way.append(remote.remote(hand, tasks))
                done, under_way = ray.wait(under_way)
                for one in done:
                    yield from self._result(one)
        finally:
            for one in under_way:
                ray.cancel(one, force=True)

    def _result(self, one: Any) -> list[Made]:
        """What a chunk has become.

        Raises:
            ProcessLostError: its workers were lost again and again.
            SketchgenError: what went wrong in it.
        """
        try:
            return self._ray.get(one)
        except self._ray.exceptions.RayTaskError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, SketchgenError):
                raise cause from None
            raise SketchgenError(f"a worker of the cluster failed: {cause or error}") from error
        except self._ray.exceptions.RayError as error:
            words = str(error).splitlines()[0]
            raise ProcessLostError(
                f"a worker of the cluster was lost {RETRIES + 1} times: {words}"
            ) from error


@functools.lru_cache(maxsize=1)
def _maker(job: Job, place: Place, opener: Opener) -> Maker:
    """What draws for a job; a worker keeps it from one chunk to the next."""
    return Maker(job, place, one_thread(opener, job))


def _drawn(hand: tuple[Job, Place, Opener], tasks: list[Task]) -> list[Made]:
    """Draw a chunk, in a worker."""
    return list(_maker(*hand).make(iter(tasks)))
