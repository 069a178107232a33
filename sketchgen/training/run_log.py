"""What a run leaves to be read: figures, pictures, and the drawings that broke a step."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from PIL.Image import Image

from sketchgen.completion.completer import Completer
from sketchgen.data.store import Drawings, Split
from sketchgen.formats.quickdraw import to_line
from sketchgen.formats.raster import contact_sheet, save_png
from sketchgen.models.numpy_layers import CELLS
from sketchgen.models.numpy_stroke_model import Decoder
from sketchgen.models.stroke_model import StrokeModel
from sketchgen.sketch.files import write_atomic
from sketchgen.sketch.sketch import Completion, Sketch
from sketchgen.training.distributed import rank
from sketchgen.training.module import Training
from sketchgen.training.reinforce import Practised

Report = Callable[[dict[str, Any]], None]
"""Called with the figures of a line of the log."""

LOG_EVERY = 20
"""Steps between lines of the log."""

COLUMNS: tuple[str, ...] = (
    "step",
    "seconds",
    "loss",
    "learning_rate",
    "gradient_norm",
    "drawings_per_second",
    "waiting",
    "skipped",
    "valid",
    "valid_half",
    "told",
    "gained",
    *Practised._fields,
)
"""Columns of log.csv; a line is of some steps, or of a validation."""

GIVEN_SHARE = 0.4
"""Share of a drawing's points that is given where the log shows completions."""

PICTURE_TEMPERATURE = 0.4


