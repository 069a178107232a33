"""The page on a model that draws slowly and without end, for one person at a time, and says when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sketchgen.completion.completer import Completer, load
from sketchgen.completion.run import NextPoints
from sketchgen.web import drawing, serve

PAUSE = 0.02


@dataclass(frozen=True)
class Slow(Completer):
    """Draws a line to the right, a point each `PAUSE` seconds, for ten minutes."""

    def stream(
        self, sketch: Any, category: Any = None, count: int = 9, *args: Any, **more: Any
    ) -> Iterator[NextPoints]:
        """See `Completer.stream`."""
        return self._line(count)

    def _line(self, count: int) -> Iterator[NextPoints]:
        print("started", time.time(), flush=True)
        everyone = np.ones(count, dtype=bool)
        try:
            for step in range(30_000):
                points = np.tile([100.0 + step * 0.5, 100.0], (count, 1))
                yield NextPoints(points, np.zeros(count, dtype=np.int64), everyone)
                time.sleep(PAUSE)
        finally:
            print("stopped", time.time(), flush=True)


def slow(name: str | None) -> Completer:
    """The bundled model, slowed down."""
    fast = load(name)
    return Slow(fast.decoder, fast.name, fast.summary)


if __name__ == "__main__":
    serve.load = slow
    drawing.CAPACITY = 1
    serve.launch(port=0)
