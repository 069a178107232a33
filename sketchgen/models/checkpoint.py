"""Checkpoints: a folder with safetensors weights, the configuration, how it was trained, and a model card."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from sketchgen.errors import CheckpointError, OutputError, SettingError
from sketchgen.models.config import ModelConfig
from sketchgen.resources import (
    bundled_checkpoint,
    bundled_checkpoints,
    bundled_critics,
    bundled_picture_judges,
    bundled_recognisers,
)
from sketchgen.sketch.files import check_replaceable, whole_folder

CHECKPOINT_FORMAT = "sketchgen-checkpoint"
CHECKPOINT_VERSION = 1

RECOGNISER_FORMAT = "sketchgen-recogniser"
"""What the configuration of a recogniser says; see `sketchgen.models.classifier_checkpoint`."""

PICTURES_FORMAT = "sketchgen-pictures"
"""What the configuration of a judge of pictures says; see `sketchgen.models.picture_checkpoint`."""

CRITIC_FORMAT = "sketchgen-critic"
"""What the configuration of a critic says; see `sketchgen.models.reward_checkpoint`."""

DEFAULT_CHECKPOINT = "quickdraw345"
"""The bundled model that is loaded when none is named."""

_OTHERS = {
    CHECKPOINT_FORMAT: "a model that draws, and recognises nothing; load it with sketchgen.load",
    RECOGNISER_FORMAT: "a recogniser, and draws nothing; load it with sketchgen.load_recogniser",
    PICTURES_FORMAT: "a judge of pictures, and draws nothing; name it to sketchgen evaluate by --judge",
    CRITIC_FORMAT: "a critic, and draws nothing; it chooses among candidates where sketchgen draws several",
}
"""What a checkpoint is that was taken for one of another kind."""

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"

Weights = dict[str, NDArray[np.float32]]
"""Weights by name; see `ModelConfig.weight_shapes`."""


@runtime_checkable
class Network(Protocol):
    """What can be saved: the network as it learns, or as it draws."""

    config: ModelConfig

    def weights(self) -> Weights:
        """All weights, float32."""
        ...


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        config: the network's shape and categories.
        weights: float32, whatever they are stored as.
        summary: how it was trained, plain JSON values.
    """

    config: ModelConfig
    weights: Weights
    summary: dict[str, Any]

    def knowing(self, categories: Sequence[str]) -> Checkpoint:
        """The checkpoint with these categories besides its own; new ones begin as what "any" is to it."""
        new = tuple(name for name in categories if name not in self.config.categories)
        rows = self.weights["category.weight"]
        grown = np.concatenate([rows[:-1], *[rows[-1:]] * (len(new) + 1)])
        config = replace(self.config, categories=self.config.categories + new)
        return Checkpoint(config, self.weights | {"category.weight": grown}, self.summary)


_LIMITS = """## What to expect of it

It draws lines as people draw them with a mouse in a few seconds: doodles of one colour, from what is given
on to an end; it does not correct what is given. Of a category with few training drawings it draws worse,
and may draw something near to it. How large a beginning is in the whole it guesses. It was taught on one
kind of drawing; what is far from it (handwriting, maps, tracings of photographs) it goes on with as if it
were a doodle.

## Data and its bias

If it was trained on Quick, Draw!: the drawings are from Google's Quick, Draw! data set
(https://github.com/googlecreativelab/quickdraw-dataset), CC BY 4.0. They were made in a game against the
clock, by players who saw the name of the category in their own language; how a thing looks is how it looks
to them, and which countries they came from differs by category. Drawings were moderated one by one and may
still be crude; so may what a model draws.
"""


def described(config: ModelConfig) -> str:
    """The network in one sentence."""
    parts = [f"{config.components} components"]
    if config.turned:
        parts.append(f"{config.turned} of which turn with the line")
    if config.pen == "shared":
        parts.append("one pen for all")
    if config.pointers:
        parts.append("pointers to earlier points")
    if config.recall:
        parts.append("attention to earlier steps")
    given = "conditioned on the encoded given part of a drawing"
    if not config.encoder_width:
        given = "which the given part of a drawing is replayed through"
    reads = " It reads offsets and pens only." if config.inputs == "offsets" else ""
    shape = f"{config.cell}, {config.layers} x {config.width}, {', '.join(parts)}"
    return f"Recurrent mixture-density decoder ({shape}), {given}.{reads}"


def model_card(config: ModelConfig, summary: dict[str, Any]) -> str:
    """A model card in Markdown from what the checkpoint itself says."""
    about = f"# A sketchgen model over {len(config.categories)} categories\n\n{described(config)}\n\n"
    return card_of(about, summary, _LIMITS)


def card_of(about: str, summary: dict[str, Any], limits: str) -> str:
    """A model card in Markdown: the first paragraphs, a table of what `summary` says, and what to expect."""
    facts = "\n".join(f"| {key} | {value} |" for key, value in summary.items() if not isinstance(value, dict))
    head = "---\nlicense: cc-by-4.0\nlibrary_name: sketchgen\n---\n\n"
    return f"{head}{about}| | |\n|---|---|\n{facts}\n\n{limits}"


