"""Small runs: their settings, what they leave, and how they are stopped."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sketchgen.data.splitting import Prefixes
from sketchgen.training.config import ModelSettings, RunConfig, TrainConfig
from sketchgen.training.distributed import choose_device
from sketchgen.training.loop import Callback, StepResult, Trainer
from sketchgen.training.state import STATE, load_state
from sketchgen.training.trainer import make_trainer

MODEL = ModelSettings(layers=1, width=24, components=3, embedding=16, encoder_width=16)
"""A network that learns in milliseconds."""


def small(store: Path, out: Path, **more: Any) -> TrainConfig:
    """Twenty steps of eight drawings."""
    settings = {"steps": 20, "batch": 8, "learning_rate": 5e-3, "warmup": 5, "validate_drawings": 16}
    settings |= {"pictures": 0, "bfloat16": False, "threads": 1, "device": "cpu", "model": MODEL}
    return TrainConfig(store, out, **settings | more)


def prepared(config: RunConfig) -> Trainer:
    """A run that takes the steps that it is told to."""
    return make_trainer(config, choose_device("cpu"))


def saved(out: Path) -> dict[str, Any]:
    """The state that a run has left."""
    return load_state(out / STATE)


def tensors(value: Any, place: str = "") -> dict[str, Tensor]:
    """All tensors of a state by where they stand in it."""
    if isinstance(value, Tensor):
        return {place: value}
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {name: found for key, part in parts for name, found in tensors(part, f"{place}/{key}").items()}


def check_same(one: Path, two: Path) -> None:
    """Both runs have left the same state, bit for bit, and the same losses."""
    straight, resumed = tensors(saved(one)), tensors(saved(two))
    assert straight.keys() == resumed.keys()
    assert len(straight) > 30
    for name, value in straight.items():
        assert torch.equal(value, resumed[name]), name
    assert rows(one, "loss") == rows(two, "loss")


def rows(out: Path, column: str) -> dict[int, float]:
    """The figures of a column of a run's log by step."""
    with (out / "log.csv").open(encoding="utf-8") as stream:
        return {int(row["step"]): float(row[column]) for row in csv.DictReader(stream) if row[column]}


class StopAfter(Callback):
    """Ends a run after a number of steps, once."""

    def __init__(self, step: int) -> None:
        self._step = step

    def on_step(self, trainer: Trainer, result: StepResult, waited: float) -> None:
        """End it after the step, as a signal does."""
        trainer.stopped |= trainer.position.step == self._step


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
