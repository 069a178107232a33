"""Callbacks of every run: the log, pictures, and a progress bar."""

from __future__ import annotations

import csv
import importlib.util
import io
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from sketchgen.formats.quickdraw import to_line
from sketchgen.formats.raster import save_png
from sketchgen.sketch.files import write_atomic
from sketchgen.training.distributed import rank
from sketchgen.training.loop import Callback, OutOfTimeError, StepResult, Trainer

Report = Callable[[dict[str, Any]], None]
"""Called with the figures of each line of the log, and with warnings."""

LOG_EVERY = 20
"""Steps between lines of the log."""

COLUMNS = (
    *("step", "seconds", "loss", "learning_rate", "gradient_norm"),
    *("drawings_per_second", "waiting", "skipped"),
)
"""First columns of log.csv; those of the validation and of the objectives follow."""

SMOOTHING = 0.95
"""Share of the progress bar's loss that stays from one step to the next."""


class RunLog(Callback):
    """Writes `log.csv`, `skipped.ndjson`, `pictures/` and TensorBoard's log; in the first process only."""

    def __init__(self, out: Path, report: Report | None = None) -> None:
        """Write into the run's folder `out`, and call `report` with each line."""
        self.out, self.report = out, report or (lambda figures: None)
        self._columns: tuple[str, ...] = COLUMNS
        self._figures: dict[str, list[float]] = {}
        self._skipped = 0
        self._drawings, self._waited, self._seconds, self._since = 0, 0.0, 0.0, 0.0
        self._board: Any = None

    def state(self) -> dict[str, Any]:
        """Return the figures that the next line is the mean of, so that it is the same in a resumed run."""
        return {"figures": self._figures, "skipped": self._skipped}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the figures of a saved run."""
        self._figures, self._skipped = dict(state["figures"]), int(state["skipped"])

    def on_start(self, trainer: Trainer) -> None:
        """Drop the lines after the state that the run goes on from: it writes them once more."""
        own = [name for objective in trainer.task.objectives for name in objective.figures]
        self._columns = (*COLUMNS, *trainer.task.figures, *own)
        self._since = time.monotonic()
        if rank():
            return
        keep_lines_up_to(self.out / "log.csv", trainer.position.step, self._columns)
        if importlib.util.find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self.out / "tensorboard"))

    def on_step(self, trainer: Trainer, result: StepResult, waited: float) -> None:
        """Count a step, and write a line every `LOG_EVERY` of them."""
        self._drawings, self._waited = self._drawings + result.drawings, self._waited + waited
        now = time.monotonic()
        self._seconds, self._since = self._seconds + now - self._since, now
        if result.skipped:
            self._skipped += 1
            self._report_skipped(trainer, result)
        else:
            for name, value in ({"loss": result.loss} | result.figures).items():
                self._figures.setdefault(name, []).append(value)
        if trainer.position.step % LOG_EVERY == 0:
            self._write_steps(trainer, result)

    def _write_steps(self, trainer: Trainer, result: StepResult) -> None:
        """Write the means of the steps since the last line."""
        means = {name: float(np.mean(values)) for name, values in self._figures.items()}
        passed = max(self._seconds, 1e-9)
        figures = {
            "loss": round(means.pop("loss", float("nan")), 4),
            "gradient_norm": round(result.norm, 3),
            "drawings_per_second": round(self._drawings / passed, 1),
            "waiting": round(min(self._waited / passed, 1.0), 4),
            "skipped": self._skipped,
        }
        figures |= {name: round(value, 3) for name, value in means.items()}
        self._figures, self._skipped = {}, 0
        self._drawings, self._waited, self._seconds = 0, 0.0, 0.0
        self._write(trainer, figures | {"learning_rate": round(result.rate, 7)})

    def _write(self, trainer: Trainer, figures: dict[str, Any]) -> None:
        if rank():
            return
        position = trainer.position
        line = {"step": position.step, "seconds": round(position.elapsed)} | figures
        path = self.out / "log.csv"
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, self._columns, extrasaction="ignore")
            if fresh:
                writer.writeheader()
            writer.writerow(line)
        if self._board is not None:
            for name, value in figures.items():
                self._board.add_scalar(name, float(value), position.step)
        self.report(line | {"progress": trainer.progress})

    def _report_skipped(self, trainer: Trainer, result: StepResult) -> None:
        """Keep the drawings of a skipped step, so that they can be looked at, and say which they are."""
        if rank():
            return
        words = "step skipped, its loss was not finite"
        if trainer.task.split is not None and result.suspects:
            found = [trainer.task.split.find(key) for key in result.suspects]
            with (self.out / "skipped.ndjson").open("a", encoding="utf-8") as stream:
                stream.writelines(to_line(one.sketch(0)) for one in found if len(one))
            named = ", ".join(f"{key:016x}" for key in result.suspects[:3])
            more = ", ..." if len(result.suspects) > 3 else ""
            words += f"; drawing {named}{more} (see skipped.ndjson)"
        self.report({"step": trainer.position.step, "warning": words})

    def on_validation(self, trainer: Trainer, figures: dict[str, float]) -> None:
        """Write the figures, and a picture of what the averaged network draws, if there is time for it."""
        if not figures:
            words = "there was no time left to validate the last network"
            self.report({"step": trainer.position.step, "warning": words})
            return
        self._write(trainer, figures)
        with suppress(OutOfTimeError):
            self._write_picture(trainer)
        # Validation is no part of the speed of training.
        self._since = time.monotonic()

    def _write_picture(self, trainer: Trainer) -> None:
        sheet = None if rank() else trainer.task.draw(trainer.average)
        if sheet is None:
            return
        step, folder = trainer.position.step, self.out / "pictures"
        folder.mkdir(exist_ok=True)
        save_png(sheet, folder / f"step-{step:08d}.png", force=True)
        if self._board is not None:
            self._board.add_image("drawings", np.asarray(sheet.convert("RGB")), step, dataformats="HWC")

    def on_end(self, trainer: Trainer) -> None:
        """Close TensorBoard's log."""
        if self._board is not None:
            self._board.close()


