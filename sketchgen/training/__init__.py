"""Training on Lightning: `fit(TrainConfig(...))`; the loop, its exact state on disk, and what it leaves."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketchgen.training.config import ModelSettings, TrainConfig
    from sketchgen.training.trainer import fit

__all__ = ["ModelSettings", "TrainConfig", "fit"]

_HOMES = {"ModelSettings": "config", "TrainConfig": "config", "fit": "run"}


def __getattr__(name: str) -> Any:
    """Load a name when it is first used: the configuration alone needs no torch."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sketchgen.training' has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
