"""Processes that hear Ctrl-C however the tests were started."""

from __future__ import annotations

import signal


def interruptible() -> None:
    """For `preexec_fn`: a shell has what it starts in the background, and all below it, ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
