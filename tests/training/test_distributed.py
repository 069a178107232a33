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

import pytest
from runs import MODEL, as_json, rows, saved, small

from sketchgen.data.prepare import prepare
from sketchgen.data.splitting import Prefixes
from sketchgen.errors import ProcessLostError, SettingError
from sketchgen.training.callbacks import STATE
from sketchgen.training.candidate_files import Rehearsal, chunk_path, note, write_rows
from sketchgen.training.config import TrainConfig
from sketchgen.training.distributed import telling_of_lost_ones
from sketchgen.training.trainer import Run, fit

SCRIPT = """
import sys
from runs import from_json
from sketchgen.errors import SketchgenError
from sketchgen.training import fit
try:
    fit(from_json(sys.argv[1]), resume=len(sys.argv) > 2)
except SketchgenError as error:
    sys.exit(f"said: {error}")
"""


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    """Eighteen drawings, all of them in each batch, and nothing random but the noise below a px."""
    lines = []
    for k in range(24):
        drawing = [[[0, 255, 10 * k], [0, k, 200]], [[5 * k, 100 + k], [30, 90]]]
        lines.append(json.dumps({"word": "owl", "drawing": drawing}) + "\n")
    (tmp_path / "owl.ndjson").write_text("".join(lines))
    kept = prepare([tmp_path / "owl.ndjson"], tmp_path / "store").kept["train"]
    config = small(tmp_path / "store", tmp_path / "run")
    plain = Prefixes(nothing=1.0, unknown=0.0, warp=0.0, drop_category=0.0, held_back=0.0, opened=0.0)
    return replace(config, batch=kept, prefixes=plain, model=replace(MODEL, dropout=0.0))


def written(folder: Path) -> Path:
    """The script that each process runs."""
    script = folder / "two.py"
    script.write_text(SCRIPT)
    return script


def started(command: list[str], **environment: str) -> subprocess.Popen[str]:
    support = Path(__file__).resolve().parents[1] / "support"
    paths = os.pathsep.join([str(support), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": paths, **environment},
    )


@contextmanager
def two_processes(config: TrainConfig, folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Train as two processes under torchrun do."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    with started([*command, str(written(folder)), as_json(config), *more]) as running:
        try:
            yield running
        finally:
            running.kill()


def test_two_processes_take_the_steps_of_one(config: TrainConfig, tmp_path: Path):
    config = replace(config, validate_every=0.0)
    alone = replace(config, out=tmp_path / "alone")
    fit(alone)
    with two_processes(config, tmp_path) as running:
        said, _ = running.communicate(timeout=240)
    assert running.returncode == 0, said[-2000:]
    # The noise of dequantisation is drawn by each for itself: hence not the same to the last digit.
    for column, tolerance in (("loss", 0.02), ("gradient_norm", 0.05), ("valid", 0.02)):
        one, two = rows(alone.out, column), rows(config.out, column)
        assert list(one) == list(two)
        assert list(two.values()) == pytest.approx(list(one.values()), rel=tolerance)
    position = saved(config.out)["position"]
    assert position["step"] == 20
    assert position["drawings"] == 20 * config.batch


@contextmanager
def two_alone(config: TrainConfig, folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """The same two processes without torchrun, which ends the other as soon as one is lost."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    # What torchrun says besides, by which Lightning tells that it is not to start processes itself.
    shared |= {"TORCHELASTIC_RUN_ID": "none", "GROUP_RANK": "0", "OMP_NUM_THREADS": "1"}
    script, settings = written(folder), as_json(config)
    both: list[subprocess.Popen[str]] = []
    try:
        for number in ("0", "1"):
            own = {"RANK": number, "LOCAL_RANK": number}
            both.append(started([sys.executable, str(script), settings], **shared, **own))
        yield both
    finally:
        for one in both:
            one.kill()
            one.communicate()


def test_a_process_that_dies_stops_the_other_and_the_run_goes_on(config: TrainConfig, tmp_path: Path):
    endless = replace(config, steps=100_000, save_every=0.0)
    with two_alone(endless, tmp_path) as (first, second):
        deadline = time.monotonic() + 200
        while not (config.out / STATE).exists() and first.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        second.kill()
        said, _ = first.communicate(timeout=60)
    assert first.returncode == 1
    assert "another one has ended" in said
    assert "--resume" in said
    done = saved(config.out)["position"]["step"]
    assert done >= 1
    more = replace(config, steps=done + 3)
    with two_processes(more, tmp_path, "resume") as running:
        said, _ = running.communicate(timeout=240)
    assert running.returncode == 0, said[-2000:]
    assert saved(config.out)["position"]["step"] == done + 3


def test_what_a_backend_says_of_a_lost_peer_becomes_clear(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "2")
    words = "[../third_party/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:4321"
    with pytest.raises(ProcessLostError, match=r"process 2 of 4 stops.*--resume"), telling_of_lost_ones():
        raise RuntimeError(words)
    with pytest.raises(RuntimeError, match="mat1 and mat2"), telling_of_lost_ones():
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    monkeypatch.setenv("WORLD_SIZE", "1")
    with pytest.raises(RuntimeError, match="Connection"), telling_of_lost_ones():
        raise RuntimeError(words)


def test_a_batch_smaller_than_the_processes_is_refused(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(SettingError, match="batch is 3; for 4 processes it must be 4 or more"):
        Run(replace(config, batch=3))


def test_two_processes_prefer_together(config: TrainConfig, tmp_path: Path):
    start = fit(replace(config, out=tmp_path / "start", steps=2))
    rehearsal = Rehearsal(str(config.store), "train", str(start), 8, 4)
    # To go on upwards is better than to the side, each of both in two ways.
    ups = [[[60.0 * way, 200.0, 60.0 * way, 20.0]] for way in (1, 2)]
    asides = [[[60.0 * way, 200.0, 60.0 * way + 90.0, 200.0]] for way in (1, 2)]
    begun = [
        {
            "category": "owl",
            "given": [[0.0, 10.0 * number, 200.0, 200.0]],
            "rest": ups[0],
            "ways": [*ups, *asides],
            "worths": [1.0, 0.9, 0.0, 0.1],
        }
        for number in range(8)
    ]
    note(tmp_path / "ways", rehearsal)
    write_rows(chunk_path(tmp_path / "ways", 0), begun)
    told = replace(config, start=str(start), rehearsals=tmp_path / "ways", pairs=4)
    with two_processes(told, tmp_path) as running:
        said, _ = running.communicate(timeout=240)
    assert running.returncode == 0, said[-2000:]
    assert rows(config.out, "told")[20] > 0.9
    assert rows(config.out, "gained")[20] > 0.0
    assert saved(config.out)["position"]["step"] == 20
