"""The progress bar: one line of eighty columns, from where the run stands, gone when the run fails."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from sketchgen.errors import SettingError
from sketchgen.training import loop
from sketchgen.training.callbacks import ProgressBar
from sketchgen.training.config import TrainConfig
from sketchgen.training.trainer import fit


def bar_on(stream: io.StringIO) -> ProgressBar:
    return ProgressBar(Console(file=stream, force_terminal=True, width=80))


def test_a_bar_shows_a_run_on_one_line_and_starts_where_a_resumed_one_stands(config: TrainConfig):
    stream = io.StringIO()
    fit(replace(config, validate_every=0.0), callbacks=[bar_on(stream)])
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue().replace("\r", "\n")).split("\n")
    last = next(line for line in reversed(lines) if "step" in line)
    assert re.search(r"100 % step 20, loss \d+\.\d{3}, best \d+\.\d{3}, \d+ drawings/s 0:00:00", last)
    assert max(map(len, lines)) <= 80
    stream = io.StringIO()
    fit(replace(config, steps=40), resume=True, callbacks=[bar_on(stream)])
    shares = [int(share) for share in re.findall(r"(\d+) %", stream.getvalue())]
    assert (min(shares), max(shares)) == (50, 100)


def test_a_bar_leaves_the_terminal_when_a_run_fails(config: TrainConfig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loop, "MAX_SKIPPED", 0)
    stream = io.StringIO()
    bar = bar_on(stream)
    with pytest.raises(SettingError):
        fit(config, callbacks=[bar])
    assert not bar.bar.live.is_started
    # The cursor is shown again.
    assert stream.getvalue().rstrip().endswith("\x1b[?25h")
