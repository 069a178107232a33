"""Small runs: their settings, what they leave, and a step of one without a trainer."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from sketchgen.data.batching import Batch, Prefixes
from sketchgen.models.checkpoint import read_checkpoint
from sketchgen.training.callbacks import STATE, Keeper
from sketchgen.training.config import ModelSettings, TrainConfig
from sketchgen.training.module import Step, Training
from sketchgen.training.state import StateFile
from sketchgen.training.trainer import Run, fit

MODEL = ModelSettings(layers=1, width=24, components=3, embedding=16, encoder_width=16)
"""A network that learns in milliseconds."""


def small(store: Path, out: Path) -> TrainConfig:
    """Twenty steps of eight drawings."""
    return TrainConfig(
        store,
        out,
        steps=20,
        batch=8,
        learning_rate=5e-3,
        warmup=5,
        validate_drawings=16,
        pictures=0,
        bfloat16=False,
        threads=1,
        device="cpu",
        model=MODEL,
    )


def saved(out: Path) -> dict[str, Any]:
    """The state that a run has left."""
    return StateFile().load_checkpoint(out / STATE)


def tensors(value: Any, place: str = "") -> dict[str, Tensor]:
    """All tensors of a state by where they stand in it."""
    if isinstance(value, Tensor):
        return {place: value}
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {name: found for key, part in parts for name, found in tensors(part, f"{place}/{key}").items()}


def rows(out: Path, column: str) -> dict[int, float]:
    """The figures of a column of a run's log by step."""
    with (out / "log.csv").open(encoding="utf-8") as stream:
        return {int(row["step"]): float(row[column]) for row in csv.DictReader(stream) if row[column]}


def prepared(run: Run) -> Run:
    """A run that can take steps without its trainer's loop."""
    training, trainer = run.training, run.trainer()
    training.trainer = trainer
    trainer.strategy.connect(training)
    trainer.strategy.setup_environment()
    trainer.strategy.setup_optimizers(trainer)
    return run


def step(run: Run, batch: Batch) -> Step:
    """One step."""
    run.training.training_step(batch, 0)
    return run.training.last


def stopped_and_resumed(config: TrainConfig, after: int) -> Path:
    """The best network of a run that is stopped once after so many steps, and goes on from there."""
    take, stopped = Training.training_step, []

    def until(self: Training, batch: Batch, batch_idx: int) -> None:
        take(self, batch, batch_idx)
        if self.position.step == after and not stopped:
            stopped.append(after)
            self.stopped = True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "training_step", until)
        fit(config)
        assert saved(config.out)["position"]["step"] == after
        return fit(config, resume=True)


def keeps_the_last_of_rising(config: TrainConfig) -> bool:
    """Whether the best network of a run is its last, though the validation figure rises all the time."""

    def rising(self: Keeper, module: Training) -> dict[str, float]:
        return {"valid": float(module.position.step), "valid_half": 0.0}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "validate", rising)
        fit(replace(config, validate_every=0.0))
    best, last = (read_checkpoint(config.out / name).weights for name in ("best", "last"))
    return all(np.array_equal(value, last[name]) for name, value in best.items())


def as_json(config: TrainConfig) -> str:
    """A configuration for another process."""
    return json.dumps(asdict(config), default=str)


def from_json(text: str) -> TrainConfig:
    """The configuration that another process has sent; cuts as usual."""
    values = json.loads(text)
    prefixes = values.pop("prefixes")
    return TrainConfig(
        **values | {"model": ModelSettings(**values["model"]), "prefixes": Prefixes(**prefixes)}
    )
