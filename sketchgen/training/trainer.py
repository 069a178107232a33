"""`fit`: a training run from its configuration to the folder of its best checkpoint."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from sketchgen.errors import OutputError
from sketchgen.models.memory import keep_freed_memory
from sketchgen.models.stroke_model import bfloat16_pays
from sketchgen.sketch.files import recover_folder
from sketchgen.training.callbacks import Report, RunLog
from sketchgen.training.classifier_task import ClassifierTask
from sketchgen.training.config import ClassifierTrainConfig, RewardTrainConfig, RunConfig, TrainConfig
from sketchgen.training.distributed import choose_device, process_group, rank
from sketchgen.training.loop import Callback, Task, Trainer
from sketchgen.training.reward_task import RewardTask
from sketchgen.training.state import STATE
from sketchgen.training.stroke_task import StrokeTask


def fit(
    config: RunConfig,
    *,
    resume: bool = False,
    report: Report | None = None,
    callbacks: Sequence[Callback] = (),
    began: float | None = None,
) -> Path:
    """Train a network and return the folder of its best checkpoint.

    SIGINT and SIGTERM end the run after the current step with everything saved. A resumed run takes the very
    steps that the run would have taken, after a kill those from the last saved state on.

    Args:
        config: `TrainConfig`, `ClassifierTrainConfig` or `RewardTrainConfig`.
        resume: go on with the run in `config.out`.
        report: called with the figures of each line of the log, and with warnings.
        callbacks: what else watches the run.
        began: when the run's clock began, by `time.monotonic`; None for now.

    Raises:
        OutputError: the run's folder holds a run and `resume` is false, or it cannot be written.
        CheckpointError: `resume` without a state, or a checkpoint that is named is missing or does not fit.
        FormatError: there is no store, or it is damaged or gone.
        ProcessLostError: another process of the run has ended.
        SettingError: settings that cannot work, or a loss that stays not finite.
    """
    began = time.monotonic() if began is None else began
    config = replace(config, store=Path(config.store), out=Path(config.out))
    keep_freed_memory()
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    device = choose_device(config.device)
    with process_group(device):
        trainer = make_trainer(config, device, resume=resume, report=report, callbacks=callbacks, began=began)
        trainer.fit()
    return config.out / "best"


def make_trainer(
    config: RunConfig,
    device: torch.device,
    *,
    resume: bool = False,
    report: Report | None = None,
    callbacks: Sequence[Callback] = (),
    began: float | None = None,
) -> Trainer:
    """Return a run that is ready to take its next step; see `fit`."""
    task = make_task(config, device, resume=resume)
    prepare_folder(config.out, resume=resume)
    report = report or (lambda figures: None)
    before = time.monotonic()
    task.setup(report)
    # The drawing of candidates is not a part of the training.
    began = began and began + time.monotonic() - before
    bfloat16 = bfloat16_pays(device) if config.bfloat16 is None else config.bfloat16
    log = RunLog(config.out, report)
    watching = [log, *callbacks]
    trainer = Trainer(config, task, device, bfloat16=bfloat16, callbacks=watching, began=began)
    notes = [*config.notes, *task.notes]
    # A run that was stopped while it drew candidates has no state yet.
    if resume and ((config.out / STATE).exists() or not (config.out / "candidates").exists()):
        changed = trainer.load()
        notes += [f"resumed with other settings: {', '.join(changed)}"] if changed else []
    for note in notes if not rank() else ():
        report({"step": trainer.position.step, "warning": note})
    return trainer


def make_task(config: RunConfig, device: torch.device, *, resume: bool = False) -> Task:
    """Return what a configuration trains, with the weights to start from unless it resumes."""
    torch.manual_seed(config.seed)
    if isinstance(config, TrainConfig):
        return StrokeTask(config, device)
    # What it was started from need not be there any more when it is resumed.
    start = None if resume else config.start
    if isinstance(config, ClassifierTrainConfig):
        return ClassifierTask(replace(config, start=start))
    assert isinstance(config, RewardTrainConfig)
    return RewardTask(replace(config, start=start))


def prepare_folder(out: Path, *, resume: bool) -> None:
    """Make the run's folder, and clear away what a kill in the middle of writing has left in it."""
    if not resume and (out / STATE).exists():
        raise OutputError(f"{out} holds a run; go on with it by --resume, or choose another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not rank():
            for left in out.iterdir():
                if re.fullmatch(r"\.[0-9a-f]{16}\.tmp", left.name):
                    left.unlink(missing_ok=True)
            for name in ("best", "last"):
                recover_folder(out / name)
    except OSError as error:
        raise OutputError(f"{out} cannot be made: {error.strerror}") from error
