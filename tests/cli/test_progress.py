"""Lines in a log, bars on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from sketchgen.cli import progress
from sketchgen.cli.progress import Transfers, shown_bytes, shown_rate, shown_steps
from sketchgen.data.transfer import Progress

Clock = Callable[[float], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, seconds)


def test_long_work_says_now_and_then_how_far_it_is(at: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with shown_bytes() as show:
        for seconds in (1, 12, 13, 30):
            at(seconds)
            show("reading", seconds * 10**6, 60 * 10**6)
    assert capsys.readouterr().err.splitlines() == [
        "reading: 12 of 60 MB, 1.0 MB/s, 48 s left",
        "reading: 30 of 60 MB, 1.0 MB/s, 30 s left",
    ]
    with shown_steps() as show:
        for seconds in (31, 42):
            at(seconds)
            show("likelihood", seconds, 512)
    assert capsys.readouterr().err == "likelihood: 42 of 512\n"


def test_drawing_says_how_fast_it_is_and_what_is_left(at: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with shown_rate("drawing") as show:
        show(1000, 10_000)  # From an earlier run.
        for seconds in (4, 20):
            at(seconds)
            show(1000 + seconds * 30, 10_000)
    assert capsys.readouterr().err == "drawing: 1600 of 10000, 30.0/s, 4.7 min left\n"


def test_a_download_says_now_and_then_how_far_it_is(at: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    transfers = Transfers(1)
    for seconds in range(25):
        at(seconds)
        transfers.show(Progress("cat.ndjson", "moving", 50_000_000 + seconds * 2_000_000, 112_000_000))
    assert capsys.readouterr().err.splitlines() == [
        "cat.ndjson: 70.0 MB of 112.0 MB, 2.0 MB/s",
        "cat.ndjson: 90.0 MB of 112.0 MB, 2.0 MB/s",
    ]


def test_a_terminal_shows_bars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with shown_bytes() as show:
        show("reading", 30 * 10**6, 60 * 10**6)
    with shown_steps() as show:
        show("likelihood", 256, 512)
    with shown_rate("drawing") as move:
        move(5, 10)
    text = capsys.readouterr().err
    assert [word for word in ("reading", "likelihood", "256/512", "5/10") if word not in text] == []
