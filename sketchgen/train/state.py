"""The exact state of a run on disk: weights, their average, the optimiser, where it stands. Never pickle."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from sketchgen.errors import CheckpointError, OutputError
from sketchgen.model.strokemodel import StrokeModel


@dataclass
class Position:
    """Where a run stands.

    Attributes:
        step: steps done.
        elapsed: seconds of training done, over all parts of the run.
        best: lowest validation figure so far, nats per point.
        drawings: drawings seen.
    """

    step: int = 0
    elapsed: float = 0.0
    best: float = float("inf")
    drawings: int = 0


def _optimiser_tensors(model: StrokeModel, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's moments by the parameter's name."""
    names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    tensors: dict[str, Tensor] = {}
    for parameter, values in optimiser.state.items():
        for key, value in values.items():
            tensors[f"optimiser.{names[parameter]}.{key}"] = torch.as_tensor(value).detach().cpu()
    return tensors


def _previous(folder: Path) -> Path:
    """Where the state before the one in `folder` stands while that is being replaced."""
    return folder.with_name(f".{folder.name}.old")


def has_state(folder: Path) -> bool:
    """Whether there is a state to resume; a kill between two renames leaves it under the old name."""
    return folder.exists() or _previous(folder).exists()


def save_state(
    folder: Path,
    model: StrokeModel,
    average: dict[str, Tensor],
    optimiser: torch.optim.Optimizer,
    position: Position,
    settings: dict[str, Any],
) -> None:
    """Write the state so that at any moment a whole one stands in `folder`.

    Raises:
        OutputError: it cannot be written; the one before it stays.
    """
    work = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    old = _previous(folder)
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        tensors = {f"model.{name}": value.detach().cpu() for name, value in model.state_dict().items()}
        tensors |= {f"average.{name}": value.detach().cpu() for name, value in average.items()}
        tensors |= _optimiser_tensors(model, optimiser)
        tensors = {name: value.contiguous().clone() for name, value in tensors.items()}
        save_file(tensors, work / "state.safetensors")
        about = {"position": asdict(position), "settings": settings}
        (work / "state.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
        # Where only the old one stands, after a kill between the renames, it stays until the new one does.
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        work.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        what = "the state of the run cannot be written to"
        raise OutputError(f"{what} {folder}: {error}; free some space") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def load_state(
    folder: Path, model: StrokeModel, average: dict[str, Tensor], optimiser: torch.optim.Optimizer
) -> Position:
    """Bring model, average and optimiser to the state in `folder` and return the position.

    Raises:
        CheckpointError: there is none, or it is damaged, or of another model.
    """
    source = folder if folder.exists() else _previous(folder)
    try:
        tensors = load_file(source / "state.safetensors")
        about = json.loads((source / "state.json").read_text(encoding="utf-8"))
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "optimiser": {}}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            parts[kind][rest] = value
        model.load_state_dict(parts["model"])
        for name, value in parts["average"].items():
            average[name].copy_(value)
        for name, parameter in model.named_parameters():
            keys = ("step", "exp_avg", "exp_avg_sq")
            found = {key: parts["optimiser"].get(f"{name}.{key}") for key in keys}
            if found["step"] is not None:
                optimiser.state[parameter] = {
                    key: value if key == "step" else value.to(parameter.device)
                    for key, value in found.items()
                    if value is not None
                }
        return Position(**about["position"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        # torch lists every weight that does not fit, a line each.
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{folder} holds no state of this run to resume: {reason}") from error
