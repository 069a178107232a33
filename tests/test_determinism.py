"""Same seed, same bytes: whatever the number of threads, of worker processes and of alternatives."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sketchgen.models.checkpoint import KINDS, read_checkpoint
from sketchgen.models.numpy_layers import TILE, Linear, one_thread
from tests.support.commandline import environment

DRAWS = """
import json, sys
from functools import partial

import anyio
from anyio.to_thread import run_sync

from sketchgen import example, load, read
from sketchgen.jobs.executor import Processes, TaskQueue
from sketchgen.jobs.spec import Job, Sampling
from sketchgen.jobs.worker import WorkerOptions, fingerprint
from sketchgen.web.api import endpoint

if __name__ == "__main__":
    count, jobs = int(sys.argv[1]), int(sys.argv[2])
    model, half = load(), example("half-a-cat")
    drawn = model.complete(read(half), "cat", count, seed=3, limit=50)
    asked = partial(endpoint(model), half.read_text(), "auto", count, seed=4)
    answer = json.loads(anyio.run(run_sync, asked))
    job = Job(Sampling("tiny"), "batch", ("cat",), 6, 5, ("cat",))
    queue = TaskQueue(job.drawings(None), 0, job.total, job.total)
    made = []
    for record in Processes(jobs).run(job, WorkerOptions(), queue):
        made.append((record.number, record.hash, record.log_likelihood, record.data.decode()))
        queue.settled = len(made)
    json.dump({
        "complete": [(each.to_svg(), each.log_likelihood) for each in drawn],
        "endpoint": answer["completions"],
        "generate": sorted(made),
    }, sys.stdout)
"""


def test_threads_processes_and_alternatives_change_no_byte() -> None:
    # Threads of a BLAS and of OpenMP, alternatives, worker processes.
    kinds = (("1", "1", "1"), ("4", "3", "2"))
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", DRAWS, count, jobs],
            env=environment() | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads, count, jobs in kinds
    ]
    fewer, more = (json.loads(run.communicate(timeout=900)[0]) for run in runs)
    for door, *counts in (("complete", 1, 3), ("endpoint", 1, 3), ("generate", 6, 6)):
        assert [len(fewer[door]), len(more[door])] == counts
        assert more[door][: counts[0]] == fewer[door], door


def test_products_have_one_thread_until_nobody_needs_it_any_more() -> None:
    def threads() -> set[int]:
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    with threadpool_limits(3, "blas"):
        assert threads() == {3}
        first, second = ExitStack(), ExitStack()
        first.enter_context(one_thread)
        second.enter_context(one_thread)
        assert threads() == {1}
        # Not the last that came leaves last, as with requests side by side.
        first.close()
        assert threads() == {1}
        second.close()
        assert threads() == {3}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_row_does_not_depend_on_the_others(kind) -> None:
    weights = [each for each in read_checkpoint(None, kind).weights.values() if each.ndim == 2]
    random = np.random.default_rng(0)
    for weight in {each.shape: each for each in weights}.values():
        layer, rows = Linear(weight), random.standard_normal((2 * TILE + 3, weight.shape[1]), np.float32)
        together = layer(rows)
        np.testing.assert_allclose(together, rows @ weight.T, rtol=1e-3, atol=1e-3)
        for first, last in ((0, 1), (5, 7), (0, TILE), (3, TILE + 6)):
            np.testing.assert_array_equal(layer(rows[first:last]), together[first:last])
