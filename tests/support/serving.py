"""A drawing page in a process of its own, as people start it."""

from __future__ import annotations

import queue
import re
import shutil
import subprocess
import sys
import threading
import time

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Chromium without what it would ask of other hosts."""


class Server:
    """A running page; `lines` is what it says, `says` what stands in the line with its address."""

    def __init__(self, *command: str, says: str = "draws at", env: dict[str, str] | None = None) -> None:
        out = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, *command], stdout=out, stderr=subprocess.STDOUT, text=True, env=env
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.said: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self.url = re.findall(r"http://\S+", self.until(says, 300))[0]
        except AssertionError:
            self.stop()
            raise

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def until(self, word: str, seconds: float) -> str:
        """The next line that has the word."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                said = "".join(self.said[-20:])
                raise AssertionError(f"no {word!r} within {seconds} s; it said:\n{said}") from None
            self.said.append(line)
            if word in line:
                return line

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
