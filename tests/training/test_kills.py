from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from runs import as_json, rows, saved, small, tensors

from sketchgen.data.prepare import prepare
from sketchgen.training.callbacks import STATE
from sketchgen.training.config import TrainConfig
from sketchgen.training.trainer import fit

SCRIPT = """
import sys
from runs import from_json
from sketchgen.training import fit
fit(from_json(sys.argv[1]), resume=len(sys.argv) > 2)
"""


def begun(config: TrainConfig) -> subprocess.Popen[bytes]:
    """Train in a process of its own, from the saved state where there is one."""
    support = Path(__file__).resolve().parents[1] / "support"
    paths = os.pathsep.join([str(support), os.environ.get("PYTHONPATH", "")])
    more = ["resume"] if (config.out / STATE).exists() else []
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, as_json(config), *more], env=environment, stderr=subprocess.PIPE
    )


def test_a_run_that_is_killed_at_any_moment_goes_on_as_if_it_had_not_been(sample_dir: Path, tmp_path: Path):
    # benchmarks/resuming.py kills 20 times; here a few are enough to see that nothing has broken.
    prepare([sample_dir], tmp_path / "store")
    config = replace(small(tmp_path / "store", tmp_path / "run"), steps=300, save_every=0.0)
    straight = replace(config, out=tmp_path / "straight", save_every=60.0)
    fit(straight)
    moments = random.Random(7)
    killed = 0
    while killed < 3:
        running = begun(config)
        before = (config.out / STATE).stat().st_mtime_ns if (config.out / STATE).exists() else 0
        while not (config.out / STATE).exists() or (config.out / STATE).stat().st_mtime_ns == before:
            assert running.poll() is None, running.stderr and running.stderr.read().decode()[-2000:]
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.4))
        running.send_signal(signal.SIGKILL)
        assert running.wait() == -signal.SIGKILL
        killed += 1
        assert saved(config.out)["position"]["step"] < config.steps
    running = begun(config)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 0, said.decode()[-2000:]
    one, two = tensors(saved(straight.out)), tensors(saved(config.out))
    assert one.keys() == two.keys()
    assert all(torch.equal(value, two[name]) for name, value in one.items())
    assert rows(config.out, "loss") == rows(straight.out, "loss")
    assert not [path for path in config.out.iterdir() if path.name.startswith(".")]
