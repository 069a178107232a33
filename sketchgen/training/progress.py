"""A progress bar for terminals: loss, validation, speed and the time that is left."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from lightning.pytorch import Callback, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from sketchgen.training.distributed import rank
from sketchgen.training.module import Training

FORGET = 0.95
"""How much of the smoothed figures stays from one step to the next."""


class ProgressBar(Callback):
    """Shows a run on a terminal; in the first of several processes only."""

    def __init__(self, console: Console | None = None) -> None:
        """Show it on `console`, by default on standard error."""
        # The bar takes what the words leave, and no line is broken: eighty columns are enough.
        columns = (
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %", table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[figures]}", table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[left]}", table_column=Column(no_wrap=True)),
        )
        self.bar = Progress(
            *columns, console=console or Console(stderr=True), disable=bool(rank()), expand=True
        )
        self._task = TaskID(0)
        self._loss: float | None = None
        self._began, self._share, self._drawings = time.monotonic(), 0.0, 0

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Show the bar, where the run stands."""
        self._began, self._share = time.monotonic(), pl_module.progress
        self._drawings = pl_module.position.drawings
        self._task = self.bar.add_task("training", total=1.0, figures="", left="", completed=self._share)
        self.bar.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move the bar on."""
        assert isinstance(pl_module, Training)
        last, share = pl_module.last, pl_module.progress
        if not last.skipped:
            before = last.loss if self._loss is None else self._loss
            self._loss = FORGET * before + (1 - FORGET) * last.loss
        self.bar.update(self._task, completed=share, figures=self._figures(pl_module), left=self._left(share))

    def _figures(self, module: Training) -> str:
        position = module.position
        passed = max(time.monotonic() - self._began, 1e-9)
        parts = [f"step {position.step}"]
        parts += [] if self._loss is None else [f"loss {self._loss:.3f}"]
        parts += [f"best {position.best:.3f}"] if position.best < float("inf") else []
        parts.append(f"{(position.drawings - self._drawings) / passed:.0f} drawings/s")
        return ", ".join(parts)

    def _left(self, share: float) -> str:
        """The time until the end at the speed so far, pauses for validation included."""
        done = share - self._share
        if done <= 0.0:
            return ""
        seconds = (time.monotonic() - self._began) / done * max(0.0, 1.0 - share)
        return f"{timedelta(seconds=round(seconds))} left"

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(text, highlight=False, markup=False)

    def teardown(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        """Leave the bar as it stands."""
        self.bar.stop()

    def on_exception(self, trainer: Trainer, pl_module: Any, exception: BaseException) -> None:
        """Leave the bar as it stands, so that the error comes below it."""
        self.bar.stop()
