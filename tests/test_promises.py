"""What docs/promises.md names is there, and a short campaign finds no fault."""

from __future__ import annotations

import ast
import importlib
import mmap
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch  # noqa: F401 - what the campaign disturbs trains: the light core's tests leave this file out

from sketchgen.errors import SketchgenError

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.findall(
    r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
)


def test_tests_are_named() -> None:
    assert len(NAMED) > 30


def test_every_named_test_exists() -> None:
    trees = {file: ast.parse((ROOT / file).read_text(encoding="utf-8")) for file, _ in NAMED}
    there = {
        (file, node.name)
        for file, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    assert set(NAMED) - there == set()


def test_the_campaign_sees_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT / "benchmarks"), *sys.path])
    campaign = importlib.import_module("campaign")
    monkeypatch.setattr(campaign, "MAX_SECONDS", 0.05)

    def enter(case: str) -> str:
        if case == "slow":
            begun = time.process_time()
            while time.process_time() < begun + 2 * campaign.MAX_SECONDS:
                pass
        elif case == "large":
            # Not from the heap: a process that has trained keeps what it has freed.
            with mmap.mmap(-1, campaign.MAX_BYTES + 2**24) as memory:
                for place in range(0, len(memory), 4096):
                    memory[place] = 1
        elif case == "odd":
            warnings.warn("overflow", RuntimeWarning, stacklevel=1)
        elif case == "wrong":
            raise ValueError(case)
        elif case == "refused":
            raise SketchgenError("two\nlines")
        return "read"

    door = SimpleNamespace(enter=enter, is_deep=lambda case: case != "refused")
    trial = campaign.Trial(
        SimpleNamespace(open_door=lambda *_: door, Fault=RuntimeError), "door", tmp_path, tmp_path
    )
    for case in ("good", "refused", "slow", "large", "odd", "wrong"):
        trial.enter(case)
    assert trial.tally.outcomes == {"read": 1, "refused": 1, "FAULT": 4}
    assert [words.split(":")[0] for words in trial.tally.faults] == [
        *("over 1 s", "over 200 MB"),
        *("RuntimeWarning at test_promises.py", "ValueError at ?"),
    ]
    assert (trial.tally.inputs, trial.tally.deep, len(list(tmp_path.iterdir()))) == (6, 5, 4)


def test_a_short_campaign_finds_no_fault(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "campaign.py"), "--short", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    deep = [int(each) for each in re.findall(r"^\| \w+ \| \d+ \| (\d+) \(", done.stdout, re.MULTILINE)]
    assert len(deep) == 12
    assert min(deep) >= 25
