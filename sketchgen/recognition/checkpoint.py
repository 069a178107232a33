"""Checkpoints of recognisers: a folder with weights, the configuration, how it was trained, and a card.

They are told from those of models that draw by the name of the weights and by what the configuration says,
so that neither is ever taken for the other.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from safetensors.numpy import save

from sketchgen.drawing.output import check_replaceable, whole_folder
from sketchgen.errors import CheckpointError, OutputError, SettingError
from sketchgen.model.pretrained import CARD, CONFIG, RECOGNISER_FORMAT, Weights, read_about, read_weights
from sketchgen.recognition.config import RecogniserConfig
from sketchgen.resources import RECOGNISER_WEIGHTS, bundled, bundled_recognisers

RECOGNISER_VERSION = 1

DEFAULT_RECOGNISER = "recogniser345"
"""The bundled recogniser that is loaded when none is named."""


@runtime_checkable
class Recognising(Protocol):
    """What can be saved: the network as it learns, or as it reads."""

    config: RecogniserConfig

    def weights(self) -> Weights:
        """All weights, float32."""
        ...


@dataclass(frozen=True)
class RecogniserCheckpoint:
    """What a checkpoint holds.

    Attributes:
        config: the network's shape and categories.
        weights: float32, whatever they are stored as.
        summary: how it was trained and what was measured, plain JSON values.
    """

    config: RecogniserConfig
    weights: Weights
    summary: dict[str, Any]


def recogniser_card(config: RecogniserConfig, summary: dict[str, Any]) -> str:
    """A model card in Markdown from what the checkpoint itself says."""
    facts = "\n".join(f"| {key} | {value} |" for key, value in summary.items() if not isinstance(value, dict))
    widths = ", ".join(map(str, config.widths))
    return (
        "---\nlicense: cc-by-4.0\nlibrary_name: sketchgen\n---\n\n"
        f"# A sketchgen recogniser of {len(config.categories)} categories\n\n"
        "Tells what a drawing is of, whole or begun, from its strokes: two convolutions over neighbouring "
        f"points, LSTM layers in both directions ({widths} units each way), pooled by attention and maximum. "
        "It draws nothing.\n\n"
        f"| | |\n|---|---|\n{facts}\n\n"
        "If it was trained on Quick, Draw!: the drawings are from Google's Quick, Draw! data set "
        "(https://github.com/googlecreativelab/quickdraw-dataset), CC BY 4.0. It knows the categories that "
        "it was taught and nothing else: whatever it is shown, it names one of them.\n"
    )


def save_recogniser(
    folder: Path, network: Recognising, summary: dict[str, Any], *, force: bool = False, half: bool = False
) -> None:
    """Write a checkpoint; the folder is either whole or not there.

    Args:
        folder: where; its parent is made.
        network: what is saved.
        summary: how it was trained, plain JSON values.
        force: replace what stands there.
        half: store float16 weights (half the size; they are float32 again when loaded).

    Raises:
        OutputError: the folder exists and `force` is false, or it cannot be written.
    """
    folder = Path(folder)
    check_replaceable(folder, CONFIG, "a checkpoint", force=force)
    kind = np.float16 if half else np.float32
    weights = {name: np.ascontiguousarray(value, kind) for name, value in network.weights().items()}
    about = {"format": RECOGNISER_FORMAT, "version": RECOGNISER_VERSION}
    about |= {"recogniser": network.config.to_dict(), "training": summary}
    text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
    try:
        with whole_folder(folder) as work:
            (work / RECOGNISER_WEIGHTS).write_bytes(save(weights, metadata={"format": RECOGNISER_FORMAT}))
            (work / CONFIG).write_text(text, encoding="utf-8")
            (work / CARD).write_text(recogniser_card(network.config, summary), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from error


def find_recogniser(name_or_path: str | os.PathLike[str] | None) -> Path:
    """The folder of a recogniser: a path where one stands, else a bundled name; None is the default.

    Raises:
        CheckpointError: there is none.
    """
    wanted = DEFAULT_RECOGNISER if name_or_path is None else os.fspath(name_or_path)
    path = Path(wanted)
    if (path / CONFIG).is_file():
        return path
    if wanted in bundled_recognisers():
        return bundled("checkpoints", wanted)
    names = ", ".join(bundled_recognisers()) or "none"
    found = f"no recogniser {wanted[:200]!r}: neither a folder with {CONFIG} nor bundled ({names})"
    raise CheckpointError(found)


def read_recogniser(name_or_path: str | os.PathLike[str] | None = None) -> RecogniserCheckpoint:
    """Read a recogniser's checkpoint; see `find_recogniser` for the name.

    Raises:
        CheckpointError: none there, one of a model that draws, a newer one, or damaged weights.
    """
    folder = find_recogniser(name_or_path)
    about = read_about(folder, RECOGNISER_FORMAT, RECOGNISER_VERSION)
    try:
        config = RecogniserConfig.from_dict(about["recogniser"])
    except SettingError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from error
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / CONFIG} describes no recogniser; get it again") from error
    weights = read_weights(folder / RECOGNISER_WEIGHTS)
    if {name: value.shape for name, value in weights.items()} != config.weight_shapes():
        raise CheckpointError(f"{folder}: weights and configuration do not belong together")
    training = about.get("training")
    return RecogniserCheckpoint(config, weights, training if isinstance(training, dict) else {})
