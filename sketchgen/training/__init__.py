"""Training: `fit(TrainConfig(...))`; the loop, its exact state on disk, and what it leaves."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketchgen.training.config import ClassifierTrainConfig, ModelSettings, RewardTrainConfig, TrainConfig
    from sketchgen.training.datasets import stroke_batches
    from sketchgen.training.loop import Callback
    from sketchgen.training.presets import PRESETS
    from sketchgen.training.trainer import fit

__all__ = [
    "PRESETS",
    "Callback",
    "ClassifierTrainConfig",
    "ModelSettings",
    "RewardTrainConfig",
    "TrainConfig",
    "fit",
    "stroke_batches",
]

_MODULES = {"fit": "trainer", "Callback": "loop", "PRESETS": "presets", "stroke_batches": "datasets"}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used."""
    if name not in __all__:
        raise AttributeError(f"module 'sketchgen.training' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES.get(name, 'config')}"), name)
