from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from runs import small

from sketchgen.data.prepare import prepare
from sketchgen.errors import SettingError
from sketchgen.training import module
from sketchgen.training.progress import ProgressBar
from sketchgen.training.trainer import fit


def bar_on(stream: io.StringIO) -> ProgressBar:
    return ProgressBar(Console(file=stream, force_terminal=True, width=80))


def lines(stream: io.StringIO) -> list[str]:
    """What was printed, each state of the bar on a line of its own, without the terminal's commands."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue().replace("\r", "\n")).split("\n")


@pytest.fixture
def store(sample_dir: Path, tmp_path: Path) -> Path:
    prepare([sample_dir], tmp_path / "store")
    return tmp_path / "store"


def test_a_bar_says_where_a_run_is_on_one_line_of_eighty_columns(store: Path, tmp_path: Path):
    stream = io.StringIO()
    fit(replace(small(store, tmp_path / "run"), validate_every=0.0), callbacks=[bar_on(stream)])
    last = next(line for line in reversed(lines(stream)) if "step" in line)
    assert re.search(r"100 % step 20, loss \d+\.\d{3}, best \d+\.\d{3}, \d+ drawings/s 0:00:00 left", last)
    assert max(map(len, lines(stream))) <= 80


def test_a_resumed_run_begins_its_bar_where_it_stands(store: Path, tmp_path: Path):
    config = small(store, tmp_path / "run")
    fit(config)
    stream = io.StringIO()
    fit(replace(config, steps=40), resume=True, callbacks=[bar_on(stream)])
    shares = [int(share) for share in re.findall(r"(\d+) %", stream.getvalue())]
    assert min(shares) == 50
    assert max(shares) == 100


def test_a_bar_leaves_the_terminal_when_a_run_fails(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MAX_SKIPPED", 0)
    stream = io.StringIO()
    bar = bar_on(stream)
    with pytest.raises(SettingError):
        fit(small(store, tmp_path / "run"), callbacks=[bar])
    assert not bar.bar.live.is_started
    # The cursor is shown again.
    assert stream.getvalue().rstrip().endswith("\x1b[?25h")