class Journal(Callback):
    """Writes the log; in the first of several processes only."""

    def __init__(self, out: Path, split: Split, valid: Drawings, report: Report) -> None:
        """Write into the run's folder `out`, and call `report` with each line.

        Args:
            out: the folder.
            split: where skipped drawings are looked up.
            valid: drawings whose beginnings are finished for the pictures.
            report: called with the figures of each line.
        """
        self.out, self.split, self.valid, self.report = out, split, valid, report
        self._losses: list[float] = []
        self._preferred: list[tuple[float, float]] = []
        self._practised: list[Practised] = []
        self._norm, self._drawings, self._skipped = 0.0, 0, 0
        self._since = self._left = time.monotonic()
        self._waited = 0.0

    def state_dict(self) -> dict[str, Any]:
        """The losses that the next line will be of, so that it is the same in a resumed run."""
        liked = [list(pair) for pair in self._preferred]
        practised = [list(each) for each in self._practised]
        found = {"losses": list(self._losses), "skipped": self._skipped, "preferred": liked}
        return found | {"practised": practised}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the losses where a saved run stood."""
        self._losses, self._skipped = list(state_dict["losses"]), int(state_dict["skipped"])
        self._preferred = [(told, gained) for told, gained in state_dict.get("preferred", [])]
        self._practised = [Practised(*each) for each in state_dict.get("practised", [])]

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Drop the lines behind the state that the run goes on from: it writes them once more."""
        keep_lines_up_to(self.out / "log.csv", pl_module.position.step)
        self.resume_clock()

    def on_train_batch_start(self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Count the time since the last step as waiting for the batch."""
        self._waited += time.monotonic() - self._left

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a step, and write a line every `LOG_EVERY` of them."""
        assert isinstance(pl_module, Training)
        last = pl_module.last
        self._drawings += last.drawings
        self._norm = last.norm
        if last.skipped:
            self._skipped += 1
            self._tell_skipped(pl_module)
        else:
            self._losses.append(last.loss)
            if last.told is not None and last.gained is not None:
                self._preferred.append((last.told, last.gained))
            if last.practised is not None:
                self._practised.append(last.practised)
        if pl_module.position.step % LOG_EVERY == 0:
            self.write(trainer, pl_module, self._figures() | {"learning_rate": round(last.rate, 7)})
        self._left = time.monotonic()

    def resume_clock(self) -> None:
        """Let time pass unseen, as for a validation."""
        now = time.monotonic()
        self._since, self._left = self._since + now - self._left, now

    def _figures(self) -> dict[str, float]:
        """Of the steps since the last line: mean loss, speed, and the share of the time spent waiting."""
        now = time.monotonic()
        passed = max(now - self._since, 1e-9)
        figures = {
            "loss": round(float(np.mean(self._losses)), 4) if self._losses else float("nan"),
            "gradient_norm": round(self._norm, 3),
            "drawings_per_second": round(self._drawings / passed, 1),
            "waiting": round(self._waited / passed, 4),
            "skipped": self._skipped,
        }
        if self._preferred:
            told, gained = np.mean(self._preferred, axis=0).tolist()
            figures |= {"told": round(told, 3), "gained": round(gained, 3)}
        if self._practised:
            means = np.mean(self._practised, axis=0).tolist()
            figures |= {name: round(value, 3) for name, value in zip(Practised._fields, means, strict=True)}
        self._preferred, self._practised = [], []
        self._losses, self._drawings, self._skipped, self._waited, self._since = [], 0, 0, 0.0, now
        return figures

    def write(self, trainer: Trainer, module: Training, figures: dict[str, Any]) -> None:
        """Write a line of figures everywhere; nothing but in the first process."""
        if rank():
            return
        position = module.position
        line = {"step": position.step, "seconds": round(position.elapsed)} | figures
        _append(self.out / "log.csv", line)
        for logger in trainer.loggers:
            logger.log_metrics({key: float(value) for key, value in figures.items()}, position.step)
        self.report(line | {"progress": module.progress})

    def _tell_skipped(self, module: Training) -> None:
        """Keep the drawings of a skipped step, so that they can be looked at, and say which they are."""
        if rank():
            return
        keys = module.last.suspects
        found = [self.split.find(key) for key in keys]
        with (self.out / "skipped.ndjson").open("a", encoding="utf-8") as stream:
            stream.writelines(to_line(one.sketch(0)) for one in found if len(one))
        named = ", ".join(f"{key:016x}" for key in keys[:3]) + (", ..." if len(keys) > 3 else "")
        words = f"step skipped, its loss was not finite; drawing {named} (see skipped.ndjson)"
        self.report({"step": module.position.step, "warning": words})

    def draw(self, trainer: Trainer, module: Training, count: int) -> None:
        """Write a sheet of `count` finished beginnings and as many drawings from nothing."""
        if rank() or count == 0:
            return
        network = module.averaged()
        if network.config.cell not in CELLS:
            return
        sheet = pictures(network, self.valid, count, module.config.seed)
        step = module.position.step
        folder = self.out / "pictures"
        folder.mkdir(exist_ok=True)
        save_png(sheet, folder / f"step-{step:08d}.png", force=True)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                image = np.asarray(sheet.convert("RGB"))
                logger.experiment.add_image("drawings", image, step, dataformats="HWC")


def pictures(network: StrokeModel, drawings: Drawings, count: int, seed: int) -> Image:
    """A sheet: the beginnings of the first `count` drawings finished, then as many drawn from nothing."""
    completer = Completer(Decoder(network.config, network.weights()), "run", {})
    cells: list[Sketch | Completion] = []
    labels: list[str] = []
    known = set(completer.categories)
    sketches = [drawings.sketch(index) for index in range(min(count, len(drawings)))]
    names = [sketch.category if sketch.category in known else None for sketch in sketches]
    for sketch, name in zip(sketches, names, strict=True):
        begun = beginning(sketch, GIVEN_SHARE)
        cells += completer.complete(begun, name, 1, PICTURE_TEMPERATURE, seed)
        labels.append(f"{name or 'any'}: finished")
    for name in names:
        cells += completer.generate(name, 1, PICTURE_TEMPERATURE, seed)
        labels.append(name or "any")
    return contact_sheet(cells, 6, 144, labels)


def beginning(sketch: Sketch, share: float) -> Sketch:
    """The first `share` of a drawing's points, at least two of them, on a page of the whole's size."""
    left = max(2, round(share * len(sketch.points)))
    strokes = []
    for stroke in sketch.strokes:
        strokes.append(stroke[:left])
        left -= len(strokes[-1])
        if left <= 0:
            break
    return Sketch.from_strokes(strokes, page=sketch.bounds, category=sketch.category)


def _append(path: Path, line: dict[str, Any]) -> None:
    """Add a line to a CSV file, with the names of the columns before the first."""
    fresh = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore")
        if fresh:
            writer.writeheader()
        writer.writerow(line)


def keep_lines_up_to(path: Path, step: int) -> None:
    """Drop the lines of a log behind a step: a run that was killed had come further than what it saved."""
    if rank() or not path.exists():
        return
    with path.open(newline="", encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    rows = [line for line in lines if (line["step"] or "").isdigit() and int(line["step"]) <= step]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    write_atomic(path, text.getvalue().encode(), force=True)
