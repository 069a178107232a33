"""What may go better at another try, and how long to wait before it."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from sketchgen.errors import DownloadError

FIRST_PAUSE = 1.0
"""Seconds before the first new try, at most; doubled with each further one."""

LONGEST_PAUSE = 60.0

LONGEST_WISH = 300.0
"""Seconds that a server may ask us to wait; with more we leave it to the person."""


class Unreachable(DownloadError):
    """The server, or the way to it, is at fault: other files would fare no better."""


class Stopped(Exception):
    """The run is being ended; what has come stays."""


class Again(Exception):
    """A try that failed in a way in which the next one may not.

    Attributes:
        words: what went wrong, for people.
        after: seconds to wait, if the server names them.
        kind: the error to raise when there have been tries enough.
    """

    def __init__(
        self, words: str, after: float | None = None, kind: type[DownloadError] = Unreachable
    ) -> None:
        super().__init__(words)
        self.words, self.after, self.kind = words, after, kind


def pause(failures: int) -> float:
    """Seconds to wait after so many failures: twice as long each time, and never the same for all clients."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 16))
    return random.uniform(0.5, 1.0) * longest


def wait(stop: threading.Event, seconds: float) -> None:
    """Wait before the next try.

    Raises:
        Stopped: the run is being ended.
    """
    if stop.wait(seconds):
        raise Stopped


def wished(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, which holds a number or a date; None if it asks for none.

    Raises:
        Unreachable: more than `LONGEST_WISH`.
    """
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return None
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = max(0.0, (aware - datetime.now(UTC)).total_seconds())
    if seconds > LONGEST_WISH:
        raise Unreachable(f"the server asks to wait {seconds:.0f} s; run it again then, to go on from there")
    return seconds
