"""Jobs on a Ray cluster of two workers on this machine."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scribbles import MARK, open_broken, open_dying, open_dying_once, open_failing, open_scribbles

from sketchgen.errors import ProcessLostError, SettingError, SketchgenError
from sketchgen.jobs import ray_executor as cluster
from sketchgen.jobs.executor import InProcess
from sketchgen.jobs.output import open_output
from sketchgen.jobs.ray_executor import Ray
from sketchgen.jobs.run import Run
from sketchgen.jobs.spec import Job, Sampling

JOB = Job(Sampling(), "batch", ("cat", "dog"), 12, 3, ("cat", "dog"))


@pytest.fixture(scope="module")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a worker that dies leaves word; the workers know it from when they are started."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed (pip install 'sketchgen[ray]', 240 MB)")
    import ray

    path = tmp_path_factory.mktemp("ray") / "mark"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(MARK, str(path))
        # Workers are processes of their own, which know nothing of what pytest has added.
        patched.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        quiet: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
        ray.init(num_cpus=2, **quiet)
        yield path
        ray.shutdown()


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_worker_that_is_killed_costs_nothing_but_time(mark: Path, tmp_path: Path) -> None:
    Run(JOB, None, open_output(tmp_path / "a", JOB), "weights").go(InProcess(open_scribbles))
    for name, opener, chunk in (("b", open_dying_once, 9), ("c", open_scribbles, 1)):
        run = Run(JOB, None, open_output(tmp_path / name, JOB), "weights")
        assert run.go(Ray("local", opener, chunk)).settled == 24
        assert content(tmp_path / "a") == content(tmp_path / name)
    assert mark.exists(), "nobody was killed"


def test_what_goes_wrong_is_told(mark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "RETRIES", 1)
    for opener, error, words in (
        (open_failing, SettingError, "no such engine"),
        (open_dying, ProcessLostError, "was lost"),
        (open_broken, SketchgenError, "something of the system's"),
    ):
        with pytest.raises(error, match=words):
            Run(JOB, None, open_output(tmp_path / words, JOB), "weights").go(Ray("local", opener, 9))


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingError, match=r"sketchgen\[ray\]"):
        Ray()


def test_a_cluster_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: object) -> None:
        raise Exception("The current node timed out during startup.\nMore.")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False, init=init))
    with pytest.raises(SettingError, match="no Ray cluster at local: The current node timed out"):
        Ray("local")
