"""When a run is validated, saved and ended; and what it keeps."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, Trainer

from sketchgen.data.store import Drawings
from sketchgen.errors import SettingError
from sketchgen.evaluation.likelihood import Scores, score
from sketchgen.models.checkpoint import save_checkpoint
from sketchgen.models.memory import give_back_freed_memory
from sketchgen.training.distributed import added_up, rank, world_size
from sketchgen.training.module import Training
from sketchgen.training.run_log import Journal

STATE = "state.safetensors"
"""The file in a run's folder from which it is resumed."""


class Keeper(Callback):
    """Validates, saves and ends a run.

    The processes do each of these after the same step: the first one's clock says when, and a signal to any
    of them stops all.
    """

    def __init__(self, journal: Journal, valid: Drawings, training_drawings: int) -> None:
        """Keep what comes of a run.

        Args:
            journal: where figures are written.
            valid: the drawings to validate on, categories as the network knows them.
            training_drawings: how many drawings the run learns from.
        """
        self.journal, self.valid, self.training_drawings = journal, valid, training_drawings
        self._validated = self._saved = time.monotonic()

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Listen to SIGINT and SIGTERM, which end the run after the current step with everything saved."""
        assert isinstance(pl_module, Training)

        def stop(*_: object) -> None:
            pl_module.stopped = True

        # Here and not before: Lightning has set its own by now, which would end the run at once. It gives
        # all signals back at the end.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, stop)
        self._validated = self._saved = time.monotonic()
        if pl_module.progress >= 1.0:
            trainer.should_stop = True

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """After each step: validate, save, or end the run, where it is time."""
        assert isinstance(pl_module, Training)
        config, now = pl_module.config, time.monotonic()
        stopped, finished, validate, save = self._agreed(
            pl_module.stopped,
            pl_module.progress >= 1.0,
            now - self._validated > config.validation_interval,
            now - self._saved > config.save_every,
        )
        try:
            pl_module.give_up_if_hopeless()
        except SettingError:
            # Skipped steps changed nothing, so that the state is as good as before them.
            pl_module.position.skipped = 0
            self._save(trainer, pl_module)
            raise
        if validate or finished or stopped:
            self.checkpoint(trainer, pl_module)
        elif save:
            self._save(trainer, pl_module)
        patience = config.patience
        tired = patience is not None and pl_module.position.waited >= patience
        if finished or stopped or tired:
            trainer.should_stop = True

    def _agreed(self, stopped: bool, *of_the_first: bool) -> list[bool]:
        """What holds for all processes: a stop of any of them, the rest as the first one says."""
        if world_size() == 1:
            return [stopped, *of_the_first]
        first = [float(value) * (rank() == 0) for value in of_the_first]
        return [bool(value) for value in added_up(torch.tensor([float(stopped), *first])).tolist()]

    def validate(self, module: Training) -> dict[str, float]:
        """Nats per point of the averaged network: whole drawings, and second halves with the first given."""
        mine = self.valid.take(np.arange(rank(), len(self.valid), world_size()))
        network, device = module.averaged(), module.device
        figures = {}
        with torch.autocast(device.type, torch.bfloat16, enabled=module.trainer.precision == "bf16-mixed"):
            for name, fraction in (("valid", 0.0), ("valid_half", 0.5)):
                figures[name] = _shared_per_point(score(network, mine, fraction), device)
        return figures

    def checkpoint(self, trainer: Trainer, module: Training) -> None:
        """Validate, and save everything: the best and the last network, and the state."""
        figures = self.validate(module)
        position = module.position
        # What is preferred costs some likelihood: by that the network as it began would be the best.
        better = figures["valid"] < position.best or module.goes_its_own_way
        position.waited = 0 if better else position.waited + 1
        if better:
            position.best = figures["valid"]
        if not rank():
            for name in ("last", "best") if better else ("last",):
                summary = self.summary(module, figures)
                save_checkpoint(module.config.out / name, module.averaged(), summary, force=True)
        # After the best network: a state that knows of one which is not on the disk would never write it.
        self._save(trainer, module)
        self.journal.write(trainer, module, figures)
        self.journal.draw(trainer, module, module.config.pictures)
        self._validated = time.monotonic()
        self._resume_clocks(module)

    def _save(self, trainer: Trainer, module: Training) -> None:
        """Write the state."""
        trainer.save_checkpoint(module.config.out / STATE)
        give_back_freed_memory()
        self._saved = time.monotonic()
        self._resume_clocks(module)

    def _resume_clocks(self, module: Training) -> None:
        # Neither validation nor saving counts as training time, nor into the speed.
        module.resume_clock()
        self.journal.resume_clock()

    def summary(self, module: Training, figures: dict[str, float]) -> dict[str, Any]:
        """What a checkpoint says of its training."""
        position, config = module.position, module.config
        # A checkpoint is passed on: it names folders, but not where they stand on this machine.
        paths = {name: getattr(config, name) for name in ("store", "out", "start", "rehearsals")}
        return {
            "nats_per_point_valid": round(figures["valid"], 4),
            "validation_drawings": len(self.valid),
            "steps": position.step,
            "drawings_seen": position.drawings,
            "epochs": round(position.drawings / self.training_drawings, 2),
            "training_seconds": round(position.elapsed),
            "processes": world_size(),
            "training_drawings": self.training_drawings,
            "settings": config.to_dict()
            | {name: Path(path).name for name, path in paths.items() if path}
            | {"teachers": [Path(path).name for path in config.teachers]}
            | ({"practice": config.practice.named_only()} if config.practice else {}),
        }


def _shared_per_point(scores: Scores, device: torch.device) -> float:
    """Nats per point over the drawings of all processes."""
    sums = torch.tensor([scores.nats.sum(), float(scores.points.sum())], dtype=torch.float64).to(device)
    nats, points = added_up(sums).tolist()
    return nats / max(points, 1.0)
