"""Lines in a log, bars on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from sketchgen.cli import progress
from sketchgen.cli.progress import shown, transfers
from sketchgen.data.transfer import Progress

Clock = Callable[[float], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, seconds)


def test_long_work_says_now_and_then_how_far_it_is(at: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with shown(" MB") as show:
        for seconds in (0, 1, 12, 13, 30):
            at(seconds)
            show("reading", seconds * 10**6, 60 * 10**6)
    assert capsys.readouterr().err.splitlines() == [
        "reading: 12 of 60 MB, 1.0 MB/s, 48 s left",
        "reading: 30 of 60 MB, 1.0 MB/s, 30 s left",
    ]
    with shown() as show:
        # What is there from an earlier run is no part of the speed.
        for seconds in (30, 34, 50):
            at(seconds)
            show("drawing", 100 + seconds * 30, 10_000)
    assert capsys.readouterr().err == "drawing: 1600 of 10000, 30.0/s, 4.7 min left\n"


def test_a_download_says_how_far_it_is_and_what_came_of_it(
    at: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown(" MB") as show:
        happened = transfers(show, 2)
        for seconds in range(12):
            at(seconds)
            happened(Progress("cat.ndjson", "moving", 50_000_000 + seconds * 2_000_000, 112_000_000))
        happened(Progress("cat.ndjson", "waiting", words="the server is busy"))
        happened(Progress("cat.ndjson", "done", 112_000_000))
        happened(Progress("dog.ndjson", "failed", words="dog.ndjson: no such file"))
    assert capsys.readouterr().err.splitlines() == [
        "cat.ndjson: 70 of 112 MB, 2.0 MB/s, 21 s left",
        "cat.ndjson: the server is busy",
        "cat.ndjson: 112.0 MB fetched (1 of 2)",
        "dog.ndjson: no such file",
    ]


def test_a_terminal_shows_bars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with shown() as show:
        show("likelihood", 256, 512)
        happened = transfers(show, 1)
        happened(Progress("cat.ndjson", "moving", 5, None))
        happened(Progress("cat.ndjson", "there", 10**6))
    text = capsys.readouterr().err
    assert [word for word in ("likelihood", "256 of 512", "1.0 MB there already") if word not in text] == []
