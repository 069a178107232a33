"""How a training run shows itself on standard error."""

from __future__ import annotations

import sys
from typing import Any

from sketchgen.training.callbacks import ProgressBar


def shown_run() -> dict[str, Any]:
    """What `fit` calls: a bar and a line for each validation on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        return {"report": lambda figures: sys.stderr.write(_line(figures) + "\n")}
    bar = ProgressBar()

    def say(figures: dict[str, Any]) -> None:
        if "valid" in figures or "warning" in figures:
            bar.say(_line(figures))

    return {"report": say, "callbacks": [bar]}


def _line(figures: dict[str, Any]) -> str:
    """Figures on one line."""
    shown = (
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in figures.items()
        if value is not None
    )
    return ", ".join(shown)