def save_checkpoint(
    folder: Path, model: Network, summary: dict[str, Any], *, force: bool = False, half: bool = False
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
    about = {"format": CHECKPOINT_FORMAT, "version": CHECKPOINT_VERSION}
    about |= {"model": model.config.to_dict(), "training": summary}
    text = model_card(model.config, summary)
    write_folder(folder, about, text, WEIGHTS, model.weights(), force=force, half=half)


def write_folder(
    folder: Path, about: Mapping[str, Any], text: str, file: str, weights: Weights, *, force: bool, half: bool
) -> None:
    """Write a checkpoint of any kind; the folder is either whole or not there.

    Args:
        folder: where; its parent is made.
        about: the configuration, plain JSON values; its format goes into the file of weights, too.
        text: the card.
        file: the name of the file of weights.
        weights: what is in it.
        force: replace what stands there.
        half: store float16 weights.

    Raises:
        OutputError: the folder exists and `force` is false, or it cannot be written.
    """
    folder = Path(folder)
    check_replaceable(folder, CONFIG, "a checkpoint", force=force)
    number = np.float16 if half else np.float32
    stored = {name: np.ascontiguousarray(value, number) for name, value in weights.items()}
    try:
        with whole_folder(folder) as work:
            # As bytes: written by its own hand, safetensors keeps the file from everybody but its owner.
            (work / file).write_bytes(save(stored, metadata={"format": about["format"]}))
            (work / CONFIG).write_text(
                json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
            (work / CARD).write_text(text, encoding="utf-8")
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(f"{folder} cannot be written: {reason}") from error


def find_checkpoint(name_or_path: str | os.PathLike[str] | None) -> Path:
    """The folder of a checkpoint: a path where one stands, else a bundled name; None is the default.

    Raises:
        CheckpointError: there is none.
    """
    wanted = name_of(name_or_path, DEFAULT_CHECKPOINT)
    path = Path(wanted)
    if stands_in(path):
        return path
    if wanted in bundled_checkpoints():
        return bundled_checkpoint(wanted)
    refuse_others(wanted, CHECKPOINT_FORMAT)
    names = ", ".join(bundled_checkpoints()) or "none"
    found = f"no checkpoint {wanted[:200]!r}: neither a folder with {CONFIG} nor bundled ({names})"
    raise CheckpointError(found)


def stands_in(folder: Path) -> bool:
    """Whether a checkpoint of some kind stands in a folder; not where no folder could have that name."""
    try:
        return (folder / CONFIG).is_file()
    except OSError:
        return False


def name_of(name_or_path: str | os.PathLike[str] | None, default: str) -> str:
    """What a checkpoint is called by who asks for it: its name or path; `default` where none is asked for."""
    return default if name_or_path is None else os.fspath(name_or_path)


def refuse_others(name: str, kind: str) -> None:
    """Refuse the name of a bundled checkpoint that recognises or judges, and is not of the format `kind`.

    Raises:
        CheckpointError: it is one; the message says what it is good for.
    """
    others = {
        RECOGNISER_FORMAT: bundled_recognisers,
        PICTURES_FORMAT: bundled_picture_judges,
        CRITIC_FORMAT: bundled_critics,
    }
    for other, names in others.items():
        if other != kind and name in names():
            raise CheckpointError(f"{name} is {_OTHERS[other]}")


def read_checkpoint(name_or_path: str | os.PathLike[str] | None = None) -> Checkpoint:
    """Read a checkpoint; see `find_checkpoint` for the name.

    Raises:
        CheckpointError: no checkpoint there, a foreign or newer one, or damaged weights.
    """
    folder = find_checkpoint(name_or_path)
    about = read_about(folder, CHECKPOINT_FORMAT, CHECKPOINT_VERSION)
    try:
        config = ModelConfig.from_dict(about["model"])
    except SettingError as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from error
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / CONFIG} describes no model; get the checkpoint again") from error
    return Checkpoint(config, *read_trained(folder / WEIGHTS, config.weight_shapes(), about))


def read_about(folder: Path, kind: str, version: int) -> Mapping[str, Any]:
    """The content of the configuration of a checkpoint whose format is `kind`.

    Raises:
        CheckpointError: it is damaged, foreign, of the other kind, or of another version.
    """
    try:
        about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG} cannot be read; get the checkpoint again") from error
    found = about.get("format") if isinstance(about, dict) else None
    if found != kind and found in _OTHERS:
        raise CheckpointError(f"{folder} is {_OTHERS[found]}")
    if not isinstance(about, dict) or found != kind:
        raise CheckpointError(f"{folder} is not a sketchgen checkpoint")
    if about.get("version") != version:
        found = f"{folder} is of version {about.get('version')}"
        raise CheckpointError(f"{found}, this program reads {version}")
    return about


def read_trained(
    file: Path, shapes: Mapping[str, tuple[int, ...]], about: Mapping[str, Any]
) -> tuple[Weights, dict[str, Any]]:
    """The weights of a checkpoint of any kind, as float32, and the summary of how it was trained.

    Args:
        file: that of the weights.
        shapes: their names and shapes, as the configuration beside them has it.
        about: the content of that configuration; where it says nothing of the training, the summary is empty.

    Raises:
        CheckpointError: the weights cannot be read, or they are not those of the configuration.
    """
    weights = read_weights(file)
    if {name: value.shape for name, value in weights.items()} != shapes:
        raise CheckpointError(f"{file.parent}: weights and configuration do not belong together")
    training = about.get("training")
    return weights, training if isinstance(training, dict) else {}


def read_weights(file: Path) -> Weights:
    """The weights in a file, as float32.

    Raises:
        CheckpointError: the file is missing, damaged, not of floating-point numbers, or some are not finite.
    """
    remedy = "get the checkpoint again"
    try:
        stored = load_file(file)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"{file} is damaged or missing; {remedy}") from error
    if not all(value.dtype in (np.float16, np.float32) for value in stored.values()):
        raise CheckpointError(f"{file} has weights that are neither float16 nor float32")
    weights = {name: value.astype(np.float32) for name, value in stored.items()}
    if not all(bool(np.isfinite(value).all()) for value in weights.values()):
        raise CheckpointError(f"{file} has weights that are not finite; {remedy}")
    return weights