def keep_lines_up_to(path: Path, step: int, columns: tuple[str, ...]) -> None:
    """Drop the lines of a log after a step: a run that was killed had come further than what it saved."""
    if not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    rows = [line for line in lines if (line["step"] or "").isdigit() and int(line["step"]) <= step]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(path, text.getvalue().encode(), force=True)


class ProgressBar(Callback):
    """Shows a run on a terminal: loss, validation, speed and time left; in the first process only."""

    def __init__(self, console: Console | None = None) -> None:
        """Show it on `console`, by default on standard error."""
        # The bar takes what the words leave, and no line is broken: eighty columns are enough.
        whole = Column(no_wrap=True)
        columns = (
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f} %", table_column=whole),
            TextColumn("{task.fields[figures]}", table_column=whole),
            TimeRemainingColumn(table_column=whole),
        )
        console = console or Console(stderr=True)
        self.bar = Progress(
            *columns,
            console=console,
            disable=bool(rank()),
            expand=True,
            # Pauses for validation are a part of the speed.
            speed_estimate_period=600.0,
        )
        self._task = self.bar.add_task("training", total=1.0, start=False, figures="")
        self._loss: float | None = None
        self._began, self._drawings = time.monotonic(), 0

    def on_start(self, trainer: Trainer) -> None:
        """Show the bar where the run stands."""
        self._began, self._drawings = time.monotonic(), trainer.position.drawings
        self.bar.start_task(self._task)
        self.bar.update(self._task, completed=trainer.progress)
        self.bar.start()

    def on_step(self, trainer: Trainer, result: StepResult, waited: float) -> None:
        """Move the bar on."""
        if not result.skipped:
            before = result.loss if self._loss is None else self._loss
            self._loss = SMOOTHING * before + (1 - SMOOTHING) * result.loss
        position = trainer.position
        parts = [f"step {position.step}"]
        parts += [] if self._loss is None else [f"loss {self._loss:.3f}"]
        parts += [f"best {position.best:.3f}"] if position.best < float("inf") else []
        passed = max(time.monotonic() - self._began, 1e-9)
        parts.append(f"{(position.drawings - self._drawings) / passed:.0f} drawings/s")
        self.bar.update(self._task, completed=trainer.progress, figures=", ".join(parts))

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self.bar.console.print(text, highlight=False, markup=False)

    def on_end(self, trainer: Trainer) -> None:
        """Leave the bar as it stands, so that an error comes below it."""
        self.bar.stop()
