"""Two processes take the steps of one, and stop with a clear error when one of them is lost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sketchgen.data.prepare import prepare
from sketchgen.data.splitting import Prefixes
from sketchgen.errors import ProcessLostError
from sketchgen.training import distributed
from sketchgen.training.candidates import CandidateGroup, CandidateSpec, write_groups, write_spec
from sketchgen.training.config import TrainConfig
from sketchgen.training.distributed import process_group
from sketchgen.training.state import STATE
from sketchgen.training.trainer import fit
from tests.support.runs import MODEL, as_json, rows, saved, small

SCRIPT = """
import sys
from tests.support.runs import from_json
from sketchgen.errors import SketchgenError
from sketchgen.training import fit
try:
    fit(from_json(sys.argv[1]), resume=len(sys.argv) > 2)
except SketchgenError as error:
    sys.exit(f"refused: {error}")
"""


@pytest.fixture
def plain(tmp_path: Path) -> TrainConfig:
    """Eighteen drawings, all of them in each batch, and nothing random but the noise below a px."""
    lines = []
    for k in range(24):
        drawing = [[[0, 255, 10 * k], [0, k, 200]], [[5 * k, 100 + k], [30, 90]]]
        lines.append(json.dumps({"word": "owl", "drawing": drawing}) + "\n")
    (tmp_path / "owl.ndjson").write_text("".join(lines))
    kept = prepare([tmp_path / "owl.ndjson"], tmp_path / "store").kept["train"]
    cuts = Prefixes(nothing=1.0, unknown=0.0, warp=0.0, drop_category=0.0, held_back=0.0, opened=0.0)
    model = replace(MODEL, dropout=0.0)
    return small(tmp_path / "store", tmp_path / "run", batch=kept, prefixes=cuts, model=model)


def started(command: list[str], **environment: str) -> subprocess.Popen[str]:
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )


def as_two(config: TrainConfig, folder: Path, *more: str) -> None:
    """Train as two processes under torchrun do."""
    script = folder / "two.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    with started([*command, str(script), as_json(config), *more]) as running:
        try:
            said, _ = running.communicate(timeout=240)
        finally:
            running.kill()
    assert running.returncode == 0, said[-2000:]


@contextmanager
def two_alone(config: TrainConfig) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes without torchrun, which ends the other as soon as one is lost."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    both: list[subprocess.Popen[str]] = []
    try:
        for number in ("0", "1"):
            command = [sys.executable, "-c", SCRIPT, as_json(config)]
            both.append(started(command, **shared, RANK=number, LOCAL_RANK=number))
        yield both
    finally:
        for one in both:
            one.kill()
            one.communicate()


def test_two_processes_take_the_steps_of_one(plain: TrainConfig, tmp_path: Path):
    start = fit(replace(plain, out=tmp_path / "start", steps=2))
    # To go on upwards is better than to the side.
    ups = [[np.array([[60.0 * k, 200.0], [60.0 * k, 20.0]])] for k in (1, 2)]
    asides = [[np.array([[60.0 * k, 200.0], [60.0 * k + 90.0, 200.0]])] for k in (1, 2)]
    given = [[np.array([[0.0, 10.0 * k], [200.0, 200.0]])] for k in range(8)]
    groups = [CandidateGroup("owl", each, ups[0], [*ups, *asides], [1.0, 0.9, 0.0, 0.1]) for each in given]
    spec = CandidateSpec(str(plain.store), "train", str(start), 8, 4)
    write_spec(tmp_path / "candidates", spec)
    write_groups(spec.paths(tmp_path / "candidates")[0], groups)
    both = replace(plain, validate_every=0.0, start=str(start), preference_pairs=4, preference_weight=0.01)
    both = replace(both, candidates=tmp_path / "candidates")
    alone = replace(both, out=tmp_path / "alone")
    fit(alone)
    as_two(both, tmp_path)
    # The noise of dequantisation is drawn by each for itself: hence not the same to the last digit.
    for column, tolerance in (("loss", 0.02), ("gradient_norm", 0.05), ("valid", 0.02)):
        one, two = rows(alone.out, column), rows(both.out, column)
        assert list(one) == list(two)
        assert list(two.values()) == pytest.approx(list(one.values()), rel=tolerance)
    assert list(rows(both.out, "preferred_log_ratio")) == [20]
    position = saved(both.out)["position"]
    assert position["step"] == 20
    assert position["drawings"] == 20 * plain.batch


def test_a_process_that_dies_stops_the_other_and_the_run_goes_on(plain: TrainConfig):
    endless = replace(plain, steps=100_000, save_every=0.0)
    with two_alone(endless) as (first, second):
        deadline = time.monotonic() + 200
        while not (plain.out / STATE).exists() and first.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second.kill()
        said, _ = first.communicate(timeout=60)
    assert first.returncode == 1, said
    assert "another one has ended" in said
    assert "--resume" in said
    done = saved(plain.out)["position"]["step"]
    assert done >= 1
    fit(replace(plain, steps=done + 3), resume=True)
    assert saved(plain.out)["position"]["step"] == done + 3


def test_the_errors_of_a_lost_peer_become_clear(monkeypatch: pytest.MonkeyPatch):
    cpu = torch.device("cpu")
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setattr(distributed.distributed, "init_process_group", lambda backend: None)
    words = "[../third_party/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:4321"
    with pytest.raises(ProcessLostError, match=r"process 2 of 4 stops.*--resume"), process_group(cpu):
        raise RuntimeError(words)
    with pytest.raises(RuntimeError, match="mat1 and mat2"), process_group(cpu):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    monkeypatch.setenv("WORLD_SIZE", "1")
    with pytest.raises(RuntimeError, match="Connection"), process_group(cpu):
        raise RuntimeError(words)
