"""Checkpoints: a folder with safetensors weights, the configuration, how it was trained, and a model card."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from sketchgen.drawing.output import check_replaceable, whole_folder
from sketchgen.errors import CheckpointError, OutputError, SettingError
from sketchgen.model.config import ModelConfig
from sketchgen.model.strokemodel import StrokeModel
from sketchgen.resources import bundled_checkpoint, bundled_checkpoints

CHECKPOINT_FORMAT = "sketchgen-checkpoint"
CHECKPOINT_VERSION = 1

DEFAULT_CHECKPOINT = "quickdraw345"
"""The bundled model that is loaded when none is named."""

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"


def model_card(config: ModelConfig, summary: dict[str, Any]) -> str:
    """A model card in Markdown from what the checkpoint itself says."""
    facts = "\n".join(f"| {key} | {value} |" for key, value in summary.items() if not isinstance(value, dict))
    return (
        "---\nlicense: cc-by-4.0\nlibrary_name: sketchgen\n---\n\n"
        f"# A sketchgen model over {len(config.categories)} categories\n\n"
        f"Recurrent mixture-density decoder ({config.cell}, {config.layers} x {config.width}, "
        f"{config.components} components), conditioned on the encoded given part of a drawing.\n\n"
        f"| | |\n|---|---|\n{facts}\n\n"
        "If it was trained on Quick, Draw!: the drawings are from Google's Quick, Draw! data set "
        "(https://github.com/googlecreativelab/quickdraw-dataset), CC BY 4.0. Drawings there were moderated "
        "one by one and may still be crude; so may what a model draws.\n"
    )


def save_checkpoint(
    folder: Path, model: StrokeModel, summary: dict[str, Any], *, force: bool = False, half: bool = False
) -> None:
    """Write a checkpoint; the folder is either whole or not there.

    Args:
        folder: where; its parent is made.
        model: the network.
        summary: how it was trained, plain JSON values.
        force: replace what stands there.
        half: store float16 weights (half the size; they are float32 again when loaded).

    Raises:
        OutputError: the folder exists and `force` is false, or it cannot be written.
    """
    folder = Path(folder)
    check_replaceable(folder, CONFIG, "a checkpoint", force=force)
    try:
        with whole_folder(folder) as work:
            _write_checkpoint(work, model, summary, torch.float16 if half else torch.float32)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{folder} cannot be written: {reason}") from error


def _write_checkpoint(work: Path, model: StrokeModel, summary: dict[str, Any], kind: torch.dtype) -> None:
    """Write a checkpoint's files into the folder `work`."""
    weights = {name: value.to("cpu", kind).contiguous() for name, value in model.state_dict().items()}
    # As bytes: written by its own hand, safetensors keeps the file from everybody but its owner.
    (work / WEIGHTS).write_bytes(save(weights, metadata={"format": CHECKPOINT_FORMAT}))
    about = {"format": CHECKPOINT_FORMAT, "version": CHECKPOINT_VERSION}
    about |= {"model": model.config.to_dict(), "training": summary}
    (work / CONFIG).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (work / CARD).write_text(model_card(model.config, summary), encoding="utf-8")


def find_checkpoint(name_or_path: str | os.PathLike[str] | None) -> Path:
    """The folder of a checkpoint: a path where one stands, else a bundled name; None is the default.

    Raises:
        CheckpointError: there is none.
    """
    wanted = DEFAULT_CHECKPOINT if name_or_path is None else os.fspath(name_or_path)
    path = Path(wanted)
    if (path / CONFIG).is_file():
        return path
    if wanted in bundled_checkpoints():
        return bundled_checkpoint(wanted)
    names = ", ".join(bundled_checkpoints()) or "none"
    raise CheckpointError(f"no checkpoint {wanted!r}: neither a folder with {CONFIG} nor bundled ({names})")


def load_checkpoint(name_or_path: str | os.PathLike[str] | None = None) -> tuple[StrokeModel, dict[str, Any]]:
    """Load a network (float32, evaluation mode, CPU) and its training summary.

    Raises:
        CheckpointError: no checkpoint there, a foreign or newer one, or damaged weights.
    """
    folder = find_checkpoint(name_or_path)
    try:
        about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG} cannot be read; get the checkpoint again") from error
    if not isinstance(about, dict) or about.get("format") != CHECKPOINT_FORMAT:
        raise CheckpointError(f"{folder} is not a sketchgen checkpoint")
    if about.get("version") != CHECKPOINT_VERSION:
        raise CheckpointError(
            f"{folder} is of version {about.get('version')}, this program reads {CHECKPOINT_VERSION}"
        )
    try:
        config = ModelConfig.from_dict(about["model"])
        model = StrokeModel(config)
        weights = {name: value.float() for name, value in load_file(folder / WEIGHTS).items()}
        model.load_state_dict(weights)
    except SettingError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from error
    except (OSError, SafetensorError) as error:
        remedy = "get the checkpoint again"
        raise CheckpointError(f"{folder / WEIGHTS} is damaged or missing; {remedy}") from error
    except (RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder}: weights and configuration do not belong together") from error
    if not all(bool(torch.isfinite(value).all()) for value in weights.values()):
        raise CheckpointError(f"{folder / WEIGHTS} has weights that are not finite; get the checkpoint again")
    training = about.get("training")
    return model.eval(), training if isinstance(training, dict) else {}
